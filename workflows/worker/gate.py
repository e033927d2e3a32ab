"""The gate: decides stages, sees notices and deals custody, on queues of its own."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from sqlalchemy import Engine
from temporalio.client import Client

from activities.gate.decide import GateActivities
from activities.gate.journal import GateJournal
from tallystick import telemetry
from tallystick.crypto.keyfile import read_key_file
from tallystick.limits.processes import GATE_STEPS_AT_ONCE_MAX, WITNESS_STEPS_AT_ONCE_MAX
from tallystick.messages import GATE_QUEUE, WITNESS_QUEUE
from tallystick.settings import Settings
from tallystick.store.blobs.opened import open_blobs
from tallystick.store.database.session import open_database
from workflows.worker.connection import at_work, keep_carrying, queue_worker, until_stopped

_log = telemetry.logger(__name__)


def gate_activities(settings: Settings, database: Engine) -> GateActivities:
    """Return the gate's activities over the deployment's stores.

    Raises:
        TallystickError: The key file, the journal or a store is not what it must be.
    """
    return GateActivities(
        database=database,
        blobs=open_blobs(settings),
        keys=read_key_file(settings.gate_key_file),
        journal=GateJournal(settings.gate_key_file.parent / "journal"),
        root_keys=frozenset(settings.root_keys),
        halted=lambda: settings.halted,
    )


async def run_gate(settings: Settings, stop: asyncio.Event) -> None:
    """Decide on stages until `stop` is set."""
    gate = gate_activities(settings, open_database(settings.database_url))

    async def carry(client: Client) -> None:
        async with carrying(client, gate) as runs:
            _log.info("ready", queues=[GATE_QUEUE, WITNESS_QUEUE])
            await until_stopped(stop, runs)

    await keep_carrying(settings, stop, carry)


@asynccontextmanager
async def carrying(client: Client, gate: GateActivities) -> AsyncGenerator[Sequence["asyncio.Task[None]"]]:
    """Do what workflows ask of the gate; what takes an instant has a queue and threads of its own."""
    with (
        ThreadPoolExecutor(GATE_STEPS_AT_ONCE_MAX, thread_name_prefix="gate") as reading,
        ThreadPoolExecutor(WITNESS_STEPS_AT_ONCE_MAX, thread_name_prefix="witness") as instant,
    ):
        decide, witness = (gate.decide_stage,), (gate.sight_notice, gate.deal)
        async with at_work(
            queue_worker(client, GATE_QUEUE, decide, reading, at_once=GATE_STEPS_AT_ONCE_MAX),
            queue_worker(client, WITNESS_QUEUE, witness, instant, at_once=WITNESS_STEPS_AT_ONCE_MAX),
        ) as runs:
            yield runs
