"""What a blob's bytes pass between a person and the stores, on their way in and out.

To take an upload, ask `uploading.permitted` first, then take room and receive; to give one out, ask
`fetching.may_fetch`, then read from `fetching.source_of`. Both follow from signed statements alone.
"""
