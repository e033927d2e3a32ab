"""A proof of service enters only if its paper is in the stores, sent by the party that states it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.domain.agreement.windows import IntakeEnd, IntakeWait, Waits
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.kinds import ServiceMethod
from tallystick.domain.periods import Period
from tallystick.domain.refusals import PapersMissingError
from tallystick.domain.statements.acts import ProofOfService
from tallystick.domain.statements.header import Document
from tallystick.proof.reading import read_signed
from tallystick.store.cases.admission import admitted
from tallystick.store.database.session import reading
from tests.support.worlds.agreements import ABE, AGREEMENT, ANA, BEA, PEOPLE, agreement
from tests.support.worlds.gate_worlds import FILED, World
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.prepared_worlds import deposited, prepared_world

LATER = FILED + timedelta(days=1, seconds=1)
PAPER = b"a courier's slip, sealed"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A claim that was taken in unchecked, so that both persons of the agent may prove service."""
    folder: Path = tmp_path_factory.mktemp("unchecked")
    windows = replace(AGREEMENT.windows, intake=Period("P1D"))
    unchecked = agreement(waits=Waits(intake=IntakeWait(then=IntakeEnd.GO_ON)), windows=windows)
    prepared = prepared_world(folder, first=unchecked)
    claimed = prepared.file(deposited(prepared))
    claimed.settle(LATER)
    assert claimed.case().claim.state is ClaimState.ACCEPTED
    return claimed


def enters(world: World, sealed_digest: str) -> None:
    paper = Document(name="slip", plain_digest=some_digest(1), sealed_digest=sealed_digest)  # type: ignore[arg-type]
    said = {"method": ServiceMethod.COURIER, "served_on": LATER.date(), "documents": (paper,)}
    body = world.body(ProofOfService, ANA, LATER, claim=world.claim, **said)
    keys = (PEOPLE[person].signing_key for person in (ANA, ABE))
    signed = read_signed(world.signed(body, *keys), world.agreement)
    with reading(world.database) as session:
        admitted(session, world.case(), signed, LATER)


def test_a_paper_that_nobody_sent_proves_nothing(world: World) -> None:
    with pytest.raises(PapersMissingError) as refusal:
        enters(world, some_digest(2))
    assert refusal.value.facts["missing"] == [{"name": "slip", "sealed_digest": some_digest(2)}]


def test_a_paper_that_another_party_sent_proves_nothing(world: World) -> None:
    with pytest.raises(PapersMissingError):
        enters(world, world.uploads(b"of the bank", BEA))


def test_a_paper_that_the_agent_sent_proves_service(world: World) -> None:
    enters(world, world.uploads(PAPER, ABE))
