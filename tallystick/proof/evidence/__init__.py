"""The evidence file: what it holds (`file`), and its verification without us (`verify`).

Call `verify.verify` with the file's bytes; its answer is a `Report` of thirteen premises, in order.
"""
