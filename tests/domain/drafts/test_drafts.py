"""Drafts: what a person would sign, admissible as it is, and shown from the very body."""

from dataclasses import replace

import pytest

from tallystick.domain.comparison_words import six_words
from tallystick.domain.drafts.drafts import (
    Choices,
    DraftIncompleteError,
    Heading,
    NotDraftedError,
    completed,
    draft,
)
from tallystick.domain.drafts.shown import shows
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.kinds import Authority, Kind
from tallystick.domain.statements.acts import Approval, Objection
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import OnClaim
from tallystick.domain.statements.orders import RulingDocument
from tallystick.domain.statements.receipts import ReceivedComponent, Return
from tallystick.domain.statements.signed import read_body, write_body
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
    chosen = Choices(**choices)  # type: ignore[arg-type]
    told = completed(kind, world.agreement, world.claim, person, chosen)
    return draft(kind, heading(world, person), told)


@pytest.mark.parametrize(
    ("story", "kind", "person", "choices"),
    [
        ("bea files", Kind.INTAKE, ANA, {"accepted": True}),
        ("bea files", Kind.INTAKE, ANA, {"accepted": False, "reasons": ("no licence",)}),
        ("bea files\nana accepts", Kind.NOTICE_ACKNOWLEDGEMENT, DORA, {}),
        (IN_WINDOW, Kind.OBJECTION, DORA, {"ground": "cured", "explanation": "It is repaired."}),
        (IN_WINDOW, Kind.APPROVAL, KIM, {"reason": "In order."}),
        (IN_WINDOW, Kind.APPROVAL, KIM, {"reason": "In order.", "stages": (StageId("source"),)}),
        (IN_WINDOW, Kind.DENIAL, KIM, {"reason": "No."}),
        (IN_WINDOW, Kind.WITHDRAWAL, BEA, {"reason": "cured", "explanation": "It is repaired."}),
        (IN_WINDOW, Kind.HOLD, KIM, {"reason": "Wait.", "stages": (StageId("source"),)}),
        (
            IN_WINDOW,
            Kind.RULING,
            KIM,
            {
                "authority": Authority.ARBITRATION,
                "outcome": "release",
                "reason": "Heard.",
                "documents": (RulingDocument(document="award", plain_digest=Digest("sha256:" + 64 * "0")),),
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


def test_an_approval_is_of_the_stages_in_which_its_author_has_a_leaf() -> None:
    world = play(IN_WINDOW)
    body = drafted(world, Kind.APPROVAL, DORA, reason="In order.")
    assert isinstance(body, Approval)
    assert body.stages == ("critical", "source")
    with pytest.raises(DraftIncompleteError):
        drafted(world, Kind.APPROVAL, BEA, reason="In order.")


def test_a_return_is_of_all_that_was_released_unless_it_names_less() -> None:
    world = play("bea files\nana accepts\nkim approves provisional\ntom approves provisional")
    said = {"method": "shredded", "certificate": "so done"}
    for returned, expected in ((None, ("docs",)), ((DOCS,), ("docs",)), ((), ())):
        body = drafted(world, Kind.RETURN, BEA, returned=returned, **said)
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
def test_what_is_no_act_is_not_drafted(kind: Kind) -> None:
    with pytest.raises(NotDraftedError):
        drafted(play(IN_WINDOW), kind, KIM)


def test_a_signer_reads_the_claim_the_condition_the_evidence_and_the_stages() -> None:
    world = play(IN_WINDOW)
    body = drafted(world, Kind.APPROVAL, KIM, reason="In order.", stages=(StageId("critical"),))
    told = "\n".join(shows(body, world.agreement, world.claim))
    filing = world.claim.filing
    assert isinstance(filing, ClaimFiling)
    for wanted in (
        world.claim.id,
        world.claim.digest,
        " ".join(six_words(world.claim.digest)),
        "Insolvency with disruption",
        "approve the release of critical",
        "licence-keys, activation-rules",
        filing.deposit,
        filing.declaration,
        *(document.plain_digest for document in filing.evidence),
    ):
        assert wanted in told


def test_what_is_shown_follows_the_body_and_not_what_was_asked_for() -> None:
    world = play(IN_WINDOW)
    body = drafted(world, Kind.OBJECTION, DORA, ground="cured", explanation="It is repaired.")
    assert isinstance(body, Objection)
    swapped = replace(body, explanation="Something else.", stages=(StageId("source"),))
    told = shows(swapped, world.agreement, world.claim)
    assert "ground cured: Something else." in told
    assert "scope: source" in told
    assert "scope: the whole claim" in shows(body, world.agreement, world.claim)


def test_a_body_about_another_claim_is_shown_as_one() -> None:
    world = play(IN_WINDOW)
    body = replace(drafted(world, Kind.DENIAL, KIM, reason="No."), claim=Digest("sha256:" + 64 * "1"))
    assert shows(body, world.agreement, world.claim)[1].startswith("WARNING")


def test_every_kind_that_is_drafted_is_shown() -> None:
    world = play(IN_WINDOW)
    some = Digest("sha256:" + 64 * "2")
    every: dict[str, object] = {
        "accepted": True,
        "ground": "cured",
        "explanation": "why",
        "reason": "cured",
        "of": some,
        "authority": Authority.COURT_ORDER,
        "outcome": "release",
        "stages": (StageId("critical"),),
        "method": "shredded",
        "certificate": "so done",
    }
    for kind in Kind:
        try:
            body = drafted(world, kind, KIM, **every)
        except (NotDraftedError, DraftIncompleteError):
            continue
        assert shows(body, world.agreement, world.claim)[0].startswith("You, kim@kestrel, ")
    received = (ReceivedComponent(component=world.agreement.components[0].id, sealed_digest=some),)
    receipt = drafted(world, Kind.RECEIPT, BEA, **{**every, "outcome": "failed", "components": received})
    assert f"received docs {some}" in shows(receipt, world.agreement, world.claim)
