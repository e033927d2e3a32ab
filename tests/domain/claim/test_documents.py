"""A claim's documents are those that its statements name, numbered for good as the record has them."""

from dataclasses import replace

import pytest

from tallystick.domain.claim.documents import documents_of
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Authority, Kind, Outcome
from tallystick.domain.refusals import DocumentsUnclearError, RulingIncompleteError
from tallystick.domain.statements.header import Document
from tallystick.limits.claims import DOCUMENTS_PER_ACT_MAX
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.world import World


def document(name: str) -> Document:
    return Document(name=name, plain_digest=some_digest(1), sealed_digest=some_digest(2))


def objects(world: World, *names: str) -> None:
    members = {"ground": "cured", "explanation": "It is cured.", "documents": tuple(map(document, names))}
    world.says(Kind.OBJECTION, "dora@nordwind", **members)


def notified() -> World:
    world = World()
    world.files()
    world.accepts()
    world.acknowledges()
    return world


def test_documents_keep_their_numbers_while_statements_bring_more() -> None:
    world = notified()
    first = documents_of(world.claim)
    objects(world, "receipt", "letter")
    world.says(Kind.HOLD, "ana@harbour", reason="An injunction.", documents=(document("order"),))
    found = documents_of(world.claim)
    assert found[: len(first)] == first
    assert [(one.number, one.document.name, one.kind, one.person) for one in found[len(first) :]] == [
        (len(first) + 1, "receipt", Kind.OBJECTION, "dora@nordwind"),
        (len(first) + 2, "letter", Kind.OBJECTION, "dora@nordwind"),
        (len(first) + 3, "order", Kind.HOLD, "ana@harbour"),
    ]


@pytest.mark.parametrize(
    "names", [("a", "a"), (" ",), tuple(map(str, range(DOCUMENTS_PER_ACT_MAX + 1)))], ids=str
)
def test_documents_that_nobody_could_tell_apart_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(DocumentsUnclearError):
        objects(notified(), *names)


def test_as_many_as_may_be_are_taken() -> None:
    world = notified()
    objects(world, *map(str, range(DOCUMENTS_PER_ACT_MAX)))
    assert len(documents_of(world.claim)) >= DOCUMENTS_PER_ACT_MAX


def test_one_sealed_file_may_be_brought_by_two_statements() -> None:
    world = notified()
    objects(world, "receipt")
    world.says(Kind.HOLD, "ana@harbour", reason="An injunction.", documents=(document("receipt"),))
    last = documents_of(world.claim)[-2:]
    assert last[0].document == last[1].document
    assert replace(last[0], number=0) != replace(last[1], number=0)


def disputed() -> World:
    world = notified()
    objects(world, "receipt")
    return world


def rules(world: World, outcome: Outcome, *rests_on: Digest) -> None:
    members = {"authority": Authority.ARBITRATION, "outcome": outcome, "reason": "Heard."}
    award = (replace(document("award"), plain_digest=some_digest(7)),)
    world.says(Kind.RULING, "kim@kestrel", **members, documents=award, rests_on=rests_on)


def test_an_order_to_release_rests_on_documents_of_this_claim_alone() -> None:
    for rests_on in ([some_digest(9)], [some_digest(1), some_digest(1)]):
        with pytest.raises(RulingIncompleteError):
            rules(disputed(), Outcome.RELEASE, *rests_on)
    world = disputed()
    rules(world, Outcome.RELEASE, some_digest(1))
    assert documents_of(world.claim)[-1].document.name == "award"


def test_an_order_to_refuse_is_taken_whatever_it_says_that_it_rests_on() -> None:
    world = disputed()
    rules(world, Outcome.REFUSE, some_digest(9))
    assert world.claim.state is ClaimState.REFUSED
