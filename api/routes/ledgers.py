"""Ledgers: an agreement's log, its checkpoints, proofs and entries, for anyone who verifies it."""

from typing import Annotated, Any, Final

from fastapi import Path, Query
from fastapi.responses import PlainTextResponse
from sqlmodel import Session

from api.answers.claim_views import envelope
from api.answers.shapes import LedgerHead, LedgerPage, RawLedgerEntry, WithheldEntry
from api.backend.backend import OpenBackend
from api.http.auth import Caller, Known
from api.http.bounded import in_lane
from api.http.problems import NoSuchThingError
from api.http.routing import strict_router
from api.http.turns import Lane
from api.http.visibility import DIGEST_PATTERN, AgreementName, seen_agreement, seen_log, sees_entry
from tallystick.crypto.log.note import open_checkpoint, origin_of
from tallystick.crypto.log.proof import LogProof, log_proof_bytes
from tallystick.domain.ids import AgreementId, Digest
from tallystick.limits.documents import INTEGER_MAX
from tallystick.store.damage import as_written
from tallystick.store.database.session import reading
from tallystick.store.ledger import checkpoints, ledger, tree
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.pages import page

router = strict_router("ledger")

StatementName = Annotated[
    str,
    Path(pattern=DIGEST_PATTERN, description="A statement's digest, by which others name it."),
]
_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/agreements/{agreement}/ledger")
def show_ledger(agreement: AgreementName, caller: Known, backend: OpenBackend) -> LedgerHead:
    """Return the size of the log, and its newest signed checkpoint."""
    with reading(backend.database) as session:
        agreement_id = seen_log(session, caller, agreement)
        note = checkpoints.latest_checkpoint(session, agreement_id)
        size = ledger.frontier_of(session, agreement_id).size
    return LedgerHead(size=size, checkpoint=None if note is None else note.decode())


@router.get("/agreements/{agreement}/ledger/checkpoint", response_class=PlainTextResponse, responses=_TEXT)
def show_checkpoint(agreement: AgreementName, caller: Known, backend: OpenBackend) -> PlainTextResponse:
    """Return the newest checkpoint: a C2SP signed note.

    Raises:
        NoSuchThingError: None was signed yet.
    """
    with reading(backend.database) as session:
        agreement_id = seen_log(session, caller, agreement)
        return PlainTextResponse(_checkpoint(session, agreement_id))


@router.get("/agreements/{agreement}/ledger/proof/{index}", response_class=PlainTextResponse, responses=_TEXT)
@in_lane(Lane.HEAVY)
def show_proof(
    agreement: AgreementName,
    index: Annotated[int, Path(ge=0, le=INTEGER_MAX, description="An entry's index.")],
    caller: Known,
    backend: OpenBackend,
) -> PlainTextResponse:
    """Return the proof that the newest checkpoint covers an entry: a C2SP tlog-proof file.

    Raises:
        NoSuchThingError: No such entry, or no checkpoint covers it yet.
    """
    with reading(backend.database) as session:
        agreement_id = seen_log(session, caller, agreement)
        note = _checkpoint(session, agreement_id)
        public, origin = backend.deployment(), origin_of(backend.settings.deployment, agreement_id)
        with as_written(index):
            checkpoint = open_checkpoint(note, origin=origin, public_key=public.engine.log_key)
        if index >= checkpoint.size:
            raise NoSuchThingError("no checkpoint covers the entry yet", size=checkpoint.size)
        (entry,) = ledger.entries(session, agreement_id, after=index - 1, limit=1)
        if not sees_entry(session, caller, entry):
            raise NoSuchThingError("no checkpoint covers the entry yet", size=checkpoint.size)
        (path,) = tree.inclusion_proofs(session, agreement_id, [entry], checkpoint)
    proof = LogProof(index=index, path=path, checkpoint=note, extra=entry.salt)
    return PlainTextResponse(log_proof_bytes(proof))


@router.get("/agreements/{agreement}/ledger/entries")
@in_lane(Lane.HEAVY)
def list_ledger_entries(
    agreement: AgreementName,
    caller: Known,
    backend: OpenBackend,
    after: Annotated[
        int | None, Query(ge=-1, le=INTEGER_MAX, description="Only entries after this index.")
    ] = None,
) -> LedgerPage:
    """Return one page of entries in ledger order, with everything that their leaves are computed from.

    Of another beneficiary's claims only the leaves are shown, so that the whole log can be verified.
    """
    with reading(backend.database) as session:
        agreement_id = seen_agreement(session, caller, agreement).agreement_id
        shown = page(session, agreement_id, after=-1 if after is None else after)
        return LedgerPage(entries=[_shown(session, caller, entry) for entry in shown])


@router.get("/agreements/{agreement}/ledger/entries/{statement}")
def show_ledger_entry(
    agreement: AgreementName, statement: StatementName, caller: Known, backend: OpenBackend
) -> RawLedgerEntry:
    """Return the entry of one statement, by the statement's digest.

    Raises:
        NoSuchThingError: It is not on record under this agreement.
    """
    with reading(backend.database) as session:
        agreement_id = seen_log(session, caller, agreement)
        entry = ledger.entry_by_statement(session, agreement_id, Digest(statement))
        if entry is None or not sees_entry(session, caller, entry):
            raise NoSuchThingError("no such statement on record", statement=statement)
    return _entry(entry)


def _checkpoint(session: Session, agreement_id: AgreementId) -> bytes:
    note = checkpoints.latest_checkpoint(session, agreement_id)
    if note is None:
        raise NoSuchThingError("no checkpoint was signed yet")
    return note


def _shown(session: Session, caller: Caller, entry: LedgerEntry) -> RawLedgerEntry | WithheldEntry:
    if sees_entry(session, caller, entry):
        return _entry(entry)
    return WithheldEntry(index=entry.index, leaf=entry.leaf().hex())


def _entry(entry: LedgerEntry) -> RawLedgerEntry:
    return RawLedgerEntry(
        index=entry.index,
        accepted_at=entry.accepted_at,
        kind=entry.kind,
        statement=entry.statement_id,
        claim=entry.claim,
        envelope=envelope(entry.statement()),
        salt=entry.salt.hex(),
    )
