"""What Temporal's core writes about itself goes where every log goes: as JSON, with secrets withheld."""

import logging
from typing import Final

from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

CORE_LOGGER: Final = "temporalio.core"


def core_runtime() -> Runtime:
    """Return a core that hands its warnings to Python's logs, and writes nothing to the console itself."""
    forwarding = LogForwardingConfig(logger=logging.getLogger(CORE_LOGGER))
    warnings = TelemetryFilter(core_level="WARN", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=warnings, forwarding=forwarding)))
