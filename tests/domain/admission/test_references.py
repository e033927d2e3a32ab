"""What a statement refers to is there, is of its kind, and is named once: the door follows references."""

from typing import Final

import pytest

from tallystick.domain.ids import ComponentId, StageId
from tallystick.domain.kinds import Authority, Happening, Kind, Outcome, ReceiptOutcome
from tallystick.domain.progress.due import due
from tallystick.domain.refusals import MisdirectedError, NotDueError, RulingIncompleteError
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.receipts import ReceivedComponent
from tests.support.stories.stories import play
from tests.support.worlds.groundwork import NO_DIGEST, some_digest
from tests.support.worlds.world import World

PROVISIONAL: Final = StageId("provisional")
DECIDED: Final = "bea files\nana accepts\nkim approves provisional\ntom approves provisional"


def received(*components: str) -> tuple[ReceivedComponent, ...]:
    return tuple(ReceivedComponent(component=ComponentId(one), sealed_digest=NO_DIGEST) for one in components)


def reports(world: World, outcome: ReceiptOutcome, *components: str) -> None:
    told = {
        "stage": PROVISIONAL,
        "outcome": outcome,
        "components": received(*components),
        "detail": "as told",
    }
    world.says(Kind.RECEIPT, "bea@halden", **told)


@pytest.mark.parametrize("outcome", ReceiptOutcome)
@pytest.mark.parametrize("components", [("source",), ("docs", "docs"), ("docs", "nothing")])
def test_a_receipt_names_components_of_its_stage_each_once(
    outcome: ReceiptOutcome, components: tuple[str, ...]
) -> None:
    world = play(DECIDED)
    with pytest.raises(MisdirectedError):
        reports(world, outcome, *components)


@pytest.mark.parametrize("components", [(), ("docs",)])
def test_what_failed_may_be_reported_as_far_as_it_came(components: tuple[str, ...]) -> None:
    world = play(DECIDED)
    reports(world, ReceiptOutcome.FAILED, *components)
    assert world.states()["provisional"] in {"FAILED", "ROLLED_BACK"}


def test_a_ruling_names_one_paper_by_one_name() -> None:
    world = play("bea files\nana accepts\ndora acknowledges\ndora objects")
    award = tuple(
        Document(name="award", plain_digest=some_digest(number), sealed_digest=some_digest(number))
        for number in (1, 2)
    )
    told = {"authority": Authority.ARBITRATION, "outcome": Outcome.REFUSE, "reason": "as awarded"}
    with pytest.raises(RulingIncompleteError) as refusal:
        world.says(Kind.RULING, "kim@kestrel", **told, documents=award)
    assert refusal.value.message == "two papers have one name"
    world.says(Kind.RULING, "kim@kestrel", **told, documents=award[:1])


def test_an_event_names_the_statement_that_it_follows_from() -> None:
    world = World(engine_runs=False)
    world.files()
    world.accepts()
    world.acknowledges()
    owed = due(world.agreement, world.claim, at=world.now)
    assert owed is not None
    assert owed.happening is Happening.WINDOW_OPENED
    told = {"happening": owed.happening, "stage": owed.stage, "until": owed.until, "because": owed.because}
    with pytest.raises(NotDueError):
        world.records(Kind.EVENT, **told, cause=NO_DIGEST)
    world.records(Kind.EVENT, **told, cause=owed.cause)
    assert world.claim.window_until == owed.until
