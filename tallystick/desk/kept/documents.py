"""Sealed documents of filed claims, kept by the one who sealed them: sealing again would give other bytes.

If every store has lost a document, only the file that was sealed then can take its place. It holds nothing
that its readers could not read, and may be removed when the claim has ended.
"""

from dataclasses import dataclass
from pathlib import Path

from tallystick.domain.ids import Digest, digest, digits_of
from tallystick.durable import make_private, sync_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDocuments:
    """A folder of sealed documents, each under its SHA-256."""

    folder: Path

    def keep(self, file: Path, sealed: Digest) -> None:
        """Move a sealed document here; the file systems of both folders are one.

        Raises:
            OSError: It cannot be moved.
        """
        make_private(self.folder)
        file.replace(self._place(sealed))
        sync_folder(self.folder)

    def find(self, sealed: Digest) -> Path | None:
        """Return the file of a document; None if it is not kept here."""
        place = self._place(sealed)
        return place if place.is_file() else None

    def _place(self, sealed: Digest) -> Path:
        return self.folder / f"{digits_of(digest(sealed))}.age"
