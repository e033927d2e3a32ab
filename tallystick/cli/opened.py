"""Opening a desk from the options of a command: the key, its passphrase, and the server."""

import contextlib
from collections.abc import Generator
from pathlib import Path

import typer

from tallystick.cli.output import say
from tallystick.client.http import Client
from tallystick.crypto.keyfile import PassphraseNeededError, PrivateKeys, read_key_file
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.domain.errors import TallystickError
from tallystick.limits import PASSPHRASE_BYTES_MAX


class PublicFileGivenError(TallystickError):
    """A public file was given where a private key is needed."""

    code = "public-file-given"
    why = "Signing needs the private key; a .pub file has only the public ones."
    advice = "Name the .key file next to it."


class PassphraseFileError(TallystickError):
    """A passphrase file that cannot be used."""

    code = "passphrase-file"
    why = "The first line of a passphrase file is the passphrase; this file has none that can be used."
    advice = "Write the passphrase on the first line, in UTF-8."


@contextlib.contextmanager
def opened(context: typer.Context, api: str, key: Path) -> Generator[Desk]:
    """Open a desk with the person's key and the server.

    Raises:
        TallystickError: The key file cannot be used.
    """
    keys = private_keys(context, key)
    with Client(api, keys, now=now) as client:
        trust_file = key.with_name(key.name + ".trust")
        yield Desk(client=client, keys=keys, trust_file=trust_file, tell=say)


def private_keys(context: typer.Context, key: Path) -> PrivateKeys:
    """Return the keys in a key file; ask for its passphrase unless a file gives it.

    Raises:
        PublicFileGivenError: The file's name ends in .pub.
        TallystickError: The key file cannot be used, or the passphrase is wrong.
    """
    if key.suffix == ".pub":
        raise PublicFileGivenError(f"{key} is a public file", file=key.name)
    root = context.find_root().obj
    passphrase = read_passphrase(root) if isinstance(root, Path) else None
    try:
        return read_key_file(key, passphrase=passphrase)
    except PassphraseNeededError:
        return read_key_file(key, passphrase=typer.prompt("Passphrase", hide_input=True, err=True))


def read_passphrase(file: Path) -> str:
    """Return the first line of a passphrase file.

    Raises:
        PassphraseFileError: The file is missing or not UTF-8, or its first line is empty or too long.
    """
    try:
        with file.open("rb") as source:
            line = source.readline(PASSPHRASE_BYTES_MAX + 1).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise PassphraseFileError(f"cannot read {file} as UTF-8", file=file.name) from None
    if not 0 < len(line.encode()) < PASSPHRASE_BYTES_MAX:
        raise PassphraseFileError(
            f"the first line of {file} is empty or too long", file=file.name, limit=PASSPHRASE_BYTES_MAX
        )
    return line
