"""What persons do in a play: their duty when the inbox asks them, and what hostile persons do unasked."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tallystick.domain.agreement.agreement import voted_on
from tallystick.domain.claim.stages import opens_at, still_waiting
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.claim.tally import Tally, tally_approvals
from tallystick.domain.ids import PersonId, StageId, party_of
from tallystick.domain.inbox.waiting import Awaited, Waiting, to_undo, waiting
from tallystick.domain.kinds import Authority, Kind, Outcome, ReceiptOutcome
from tallystick.domain.quorum import Quorum
from tallystick.domain.soundness.simulation.play import Play
from tallystick.domain.soundness.simulation.props import invented
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.domain.waits.powers import reviewers, substitutes

Duty = Callable[[Play, Waiting], bool]

_PAPERS: Final = tuple(
    Document(name=paper, plain_digest=invented(paper), sealed_digest=invented(paper))
    for paper in ("award", "order", "finality_certificate")
)


def persons_act(play: Play) -> bool:
    """Let the next person act; return whether anybody did.

    Raises:
        CalendarExhaustedError: What they sign needs a deadline after a calendar's end.
    """
    if _obstructs(play) or _approve_early(play):
        return True
    for item in waiting(play.agreement, play.claim, play.now):
        duty = _DUTIES.get(item.what)
        if duty is not None and duty(play, item):
            return True
    return False


def _obstructs(play: Play) -> bool:
    """Let the hostile persons act as soon as they may, once."""
    claim, cast = play.claim, play.cast
    if claim.state is ClaimState.FILED or not claim.may(EventType.HOLD_PLACED):
        return False
    said = {entry.signed.kind for entry in claim.entries}
    if cast.holders and Kind.HOLD not in said:
        return play.say(Kind.HOLD, cast.holders[0], reason="hostile")
    if cast.objectors and Kind.OBJECTION not in said:
        ground = play.agreement.objection.grounds[0]
        return play.say(Kind.OBJECTION, cast.objectors[0], ground=ground, explanation="hostile")
    return False


def _confirm(play: Play, item: Waiting) -> bool:
    return play.say(Kind.CONFIRMATION, *play.cast.willing(item.on)[:1], declaration="tried")


def _accept(play: Play, item: Waiting) -> bool:
    # Every agreement relies on the escrow agent to check the form: without that there is no claim to try.
    return play.say(Kind.INTAKE, *item.on[:1], accepted=True)


def _acknowledge(play: Play, item: Waiting) -> bool:
    return play.say(Kind.NOTICE_ACKNOWLEDGEMENT, *play.cast.willing(item.on)[:1])


def _settle(play: Play, _: Waiting) -> bool:
    """Let an arbitrator rule, or officers attest a court order, or both sides instruct."""
    powers = play.agreement.authorities
    orders: tuple[tuple[Quorum | None, Kind, Authority | None], ...] = (
        (powers.arbitration, Kind.RULING, Authority.ARBITRATION),
        (substitutes(play.agreement, play.claim, play.now), Kind.RULING, Authority.ARBITRATION),
        (powers.court_order, Kind.RULING, Authority.COURT_ORDER),
        (powers.joint_instruction, Kind.JOINT_INSTRUCTION, None),
    )
    return any(
        play.say(
            kind,
            *_together(play, quorum),
            outcome=Outcome.RELEASE.value,
            authority=authority,
            document=_PAPERS,
            reason="settled",
        )
        for quorum, kind, authority in orders
    )


def _give_leave(play: Play, _: Waiting) -> bool:
    arbitrators = _together(play, play.agreement.authorities.arbitration)
    said = {"outcome": Outcome.NOTICE_GIVEN.value, "authority": Authority.ARBITRATION}
    return play.say(Kind.RULING, *arbitrators, document=_PAPERS, reason="it was", **said)


def _approve_early(play: Play) -> bool:
    """Let everybody approve all that they may, as soon as the form is accepted, and never again."""
    claim = play.claim
    if not play.cast.approves_early or claim.state is ClaimState.FILED or claim.approvals:
        return False
    undecided = claim.undecided_stages
    seats = frozenset[PersonId]().union(*(play.agreement.stage(stage).quorum.persons for stage in undecided))
    said = [
        play.say(Kind.APPROVAL, person, stage=voted_on(play.agreement, undecided, person), reason="early")
        for person in play.cast.willing(sorted(seats))
    ]
    return any(said)


def _approve(play: Play, _: Waiting) -> bool:
    following = still_waiting(play.claim)
    if following is None or play.cast.approves_early or not _is_open(play, following.stage):
        return False
    tally = tally_approvals(play.agreement, play.claim, following.stage, at=play.now)
    enough = _enough(tally, play.cast.willing(tally.outstanding))
    said = [play.say(Kind.APPROVAL, one, stage=following.stage, reason="in order") for one in enough]
    return any(said)


def _is_open(play: Play, stage: StageId) -> bool:
    """Return whether an approval now would have the stage decided now; nobody approves long before that."""
    if play.claim.state is ClaimState.CONTESTED or play.claim.holds_on(stage):
        return False
    opening = opens_at(play.agreement, play.claim, stage)
    return opening is not None and opening.at <= play.now


def _enough(tally: Tally, candidates: tuple[PersonId, ...]) -> tuple[PersonId, ...]:
    """Return as few of the candidates as reach the quorum, or nobody if all together do not."""
    chosen = set(candidates)
    if not tally.quorum.satisfied_by(tally.agreeing | chosen):
        return ()
    for person in candidates:
        if tally.quorum.satisfied_by(tally.agreeing | (chosen - {person})):
            chosen.discard(person)
    return tuple(sorted(chosen))


def _report(play: Play, _: Waiting) -> bool:
    progress = play.claim.in_flight
    assert progress is not None, "a receipt is awaited for a stage in delivery"
    received = tuple(
        ReceivedComponent(
            component=component,
            sealed_digest=invented(f"sealed {component}"),
            manifest_digest=invented(f"manifest of {component}"),
        )
        for component in play.agreement.stage(progress.stage).components
    )
    return _receipt(play, ReceiptOutcome.ACTIVATED, progress.stage, received)


def _undo(play: Play, _: Waiting) -> bool:
    stages = to_undo(play.agreement, play.claim)
    return bool(stages) and _receipt(play, ReceiptOutcome.ROLLED_BACK, stages[0], ())


def _receipt(
    play: Play, outcome: ReceiptOutcome, stage: str, received: tuple[ReceivedComponent, ...]
) -> bool:
    reporters = play.cast.willing([play.claim.claimant])
    said = {"outcome": outcome.value, "explanation": "as delivered"}
    return play.say(Kind.RECEIPT, *reporters, stage=stage, received=received, **said)


def _give_back(play: Play, _: Waiting) -> bool:
    return play.say(
        Kind.RETURN, *play.cast.willing([play.claim.claimant]), method="deleted", certificate="done"
    )


def _lift(play: Play, _: Waiting) -> bool:
    holds = play.claim.standing_holds
    if not holds:
        return False
    lifters = play.agreement.authorities.hold_lift
    reviewing = reviewers(play.agreement, play.claim.entry_of(holds[0]), play.now)
    said = {"of": holds[0], "reason": "nothing stands against it"}
    return any(play.say(Kind.HOLD_LIFT, *_together(play, quorum), **said) for quorum in (lifters, reviewing))


def _together(play: Play, quorum: Quorum | None) -> tuple[PersonId, ...]:
    """Return the willing persons of a quorum; the claimant's side signs only what needs both sides."""
    if quorum is None:
        return ()
    both_sides = quorum is play.agreement.authorities.joint_instruction
    claim, excluded = play.claim, play.agreement.excludes_claimant_party
    return tuple(
        person
        for person in play.cast.willing(sorted(quorum.persons))
        if both_sides
        or (
            person not in {claim.filing.person, claim.claimant}
            and not (excluded and party_of(person) == claim.claimant_party)
        )
    )


_DUTIES: Final[Mapping[Awaited, Duty]] = MappingProxyType(
    {
        Awaited.CONFIRMATION: _confirm,
        Awaited.INTAKE: _accept,
        Awaited.ACKNOWLEDGEMENT: _acknowledge,
        Awaited.LEAVE: _give_leave,
        Awaited.SETTLEMENT: _settle,
        Awaited.APPROVAL: _approve,
        Awaited.RECEIPT: _report,
        Awaited.ROLLBACK: _undo,
        Awaited.RETURN: _give_back,
        Awaited.HOLD_LIFT: _lift,
    }
)
