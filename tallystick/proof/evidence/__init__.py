"""The evidence file: what is in it, and how anyone verifies it offline.

To verify one, call `verify.verify` with the bytes of the file; its answer is a `Report` of fourteen
premises, in order, up to the first that is broken. `file` writes and reads the file. The premises are in
`agreements`, `deposits` and `record`, by what they are about; `Established` carries what the earlier ones
established to the later ones.
"""
