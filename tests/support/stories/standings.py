"""A deployment with everybody who may call: two beneficiaries, someone left out, someone revoked, a stranger.

Its claim is brought from its filing to a return that is due, one standing after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import Envelope, sign
from tallystick.crypto.keys import SigningKey
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import AgreementId, Digest, PartyId, PersonId, StageId
from tallystick.domain.kinds import Outcome
from tallystick.domain.statements.acts import Hold, Intake, NoticeAcknowledgement, Objection
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import JointInstruction
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers import agreements, deposits
from tallystick.store.registers.custody import live_custody
from tests.support.sites.service import STRANGER
from tests.support.worlds.agreements import (
    ABE,
    AGREEMENT,
    ANA,
    BEA,
    DIRK,
    DORA,
    KIM,
    PEOPLE,
    PROVISIONAL,
    Actor,
    agreement,
)
from tests.support.worlds.documents import upload
from tests.support.worlds.gate_worlds import FILED, MONDAY, SIGNERS, World
from tests.support.worlds.prepared_worlds import CONTENTS, deposited

OLGA: Final = Actor(id=PersonId("olga@otter"), name="Olga, who claims for another beneficiary")


TWO_BENEFICIARIES: Final = agreement(
    parties=(*AGREEMENT.parties, replace(AGREEMENT.parties[1], id=PartyId("otter"), name="Otter plc")),
    persons=(*AGREEMENT.persons, OLGA.person),
    authorities=replace(AGREEMENT.authorities, claimants=(*AGREEMENT.authorities.claimants, OLGA.id)),
)


@dataclass(frozen=True, kw_only=True)
class Shared(World):
    """A deployment whose agreement has two beneficiaries; both have signed it."""

    agreement: Agreement = TWO_BENEFICIARIES

    def agreement_statement(self) -> Envelope:
        keys = [OLGA.signing_key, *(PEOPLE[person].signing_key for person in SIGNERS)]
        return sign("agreement", encode_object(self.agreement), keys)

    def newest(self) -> "Shared":
        """The second version, in which abe has another key."""
        persons = tuple(
            replace(one, signing_key=SigningKey(32 * b"n").public_key) if one.id == ABE else one
            for one in self.agreement.persons
        )
        return replace(
            self, agreement=replace(self.agreement, version=2, supersedes=self.digest, persons=persons)
        )


def filed(world: World) -> None:
    """Somebody is left out, somebody revoked; a stranger has an agreement of their own."""
    assert isinstance(world, Shared)
    newest = world.newest()
    newest.register()
    stolen = newest.body(
        KeyRevocation, DIRK, FILED, key=PEOPLE[DIRK].signing_key.public_key, reason="It was stolen."
    )
    newest.slip_in(newest.signed(stolen, PEOPLE[DIRK].signing_key), FILED)
    persons = tuple(
        replace(one, signing_key=STRANGER.public_key) if one.id == ANA else one for one in AGREEMENT.persons
    )
    other = replace(AGREEMENT, id=AgreementId("another"), persons=persons)
    keys = [STRANGER, *(PEOPLE[person].signing_key for person in SIGNERS if person != ANA)]
    with transaction(world.database) as session:
        agreements.register(session, sign("agreement", encode_object(other), keys), MONDAY)


def accepted(world: World) -> None:
    world.say(Intake, ANA, FILED, accepted=True)
    world.notify(FILED)


def in_window(world: World) -> None:
    world.say(NoticeAcknowledgement, DORA, FILED)
    world.settle(FILED)
    world.sign_checkpoint()


def contested(world: World) -> None:
    stages = (StageId("critical"),)
    world.say(Objection, DORA, FILED, ground="cured", explanation="It is cured.", stages=stages)
    world.say(Hold, KIM, FILED, reason="An injunction.", stages=(StageId("source"),))


def decided(world: World) -> None:
    for person in (ANA, KIM):
        world.approve(person, FILED, stages=(PROVISIONAL,))
    world.settle(FILED)
    world.sight(FILED)
    assert world.decide(world.gate(at=FILED), PROVISIONAL).outcome == "released"


def owed(world: World) -> None:
    keys = [PEOPLE[person].signing_key for person in (DORA, BEA)]
    order = world.body(
        JointInstruction, DORA, FILED, claim=world.claim, outcome=Outcome.RETURN, reason="It is paid."
    )
    world.record(world.signed(order, *keys), FILED)


STANDINGS: Final[tuple[Callable[[World], None], ...]] = (
    filed,
    accepted,
    in_window,
    contested,
    decided,
    owed,
)
"""How far a claim has come, each after the one before."""


def standings(folder: Path) -> dict[str, World]:
    """The deployment after each of `STANDINGS`, to be copied."""
    world: World = Shared(folder=folder / "filed")
    world.folder.mkdir()
    world.register()
    world.deal()
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    world.deposit(CONTENTS, live)
    _have_uploaded(world)
    world = world.file(deposited(world), stages=tuple(stage.id for stage in world.agreement.stages))
    reached: dict[str, World] = {}
    for standing in STANDINGS:
        if reached:
            world = world.copied_to(folder / standing.__name__)
        standing(world)
        reached[standing.__name__] = world
    return reached


def sealed_digests(world: World) -> dict[str, Digest]:
    """The sealed file of each component of the last deposit."""
    with reading(world.database) as session:
        last = deposits.latest(session, world.agreement.id)
        assert last is not None
        return {one.component: one.sealed_digest for one in last.body().components}


def _have_uploaded(world: World) -> None:
    for digest in sealed_digests(world).values():
        upload(
            world.database,
            world.blobs,
            world.sealed_files(digest)[0].read_bytes(),
            under=world.agreement.id,
            sender=DORA,
            at=MONDAY,
            purpose=BlobPurpose.DEPOSIT,
        )
