"""The premises of a release that a claim's record alone decides."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import claimants_of
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.orders import standing_release_order
from tallystick.domain.claim.receivers import naming, receivers_of
from tallystick.domain.claim.rules import PremiseAnswer, RecordedPremise
from tallystick.domain.claim.stages import accepted_at, is_provisional, opens_at, unchecked_after
from tallystick.domain.claim.state import ClaimState, EventType, StageState
from tallystick.domain.claim.tally import tally_approvals, tally_denials
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import StageId
from tallystick.domain.kinds import Purpose
from tallystick.domain.notice.proof import proof_of_notice
from tallystick.domain.notice.sighting import sighted_end
from tallystick.domain.release.conditions_met import unmet_evidence
from tallystick.domain.statements.acts import ReceiversNamed
from tallystick.domain.waits.ends import ended_too_early


def _purpose(_: Agreement, claim: Claim, __: StageId, ___: datetime) -> PremiseAnswer:
    purpose = claim.filing.purpose
    return PremiseAnswer(holds=purpose is Purpose.RELEASE, found=f"filed for {purpose}")


def _claimant(agreement: Agreement, claim: Claim, _: StageId, __: datetime) -> PremiseAnswer:
    person, powers = agreement.person_with(claim.filed_by), agreement.authorities
    # Once it is confirmed, whoever filed it decides nothing: not by a key that is revoked later, either.
    revoked = claim.revoked_at(claim.filed_by) if claim.confirmation is None else None
    filers = powers.claimants if claim.filing.for_ is None else powers.filing
    entitled = person.id in filers and revoked is None
    revocation = f", whose key was revoked at {instant_text(revoked)}" if revoked else ""
    return PremiseAnswer(holds=entitled, found=f"filed by {person.id}{revocation}")


def _confirmed(agreement: Agreement, claim: Claim, _: StageId, __: datetime) -> PremiseAnswer:
    if claim.filing.for_ is None:
        return PremiseAnswer(holds=True, found="not needed: its own party filed it")
    if claim.confirmation is None:
        return PremiseAnswer(holds=False, found=f"{claim.claimant_party} has not confirmed it")
    entry, body = claim.confirmation
    if not claim.stands(entry):
        return PremiseAnswer(holds=False, found=f"confirmed by {body.person}, whose key was revoked")
    entitled = body.person in claimants_of(agreement, claim)
    return PremiseAnswer(holds=entitled, found=f"confirmed by {body.person} for {claim.claimant_party}")


def _receivers(agreement: Agreement, claim: Claim, stage: StageId, _: datetime) -> PremiseAnswer:
    entry, _named = naming(claim, stage)
    receivers = receivers_of(agreement, claim, stage)
    people = ", ".join(one.person for one in receivers)
    if isinstance(entry.signed.body, ReceiversNamed) and not claim.stands(entry):
        return PremiseAnswer(holds=False, found="a key that named the receivers was revoked: name them anew")
    found = f"sealed to {people}" if people else "the key of every receiver was revoked: name others"
    return PremiseAnswer(holds=bool(people), found=found)


def _condition(agreement: Agreement, claim: Claim, _: StageId, __: datetime) -> PremiseAnswer:
    unmet = unmet_evidence(agreement, claim.filing, at=claim.filed_at)
    return PremiseAnswer(
        holds=not unmet,
        found="; ".join(unmet) or f"its evidence meets {claim.filing.condition}",
    )


def _intake(_: Agreement, claim: Claim, __: StageId, at: datetime) -> PremiseAnswer:
    accepted = accepted_at(claim)
    if accepted is None:
        return PremiseAnswer(holds=False, found="the escrow agent has not accepted it")
    if (until := unchecked_after(claim)) is not None:
        # As with the window: the record relies on the clocks of others, and `at` is of the one who asks.
        unchecked = f"taken in unchecked after {instant_text(until)}, as the agreement says"
        return PremiseAnswer(holds=at > until, found=unchecked)
    return PremiseAnswer(holds=True, found=f"accepted at {instant_text(accepted)}")


def _exception(agreement: Agreement, claim: Claim, stage: StageId) -> PremiseAnswer | None:
    """Name the exception of the signed agreement by which `stage` needs neither notice nor window, if any.

    Nothing excepts a stage from its quorum, from objections and holds, or from the gate.
    """
    if is_provisional(agreement, stage):
        return PremiseAnswer(holds=True, found="not needed: provisional access opens on acceptance")
    if (order := standing_release_order(claim)) is not None:
        return PremiseAnswer(holds=True, found=f"not needed: by a named order, {order.signed.id}")
    return None


def _notice(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseAnswer:
    if (exception := _exception(agreement, claim, stage)) is not None:
        return exception
    proof = proof_of_notice(agreement, claim, at=at)
    return PremiseAnswer(
        holds=proof is not None,
        found=proof.received.explanation[0] if proof else "no proof of notice",
    )


def _window(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseAnswer:
    if (exception := _exception(agreement, claim, stage)) is not None:
        return exception
    if claim.window_until is None or claim.window_ended_at is None:
        return PremiseAnswer(holds=False, found="the end of the window is not on record")
    # The recorded end relies on the timer and the database's clock; `at` is the clock of the one who asks.
    over = min(at, claim.window_ended_at) > claim.window_until
    times = f"ran until {instant_text(claim.window_until)}, asked at {instant_text(at)}"
    return PremiseAnswer(holds=over, found=times)


def _sighting(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseAnswer:
    if (exception := _exception(agreement, claim, stage)) is not None:
        return exception
    ends = sighted_end(agreement, claim)
    if ends is None:
        return PremiseAnswer(holds=False, found="the gate has not signed when it saw the notice")
    found = f"{ends.explanation[0]}, and the window ran until {instant_text(ends.at)}"
    return PremiseAnswer(holds=at > ends.at, found=found)


def _objections(_: Agreement, claim: Claim, stage: StageId, __: datetime) -> PremiseAnswer:
    standing = [entry.signed.id for entry, _ in claim.objections_to(stage)]
    contested = claim.state is ClaimState.CONTESTED
    return PremiseAnswer(
        holds=not standing and not contested,
        found=", ".join(standing) or f"claim {claim.state}",
    )


def _holds(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseAnswer:
    open_holds = (entry.signed.id for entry, _ in claim.holds_on(stage))
    standing = [*open_holds, *ended_too_early(agreement, claim, stage, at)]
    return PremiseAnswer(holds=not standing, found=", ".join(standing) or "no hold on this stage")


def _denials(agreement: Agreement, claim: Claim, stage: StageId, _: datetime) -> PremiseAnswer:
    tally = tally_denials(agreement, claim, stage)
    deniers = ", ".join(sorted(tally.agreeing)) or "nobody"
    return PremiseAnswer(holds=not tally.reached, found=f"denied by {deniers}")


def _order(agreement: Agreement, claim: Claim, stage: StageId, __: datetime) -> PremiseAnswer:
    following = claim.next_stage
    is_next = following is not None and following.stage == stage and _others_settled(agreement, claim, stage)
    states = ", ".join(f"{p.stage} {p.state}" for p in claim.stages)
    return PremiseAnswer(
        holds=is_next and _may_execute(claim),
        found=f"claim {claim.state}; {states}",
    )


def _others_settled(agreement: Agreement, claim: Claim, stage: StageId) -> bool:
    """Return whether no other stage is on its way, and all that is released (but provisional) is in use."""
    others = [p for p in claim.stages if p.stage != stage]
    undone = (p for p in others if not p.undecided and p.state is not StageState.ACTIVATED)
    return not any(p.in_flight for p in others) and all(is_provisional(agreement, p.stage) for p in undone)


def _may_execute(claim: Claim) -> bool:
    """Asked before the quorum is recorded, and again by the gate: the table must allow one of the two."""
    return claim.may(EventType.QUORUM_REACHED) or claim.may(EventType.STAGE_DECIDED)


def _opening(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseAnswer:
    opening = opens_at(agreement, claim, stage)
    if opening is None:
        return PremiseAnswer(holds=False, found="what it waits for has not happened")
    return PremiseAnswer(holds=at >= opening.at, found=f"open from {instant_text(opening.at)}")


def _undecided(_: Agreement, claim: Claim, stage: StageId, __: datetime) -> PremiseAnswer:
    progress = claim.progress(stage)
    fresh = progress.decision is None and progress.undecided
    return PremiseAnswer(holds=fresh, found=progress.decision or f"stage is {progress.state}")


def _quorum(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseAnswer:
    tally = tally_approvals(agreement, claim, stage, at=at)
    approvers = ", ".join(sorted(tally.agreeing)) or "nobody"
    return PremiseAnswer(holds=tally.reached, found=f"counted: {approvers}")


RECORDED: Final[Mapping[str, RecordedPremise[Claim]]] = MappingProxyType(
    {
        "purpose-is-release": _purpose,
        "claimant-entitled": _claimant,
        "claim-confirmed": _confirmed,
        "receivers-named": _receivers,
        "condition-met": _condition,
        "intake-accepted": _intake,
        "notice-proven": _notice,
        "window-over": _window,
        "window-sighted": _sighting,
        "no-objection": _objections,
        "no-hold": _holds,
        "no-denial-quorum": _denials,
        "stage-in-order": _order,
        "stage-open": _opening,
        "not-decided-before": _undecided,
        "quorum-reached": _quorum,
    }
)
