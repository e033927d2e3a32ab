"""Attack parsers with inputs that grow towards what no input reached yet.

`python -m tests.fuzz --seconds 600` gives each target ten minutes; targets may be named. Each begins with
its seeds and its kept corpus, `corpus/TARGET.zip`; `--keep` writes to that file the smallest inputs that
reach every branch reached so far. A line for each target says how many inputs were tried, how many branches
of our code they reached, and whether one of them was a finding.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.fuzz.corpus import keep, kept
from tests.fuzz.targets.all import TARGETS
from tests.fuzz.targets.together import BY_NAME

FINDINGS: Final = Path(".fuzz")
_EXECUTIONS: Final = re.compile(r"number_of_executed_units: (\d+)")
_BRANCHES: Final = re.compile(r"cov: (\d+)")
_INPUT_SECONDS_MAX: Final = 5  # no input may take a verifier longer
_MEMORY_MIB_MAX: Final = 1024
_TOLD_CHARACTERS: Final = 2000  # libFuzzer's last words are in its stderr, the traceback in stdout


@dataclass(frozen=True, kw_only=True)
class Attack:
    """How one target withstood its attack."""

    target: str
    executions: int
    branches: int
    told: str
    found: bool

    def line(self) -> str:
        """Return the row that is printed."""
        verdict = "FOUND AN INPUT" if self.found else "nothing found"
        return f"{self.target:16} {self.executions:>12,} inputs {self.branches:>6} branches  {verdict}"


def attack(name: str, *, seconds: int, keeping: bool) -> Attack:
    """Attack one target for so many seconds, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for data in (*BY_NAME[name].seeds(), *kept(name)):
            (corpus / sha256(data).hexdigest()).write_bytes(data)
        FINDINGS.mkdir(exist_ok=True)
        ended = _libfuzzer(name, f"-max_total_time={seconds}", corpus)
        if keeping and ended.returncode == 0:
            keep(name, _smallest(name, corpus, Path(folder) / "merged"))
    return Attack(
        target=name,
        executions=_last(_EXECUTIONS, ended.stderr),
        branches=_last(_BRANCHES, ended.stderr),
        told=f"{ended.stderr[-_TOLD_CHARACTERS:]}\n{ended.stdout[-_TOLD_CHARACTERS:]}",
        found=ended.returncode != 0,
    )


def _libfuzzer(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    limits = (
        "-print_final_stats=1",
        f"-timeout={_INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={_MEMORY_MIB_MAX}",
        f"-artifact_prefix={FINDINGS}/{name}-",
    )
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "attack"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.fuzz.attack "$0" {name} "$@"\n')
        program.chmod(0o700)
        command = [str(program), *limits, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def _smallest(name: str, corpus: Path, merged: Path) -> Iterable[bytes]:
    """Return the smallest inputs that reach all that the corpus reaches."""
    merged.mkdir()
    ended = _libfuzzer(name, "-merge=1", merged, corpus)
    assert ended.returncode == 0, ended.stderr
    return [file.read_bytes() for file in sorted(merged.iterdir())]


def _last(pattern: re.Pattern[str], text: str) -> int:
    return int((pattern.findall(text) or ["0"])[-1])


def main(arguments: Sequence[str]) -> int:
    """Attack the targets one after the other; 1 if one of them was found wanting."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"some of: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true", help="write what was reached to the kept corpus")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.targets) - TARGETS.keys()):
        parser.error(f"no such target: {', '.join(unknown)}")
    found = False
    for name in asked.targets or TARGETS:
        result = attack(name, seconds=asked.seconds, keeping=asked.keep)
        sys.stdout.write(result.line() + "\n")
        sys.stdout.flush()
        if result.found:
            found = True
            sys.stdout.write(f"{result.told}\nThe input lies in {FINDINGS}/.\n")
    return int(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
