"""A claim's record as its workflow knows it: folded from ledger entries, in order, and nothing else."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from tallystick.crypto.envelope import parse_envelope
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.record.fold import state_after
from tallystick.domain.statements.signed import Entry
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.messages import Acknowledged, CaseRecord, RawEntry
from tallystick.proof.case import Case, folded
from tallystick.proof.entries import RecordedStatement
from tallystick.proof.reading import read_agreement


class Casebook:
    """What a workflow believes of its claim.

    Attributes:
        case: The claim as recorded so far, and the agreement that it pins.
        last_index: The latest index in the ledger that was read, whether it counted or not.
    """

    def __init__(self, record: CaseRecord) -> None:
        """Fold a record that begins with the claim's filing; one that does not fold is a broken invariant."""
        envelope = parse_envelope(
            record.agreement_envelope.encode(), body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX
        )
        with _sound_record():
            self.case: Case = folded(read_agreement(envelope), map(_recorded, record.entries))
        self.last_index: int = max(entry.index for entry in record.entries)

    @property
    def agreement(self) -> Agreement:
        """The version that the claim pins."""
        return self.case.agreement

    @property
    def terms(self) -> Terms:
        """The agreement that the claim pins, and the later versions that are known."""
        return self.case.terms

    @property
    def claim(self) -> Claim:
        """The claim as recorded so far."""
        return self.case.claim

    def learn(self, entries: Iterable[RawEntry]) -> None:
        """Take in newer entries; those that are known already are passed over."""
        fresh = [entry for entry in entries if entry.index > self.last_index]
        if not fresh:
            return
        with _sound_record():
            self.case = self.case.grown(map(_recorded, fresh))
        self.last_index = fresh[-1].index

    def entry_of(self, statement: Digest) -> Entry | None:
        """Return the entry of `statement` in the claim's record, or None."""
        return self.claim.entry_of(statement)

    def acknowledgement_of(self, entry: Entry) -> Acknowledged:
        """Return the answer to the author of `entry`: always the same, with the state that it led to."""
        return Acknowledged(
            statement=entry.signed.id,
            index=entry.index,
            accepted_at=entry.accepted_at,
            state=state_after(self.claim, entry),
        )


@contextmanager
def _sound_record() -> Generator[None]:
    try:
        yield
    except TallystickError as error:
        raise AssertionError("the record contains something that must not be in it") from error


def _recorded(raw: RawEntry) -> RecordedStatement:
    envelope = parse_envelope(raw.envelope.encode(), body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
    return RecordedStatement(index=raw.index, accepted_at=raw.accepted_at, envelope=envelope)
