"""A person sees what they sign: a statement is built here, shown from its own bytes, and then signed.

The server's drafts are not used: the domain drafts, here, from the verified claim. What is
shown comes from that claim and from the canonical body that the signature covers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Final

import typer

from tallystick.cli.envelopes import hand_on
from tallystick.cli.output import print_json, print_result, say, shown
from tallystick.client.answers import text
from tallystick.crypto.envelope import Envelope, body_of, cosign, new_nonce, sign, statement_id
from tallystick.desk.claims import Case, UnexpectedClaimError
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.files import read_envelope
from tallystick.domain.codec import encode_object
from tallystick.domain.drafts.drafts import Choices, Heading, draft
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.header import OnClaim
from tallystick.domain.statements.signed import BODIES, read_body
from tallystick.proof.reading import read_signed

NOUNS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.INTAKE: "intakes",
        Kind.NOTICE_ACKNOWLEDGEMENT: "acknowledgements",
        Kind.APPROVAL: "approvals",
        Kind.DENIAL: "denials",
        Kind.OBJECTION: "objections",
        Kind.RETRACTION: "retractions",
        Kind.RULING: "rulings",
        Kind.JOINT_INSTRUCTION: "joint-instructions",
        Kind.WITHDRAWAL: "withdrawals",
        Kind.HOLD: "holds",
        Kind.HOLD_LIFT: "hold-lifts",
        Kind.RECEIPT: "receipts",
        Kind.RETURN: "returns",
    }
)
"""Where a statement of each kind is sent: POST /v1/claims/{claim}/<noun>."""

_HEADER: Final = frozenset(field.name for field in fields(OnClaim))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a statement is signed and passed on.

    Attributes:
        out: Hand the envelope on in this file instead of sending it.
        cosign: Add a signature to the envelope in this file.
    """

    yes: bool
    as_json: bool
    out: Path | None = None
    cosign: Path | None = None


def state(desk: Desk, case: Case, kind: Kind, choices: Choices, manner: Manner) -> None:
    """Draft a statement, show it, have it confirmed, sign it, and send it or hand it on.

    Raises:
        NotInAgreementError: The person at the desk is nobody of the agreement.
        DraftIncompleteError: `choices` lacks what this kind has to say.
        TallystickError: The server refused or did not answer.
    """
    body = draft(kind, _heading(desk, case), choices)
    envelope = sign(kind, encode_object(body), [desk.keys.signing_key])
    _confirm(case, envelope, manner)
    _pass_on(desk, case, envelope, manner)


def state_together(desk: Desk, case: Case, kind: Kind, file: Path, manner: Manner) -> None:
    """Show a statement that others have signed, add a signature, and send it or hand it on.

    Raises:
        MisdirectedError: Another kind of statement, or about another claim.
        TallystickError: A signature is wrong, or the server refused or did not answer.
    """
    envelope = _checked(read_envelope(file), case, kind)
    desk.person_in(case.agreement)
    _confirm(case, envelope, manner)
    _pass_on(desk, case, cosign(envelope, desk.keys.signing_key), manner)


def send(desk: Desk, case: Case, kind: Kind, file: Path, manner: Manner) -> None:
    """Send a statement that others have signed, as it is.

    Raises:
        MisdirectedError: Another kind of statement, or about another claim.
        TallystickError: A signature is wrong, or the server refused or did not answer.
    """
    _pass_on(desk, case, _checked(read_envelope(file), case, kind), manner)


def statement_lines(envelope: Envelope) -> Iterator[str]:
    """Say what a statement says beyond which claim it is about, from the bytes that are signed."""
    kind = Kind(envelope.payload_type.split(".")[2])
    body = encode_object(read_body(kind, body_of(envelope)))
    yield f"you sign     {kind.replace('-', ' ')}, as {shown(body['person'])}, {shown(body['issued_at'])}"
    for name, value in body.items():
        if name not in _HEADER:
            yield f"  {name.replace('_', ' ')}: {shown(value)}"


def _heading(desk: Desk, case: Case) -> Heading:
    return Heading(
        terms=case.terms,
        claim=case.digest,
        filing=case.filing,
        person=desk.person_in(case.agreement).id,
        issued_at=now(),
        nonce=new_nonce(),
    )


def _checked(envelope: Envelope, case: Case, kind: Kind) -> Envelope:
    signed = read_signed(envelope, case.agreement)
    if signed.kind is not kind or not isinstance(signed.body, BODIES[kind]):
        raise MisdirectedError("another kind of statement", expected=kind.value, given=signed.kind.value)
    if not isinstance(signed.body, OnClaim) or signed.body.claim != case.digest:
        raise UnexpectedClaimError("a statement about another claim", asked=case.digest)
    return envelope


def _confirm(case: Case, envelope: Envelope, manner: Manner) -> None:
    for line in (*case.lines(), *statement_lines(envelope)):
        say(line)
    if not manner.yes:
        typer.confirm("Sign this?", abort=True, err=True)


def _pass_on(desk: Desk, case: Case, envelope: Envelope, manner: Manner) -> None:
    if manner.out is not None:
        hand_on(envelope, manner.out)
        if manner.as_json:
            print_json({"statement": statement_id(envelope), "signatures": len(envelope.signatures)})
        return
    kind = Kind(envelope.payload_type.split(".")[2])
    answer = desk.client.post_statement(f"/v1/claims/{case.digest}/{NOUNS[kind]}", envelope)
    print_result(answer, _recorded(answer), as_json=manner.as_json)


def _recorded(answer: JsonObject) -> Iterator[str]:
    yield f"recorded     {text(answer, 'statement')}"
    yield f"state        {text(answer, 'state')}"
