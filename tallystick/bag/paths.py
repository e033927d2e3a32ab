"""Which file names a bag may have: those that mean the same file on every system."""

import unicodedata
from typing import Final

from tallystick.domain.errors import MalformedError
from tallystick.domain.quoting import drawn_by
from tallystick.limits.bags import BAG_DEPTH_MAX, BAG_NAME_BYTES_MAX, BAG_PATH_BYTES_MAX, BAG_PATHS_MAX

# RFC 8493 §2.1.3 asks for % as %25, which neither sha256sum nor the usual validators undo.
_SEPARATORS: Final = frozenset("\\%")
_NOT_ON_WINDOWS: Final = frozenset('<>:"|?*')
_DEVICES: Final = frozenset({"con", "prn", "aux", "nul"}) | {
    f"{name}{number}" for name in ("com", "lpt") for number in "123456789¹²³"
}


class BagPathRefusedError(MalformedError):
    """A file name that does not mean the same file on every system."""

    code = "bag-path-refused"
    why = (
        "A path in a bag is relative and in Unicode NFC, has only what every system can have in a name, no % "
        "or `..`, and differs from every other path by more than case. Directories count, listed or not."
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
            BagPathRefusedError: The path is malformed, or taken, perhaps in another spelling.
        """
        self._admit(path, is_directory=False)

    def admit_directory(self, path: str) -> None:
        """Admit a directory, which may be there already, and those above it.

        Raises:
            BagPathRefusedError: The path is malformed, a file's, or taken in another spelling.
        """
        self._admit(path, is_directory=True)

    def _admit(self, path: str, *, is_directory: bool) -> None:
        check_path(path)
        segments = path.split("/")
        for length in range(1, len(segments)):
            self._claim("/".join(segments[:length]), is_directory=True)
        if path in self._kinds and not (is_directory and self._kinds[path]):
            raise BagPathRefusedError("two files have the same path", path=path)
        self._claim(path, is_directory=is_directory)

    def _claim(self, path: str, *, is_directory: bool) -> None:
        if (known := self._kinds.get(path)) is is_directory:
            return
        if known is not None:
            raise BagPathRefusedError("a file and a directory have the same path", path=path)
        if len(self._kinds) >= BAG_PATHS_MAX:
            raise BagPathRefusedError("more files and directories than a bag may have", limit=BAG_PATHS_MAX)
        earlier = self._spelling.setdefault(_folded(path), path)
        if earlier != path:
            raise BagPathRefusedError("two paths differ only in case", path=path, earlier=earlier)
        self._kinds[path] = is_directory


def check_path(path: str) -> None:
    """Let `path` pass, relative and with `/` between its segments, if a bag may have it.

    Raises:
        BagPathRefusedError: It may not; `reason` says why.
    """
    reason = _fault(path)
    if reason is not None:
        raise BagPathRefusedError("a bag cannot have this path", path=ascii(path[:200]), reason=reason)


def _fault(path: str) -> str | None:
    if drawn_by(path) is not None:  # it would make one name look like another
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
    if segment != segment.strip():
        return "a segment that begins or ends with a space"
    if not _NOT_ON_WINDOWS.isdisjoint(segment) or segment.endswith("."):
        return "a segment that Windows cannot have"
    device = segment.partition(".")[0].rstrip().casefold()
    return "a segment that Windows keeps for a device" if device in _DEVICES else None


def _folded(path: str) -> str:
    """Return a form that is equal for paths that differ only in case (Unicode §3.13, D145)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
