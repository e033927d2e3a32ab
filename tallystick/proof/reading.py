"""From raw envelopes to verified statements: the one place where bytes become `Signed`.

1. The envelope is strict and its body canonical.
2. Every signature verifies, under a key that the agreement lists.
3. The body has exactly the members of its kind, in their one form.
Only then do the rules of the domain see it.
"""

from dataclasses import dataclass, fields
from typing import Final

from tallystick.crypto.age import parse_recipient
from tallystick.crypto.envelope import Envelope, body_of, kind_of, statement_id, verified_signers
from tallystick.crypto.keys import check_point
from tallystick.domain.agreement.agreement import SCHEMA, Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.bodies import read_body
from tallystick.domain.codec import MalformedDocumentError, decode
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.header import Header
from tallystick.domain.statements.signed import Body, Signed
from tallystick.limits.agreements import AGREEMENT_CHARGE_BYTES_MIN, AGREEMENTS_REMEMBERED_BYTES_MAX
from tallystick.limits.documents import STATEMENT_CHARGE_BYTES_MIN, STATEMENTS_REMEMBERED_BYTES_MAX
from tallystick.proof.memory import Memory

_HEADER: Final = tuple(member.name for member in fields(Header))
_KINDS: Final = frozenset(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAgreement:
    """An agreement whose signatures were verified, and who signed it."""

    terms: Terms
    signers: frozenset[PublicKey]

    @property
    def agreement(self) -> Agreement:
        """What was agreed."""
        return self.terms.agreement


_STATEMENTS: Final = Memory[tuple[Envelope, tuple[PublicKey, ...]], Signed[Body]](
    bytes_max=STATEMENTS_REMEMBERED_BYTES_MAX, bytes_min=STATEMENT_CHARGE_BYTES_MIN
)
_AGREEMENTS: Final = Memory[Envelope, SignedAgreement](
    bytes_max=AGREEMENTS_REMEMBERED_BYTES_MAX, bytes_min=AGREEMENT_CHARGE_BYTES_MIN
)


def read_signed(envelope: Envelope, agreement: Agreement) -> Signed[Body]:
    """Return the statement in `envelope`, signed by keys of `agreement` and nobody else.

    Raises:
        MalformedError: Not a statement of a kind that is made under an agreement.
        SignatureInvalidError: A signature is by none of the agreement's keys.
    """
    wanted = (envelope, keys_of(agreement))
    if (known := _STATEMENTS.get(wanted)) is not None:
        return known
    return _STATEMENTS.keep(wanted, _read_signed(*wanted), size_bytes=envelope.size_bytes)


def read_agreement(envelope: Envelope) -> SignedAgreement:
    """Return the agreement in `envelope`, signed by at least one person of every party.

    Raises:
        MalformedError: Not an agreement in its one form.
        SignatureInvalidError: A signature is by none of the agreement's own persons.
        NotYoursError: A party has not signed.
        InvalidPointError: A key in it is not a sound Ed25519 point.
        MalformedAgeKeyError: Nothing can be sealed to one of its recipients.
    """
    if (known := _AGREEMENTS.get(envelope)) is not None:
        return known
    return _AGREEMENTS.keep(envelope, _read_agreement(envelope), size_bytes=envelope.size_bytes)


def check_keys(agreement: Agreement) -> None:
    """Refuse an agreement with a key that nobody could use: it would stop what others are to do with it.

    Evidence, for example, is sealed to all its readers at once, before a claim can be filed.

    Raises:
        InvalidPointError: A signing key is not a sound Ed25519 point.
        MalformedError: Nothing can be sealed to a recipient; `at` says whose it is.
    """
    for key in keys_of(agreement):
        check_point(key)
    for place, person in enumerate(agreement.persons):
        _check_recipient(person.age_recipient, f"/persons/{place}/age_recipient")
    _check_recipient(agreement.engine.gate_recipient, "/engine/gate_recipient")


def header_of(envelope: Envelope) -> Header:
    """Return what a statement says of itself, before anybody has verified it: to find what verifies it.

    Raises:
        MalformedError: The body is no object, or has not these members in their one form.
    """
    body = body_of(envelope)
    return decode(Header, {member: body[member] for member in _HEADER if member in body})


def forget() -> None:
    """Forget what was read: before the gate decides, and before a benchmark measures what reading costs.

    What was read follows from the given bytes alone, so equal bytes need not be read again: a record that
    grew by one statement costs one verification, not one of everything before it.
    """
    _STATEMENTS.clear()
    _AGREEMENTS.clear()


def _read_signed(envelope: Envelope, keys: tuple[PublicKey, ...]) -> Signed[Body]:
    kind = kind_read(envelope)
    signers = verified_signers(envelope, keys)
    body = read_body(kind, body_of(envelope))
    return Signed(
        kind=kind,
        id=statement_id(envelope),
        signers=signers,
        body=body,
        size_bytes=envelope.size_bytes,
    )


def _read_agreement(envelope: Envelope) -> SignedAgreement:
    if kind_read(envelope) is not Kind.AGREEMENT:
        raise MalformedDocumentError("the statement is not an agreement", kind=kind_of(envelope))
    agreement = decode(Agreement, body_of(envelope))
    if agreement.schema != SCHEMA:
        raise MalformedDocumentError("unknown schema", at="/schema", expected=SCHEMA)
    check_keys(agreement)
    signers = verified_signers(envelope, [person.signing_key for person in agreement.persons])
    parties = {agreement.person_with(key).party for key in signers}
    if missing := sorted(party.id for party in agreement.parties if party.id not in parties):
        raise NotYoursError("the agreement is not signed by every party", missing=list(missing))
    return SignedAgreement(terms=Terms(agreement=agreement, digest=statement_id(envelope)), signers=signers)


def _check_recipient(text: str, where: str) -> None:
    try:
        parse_recipient(text)
    except MalformedError as error:
        raise type(error)(error.message, **{**error.facts, "at": where}) from error


def kind_read(envelope: Envelope) -> Kind:
    """Return the kind of `envelope`.

    Raises:
        MalformedDocumentError: No kind of ours.
    """
    word = kind_of(envelope)
    if word not in _KINDS:
        raise MalformedDocumentError("unknown kind of statement", kind=word)
    return Kind(word)


def keys_of(agreement: Agreement) -> tuple[PublicKey, ...]:
    """Return every key that may sign under `agreement`: the persons' and the engine's."""
    persons = [person.signing_key for person in agreement.persons]
    return (*persons, agreement.engine.log_key, agreement.engine.decision_key)
