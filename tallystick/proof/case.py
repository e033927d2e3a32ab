"""A claim with its agreement: what everyone who reads a record arrives at.

The gate, the API, the workflow and the offline verifier share this value. The store adds the raw bytes
to it, the workflow its index in the ledger.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from tallystick.crypto.envelope import kind_of
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.record.fold import Turn, advance, fold, unseen
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import BY_GATE
from tallystick.limits.documents import CLOCK_SKEW_MAX
from tallystick.proof.entries import Reader, RecordedStatement, verified, with_successors
from tallystick.proof.reading import SignedAgreement, read_signed


class RecordRefusedError(TallystickError):
    """A server shows a record that cannot be a claim's record at this moment."""

    code = "record-refused"
    why = "A record begins with the claim's filing, and has no entry from the future by this machine's clock."
    advice = (
        "Nothing was signed, opened or activated. Set this machine's clock and try again; if it happens "
        "again, the server or its storage was altered."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A claim as its verified record leaves it.

    Attributes:
        signed: The version that the claim pins, with the later ones that are known.
    """

    signed: SignedAgreement
    claim: Claim

    @property
    def terms(self) -> Terms:
        """What the claim is read by."""
        return self.signed.terms

    @property
    def agreement(self) -> Agreement:
        """The version that the claim pins."""
        return self.signed.agreement

    def grown(self, newer: Iterable[RecordedStatement]) -> Self:
        """Return the case with what was recorded after it, in order: the same as folding it all anew.

        Raises:
            TallystickError: An entry about the claim is not what it must be.
        """
        recorded, claim = tuple(newer), self.claim
        terms = with_successors(self.terms, recorded)
        revoked = (body.key for _, body in claim.entries_of(KeyRevocation))
        for entry in verified(recorded, terms, revoked=revoked):
            claim = advance(terms, claim, entry)
        return replace(self, signed=replace(self.signed, terms=terms), claim=claim)


def folded(
    signed: SignedAgreement,
    record: Iterable[RecordedStatement],
    *,
    read: Reader = read_signed,
    look: Callable[[Claim | None, Turn], None] = unseen,
) -> Case:
    """Return the case of a record that begins with the claim's filing, under the version that it pins.

    Args:
        signed: That version.
        record: The entries, the filing first.
        read: What verifies a statement, for one who has verified these before.
        look: Called with each turn and the claim before it, as `fold` does.

    Raises:
        TallystickError: An entry about the claim is not what it must be.
    """
    recorded = tuple(record)
    terms = with_successors(signed.terms, recorded)
    return Case(
        signed=replace(signed, terms=terms),
        claim=fold(terms, verified(recorded, terms, read=read), look=look),
    )


def folded_as_shown(signed: SignedAgreement, record: Iterable[RecordedStatement], *, at: datetime) -> Case:
    """Return the case of a record that a server shows at the moment `at`, as `folded` does.

    A server may leave out entries that no later one rests on; it cannot alter or make up any.

    Raises:
        RecordRefusedError: There is no entry, or one is from the future.
        TallystickError: As `folded`.
    """
    recorded = tuple(record)
    if not recorded:
        raise RecordRefusedError("the record is empty")
    # The gate accepts its own statements by its own clock, which may be ahead; that only adds time.
    latest = max((one.accepted_at for one in recorded if kind_of(one.envelope) not in BY_GATE), default=at)
    if latest > at + CLOCK_SKEW_MAX:  # or a deadline could be made to pass by saying so
        raise RecordRefusedError(
            "the record has entries from the future, by this machine's clock",
            recorded=instant_text(latest),
            now=instant_text(at),
        )
    return folded(signed, recorded)
