"""The one release decision: may this stage go out, now? Every premise must hold.

Every premise is looked at, and every verdict is told.
The gate asks with what it has seen with its own eyes, the workflow asks before it
troubles the gate, and whoever doubts asks again, offline, with the same function.
Leave any premise out of the world and the answer is no.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import root_fault
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.orders import standing_release_order
from tallystick.domain.claim.stages import accepted_at, is_provisional, opens_at
from tallystick.domain.claim.state import ClaimState, EventType, states_allowing
from tallystick.domain.claim.tally import tally_approvals, tally_denials
from tallystick.domain.codec import instant_text
from tallystick.domain.deposit.provenance import deposit_fault
from tallystick.domain.ids import ComponentId, Digest, PublicKey, StageId
from tallystick.domain.kinds import Purpose
from tallystick.domain.notice.proof import proof_of_notice
from tallystick.domain.release.conditions_met import unmet_evidence
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import PremiseVerdict
from tallystick.domain.statements.header import Header
from tallystick.domain.statements.signed import Signed

PREMISES: Final = (
    "purpose-is-release",
    "claimant-entitled",
    "condition-met",
    "intake-accepted",
    "notice-proven",
    "window-over",
    "no-objection",
    "no-hold",
    "no-denial-quorum",
    "stage-in-order",
    "stage-open",
    "not-decided-before",
    "quorum-reached",
    "agreement-pinned",
    "agreement-signed",
    "deposit-pinned",
    "custody-known",
    "sealed-bytes-match",
    "ledger-whole",
    "not-halted",
)
"""The name of every premise, in the order in which a decision tells them; none may be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the one who decides has seen for itself; nothing here is hearsay.

    Attributes:
        at: Its own clock.
        agreement_digest: Of the agreement whose bytes it has verified.
        agreement_signers: The keys that signed those bytes.
        root_keys: The escrow agent's keys, from its own settings.
        deposit: The deposit statement that the claim pins, verified; None if it was not found.
        custody: The custody statements that the deposit's components name, verified, by component.
        sealed: For each component whose sealed bytes it has read anew: None if every byte matched
            what the depositor signed, else what was found instead.
        ledger: None if the log's entries, proofs and checkpoint agree, else what was found instead.
        halted: Whether releases are halted in this deployment.
    """

    at: datetime
    agreement_digest: Digest
    agreement_signers: frozenset[PublicKey]
    root_keys: frozenset[PublicKey]
    deposit: Signed[Deposit] | None
    custody: Mapping[ComponentId, Custody]
    sealed: Mapping[ComponentId, str | None]
    ledger: str | None
    halted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with every premise."""

    stage: StageId
    premises: tuple[PremiseVerdict, ...]

    @property
    def released(self) -> bool:
        """Whether every premise holds; an empty list of premises releases nothing."""
        return bool(self.premises) and not self.unmet

    @property
    def unmet(self) -> tuple[PremiseVerdict, ...]:
        """The premises that do not hold."""
        return tuple(verdict for verdict in self.premises if not verdict.holds)


def decide(agreement: Agreement, claim: Claim, stage: StageId, sight: Sight) -> Decision:
    """Decide whether `stage` of `claim` may be released.

    Args:
        agreement: The version whose digest is in `sight`.
        claim: Folded from verified statements only.
        stage: One of the claim's stages.
        sight: What the asker has seen for itself.
    """
    own = (*seen_premises(agreement, claim, stage, sight),)
    return Decision(stage=stage, premises=(*recorded_premises(agreement, claim, stage, at=sight.at), *own))


def recorded_premises(
    agreement: Agreement, claim: Claim, stage: StageId, *, at: datetime
) -> tuple[PremiseVerdict, ...]:
    """Return the premises that the record alone decides, as they stand at `at`."""
    return (
        _purpose(claim),
        _claimant(agreement, claim),
        _condition(agreement, claim),
        _intake(claim),
        _notice(agreement, claim, stage, at),
        _window(agreement, claim, stage, at),
        _objections(claim, stage),
        _holds(claim, stage),
        _denials(agreement, claim),
        _order(claim, stage),
        _opening(agreement, claim, stage, at),
        _undecided(claim, stage),
        _quorum(agreement, claim, stage, at),
    )


def seen_premises(
    agreement: Agreement, claim: Claim, stage: StageId, sight: Sight
) -> Iterator[PremiseVerdict]:
    """Yield the premises that need more than the claim's own record."""
    yield _agreement_pinned(claim, sight)
    yield _agreement_signed(agreement, sight)
    yield _deposit(agreement, claim, sight)
    yield _custody(agreement, stage, sight)
    yield _sealed_bytes(agreement, stage, sight)
    yield _verdict(
        "ledger-whole",
        holds=sight.ledger is None,
        found=sight.ledger or "entries, proofs and checkpoint agree",
    )
    yield _verdict(
        "not-halted", holds=not sight.halted, found="releases are halted" if sight.halted else "no halt"
    )


def _verdict(premise: str, *, holds: bool, found: str) -> PremiseVerdict:
    return PremiseVerdict(premise=premise, holds=holds, found=found)


def _purpose(claim: Claim) -> PremiseVerdict:
    purpose = claim.filing.purpose
    return _verdict("purpose-is-release", holds=purpose is Purpose.RELEASE, found=f"filed for {purpose}")


def _claimant(agreement: Agreement, claim: Claim) -> PremiseVerdict:
    person = agreement.person_with(claim.filed_by)
    revoked = claim.revoked_at(claim.filed_by)
    entitled = person.id in agreement.authorities.claimants and revoked is None
    found = f"filed by {person.id}" + (
        f", whose key was revoked at {instant_text(revoked)}" if revoked else ""
    )
    return _verdict("claimant-entitled", holds=entitled, found=found)


def _condition(agreement: Agreement, claim: Claim) -> PremiseVerdict:
    unmet = unmet_evidence(agreement, claim.filing, at=claim.filed_at)
    return _verdict(
        "condition-met",
        holds=not unmet,
        found="; ".join(unmet) or f"{claim.filing.condition} by its evidence",
    )


def _intake(claim: Claim) -> PremiseVerdict:
    accepted = accepted_at(claim)
    found = f"accepted at {instant_text(accepted)}" if accepted else "the escrow agent has not accepted it"
    return _verdict("intake-accepted", holds=accepted is not None, found=found)


def _notice(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseVerdict:
    if is_provisional(agreement, stage):
        return _verdict(
            "notice-proven", holds=True, found="not needed: provisional access opens on acceptance"
        )
    proof = proof_of_notice(agreement, claim, at=at)
    return _verdict(
        "notice-proven",
        holds=proof is not None,
        found=proof.explanation[0] if proof else "no proof of notice",
    )


def _window(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseVerdict:
    if is_provisional(agreement, stage):
        return _verdict("window-over", holds=True, found="not needed: provisional access opens on acceptance")
    if (order := standing_release_order(agreement, claim)) is not None:
        return _verdict("window-over", holds=True, found=f"skipped by {order.signed.id}")
    if claim.window_until is None or claim.window_ended_at is None:
        return _verdict("window-over", holds=False, found="the window has not been recorded as over")
    # The recorded end proves the timer and the database's clock; `at` is the asker's own.
    over = min(at, claim.window_ended_at) > claim.window_until
    found = f"ran until {instant_text(claim.window_until)}, asked {instant_text(at)}"
    return _verdict("window-over", holds=over, found=found)


def _objections(claim: Claim, stage: StageId) -> PremiseVerdict:
    standing = [entry.signed.id for entry, _ in claim.objections_to(stage)]
    contested = claim.state is ClaimState.CONTESTED
    return _verdict(
        "no-objection",
        holds=not standing and not contested,
        found=", ".join(standing) or f"claim {claim.state}",
    )


def _holds(claim: Claim, stage: StageId) -> PremiseVerdict:
    standing = [entry.signed.id for entry, _ in claim.holds_on(stage)]
    return _verdict("no-hold", holds=not standing, found=", ".join(standing) or "no hold in scope")


def _denials(agreement: Agreement, claim: Claim) -> PremiseVerdict:
    tally = tally_denials(agreement, claim)
    found = f"denied by {', '.join(sorted(tally.agreeing)) or 'nobody'}"
    return _verdict("no-denial-quorum", holds=not tally.reached, found=found)


def _order(claim: Claim, stage: StageId) -> PremiseVerdict:
    following = claim.next_stage
    is_next = following is not None and following.stage == stage and _others_settled(claim, stage)
    states = ", ".join(f"{p.stage} {p.state}" for p in claim.stages)
    return _verdict(
        "stage-in-order",
        holds=is_next and _may_execute(claim),
        found=f"claim {claim.state}; {states}",
    )


def _others_settled(claim: Claim, stage: StageId) -> bool:
    return all(not p.in_flight for p in claim.stages if p.stage != stage)


def _may_execute(claim: Claim) -> bool:
    """Asked before the quorum is recorded, and again by the gate: the table has a step for either."""
    asked = states_allowing(EventType.QUORUM_REACHED) | states_allowing(EventType.STAGE_DECIDED)
    return claim.state in asked


def _opening(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseVerdict:
    opening = opens_at(agreement, claim, stage)
    if opening is None:
        return _verdict("stage-open", holds=False, found="what it waits for has not come")
    return _verdict("stage-open", holds=at >= opening.at, found=f"open from {instant_text(opening.at)}")


def _undecided(claim: Claim, stage: StageId) -> PremiseVerdict:
    progress = claim.progress(stage)
    fresh = progress.decision is None and progress.undecided
    return _verdict(
        "not-decided-before", holds=fresh, found=progress.decision or f"stage is {progress.state}"
    )


def _quorum(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> PremiseVerdict:
    tally = tally_approvals(agreement, claim, stage, at=at)
    found = f"counted: {', '.join(sorted(tally.agreeing)) or 'nobody'}"
    return _verdict("quorum-reached", holds=tally.reached, found=found)


def _agreement_pinned(claim: Claim, sight: Sight) -> PremiseVerdict:
    same = claim.filing.agreement_digest == sight.agreement_digest
    return _verdict("agreement-pinned", holds=same, found=f"claim pins {claim.filing.agreement_digest}")


def _agreement_signed(agreement: Agreement, sight: Sight) -> PremiseVerdict:
    parties = {person.party for person in agreement.persons if person.signing_key in sight.agreement_signers}
    missing = sorted(party.id for party in agreement.parties if party.id not in parties)
    fault = root_fault(sight.agreement_signers, sight.root_keys)
    found = f"not signed by {', '.join(missing)}" if missing else "signed by every party"
    return _verdict(
        "agreement-signed",
        holds=not missing and fault is None,
        found=found if fault is None else f"{found}; {fault}",
    )


def _deposit(agreement: Agreement, claim: Claim, sight: Sight) -> PremiseVerdict:
    found = sight.deposit
    if found is None or found.id != claim.filing.deposit:
        return _verdict("deposit-pinned", holds=False, found="the pinned deposit was not found")
    fault = deposit_fault(agreement, found)
    told = f"{found.id} signed by {found.body.person}" if fault is None else f"{found.id}: {fault}"
    return _verdict("deposit-pinned", holds=fault is None, found=told)


def _custody(agreement: Agreement, stage: StageId, sight: Sight) -> PremiseVerdict:
    missing = [component for component in agreement.stage(stage).components if component not in sight.custody]
    astray = [
        component
        for component, custody in sight.custody.items()
        if custody.component != component or not _is_here(agreement, custody)
    ]
    found = f"no custody of {', '.join(missing)}" if missing else "every component has its custody epoch"
    if astray:
        found = f"another custody than that of {', '.join(astray)}"
    return _verdict("custody-known", holds=not missing and not astray, found=found)


def _is_here(agreement: Agreement, body: Header) -> bool:
    return (body.deployment, body.agreement) == (agreement.deployment, agreement.id)


def _sealed_bytes(agreement: Agreement, stage: StageId, sight: Sight) -> PremiseVerdict:
    deposited = [c.component for c in sight.deposit.body.components] if sight.deposit is not None else []
    wrong: list[str] = []
    for component in agreement.stage(stage).components:
        if component not in deposited:
            wrong.append(f"{component} is not in the deposit")
        elif component not in sight.sealed:
            wrong.append(f"{component} was not read")
        elif (found := sight.sealed[component]) is not None:
            wrong.append(f"{component}: {found}")
    return _verdict(
        "sealed-bytes-match",
        holds=not wrong,
        found="; ".join(wrong) or "every byte as the depositor signed it",
    )
