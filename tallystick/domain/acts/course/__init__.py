"""Acts that move a claim along, or end it.

A beneficiary confirms what the escrow agent filed for it (`confirmation`), the agent checks the form
(`intake`), a person of the notified party confirms that notice arrived (`acknowledgement`), and the
claimant gives up (`withdrawal`). Each module defines one `ACT`.
"""
