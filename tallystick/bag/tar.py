"""One uncompressed tar, written the same way every time and read with suspicion.

Writing is POSIX.1-2001 (ustar, with extended headers where a name or size needs one),
without owner, time or any mode but the executable bit. Reading accepts regular files and
directories only, a block at a time. Extended headers are bounded before they are read,
which `tarfile`'s own loop does not do; its header codec is used as it is.
"""

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from tallystick.domain.errors import MalformedError
from tallystick.limits.bags import TAR_EXTENSION_BYTES_MAX, TAR_PADDING_BYTES_MAX

BLOCK_BYTES: Final = 512
READ_BYTES: Final = 256 * 1024
_RECORD_BYTES: Final = 20 * BLOCK_BYTES
_MODE_PLAIN: Final = 0o644
_MODE_EXECUTABLE: Final = 0o755
_OWNER_EXECUTES: Final = 0o100
_IGNORED_KEYWORDS: Final = frozenset({"mtime", "atime", "ctime", "uid", "gid", "uname", "gname"})


class TarRefusedError(MalformedError):
    """Bytes that are not a plain tar of files and directories."""

    code = "tar-refused"
    why = "The archive is damaged, or has links, devices, sparse files, extensions or bytes after its end."
    advice = "Do not unpack it by other means either; ask the depositor for a new deposit."


class ArchiveSource(Protocol):
    """What an archive is read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none means the end."""
        ...


class ArchiveSink(Protocol):
    """What an archive is written to, such as a `SealingWriter`."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """What a header says about a file or a directory."""

    path: str
    size_bytes: int = 0
    executable: bool = False
    is_directory: bool = False


class TarWriter:
    """Writes members in the order they are added; `finish` ends the archive."""

    def __init__(self, sink: ArchiveSink) -> None:
        """Write to `sink`, which the caller flushes and closes."""
        self._sink = sink
        self._written_bytes = 0

    def add(self, member: Member, content: Iterable[bytes] = ()) -> None:
        """Write `member` and its `content`, which must have the size that `member` says."""
        self._write(_header(member))
        begun = self._written_bytes
        for piece in content:
            self._write(piece)
        assert self._written_bytes - begun == member.size_bytes, (
            "the content is not as large as its header says (this is a bug)"
        )
        self._pad(BLOCK_BYTES)

    def finish(self) -> None:
        """Write the end marker, padded to a whole record as tar does."""
        self._write(bytes(2 * BLOCK_BYTES))
        self._pad(_RECORD_BYTES)

    def _pad(self, multiple: int) -> None:
        self._write(bytes(-self._written_bytes % multiple))

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self._written_bytes += len(data)


class TarReader:
    """Reads members in order: `next_member`, then the `content` of each, to its end."""

    def __init__(self, source: ArchiveSource) -> None:
        """Read from `source`, which need not be seekable."""
        self._source = source

    def next_member(self) -> Member | None:
        """Return the next member; None after the end marker, if only zeros follow it.

        Raises:
            TarRefusedError: A member is neither file nor directory, or the archive is damaged or cut off.
        """
        extension: dict[str, str] = {}
        while (info := self._header()) is not None:
            if info.type != tarfile.XHDTYPE:
                return _member(info, extension)
            if extension or not 0 < info.size <= TAR_EXTENSION_BYTES_MAX:
                raise TarRefusedError(
                    "one extended header too many, or too large a one", size_bytes=info.size
                )
            extension = _records(b"".join(self._content(info.size)))
        if extension:
            raise TarRefusedError("an extended header without a member")
        self._check_end()
        return None

    def content(self, member: Member) -> Iterator[bytes]:
        """Return the pieces of the `member` that `next_member` returned last; take them all.

        Raises:
            TarRefusedError: The archive ends too early.
        """
        return self._content(member.size_bytes)

    def _content(self, size_bytes: int) -> Iterator[bytes]:
        rest = size_bytes
        while rest:
            piece = self._read(min(rest, READ_BYTES))
            rest -= len(piece)
            yield piece
        if any(self._read(-size_bytes % BLOCK_BYTES)):
            raise TarRefusedError("bytes hidden in padding")

    def _header(self) -> tarfile.TarInfo | None:
        block = self._read(BLOCK_BYTES)
        if not any(block):
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise TarRefusedError("a damaged header") from error

    def _check_end(self) -> None:
        if any(self._read(BLOCK_BYTES)):
            raise TarRefusedError("half an end marker")
        padding_bytes = 0
        while piece := self._source.read(READ_BYTES):
            padding_bytes += len(piece)
            if any(piece) or padding_bytes > TAR_PADDING_BYTES_MAX:
                raise TarRefusedError("bytes after the end marker")

    def _read(self, size: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < size:
            piece = self._source.read(size - len(pieces))
            if not piece:
                raise TarRefusedError("the archive is cut off")
            pieces += piece
        return bytes(pieces)


def _header(member: Member) -> bytes:
    info = tarfile.TarInfo(member.path)
    info.size = member.size_bytes
    info.mode = _MODE_EXECUTABLE if member.executable or member.is_directory else _MODE_PLAIN
    info.type = tarfile.DIRTYPE if member.is_directory else tarfile.REGTYPE
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _member(info: tarfile.TarInfo, extension: dict[str, str]) -> Member:
    if info.type not in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE}:
        raise TarRefusedError("neither a file nor a directory", type=ascii(info.type.decode("latin-1")))
    is_directory = info.type == tarfile.DIRTYPE
    path = extension.get("path", info.name)
    size_bytes = _size(extension["size"]) if "size" in extension else info.size
    if size_bytes < 0 or (is_directory and size_bytes):
        raise TarRefusedError("an impossible size", size_bytes=size_bytes)
    return Member(
        path=path.removesuffix("/") if is_directory else path,
        size_bytes=size_bytes,
        executable=not is_directory and bool(info.mode & _OWNER_EXECUTES),
        is_directory=is_directory,
    )


def _size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):  # noqa: PLR2004 - digits of 2**63
        raise TarRefusedError("a size that is not a number")
    return int(text)


def _records(raw: bytes) -> dict[str, str]:
    """Return the records of an extended header (POSIX pax, "pax Extended Header")."""
    records: dict[str, str] = {}
    while raw:
        digits = raw[:6].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        keyword, equals, value = raw[len(digits) + 1 : length].partition(b"=")
        if length > len(raw) or not equals or not value.endswith(b"\n"):
            raise TarRefusedError("a damaged extended header")
        _add_record(records, keyword, value[:-1])
        raw = raw[length:]
    return {keyword: value for keyword, value in records.items() if keyword not in _IGNORED_KEYWORDS}


def _add_record(records: dict[str, str], keyword: bytes, value: bytes) -> None:
    try:
        name, text = keyword.decode("ascii"), value.decode()
    except UnicodeDecodeError as error:
        raise TarRefusedError("an extended header that is not UTF-8") from error
    if name in records or name not in {"path", "size"} | _IGNORED_KEYWORDS:
        raise TarRefusedError("an extended header that is not understood", keyword=name[:40])
    records[name] = text
