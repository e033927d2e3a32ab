"""Dealing custody: once per epoch, to this gate alone, whatever is repeated or interrupted."""

from dataclasses import replace
from pathlib import Path

import pytest

from activities.gate.decide import GateActivities
from activities.gate.gate import NotThisGateError
from tallystick.crypto.custody.gate import CustodyRecipientError, gate_share
from tallystick.crypto.custody.sealed_share import ShareMisplacedError
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.agreement.agreement import NotInAgreementError
from tallystick.domain.deposit.recording import CustodyRefusedError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PersonId
from tallystick.domain.statements.custody import Custody
from tallystick.messages import DealCustody
from tallystick.store.database.session import reading
from tallystick.store.registers.agreements import NoSuchAgreementError
from tallystick.store.registers.custody import epochs, live_custody, missing_epochs, verified_custody
from tests.support.worlds.agreements import (
    DOCS,
    GATE_IDENTITY,
    LICENCE_KEYS,
    SOURCE,
    age_identity,
    signing_key,
)
from tests.support.worlds.gate_worlds import MONDAY, World, typed


class Stopped(BaseException):
    """The process was killed here."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(folder=tmp_path)
    world.register()
    return world


def ask(
    world: World, component: ComponentId = DOCS, epoch: int = 1, agreement: AgreementId | None = None
) -> DealCustody:
    return DealCustody(agreement=agreement or world.agreement.id, component=component, epoch=epoch)


def dealt(world: World) -> list[Custody]:
    with reading(world.database) as session:
        return [epoch.body for epoch in epochs(session, world.agreement.id)]


def share_of(world: World, custody: Custody) -> bytes:
    return b"".join(world.blobs.open_verified(custody.shares[0].sealed_digest).chunks)


def test_a_dealt_epoch_is_published_and_its_share_opens_for_the_gate(world: World) -> None:
    digest = world.gate(at=MONDAY).deal(ask(world))

    (custody,) = dealt(world)
    with reading(world.database) as session:
        assert dict(live_custody(session, world.agreement.id)) == {DOCS: digest}
        assert verified_custody(session, world.agreement.id, Digest(digest), DOCS).body == custody
    assert (custody.component, custody.epoch) == (DOCS, 1)
    assert gate_share(custody, share_of(world, custody), GATE_IDENTITY)


def test_dealing_again_leaves_the_first_dealing_standing(world: World) -> None:
    gate = world.gate(at=MONDAY)

    assert gate.deal(ask(world)) == gate.deal(ask(world))
    assert len(dealt(world)) == 1


def test_stopped_between_any_two_steps_one_epoch_is_dealt(world: World, tmp_path: Path) -> None:
    steps: list[str] = []
    world.copied_to(tmp_path / "whole").gate(at=MONDAY, tell=steps.append).deal(ask(world))
    assert steps == ["share dealt", "share stored", "epoch recorded"]
    for stopped_at in steps:
        there = world.copied_to(tmp_path / stopped_at)

        def stop(step: str, *, at: str = stopped_at) -> None:
            if step == at:
                raise Stopped

        with pytest.raises(Stopped):
            there.gate(at=MONDAY, tell=stop).deal(ask(world))
        there.gate(at=MONDAY).deal(ask(world))

        (custody,) = dealt(there)
        assert gate_share(custody, share_of(there, custody), GATE_IDENTITY)


def test_two_dealers_at_once_deal_one_epoch(world: World) -> None:
    inner: list[str] = []

    def meanwhile(step: str) -> None:
        if step == "share stored":
            inner.append(world.gate(at=MONDAY).deal(ask(world)))

    assert [world.gate(at=MONDAY, tell=meanwhile).deal(ask(world))] == inner
    assert len(dealt(world)) == 1


def test_only_the_next_epoch_of_a_component_without_a_live_one_is_dealt(world: World) -> None:
    gate = world.gate(at=MONDAY)
    with pytest.raises(CustodyRefusedError), typed():
        gate.deal(ask(world, epoch=2))
    gate.deal(ask(world))
    with pytest.raises(CustodyRefusedError), typed():
        gate.deal(ask(world, epoch=2))


def test_every_component_needs_its_first_epoch(world: World) -> None:
    def missing() -> list[tuple[str, int]]:
        with reading(world.database) as session:
            return list(missing_epochs(session, world.agreement.id, world.agreement))

    assert missing() == [(component.id, 1) for component in world.agreement.components]
    world.deal()
    assert missing() == []


def test_nothing_is_dealt_for_what_the_agreement_does_not_have(world: World) -> None:
    gate = world.gate(at=MONDAY)
    with pytest.raises(NotInAgreementError), typed():
        gate.deal(ask(world, component=ComponentId("nothing")))
    with pytest.raises(NoSuchAgreementError), typed():
        gate.deal(ask(world, agreement=AgreementId("nobodys")))


@pytest.mark.parametrize("holder", ["decision key", "identity"])
def test_another_gate_deals_nothing(world: World, holder: str) -> None:
    own = world.gate(at=MONDAY)
    keys = PrivateKeys(
        person=PersonId("gate@test"),
        signing_key=signing_key("stranger") if holder == "decision key" else own.keys.signing_key,
        age_identity=own.keys.age_identity if holder == "decision key" else age_identity("x").secret_text(),
    )
    other: GateActivities = replace(own, keys=keys)

    with pytest.raises(NotThisGateError), typed():
        other.deal(ask(world))
    assert dealt(world) == []


def test_an_agreement_that_no_root_key_signed_gets_no_custody(world: World) -> None:
    with pytest.raises(NotThisGateError), typed():
        world.gate(at=MONDAY, root_keys=frozenset({signing_key("stranger").public_key})).deal(ask(world))


def test_a_share_serves_no_other_component(world: World) -> None:
    gate = world.gate(at=MONDAY)
    for component in (SOURCE, LICENCE_KEYS):
        gate.deal(ask(world, component=component))
    source, keys = dealt(world)

    with pytest.raises(ShareMisplacedError):
        gate_share(keys, share_of(world, source), GATE_IDENTITY)


def test_a_statement_with_another_recipient_than_its_secret_makes_is_refused(world: World) -> None:
    world.gate(at=MONDAY).deal(ask(world))
    (custody,) = dealt(world)
    swapped = replace(custody, recipient=str(age_identity("thief").recipient()))

    with pytest.raises(CustodyRecipientError):
        gate_share(swapped, share_of(world, custody), GATE_IDENTITY)
