"""A person sees what they sign: it is shown from the very bytes, confirmed, and only then signed."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tallystick.crypto.envelope import Envelope, body_of, cosign, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.bodies import read_body
from tallystick.domain.codec import decode
from tallystick.domain.kinds import Kind
from tallystick.domain.shown.claims import FiledClaim
from tallystick.domain.shown.shown import Context, shows
from tallystick.proof.reading import kind_read

Confirm: TypeAlias = Callable[[Sequence[str]], None]
"""Shows lines to the person and asks them; returns after a yes, and raises otherwise."""


def signed_if_confirmed(
    envelope: Envelope,
    keys: PrivateKeys,
    confirm: Confirm,
    *,
    agreement: Agreement,
    claim: FiledClaim | None = None,
) -> Envelope:
    """Return an envelope with the person's signature added, once they have read what it says.

    Args:
        envelope: Unsigned, or signed by others whose signatures were verified.
        agreement: The version that the statement is under, or that it is.
        claim: The claim that the statement is about, if it is about one.

    Raises:
        MalformedError: The body is not a statement of the kind that the envelope names.
    """
    kind, said = kind_read(envelope), body_of(envelope)
    body = decode(Agreement, said) if kind is Kind.AGREEMENT else read_body(kind, said)
    confirm(shows(body, Context(statement=statement_id(envelope), agreement=agreement, claim=claim)))
    return cosign(envelope, keys.signing_key)
