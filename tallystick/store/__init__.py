"""What is kept: rows and ledger leaves that commit together, and content-addressed blobs."""
