"""BagIt 1.0 bags in tar files: the form of a component inside its seal.

To make one from a folder, call `write_bag`; to check one and unpack it, call `unpack_bag`. Both stream,
and return a `BagSummary`, whose figures the depositor signs and the receiver compares. `paths` says
which file names a bag may have; `tar` writes the same bytes every time, and trusts none that it reads.
"""
