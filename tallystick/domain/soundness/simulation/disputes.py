"""Whether an objection is settled and a hold is lifted, whoever placed it and whoever is away."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, permutations
from typing import Final

from tallystick.domain.agreement.parties import Party, Role
from tallystick.domain.ids import PersonId, party_of
from tallystick.domain.soundness.finding import Finding, error, warning
from tallystick.domain.soundness.simulation.absence import (
    Absent,
    Two,
    absent_agents,
    absent_depositor,
    absent_parties,
    in_words,
    one_of,
    only_together,
    pairs,
    suffice,
)
from tallystick.domain.soundness.simulation.cast import Cast, persons_of_party
from tallystick.domain.soundness.simulation.trial import Trial

_LIFT: Final = "/authorities/hold_lift"


def objections_are_settled(trial: Trial) -> Iterator[Finding]:
    """Require that an objection by a depositor who does not give way is settled, whoever else is away."""
    where, objector = "/authorities/arbitration", trial.agreement.objection.objectors[0]
    if _stands(trial, objector):
        message = f"an objection by {objector} stands for ever: nobody but their own party can settle it"
        advice = "Name arbitrators in `arbitration`, or officers in `court_order`, who are of neither side."
        yield error("objection-never-settled", where, message, advice)
        return
    others = (*absent_parties(trial, trial.diligent.claimant), *absent_agents(trial))
    if trial.agreement.ends.dispute is not None:
        return  # the parties have chosen how it ends if they do not settle it
    if needed := one_of(one.name for one in others if _stands_without(trial, objector, one)):
        message = f"an objection by {objector} stands for ever if {needed} says nothing"
        advice = "Name further arbitrators in `arbitration`, or officers in `court_order`, of other parties."
        yield warning("objection-needs-party", where, message, advice)


def _stands_without(trial: Trial, objector: PersonId, other: Absent) -> bool:
    powers = trial.agreement.authorities
    if any(
        suffice(one, other.persons, claimant=trial.diligent.claimant)
        for one in (powers.arbitration, powers.court_order)
    ):
        return False
    return _stands(trial, objector, other.persons)


def _stands(trial: Trial, objector: PersonId, away: frozenset[PersonId] = frozenset()) -> bool:
    """Return whether an objection is never settled while the depositor and those persons settle nothing."""
    cast = replace(trial.diligent, silent=absent_depositor(trial).persons | away, objectors=(objector,))
    return bool(trial.until(lambda claim: bool(claim.settled), cast).claim.open_objections)


def holds_are_lifted(trial: Trial) -> Iterator[Finding]:
    """Require that a hold can be lifted, and advise that no party can keep it, nor two who are away."""
    told: set[str] = set()
    for claimant in trial.claimants:
        found = [one for one in _holds_on(trial, claimant) if one.code not in told]
        yield from found
        told |= {one.code for one in found}


def _holds_on(trial: Trial, claimant: PersonId) -> Iterator[Finding]:
    """Yield what may keep a hold on a claim by `claimant`."""
    if _kept(trial, claimant, frozenset()):
        holder = trial.agreement.authorities.hold[0]
        message = (
            f"a hold by {holder} on a claim by {claimant} is never lifted: too few who may lift it count"
        )
        yield error("hold-never-lifted", _LIFT, message, "Name persons of neutral parties.")
        return
    for party in trial.agreement.parties:
        if party.id != party_of(claimant):
            yield from _kept_by(trial, claimant, party)
    if two := in_words(_keep_together(trial, claimant)):
        message = f"a hold on a claim by {claimant} is never lifted if both of these lift none: {two}"
        yield warning("hold-lift-needs-one-of-two", _LIFT, message, "Let others lift a hold without them.")


def _kept_by(trial: Trial, claimant: PersonId, party: Party) -> Iterator[Finding]:
    own = persons_of_party(trial.agreement, party)
    if not _kept(trial, claimant, own):
        return
    held = f"a hold by {_holder(trial, own)} on a claim by {claimant}"
    message, advice = (
        f"{held} is never lifted unless {party.id} agrees",
        f"Let others suffice without {party.id}.",
    )
    if party.role is Role.DEPOSITOR:
        yield error("hold-lift-needs-depositor", _LIFT, message, advice)
    else:
        yield warning("hold-lift-needs-party", _LIFT, message, advice)


def _keep_together(trial: Trial, claimant: PersonId) -> Iterator[Two]:
    others = permutations(absent_parties(trial, claimant), 2)
    two = chain(pairs(trial, claimant), (two for two in others if _keeps_and_lifts(trial, two)))
    seats = trial.agreement.authorities.hold_lift.persons
    return only_together(two, seats, lambda away: _kept(trial, claimant, away))


def _keeps_and_lifts(trial: Trial, two: Two) -> bool:
    """Return whether one may place a hold that the other could lift alone: then a third should do, too."""
    holding, lifting = two
    powers = trial.agreement.authorities
    return bool(holding.persons & set(powers.hold)) and powers.hold_lift.satisfied_by(lifting.persons)


def _kept(trial: Trial, claimant: PersonId, silent: frozenset[PersonId]) -> bool:
    """Return whether a hold is never lifted while those persons lift none."""
    if silent and suffice(trial.agreement.authorities.hold_lift, silent, claimant=claimant):
        return False
    cast = Cast(claimant=claimant, silent=silent, holders=(_holder(trial, silent),))
    return not trial.until(lambda claim: bool(claim.lifted), cast).claim.lifted


def _holder(trial: Trial, silent: frozenset[PersonId]) -> PersonId:
    """Return who places the hold: a silent person if one may, for a hostile party places it and keeps it."""
    holders = trial.agreement.authorities.hold
    return next((one for one in holders if one in silent), holders[0])
