"""Evidence of a claim that the agent filed: offline, too, nothing goes without confirmation and receivers."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.crypto.envelope import sign
from tallystick.domain.ids import PartyId, PersonId
from tallystick.domain.statements.acts import Confirmation, Intake, NoticeAcknowledgement, ReceiversNamed
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import write_body
from tallystick.proof.evidence.verify import verify
from tallystick.proof.reading import read_signed
from tallystick.store.cases.casefile import RecordUnreadableError
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tallystick.store.registers import claims
from tests.support.worlds.agreements import (
    ABE,
    ANA,
    BEA,
    BEN,
    DECISION_KEY,
    DORA,
    KIM,
    LOG_KEY,
    PEOPLE,
    TOM,
    receivers,
)
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, FILED, READY, ROOT_KEYS, World
from tests.support.worlds.groundwork import FILED_FOR
from tests.support.worlds.prepared_worlds import deposited, prepared_world

HOUR = timedelta(hours=1)


def filed_for_halden(world: World) -> World:
    """Ana files for the bank; the documents are hers."""
    documents = world.documents(FILED, sender=ANA)
    own = read_signed(world.filing(deposited(world), evidence=documents), world.agreement).body
    assert isinstance(own, ClaimFiling)
    body = replace(own, person=ANA, for_=PartyId("halden"), receivers=(), declaration=None)
    envelope = world.signed(body, PEOPLE[ANA].signing_key)
    with transaction(world.database) as session:
        claims.file(session, envelope, FILED)
    return replace(world, claim=read_signed(envelope, world.agreement).id)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A claim that the bank has confirmed, and whose quorum is there once its receivers were named anew."""
    world = filed_for_halden(prepared_world(tmp_path_factory.mktemp("ready") / "world", first=FILED_FOR))
    said = {"declaration": "Support has ceased.", "receivers": receivers(BEA)}
    confirmation = world.say(Confirmation, BEA, FILED + HOUR, **said)
    world.say(Intake, ABE, FILED + HOUR, accepted=True)
    world.notify(FILED + HOUR)
    world.sight(FILED + HOUR)
    world.say(NoticeAcknowledgement, DORA, ACKNOWLEDGED)
    world.settle(ACKNOWLEDGED)
    named = world.body(
        ReceiversNamed, BEA, ACKNOWLEDGED, claim=world.claim, receivers=receivers(BEN, BEA), reason="both"
    )
    world.record(world.signed(named, *(PEOPLE[one].signing_key for one in (BEA, BEN))), ACKNOWLEDGED)
    for person in (ABE, KIM, TOM):
        world.approve(person, READY - timedelta(days=3), confirmation=confirmation)
    world.settle(READY - HOUR)
    world.sign_checkpoint()
    return world


def exported(world: World) -> bytes:
    with transaction(world.database) as session:
        return export(session, world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=READY)


def test_the_release_verifies_offline_and_says_who_confirmed_and_who_receives(
    ready: World, tmp_path: Path
) -> None:
    world = ready.copied_to(tmp_path / "world")
    assert world.decide().outcome == "released"
    (decision,) = (body for _, body in world.case().claim.entries_of(DecisionStatement))
    found = {verdict.premise: verdict.found for verdict in decision.premises}
    assert found["claim-confirmed"] == "confirmed by bea@halden for halden"
    assert found["receivers-named"] == "sealed to ben@halden, bea@halden"
    report = verify(exported(world), trust=world.digest)
    assert (report.holds, report.state) == (True, "PROVISIONING")


@pytest.mark.parametrize("revoked", [BEA, BEN])
def test_a_release_that_a_stolen_gate_key_signs_against_the_record_is_believed_by_nobody(
    ready: World, tmp_path: Path, revoked: PersonId
) -> None:
    """Each of them carries the claim: whoever confirmed it, or named its receivers."""
    honest = ready.copied_to(tmp_path / "honest")
    honest.decide()
    (decision,) = (body for _, body in honest.case().claim.entries_of(DecisionStatement))
    world = ready.copied_to(tmp_path / "world")
    key = PEOPLE[revoked].signing_key
    body = world.body(KeyRevocation, revoked, READY, key=key.public_key, reason="stolen")
    world.record(world.signed(body, key), READY)
    forged = replace(decision, record=world.case().claim.record_digest)
    world.slip_in(sign("decision", write_body(forged), [DECISION_KEY]), READY)
    with pytest.raises(RecordUnreadableError, match="not-due"):
        world.case()
