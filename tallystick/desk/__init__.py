"""What one person needs to read and to act, without a terminal: keys, server, trust, files, forms.

To begin, make a `Desk` from a person's keys and a `Client`; to work on a claim, call `open_claim`, which
verifies all that was signed; to sign, `signed_if_confirmed`, which shows the statement and asks first.
`file_claim` files a claim from the form that `claim_form` reads, `make_deposit` seals and uploads a
deposit, and `agreement_file` reads an agreement as people write it. The command line uses this, as any
other front could.
"""
