"""`tallystick revoke`: revoke a key, with the key itself or together as the agreement requires."""

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.envelopes import hand_on
from tallystick.cli.opened import opened
from tallystick.cli.options import AgreementName, Api, Json, Key, Trusted, Yes
from tallystick.cli.output import print_json, print_result, say
from tallystick.cli.signing import asking
from tallystick.client.answers import text
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope, new_nonce, statement_id, unsigned
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.files import read_envelope
from tallystick.desk.kept.pins import read_pins
from tallystick.desk.signing import signed_if_confirmed
from tallystick.domain.agreement.parties import Person
from tallystick.domain.authorship.authors import check_subject
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import person_id
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import expect
from tallystick.proof.reading import SignedAgreement, read_signed

app = typer.Typer(add_completion=False)


@app.command()
def revoke(
    context: typer.Context,
    agreement: AgreementName,
    api: Api,
    key: Key,
    *,
    person: Annotated[str | None, typer.Option(help="Whose key to revoke; your own if absent.")] = None,
    reason: Annotated[str, typer.Option(help="The reason; it goes on record.")] = "lost or replaced",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the signed envelope to this file instead of sending it."),
    ] = None,
    joining: Annotated[
        Path | None, typer.Option("--cosign", help="Add your signature to the envelope in this file.")
    ] = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Revoke a key: what it signed no longer counts for anything that is still undecided."""
    with opened(context, api, key) as desk:
        signed = _listing(desk, agreement, trust)
        said = (
            _said(desk, signed, person, reason)
            if joining is None
            else _checked(read_envelope(joining), signed)
        )
        path = route("agreements", signed.agreement.id, "revocations")
        kept = desk.unsent.same(path, said, now()) if out is None and joining is None else None
        if kept is not None:
            say("you signed this before, and no answer came: the same statement is sent again")
        envelope = kept or signed_if_confirmed(said, desk.keys, asking(yes=yes), agreement=signed.agreement)
        if out is None:
            answer = desk.unsent.send(desk.client, path, envelope)
            print_result(answer, [f"recorded     {text(answer, 'statement')}"], as_json=as_json)
            return
    hand_on(envelope, out)
    if as_json:
        print_json({"statement": statement_id(envelope), "signatures": len(envelope.signatures)})


def _listing(desk: Desk, agreement: str, trusted: str | None) -> SignedAgreement:
    """Return the newest version, or the pinned one: a key that is left out still counts for older claims."""
    try:
        return desk.agreement(agreement, trusted=trusted)
    except TallystickError as refusal:
        pinned = read_pins(desk.trust_file).agreements.get(agreement)
        if refusal.code != "no-such-agreement" or pinned is None:
            raise
    return desk.agreement(agreement, version=pinned, trusted=trusted)


def _said(desk: Desk, signed: SignedAgreement, person: str | None, reason: str) -> Envelope:
    author = desk.person_in(signed.agreement)
    owner = author if person is None else _owner(signed, person)
    body = KeyRevocation(
        **signed.terms.header(author.id, now(), new_nonce()),
        key=owner.signing_key,
        reason=reason,
        ledger_seen=desk.ledger_seen(signed.agreement.id),
    )
    return unsigned(Kind.KEY_REVOCATION, encode_object(body))


def _owner(signed: SignedAgreement, person: str) -> Person:
    return signed.agreement.person(person_id(person))


def _checked(envelope: Envelope, signed: SignedAgreement) -> Envelope:
    revocation = expect(read_signed(envelope, signed.agreement), KeyRevocation)
    check_subject(signed.agreement, signed.terms.digest, revocation.body, None)
    return envelope
