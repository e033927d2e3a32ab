"""Drafts: what a person would sign, admissible as it is."""

from typing import cast

import pytest

from tallystick.domain.acts.all import NotDraftedError, draft
from tallystick.domain.bodies import read_body
from tallystick.domain.drafts.choices import Choices, DraftIncompleteError
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.kinds import Authority, Kind
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.acts import Approval, HoldLift
from tallystick.domain.statements.header import Document, OnClaim
from tallystick.domain.statements.receipts import Return
from tallystick.domain.statements.signed import write_body
from tests.support.stories.stories import play
from tests.support.worlds.agreements import ANA, BEA, DOCS, DORA, KIM, PEOPLE
from tests.support.worlds.world import World

IN_WINDOW = "bea files\nana accepts\ndora acknowledges"


def heading(world: World, person: PersonId) -> Heading:
    return Heading(
        terms=world.terms,
        claim=world.claim.digest,
        filing=world.claim.filing,
        person=person,
        issued_at=world.now,
        nonce=32 * "0",
    )


def drafted(world: World, kind: Kind, person: PersonId, **choices: object) -> OnClaim:
    return draft(kind, heading(world, person), world.claim, Choices(**choices))


@pytest.mark.parametrize(
    ("story", "kind", "person", "choices"),
    [
        ("bea files", Kind.INTAKE, ANA, {"accepted": True}),
        ("bea files", Kind.INTAKE, ANA, {"accepted": False, "reason": ("no licence",)}),
        ("bea files\nana accepts", Kind.NOTICE_ACKNOWLEDGEMENT, DORA, {}),
        (IN_WINDOW, Kind.OBJECTION, DORA, {"ground": "cured", "explanation": "It is repaired."}),
        (IN_WINDOW, Kind.APPROVAL, KIM, {"reason": "In order."}),
        (IN_WINDOW, Kind.APPROVAL, KIM, {"reason": "In order.", "stage": (StageId("source"),)}),
        (IN_WINDOW, Kind.DENIAL, KIM, {"reason": "No."}),
        (IN_WINDOW, Kind.WITHDRAWAL, BEA, {"reason": "cured", "explanation": "It is repaired."}),
        (IN_WINDOW, Kind.HOLD, KIM, {"reason": "Wait.", "stage": (StageId("source"),)}),
        (
            IN_WINDOW,
            Kind.RULING,
            KIM,
            {
                "authority": Authority.ARBITRATION,
                "outcome": "release",
                "reason": "Heard.",
                "document": (
                    Document(
                        name="award",
                        plain_digest=Digest("sha256:" + 64 * "0"),
                        sealed_digest=Digest("sha256:" + 64 * "0"),
                    ),
                ),
            },
        ),
    ],
)
def test_a_draft_is_admissible_once_it_is_signed(
    story: str, kind: Kind, person: PersonId, choices: dict[str, object]
) -> None:
    world = play(story)
    body = drafted(world, kind, person, **choices)
    assert read_body(kind, write_body(body)) == body
    envelope, _ = world.signs(kind, [PEOPLE[person].signing_key], body)
    assert world.submits(envelope).signed.body == body


def test_an_approval_counts_as_long_as_the_agreement_allows_unless_it_says_less() -> None:
    world = play(IN_WINDOW)
    longest = drafted(world, Kind.APPROVAL, KIM, reason="In order.")
    assert isinstance(longest, Approval)
    assert (longest.expires_at - world.now).days == 30
    sooner = drafted(world, Kind.APPROVAL, KIM, reason="In order.", expires_at=world.now)
    assert isinstance(sooner, Approval)
    assert sooner.expires_at == world.now


def test_an_approval_is_for_the_stage_that_waits_unless_it_names_others() -> None:
    world = play(IN_WINDOW)
    body = drafted(world, Kind.APPROVAL, KIM, reason="In order.")
    assert isinstance(body, Approval)
    assert body.stages == ("provisional",)
    named = drafted(world, Kind.APPROVAL, KIM, reason="In order.", stage=("critical", "source"))
    assert isinstance(named, Approval)
    assert named.stages == ("critical", "source")
    for person in (DORA, BEA):  # the quorum of the stage that waits names neither
        with pytest.raises(NotYoursError) as refused:
            drafted(world, Kind.APPROVAL, person, reason="In order.")
        assert refused.value.facts["waiting"] == ["provisional"]


def test_a_lift_is_for_the_only_open_hold_unless_it_names_one() -> None:
    world = play(IN_WINDOW)
    with pytest.raises(DraftIncompleteError):
        drafted(world, Kind.HOLD_LIFT, ANA, reason="Over.")
    hold = drafted(world, Kind.HOLD, KIM, reason="Wait.")
    envelope, _ = world.signs(Kind.HOLD, [PEOPLE[KIM].signing_key], hold)
    (placed,) = (world.submits(envelope).signed.id,)
    lift = drafted(world, Kind.HOLD_LIFT, ANA, reason="Over.")
    assert isinstance(lift, HoldLift)
    assert lift.hold == placed
    another = drafted(world, Kind.HOLD, ANA, reason="Wait longer.")
    envelope, _ = world.signs(Kind.HOLD, [PEOPLE[ANA].signing_key], another)
    world.submits(envelope)
    with pytest.raises(DraftIncompleteError) as refusal:
        drafted(world, Kind.HOLD_LIFT, ANA, reason="Over.")
    assert len(cast("list[str]", refusal.value.facts["standing"])) == 2


def test_a_return_is_for_all_that_was_released_unless_it_names_less() -> None:
    world = play("bea files\nana accepts\nkim approves provisional\ntom approves provisional")
    said = {"method": "shredded", "certificate": "so done"}
    for returned, expected in ((None, ("docs",)), ((DOCS,), ("docs",)), ((), ())):
        body = drafted(world, Kind.RETURN, BEA, component=returned, **said)
        assert isinstance(body, Return)
        assert body.components == expected


@pytest.mark.parametrize(
    ("kind", "choices", "missing"),
    [
        (Kind.INTAKE, {}, "accepted"),
        (Kind.INTAKE, {"accepted": False}, "reason"),
        (Kind.OBJECTION, {"ground": "cured", "explanation": " "}, "explanation"),
        (Kind.RETRACTION, {"reason": "mistaken"}, "of"),
        (Kind.RULING, {"outcome": "release", "reason": "x"}, "authority"),
        (Kind.JOINT_INSTRUCTION, {"outcome": "nonsense", "reason": "x"}, "outcome"),
        (Kind.APPROVAL, {}, "reason"),
        (Kind.WITHDRAWAL, {"reason": "whim", "explanation": "x"}, "reason"),
        (Kind.HOLD_LIFT, {"reason": "x"}, "of"),
        (Kind.RECEIPT, {"outcome": "activated", "explanation": "x"}, "stage"),
        (Kind.RETURN, {"method": "shredded"}, "certificate"),
    ],
)
def test_what_only_the_author_can_choose_is_asked_for(
    kind: Kind, choices: dict[str, object], missing: str
) -> None:
    with pytest.raises(DraftIncompleteError) as refusal:
        drafted(play(IN_WINDOW), kind, KIM, **choices)
    assert refusal.value.facts["missing"] == missing


@pytest.mark.parametrize("kind", [Kind.CLAIM, Kind.DEPOSIT, Kind.DECISION, Kind.EVENT, Kind.KEY_REVOCATION])
def test_what_is_not_an_act_is_not_drafted(kind: Kind) -> None:
    with pytest.raises(NotDraftedError):
        drafted(play(IN_WINDOW), kind, KIM)
