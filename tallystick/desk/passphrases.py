"""A passphrase in a file, and warnings about a passphrase or a file that is unwise."""

import codecs
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallystick.domain.errors import TallystickError
from tallystick.limits.desk import PASSPHRASE_BYTES_MAX, PASSPHRASE_LENGTH_WISE, PASSPHRASE_LETTERS_WISE
from tallystick.regular import open_or_pipe

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class PassphraseFileError(TallystickError):
    """A passphrase file that cannot be used."""

    code = "passphrase-file"
    why = "The first line of a passphrase file is the passphrase; this file has none that can be used."
    advice = "Write the passphrase on the first line, in UTF-8 without a byte order mark."


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledPassphrase:
    """A passphrase, and what to tell the person about the file that has it."""

    passphrase: str = field(repr=False)
    warnings: tuple[str, ...]


def read_passphrase(file: Path) -> FiledPassphrase:
    """Return the first line of a passphrase file.

    Raises:
        PassphraseFileError: Missing, no regular file or not UTF-8, or its first line is empty or too long.
    """
    try:
        with open_or_pipe(file) as source:
            mode = os.fstat(source.fileno()).st_mode
            line = source.readline(PASSPHRASE_BYTES_MAX + 1)
    except OSError as error:
        why = error.strerror
        raise PassphraseFileError(f"cannot read {file}: {why}", file=file.name, reason=why) from None
    exposed = stat.S_ISREG(mode) and mode & _OTHERS
    warning = f"warning: others on this machine may use {file}; run `chmod 600` on it"
    return FiledPassphrase(passphrase=_text(file, line), warnings=(warning,) if exposed else ())


def weaknesses(passphrase: str) -> Iterator[str]:
    """Say what makes a new passphrase easy to guess (NIST SP 800-63B-4 section 3.1.1.2: its length)."""
    if len(passphrase) < PASSPHRASE_LENGTH_WISE:
        yield (
            f"warning: the passphrase has {len(passphrase)} characters; who gets the key file guesses that. "
            f"Take {PASSPHRASE_LENGTH_WISE} or more, such as five words at random"
        )
    elif len(set(passphrase)) < PASSPHRASE_LETTERS_WISE:
        yield f"warning: the passphrase has {len(set(passphrase))} different characters; take more"


def _text(file: Path, line: bytes) -> str:
    if line.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise PassphraseFileError(f"{file} begins with a byte order mark", file=file.name)
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise PassphraseFileError(f"cannot read {file} as UTF-8", file=file.name) from None
    if not 0 < len(text.encode()) < PASSPHRASE_BYTES_MAX:
        raise PassphraseFileError(
            f"the first line of {file} is empty or too long", file=file.name, limit=PASSPHRASE_BYTES_MAX
        )
    return text
