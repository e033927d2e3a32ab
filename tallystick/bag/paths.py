"""Which file names may stand in a bag: those that every system keeps apart and alike."""

import unicodedata
from typing import Final

from tallystick.domain.errors import MalformedError
from tallystick.limits import BAG_DEPTH_MAX, BAG_NAME_BYTES_MAX, BAG_PATH_BYTES_MAX

_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# RFC 8493 §2.1.3 wants % as %25, which neither sha256sum nor the usual validators undo.
_SEPARATORS: Final = frozenset("\\%")


class BagPathRefusedError(MalformedError):
    """A file name that doesn't mean the same file on every system."""

    code = "bag-path-refused"
    why = (
        "A path in a bag is relative, NFC-normalised, without control characters, backslash, % or `..`, and "
        "differs from every other by more than case."
    )
    advice = "Rename the file, or put it into an archive of its own inside the deposit."


class PathRegister:
    """Admits paths one by one, and refuses one that collides with an earlier one."""

    def __init__(self) -> None:
        """Begin with no path admitted."""
        self._spelling: dict[str, str] = {}
        self._kinds: dict[str, bool] = {}

    def admit_file(self, path: str) -> None:
        """Admit a file, and the directories above it.

        Raises:
            BagPathRefusedError: Malformed, taken, or taken in another spelling.
        """
        self._admit(path, is_directory=False)

    def admit_directory(self, path: str) -> None:
        """Admit a directory, unless it stands already, and those above it.

        Raises:
            BagPathRefusedError: Malformed, a file's, or taken in another spelling.
        """
        self._admit(path, is_directory=True)

    def _admit(self, path: str, *, is_directory: bool) -> None:
        check_path(path)
        segments = path.split("/")
        for length in range(1, len(segments)):
            self._claim("/".join(segments[:length]), is_directory=True)
        if path in self._kinds and not (is_directory and self._kinds[path]):
            raise BagPathRefusedError("a path twice", path=path)
        self._claim(path, is_directory=is_directory)

    def _claim(self, path: str, *, is_directory: bool) -> None:
        if self._kinds.setdefault(path, is_directory) is not is_directory:
            raise BagPathRefusedError("a file and a directory of one name", path=path)
        earlier = self._spelling.setdefault(_folded(path), path)
        if earlier != path:
            raise BagPathRefusedError("two paths that differ only in case", path=path, earlier=earlier)


def check_path(path: str) -> None:
    """Return if `path`, relative and with `/` between its segments, may stand in a bag.

    Raises:
        BagPathRefusedError: It may not; `reason` says why.
    """
    reason = _fault(path)
    if reason is not None:
        raise BagPathRefusedError("a path that can't stand in a bag", path=ascii(path[:200]), reason=reason)


def _fault(path: str) -> str | None:
    if any(unicodedata.category(letter) in _UNPRINTABLE for letter in path):
        return "control or unpaired character"
    if not _SEPARATORS.isdisjoint(path):
        return "backslash or %"
    if not unicodedata.is_normalized("NFC", path):
        return "not NFC"
    segments = path.split("/")
    if len(path.encode()) > BAG_PATH_BYTES_MAX or len(segments) > BAG_DEPTH_MAX:
        return "too long or too deep"
    return next((fault for segment in segments if (fault := _segment_fault(segment))), None)


def _segment_fault(segment: str) -> str | None:
    if segment in {"", ".", ".."}:
        return "absolute, empty segment, . or .."
    if len(segment.encode()) > BAG_NAME_BYTES_MAX:
        return "a segment that is too long"
    return "a segment that begins or ends with a space" if segment != segment.strip() else None


def _folded(path: str) -> str:
    """Return what is equal for canonical caseless matches (Unicode §3.13, D145)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
