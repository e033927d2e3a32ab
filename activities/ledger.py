"""The ledger as workflows reach it: filing, appending and reading a claim's record.

Each activity may run more than once, and late: what it appends has an id that follows
from the request alone, and is appended only if the record still is what the asker knew.
Nothing is appended here that was not admitted here, in the same transaction: someone
who forges a workflow has gained nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity

from activities.doubts import record_doubt
from activities.engine import engine_header, nonce_of, signed_by_engine
from activities.filing import Filings, claim_in
from activities.pages import page, raw_entry
from tallystick import telemetry
from tallystick.crypto.envelope import Envelope, parse_envelope, statement_id
from tallystick.crypto.keys import SigningKey
from tallystick.domain.admission.door import admit
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import AgreementId
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Happening
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.acts import HoldLift
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.orders import Ruling
from tallystick.domain.statements.signed import Body, Signed
from tallystick.faults import crossing
from tallystick.limits.documents import CLOCK_SKEW_MAX
from tallystick.messages import (
    CaseRecord,
    FileClaim,
    NewEntries,
    RawEntry,
    ReadSince,
    RecordAct,
    RecordHappening,
    RecordVerdict,
)
from tallystick.proof.reading import read_signed
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.cases import casefile
from tallystick.store.cases.admission import admitted
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.cases.kept import Cases
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.ledger import TooEarlyError
from tallystick.store.registers import agreements, deposits
from tallystick.store.registers.verdicts import verdict_on

_log = telemetry.logger(__name__)


class LedgerActivities:
    """What the worker does with the ledger; it has the log key, which can release nothing."""

    def __init__(
        self,
        *,
        database: Engine,
        blobs: ReplicatedBlobs,
        log_key: SigningKey,
        grown: Callable[[AgreementId], None],
        doubted: Callable[[AgreementId], None] = lambda _: None,
    ) -> None:
        """Take what the activities need.

        Args:
            grown: Called with each log that has a new entry.
            doubted: Called with each log that does not extend what somebody had verified: letters are owed.
        """
        self._database = database
        self._log_key = log_key
        self._grown = grown
        self._doubted = doubted
        self._cases = Cases()
        self._filings = Filings(database=database, blobs=blobs, cases=self._cases)

    @activity.defn
    def file_claim(self, request: FileClaim) -> CaseRecord:
        """Put a claim on record unless it is there, and return its record (idempotent: one claim per digest).

        Raises:
            ApplicationError: Carries the rule that refuses the claim, or that the database or a store is
                out of reach.
        """
        with crossing():
            envelope, claim = claim_in(request.start)
            documents = self._filings.look(envelope, claim)
            with transaction(self._database) as session:
                self._filings.record(session, envelope, documents, request.at)
                case = self._cases.load(session, request.start.agreement, claim)
            self._grown(case.agreement.id)
            agreement = case.agreement_envelope.decode()
            return CaseRecord(agreement_envelope=agreement, entries=_first_page(case.raw))

    @activity.defn
    def record_act(self, request: RecordAct) -> NewEntries:
        """Append a person's statement if the record still is what the asker knew (idempotent by its id).

        Raises:
            ApplicationError: Carries the rule that refuses it, or that the database is out of reach, or that
                its clock is behind; only for an order or a lift, and not tried again, or others would wait.
        """
        with crossing(final=TooEarlyError):
            envelope = parse_envelope(request.envelope.encode())
            self._cases.prepare(self._database, request.agreement, request.claim)
            with transaction(self._database) as session:
                case = self._cases.load(session, request.agreement, request.claim)
                place = _Place(
                    at=request.at,
                    after=request.after,
                    admit=admitted,
                    tell=self._tell,
                    not_before=_power_from(case, envelope, request),
                )
                answer = _append(session, case, envelope, place)
            self._grown(case.agreement.id)
            return answer

    def _tell(self, session: Session, entry: LedgerEntry, doubt: str) -> None:
        record_doubt(session, entry, doubt, self._log_key)
        self._doubted(entry.agreement_id)

    @activity.defn
    def record_happening(self, request: RecordHappening) -> NewEntries:
        """Sign and append what has fallen due (idempotent: the statement follows from the request alone).

        Nothing is recorded if the record has grown, or if the database's clock says
        that a window or a limit is not over: `recorded` is False then.

        Raises:
            ApplicationError: The database is out of reach, or the record contradicts it. Temporal tries
                again for ever, because only a repair can help.
        """
        with crossing(retried=True):
            try:
                self._cases.prepare(self._database, request.agreement, request.claim)
                with transaction(self._database) as session:
                    case = self._cases.load(session, request.agreement, request.claim)
                    envelope = signed_by_engine(_event(case.signed.terms, request), self._log_key)
                    place = _Place(
                        at=request.at, after=request.after, admit=_admit, not_before=_not_before(request)
                    )
                    answer = _append(session, case, envelope, place)
            except TooEarlyError as error:
                _log.warning("the clocks do not agree that the time is over", **error.facts)
                return NewEntries(recorded=False, entries=())
            self._grown(case.agreement.id)
            return answer

    @activity.defn
    def read_since(self, request: ReadSince) -> NewEntries:
        """Return what was recorded about a claim after an index, oldest first; empty once that is all.

        Raises:
            ApplicationError: The database is out of reach.
        """
        with crossing(retried=True), reading(self._database) as session:
            newer = casefile.record(session, request.agreement, request.claim, after=request.after)
            return NewEntries(recorded=False, entries=page(newer))

    @activity.defn
    def record_deposit_verdict(self, request: RecordVerdict) -> str:
        """Sign and append the verdict on a deposit; return its statement id (idempotent: the first counts).

        Raises:
            ApplicationError: No such deposit, or the database is out of reach.
        """
        agreement_id, deposit = request.agreement, request.deposit
        with crossing(retried=True):
            with transaction(self._database) as session:
                present = verdict_on(session, agreement_id, deposit)
                if present is not None:
                    return present.statement
                envelope = signed_by_engine(_verdict(session, request), self._log_key)
                ledger.append(session, agreement_id, envelope, request.at, claim=None)
                if request.verdict.verified and request.verdict.because:
                    repaired = signed_by_engine(_repaired(session, request), self._log_key)
                    ledger.append(session, agreement_id, repaired, request.at, claim=None)
            self._grown(agreement_id)
            return statement_id(envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where and when an entry is appended, by which check it is admitted, and who gets to know of a doubt."""

    at: datetime
    after: int
    admit: Callable[[Session, CaseFile, Signed[Body], datetime], str | None]
    tell: Callable[[Session, LedgerEntry, str], None] | None = None
    not_before: datetime | None = None


def _not_before(request: RecordHappening) -> datetime | None:
    """Return the time that the database's clock must have reached, so that no clock alone ends anything."""
    match request.happening:
        case Happening.WINDOW_OPENED:
            return None
        case Happening.LAPSED | Happening.STAGE_TIMED_OUT:
            return request.at - CLOCK_SKEW_MAX
        case _:
            return request.until


def _power_from(case: CaseFile, envelope: Envelope, request: RecordAct) -> datetime | None:
    """Return what the database's clock must say of an order or a lift, to which time gives some the power."""
    by_time = isinstance(read_signed(envelope, case.agreement).body, Ruling | HoldLift)
    return request.at - CLOCK_SKEW_MAX if by_time else None


def _append(session: Session, case: CaseFile, envelope: Envelope, place: _Place) -> NewEntries:
    statement = statement_id(envelope)
    present = any(entry.statement_id == statement for entry in case.raw)
    newer = [entry for entry in case.raw if entry.index > place.after]
    if not present and not newer:
        newer = [_append_admitted(session, case, envelope, place)]
        present = True
    return NewEntries(recorded=present, entries=page(newer))


def _admit(_: Session, case: CaseFile, signed: Signed[Body], at: datetime) -> None:
    admit(case.agreement, case.claim, signed, at=at)


def _append_admitted(session: Session, case: CaseFile, envelope: Envelope, place: _Place) -> LedgerEntry:
    doubt = place.admit(session, case, read_signed(envelope, case.agreement), place.at)
    entry = ledger.append(
        session,
        case.agreement.id,
        envelope,
        place.at,
        claim=case.claim.digest,
        not_before=place.not_before,
    )
    if doubt is not None and place.tell is not None:
        place.tell(session, entry, doubt)
    return entry


def _event(terms: Terms, request: RecordHappening) -> Event:
    told: JsonObject = {
        "claim": request.claim,
        "happening": request.happening.value,
        "stage": request.stage or "",
        "after": request.after,
        "at": instant_text(request.at),
    }
    return Event(
        **engine_header(terms, request.at, told),
        happening=request.happening,
        claim=request.claim,
        stage=request.stage,
        until=request.until,
        cause=request.cause,
        because=request.because,
    )


def _verdict(session: Session, request: RecordVerdict) -> Event:
    stored = deposits.by_digest(session, request.agreement, request.deposit)
    if stored is None:
        raise MisdirectedError("no such deposit", deposit=request.deposit)
    named = agreements.by_digest(session, stored.body().agreement_digest)
    assert named is not None, "a deposit is recorded under a registered version"
    verified = request.verdict.verified
    told: JsonObject = {"deposit": request.deposit, "verdict": verified}
    return Event(
        **engine_header(named.signed().terms, request.at, told),
        happening=Happening.DEPOSIT_VERIFIED if verified else Happening.DEPOSIT_FAILED,
        cause=stored.digest,
        because=request.verdict.because,
    )


def _repaired(session: Session, request: RecordVerdict) -> Event:
    """Return the event that says which copies of a verified deposit were bad, and were replaced."""
    return replace(
        _verdict(session, request),
        nonce=nonce_of({"deposit": request.deposit, "repaired": list(request.verdict.because)}),
        happening=Happening.REPLICA_REPAIRED,
    )


def _first_page(raw: Sequence[LedgerEntry]) -> tuple[RawEntry, ...]:
    """Return the beginning of a record: the filing, whatever was recorded before it, and a page more."""
    filing = raw[0]
    before = [entry for entry in raw if entry.index <= filing.index]
    return (*map(raw_entry, before), *page(entry for entry in raw if entry.index > filing.index))
