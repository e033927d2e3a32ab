"""`tallystick letter`: whether a letter is by the deployment, addressed to you, and unaltered."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from tallystick.cli.opened import opened, private_keys, trust_file
from tallystick.cli.options import Json, MaybeApi, MaybeKey, Trusted
from tallystick.cli.output import print_result
from tallystick.client.answers import envelope_in
from tallystick.crypto.envelope import Envelope
from tallystick.crypto.letter_key import webhook_key
from tallystick.desk.desk import Desk, not_trusted
from tallystick.desk.files import naming, read_envelope, read_file
from tallystick.desk.kept.pins import read_pins
from tallystick.domain.codec import encode_object, instant_text
from tallystick.domain.comparison_words import in_words, names
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PartyId
from tallystick.domain.json import JsonObject
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.letters import LetterStatement
from tallystick.limits.notices import LETTER_FILE_SIZE_BYTES_MAX
from tallystick.proof.letter import VerifiedLetter, named_agreement, read_letter, verify_letter
from tallystick.proof.reading import SignedAgreement, read_agreement

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check a letter of the escrow engine.")


@app.callback()
def _letter() -> None:
    """Check a letter of the escrow engine."""


class LetterOfAnotherAgreementError(TallystickError):
    """A letter under another agreement or version than the one that was named to check it with."""

    code = "letter-of-another-agreement"
    why = "A letter names the version under which it was written, and only that version says by which key."
    advice = "Name the file with the signed version that `wanted` names, or leave out `--agreement`."


class _Belief(StrEnum):
    """Whose word it is that the agreement is the one that the parties signed."""

    FILE = "file"
    PINNED = "pinned"
    NAMED = "named"
    SERVER = "server"

    @property
    def words(self) -> str:
        return {
            _Belief.FILE: "the agreement in the file that you named",
            _Belief.PINNED: "the agreement that is pinned next to your key",
            _Belief.NAMED: "the agreement that --trust names",
            _Belief.SERVER: "the server's word for the agreement, which nothing pinned before",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grounds:
    """What a letter is checked by.

    Attributes:
        current: The publication of the letter key that the deployment uses now, if the server was asked.
    """

    signed: SignedAgreement
    belief: _Belief
    current: Envelope | None = None


@app.command()
def check(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A saved mail, a letter.json, or a webhook's body.")
    ],
    api: MaybeApi = None,
    key: MaybeKey = None,
    *,
    agreement: Annotated[
        Path | None, typer.Option(help="The signed agreement that you keep: then no server is asked.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="The party that it must be addressed to; yours if absent.")
    ] = None,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Check that the deployment wrote this letter, to your party, with this very text."""
    letter = read_file(file, size_bytes_max=LETTER_FILE_SIZE_BYTES_MAX)
    with naming(file):
        read = read_letter(letter)
        named = named_agreement(read)
    if agreement is not None:
        grounds = _kept(agreement, named, key, trust)
    else:
        grounds = _shown(context, named, _given(api, "--api"), _given(key, "--key"), trust)
    party = PartyId(to) if to is not None else _party(context, _given(key, "--to or --key"), grounds.signed)
    found = verify_letter(read, grounds.signed, to=party, current=grounds.current)
    print_result(_document(found, grounds), _lines(found, grounds), as_json=as_json)


_T = TypeVar("_T")


def _given(value: _T | None, option: str) -> _T:
    if value is None:
        raise typer.BadParameter(f"Without the signed agreement (--agreement), {option} is needed.")
    return value


def _kept(file: Path, named: LetterStatement, key: Path | None, trusted: str | None) -> _Grounds:
    """Return the agreement in a file of the person's own; nothing is asked of a server, and nothing pinned.

    Raises:
        LetterOfAnotherAgreementError: The letter names another one.
        AgreementNotTrustedError: Another one is pinned next to the key, or named.
        TallystickError: Not every party has signed it.
    """
    signed = read_agreement(read_envelope(file))
    wanted = (named.agreement, named.agreement_digest)
    if (signed.agreement.id, signed.terms.digest) != wanted:
        raise LetterOfAnotherAgreementError(
            f"{file} is not the agreement that the letter names",
            found=signed.terms.digest,
            wanted=named.agreement_digest,
        )
    pinned = None if key is None else read_pins(trust_file(key)).agreements.get(signed.agreement.id)
    believed = trusted or pinned
    if believed is not None and not names(believed, signed.terms.digest):
        raise not_trusted(signed.agreement.id, signed.terms.digest, believed)
    belief = _Belief.NAMED if trusted else _Belief.PINNED if pinned else _Belief.FILE
    return _Grounds(signed=signed, belief=belief)


def _shown(
    context: typer.Context, named: LetterStatement, api: str, key: Path, trusted: str | None
) -> _Grounds:
    """Return the agreement that the server shows, pinned if none was, and its letter key of today."""
    pinned = read_pins(trust_file(key)).agreements.get(named.agreement)
    with opened(context, api, key) as desk:
        signed = desk.agreement(named.agreement, version=named.agreement_digest, trusted=trusted)
        belief = _Belief.NAMED if trusted else _Belief.PINNED if pinned else _Belief.SERVER
        return _Grounds(signed=signed, belief=belief, current=_current(desk))


def _current(desk: Desk) -> Envelope | None:
    """Return the publication of the letter key that the deployment uses now, if the server shows one."""
    public = desk.client.deployment()
    return None if public.get("letter_key") is None else envelope_in(public, "letter_key")


def _party(context: typer.Context, key: Path, signed: SignedAgreement) -> PartyId:
    holder = private_keys(context, key).signing_key.public_key
    return signed.agreement.person_with(holder).party


def _document(found: VerifiedLetter, grounds: _Grounds) -> JsonObject:
    return {
        **encode_object(found.letter),
        "believed": grounds.belief.value,
        "letter_key": found.key.letter_key,
        "letter_key_since": instant_text(found.key.issued_at),
        "newest_letter_key_known": grounds.current is not None,
        "text": found.text,
        "webhook_key": webhook_key(found.key.letter_key),
    }


def _lines(found: VerifiedLetter, grounds: _Grounds) -> list[str]:
    letter = found.letter
    return [
        f"a letter of {letter.deployment} to {letter.party}, of {instant_text(letter.issued_at)}",
        f"sent to     {letter.channel.kind.value} {quoted(letter.channel.address)}",
        f"agreement   {letter.agreement}  {letter.agreement_digest}",
        f"words       {in_words(letter.agreement_digest)}",
        f"by          {grounds.belief.words}",
        *([] if letter.claim is None else [f"claim       {letter.claim}"]),
        f"signed by   {found.key.letter_key}, published {instant_text(found.key.issued_at)}",
        f"webhooks    {webhook_key(found.key.letter_key)}",
        f"subject     {quoted(letter.subject)}",
        *(f"text        {quoted(line)}" for line in found.text.splitlines()),
        *_not_checked(grounds),
        "A letter decides nothing: what is recorded of the claim does. Look at it before you act.",
    ]


def _not_checked(grounds: _Grounds) -> list[str]:
    lines = list[str]()
    if grounds.belief is _Belief.SERVER:
        lines.append(
            "Compare the words with another party: so far only the server says that this was signed."
        )
    if grounds.current is None:
        lines.append("Not checked: whether the letter key had been replaced by then. Only the server knows.")
    return lines
