"""Where a process finds the blob stores, as its settings name them, and which of them it may write."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tallystick.domain.errors import MalformedError
from tallystick.limits.storage import BLOB_STORES_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobLocation:
    """Where blobs are stored, as a URL: `file:///path` names a folder.

    Attributes:
        writable: Whether this process may write there.
    """

    url: str
    writable: bool = True

    @property
    def scheme(self) -> str:
        """The URL's scheme, such as `file`."""
        return urlsplit(self.url).scheme

    @property
    def path(self) -> Path:
        """The folder that a `file` location names."""
        return Path(unquote(urlsplit(self.url).path))


def default_locations(data: Path) -> tuple[BlobLocation, ...]:
    """Return two folders in the data folder."""
    return tuple(BlobLocation(url=(data / folder).as_uri()) for folder in ("blobs-a", "blobs-b"))


def blob_locations(text: str) -> tuple[BlobLocation, ...]:
    """Return the locations in a setting, separated by spaces.

    Raises:
        MalformedError: They are not two or more different folders, none within another.
    """
    locations = tuple(BlobLocation(url=url) for url in text.split())
    if any(location.scheme != "file" or urlsplit(location.url).netloc for location in locations):
        raise MalformedError("not a blob location like file:///path")
    folders = {absolute(str(location.path)) for location in locations}
    if len(folders) != len(locations) or len(folders) < BLOB_STORES_MIN:
        raise MalformedError(f"not {BLOB_STORES_MIN} or more different blob locations")
    if any(one in other.parents for one in folders for other in folders):
        raise MalformedError("one blob location lies within another")
    return locations


def some_only_read(known: Sequence[BlobLocation], text: str) -> tuple[BlobLocation, ...]:
    """Return `known`, those that a setting names not to be written.

    Raises:
        MalformedError: It names none of them, or leaves none to be written.
    """
    read_only = set(text.split())
    if not read_only <= {location.url for location in known}:
        raise MalformedError("not among the locations in TALLYSTICK_BLOBS")
    if len(read_only) == len(known):
        raise MalformedError("it leaves no store to write")
    return tuple(replace(location, writable=location.url not in read_only) for location in known)


def absolute(text: str) -> Path:
    """Return a path that means the same wherever a process was started.

    Raises:
        MalformedError: It is relative, or has characters that no log should show.
    """
    if not (path := Path(text)).is_absolute():
        raise MalformedError("not an absolute path")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):  # Cs: bytes that are not UTF-8
        raise MalformedError("a path with a control character, or that is not UTF-8")
    return path
