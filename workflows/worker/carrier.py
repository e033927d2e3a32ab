"""The worker: it carries claims, and does everything else that the gate does not do."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.clock import now
from activities.deposits import BlobActivities
from activities.evidence import EvidenceActivities
from activities.ledger import LedgerActivities
from activities.notices.claim import NoticeActivities
from activities.notices.post import Post
from activities.notices.storage import LettersSoon, StorageNotices
from activities.rounds.catching_up import CopiesSoon
from activities.rounds.copies import Copies
from activities.rounds.log_signing import LogSigning
from activities.rounds.storekeeper import Storekeeper
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.lasting import rest
from tallystick.limits.processes import (
    BLOB_STEPS_AT_ONCE_MAX,
    LEDGER_STEPS_AT_ONCE_MAX,
    SHUTDOWN_MAX,
    STICKY_MAX,
    WORK_STEPS_AT_ONCE_MAX,
    WORKFLOWS_CACHED_MAX,
)
from tallystick.messages import BLOBS_QUEUE, CLAIMS_QUEUE, WORK_QUEUE
from tallystick.settings import BadSettingError, Settings
from tallystick.site import read_letter_key
from tallystick.store.blobs.opened import open_blobs
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.database.session import open_database
from workflows.claim.release import ReleaseWorkflow
from workflows.custody import CustodyWorkflow
from workflows.deposit import DepositWorkflow
from workflows.evidence import EvidenceWorkflow
from workflows.worker.connection import at_work, keep_carrying, queue_worker, read_log_key, until_stopped
from workflows.worker.reconciler import Reconciler

_log = telemetry.logger(__name__)

WORKFLOWS: Final = (ReleaseWorkflow, DepositWorkflow, CustodyWorkflow, EvidenceWorkflow)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerActivities:
    """The activities of the worker, and the signing of the logs that they append to."""

    signing: LogSigning
    ledger: LedgerActivities
    notices: NoticeActivities
    blobs: BlobActivities
    evidence: EvidenceActivities

    def on_ledger(self) -> Sequence[Callable[..., object]]:
        """Return the activities that read and write the ledger: workflows run them locally, or queued."""
        ledger = self.ledger
        return (
            ledger.file_claim,
            ledger.record_act,
            ledger.record_happening,
            ledger.read_since,
            ledger.record_deposit_verdict,
        )

    def waiting(self) -> Sequence[Callable[..., object]]:
        """Return the activities that wait for others: notices and evidence."""
        return (self.notices.give_notice, self.evidence.export_evidence)

    def reading(self) -> Sequence[Callable[..., object]]:
        """Return the activities that read whole deposits."""
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


def letters_soon(settings: Settings, database: Engine) -> LettersSoon:
    """Return what sends letters about the deployment's logs.

    Raises:
        TallystickError: A key file is not what it must be.
    """
    log_key = read_log_key(settings)
    post = _post(settings, log_key)
    return LettersSoon(StorageNotices(database=database, log_key=log_key, post=post, clock=now))


def all_stores(settings: Settings) -> ReplicatedBlobs:
    """Return the deployment's stores, every one to be written: nobody else makes the copies that are missing.

    Raises:
        BadSettingError: One of them is only to be read.
    """
    if not all(location.writable for location in settings.blob_locations):
        raise BadSettingError("the worker writes every store", setting="TALLYSTICK_BLOBS_READ_ONLY")
    return open_blobs(settings)


def worker_activities(
    settings: Settings, database: Engine, blobs: ReplicatedBlobs, letters: LettersSoon
) -> WorkerActivities:
    """Return the worker's activities over the deployment's stores; `letters` are owed because of some.

    Raises:
        TallystickError: A key file is not what it must be.
    """
    log_key = read_log_key(settings)
    signing = LogSigning(
        database=database, log_key=log_key, deployment=settings.deployment, doubted=letters.owe
    )
    return WorkerActivities(
        signing=signing,
        ledger=LedgerActivities(
            database=database,
            blobs=blobs,
            log_key=log_key,
            grown=signing.sign_soon,
            doubted=letters.owe,
        ),
        notices=NoticeActivities(database=database, log_key=log_key, post=_post(settings, log_key)),
        blobs=BlobActivities(database=database, blobs=blobs),
        evidence=EvidenceActivities(
            database=database,
            blobs=blobs,
            log_key=log_key,
            root_keys=frozenset(settings.root_keys),
            signing=signing,
        ),
    )


def storekeeper(settings: Settings, database: Engine, blobs: ReplicatedBlobs) -> Storekeeper:
    """Return the storekeeper, which keeps the deployment's copies whole.

    Raises:
        TallystickError: The key file is not what it must be.
    """
    log_key = read_log_key(settings)
    return Storekeeper(database=database, blobs=blobs, log_key=log_key, post=_post(settings, log_key))


def copies_soon(
    settings: Settings, database: Engine, blobs: ReplicatedBlobs, letters: LettersSoon
) -> tuple[CopiesSoon, ...]:
    """Return those who make the copies that are behind, each for a thread of its own.

    Raises:
        TallystickError: The key file is not what it must be.
    """
    copies = Copies(
        database=database,
        blobs=blobs,
        log_key=read_log_key(settings),
        clock=now,
        rest=rest,
        owed=letters.owe,
    )
    return tuple(CopiesSoon(copies, long=long) for long in (False, True))


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Carry claims until `stop` is set; work under way is then finished, or left for the next worker."""
    database = open_database(settings.database_url)
    blobs, letters = all_stores(settings), letters_soon(settings, database)
    activities = worker_activities(settings, database, blobs, letters)
    # What needs no Temporal waits for none.
    keeper = storekeeper(settings, database, blobs)
    _in_background("storekeeper", partial(keeper.keep_making_rounds, settings.scrub_every))
    for copying in copies_soon(settings, database, blobs, letters):
        _in_background("copies", copying.keep_copying)
    _in_background("signing", partial(activities.signing.keep_signing, settings.checkpoint_every))
    _in_background("letters", letters.keep_sending)

    async def carry(client: Client) -> None:
        reconciler = Reconciler(client=client, database=database)
        async with _carrying(client, activities) as runs:
            _log.info("ready", queues=[CLAIMS_QUEUE, WORK_QUEUE, BLOBS_QUEUE])
            reconciling = asyncio.create_task(reconciler.keep_reconciling(settings.reconcile_every))
            await until_stopped(stop, [*runs, reconciling])

    await keep_carrying(settings, stop, carry)


@asynccontextmanager
async def _carrying(
    client: Client, activities: WorkerActivities
) -> AsyncGenerator[Sequence["asyncio.Task[None]"]]:
    """Run workflows and what they ask of the worker; each queue has threads of its own."""
    waiting, reading = activities.waiting(), activities.reading()
    with (
        ThreadPoolExecutor(LEDGER_STEPS_AT_ONCE_MAX, thread_name_prefix="ledger") as ledger_threads,
        ThreadPoolExecutor(WORK_STEPS_AT_ONCE_MAX, thread_name_prefix="work") as work_threads,
        ThreadPoolExecutor(BLOB_STEPS_AT_ONCE_MAX, thread_name_prefix="blobs") as blob_threads,
    ):
        async with at_work(
            claims_worker(client, activities, ledger_threads),
            queue_worker(client, WORK_QUEUE, waiting, work_threads, at_once=WORK_STEPS_AT_ONCE_MAX),
            queue_worker(client, BLOBS_QUEUE, reading, blob_threads, at_once=BLOB_STEPS_AT_ONCE_MAX),
        ) as runs:
            yield runs


def _in_background(name: str, work: Callable[[], None]) -> None:
    """Work in a thread that ends with the process, at whatever point it is then."""
    threading.Thread(target=work, name=name, daemon=True).start()


def _post(settings: Settings, log_key: SigningKey) -> Post:
    letter_key = read_letter_key(
        settings.letter_key_file, deployment=settings.deployment, log_key=log_key.public_key
    )
    return Post(
        domain=f"{settings.deployment}.tallystick.invalid",
        outbox_dir=settings.outbox_dir,
        smtp_url=settings.smtp_url,
        mail_from=settings.mail_from,
        mail_caught=settings.mail_caught,
        webhook_hosts=settings.webhook_hosts,
        letter_key=letter_key,
        loopback=settings.loopback_webhooks,
    )
