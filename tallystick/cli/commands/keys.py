"""`tallystick key`: make a person's keys, and show them without their secrets."""

from pathlib import Path
from typing import Annotated, Final

import typer

from tallystick.cli.opened import passphrase_in, private_keys
from tallystick.cli.options import Json
from tallystick.cli.output import print_result, say
from tallystick.crypto.age import new_identity, parse_identity
from tallystick.crypto.enrolment import Enrolment, enrol, public_file_bytes, read_public_file
from tallystick.crypto.json.canonical import parse
from tallystick.crypto.keyfile import KeyFileExistsError, KeyFileUnreadableError, PrivateKeys, write_key_file
from tallystick.crypto.keys import SigningKey, key_id
from tallystick.desk.clock import now
from tallystick.desk.files import naming
from tallystick.desk.passphrases import weaknesses
from tallystick.domain.ids import person_id
from tallystick.domain.json import JsonObject
from tallystick.durable import create_durably
from tallystick.limits.sealing import KEY_FILE_SIZE_BYTES_MAX
from tallystick.regular import read_regular

_EVERYONES: Final = 0o644  # whatever the umask: it is made to be given away

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make a person's keys, and show them.")


@app.command()
def new(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The person, such as ana@harbour.")],
    out: Annotated[Path, typer.Option(help="The folder for both files; created if missing.")] = Path(),
    passphrase_file: Annotated[
        Path | None, typer.Option(help="Protect the key with the passphrase on the first line of this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make PERSON.key (private, mode 0600) and PERSON.pub (for the agreement)."""
    who = person_id(person)
    passphrase = None if passphrase_file is None else passphrase_in(passphrase_file)
    for warning in () if passphrase is None else weaknesses(passphrase):
        say(warning)
    identity = new_identity()
    keys = PrivateKeys(person=who, signing_key=SigningKey.generate(), age_identity=identity.secret_text())
    enrolment = enrol(who, keys.signing_key, age_recipient=str(identity.recipient()), issued_at=now())
    private, public = out / f"{who}.key", out / f"{who}.pub"
    if public.exists():
        raise KeyFileExistsError(f"{public} exists already", file=public.name)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_key_file(private, keys, passphrase=passphrase)
    _write_public(public, enrolment)
    document: JsonObject = {**_public(enrolment), "key_file": str(private), "public_file": str(public)}
    lines = [
        f"{private}  keep this secret: anyone who has it can sign as {who}",
        f"{public}  give this to the person who drafts the agreement",
    ]
    print_result(document, lines, as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pub or .key file.")],
    as_json: Json = False,
) -> None:
    """Show whose keys a file has, never their secrets; verify the proof of possession in a .pub file."""
    raw = _contents(file)
    with naming(file):
        members = parse(raw, size_bytes_max=KEY_FILE_SIZE_BYTES_MAX)
        enrolment = read_public_file(raw) if isinstance(members, dict) and "enrolment" in members else None
    if enrolment is not None:
        document = _public(enrolment)
    else:
        keys = private_keys(context, file)
        document = {
            "person": keys.person,
            "signing_key": keys.signing_key.public_key,
            "key_id": key_id(keys.signing_key.public_key),
            "age_recipient": str(parse_identity(keys.age_identity).recipient()),
        }
    print_result(document, (f"{name:<14} {value}" for name, value in document.items()), as_json=as_json)


def _public(enrolment: Enrolment) -> dict[str, str]:
    return {
        "person": enrolment.person,
        "signing_key": enrolment.signing_key,
        "key_id": key_id(enrolment.signing_key),
        "age_recipient": enrolment.age_recipient,
    }


def _contents(file: Path) -> bytes:
    try:
        return read_regular(file, KEY_FILE_SIZE_BYTES_MAX)
    except OSError as error:
        raise KeyFileUnreadableError(
            f"cannot read {file}: {error.strerror}", file=file.name, reason=error.strerror
        ) from error


def _write_public(file: Path, enrolment: Enrolment) -> None:
    try:
        create_durably(file, public_file_bytes(enrolment), mode=_EVERYONES)
    except OSError as error:
        raise KeyFileUnreadableError(
            f"cannot write {file}: {error.strerror}", file=file.name, reason=error.strerror
        ) from error
