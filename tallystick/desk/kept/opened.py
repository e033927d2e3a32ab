"""Which documents a person has opened: they are told at signing what they have read, and what they have not.

A note stands for the very bytes: the document that opened, out of the file that was sealed.
"""

from dataclasses import dataclass
from pathlib import Path

from tallystick.domain.ids import digits_of
from tallystick.domain.statements.header import Document
from tallystick.durable import keep_durably, make_private


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDocuments:
    """A folder of notes next to the key, one for each document that was opened with it."""

    folder: Path

    def note(self, document: Document) -> None:
        """Note that a document was opened, and had the digest that its author signed.

        Raises:
            OSError: The folder cannot be written.
        """
        make_private(self.folder)
        keep_durably(self._place(document), b"")

    def has(self, document: Document) -> bool:
        """Whether the person has opened this document."""
        return self._place(document).is_file()

    def _place(self, document: Document) -> Path:
        return self.folder / f"{digits_of(document.sealed_digest)}-{digits_of(document.plain_digest)}"
