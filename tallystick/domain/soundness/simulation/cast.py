"""Who takes part in a play: who does their duty, who is silent, and which channels take nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Channel, Party
from tallystick.domain.ids import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """How everybody behaves in one play.

    Attributes:
        claimant: Who files the claim.
        silent: The persons who never sign anything of their own accord.
        dead: The channels that take no notice.
        objectors: The persons who may object; the first of them does, as soon as it can be done.
        holders: The persons who may place a hold; the first of them does, as soon as it can be placed.
        approves_early: Whether approvers approve every stage as soon as they may, and never again.
    """

    claimant: PersonId
    silent: frozenset[PersonId] = frozenset()
    dead: frozenset[Channel] = frozenset()
    objectors: tuple[PersonId, ...] = ()
    holders: tuple[PersonId, ...] = ()
    approves_early: bool = False

    def willing(self, persons: Iterable[PersonId]) -> tuple[PersonId, ...]:
        """Return those among `persons` who do their duty."""
        return tuple(person for person in persons if person not in self.silent)


def persons_of_party(agreement: Agreement, party: Party) -> frozenset[PersonId]:
    """Return everyone who acts for `party`."""
    return frozenset(person.id for person in agreement.acting_for(party.id))
