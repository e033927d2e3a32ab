"""Whether each stage can still be approved while somebody is away, and before early approvals end."""

from collections.abc import Iterator
from dataclasses import replace

from tallystick.domain.agreement.plan import Stage
from tallystick.domain.claim.tally import tally_approvals
from tallystick.domain.ids import PersonId
from tallystick.domain.soundness.finding import Finding, warning
from tallystick.domain.soundness.simulation.absence import (
    Absent,
    Stops,
    absent_agents,
    absent_parties,
    in_words,
    one_of,
    only_together,
    pairs,
)
from tallystick.domain.soundness.simulation.cast import Cast
from tallystick.domain.soundness.simulation.trial import Trial


def no_party_is_needed(trial: Trial) -> Iterator[Finding]:
    """Advise that no stage needs a party other than the two sides, or one person of the escrow agent."""
    for place, stage in enumerate(trial.agreement.stages):
        where = f"/stages/{place}"
        parties = _needed(trial, stage, [absent_parties(trial, one) for one in trial.claimants])
        if parties:
            message = f"{stage.id} is never released if {one_of(parties)} says nothing"
            yield warning("approval-needs-party", where, message, "Let others suffice in their place.")
        agents = _needed(trial, stage, [absent_agents(trial)] * len(trial.claimants))
        if agents:
            message = f"{stage.id} is never released if {one_of(agents)} is away"
            advice = "Let another person of the escrow agent suffice."
            yield warning("approval-needs-person", where, message, advice)


def approvals_survive_two(trial: Trial) -> Iterator[Finding]:
    """Advise that each stage can be approved though two are away, of whom neither is needed alone."""
    absent = {claimant: tuple(pairs(trial, claimant)) for claimant in trial.claimants}
    for place, stage in enumerate(trial.agreement.stages):
        seats = stage.quorum.persons
        found = in_words(
            two
            for claimant, those in absent.items()
            for two in only_together(those, seats, unapproved(trial, stage, claimant))
        )
        if found:
            message = f"{stage.id} is never released if both of these say nothing: {found}"
            advice = "Let fewer suffice, or others: a depositor that has failed often says nothing."
            yield warning("approval-needs-one-of-two", f"/stages/{place}", message, advice)


def approvals_outlast_the_way(trial: Trial) -> Iterator[Finding]:
    """Advise that approvals given when the form is accepted still count when the last stage opens.

    With a depositor who says nothing the way takes longest, but then its own approval is missing as well.
    """
    for cast in (trial.diligent, trial.without_depositor):
        end = trial.end(replace(cast, approves_early=True))
        if trial.end(cast).released and not end.released:
            lifetime, last = trial.agreement.windows.approval_lifetime.text, end.not_released[0]
            message = f"approvals that are given at once end after {lifetime}, before {last} opens"
            advice = "Make them last longer, or shorten the windows and delays before that stage."
            yield warning("approval-ends-before-stage", "/windows/approval_lifetime", message, advice)
            return


def unapproved(trial: Trial, stage: Stage, claimant: PersonId) -> Stops:
    """Return what says whether those left cannot approve `stage` for a claim by `claimant`."""
    end = trial.end(Cast(claimant=claimant))
    tally = tally_approvals(trial.agreement, end.claim, stage.id, at=end.at)
    return lambda away: not tally.quorum.satisfied_by(tally.eligible - away)


def _needed(trial: Trial, stage: Stage, absent: list[tuple[Absent, ...]]) -> tuple[str, ...]:
    """Return the names of those without whom the claim of somebody cannot be approved, each once."""
    stops = [unapproved(trial, stage, claimant) for claimant in trial.claimants]
    found = (
        one.name for stop, those in zip(stops, absent, strict=True) for one in those if stop(one.persons)
    )
    return tuple(dict.fromkeys(found))
