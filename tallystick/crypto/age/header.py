"""The textual header of an age v1 file (C2SP age.md, "Header"): parsing, writing, its MAC."""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.limits.sealing import AGE_LINE_BYTES_MAX, AGE_STANZA_LINES_MAX, AGE_STANZAS_MAX

_VERSION_LINE: Final = b"age-encryption.org/v1\n"
_COLUMNS: Final = 64
_MAC_BYTES: Final = 32
_ARGUMENTS: Final = re.compile(rb"-> [!-~]+(?: [!-~]+)*")


class AgeError(TallystickError):
    """A sealed file was refused, or a recipient to seal it to."""

    code = "sealed-file-refused"
    why = "The sealed file, or the key to seal or open it with, cannot be used."
    advice = "Read the facts; fetch a sealed file again if it was altered."


class MalformedHeaderError(AgeError, MalformedError):
    """A header that is not an age v1 header, or has a stanza that breaks the rules of its type."""

    code = "sealed-header-malformed"
    why = "The file does not begin with a well-formed age v1 header."
    advice = "Check that the file is an age v1 file, unarmored and complete; fetch it again."


class HeaderAlteredError(AgeError):
    """A header with a wrong MAC: the sealer did not write it like this."""

    code = "sealed-header-altered"
    why = "The authentication code over the header does not match: the header was altered."
    advice = "Fetch the sealed file again and compare its digest with the signed one."


class LineSource(Protocol):
    """What a header is read from: a binary file or buffered stream."""

    def readline(self, size: int, /) -> bytes:
        """Return the next line, at most `size` bytes of it."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Stanza:
    """One recipient's wrapping of the file key: its type, arguments and body."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes

    def encode(self) -> bytes:
        """Return the stanza as a header has it, its body wrapped at 64 columns."""
        text = encode_base64(self.body)
        lines = [text[at : at + _COLUMNS] for at in range(0, len(text) + 1, _COLUMNS)]
        return "\n".join([" ".join(("->", self.kind, *self.arguments)), *lines, ""]).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class AgeHeader:
    """A parsed header: its stanzas, its MAC and the exact bytes that the MAC covers."""

    stanzas: tuple[Stanza, ...]
    covered: bytes
    mac: bytes

    def check_mac(self, file_key: bytes) -> None:
        """Return if the MAC is the one that `file_key` (16 bytes) makes.

        Raises:
            HeaderAlteredError: It is another.
        """
        if not hmac.compare_digest(_mac(file_key, self.covered), self.mac):
            raise HeaderAlteredError("the header's authentication code is wrong")


def hkdf(secret: bytes, *, salt: bytes, info: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA-256 (RFC 5869), the only derivation that age uses."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def encode_base64(raw: bytes) -> str:
    """Return `raw` as base64 (RFC 4648 §4) without padding."""
    return base64.b64encode(raw).rstrip(b"=").decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes that `text`, canonical base64 without padding, stands for.

    Raises:
        MalformedHeaderError: Padded, not canonical (RFC 4648 §3.5), or a foreign letter.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedHeaderError("the text is not base64") from error
    if encode_base64(raw) != text:
        raise MalformedHeaderError("base64 that is padded or not canonical")
    return raw


def encode_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """Return the whole header for `stanzas`, MAC line included."""
    assert 0 < len(stanzas) <= AGE_STANZAS_MAX
    covered = _VERSION_LINE + b"".join(stanza.encode() for stanza in stanzas) + b"---"
    return covered + b" " + encode_base64(_mac(file_key, covered)).encode() + b"\n"


def read_header(source: LineSource) -> AgeHeader:
    """Read one header from `source`, and nothing after it.

    Raises:
        MalformedHeaderError: It breaks the grammar, or is larger than the limits allow.
    """
    if source.readline(len(_VERSION_LINE)) != _VERSION_LINE:
        raise MalformedHeaderError("not an age v1 file")
    stanzas: list[Stanza] = []
    while (line := _line(source)).startswith(b"->"):
        if len(stanzas) == AGE_STANZAS_MAX:
            raise MalformedHeaderError("too many stanzas", most=AGE_STANZAS_MAX)
        stanzas.append(_read_stanza(source, line))
    return _closed(stanzas, line)


def _closed(stanzas: Sequence[Stanza], end: bytes) -> AgeHeader:
    if not stanzas or not end.startswith(b"--- "):
        raise MalformedHeaderError("no stanza, or no authentication code")
    mac = decode_base64(end[4:].decode("ascii", "replace"))
    if len(mac) != _MAC_BYTES:
        raise MalformedHeaderError("an authentication code of a wrong size")
    if len(stanzas) > 1 and any(stanza.kind == "scrypt" for stanza in stanzas):
        raise MalformedHeaderError("a passphrase next to another recipient")
    # The grammar is canonical: writing the stanzas again gives the bytes that were read.
    covered = _VERSION_LINE + b"".join(stanza.encode() for stanza in stanzas) + b"---"
    return AgeHeader(stanzas=tuple(stanzas), covered=covered, mac=mac)


def _read_stanza(source: LineSource, first: bytes) -> Stanza:
    if _ARGUMENTS.fullmatch(first) is None:
        raise MalformedHeaderError("a stanza's arguments are malformed")
    kind, *arguments = first[3:].decode("ascii").split(" ")
    body: list[str] = []
    while len(body) < AGE_STANZA_LINES_MAX:
        body.append(_line(source).decode("ascii", "replace"))
        if len(body[-1]) > _COLUMNS:
            raise MalformedHeaderError("a stanza's line is too long", columns=_COLUMNS)
        if len(body[-1]) < _COLUMNS:
            return Stanza(kind=kind, arguments=tuple(arguments), body=decode_base64("".join(body)))
    raise MalformedHeaderError("a stanza's body is too long", most_lines=AGE_STANZA_LINES_MAX)


def _line(source: LineSource) -> bytes:
    line = source.readline(AGE_LINE_BYTES_MAX)
    if not line.endswith(b"\n"):
        raise MalformedHeaderError("the header ends too early, or a line is too long")
    return line[:-1]


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.digest(hkdf(file_key, salt=b"", info=b"header"), covered, "sha256")
