"""Whatever a sender writes beside a signature, or leaves out, the record names the key of each, once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from tallystick.crypto.envelope import Envelope, Signature, parse_envelope, sign, statement_id
from tallystick.domain.codec import encode_object
from tallystick.domain.statements.acts import Denial, Intake, Retraction
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX, SIGNATURES_PER_ENVELOPE_MAX
from tallystick.limits.logs import EVIDENCE_UNNAMED_SIGNATURES_MAX
from tallystick.proof.work import check_work
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.database.session import reading
from tallystick.store.ledger.ledger import entries, entry_by_statement
from tallystick.store.registers import deposits
from tallystick.store.registers.custody import live_custody
from tests.support.sites.service import Service
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, DORA, KIM, PEOPLE
from tests.support.worlds.documents import upload
from tests.support.worlds.gate_worlds import SIGNERS
from tests.support.worlds.prepared_worlds import deposited

UNDER: Final = f"/agreements/{AGREEMENT.id}"


def repeated(envelope: Envelope) -> Envelope:
    """As many signatures as fit, each of which anybody could have made for all that stands beside it."""
    values = [one.value for one in envelope.signatures]
    again = (
        Signature(keyid=str(number), value=values[number % len(values)])
        for number in range(SIGNATURES_PER_ENVELOPE_MAX)
    )
    return replace(envelope, signatures=tuple(again))


def intake(service: Service) -> tuple[str, Envelope]:
    service.world = service.world.file(deposited(service.world), service.clock.now)
    return f"/claims/{service.world.claim}/intakes", service.act(Intake, ANA, accepted=True)


def claim(service: Service) -> tuple[str, Envelope]:
    return "/claims", service.filing()


def deposit(service: Service) -> tuple[str, Envelope]:
    world, at = service.world, service.clock.now
    with reading(world.database) as session:
        last, live = deposits.latest(session, AGREEMENT.id), live_custody(session, AGREEMENT.id)
    assert last is not None
    sealed = upload(
        world.database,
        world.blobs,
        b"sealed anew",
        under=AGREEMENT.id,
        sender=DORA,
        at=at,
        purpose=BlobPurpose.DEPOSIT,
    )
    before = last.body().components[0]
    component = replace(
        before, custody=live[before.component], sealed_digest=sealed, sealed_bytes=len(b"sealed anew")
    )
    body = world.body(
        Deposit, DORA, at, number=2, previous=last.digest, watermark=at, components=(component,)
    )
    return f"{UNDER}/deposits", world.signed(body, PEOPLE[DORA].signing_key)


def revocation(service: Service) -> tuple[str, Envelope]:
    key = PEOPLE[KIM].signing_key
    body = service.world.body(KeyRevocation, KIM, service.clock.now, key=key.public_key, reason="lost")
    return f"{UNDER}/revocations", service.world.signed(body, key)


def version(service: Service) -> tuple[str, Envelope]:
    amended = replace(AGREEMENT, version=2, supersedes=service.world.digest, title="Telemetry, amended")
    keys = [PEOPLE[person].signing_key for person in SIGNERS]
    return "/agreements", sign("agreement", encode_object(amended), keys)


@pytest.mark.parametrize("made", [intake, claim, deposit, revocation, version])
async def test_a_statement_is_recorded_with_one_named_signature_of_each_signer(
    made: Callable[[Service], tuple[str, Envelope]], service: Service
) -> None:
    path, plain = made(service)
    first = await service.post(path, repeated(plain), BEA)
    assert first.status_code == 201, first.text
    with reading(service.world.database) as session:
        entry = entry_by_statement(session, AGREEMENT.id, statement_id(plain))
    assert entry is not None
    assert parse_envelope(entry.envelope, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX) == plain
    again = await service.post(path, repeated(plain), BEA)
    assert (again.status_code, again.content) == (201, first.content)


async def test_one_persons_acts_cannot_keep_a_claim_from_being_verified(claimed: Service) -> None:
    assert (await claimed.says("intakes", Intake, ANA, accepted=True)).status_code == 201
    rounds = EVIDENCE_UNNAMED_SIGNATURES_MAX // SIGNATURES_PER_ENVELOPE_MAX // 2 + 1
    for _ in range(rounds):
        denial = claimed.act(Denial, KIM, stages=None, reason="no")
        retraction = claimed.act(Retraction, KIM, of=statement_id(denial), reason="yes")
        for noun, act in ("denials", denial), ("retractions", retraction):
            answer = await claimed.post(f"/claims/{claimed.world.claim}/{noun}", repeated(act), KIM)
            assert answer.status_code == 201, answer.text
    with reading(claimed.world.database) as session:
        check_work([entry.statement() for entry in entries(session, AGREEMENT.id)])
