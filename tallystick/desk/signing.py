"""A person sees what they sign: it is shown from the very bytes, confirmed, and only then signed."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from tallystick.crypto.envelope import Envelope, body_of, cosign, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.bodies import read_body
from tallystick.domain.codec import decode
from tallystick.domain.errors import TallystickError
from tallystick.domain.kinds import Kind
from tallystick.domain.shown.claims import FiledClaim
from tallystick.domain.shown.shown import Context, shows
from tallystick.proof.reading import kind_read, read_agreement

Confirm: TypeAlias = Callable[[Iterable[str]], None]
"""Shows lines to the person as they come, and asks them; returns after a yes, and raises otherwise."""


class PreviousVersionNeededError(TallystickError):
    """The version that a new one takes the place of is not at hand, or is another."""

    code = "previous-version-needed"
    why = "A signer of a new version reads what changes in it, and that takes the version before."
    advice = "Name its signed envelope with `--previous FILE`, or the server that has it with `--api`."


def signed_if_confirmed(
    envelope: Envelope,
    keys: PrivateKeys,
    confirm: Confirm,
    *,
    agreement: Agreement,
    claim: FiledClaim | None = None,
    previous: Agreement | None = None,
    at: datetime | None = None,
) -> Envelope:
    """Return an envelope with the person's signature added, once they have read what it says.

    Args:
        envelope: Unsigned, or signed by others whose signatures were verified.
        agreement: The version that the statement is under, or that it is.
        claim: The claim that the statement is about, if it is about one.
        previous: The version that an agreement takes the place of, verified.
        at: The present, for an agreement: what goes wrong with claims is played from there.

    Raises:
        MalformedError: The body is not a statement of the kind that the envelope names.
    """
    kind, said = kind_read(envelope), body_of(envelope)
    body = decode(Agreement, said) if kind is Kind.AGREEMENT else read_body(kind, said)
    context = Context(
        statement=statement_id(envelope), agreement=agreement, claim=claim, previous=previous, at=at
    )
    confirm(shows(body, context))
    return cosign(envelope, keys.signing_key)


def previous_version(agreement: Agreement, envelope: Envelope | None) -> Agreement | None:
    """Return the version that `agreement` takes the place of, from its envelope; None for a first version.

    Raises:
        PreviousVersionNeededError: There is no envelope, or it is of another version than the one named.
        TallystickError: A signature in the envelope is wrong, or a party's is missing.
    """
    if agreement.supersedes is None:
        return None
    if envelope is None:
        raise PreviousVersionNeededError(
            "the version before is not at hand", agreement=agreement.id, needed=agreement.supersedes
        )
    signed = read_agreement(envelope)
    if signed.terms.digest != agreement.supersedes:
        raise PreviousVersionNeededError(
            "the version given is not the one that this one replaces",
            needed=agreement.supersedes,
            given=signed.terms.digest,
        )
    return signed.agreement
