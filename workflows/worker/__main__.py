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
from collections.abc import Sequence

from temporalio.runtime import Runtime

from tallystick import telemetry
from tallystick.limits.processes import SHUTDOWN_MAX
from tallystick.settings import Settings, read_settings
from workflows.worker.carrier import run_worker
from workflows.worker.core_logs import core_runtime
from workflows.worker.gate import run_gate


def main(arguments: Sequence[str] | None = None) -> None:
    """Start the worker, or with `--gate` the gate, and run it until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m workflows.worker", description=main.__doc__)
    parser.add_argument("--gate", action="store_true", help="run the gate, and only the gate")
    gate = bool(parser.parse_args(arguments).gate)
    telemetry.configure("gate" if gate else "worker")
    Runtime.set_default(core_runtime(), error_if_already_set=False)
    with telemetry.ending_in_words():
        asyncio.run(_main(read_settings(os.environ), gate=gate))


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


if __name__ == "__main__":
    main()
