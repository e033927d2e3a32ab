"""What a claim hands on from entry to entry is what its whole record says."""

from dataclasses import replace
from datetime import timedelta

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.lookups import Lookups, lookups_of
from tallystick.domain.claim.tally import Tally, tally_approvals, tally_denials
from tallystick.domain.ids import StageId
from tallystick.domain.record.fold import turns
from tests.support.stories.stories import play
from tests.support.worlds.world import World

STORY = """
bea files
ana accepts
dora acknowledges
dora objects
dora retracts the objection
kim approves critical
kim retracts the approval
kim approves critical
tom denies stage critical
"""


def told(lookups: Lookups) -> tuple[object, ...]:
    return (
        lookups.by_statement,
        lookups.by_body,
        lookups.by_signer,
        lookups.last_index,
        lookups.last_act,
        lookups.asked,
        lookups.digest,
    )


def counts(world: World, claim: Claim) -> list[object]:
    stage, late = StageId("critical"), world.now + timedelta(days=400)
    tallies: list[Tally] = [
        tally_denials(world.agreement, claim, stage),
        tally_denials(world.agreement, claim),
        tally_approvals(world.agreement, claim, stage, at=world.now),
        tally_approvals(world.agreement, claim, stage, at=late),
    ]
    standing = (claim.retracted, claim.settled, claim.lifted, claim.open_objections, claim.open_holds)
    return [*((tally.votes, tally.outstanding) for tally in tallies), *standing]


def test_each_turn_of_a_record_has_what_its_entries_say() -> None:
    world = play(STORY)
    seen = 0
    for turn in turns(world.terms, world.claim.entries):
        anew = replace(turn.claim)  # which looks at its entries itself
        assert told(turn.claim.lookups) == told(lookups_of(turn.claim.entries))
        assert counts(world, turn.claim) == counts(world, anew)
        seen += 1
    assert seen == len(world.claim.entries) > 8


def test_a_count_is_made_anew_when_an_approval_expires() -> None:
    world = play("bea files\nana accepts\ndora acknowledges\nkim approves critical")
    stage, claim = StageId("critical"), world.claim
    ((_, approval),) = claim.approvals
    for at, agreeing in ((approval.expires_at, 1), (approval.expires_at + timedelta(seconds=1), 0)) * 2:
        assert len(tally_approvals(world.agreement, claim, stage, at=at).agreeing) == agreeing
