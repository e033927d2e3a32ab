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
    """A public file where a private key is needed."""

    code = "public-file-given"
    why = "Signing needs the private key; a .pub file holds only what everybody may know."
    advice = "Name the .key file that lies beside it."


class PassphraseFileError(TallystickError):
    """A passphrase file that can't be used."""

    code = "passphrase-file"
    why = "The file can't be read, is empty or too long; its first line is the passphrase."
    advice = "Write the passphrase on the first line, in UTF-8."


@contextlib.contextmanager
def opened(context: typer.Context, api: str, key: Path) -> Generator[Desk]:
    """Open a desk with the person's key and the server.

    Raises:
        TallystickError: The key file can't be used.
    """
    keys = private_keys(context, key)
    with Client(api, keys, now=now) as client:
        trust_file = key.with_name(key.name + ".trust")
        yield Desk(client=client, keys=keys, trust_file=trust_file, tell=say)


def private_keys(context: typer.Context, key: Path) -> PrivateKeys:
    """Return the keys in a key file; asks for its passphrase if none is given in a file.

    Raises:
        PublicFileGivenError: It is called like a public file.
        TallystickError: The key file can't be used, or the passphrase is wrong.
    """
    if key.suffix == ".pub":
        raise PublicFileGivenError("a public file", file=key.name)
    root = context.find_root().obj
    passphrase = read_passphrase(root) if isinstance(root, Path) else None
    try:
        return read_key_file(key, passphrase=passphrase)
    except PassphraseNeededError:
        return read_key_file(key, passphrase=typer.prompt("Passphrase", hide_input=True, err=True))


def read_passphrase(file: Path) -> str:
    """Return the first line of a passphrase file.

    Raises:
        PassphraseFileError: Not there, empty, too long or not UTF-8.
    """
    try:
        with file.open("rb") as source:
            line = source.readline(PASSPHRASE_BYTES_MAX + 1).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise PassphraseFileError("not read", file=file.name) from None
    if not 0 < len(line.encode()) < PASSPHRASE_BYTES_MAX:
        raise PassphraseFileError("empty or too long", file=file.name, limit=PASSPHRASE_BYTES_MAX)
    return line
