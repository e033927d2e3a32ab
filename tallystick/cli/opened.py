"""Opening a desk from the options of a command: the key, its passphrase, and the server."""

import contextlib
from collections.abc import Generator
from pathlib import Path

import typer

from tallystick.cli.beginning import beginning
from tallystick.cli.output import say
from tallystick.client.http import Client
from tallystick.crypto.keyfile import PassphraseNeededError, PrivateKeys, read_key_file
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.files import naming
from tallystick.desk.kept.documents import KeptDocuments
from tallystick.desk.kept.opened import OpenedDocuments
from tallystick.desk.kept.sent import Sent
from tallystick.desk.kept.unsent import Unsent
from tallystick.desk.passphrases import read_passphrase
from tallystick.domain.errors import TallystickError


class PublicFileGivenError(TallystickError):
    """A public file was given where a private key is needed."""

    code = "public-file-given"
    why = "Signing needs the private key; a .pub file has only the public ones."
    advice = "Name the .key file next to it."


@contextlib.contextmanager
def opened(context: typer.Context, api: str, key: Path) -> Generator[Desk]:
    """Open a desk with the person's key and the server.

    Raises:
        TallystickError: The key file cannot be used.
    """
    keys = private_keys(context, key)
    with Client(api, keys, now=now, pause=beginning(context).pause) as client:
        unsent = Unsent(
            folder=key.with_name(key.name + ".unsent"),
            signer=keys.signing_key.public_key,
            sent=Sent(folder=key.with_name(key.name + ".sent")),
        )
        yield Desk(
            client=client,
            keys=keys,
            trust_file=trust_file(key),
            unsent=unsent,
            documents=KeptDocuments(folder=key.with_name(key.name + ".documents")),
            opened=OpenedDocuments(folder=key.with_name(key.name + ".opened")),
            tell=say,
        )


def trust_file(key: Path) -> Path:
    """Return where it stands which agreements and logs the key's owner believes."""
    return key.with_name(key.name + ".trust")


def private_keys(context: typer.Context, key: Path) -> PrivateKeys:
    """Return the keys in a key file; ask for its passphrase unless a file gives it.

    Raises:
        PublicFileGivenError: The file's name ends in .pub.
        TallystickError: The key file cannot be used, or the passphrase is wrong.
    """
    if key.suffix == ".pub":
        raise PublicFileGivenError(f"{key} is a public file", file=key.name)
    given = beginning(context).passphrase_file
    passphrase = None if given is None else passphrase_in(given)
    with naming(key):
        try:
            return read_key_file(key, passphrase=passphrase)
        except PassphraseNeededError:
            return read_key_file(key, passphrase=typer.prompt("Passphrase", hide_input=True, err=True))


def passphrase_in(file: Path) -> str:
    """Return the passphrase in a file; tell the person if others may read it.

    Raises:
        PassphraseFileError: The file has none that can be used.
    """
    filed = read_passphrase(file)
    for warning in filed.warnings:
        say(warning)
    return filed.passphrase
