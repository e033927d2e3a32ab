"""What the worker does again and again: it keeps the copies whole, and signs the logs.

`Storekeeper.make_round` reads every copy of every blob again and replaces bad ones;
`LogSigning.sign_all` signs the logs that have grown, and `LogSigning.sign_soon` has one signed within a
second. The worker starts both.
"""
