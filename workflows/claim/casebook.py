"""A claim's record as its workflow knows it: folded from ledger entries, in order, from nothing else."""

from collections.abc import Iterable

from tallystick.crypto.envelope import parse_envelope
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.record.fold import fold, state_after
from tallystick.domain.statements.signed import Entry
from tallystick.limits import AGREEMENT_SIZE_BYTES_MAX
from tallystick.messages import Acknowledged, CaseRecord, RawEntry
from tallystick.proof.entries import Recorded, grown, verified, with_successors
from tallystick.proof.reading import read_agreement


class Casebook:
    """What a workflow believes of its claim.

    Attributes:
        terms: The agreement that the claim pins, and the later versions that are known.
        claim: The claim as recorded so far.
        last_index: The latest place in the ledger that was read, whether it counted or not.
    """

    def __init__(self, record: CaseRecord) -> None:
        """Fold a record that begins with the claim's filing; one that does not fold is a broken invariant."""
        envelope = parse_envelope(
            record.agreement_envelope.encode(), body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX
        )
        entries = [_recorded(entry) for entry in record.entries]
        self.terms: Terms = with_successors(read_agreement(envelope).terms, entries)
        self.claim: Claim = self._folded(entries)
        self.last_index: int = max(entry.index for entry in record.entries)

    @property
    def agreement(self) -> Agreement:
        """The version that the claim pins."""
        return self.terms.agreement

    def learn(self, entries: Iterable[RawEntry]) -> None:
        """Take in what was recorded after a place that is known already; what is known is passed over."""
        fresh = [entry for entry in entries if entry.index > self.last_index]
        if not fresh:
            return
        try:
            self.terms, self.claim = grown(self.terms, self.claim, map(_recorded, fresh))
        except TallystickError as error:
            raise AssertionError("the record holds what may not be in it") from error
        self.last_index = fresh[-1].index

    def entry_of(self, statement: Digest) -> Entry | None:
        """Return where `statement` stands in the claim's record, or None."""
        return self.claim.entry_of(statement)

    def acknowledgement_of(self, entry: Entry) -> Acknowledged:
        """Return what the author of `entry` is told, always the same: also the state that it led to."""
        return Acknowledged(
            statement=entry.signed.id,
            index=entry.index,
            accepted_at=entry.accepted_at,
            state=state_after(self.terms, self.claim, entry).value,
        )

    def _folded(self, entries: Iterable[Recorded]) -> Claim:
        try:
            return fold(self.terms, verified(entries, self.terms))
        except TallystickError as error:
            raise AssertionError("the record holds what may not be in it") from error


def _recorded(raw: RawEntry) -> Recorded:
    envelope = parse_envelope(raw.envelope.encode(), body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
    return Recorded(index=raw.index, accepted_at=raw.accepted_at, envelope=envelope)
