"""Leave one out: a world with one false premise releases nothing, and says which premise it is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.sight import Sight
from tallystick.domain.claim.state import ClaimState, StageState
from tallystick.domain.ids import ComponentId, Digest, PersonId, StageId
from tallystick.domain.kinds import Kind, Purpose, ReceiptOutcome
from tallystick.domain.notice.sighting import sighted_end
from tallystick.domain.periods import Period
from tallystick.domain.record.generations import GENERATION_1
from tallystick.domain.release.decision import decide, premises_to_tell
from tallystick.domain.statements.acts import Approval, Intake, NoticeAcknowledgement
from tallystick.domain.statements.engine import Notice, Sighting
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.domain.statements.signed import Body, Entry
from tallystick.limits.logs import ASTRAY_TOLD_MAX
from tests.support.stories.stories import play
from tests.support.worlds.agreements import (
    ABE,
    BEA,
    BEN,
    KIM,
    PEOPLE,
    receivers,
)
from tests.support.worlds.groundwork import (
    FILED_FOR,
    NO_DIGEST,
    key_of,
    some_digest,
)
from tests.support.worlds.world import World

DAY: Final = timedelta(days=1)
CRITICAL: Final = StageId("critical")
Facts = tuple[Agreement, Claim, Sight]


@cache
def quorate() -> World:
    """Every premise of `critical` is met, and the gate has not been asked yet."""
    return play(
        """
        bea files
        ana accepts
        kim approves provisional
        tom approves provisional
        bea reports provisional activated
        dora acknowledges
        the window ends
        the gate is down
        ana approves critical
        kim approves critical
        tom approves critical
        = VALIDATING; provisional ACTIVATED; critical QUORATE
        """
    )


def facts() -> Facts:
    world = quorate()
    return world.agreement, world.claim, world.sight()


def without(claim: Claim, *bodies: type[Body]) -> Claim:
    kept = tuple(entry for entry in claim.entries if not isinstance(entry.signed.body, bodies))
    return replace(claim, entries=kept)


def with_statements(claim: Claim, kind: Kind, persons: Iterable[str], **members: object) -> Claim:
    world = quorate()
    entries: list[Entry] = []
    for place, person in enumerate(persons, start=len(claim.entries)):
        key = PEOPLE[PersonId(person)].signing_key
        _, signed = world.signs(kind, [key], world.body(kind, person, **members))
        entries.append(Entry(index=place, accepted_at=world.now, signed=signed))
    return replace(claim, entries=(*claim.entries, *entries))


def revoked(claim: Claim, person: PersonId) -> Claim:
    return with_statements(claim, Kind.KEY_REVOCATION, [person], key=key_of(person), reason="stolen")


def named_anew(claim: Claim, by: PersonId) -> Claim:
    """Receivers who were named anew, and whom everybody who approved was shown."""
    named = with_statements(claim, Kind.RECEIVERS, [by], receivers=receivers(BEA), reason="so")
    return approved_for(named, named.entries[-1].signed.id)


def approved_for(claim: Claim, named: Digest) -> Claim:
    """The claim with approvals whose authors were shown the receivers of the statement `named`."""
    shown = {one.index: replace(body, receivers_named=named) for one, body in claim.approvals}
    said = (replace(one.signed, body=shown.get(one.index, one.signed.body)) for one in claim.entries)
    pairs = zip(claim.entries, said, strict=True)
    return replace(claim, entries=tuple(replace(one, signed=signed) for one, signed in pairs))


def approved_by_dora(claim: Claim) -> Claim:
    return with_statements(
        claim,
        Kind.APPROVAL,
        ["dora@nordwind"],
        stages=(CRITICAL,),
        purpose=Purpose.RELEASE,
        expires_at=quorate().now + timedelta(days=20),
        reason="",
    )


def denied_beside_a_quorum(claim: Claim, *, stages: tuple[StageId, ...] | None) -> Claim:
    """Who denies counts for no quorum, so dora approves in the place of kim."""
    return with_statements(
        approved_by_dora(claim), Kind.DENIAL, ["abe@harbour", "kim@kestrel"], reason="no", stages=stages
    )


def active_with_other_bytes(claim: Claim) -> Claim:
    received = (ReceivedComponent(component=ComponentId("docs"), sealed_digest=NO_DIGEST),)
    told = {"outcome": ReceiptOutcome.ACTIVATED, "components": received, "detail": "it runs"}
    return with_statements(claim, Kind.RECEIPT, ["bea@halden"], stage=StageId("provisional"), **told)


def with_progress(claim: Claim, stage: str, **changes: object) -> Claim:
    stages = tuple(
        replace(p, **changes) if p.stage == stage else p  # type: ignore[arg-type]
        for p in claim.stages
    )
    return replace(claim, stages=stages)


def sighted(claim: Claim, later: timedelta) -> Claim:
    """The gate saw the notice later than it did, or earlier."""
    moved = tuple(
        replace(entry, signed=replace(entry.signed, body=replace(body, issued_at=body.issued_at + later)))
        if isinstance(body := entry.signed.body, Sighting)
        else entry
        for entry in claim.entries
    )
    return replace(claim, entries=moved)


def filed_as_a_drill(agreement: Agreement, claim: Claim, sight: Sight) -> Facts:
    drilled: list[Entry] = []
    for entry in claim.entries:
        body = entry.signed.body
        changed = replace(body, purpose=Purpose.DRILL) if isinstance(body, Approval) else body
        drilled.append(replace(entry, signed=replace(entry.signed, body=changed)))
    filing = replace(claim.filing, purpose=Purpose.DRILL)
    return agreement, replace(claim, filing=filing, entries=tuple(drilled)), sight


def stage_opens_later(agreement: Agreement, claim: Claim, sight: Sight) -> Facts:
    stages = tuple(
        replace(stage, opens=replace(stage.opens, delay=Period("P30D"))) if stage.id == CRITICAL else stage
        for stage in agreement.stages
    )
    return replace(agreement, stages=stages), claim, sight


def claimant_put_out(agreement: Agreement, claim: Claim, sight: Sight) -> Facts:
    authorities = replace(agreement.authorities, claimants=(PersonId("ben@halden"),))
    return replace(agreement, authorities=authorities), claim, sight


def one_approval_less(agreement: Agreement, claim: Claim, sight: Sight) -> Facts:
    last = claim.approvals[-1][0]
    kept = tuple(entry for entry in claim.entries if entry is not last)
    return agreement, replace(claim, entries=kept), sight


def signed_without_marlowe(sight: Sight) -> Sight:
    return replace(sight, agreement_signers=sight.agreement_signers - {key_of("tom@marlowe")})


def deposit_by(sight: Sight, person: str) -> Sight:
    assert sight.deposit is not None
    return replace(sight, deposit=replace(sight.deposit, signers=frozenset({key_of(person)})))


def deposit_of_another_agreement(sight: Sight) -> Sight:
    assert sight.deposit is not None
    astray = replace(sight.deposit.body, agreement="another")  # type: ignore[arg-type]
    return replace(sight, deposit=replace(sight.deposit, body=astray))


def custody_of(sight: Sight, component: str, other: str | None) -> Sight:
    kept = {key: value for key, value in sight.custody.items() if key != component}
    if other is not None:
        kept[ComponentId(component)] = sight.custody[ComponentId(other)]
    return replace(sight, custody=kept)


def sealed(sight: Sight, **faults: str | None) -> Sight:
    return replace(sight, sealed={ComponentId(key.replace("_", "-")): value for key, value in faults.items()})


def seen(change: Callable[[Sight], Sight]) -> Callable[[Agreement, Claim, Sight], Facts]:
    return lambda agreement, claim, sight: (agreement, claim, change(sight))


def contradicted(sight: Sight, entry: Entry) -> Sight:
    """The log does not extend what the author of one entry had verified."""
    return replace(sight, unextended=frozenset({entry.signed.id}))


@cache
def confirmed() -> World:
    """The same, of a claim that the agent filed and the beneficiary confirmed."""
    return play(
        """
        ana files on behalf of halden
        bea confirms for ben
        abe accepts
        dora acknowledges
        the window ends
        the gate is down
        abe approves critical
        kim approves critical
        tom approves critical
        = VALIDATING; critical QUORATE
        """,
        World(agreement=FILED_FOR),
    )


def of_confirmed(
    change: Callable[[Agreement, Claim], tuple[Agreement, Claim]],
) -> Callable[[Agreement, Claim, Sight], Facts]:
    world = confirmed()
    return lambda _, __, ___: (*change(world.agreement, world.claim), world.sight())


def on_another_confirmation(claim: Claim, voter: PersonId) -> Claim:
    """The claim with one approval that names another confirmation than the claim's."""
    (entry, body), *_ = (one for one in claim.approvals if one[1].person == voter)
    signed = replace(entry.signed, body=replace(body, confirmation=some_digest(9)))
    kept = (one if one is not entry else replace(entry, signed=signed) for one in claim.entries)
    return replace(claim, entries=tuple(kept))


def told(change: Callable[[Claim], Claim]) -> Callable[[Agreement, Claim, Sight], Facts]:
    return lambda agreement, claim, sight: (agreement, change(claim), sight)


FALSIFIED: Final[Mapping[str, tuple[Callable[[Agreement, Claim, Sight], Facts], ...]]] = {
    "purpose-is-release": (filed_as_a_drill,),
    "claimant-entitled": (
        claimant_put_out,
        told(lambda c: revoked(replace(c, filing=replace(c.filing, receivers=receivers(BEN))), BEA)),
        of_confirmed(lambda a, c: (replace(a, authorities=replace(a.authorities, filing=(ABE,))), c)),
    ),
    "claim-confirmed": (
        of_confirmed(lambda a, c: (a, revoked(c, BEA))),
        of_confirmed(lambda a, c: (replace(a, authorities=replace(a.authorities, claimants=(BEN,))), c)),
    ),
    "receivers-named": (
        told(lambda c: revoked(replace(c, filing=replace(c.filing, receivers=receivers(BEN))), BEN)),
        told(lambda c: revoked(named_anew(c, BEN), BEN)),
    ),
    "condition-met": (told(lambda c: replace(c, filing=replace(c.filing, evidence=c.filing.evidence[:1]))),),
    "intake-accepted": (told(lambda c: without(c, Intake)),),
    "notice-proven": (told(lambda c: sighted(without(c, Notice, NoticeAcknowledgement), -20 * DAY)),),
    "window-over": (
        told(lambda c: replace(c, window_until=quorate().now)),
        told(lambda c: replace(c, window_ended_at=c.window_until)),
        told(lambda c: replace(c, window_until=None)),
    ),
    "window-sighted": (
        told(lambda c: without(c, Sighting)),
        told(lambda c: sighted(c, DAY)),
    ),
    "no-objection": (
        told(
            lambda c: with_statements(
                c, Kind.OBJECTION, ["dora@nordwind"], ground="cured", explanation="it is"
            )
        ),
        told(
            lambda c: with_statements(
                c, Kind.OBJECTION, ["dirk@nordwind"], ground="cured", explanation="it is", stages=(CRITICAL,)
            )
        ),
    ),
    "no-hold": (
        told(lambda c: with_statements(c, Kind.HOLD, ["kim@kestrel"], reason="an injunction")),
        told(lambda c: with_statements(c, Kind.HOLD, ["ana@harbour"], reason="", stages=(CRITICAL,))),
    ),
    "no-denial-quorum": (
        told(lambda c: denied_beside_a_quorum(c, stages=None)),
        told(lambda c: denied_beside_a_quorum(c, stages=(CRITICAL,))),
    ),
    "stage-in-order": (
        told(lambda c: with_progress(c, "provisional", state=StageState.WAITING)),
        told(lambda c: with_progress(c, "provisional", state=StageState.DECIDED)),
        told(lambda c: replace(c, state=ClaimState.WITHDRAWN)),
        told(lambda c: replace(c, state=ClaimState.PROVISIONING)),
    ),
    "stage-open": (stage_opens_later,),
    "not-decided-before": (told(lambda c: with_progress(c, "critical", decision=NO_DIGEST)),),
    "quorum-reached": (
        of_confirmed(lambda a, c: (a, on_another_confirmation(c, KIM))),
        told(lambda c: approved_for(c, some_digest(9))),
        one_approval_less,
        told(
            lambda c: with_statements(
                c, Kind.RETRACTION, ["tom@marlowe"], of=c.approvals[-1][0].signed.id, reason=""
            )
        ),
    ),
    "agreement-pinned": (seen(lambda s: replace(s, agreement_digest=NO_DIGEST)),),
    "agreement-signed": (
        seen(signed_without_marlowe),
        seen(lambda s: replace(s, root_keys=frozenset())),
        seen(lambda s: replace(s, agreement_signers=s.agreement_signers - {key_of("ana@harbour")})),
    ),
    "deposit-pinned": (
        seen(lambda s: deposit_by(s, "bea@halden")),
        seen(deposit_of_another_agreement),
        told(active_with_other_bytes),
        told(lambda c: replace(c, filing=replace(c.filing, deposit=NO_DIGEST))),
    ),
    "custody-known": (
        seen(lambda s: custody_of(s, "licence-keys", None)),
        seen(lambda s: custody_of(s, "licence-keys", "docs")),
    ),
    "sealed-bytes-match": (
        seen(lambda s: sealed(s, licence_keys=None)),
        seen(lambda s: sealed(s, licence_keys=None, activation_rules="a byte differs")),
    ),
    "ledger-whole": (seen(lambda s: replace(s, ledger="the root differs")),),
    "ledger-extends-seen": (
        lambda agreement, claim, sight: (agreement, claim, contradicted(sight, claim.approvals[-1][0])),
        lambda agreement, claim, sight: (
            agreement,
            claim,
            contradicted(sight, claim.entries_of(Intake)[0][0]),
        ),
        lambda agreement, claim, sight: (agreement, claim, contradicted(sight, claim.entries[0])),
        lambda agreement, claim, sight: (
            agreement,
            claim,
            replace(sight, unextended=frozenset({claim.filing.deposit})),
        ),
    ),
    "not-halted": (seen(lambda s: replace(s, halted=True)),),
}
CASES: Final = [(premise, case) for premise, cases in FALSIFIED.items() for case in cases]


def test_sound_world_is_released_on_every_premise() -> None:
    decision = decide(facts()[0], facts()[1], CRITICAL, facts()[2])
    assert decision.released
    assert tuple(verdict.premise for verdict in decision.premises) == GENERATION_1.premises


@pytest.mark.parametrize(("premise", "falsify"), CASES)
def test_one_premise_falsified_is_the_one_that_is_unmet(
    premise: str, falsify: Callable[[Agreement, Claim, Sight], Facts]
) -> None:
    agreement, claim, sight = falsify(*facts())
    decision = decide(agreement, claim, CRITICAL, sight)
    assert not decision.released
    assert [verdict.premise for verdict in decision.unmet] == [premise]


def test_an_approval_whose_author_verified_another_log_is_left_out_and_named_if_others_suffice() -> None:
    agreement, claim, sight = facts()
    more = approved_by_dora(claim)
    extra = more.entries[-1]
    decision = decide(agreement, more, CRITICAL, contradicted(sight, extra))
    (verdict,) = (one for one in decision.premises if one.premise == "ledger-extends-seen")
    assert decision.released
    assert extra.signed.id in verdict.found


def test_a_premise_names_a_few_authors_of_another_log_and_counts_the_rest_so_that_it_can_be_read() -> None:
    agreement, claim, sight = facts()
    acts = frozenset(entry.signed.id for entry in claim.entries)
    assert len(acts) > ASTRAY_TOLD_MAX
    verdicts = decide(agreement, claim, CRITICAL, replace(sight, unextended=acts)).premises
    (found,) = (one.found for one in verdicts if one.premise == "ledger-extends-seen")
    assert found.endswith(f"and {len(acts) - ASTRAY_TOLD_MAX} more")
    assert found.count("sha256:") == ASTRAY_TOLD_MAX


def test_people_are_told_before_the_decision_who_had_verified_which_log() -> None:
    agreement, claim, _ = facts()
    entry, body = claim.approvals[-1]
    seen = LedgerSeen(size=4, root=some_digest(4))
    acted = replace(entry, signed=replace(entry.signed, body=replace(body, ledger_seen=seen)))
    entries = tuple(acted if one == entry else one for one in claim.entries)
    told = premises_to_tell(
        agreement,
        replace(claim, entries=entries),
        CRITICAL,
        at=facts()[2].at,
        unextended=frozenset({entry.signed.id}),
    )
    assert [verdict.premise for verdict in told] == [*GENERATION_1.recorded, "ledger-extends-seen"]
    assert not told[-1].holds
    assert (
        f"approval {entry.signed.id} by {body.person}, who had verified the root {seen.root}"
        in told[-1].found
    )


def test_every_premise_has_a_case() -> None:
    assert tuple(FALSIFIED) == GENERATION_1.premises


def test_every_premise_says_what_was_found() -> None:
    assert all(verdict.found for verdict in quorate().decision("critical").premises)


def test_provisional_access_needs_neither_notice_nor_window_but_all_else() -> None:
    world = World(engine_runs=False)
    world.files()
    world.accepts()
    world.approves("kim@kestrel")
    world.approves("tom@marlowe")
    assert world.decision("provisional").released
    unmet = [verdict.premise for verdict in world.decision("critical").unmet]
    assert unmet == [
        "notice-proven",
        "window-over",
        "window-sighted",
        "stage-in-order",
        "stage-open",
        "quorum-reached",
    ]


def test_gate_whose_clock_is_behind_does_not_believe_the_record() -> None:
    world = quorate()
    assert world.claim.window_until is not None
    decision = world.decision("critical", at=world.claim.window_until)
    assert "window-over" in [verdict.premise for verdict in decision.unmet]


def test_the_gate_releases_nothing_at_the_last_second_of_its_own_window_and_may_one_second_later() -> None:
    world = quorate()
    ends = sighted_end(world.agreement, world.claim)
    assert ends is not None
    for at, over in ((ends.at, False), (ends.at + timedelta(seconds=1), True)):
        unmet = [verdict.premise for verdict in world.decision("critical", at=at).unmet]
        assert ("window-sighted" not in unmet) is over


def test_no_jump_of_the_gates_clock_ends_a_window() -> None:
    world = play("bea files\nana accepts\ndora acknowledges\n= WINDOW")
    decision = world.decision("critical", at=world.now + timedelta(days=400))
    assert "window-over" in [verdict.premise for verdict in decision.unmet]
