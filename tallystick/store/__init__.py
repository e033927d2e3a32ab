"""What a server keeps: rows and ledger leaves that commit together, and blobs in several places.

To work with a claim, load its case (`cases`); to find an agreement or a deposit, use `registers`; to
record a statement, append it to the ledger (`ledger`) in a transaction (`database`). Sealed files are in
`blobs`, by digest. Nothing here knows HTTP or Temporal.
"""
