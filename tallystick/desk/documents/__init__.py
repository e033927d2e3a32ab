"""The documents of a claim, as a person has them at their desk.

`document_lines` tells which there are, `open_document` fetches and opens one, and `read_so_far` says at
signing which of them the signer has opened.
"""
