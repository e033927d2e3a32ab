"""Verdicts on deposits: pending until every replica was compared, then one verdict for ever."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from tallystick.crypto.envelope import body_of
from tallystick.domain.codec import decode
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import Event
from tallystick.store.ledger import ledger
from tallystick.store.registers import deposits

_VERDICTS = frozenset({Happening.DEPOSIT_VERIFIED, Happening.DEPOSIT_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVerdict:
    """Whether all sealed files of a deposit were there, byte for byte; if not, why."""

    verified: bool
    at: datetime
    because: tuple[str, ...]
    statement: Digest
    index: int


def verdict_on(session: Session, agreement_id: AgreementId, deposit: Digest) -> RecordedVerdict | None:
    """Return the verdict on the deposit with this digest; None while it is pending.

    Raises:
        MalformedError: A stored entry was altered.
    """
    return verdicts(session, agreement_id).get(deposit)


def verified_deposit(session: Session, agreement_id: AgreementId, deposit: Digest) -> Deposit | None:
    """Return what a deposit says if its verdict is that every byte was there; else None.

    Raises:
        MalformedError: A stored entry was altered.
    """
    stored = deposits.by_digest(session, agreement_id, deposit)
    verdict = verdict_on(session, agreement_id, deposit)
    if stored is None or verdict is None or not verdict.verified:
        return None
    return stored.body()


def verdicts(session: Session, agreement_id: AgreementId) -> dict[Digest, RecordedVerdict]:
    """Return the verdict on every deposit that has one, by the deposit's digest; the first one counts.

    Raises:
        MalformedError: A stored entry was altered.
    """
    first: dict[Digest, RecordedVerdict] = {}
    for entry in ledger.entries(session, agreement_id, kinds=[Kind.EVENT]):
        if entry.claim is not None:
            continue
        event = decode(Event, body_of(entry.statement()))
        if event.happening in _VERDICTS and event.cause is not None:
            verdict = RecordedVerdict(
                verified=event.happening is Happening.DEPOSIT_VERIFIED,
                at=entry.accepted_at,
                because=event.because,
                statement=entry.statement_id,
                index=entry.index,
            )
            first.setdefault(event.cause, verdict)
    return first
