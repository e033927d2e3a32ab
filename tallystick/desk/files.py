"""Files at a desk: read and written whole, bounded."""

from pathlib import Path

from tallystick.crypto.envelope import Envelope, parse_envelope
from tallystick.domain.errors import TallystickError
from tallystick.limits import AGREEMENT_SIZE_BYTES_MAX

_SIZE_BYTES_MAX = 2 * AGREEMENT_SIZE_BYTES_MAX


class FileUnusableError(TallystickError):
    """A file that can't be read or written."""

    code = "file-unusable"
    why = "The system doesn't let the file be read or written, or it is larger than such a file can be."
    advice = "Check the path and its owner; `reason` is the system's."


def read_file(file: Path, *, size_bytes_max: int) -> bytes:
    """Return the content of a small file.

    Raises:
        FileUnusableError: Not readable, or too large.
    """
    try:
        with file.open("rb") as source:
            content = source.read(size_bytes_max + 1)
    except OSError as error:
        raise FileUnusableError("not read", file=file.name, reason=error.strerror) from error
    if len(content) > size_bytes_max:
        raise FileUnusableError("too large", file=file.name, limit=size_bytes_max)
    return content


def write_file(file: Path, content: bytes) -> None:
    """Write a file that anybody may read.

    Raises:
        FileUnusableError: Not writable.
    """
    try:
        file.write_bytes(content)
    except OSError as error:
        raise FileUnusableError("not written", file=file.name, reason=error.strerror) from error


def read_envelope(file: Path) -> Envelope:
    """Return the envelope in a file; no signature is verified.

    Raises:
        FileUnusableError: Not readable, or too large.
        MalformedError: Not an envelope.
    """
    content = read_file(file, size_bytes_max=_SIZE_BYTES_MAX)
    return parse_envelope(content, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
