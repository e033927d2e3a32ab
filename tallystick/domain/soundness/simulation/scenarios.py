"""Which claims are played, and how each must end: the agreement's words against what the rules do.

One thing goes wrong at a time, or two where `absence` says so. Where the words themselves say that a claim
stops, nothing is found: without the escrow agent no form is checked, and without the beneficiary nobody
reports what was delivered.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from tallystick.domain.agreement.agreement import depositor
from tallystick.domain.agreement.parties import Channel, ChannelKind, Role
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.tally import tally_denials
from tallystick.domain.ids import party_of
from tallystick.domain.soundness.finding import Finding, error, warning
from tallystick.domain.soundness.simulation.absence import absent_depositor, one_of
from tallystick.domain.soundness.simulation.approvals import (
    approvals_outlast_the_way,
    approvals_survive_two,
    no_party_is_needed,
    unapproved,
)
from tallystick.domain.soundness.simulation.calendars import time_given
from tallystick.domain.soundness.simulation.cast import Cast
from tallystick.domain.soundness.simulation.disputes import holds_are_lifted, objections_are_settled
from tallystick.domain.soundness.simulation.trial import Trial
from tallystick.limits.agreements import CLAIM_LENGTH_MAX

Scenario: TypeAlias = Callable[[Trial], Iterator[Finding]]


def conditions_can_be_filed(trial: Trial) -> Iterator[Finding]:
    """Require that a claim on each condition can be filed with the evidence that it needs."""
    for place, condition in enumerate(trial.agreement.conditions):
        if (refused := trial.refusal(condition)) is not None:
            message = f"no claim on {condition.id} can be filed: {refused.message}"
            advice = "Ask for evidence that one claim can bring, and that is fresh when it is filed."
            yield error("condition-never-filed", f"/conditions/{place}", message, advice)


def release_comes(trial: Trial) -> Iterator[Finding]:
    """Require that a claim of each beneficiary is released if everybody does their duty."""
    for claimant in trial.claimants:
        end = trial.end(Cast(claimant=claimant))
        for stage in end.not_released:
            message = f"{stage} is never released for a claim by {claimant}, though everybody agrees"
            advice = "Check when it opens, who approves it, and which periods end before that."
            yield error("stage-never-released", _stage(trial, stage), message, advice)


def silence_stops_nothing(trial: Trial) -> Iterator[Finding]:
    """Require that a claim continues although the depositor says nothing."""
    end = trial.end(trial.without_depositor)
    if end.claim.window_opened_at is None:
        yield _unheard(trial)
        return
    yield from _depositor_needed(trial)
    longest = end.at - trial.at + time_given(trial.agreement)
    if longest > CLAIM_LENGTH_MAX:
        silent = f"{depositor(trial.agreement).id} says nothing"
        message = f"a claim takes up to {longest.days} days if {silent} and the others take all their time"
        yield warning("claim-takes-years", "/windows", message, "Shorten the windows and delays.")


def _depositor_needed(trial: Trial) -> Iterator[Finding]:
    """Yield the stages that need the depositor's approval for the claim of one beneficiary at least."""
    vendor, unreleased = absent_depositor(trial), trial.end(trial.without_depositor).not_released
    for stage in trial.agreement.stages:
        stopped = [one for one in trial.claimants if unapproved(trial, stage, one)(vendor.persons)]
        if stopped or stage.id in unreleased:
            claim = f"{stage.id} is never released for a claim by {(*stopped, trial.claimants[0])[0]}"
            message = f"{claim} if {vendor.name} says nothing: its quorum needs {vendor.name}"
            where, advice = _stage(trial, stage.id), "Let others suffice without them."
            yield error("approval-needs-depositor", where, message, advice)


def _unheard(trial: Trial) -> Finding:
    party, after = depositor(trial.agreement).id, trial.agreement.notice.deemed_after
    if after is None:
        message = f"if {party} never acknowledges notice, {_unproven_ends(trial)}"
        advice = "Say in `deemed_after` when notice that arrived counts as received."
        return warning("silence-stops-claim", "/notice/deemed_after", message, advice)
    required = trial.agreement.notice.channels_required
    message = f"notice to {party} never counts: fewer than {required} different channels can take it"
    advice = "Name other channels, or require fewer."
    return error("notice-never-proven", "/notice/channels_required", message, advice)


def _unproven_ends(trial: Trial) -> str:
    """Return what becomes of a claim whose notice nobody proves, however long the play lasts."""
    return "a claim lapses" if trial.agreement.ends.unproven_notice is not None else "a claim waits for ever"


def notice_survives_one_server(trial: Trial) -> Iterator[Finding]:
    """Advise that notice can be proven although the mail server, or the host of webhooks, is dead."""
    if trial.end(trial.without_depositor).claim.window_opened_at is None:
        return
    party = depositor(trial.agreement)
    needed = [name for name, channels in _servers(party.channels).items() if _unproven(trial, channels)]
    if needed:
        message = (
            f"while {one_of(needed)} is down, no notice to {party.id} counts, and {_unproven_ends(trial)}"
        )
        place = trial.agreement.parties.index(party)
        advice = "Add a channel that goes another way, or require fewer."
        yield warning("notice-needs-one-server", f"/parties/{place}/channels", message, advice)


def _unproven(trial: Trial, dead: frozenset[Channel]) -> bool:
    end = trial.until(_window_opened, replace(trial.without_depositor, dead=dead))
    return end.claim.window_opened_at is None


def notice_survives_refusal(trial: Trial) -> Iterator[Finding]:
    """Advise that notice can be proven although the depositor refuses it at each of its own channels."""
    party = depositor(trial.agreement)
    own = frozenset(one for one in party.channels if one.kind is not ChannelKind.OUTBOX)
    if trial.end(trial.without_depositor).claim.window_opened_at is None or not _unproven(trial, own):
        return
    place = trial.agreement.parties.index(party)
    message = f"if {party.id} refuses every letter and acknowledges none, {_unproven_ends(trial)}"
    advice = (
        "Add an outbox that the depositor can read, and let it prove notice (`own_channels`), or weigh that "
        "only a joint instruction or a final court order releases without notice."
    )
    yield warning("notice-refusable", f"/parties/{place}/channels", message, advice)


def _servers(channels: tuple[Channel, ...]) -> dict[str, frozenset[Channel]]:
    """Return what may fail at once: all mail, and each host of webhooks. An outbox is the agent's own."""
    servers: dict[str, frozenset[Channel]] = {}
    for one in channels:
        if one.kind is not ChannelKind.OUTBOX:
            server = _server(one)
            servers[server] = servers.get(server, frozenset()) | {one}
    return servers


def _server(channel: Channel) -> str:
    mail = channel.kind is ChannelKind.EMAIL
    return "the mail server" if mail else f"the webhook {urlsplit(channel.address).hostname}"


def denials_can_count(trial: Trial) -> Iterator[Finding]:
    """Require that a claim of each beneficiary can be denied."""
    for claimant in trial.claimants:
        end = trial.end(Cast(claimant=claimant))
        if not tally_denials(trial.agreement, end.claim).reachable:
            message = f"nobody can deny a claim by {claimant}: too few who may deny count for it"
            yield error(
                "denial-never-reached", "/authorities/denial", message, "Name persons of other parties."
            )
            return


def both_sides_can_instruct(trial: Trial) -> Iterator[Finding]:
    """Advise that each beneficiary can take part in a joint instruction, and that it needs nobody else."""
    quorum = trial.agreement.authorities.joint_instruction
    if quorum is None:
        return
    where, vendor = "/authorities/joint_instruction", depositor(trial.agreement).id
    for party in trial.agreement.parties_in(Role.BENEFICIARY):
        sides = {vendor, party.id}
        signers = frozenset(person for person in quorum.persons if party_of(person) in sides)
        if {party_of(person) for person in signers} != sides or not quorum.satisfied_by(signers):
            message = f"{vendor} and {party.id} cannot instruct the escrow agent without somebody else"
            advice = "Let one person of each side suffice, for every beneficiary."
            yield warning("joint-instruction-needs-others", where, message, advice)


def licences_outlast_the_way(trial: Trial) -> Iterator[Finding]:
    """Advise that no licence is over by the time its component could be released."""
    end = trial.end(trial.without_depositor)
    for place, component in enumerate(trial.agreement.components):
        ends_on = component.licence.ends_on
        if ends_on is not None and ends_on < end.at.date():
            message = f"the licence of {component.id} ends on {ends_on}, before it could be released"
            advice = "Agree on a longer licence, or take the component out."
            yield warning("licence-over", f"/components/{place}/licence/ends_on", message, advice)


def _window_opened(claim: Claim) -> bool:
    return claim.window_opened_at is not None


def _stage(trial: Trial, stage: str) -> str:
    place = next(place for place, one in enumerate(trial.agreement.stages) if one.id == stage)
    return f"/stages/{place}"


SCENARIOS: Final[tuple[Scenario, ...]] = (
    conditions_can_be_filed,
    release_comes,
    silence_stops_nothing,
    notice_survives_one_server,
    notice_survives_refusal,
    objections_are_settled,
    holds_are_lifted,
    no_party_is_needed,
    approvals_survive_two,
    approvals_outlast_the_way,
    denials_can_count,
    both_sides_can_instruct,
    licences_outlast_the_way,
)
