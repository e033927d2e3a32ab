"""A claim's one-time recipient: derived from the claimant's identity, so there is nothing to lose.

Custodians re-seal their shares to it. It belongs to one claim, because the claim's nonce
salts it; and the claimant's key file is enough to open what was sealed to it.
"""

from typing import Final

from tallystick.crypto.age.header import hkdf
from tallystick.crypto.age.keys import (
    HybridIdentity,
    HybridRecipient,
    Identity,
    MalformedAgeKeyError,
    identity_from_seed,
    parse_recipient,
)

_INFO: Final = b"tallystick/v1/claim-recipient"


def claim_identity(identity: Identity, nonce: str) -> HybridIdentity:
    """Return the identity of the claim with this `nonce` (hexadecimal), by HKDF-SHA-256 (RFC 5869)."""
    return identity_from_seed(hkdf(identity.seed, salt=bytes.fromhex(nonce), info=_INFO))


def check_recipient(text: str) -> None:
    """Refuse a recipient to which the gate and the custodians could never contribute.

    Raises:
        MalformedError: Mistyped, or not a post-quantum recipient (`age1pq1…`).
    """
    if not isinstance(parse_recipient(text), HybridRecipient):
        raise MalformedAgeKeyError(
            "the recipient is not a post-quantum one", expected=f"{HybridRecipient.PREFIX}1…"
        )
