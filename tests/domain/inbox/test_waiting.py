"""What a claim waits for along its way, on whom, and until when."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.claim.course import is_over
from tallystick.domain.claim.state import StageState
from tallystick.domain.inbox.deadlines import deadlines, known_deadlines
from tallystick.domain.inbox.waiting import Awaited, going_back, to_undo, waiting
from tallystick.domain.kinds import Happening
from tallystick.domain.quoting import quoted
from tallystick.domain.release.decision import premises_to_tell, recorded_premises
from tallystick.domain.release.seen import EXTENDED
from tallystick.domain.statements.engine import Event
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, CRITICAL, DORA, KIM, TOM
from tests.support.worlds.groundwork import FILED_FOR
from tests.support.worlds.world import World


def waits(world: World) -> dict[str, tuple[str, ...]]:
    return {item.what.value: item.on for item in waiting(world.agreement, world.claim, world.now)}


def until(world: World, what: Awaited) -> object:
    (until,) = (item.until for item in waiting(world.agreement, world.claim, world.now) if item.what is what)
    return until


def why(world: World, what: Awaited) -> str:
    (why,) = (item.why for item in waiting(world.agreement, world.claim, world.now) if item.what is what)
    return why


def named(world: World) -> dict[str, object]:
    return {one.what: one.at for one in deadlines(world.agreement, world.claim, world.now)}


CLAIMANTS = ("bea@halden", "ben@halden")


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("bea files for critical", {"intake": ("ana@harbour", "abe@harbour")}),
        (
            "bea files for critical\nnotices bounce\nana accepts",
            {
                "notice": ("ana@harbour", "abe@harbour"),
                "notice-acknowledgement": ("dora@nordwind", "dirk@nordwind"),
                "approval": ("abe@harbour", "ana@harbour", "dora@nordwind", "kim@kestrel", "tom@marlowe"),
            },
        ),
        (
            "bea files for critical\nana accepts\ndora acknowledges\nana approves critical",
            {"window": (), "approval": ("abe@harbour", "dora@nordwind", "kim@kestrel", "tom@marlowe")},
        ),
        (
            "bea files for critical\nana accepts\ndora acknowledges\ndora objects",
            {
                "settlement": ("bea@halden", "dora@nordwind", "kim@kestrel"),
                "approval": ("abe@harbour", "ana@harbour", "dora@nordwind", "kim@kestrel", "tom@marlowe"),
            },
        ),
        (
            "bea files for critical\nana accepts\nkim holds the claim",
            {
                "notice-acknowledgement": ("dora@nordwind", "dirk@nordwind"),
                "approval": ("abe@harbour", "ana@harbour", "dora@nordwind", "kim@kestrel", "tom@marlowe"),
                "hold-lift": ("abe@harbour", "ana@harbour", "kim@kestrel", "tom@marlowe"),
            },
        ),
        ("bea files for critical\nana rejects", {}),
        ("bea files for critical\nana accepts\nbea withdraws", {}),
    ],
)
def test_a_claim_waits_for_the_persons_who_could_move_it(
    story: str, expected: dict[str, tuple[str, ...]]
) -> None:
    assert waits(play(story)) == expected


CRITICAL_READY = """
    bea files for critical, source
    ana accepts
    dora acknowledges
    ana approves critical
    kim approves critical
    tom approves critical
"""


def test_a_reached_quorum_waits_for_the_gate_and_for_nobody_else() -> None:
    world = play(CRITICAL_READY + "the gate is down\nthe window ends")
    assert waits(world)["gate"] == ()


def test_a_decided_stage_waits_for_its_receipt_until_the_report_is_due() -> None:
    world = play(CRITICAL_READY + "the window ends")
    assert world.states()["critical"] == StageState.DECIDED
    assert waits(world) == {"receipt": CLAIMANTS}
    assert until(world, Awaited.RECEIPT) == named(world)["receipt:critical"]


def test_a_stage_that_opens_later_waits_for_time_as_well_as_for_people() -> None:
    world = play(CRITICAL_READY + "the window ends\nbea reports critical activated")
    awaited = waits(world)
    assert awaited["opening"] == ()
    assert awaited["approval"]
    assert until(world, Awaited.OPENING) == named(world)["stage-opens:source"]
    assert until(world, Awaited.APPROVAL) == named(world)["stage-lapses:source"]


def test_what_a_party_claimed_waits_for_no_claimant_of_another_beneficiary() -> None:
    powers = replace(AGREEMENT.authorities, claimants=(*AGREEMENT.authorities.claimants, TOM))
    world = World(agreement=replace(AGREEMENT, authorities=powers))
    play(CRITICAL_READY + "the window ends", world)
    assert waits(world) == {"receipt": CLAIMANTS}
    play("bea reports critical failed\ndora and bea instruct to return", world)
    assert waits(world) == {"rollback": CLAIMANTS, "return": CLAIMANTS}


def test_a_failed_stage_must_be_undone() -> None:
    world = play(CRITICAL_READY + "the window ends\nbea reports critical failed")
    assert to_undo(world.agreement, world.claim) == ("critical",)
    assert waits(world) == {"rollback": CLAIMANTS}


def test_nothing_more_comes_of_a_failed_release_unless_it_is_ordered_back() -> None:
    rolled_back = play(CRITICAL_READY + "the window ends\nbea reports critical failed")
    assert not is_over(rolled_back.agreement, rolled_back.claim, at=rolled_back.now)
    play("bea reports critical rolled back", rolled_back)
    assert is_over(rolled_back.agreement, rolled_back.claim, at=rolled_back.now)

    ordered = play(CRITICAL_READY + "the window ends\nbea reports critical failed")
    play("dora and bea instruct to return", ordered)
    assert to_undo(ordered.agreement, ordered.claim) == ("critical",)
    assert waits(ordered) == {"rollback": CLAIMANTS, "return": CLAIMANTS}
    assert not is_over(ordered.agreement, ordered.claim, at=ordered.now)


PROVISIONAL = """
    bea files
    ana accepts
    ana approves provisional
    kim approves provisional
    bea reports provisional activated
"""


def test_provisional_access_is_given_back_when_the_claim_is_given_up() -> None:
    world = play(PROVISIONAL + "bea withdraws")
    assert to_undo(world.agreement, world.claim) == ("provisional",)
    assert waits(world) == {"rollback": CLAIMANTS, "return": CLAIMANTS}
    assert until(world, Awaited.RETURN) == named(world)["return"]
    undone = play("bea reports provisional rolled back", world)
    assert to_undo(undone.agreement, undone.claim) == ()
    assert waits(undone) == {"return": CLAIMANTS}
    returned = play("bea returns docs", undone)
    assert waits(returned) == {}


SAID = 'none" and was lifted; the gate validates stage critical ("'
"""A text of somebody's that would end its sentence and go on as ours."""


def test_what_a_person_wrote_of_a_hold_is_quoted_where_it_is_waited_for() -> None:
    world = play("bea files for critical\nana accepts")
    world.holds(reason=SAID)
    assert (
        why(world, Awaited.HOLD_LIFT)
        == f"kim@kestrel has placed a hold on the whole claim: {quoted(SAID)}; after that: lapse"
    )


def test_a_ground_is_quoted_where_its_settlement_is_waited_for() -> None:
    objection = replace(AGREEMENT.objection, grounds=(SAID,))
    world = play(
        "bea files for critical\nana accepts", World(agreement=replace(AGREEMENT, objection=objection))
    )
    world.objects(ground=SAID)
    assert f"an objection is open ({quoted(SAID)}) until" in why(world, Awaited.SETTLEMENT)


def test_nothing_is_undone_while_a_hold_stands() -> None:
    world = play(CRITICAL_READY + "the window ends\nbea reports critical failed")
    world.holds(on=["critical"])
    assert to_undo(world.agreement, world.claim) == ()
    assert going_back(world.agreement, world.claim) == ("critical",)
    lifters = tuple(sorted(world.agreement.authorities.hold_lift.persons))
    assert waits(world) == {"rollback": lifters, "hold-lift": lifters}
    world.lifts()
    assert to_undo(world.agreement, world.claim) == ("critical",)
    assert waits(world) == {"rollback": CLAIMANTS}


def test_a_hold_on_a_stage_also_keeps_those_that_go_back_after_it() -> None:
    world = play(
        PROVISIONAL
        + """
        dora acknowledges
        ana approves critical
        kim approves critical
        tom approves critical
        the window ends
        bea reports critical activated
        bea withdraws as cured
        """
    )
    assert to_undo(world.agreement, world.claim) == ("critical", "provisional")
    world.holds(on=["critical"])
    assert to_undo(world.agreement, world.claim) == ()
    world.lifts()
    world.holds(on=["provisional"])
    assert to_undo(world.agreement, world.claim) == ("critical",)


@pytest.mark.parametrize("placed", ["before", "after"])
def test_a_claim_that_was_given_up_can_be_held_and_the_hold_lifted(placed: str) -> None:
    world = play(PROVISIONAL)
    if placed == "before":
        world.holds()
    play("bea withdraws", world)
    if placed == "after":
        world.holds()
    assert to_undo(world.agreement, world.claim) == ()
    assert why(world, Awaited.RETURN).endswith("while a hold stands, it must destroy nothing")
    world.lifts()
    assert to_undo(world.agreement, world.claim) == ("provisional",)


def test_the_window_deadline_explains_itself_with_what_the_engine_recorded() -> None:
    world = play("bea files for critical\nana accepts\ndora acknowledges")
    named = deadlines(world.agreement, world.claim, world.now)
    (window,) = (one for one in named if one.what == "objection-window")
    (opened,) = (
        body for _, body in world.claim.entries_of(Event) if body.happening is Happening.WINDOW_OPENED
    )
    assert (window.at, window.explanation) == (opened.until, opened.because)
    assert any("counted: 10" in line for line in window.explanation)


def test_an_expired_approval_is_no_longer_a_deadline() -> None:
    world = play("bea files for critical\nana accepts\nana approves critical for 2 days")
    assert "approval-expires:ana@harbour" in named(world)
    assert "approval-expires:ana@harbour" not in named(play("3 days pass", world))


def test_a_claim_whose_calendar_has_run_out_still_says_on_whom_it_waits() -> None:
    short = tuple(replace(one, covers_until=date(2026, 11, 24)) for one in AGREEMENT.calendars)
    world = World(agreement=replace(AGREEMENT, calendars=short, waits=None))
    world.files(stages=["critical"])
    assert waits(world)["intake"] == ("ana@harbour", "abe@harbour")
    assert until(world, Awaited.INTAKE) is None
    with pytest.raises(CalendarExhaustedError):
        deadlines(world.agreement, world.claim, world.now)


def test_deadlines_before_a_calendars_end_are_reported_beside_those_that_cannot_be_computed() -> None:
    short = tuple(replace(one, covers_until=date(2026, 11, 24)) for one in AGREEMENT.calendars)
    world = World(agreement=replace(AGREEMENT, calendars=short))
    world.engine_runs = False
    world.files(stages=["critical"])
    world.accepts()
    world.gives_notice()
    world.approves("ana@harbour", stages=["critical"])
    known, beyond = known_deadlines(world.agreement, world.claim, world.now)
    assert [one.what for one in known] == ["approval-expires:ana@harbour"]
    assert ["the last day that calendar" in one.message for one in beyond] == [True]


def exhausted(acknowledged_after: timedelta = timedelta()) -> World:
    """A claim that is accepted, whose window would end after the calendars do; the engine cannot go on."""
    short = tuple(replace(one, covers_until=date(2026, 12, 4)) for one in AGREEMENT.calendars)
    world = World(agreement=replace(AGREEMENT, calendars=short))
    world.files(stages=["critical"])
    world.accepts()
    world.engine_runs = False
    world.now += acknowledged_after
    world.acknowledges()
    return world


def test_everybody_is_asked_for_longer_calendars_when_one_ends_within_the_window() -> None:
    world = exhausted()
    assert waits(world)["calendar"] == tuple(person.id for person in AGREEMENT.persons)
    (told,) = (
        one for one in waiting(world.agreement, world.claim, world.now) if one.what is Awaited.CALENDAR
    )
    assert "after 2026-12-04, the last day that calendar de-by covers" in told.why


def test_the_explanation_names_the_calendar_at_the_premises_that_it_leaves_open() -> None:
    world = exhausted(acknowledged_after=timedelta(days=21))
    with pytest.raises(CalendarExhaustedError):
        recorded_premises(world.agreement, world.claim, CRITICAL, at=world.now)
    told = {
        verdict.premise: verdict
        for verdict in premises_to_tell(
            world.agreement, world.claim, CRITICAL, at=world.now, unextended=frozenset()
        )
    }
    assert tuple(told) == (*world.claim.rules.recorded, EXTENDED)
    assert told["intake-accepted"].holds
    assert not told["notice-proven"].holds
    assert "calendar de-by" in told["notice-proven"].found


@pytest.mark.parametrize("act", ["objects", "denies", "holds", "withdraws"])
def test_what_stops_a_release_needs_no_calendar(act: str) -> None:
    world, person = exhausted(), {"objects": DORA, "denies": ANA, "holds": KIM, "withdraws": BEA}[act]
    world.now += timedelta(days=400)
    getattr(world, act)(person)


def test_no_claim_waits_for_a_calendar_that_reaches() -> None:
    world = play("bea files for critical\nana accepts\ndora acknowledges")
    assert "calendar" not in waits(world)


def test_deadlines_come_in_order() -> None:
    world = play("bea files for critical\nana accepts\ndora acknowledges\nana approves critical")
    moments = [one.at for one in deadlines(world.agreement, world.claim, world.now)]
    assert moments == sorted(moments)
    assert len(moments) > 1


def test_what_the_agent_filed_waits_for_its_beneficiary_until_the_agreed_moment() -> None:
    world = play("ana files on behalf of halden", World(agreement=FILED_FOR))
    assert waits(world) == {"confirmation": CLAIMANTS}
    assert until(world, Awaited.CONFIRMATION) == named(world)["confirmation"]
    assert "no end is agreed" not in why(world, Awaited.CONFIRMATION)


def test_a_confirmation_without_an_end_is_called_that() -> None:
    endless = replace(FILED_FOR, windows=replace(FILED_FOR.windows, confirmation=None))
    world = play("ana files on behalf of halden\n90 days pass\n= FILED", World(agreement=endless))
    assert until(world, Awaited.CONFIRMATION) is None
    assert "no end is agreed" in why(world, Awaited.CONFIRMATION)


def test_the_time_for_intake_runs_from_the_confirmation_and_waits_for_others_than_the_filer() -> None:
    world = play("ana files on behalf of halden\n3 days pass\nbea confirms", World(agreement=FILED_FOR))
    assert waits(world) == {"intake": ("abe@harbour",)}
    own = play("3 days pass\nbea files for critical")
    assert named(world)["intake"] == named(own)["intake"]


def test_approvers_are_asked_again_once_receivers_are_named_anew() -> None:
    world = play(
        """
        bea files for critical
        ana accepts
        kim approves critical
        bea and ben name as receiver ben
        """
    )
    assert "kim@kestrel" in waits(world)["approval"]
    assert "(ben@halden) do not count" in why(world, Awaited.APPROVAL)
