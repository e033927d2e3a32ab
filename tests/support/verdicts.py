"""A verdict on an evidence file, by a process of its own: what it costs in time and memory."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024
CPU_SECONDS_MAX: Final = 5.0

_VERIFIES: Final = """
import json, re, sys, time
from pathlib import Path
from tallystick.proof.evidence.verify import verify
report = verify(Path(sys.argv[1]).read_bytes())
status = Path("/proc/self/status").read_text()  # its ru_maxrss would be that of the process that started it
used = int(re.search(r"^VmHWM:\\s+([0-9]+) kB$", status, re.MULTILINE)[1]) * 1024
print(json.dumps([report.holds, report.steps[-1].premise, report.steps[-1].found, time.process_time(), used]))
"""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a verifier found, and what that took, from the start of its process."""

    holds: bool
    premise: str
    found: str
    cpu_seconds: float
    memory_bytes: int

    def is_soon_and_small(self) -> bool:
        return self.cpu_seconds <= CPU_SECONDS_MAX and self.memory_bytes <= MEMORY_BYTES_MAX


def verdict_on(file: Path) -> Verdict:
    ran = subprocess.run(
        [sys.executable, "-c", _VERIFIES, str(file)], capture_output=True, text=True, check=True, timeout=120
    )
    holds, premise, found, seconds, memory = json.loads(ran.stdout)
    return Verdict(holds=holds, premise=premise, found=found, cpu_seconds=seconds, memory_bytes=memory)
