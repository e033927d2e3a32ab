"""What every worker needs: Temporal, its queue, the stores and the log key."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from tallystick import telemetry
from tallystick.converter import MESSAGE_CONVERTER
from tallystick.crypto.keyfile import read_key_file
from tallystick.crypto.keys import SigningKey
from tallystick.limits.processes import CONNECT_RETRY_MAX, CONNECT_RETRY_MIN, SHUTDOWN_MAX
from tallystick.limits.steps import HEARTBEAT_EVERY
from tallystick.settings import Settings
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs

_log = telemetry.logger(__name__)


def queue_worker(
    client: Client,
    queue: str,
    activities: Sequence[Callable[..., object]],
    threads: ThreadPoolExecutor,
    *,
    at_once: int,
) -> Worker:
    """Return a worker for the activities of one queue, at most `at_once`: no queue waits for another."""
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        activity_executor=threads,
        max_concurrent_activities=at_once,
        max_heartbeat_throttle_interval=HEARTBEAT_EVERY,
        graceful_shutdown_timeout=SHUTDOWN_MAX,
    )


async def connect(settings: Settings) -> Client:
    """Return a connection to Temporal; while it does not answer, ask again after ever longer pauses."""
    pause = CONNECT_RETRY_MIN
    while True:
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                data_converter=MESSAGE_CONVERTER,
            )
        except (RPCError, RuntimeError, OSError) as error:
            _log.warning("Temporal does not answer yet", why=type(error).__name__)
        await asyncio.sleep(pause.total_seconds())
        pause = min(2 * pause, CONNECT_RETRY_MAX)


async def until_stopped(stop: asyncio.Event, background: Sequence["asyncio.Task[None]"]) -> None:
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


def read_log_key(settings: Settings) -> SigningKey:
    """Return the key that signs checkpoints, notices and events."""
    return read_key_file(settings.log_key_file).signing_key


def open_blobs(settings: Settings) -> ReplicatedBlobs:
    """Return the deployment's stores as one."""
    return ReplicatedBlobs(
        [FileBlobStore(location.path, name=location.url) for location in settings.blob_locations]
    )
