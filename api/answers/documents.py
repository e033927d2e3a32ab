"""What the API answers about the documents of a claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from tallystick.domain.claim.documents import NamedDocument, documents_of
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.cases.documents import stored_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A document of a claim: who named it where, its digests, and whether a store has it.

    Attributes:
        size_bytes: Of the sealed file; null while no store is known to have one from its author's party.
    """

    number: int
    name: str
    person: str
    kind: str
    statement: str
    issued_at: datetime | None
    plain_digest: str
    sealed_digest: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentList:
    """A page of a claim's documents, in the order in which its record names them.

    Attributes:
        next: The `cursor` of the following page; null on the last one.
    """

    documents: Sequence[DocumentView]
    next: str | None


def document_list(session: Session, case: CaseFile, *, start: int, limit: int) -> DocumentList:
    """Return `limit` documents of a claim from number `start` on, counted from 0."""
    named, end = documents_of(case.claim), start + limit
    return DocumentList(
        documents=[_view(session, case, one) for one in named[start:end]],
        next=str(end) if end < len(named) else None,
    )


def _view(session: Session, case: CaseFile, named: NamedDocument) -> DocumentView:
    document = named.document
    return DocumentView(
        number=named.number,
        name=document.name,
        person=named.person,
        kind=named.kind.value,
        statement=named.statement,
        issued_at=document.issued_at,
        plain_digest=document.plain_digest,
        sealed_digest=document.sealed_digest,
        size_bytes=stored_bytes(session, case.agreement.id, document, named.person),
    )
