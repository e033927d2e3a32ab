"""Signatures that name their keys: what is recorded is verified by many, each signature under one key.

DSSE lets a signer leave `keyid` out. To verify such a signature costs as many tries as there are keys, so the
API calls `named` on what it is sent, and the ledger takes nothing that is not.
"""

from collections.abc import Iterable
from dataclasses import replace

from tallystick.crypto.envelope import Envelope, Signature, is_key_id, verified_signers
from tallystick.crypto.keys import key_id
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import PublicKey


class SignatureUnnamedError(MalformedError):
    """A statement for the ledger with a signature that does not say which key made it."""

    code = "signature-unnamed"
    why = "On record each signature names its key, and a key signs once, so that all are soon verified."
    advice = "Send the statement to the API, which writes the hints itself."


def named(envelope: Envelope, candidates: Iterable[PublicKey]) -> Envelope:
    """Return `envelope` with one signature of each signer, whose `keyid` names the signer's key.

    Raises:
        SignatureInvalidError: One names no key, and verifies under none of `candidates`.
    """
    if _is_named(envelope):
        return envelope
    keys, first = tuple(candidates), dict[PublicKey, Signature]()
    for signature in envelope.signatures:
        (key,) = verified_signers(replace(envelope, signatures=(signature,)), keys)
        first.setdefault(key, Signature(keyid=key_id(key), value=signature.value))
    return replace(envelope, signatures=tuple(first.values()))


def check_named(envelope: Envelope) -> None:
    """Refuse an envelope with a signature that names no key; no two of one envelope name the same.

    Raises:
        SignatureUnnamedError: One does not.
    """
    if not _is_named(envelope):
        raise SignatureUnnamedError("a signature does not name its key", kind=envelope.kind)


def _is_named(envelope: Envelope) -> bool:
    return all(is_key_id(signature.keyid) for signature in envelope.signatures)
