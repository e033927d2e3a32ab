"""An agreement on trial: claims under it are played, once for each cast, and each play's end is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.conditions import Condition
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.agreement.parties import Role
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.course import return_orders_end
from tallystick.domain.claim.receivers import as_receivers, by_default
from tallystick.domain.claim.state import ClaimState, StageState
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PersonId, StageId, party_of
from tallystick.domain.inbox.deadlines import deadlines
from tallystick.domain.kinds import Purpose
from tallystick.domain.record.filing import check_filing
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.soundness.simulation.cast import Cast, persons_of_party
from tallystick.domain.soundness.simulation.duties import persons_act
from tallystick.domain.soundness.simulation.play import Play
from tallystick.domain.soundness.simulation.props import Props, as_if_signed, invented, props
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.limits.agreements import PLAY_TURNS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where a play came to rest.

    Attributes:
        at: The time of the play then.
        beyond: The deadline that lay after a calendar's end, if that stopped the play.
    """

    claim: Claim
    at: datetime
    beyond: CalendarExhaustedError | None

    @property
    def released(self) -> bool:
        """Whether the claim was released as a whole."""
        everything = all(progress.state is StageState.ACTIVATED for progress in self.claim.stages)
        return everything and self.claim.state is ClaimState.RELEASED

    @property
    def not_released(self) -> tuple[StageId, ...]:
        """The stages that were never activated; one that was given back later had been."""
        once = {StageState.ACTIVATED, StageState.ROLLED_BACK}
        return tuple(p.stage for p in self.claim.stages if p.state not in once)


class Trial:
    """An agreement, and the plays of claims that are filed under it at `at`, or when it takes effect.

    Attributes:
        at: When the claims are filed.
    """

    def __init__(self, agreement: Agreement, *, at: datetime) -> None:
        """Prepare; nothing is played yet."""
        self.agreement = agreement
        self.at = max(at, agreement.effective_from)
        self._ends: dict[Cast, End] = {}

    @cached_property
    def claimants(self) -> tuple[PersonId, ...]:
        """One claimant of each beneficiary that has one."""
        parties = {party.id for party in self.agreement.parties_in(Role.BENEFICIARY)}
        first: dict[str, PersonId] = {}
        for person in self.agreement.authorities.claimants:
            if party_of(person) in parties:
                first.setdefault(party_of(person), person)
        return tuple(first.values())

    @cached_property
    def diligent(self) -> Cast:
        """A cast in which everybody does their duty."""
        return Cast(claimant=self.claimants[0])

    @cached_property
    def without_depositor(self) -> Cast:
        """A cast in which the depositor's persons sign nothing, not even that notice has arrived."""
        return replace(self.diligent, silent=persons_of_party(self.agreement, depositor(self.agreement)))

    def end(self, cast: Cast) -> End:
        """Return where the claim comes to rest with this cast."""
        if cast not in self._ends:
            self._ends[cast] = self.until(_never, cast)
        return self._ends[cast]

    def filed(self, filing: ClaimFiling) -> End:
        """Return where `filing` comes to rest if everybody does their duty at once."""
        own = replace(
            filing,
            agreement_digest=self._props.terms.digest,
            deposit=self._props.deposit.id,
            issued_at=self.at,
        )
        return self._played(_never, Cast(claimant=filing.person), own)

    def until(self, seen: Callable[[Claim], bool], cast: Cast) -> End:
        """Return where the claim comes to rest, or where it is once `seen` says that enough was seen."""
        return self._played(seen, cast, self._filing(cast.claimant))

    def refusal(self, condition: Condition) -> TallystickError | None:
        """Return why a claim with no more evidence than `condition` needs cannot be filed, or None."""
        filing = self._filing(self.claimants[0], condition)
        key = self.agreement.person(filing.person).signing_key
        signed = as_if_signed(filing, key, name="claim")
        try:
            check_filing(self._props.terms, signed, at=self.at, deposit=self._props.deposit.body)
        except TallystickError as refused:
            return refused
        return None

    def _played(self, seen: Callable[[Claim], bool], cast: Cast, filing: ClaimFiling) -> End:
        play = Play(self._props, cast, filing)
        beyond = None
        try:
            deadlines(play.agreement, play.claim, play.now)
            for _ in range(PLAY_TURNS_MAX):
                if seen(play.claim) or not _moves(play):
                    break
            return_orders_end(play.agreement, play.claim)
        except CalendarExhaustedError as exhausted:
            beyond = exhausted
        return End(claim=play.claim, at=play.now, beyond=beyond)

    @cached_property
    def _props(self) -> Props:
        return props(self.agreement, at=self.at)

    def _filing(self, claimant: PersonId, condition: Condition | None = None) -> ClaimFiling:
        asked = condition or self.agreement.conditions[0]
        return ClaimFiling(
            **self._props.terms.header(claimant, self.at, 32 * "0"),
            generation=newest_generation(),
            condition=asked.id,
            deposit=self._props.deposit.id,
            stages=tuple(stage.id for stage in self.agreement.stages),
            evidence=tuple(map(self._document, _enough_evidence(asked))),
            receivers=as_receivers(self.agreement, by_default(self.agreement, claimant)),
            purpose=Purpose.RELEASE,
            declaration="tried",
        )

    def _document(self, item: str) -> EvidenceDocument:
        return EvidenceDocument(
            item=item,
            issued_at=self.at,
            plain_digest=invented(item),
            sealed_digest=invented(f"sealed {item}"),
        )


def _never(_: Claim) -> bool:
    return False


def _moves(play: Play) -> bool:
    return play.engine_acts() or persons_act(play) or play.time_passes()


def _enough_evidence(condition: Condition) -> Iterator[str]:
    """Yield evidence items with which a condition is true, none of which could be left out."""
    chosen = set(condition.when.items)
    for item in sorted(condition.when.items):
        if condition.when.met_by(frozenset(chosen - {item})):
            chosen.discard(item)
    yield from sorted(chosen)
