"""A receipt enters only if what it reports as active is what was deposited, byte for byte."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.receipts import Receipt
from tallystick.proof.reading import read_signed
from tallystick.store.cases.admission import admitted
from tallystick.store.database.session import reading
from tests.support.worlds.agreements import BEA, CRITICAL, PEOPLE
from tests.support.worlds.gate_worlds import READY, World
from tests.support.worlds.groundwork import NO_DIGEST
from tests.support.worlds.prepared_worlds import ready_world

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = ready_world(tmp_path_factory.mktemp("ready"))
    assert world.decide().outcome == "released"
    return world


def enters(world: World, outcome: ReceiptOutcome, **changed: object) -> None:
    first, *rest = world.received()
    components = (replace(first, **changed), *rest)  # type: ignore[arg-type]
    told = {"stage": CRITICAL, "outcome": outcome, "components": components, "detail": "as told"}
    body = world.body(Receipt, BEA, READY + HOUR, claim=world.claim, **told)
    signed = read_signed(world.signed(body, PEOPLE[BEA].signing_key), world.agreement)
    with reading(world.database) as session:
        assert admitted(session, world.case(), signed, READY + HOUR) is None


def test_what_was_deposited_is_reported_as_active(world: World) -> None:
    enters(world, ReceiptOutcome.ACTIVATED)


@pytest.mark.parametrize("member", ["sealed_digest", "manifest_digest"])
def test_other_bytes_are_not_reported_as_active(world: World, member: str) -> None:
    with pytest.raises(MisdirectedError) as refusal:
        enters(world, ReceiptOutcome.ACTIVATED, **{member: NO_DIGEST})
    assert refusal.value.facts["deposit"] == world.case().claim.filing.deposit


def test_what_failed_is_reported_with_whatever_came(world: World) -> None:
    enters(world, ReceiptOutcome.FAILED, sealed_digest=NO_DIGEST)
