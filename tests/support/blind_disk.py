"""A disk that ignores case and the form of accents, as those of macOS and Windows do.

Linux mounts one only where its kernel was built for it. So the fake stands where this machine's disk is
asked: each call of `os` gets the name under which such a disk would find the file.
"""

import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

_FIRST: Final = ("chmod", "lstat", "mkdir", "open", "stat", "utime", "unlink")
_BOTH: Final = ("link", "rename", "symlink")


def make_blind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything below `folder` be on such a disk until the test is over."""
    for name in _FIRST + _BOTH:
        places = 2 if name in _BOTH else 1
        monkeypatch.setattr(os, name, _blind(getattr(os, name), places, str(folder)))


def _blind(call: Callable[..., object], places: int, root: str) -> Callable[..., object]:
    def blind(*words: object, **options: object) -> object:
        found = (_found(word, root) for word in words[:places])
        return call(*found, *words[places:], **options)

    return blind


def _found(place: object, root: str) -> object:
    """Return where such a disk finds `place`: under another name of what is there, if anything is."""
    text = str(place) if isinstance(place, Path) else place
    if not isinstance(text, str) or not text.startswith(f"{root}/"):
        return place
    here = root
    for segment in text.removeprefix(f"{root}/").split("/"):
        here += "/" + next((one for one in _names(here) if _form(one) == _form(segment)), segment)
    return here


def _names(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            yield from (one.name for one in found)
    except (FileNotFoundError, NotADirectoryError):
        return


def _form(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
