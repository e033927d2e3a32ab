"""Notices: when one is proven, when the gate saw it, and what the letters say.

To ask whether notice of a claim is proven, call `proof_of_notice`: a window starts at proof, never at
sending. `window_end` says when it ends, by the record and by the gate's `sighting`. `claim_letter`
returns the text of a claim's notice. `storage` says which letters about what is stored are owed, and what
they say.
"""
