"""Verdicts on deposits: pending until every replica was compared, then one verdict for ever."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.deposits import Deposit
from tallystick.store.registers import deposits
from tallystick.store.registers.events import events

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
    """Return the verdict on the deposit with this digest; None while it is pending."""
    return verdicts(session, agreement_id, on=[deposit]).get(deposit)


def verified_deposit(session: Session, agreement_id: AgreementId, deposit: Digest) -> Deposit | None:
    """Return what a deposit says if its verdict is that every byte was there; else None.

    Raises:
        LedgerCorruptError: The deposit's stored bytes were altered.
    """
    stored = deposits.by_digest(session, agreement_id, deposit)
    verdict = verdict_on(session, agreement_id, deposit)
    if stored is None or verdict is None or not verdict.verified:
        return None
    return stored.body()


def verdicts(
    session: Session, agreement_id: AgreementId, *, on: Collection[Digest] | None = None
) -> dict[Digest, RecordedVerdict]:
    """Return the verdict on each deposit that has one, by the deposit's digest; the first one counts.

    With `on`, only the verdicts on these deposits are read, however many others there are.

    A verdict that cannot be read any more is as good as none: the deposit is pending, and is judged anew.
    """
    first: dict[Digest, RecordedVerdict] = {}
    for entry, event in events(session, agreement_id, causes=on):
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
