"""The gate: decides stages and deals custody, on a queue of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from activities.gate.decide import GateActivities
from activities.gate.journal import GateJournal
from tallystick import telemetry
from tallystick.crypto.keyfile import read_key_file
from tallystick.limits import GATE_STEPS_AT_ONCE_MAX
from tallystick.messages import GATE_QUEUE
from tallystick.settings import Settings
from tallystick.store.database.session import open_database
from workflows.worker.connection import connect, open_blobs, queue_worker, until_stopped

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
    client = await connect(settings)
    with ThreadPoolExecutor(GATE_STEPS_AT_ONCE_MAX, thread_name_prefix="gate") as threads:
        steps = (gate.decide_stage, gate.sight_notice, gate.deal)
        async with queue_worker(client, GATE_QUEUE, steps, threads, at_once=GATE_STEPS_AT_ONCE_MAX):
            _log.info("ready", queues=[GATE_QUEUE])
            await until_stopped(stop, ())
