"""The inputs that are kept: for each target one archive of the smallest that reach every branch so far."""

import zipfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "corpus"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the same inputs are the same archive
_ARCHIVE_BYTES_MAX: Final = 128 * 1024


def kept(target: str) -> Iterator[bytes]:
    """Return the kept inputs of a target."""
    if not (file := _file(target)).exists():
        return
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            yield archive.read(name)


def keep(target: str, inputs: Iterable[bytes]) -> None:
    """Keep the smallest of these inputs, no more than a repository should hold, in place of the others."""
    with zipfile.ZipFile(_file(target), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for data in sorted(set(inputs), key=lambda data: (len(data), data)):
            name = sha256(data).hexdigest()
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
            if sum(info.compress_size for info in archive.infolist()) > _ARCHIVE_BYTES_MAX:
                break


def _file(target: str) -> Path:
    return FOLDER / f"{target}.zip"
