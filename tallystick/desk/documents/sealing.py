"""Documents on their way to their readers: sealed once in a folder of work, sent, and kept.

Sealing a file again gives other bytes. So a repeated command uses what was sealed before, as long as its
files and the agreement's version are the same, and what is on record is kept to be sent again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tallystick.client.blobs import put_blob
from tallystick.crypto.age import SealingWriter, parse_recipient
from tallystick.desk.desk import Desk
from tallystick.desk.files import unreadable, unwritable
from tallystick.desk.kept.begun import Hashing, Work, file_of
from tallystick.domain.agreement.agreement import Agreement, readers
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.documents import documents_of
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.statements.header import Document
from tallystick.durable import sync_file
from tallystick.limits.storage import BLOB_CHUNK_BYTES
from tallystick.proof.case import Case
from tallystick.regular import open_regular


class DocumentsToFollowError(TallystickError):
    """A statement is on record, and a document that it names is not in the stores yet."""

    code = "documents-to-follow"
    why = "What stops a release goes out before its documents, so that no file and no full disk holds it up."
    advice = "The statement counts as it is. Send its documents with `tallystick claim resend CLAIM`."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToSeal:
    """A file that its author brings as a document, under a name that may stand in a file's name."""

    name: str
    file: Path
    issued_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSealing:
    """Seals files to the readers whom an agreement names, in a folder of work.

    Attributes:
        terms: The version whose readers are meant.
    """

    desk: Desk
    terms: Terms
    work: Work

    def sealed(self, files: Sequence[FileToSeal]) -> tuple[Document, ...]:
        """Return each file as a document: as an earlier call has sealed it, if it has sealed them all.

        Raises:
            FileUnusableError: A file cannot be read, or the folder of work cannot be written.
        """
        before = self._sealed_before(files)
        if before is not None:
            return before
        self.work.clear()
        return tuple(self._seal(one) for one in files)

    def plain(self, documents: Iterable[Document]) -> dict[str, str]:
        """Return from what each document was sealed, and under which version of the agreement."""
        version = self.terms.digest
        return {one.name: f"{one.plain_digest} {one.sealed_digest} {version}" for one in documents}

    def holds(self, documents: Iterable[Document]) -> bool:
        """Whether the folder has the sealed file of each document."""
        return all(self.work.has(file_of(one.name), one.sealed_digest) for one in documents)

    def upload(self, documents: Iterable[Document], *, refused: str) -> None:
        """Put the documents into the stores; those that are there already are only asked for.

        Args:
            refused: What it means for the statement if one does not arrive; the person reads it.

        Raises:
            TallystickError: The server refused one (its code), or did not answer.
        """
        for one in documents:
            try:
                _put(self.desk, self.work.folder / file_of(one.name), one, self.terms.agreement)
            except TallystickError:
                self.desk.tell(f"{one.name} is not in the stores, so {refused}")
                raise

    def keep(self, documents: Iterable[Document]) -> None:
        """Keep the sealed files: should the stores lose one, nothing else can take its place."""
        try:
            for one in documents:
                self.desk.documents.keep(self.work.folder / file_of(one.name), one.sealed_digest)
        except OSError as error:  # the statement is on record: this does not make it fail
            self.desk.tell(f"a sealed document could not be kept: {error.strerror}")
        self.work.clear()

    def _sealed_before(self, files: Sequence[FileToSeal]) -> tuple[Document, ...] | None:
        """Return the documents if an earlier call has sealed all of them, and from the same files."""
        sealed = [self.work.digest_of(file_of(one.name)) for one in files]
        documents = tuple(
            _document(one, plain_digest(one.file), digest)
            for one, digest in zip(files, sealed, strict=True)
            if digest is not None
        )
        same = self.work.sealed_from() == self.plain(documents)
        return documents if files and same and len(documents) == len(files) else None

    def _seal(self, entry: FileToSeal) -> Document:
        """Seal a document to the people whom the agreement entitles to read it."""
        recipients = [parse_recipient(reader.age_recipient) for reader in readers(self.terms.agreement)]
        out = self.work.folder / file_of(entry.name)
        try:
            with out.open("xb") as sink:
                writer = SealingWriter(sink, recipients)
                plain = Hashing(writer)
                for chunk in _chunks(entry.file):
                    plain.write(chunk)
                sealed = writer.finish()
                sync_file(sink)
        except OSError as error:
            raise unwritable(out, error) from error
        return _document(entry, Digest(plain.digest()), sealed.digest)


def plain_digest(file: Path) -> Digest:
    """Return the SHA-256 of a file as it is.

    Raises:
        FileUnusableError: It cannot be read.
    """
    plain = Hashing()
    for chunk in _chunks(file):
        plain.write(chunk)
    return Digest(plain.digest())


def send_again(desk: Desk, case: Case) -> Sequence[tuple[str, bool]]:
    """Send the person's own documents of a claim again, from the files that were sealed for its statements.

    What a store has is only asked for. Return each document's name, and whether it is in the stores: not, if
    its file is not kept here. Of somebody who has brought none, all documents are meant.

    Raises:
        TallystickError: The server refused (its code), or did not answer.
    """
    named, person = documents_of(case.claim), desk.person_in(case.agreement).id
    own = [one.document for one in named if one.person == person]
    return _sent(desk, case, own or [one.document for one in named])


def send_after(desk: Desk, case: Case, documents: Iterable[Document]) -> None:
    """Send the documents of a statement that is on record now, from where they are kept.

    Raises:
        DocumentsToFollowError: One is not in the stores.
    """
    try:
        missing = [name for name, there in _sent(desk, case, documents) if not there]
    except TallystickError as error:
        raise DocumentsToFollowError(f"on record, without its documents: {error.message}") from error
    if missing:
        raise DocumentsToFollowError("on record, without its documents", missing=missing)
    desk.tell("its documents are in the stores")


def _sent(desk: Desk, case: Case, documents: Iterable[Document]) -> Sequence[tuple[str, bool]]:
    found = list[tuple[str, bool]]()
    for one in documents:
        file = desk.documents.find(one.sealed_digest)
        if file is not None:
            _put(desk, file, one, case.agreement)
        found.append((one.name, file is not None))
    return found


def _put(desk: Desk, file: Path, document: Document, agreement: Agreement) -> None:
    put_blob(desk.client, file, document.sealed_digest, agreement=agreement.id, purpose="evidence")


def _document(entry: FileToSeal, plain: Digest, sealed: Digest) -> Document:
    return Document(name=entry.name, issued_at=entry.issued_at, plain_digest=plain, sealed_digest=sealed)


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with open_regular(file) as source:
            while chunk := source.read(BLOB_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise unreadable(file, error) from error
