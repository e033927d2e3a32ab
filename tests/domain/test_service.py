"""Proof of service: who may prove it, when it can be true, and from when the window runs.

The escrow agent of the sound agreement has two persons, so in most stories its claim is taken in unchecked.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.agreement.windows import IntakeEnd, IntakeWait, Waits
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.codec import instant_text
from tallystick.domain.inbox.deadlines import deadlines
from tallystick.domain.notice.letter import claim_letter
from tallystick.domain.notice.proof import proof_of_notice
from tallystick.domain.notice.sighting import sighting_of
from tallystick.domain.periods import Period
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.statements.engine import Sighting
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, agreement
from tests.support.worlds.groundwork import FILED_FOR
from tests.support.worlds.world import World

UNCHECKED: Final = agreement(
    waits=Waits(intake=IntakeWait(then=IntakeEnd.GO_ON)),
    windows=replace(AGREEMENT.windows, intake=Period("P1D")),
    notice=replace(AGREEMENT.notice, deemed_after=None),
)
TWO_AGENTS: Final = replace(
    UNCHECKED,
    authorities=FILED_FOR.authorities,
    parties=tuple(
        replace(one, role=Role.ESCROW_AGENT) if one.id == "marlowe" else one for one in AGREEMENT.parties
    ),
)
TAKEN_IN: Final = "bea files for critical\n1 day passes\n1 second passes\n= ACCEPTED\n"
SERVED: Final = f"{TAKEN_IN}2 days pass\nana and abe prove service 1 days ago\n= WINDOW\n"
APPROVED: Final = "ana approves critical\nkim approves critical\ntom approves critical\n"

STORIES: Final[tuple[tuple[str, Agreement, str], ...]] = (
    (
        "two persons of the agent prove that notice was served, and the claim goes on as any other",
        UNCHECKED,
        f"{SERVED}the window ends\n= APPROVAL\n{APPROVED}= PROVISIONING; critical DECIDED",
    ),
    (
        "service proves what no channel took",
        UNCHECKED,
        f"notices bounce\n{TAKEN_IN}ana and abe prove service\n= WINDOW",
    ),
    ("one person proves no service", UNCHECKED, f"{TAKEN_IN}! not-authorised-to-state: ana proves service"),
    (
        "persons of another party prove no service, alone or with the agent",
        UNCHECKED,
        f"""
        {TAKEN_IN}
        ! not-authorised-to-state: kim and tom prove service
        ! not-authorised-to-state: ana and kim prove service
        ! not-authorised-to-state: ana, abe and bea prove service
        = ACCEPTED
        """,
    ),
    (
        "whoever took the claim in proves no service of it",
        AGREEMENT,
        "bea files for critical\nana accepts\n! not-authorised-to-state: ana and abe prove service",
    ),
    (
        "whoever filed the claim for another proves no service of it",
        TWO_AGENTS,
        """
        abe files on behalf of halden
        bea confirms
        ana accepts
        ! not-authorised-to-state: abe and tom prove service
        """,
    ),
    (
        "others of the agent prove service of a claim that a colleague took in",
        TWO_AGENTS,
        "bea files for critical\nana accepts\nabe and tom prove service\n= WINDOW",
    ),
    (
        "service on a day to come, or before the claim was taken in, is none",
        UNCHECKED,
        f"""
        {TAKEN_IN}
        2 days pass
        ! service-day: ana and abe prove service 1 days ahead
        ! service-day: ana and abe prove service 3 days ago
        ana and abe prove service 2 days ago
        = WINDOW
        """,
    ),
    (
        "service without a paper is none",
        UNCHECKED,
        f"{TAKEN_IN}! documents-missing: ana and abe proves service without a paper",
    ),
    (
        "service before the claim was taken in is too early to prove",
        UNCHECKED,
        "bea files for critical\n! claim-wrong-state: ana and abe prove service",
    ),
)


@pytest.mark.parametrize(("agreed", "tells"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES])
def test_story(agreed: Agreement, tells: str) -> None:
    play(tells, World(agreement=agreed))


def test_the_window_runs_from_the_proof_and_not_from_the_day_of_service() -> None:
    served, acknowledged = World(agreement=UNCHECKED), World(agreement=UNCHECKED)
    play(SERVED, served)
    play(f"{TAKEN_IN}2 days pass\ndora acknowledges\n= WINDOW", acknowledged)
    assert served.claim.window_until == acknowledged.claim.window_until
    assert any(
        one.explanation[0].startswith("served on") for one in deadlines(UNCHECKED, served.claim, served.now)
    )


def test_the_earliest_proof_counts() -> None:
    world = play(f"{SERVED}dora acknowledges", World(agreement=UNCHECKED))
    proof = proof_of_notice(UNCHECKED, world.claim, at=world.now)
    assert proof is not None
    assert proof.by.signed.id == world.claim.window_opened_by


def test_letters_go_out_although_others_say_that_notice_was_served() -> None:
    world = play(f"notices bounce\n{TAKEN_IN}ana and abe prove service\n= WINDOW", World(agreement=UNCHECKED))
    play("notices arrive\n2 days pass\n= WINDOW", world)
    assert any(one.taken for _, body in world.claim.notices for one in body.channels)
    sent = len(world.claim.notices)
    play("5 days pass", world)
    assert len(world.claim.notices) == sent, "what arrived is not sent again"


def test_letters_go_out_after_the_window_that_others_opened_and_end_when_the_depositor_speaks() -> None:
    world = play(f"notices bounce\n{TAKEN_IN}ana and abe prove service", World(agreement=UNCHECKED))
    play("the window ends\n= APPROVAL", world)
    assert notice_due_at(UNCHECKED, world.claim) is not None
    play("dora acknowledges", world)
    assert notice_due_at(UNCHECKED, world.claim) is None


def test_a_proof_before_the_first_letter_does_not_spare_it() -> None:
    world = play("bea files for critical\n1 day passes", World(agreement=UNCHECKED))
    world.engine_runs = False
    world.passes(timedelta(seconds=1))
    world.happens()
    play("= ACCEPTED\nana and abe prove service", world)
    assert not world.claim.notices
    world.engine_runs = True
    world.settles()
    assert (world.claim.state, len(world.claim.notices)) == (ClaimState.WINDOW, 1)


def test_a_letter_into_a_running_window_names_its_end() -> None:
    world = play(f"notices bounce\n{TAKEN_IN}ana and abe prove service", World(agreement=UNCHECKED))
    assert world.claim.window_until is not None
    letter = claim_letter(UNCHECKED, world.claim, at=world.now)
    assert f"The last moment to object by that is {instant_text(world.claim.window_until)}." in letter
    assert "The time runs only from your confirmation" not in letter


@pytest.mark.parametrize("owner", ["ana", "abe"])
def test_service_that_a_stolen_key_signed_proves_no_notice(owner: str) -> None:
    world = play(f"{SERVED}the window ends\n{owner} revokes their own key", World(agreement=UNCHECKED))
    assert "notice-proven" in {one.premise for one in world.decision("critical").unmet}


def test_the_gate_signs_when_it_saw_the_proof_however_early_it_saw_a_letter() -> None:
    world = play(f"{TAKEN_IN}2 days pass\nthe gate is down", World(agreement=UNCHECKED))
    play("ana and abe prove service\n= WINDOW", world)
    assert world.claim.entries_of(Sighting), "it had seen the letter"
    assert sighting_of(world.claim) is None
    late = timedelta(days=6)
    world.passes(late)
    play("the gate works\nthe window ends\n= WINDOW", world)
    sighting = sighting_of(world.claim)
    assert sighting is not None
    assert sighting.notice == world.claim.window_opened_by
