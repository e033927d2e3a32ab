"""Files at a desk, read and written whole, and bounded."""

import contextlib
from collections.abc import Generator
from pathlib import Path

from tallystick.crypto.envelope import Envelope, parse_envelope
from tallystick.domain.errors import MalformedError, TallystickError, made
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.regular import read_regular

_SIZE_BYTES_MAX = 2 * AGREEMENT_SIZE_BYTES_MAX


class FileUnusableError(TallystickError):
    """A file that cannot be read or written."""

    code = "file-unusable"
    why = "The file cannot be read or written, or is larger than a file of its kind can be."
    advice = "Check the path, who owns the file, and what `reason` says."


def unreadable(file: Path, error: OSError) -> FileUnusableError:
    """Return the error to raise about a file that cannot be read."""
    return FileUnusableError(f"cannot read {file}: {error.strerror}", file=file.name, reason=error.strerror)


def unwritable(file: Path, error: OSError) -> FileUnusableError:
    """Return the error to raise about a file that cannot be written."""
    return FileUnusableError(f"cannot write {file}: {error.strerror}", file=file.name, reason=error.strerror)


def read_file(file: Path, *, size_bytes_max: int) -> bytes:
    """Return the content of a small file.

    Raises:
        FileUnusableError: It cannot be read, or is too large.
    """
    try:
        content = read_regular(file, size_bytes_max)
    except OSError as error:
        raise unreadable(file, error) from error
    if len(content) > size_bytes_max:
        raise FileUnusableError(
            f"{file} is larger than {size_bytes_max} bytes", file=file.name, limit=size_bytes_max
        )
    return content


@contextlib.contextmanager
def naming(file: Path) -> Generator[None]:
    """Let a refusal of what is in `file` name it.

    Raises:
        MalformedError: The same, with the file in its message and its facts.
    """
    try:
        yield
    except MalformedError as error:
        facts = {"file": file.name, **error.facts}
        raise made(type(error), f"{file}: {error.message}", facts) from error


def write_file(file: Path, content: bytes) -> None:
    """Write a file that need not be private.

    Raises:
        FileUnusableError: It cannot be written.
    """
    try:
        file.write_bytes(content)
    except OSError as error:
        raise unwritable(file, error) from error


def write_new(file: Path, content: bytes) -> None:
    """Write a file that need not be private, and that must not be there yet.

    Raises:
        FileUnusableError: It is there, or cannot be written.
    """
    try:
        with file.open("xb") as written:
            written.write(content)
    except OSError as error:
        raise unwritable(file, error) from error


def read_envelope(file: Path) -> Envelope:
    """Return the envelope in a file; no signature is verified.

    Raises:
        FileUnusableError: It cannot be read, or is too large.
        MalformedError: Not an envelope.
    """
    content = read_file(file, size_bytes_max=_SIZE_BYTES_MAX)
    with naming(file):
        return parse_envelope(content, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
