"""Who may be away, alone or two at once, and how findings name them.

Two failures are tried together only where a sound agreement can survive both. The depositor is one of the
two, since a claim is most often filed because it has failed; or a person of the escrow agent, who may be ill
or have lost a key. Two neutral parties at once are not tried: most agreements have no more. Neither are two
dead servers: all that can be dead, besides the escrow agent's own folders, is what a depositor who refuses
every letter closes (`notice-refusable`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from tallystick.domain.agreement.agreement import depositor
from tallystick.domain.agreement.parties import Party, Role
from tallystick.domain.ids import PersonId, party_of
from tallystick.domain.quorum import Quorum
from tallystick.domain.soundness.simulation.cast import persons_of_party
from tallystick.domain.soundness.simulation.trial import Trial
from tallystick.limits.agreements import ABSENCES_TOLD_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A party, or one person, who signs nothing; `name` is what findings call them."""

    name: str
    persons: frozenset[PersonId]


Two: TypeAlias = tuple[Absent, Absent]
Stops: TypeAlias = Callable[[frozenset[PersonId]], bool]
"""Whether a claim stops while those persons are away."""


def absent_depositor(trial: Trial) -> Absent:
    """Return the depositor, with everyone who acts for it."""
    return _whole(trial, depositor(trial.agreement))


def absent_parties(trial: Trial, claimant: PersonId) -> tuple[Absent, ...]:
    """Return each other party that a claim should survive, other beneficiaries among them."""
    sides = {depositor(trial.agreement).id, party_of(claimant)}
    return tuple(
        _whole(trial, party)
        for party in trial.agreement.parties
        if party.id not in sides and not _takes_in_alone(trial, party)
    )


def absent_agents(trial: Trial) -> tuple[Absent, ...]:
    """Return each person of the escrow agent without which nobody takes in a claim."""
    return tuple(
        Absent(name=person.id, persons=frozenset({person.id}))
        for party in trial.agreement.parties_in(Role.ESCROW_AGENT)
        if _takes_in_alone(trial, party)
        for person in trial.agreement.acting_for(party.id)
    )


def pairs(trial: Trial, claimant: PersonId) -> Iterator[Two]:
    """Yield each two who may be away at once."""
    vendor, agents = absent_depositor(trial), absent_agents(trial)
    parties = absent_parties(trial, claimant)
    yield from ((vendor, other) for other in (*parties, *agents))
    yield from ((agent, party) for agent in agents for party in parties)


def only_together(two: Iterable[Two], seats: frozenset[PersonId], stops: Stops) -> Iterator[Two]:
    """Yield the pairs that stop a claim, though neither of the two stops it alone.

    Args:
        seats: Who may take part. Each of the two has a seat among them, or it would be one failure.
    """
    for one, other in two:
        if not (one.persons & seats and other.persons & seats):
            continue
        if stops(one.persons | other.persons) and not stops(one.persons) and not stops(other.persons):
            yield one, other


def suffice(quorum: Quorum | None, away: frozenset[PersonId], *, claimant: PersonId) -> bool:
    """Return whether persons who are not of the claimant's party are enough: then nothing need be played."""
    if quorum is None:
        return False
    own = party_of(claimant)
    return quorum.satisfied_by(frozenset(one for one in quorum.persons - away if party_of(one) != own))


def in_words(two: Iterable[Two]) -> str:
    """Return pairs as a sentence lists them, each once: `a and b, or a and c`."""
    return one_of(dict.fromkeys(f"{one.name} and {other.name}" for one, other in two), ", or ")


def one_of(names: Iterable[str], word: str = " or ") -> str:
    """Return as many of the names as a reader takes in, and whether there are others."""
    first = tuple(islice(names, ABSENCES_TOLD_MAX + 1))
    more = ("others",) if len(first) > ABSENCES_TOLD_MAX else ()
    return word.join((*first[:ABSENCES_TOLD_MAX], *more))


def _whole(trial: Trial, party: Party) -> Absent:
    return Absent(name=party.id, persons=persons_of_party(trial.agreement, party))


def _takes_in_alone(trial: Trial, party: Party) -> bool:
    return {party_of(person) for person in trial.agreement.authorities.intake} == {party.id}
