"""Blobs: bytes that are named by their SHA-256, in at least two stores.

To store and read, use `ReplicatedBlobs`, which `opened.open_blobs` returns: `ReplicatedBlobs.put` returns
when a store has the bytes, and says whether every one has; `ReplicatedBlobs.open_verified` reads only a
copy that was just hashed as a whole. `behind` notes what a store lacks. `store` says what any store does,
as `BlobStore`; `folder` is one in a local folder. `uploads` takes parts that arrive one by one, and notes
which agreement has which blob.
"""
