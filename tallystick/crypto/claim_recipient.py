"""A claim's one-time recipient: derived from the claimant's identity, so there is nothing to lose.

Custodians re-seal their shares to it. It is of one claim, because the claim's nonce
salts it; and the claimant's key file suffices to open what was sealed to it.
"""

from typing import Final

from tallystick.crypto.age_header import hkdf
from tallystick.crypto.age_keys import HybridIdentity, Identity, identity_from_seed

_INFO: Final = b"tallystick/v1/claim-recipient"


def claim_identity(identity: Identity, nonce: str) -> HybridIdentity:
    """Return the identity of the claim with this `nonce` (hexadecimal), by HKDF-SHA-256 (RFC 5869)."""
    return identity_from_seed(hkdf(identity.seed, salt=bytes.fromhex(nonce), info=_INFO))
