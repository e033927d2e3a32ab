"""The worker and the gate: `python -m workflows.worker`, and the same with `--gate`.

The one place where settings become objects. The worker carries claims and holds the
log key, which can release nothing; the gate is a process of its own, on its own
queue, and alone holds the decision key and the gate's shares.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import Runtime
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.blobs import BlobActivities
from activities.evidence import EvidenceActivities
from activities.gate import GateActivities
from activities.journal import GateJournal
from activities.ledger import LedgerActivities
from activities.notices import NoticeActivities
from activities.signing import LogSigning
from activities.storekeeping import Storekeeper
from activities.transports import Post
from tallystick import telemetry
from tallystick.crypto.keyfile import read_key_file
from tallystick.crypto.keys import SigningKey
from tallystick.domain.errors import TallystickError
from tallystick.limits import (
    BLOB_STEPS_AT_ONCE_MAX,
    CHECKPOINT_SOON,
    CONNECT_RETRY_MAX,
    CONNECT_RETRY_MIN,
    GATE_STEPS_AT_ONCE_MAX,
    HEARTBEAT_EVERY,
    LEDGER_STEPS_AT_ONCE_MAX,
    SHUTDOWN_MAX,
    STICKY_MAX,
    WORK_STEPS_AT_ONCE_MAX,
    WORKFLOWS_CACHED_MAX,
)
from tallystick.messages import BLOBS_QUEUE, CLAIMS_QUEUE, GATE_QUEUE, WORK_QUEUE
from tallystick.settings import Settings, read_settings
from tallystick.store.blobs import FileBlobStore
from tallystick.store.replicas import ReplicatedBlobs
from tallystick.store.session import open_engine
from workflows.core_logs import core_runtime
from workflows.custody import CustodyWorkflow
from workflows.deposit import DepositWorkflow
from workflows.evidence import EvidenceWorkflow
from workflows.reconcile import Reconciler
from workflows.release import ReleaseWorkflow

WORKFLOWS: Final = (ReleaseWorkflow, DepositWorkflow, CustodyWorkflow, EvidenceWorkflow)

_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerActivities:
    """The activities of the worker, and who signs what they append."""

    signing: LogSigning
    ledger: LedgerActivities
    notices: NoticeActivities
    blobs: BlobActivities
    evidence: EvidenceActivities

    def on_ledger(self) -> Sequence[Callable[..., object]]:
        """Return what workflows run beside themselves, or have queued: reading and writing the ledger."""
        ledger = self.ledger
        return (
            ledger.file_claim,
            ledger.record_act,
            ledger.record_happening,
            ledger.read_since,
            ledger.record_deposit_verdict,
        )

    def waiting(self) -> Sequence[Callable[..., object]]:
        """Return what waits for somebody: notices and evidence."""
        return (self.notices.give_notice, self.evidence.export_evidence)

    def reading(self) -> Sequence[Callable[..., object]]:
        """Return what reads whole deposits."""
        return (self.blobs.verify_deposit,)


def claims_worker(client: Client, activities: WorkerActivities, threads: ThreadPoolExecutor) -> Worker:
    """Return the worker that runs the workflows and records what they decide: no other work delays an act."""
    return Worker(
        client,
        task_queue=CLAIMS_QUEUE,
        workflows=WORKFLOWS,
        workflow_runner=UnsandboxedWorkflowRunner(),  # tests run the same code in the sandbox
        activities=activities.on_ledger(),
        activity_executor=threads,
        max_concurrent_local_activities=LEDGER_STEPS_AT_ONCE_MAX,
        max_concurrent_activities=LEDGER_STEPS_AT_ONCE_MAX,
        max_cached_workflows=WORKFLOWS_CACHED_MAX,
        # After a crash the next worker takes over in seconds, not in the ten that are usual.
        sticky_queue_schedule_to_start_timeout=STICKY_MAX,
        graceful_shutdown_timeout=SHUTDOWN_MAX,
    )


def queue_worker(
    client: Client,
    queue: str,
    activities: Sequence[Callable[..., object]],
    threads: ThreadPoolExecutor,
    *,
    at_once: int,
) -> Worker:
    """Return a worker that runs the activities of one queue, so many at once: no queue waits for another."""
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        activity_executor=threads,
        max_concurrent_activities=at_once,
        max_heartbeat_throttle_interval=HEARTBEAT_EVERY,
        graceful_shutdown_timeout=SHUTDOWN_MAX,
    )


def worker_activities(settings: Settings, engine: Engine) -> WorkerActivities:
    """Return the worker's activities over the deployment's stores.

    Raises:
        TallystickError: A key file or a store is not what it must be.
    """
    log_key = _log_key(settings)
    signing = LogSigning(engine=engine, log_key=log_key, deployment=settings.deployment)
    return WorkerActivities(
        signing=signing,
        ledger=LedgerActivities(engine=engine, log_key=log_key, grown=signing.sign_soon),
        notices=NoticeActivities(engine=engine, log_key=log_key, post=_post(settings)),
        blobs=BlobActivities(engine=engine, blobs=_blobs(settings)),
        evidence=EvidenceActivities(
            engine=engine,
            blobs=_blobs(settings),
            log_key=log_key,
            root_keys=frozenset(settings.root_keys),
        ),
    )


def storekeeper(settings: Settings, engine: Engine) -> Storekeeper:
    """Return who keeps the deployment's copies whole.

    Raises:
        TallystickError: The key file or a store is not what it must be.
    """
    return Storekeeper(
        engine=engine, blobs=_blobs(settings), log_key=_log_key(settings), post=_post(settings)
    )


def gate_activities(settings: Settings, engine: Engine) -> GateActivities:
    """Return the gate's activities over the deployment's stores.

    Raises:
        TallystickError: The key file, the journal or a store is not what it must be.
    """
    return GateActivities(
        engine=engine,
        blobs=_blobs(settings),
        keys=read_key_file(settings.gate_key_file),
        journal=GateJournal(settings.gate_key_file.parent / "journal"),
        root_keys=frozenset(settings.root_keys),
        halted=lambda: settings.halted,
    )


async def connect(settings: Settings) -> Client:
    """Return a connection to Temporal; while it does not answer, ask again, at first soon and then seldom."""
    pause = CONNECT_RETRY_MIN
    while True:
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                data_converter=pydantic_data_converter,
            )
        except (RPCError, RuntimeError, OSError) as error:
            _log.warning("Temporal does not answer yet", why=type(error).__name__)
        await asyncio.sleep(pause.total_seconds())
        pause = min(2 * pause, CONNECT_RETRY_MAX)


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Carry claims until `stop` is set; what is under way then is finished, or left to be tried again."""
    engine = open_engine(settings.database_url)
    activities = worker_activities(settings, engine)
    client = await connect(settings)
    with (
        ThreadPoolExecutor(LEDGER_STEPS_AT_ONCE_MAX, thread_name_prefix="ledger") as ledger_threads,
        ThreadPoolExecutor(WORK_STEPS_AT_ONCE_MAX, thread_name_prefix="work") as work_threads,
        ThreadPoolExecutor(BLOB_STEPS_AT_ONCE_MAX, thread_name_prefix="blobs") as blob_threads,
    ):
        async with (
            claims_worker(client, activities, ledger_threads),
            queue_worker(
                client, WORK_QUEUE, activities.waiting(), work_threads, at_once=WORK_STEPS_AT_ONCE_MAX
            ),
            queue_worker(
                client, BLOBS_QUEUE, activities.reading(), blob_threads, at_once=BLOB_STEPS_AT_ONCE_MAX
            ),
        ):
            _log.info("ready", queues=[CLAIMS_QUEUE, WORK_QUEUE, BLOBS_QUEUE])
            _keep_making_rounds(storekeeper(settings, engine), settings.scrub_every)
            reconciler = Reconciler(client=client, engine=engine)
            background = (
                asyncio.create_task(reconciler.keep_reconciling(settings.reconcile_every)),
                asyncio.create_task(_keep_signing(activities.signing, settings.checkpoint_every)),
            )
            await _until_stopped(stop, background)


async def run_gate(settings: Settings, stop: asyncio.Event) -> None:
    """Decide on stages until `stop` is set."""
    gate = gate_activities(settings, open_engine(settings.database_url))
    client = await connect(settings)
    with ThreadPoolExecutor(GATE_STEPS_AT_ONCE_MAX, thread_name_prefix="gate") as threads:
        steps = (gate.decide_stage, gate.deal)
        async with queue_worker(client, GATE_QUEUE, steps, threads, at_once=GATE_STEPS_AT_ONCE_MAX):
            _log.info("ready", queues=[GATE_QUEUE])
            await _until_stopped(stop, ())


def main(arguments: Sequence[str] | None = None) -> None:
    """Start the worker, or with `--gate` the gate, and run it until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m workflows.worker", description=main.__doc__)
    parser.add_argument("--gate", action="store_true", help="run the gate, and only the gate")
    gate = bool(parser.parse_args(arguments).gate)
    telemetry.configure("gate" if gate else "worker")
    Runtime.set_default(core_runtime(), error_if_already_set=False)
    try:
        asyncio.run(_main(read_settings(os.environ), gate=gate))
    except TallystickError as error:
        _log.error("could not start", code=error.code, why=str(error), advice=error.advice)
        raise SystemExit(1) from error


async def _main(settings: Settings, *, gate: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = asyncio.create_task(run_gate(settings, stop) if gate else run_worker(settings, stop))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        # Connecting may take for ever; running workers end by themselves.
        await asyncio.wait({running}, timeout=SHUTDOWN_MAX.total_seconds() + 1)
        running.cancel()
    stopped.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _until_stopped(stop: asyncio.Event, background: Sequence["asyncio.Task[None]"]) -> None:
    """Wait for `stop`; a background task that ends before is a defect, and ends the process."""
    stopped = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({stopped, *background}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            task.result()
    finally:
        for task in (stopped, *background):
            task.cancel()
        await asyncio.gather(stopped, *background, return_exceptions=True)


async def _keep_signing(signing: LogSigning, every: timedelta) -> None:
    """Sign what this worker appended soon, and every so often all logs: the gate and the API append too."""
    while True:
        try:
            await asyncio.to_thread(signing.sign_all)
        except TallystickError as error:
            _log.warning("no checkpoints were signed", code=error.code)
        for _ in range(max(every // CHECKPOINT_SOON, 1)):
            await asyncio.sleep(CHECKPOINT_SOON.total_seconds())
            await asyncio.to_thread(signing.sign_grown)


def _keep_making_rounds(keeper: Storekeeper, every: timedelta) -> None:
    """Read every copy anew, every so often, in a thread that ends with the process, wherever it is then."""
    threading.Thread(target=keeper.keep_making_rounds, args=(every,), name="storekeeper", daemon=True).start()


def _log_key(settings: Settings) -> SigningKey:
    return read_key_file(settings.log_key_file).signing_key


def _blobs(settings: Settings) -> ReplicatedBlobs:
    return ReplicatedBlobs(
        [FileBlobStore(location.path, name=location.url) for location in settings.blob_locations]
    )


def _post(settings: Settings) -> Post:
    return Post(
        domain=f"{settings.deployment}.tallystick.invalid",
        outbox_dir=settings.outbox_dir,
        smtp_url=settings.smtp_url,
        webhook_hosts=settings.webhook_hosts,
        webhook_secret=_webhook_secret(settings.webhook_secret_file),
        loopback=settings.loopback_webhooks,
    )


def _webhook_secret(file: Path | None) -> str | None:
    return None if file is None else file.read_text().strip()


if __name__ == "__main__":
    main()
