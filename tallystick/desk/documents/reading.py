"""Reading the documents of a claim: which there are, and one of them opened with the person's own key.

Which documents a claim has is read from its verified record. The server is asked only for how large each
sealed file is, and for its bytes; both are checked against what was signed. What is in a document is never
shown or interpreted here: it is a file that somebody else made.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tallystick.client.answers import objects
from tallystick.client.blobs import get_blob
from tallystick.client.route import route
from tallystick.crypto.age import open_sealed, parse_identity
from tallystick.crypto.age.stream import ByteSink
from tallystick.desk.desk import Desk
from tallystick.desk.files import FileUnusableError, unwritable
from tallystick.desk.kept.begun import working_in
from tallystick.domain.amounts import counted
from tallystick.domain.claim.documents import NamedDocument, documents_of
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, as_digest, digits_of
from tallystick.domain.quoting import quoted
from tallystick.durable import creating_durably
from tallystick.limits.storage import EVIDENCE_BLOB_BYTES_MAX
from tallystick.proof.case import Case
from tallystick.regular import open_regular


class NoSuchDocumentError(TallystickError):
    """The claim has no document of that number."""

    code = "no-such-document"
    why = "A claim's documents are numbered as its record names them, from 1."
    advice = "Take a number that `tallystick claim documents` lists."


class NoReaderError(TallystickError):
    """The person is none of those to whom the agreement has documents sealed."""

    code = "not-a-reader"
    why = "A document is sealed to the persons in the agreement's `evidence_readers`; no other key opens it."
    advice = "Ask one of the `readers`."


class DocumentNotStoredError(TallystickError):
    """No store has a document that the claim's record names."""

    code = "document-not-stored"
    why = "A statement names the document, but its author's party has not sent it, or every store lost it."
    advice = "Ask the author to run `tallystick claim resend CLAIM` with the key that signed the statement."
    retryable = True


class DocumentTooLargeError(TallystickError):
    """The server says that a document is larger than one may be."""

    code = "document-too-large"
    why = "No document is larger than the limit when it is sent, so this size cannot be a document's."
    advice = "Nothing was fetched. Tell the escrow agent: the server or its storage was altered."


class AnotherDocumentError(TallystickError):
    """A sealed file opens, and what is in it is not the document that the statement names."""

    code = "another-document"
    why = "The author signed the digest of the document itself; what the sealed file holds has another one."
    advice = "Nothing was kept. Do not rely on this document; tell its author, and refuse, object or deny."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDocument:
    """A document of a claim, as it can be read at this desk.

    Attributes:
        size_bytes: Of the sealed file, as the server says; None if no store has it.
        opened: Whether it was opened with this key.
    """

    named: NamedDocument
    size_bytes: int | None
    opened: bool


def listed_documents(desk: Desk, case: Case) -> tuple[ListedDocument, ...]:
    """Return the documents of a claim, in the order of its record.

    Raises:
        TallystickError: The server refused, or did not answer.
    """
    sizes = _sizes(desk, case)
    return tuple(
        ListedDocument(
            named=named, size_bytes=sizes.get(named.number), opened=desk.opened.has(named.document)
        )
        for named in documents_of(case.claim)
    )


def document_lines(desk: Desk, case: Case) -> Iterator[str]:
    """Say of each document what it is, by whom, on which statement, and whether it can be opened here."""
    for one in listed_documents(desk, case):
        named, document = one.named, one.named.document
        yield f"{named.number}  {quoted(document.name)} by {named.person}, {_dated(named)}"
        yield f"    named in the {named.kind.value} {named.statement}"
        yield f"    plain {document.plain_digest}"
        yield f"    sealed {document.sealed_digest}, {_where(one)}"
    yield f"sealed to {', '.join(case.agreement.evidence_readers) or 'nobody'}"
    if desk.person_in(case.agreement).id in case.agreement.evidence_readers:
        yield from read_so_far(desk, case)
    else:
        yield "your key opens none of them: the agreement does not name you as a reader of documents"


def read_so_far(desk: Desk, case: Case) -> Iterator[str]:
    """Say which documents of a claim the person has opened, and which not."""
    named = documents_of(case.claim)
    unread = [one for one in named if not desk.opened.has(one.document)]
    if named:
        yield f"you have opened {len(named) - len(unread)} of {counted(len(named), 'document')}"
    yield from (f"  not opened: {one.number} {quoted(one.document.name)} by {one.person}" for one in unread)


def open_document(desk: Desk, case: Case, number: int, out: Path) -> ListedDocument:
    """Fetch a document, open it with the person's key, and write it to the new file `out`, mode 0600.

    Raises:
        NoSuchDocumentError, NoReaderError, DocumentNotStoredError: Nothing was fetched.
        FileUnusableError: There is something at `out` already, or it cannot be written.
        NoIdentityMatchesError: It is sealed to others than the agreement says.
        AnotherDocumentError: Something else was sealed than the author signed.
        TallystickError: The server refused, did not answer, or sent other bytes.
    """
    listed = _openable(desk, case, number)
    if os.path.lexists(out):
        raise FileUnusableError(f"{out} is there already, and is not overwritten", file=out.name)
    document = listed.named.document
    with working_in(desk.opened.folder / f"claim-document-{digits_of(document.sealed_digest)}") as work:
        sealed = work.folder / "document.age"
        assert listed.size_bytes is not None, "a document that is not stored is refused"
        get_blob(desk.client, document.sealed_digest, sealed, size_bytes=listed.size_bytes)
        try:
            _open(desk, listed.named, sealed, out)
        except OSError as error:
            raise unwritable(out, error) from error
    desk.opened.note(document)
    return listed


def _openable(desk: Desk, case: Case, number: int) -> ListedDocument:
    """Return a document that there is, that the person may read, and that a store has."""
    named = documents_of(case.claim)
    if not 1 <= number <= len(named):
        raise NoSuchDocumentError(f"there is no document {number}", number=number, documents=len(named))
    readers = case.agreement.evidence_readers
    if desk.person_in(case.agreement).id not in readers:
        raise NoReaderError("this document is not sealed to you", readers=list(readers))
    listed = listed_documents(desk, case)[number - 1]
    if listed.size_bytes is None:
        raise DocumentNotStoredError("no store has this document", number=number, person=listed.named.person)
    if not 0 <= listed.size_bytes <= EVIDENCE_BLOB_BYTES_MAX:
        raise DocumentTooLargeError(
            "no document has this size", size_bytes=listed.size_bytes, limit=EVIDENCE_BLOB_BYTES_MAX
        )
    return listed


def _open(desk: Desk, named: NamedDocument, sealed: Path, out: Path) -> None:
    identity = parse_identity(desk.keys.age_identity)
    with open_regular(sealed) as source, creating_durably(out) as sink:
        plain = _Hashed(sink)
        read = open_sealed(source, plain, [identity])
        found, signed = plain.digest(), named.document.plain_digest
        if read.digest != named.document.sealed_digest or found != signed:
            raise AnotherDocumentError(
                f"document {named.number} is not what {named.person} signed", signed=signed, found=found
            )


class _Hashed:
    """A sink that hashes what it passes on."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink, self._hash = sink, hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        self._hash.update(data)
        return self._sink.write(data)

    def digest(self) -> Digest:
        return as_digest(self._hash.digest())


def _sizes(desk: Desk, case: Case) -> Mapping[int, int]:
    """Return the size of each sealed file that a store has, as the server says, by its document's number."""
    answer = desk.client.get_pages(route("claims", case.claim.digest, "documents"), "documents")
    found = [(one.get("number"), one.get("size_bytes")) for one in objects(answer, "documents")]
    return {number: size for number, size in found if isinstance(number, int) and isinstance(size, int)}


def _dated(named: NamedDocument) -> str:
    issued = named.document.issued_at
    return "undated" if issued is None else f"dated {instant_text(issued)}"


def _where(one: ListedDocument) -> str:
    stored = "in no store" if one.size_bytes is None else counted(one.size_bytes, "byte")
    return f"{stored}, {'opened by you' if one.opened else 'not opened by you'}"
