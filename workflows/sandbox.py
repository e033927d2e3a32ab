"""How workflow code is run: sandboxed, with what is known to be deterministic passed through."""

from typing import Final

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_PASSED_THROUGH: Final = (
    # Our own pure code, and references to activities, which a workflow never runs.
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
    "standardwebhooks",
)


def runner() -> SandboxedWorkflowRunner:
    """Return the runner that the worker, the tests and the replay of stored histories share."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)
