"""Notices: when one is proven, and what the letters say.

To ask whether notice of a claim is proven, call `proof_of_notice`: a window starts at proof, never at
sending. `claim_letter` returns the text of a claim's notice. `storage` says which letters about damaged
copies are owed, and what they say.
"""
