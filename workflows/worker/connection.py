"""What every worker needs: Temporal, its queue, the stores and the log key."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
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


@asynccontextmanager
async def at_work(*workers: Worker) -> AsyncGenerator[Sequence["asyncio.Task[None]"]]:
    """Run workers while the block runs; the tasks that it gives end before only if Temporal ends a worker."""
    runs = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield runs
    finally:
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*runs, return_exceptions=True)


async def keep_carrying(
    settings: Settings,
    stop: asyncio.Event,
    carry: Callable[[Client], Awaitable[None]],
    *,
    pause: timedelta = CONNECT_RETRY_MAX,
) -> None:
    """Connect and `carry` until `stop` is set; if Temporal ends that, say why, and begin after a `pause`.

    Temporal's library gives up once a namespace is deleted, a permission is withdrawn, or something else
    answers in the place of Temporal, for a minute. Whoever did that may undo it, and nobody restarts us then.
    """
    said = ""
    while not stop.is_set():
        client = await connect(settings)
        try:
            await carry(client)
        except (RPCError, RuntimeError) as error:
            why = said_by(error.__cause__ if isinstance(error.__cause__, Exception) else error)
            if why != said:
                _log.warning("Temporal takes no more work from us; connecting anew", why=why)
            said = why
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause.total_seconds())


async def connect(settings: Settings) -> Client:
    """Return a connection to a Temporal that has the deployment's namespace; until then, ask ever again.

    A worker that begins without its namespace ends at once, and whoever set up the site may still be at it.
    """
    pause, said = CONNECT_RETRY_MIN, ""
    while True:
        try:
            return await _connected(settings)
        except (RPCError, RuntimeError, OSError) as error:
            why = said_by(error)
        if why != said:
            _log.warning("Temporal does not answer yet", why=why)
        said = why
        await asyncio.sleep(pause.total_seconds())
        pause = min(2 * pause, CONNECT_RETRY_MAX)


async def _connected(settings: Settings) -> Client:
    client = await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=MESSAGE_CONVERTER,
    )
    await described_namespace(client, within=CONNECT_RETRY_MAX)
    return client


async def described_namespace(client: Client, *, within: timedelta) -> None:
    """Return if Temporal answers, and has the namespace of `client`.

    Raises:
        RPCError: It has not, or something else answers in its place.
        RuntimeError: Nobody answers.
    """
    asked = DescribeNamespaceRequest(namespace=client.namespace)
    await client.workflow_service.describe_namespace(asked, timeout=within)


def said_by(error: Exception) -> str:
    """Return in words who or what kept a request from Temporal, for the log."""
    return f"{error.status.name}: {error.message}" if isinstance(error, RPCError) else str(error)


async def until_stopped(stop: asyncio.Event, background: Sequence["asyncio.Task[None]"]) -> None:
    """Wait for `stop`; raise the error of a background task that ends before."""
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
