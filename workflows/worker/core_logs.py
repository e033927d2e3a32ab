"""What Temporal's core writes about itself goes where every log goes: as JSON, with secrets withheld."""

import logging
from typing import Final

from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Worker

CORE_LOGGER: Final = "temporalio.core"


def core_runtime() -> Runtime:
    """Return a core that hands its warnings to Python's logs, and writes nothing to the console itself.

    Why a worker of the library has ended is said by `connection.keep_carrying`, in a sentence.
    """
    logging.getLogger(Worker.__module__).setLevel(logging.CRITICAL)  # it says the same with a traceback
    forwarding = LogForwardingConfig(logger=logging.getLogger(CORE_LOGGER))
    warnings = TelemetryFilter(core_level="WARN", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=warnings, forwarding=forwarding)))
