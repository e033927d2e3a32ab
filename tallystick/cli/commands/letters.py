"""`tallystick letter`: whether a letter is by the deployment, addressed to you, and unaltered."""

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, Json, Key, Trusted
from tallystick.cli.output import print_result
from tallystick.client.answers import envelope_in
from tallystick.crypto.envelope import Envelope
from tallystick.desk.desk import Desk
from tallystick.desk.files import naming, read_file
from tallystick.domain.codec import encode_object, instant_text
from tallystick.domain.ids import PartyId
from tallystick.domain.json import JsonObject
from tallystick.domain.quoting import quoted
from tallystick.limits.notices import LETTER_FILE_SIZE_BYTES_MAX
from tallystick.proof.letter import VerifiedLetter, named_agreement, read_letter, verify_letter

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check a letter of the escrow engine.")


@app.callback()
def _letter() -> None:
    """Check a letter of the escrow engine."""


@app.command()
def check(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A saved mail, a letter.json, or a webhook's body.")
    ],
    api: Api,
    key: Key,
    *,
    to: Annotated[
        str | None, typer.Option(help="The party that it must be addressed to; yours if absent.")
    ] = None,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Check that the deployment wrote this letter, to your party, with this very text."""
    data = read_file(file, size_bytes_max=LETTER_FILE_SIZE_BYTES_MAX)
    with opened(context, api, key) as desk:
        with naming(file):
            letter = read_letter(data)
            named = named_agreement(letter)
        signed = desk.agreement(named.agreement, version=named.agreement_digest, trusted=trust)
        party = desk.person_in(signed.agreement).party if to is None else PartyId(to)
        found = verify_letter(letter, signed, to=party, current=_current(desk))
    print_result(_document(found), _lines(found), as_json=as_json)


def _current(desk: Desk) -> Envelope | None:
    """Return the publication of the letter key that the deployment uses now, if the server shows one."""
    public = desk.client.deployment()
    return None if public.get("letter_key") is None else envelope_in(public, "letter_key")


def _document(found: VerifiedLetter) -> JsonObject:
    return {
        **encode_object(found.letter),
        "letter_key": found.key.letter_key,
        "letter_key_since": instant_text(found.key.issued_at),
        "text": found.text,
    }


def _lines(found: VerifiedLetter) -> list[str]:
    letter = found.letter
    return [
        f"a letter of {letter.deployment} to {letter.party}, of {instant_text(letter.issued_at)}",
        f"sent to     {letter.channel.kind.value} {quoted(letter.channel.address)}",
        f"agreement   {letter.agreement}  {letter.agreement_digest}",
        *([] if letter.claim is None else [f"claim       {letter.claim}"]),
        f"signed by   {found.key.letter_key}, published {instant_text(found.key.issued_at)}",
        f"subject     {quoted(letter.subject)}",
        *(f"text        {quoted(line)}" for line in found.text.splitlines()),
        "A letter decides nothing: what is recorded of the claim does. Look at it before you act.",
    ]
