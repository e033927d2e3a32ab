"""`tallystick age`: seal and open age v1 files, as stock `age` does (C2SP age.md)."""

import contextlib
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from tallystick.cli.opened import private_keys
from tallystick.crypto.age import Identity, open_sealed, parse_identity, parse_recipient, seal
from tallystick.crypto.keyfile import KEY_FILE_FORMAT
from tallystick.desk.files import read_file, unreadable, unwritable
from tallystick.limits.sealing import KEY_FILE_SIZE_BYTES_MAX
from tallystick.regular import open_regular

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Encrypt and decrypt age files.")

_STANDARD: Final = Path("-")
Input = Annotated[Path, typer.Argument(metavar="[FILE]", help="The file to read; standard input if absent.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write; standard output if absent.")]


@app.command()
def encrypt(
    recipient: Annotated[list[str], typer.Option("--recipient", "-r", help="age1pq1… or age1…; repeatable.")],
    file: Input = _STANDARD,
    output: Output = _STANDARD,
) -> None:
    """Encrypt a file to recipients; each of them can decrypt it, with this command or any other age tool."""
    recipients = [parse_recipient(text.strip()) for text in recipient]
    with _source(file) as plain, _sink(output) as sealed:
        seal(plain, sealed, recipients)


@app.command()
def decrypt(
    context: typer.Context,
    identity: Annotated[
        list[Path], typer.Option("--identity", "-i", help="An age identity file, or a NAME.key; repeatable.")
    ],
    file: Input = _STANDARD,
    output: Output = _STANDARD,
) -> None:
    """Decrypt a file. Trust the output only if the exit code is 0."""
    identities = [own for path in identity for own in _identities(context, path)]
    with _source(file) as sealed, _sink(output) as plain:
        open_sealed(sealed, plain, identities)


def _identities(context: typer.Context, file: Path) -> Sequence[Identity]:
    content = read_file(file, size_bytes_max=KEY_FILE_SIZE_BYTES_MAX)
    if KEY_FILE_FORMAT.encode() in content:
        return [parse_identity(private_keys(context, file).age_identity)]
    lines = [line.strip() for line in content.decode("ascii", "replace").splitlines()]
    return [parse_identity(line) for line in lines if line and not line.startswith("#")]


@contextlib.contextmanager
def _source(file: Path) -> Generator[BinaryIO]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        opened = open_regular(file)
    except OSError as error:
        raise unreadable(file, error) from error
    with opened:
        yield opened


@contextlib.contextmanager
def _sink(file: Path) -> Generator[BinaryIO]:
    """Open the output; a file gets its name only once it is complete."""
    if file == _STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = file.with_name(file.name + ".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise unwritable(file, error) from error
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
