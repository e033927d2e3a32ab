"""What a piece of work costs, done by a process of its own: processor time and memory, from its start."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024
CPU_SECONDS_MAX: Final = 5.0
YARDSTICK_SECONDS: Final = 0.17
"""What the yardstick takes on the machine for which the bound is meant: two idle cores."""

_MEASURES: Final = """
import contextlib, hashlib, io, json, re, sys, time
from pathlib import Path

def yardstick():
    begun, text = time.process_time(), b""
    for number in range(120_000):  # what verifiers do: small objects, texts and hashes
        text = hashlib.sha256(json.dumps({"number": number, "text": text.hex()}).encode()).digest()
    return time.process_time() - begun

def measured(work):
    said = work()
    seconds = time.process_time()
    status = Path("/proc/self/status").read_text()  # ru_maxrss is that of its parent, too
    used = int(re.search(r"^VmHWM:\\s+([0-9]+) kB$", status, re.MULTILINE)[1]) * 1024
    Path(sys.argv[1]).write_text(json.dumps([said, seconds, yardstick(), used]))
"""

_COMMAND: Final = """
from tallystick.cli.main import main

def work():
    try:
        main(sys.argv[2:])
    except SystemExit as ended:
        return ended.code or 0
    finally:
        sys.stdout.flush()

measured(work)
"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a piece of work took, and what it said at its end.

    Attributes:
        yardstick_seconds: What a fixed piece of work took the same process: busy neighbours slow both.
    """

    said: Any
    cpu_seconds: float
    yardstick_seconds: float
    memory_bytes: int
    out: str
    err: str

    @property
    def fair_seconds(self) -> float:
        """The processor time that it takes where nobody else is busy."""
        return self.cpu_seconds / max(1, self.yardstick_seconds / YARDSTICK_SECONDS)

    def is_soon_and_small(self) -> bool:
        return self.fair_seconds <= CPU_SECONDS_MAX and self.memory_bytes <= MEMORY_BYTES_MAX

    def __str__(self) -> str:
        figures = f"{self.fair_seconds:.1f} s ({self.cpu_seconds:.1f} s here), {self.memory_bytes >> 20} MiB"
        return f"{figures}, said {self.said}: {self.out[:200]} {self.err[:800]}"


def cost_of(work: str, *words: str, into: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Return what Python code costs, which defines `work` and has `words` as `sys.argv[2:]`."""
    told = into / "cost.json"
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURES + work, str(told), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **(environment or {})},
    )
    assert ran.returncode == 0, ran.stderr
    said, seconds, yardstick, memory = json.loads(told.read_text())
    return Cost(
        said=said,
        cpu_seconds=seconds,
        yardstick_seconds=yardstick,
        memory_bytes=memory,
        out=ran.stdout,
        err=ran.stderr,
    )


def cost_of_command(*words: str, into: Path) -> Cost:
    """Return what a command of `tallystick` costs; what it said is its exit code."""
    return cost_of(_COMMAND, *words, into=into)
