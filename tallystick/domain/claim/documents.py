"""Which documents a claim has: those that its filing names, and those that later statements bring.

They are numbered as the record has them, so a number stays that of one document for as long as the claim is
read. None of this says that a store has a document, or what is in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Kind
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import DocumentsUnclearError
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import Document, DocumentedActBody
from tallystick.domain.statements.signed import Body
from tallystick.limits.claims import DOCUMENTS_PER_ACT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDocument:
    """A document of a claim, and the statement that names it.

    Attributes:
        number: Counted from 1, in the order of the record.
        kind: Of the statement.
        person: Who made the statement, and so says what the document is.
    """

    number: int
    document: Document
    kind: Kind
    statement: Digest
    person: PersonId


def documents_of(claim: Claim) -> tuple[NamedDocument, ...]:
    """Return every document of a claim, in the order of its record."""
    return tuple(
        NamedDocument(number=n, document=document, kind=body.KIND, statement=statement, person=body.person)
        for n, (statement, body, document) in enumerate(_named(claim), start=1)
    )


def documents_in(body: Body) -> tuple[Document, ...]:
    """Return the documents that a statement names; of a filing, each is named after its evidence item."""
    if isinstance(body, ClaimFiling):
        return tuple(
            Document(
                name=one.item,
                plain_digest=one.plain_digest,
                sealed_digest=one.sealed_digest,
                issued_at=one.issued_at,
            )
            for one in body.evidence
        )
    return body.documents if isinstance(body, DocumentedActBody) else ()


def check_names(body: DocumentedActBody) -> None:
    """Refuse an act that brings too many documents, or does not name each of them.

    Raises:
        DocumentsUnclearError: Their names are blank or not different, or they are too many.
    """
    names = [one.name for one in body.documents]
    if len(names) > DOCUMENTS_PER_ACT_MAX or not all(map(str.strip, names)) or len(set(names)) < len(names):
        raise DocumentsUnclearError("name each document, and no two alike", limit=DOCUMENTS_PER_ACT_MAX)


def document_words(body: DocumentedActBody) -> Iterator[str]:
    """Yield a line for each document that an act brings, as its signer reads it."""
    for one in body.documents:
        dated = "undated" if one.issued_at is None else f"dated {instant_text(one.issued_at)}"
        yield f"document {quoted(one.name)}, {dated}, {one.plain_digest}"
        yield f"  sealed as {one.sealed_digest}"


def _named(claim: Claim) -> Iterator[tuple[Digest, Body, Document]]:
    for entry in claim.entries:
        for document in documents_in(entry.signed.body):
            yield entry.signed.id, entry.signed.body, document
