"""What the worker does again and again: it makes copies, keeps them whole, and signs the logs.

`CopiesSoon.copy` gives each store what it lacks, soon after an upload. `Storekeeper.make_round` hashes every
log again (`LogChecking.check_all`), reads every copy of every blob again and replaces bad ones.
`LogSigning.sign_all` signs the logs that have grown, and `LogSigning.sign_soon` has one signed within a
second. The worker starts all of them.
"""
