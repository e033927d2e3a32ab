"""age v1 files (C2SP age.md): sealed to recipients, opened by identities, streaming, in bounded memory.

For most uses, `seal` and `open_sealed` copy a stream, and `seal_bytes` and `open_bytes` do the same for
what fits into memory. `new_identity` makes a key that resists quantum computers (`AGE-SECRET-KEY-PQ-1…`,
its recipient `age1pq1…`); `parse_identity` and `parse_recipient` read keys of both kinds that age has.
`sealed_to` says to how many recipients a file is sealed, and of which types.
Anyone who holds the identity opens what is sealed here with stock `age`, 1.3 or later.
"""

from tallystick.crypto.age.file import (
    NoIdentityMatchesError,
    Sealed,
    SealedTooLargeError,
    SealingWriter,
    UnsuitableRecipientsError,
    open_bytes,
    open_sealed,
    seal,
    seal_bytes,
    sealed_to,
)
from tallystick.crypto.age.header import AgeError, HeaderAlteredError, MalformedHeaderError
from tallystick.crypto.age.keys import (
    HybridIdentity,
    HybridRecipient,
    Identity,
    MalformedAgeKeyError,
    Recipient,
    X25519Identity,
    X25519Recipient,
    identity_from_seed,
    new_identity,
    parse_identity,
    parse_recipient,
)
from tallystick.crypto.age.stream import PayloadAlteredError

__all__ = [
    "AgeError",
    "HeaderAlteredError",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "MalformedAgeKeyError",
    "MalformedHeaderError",
    "NoIdentityMatchesError",
    "PayloadAlteredError",
    "Recipient",
    "Sealed",
    "SealedTooLargeError",
    "SealingWriter",
    "UnsuitableRecipientsError",
    "X25519Identity",
    "X25519Recipient",
    "identity_from_seed",
    "new_identity",
    "open_bytes",
    "open_sealed",
    "parse_identity",
    "parse_recipient",
    "seal",
    "seal_bytes",
    "sealed_to",
]
