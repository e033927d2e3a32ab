"""What the worker does besides carrying claims."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tallystick.crypto.envelope import body_of, envelope_bytes
from tallystick.crypto.keyfile import PrivateKeys, write_key_file
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.acts import Denial
from tallystick.domain.statements.header import LedgerSeen
from tallystick.messages import RecordAct
from tallystick.settings import BadSettingError, Settings, read_settings
from tallystick.store.blobs import behind
from tallystick.store.blobs.uploads import known_blobs
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tests.support.waits import wait_for
from tests.support.worlds.agreements import KIM, LETTER_KEY, LOG_KEY, PEOPLE, age_identity
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, World
from tests.support.worlds.prepared_worlds import accepted, prepared_world
from tests.support.worlds.story_worlds import deposited_world
from workflows.worker.carrier import all_stores, letters_soon, run_worker, worker_activities


def settings_of(world: World, environment: WorkflowEnvironment) -> Settings:
    key_file = world.folder / "log.key"
    identity = age_identity("engine").secret_text()
    keys = PrivateKeys(person=PersonId("engine@harbour"), signing_key=LOG_KEY, age_identity=identity)
    write_key_file(key_file, keys)
    letter_file = world.folder / "letter.key"
    write_key_file(letter_file, replace(keys, signing_key=LETTER_KEY.signing_key))
    letter_file.with_suffix(".pub").write_bytes(envelope_bytes(LETTER_KEY.published))
    client = environment.client
    return read_settings(
        {
            "TALLYSTICK_DATA": str(world.folder),
            "TALLYSTICK_DEPLOYMENT": world.agreement.deployment,
            "TALLYSTICK_DATABASE_URL": f"sqlite:///{world.folder}/store.db",
            "TALLYSTICK_BLOBS": " ".join((world.folder / store).as_uri() for store in ("north", "south")),
            "TALLYSTICK_LOG_KEY_FILE": str(key_file),
            "TALLYSTICK_LETTER_KEY_FILE": str(letter_file),
            "TALLYSTICK_TEMPORAL_ADDRESS": client.service_client.config.target_host,
            "TALLYSTICK_TEMPORAL_NAMESPACE": client.namespace,
            "TALLYSTICK_SCRUB_SECONDS": "1",
        }
    )


async def test_running_worker_replaces_a_copy_that_rotted_and_says_so(
    environment: WorkflowEnvironment, tmp_path: Path
) -> None:
    world, _ = deposited_world(tmp_path)
    with reading(world.database) as session:
        blob = known_blobs(session)[0]
    good, bad = world.sealed_files(blob)
    bad.write_bytes(b"rot")
    stop = asyncio.Event()
    running = asyncio.create_task(run_worker(settings_of(world, environment), stop))
    try:
        await asyncio.to_thread(wait_for, lambda: repaired(world, blob) or running.done())
    finally:
        stop.set()
        await running
    assert repaired(world, blob)
    assert bad.read_bytes() == good.read_bytes()


async def test_running_worker_copies_soon_what_only_one_store_has(
    environment: WorkflowEnvironment, tmp_path: Path
) -> None:
    world, _ = deposited_world(tmp_path)
    with reading(world.database) as session:
        blob = known_blobs(session)[0]
    good, lacking = world.sealed_files(blob)
    lacking.unlink()
    with transaction(world.database) as session:
        behind.note_behind(session, blob, ACKNOWLEDGED, lost=False)
    daily = replace(settings_of(world, environment), scrub_every=timedelta(days=1))
    stop = asyncio.Event()
    running = asyncio.create_task(run_worker(daily, stop))
    try:
        await asyncio.to_thread(wait_for, lambda: not is_behind(world, blob) or running.done())
    finally:
        stop.set()
        await running
    assert lacking.read_bytes() == good.read_bytes()


def is_behind(world: World, blob: Digest) -> bool:
    with reading(world.database) as session:
        return behind.noted(session, blob) is not None


def test_a_worker_that_may_not_write_a_store_does_not_start(
    environment: WorkflowEnvironment, tmp_path: Path
) -> None:
    world = accepted(prepared_world(tmp_path))
    settings = settings_of(world, environment)
    north, south = settings.blob_locations
    with pytest.raises(BadSettingError, match="the worker writes every store"):
        all_stores(replace(settings, blob_locations=(north, replace(south, writable=False))))


def test_the_worker_owes_letters_for_what_it_records_on_a_log_that_was_put_back(
    environment: WorkflowEnvironment, tmp_path: Path
) -> None:
    world = accepted(prepared_world(tmp_path))
    settings = settings_of(world, environment)
    letters = letters_soon(settings, world.database)
    members = {"claim": world.claim, "reason": "no", "ledger_seen": LedgerSeen(size=400, root=world.claim)}
    denial = world.signed(world.body(Denial, KIM, ACKNOWLEDGED, **members), PEOPLE[KIM].signing_key)
    request = RecordAct(
        claim=world.claim,
        agreement=world.agreement.id,
        envelope=envelope_bytes(denial).decode(),
        at=ACKNOWLEDGED,
        after=world.case().raw[-1].index,
    )
    worker_activities(settings, world.database, all_stores(settings), letters).ledger.record_act(request)
    letters.send()
    with reading(world.database) as session:
        told = ledger.entries(session, world.agreement.id, kinds=[Kind.STORAGE_NOTICE])
    assert len(told) == 3


def repaired(world: World, blob: str) -> bool:
    with reading(world.database) as session:
        events = ledger.entries(session, world.agreement.id, kinds=[Kind.EVENT])
    bodies = [body_of(entry.statement()) for entry in events]
    return any((b.get("happening"), b.get("cause")) == (Happening.REPLICA_REPAIRED, blob) for b in bodies)
