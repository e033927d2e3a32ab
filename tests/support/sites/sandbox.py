"""How tests run workflow code: sandboxed, so that a step that is not deterministic fails its test.

The worker runs the same code without: the sandbox would enter and leave itself for each
message, and hold a copy of the workflow's modules for every claim that runs.
"""

from typing import Final

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_PASSED_THROUGH: Final = (
    # Our own pure code, and references to activities, which no workflow calls directly.
    "tallystick",
    "activities",
    # Verifying a signature is a computation like any other; the C extensions load once.
    "nacl",
    "_cffi_backend",
    "cryptography",
    "rfc8785",
    "pydantic",
    "pydantic_core",
    # What activities import.
    "sqlalchemy",
    "sqlmodel",
    "httpx",
    "aiosmtplib",
    "structlog",
)


def runner() -> SandboxedWorkflowRunner:
    """Return the runner that tests and the replay of stored histories share."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)
