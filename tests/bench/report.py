"""docs/benchmarks.md: each figure beside its floor, and the reason for every missed target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.greedy import Beside, table
from tests.bench.measuring import Row, percentile
from tests.bench.peaks import SIZES_BYTES, TARGET_MIB, Peak

_HEAD: Final = """\
# Benchmarks

`make bench` writes this file. The machine it ran on may have been busy with other things, so the figure that
counts is always the **ratio**. Each round measures ours and its floor in turn (A B, B A, A B …), on the same
disk and the same Temporal server, and the result is the median of the rounds' ratios. Seconds and MB/s give
you an idea of the size; do not rely on them alone, and do not compare them between two runs. The range in
brackets holds the middle half of the ratios. A wide range means that the machine was busy and the figure is
worth less.
"""

_SEALING_NOTE: Final = """\
The target for sealing applies to the row that writes nothing, because the floor writes nothing either. In
practice a deposit costs what the row *bag → tar → age to a file* says; that row has no target and would miss
this one.
"""
_NO_AGE: Final = """\
`age` is not installed on this machine, so sealing was not compared with it.
"""

_WHY: Final[Mapping[str, str]] = {
    "approval": """\
An approval does more than its floor, by design. The floor is one round trip to a workflow that believes
everything, and an insert that nobody reads. An approval comes through HTTP with a token that is verified. It
is admitted three times: at the door, by the workflow, and in the transaction that records it. A step that the
workflow waits for records it, because a workflow must not write by itself.

We took the time at each step, in both processes, for one caller. The machine was doing other work, too: a
median approval took 27.5 ms there, and its floor 9.0 ms. An arrow leads to the processor time after the last
change, which builds each SQL statement once.

| step of an approval | ms | in the floor |
|---|---|---|
| uvicorn, FastAPI, the token and its signature | 1.6 | no |
| who asks, and what they may see: three look-ups in a thread | 2.2 → 1.2 | no |
| the statement's form; the claim's record; the door, with the signature | 2.5 → 1.8 | no |
| Temporal takes the update, and hands it to the worker | 4.5 | yes |
| the workflow's first task: validator with the signature, door, hand-over | 3.1 | a third |
| the local activity: read and fold the record | 1.4 → 0.9 | no |
| the local activity: admit and append (row, leaf, tree) | 1.5 → 0.6 | no |
| the local activity: commit, one fsync | 0.5 to 2.8 | yes |
| Temporal's library: to the activity's thread and back, twice | 2.2 | no |
| the workflow's second task: fold the entry, look at what is due | 1.1 | no |
| Temporal makes the task durable, and answers | 3.7 | yes |
| the answer | 0.7 | no |

So about 10 ms are the floor's. Of the rest, the API takes 7 ms, the worker's own steps 6 ms and Temporal's
library 2 ms; the last change has taken 3 ms of that away. Twice the floor would leave 9 ms for all of it: no
single step is left whose removal would do that, and the checks are what an approval is for.

Steps that are gone: Temporal queued the activity and handed it out again (it is local now); the log was
signed before the answer (now within a second after it); each reader verified and folded the whole record
(now only what is new); writers slept for SQLite's lock (now they take turns); each message entered the
sandbox (now only in tests); each answer built its serialiser; the workflow's validator asked everything
that its handler asks; the API gave checks that wait for nothing to threads of their own; each look at a
claim parsed its filing; each task of a workflow built Pydantic's readers anew; each look-up built its SQL
statement, which took four times as long as to execute it.

uvloop changed nothing that could be measured: the API took 6.8 ms of processor time for an approval without
it, and 7.0 ms with it.""",
    "age": """\
`age` makes no digest. A deposit must have one, and SHA-256 of the sealed bytes takes a third of the time.
We tried to hash in a second thread: it was a tenth faster at best, and every failure had a second way to
happen.""",
    "sealing": """\
Sealing must hash and encrypt every byte. One after the other, at the primitives' own speeds, that is
1 / (1/SHA-256 + 1/ChaCha20-Poly1305): about 0.61 of the slower one if SHA-256 has two thirds of the other's
speed, before a byte is read or copied. We tried to hash in a second thread, and it was slower:
`cryptography` encrypts without releasing Python's lock, so the threads wait for each other, and the
pieces under way leave the processor's cache. We removed a copy of every chunk.""",
    "validation": """\
Validation is hashlib over pieces of 1 MiB. The usual build of `sha256sum` does not use the processor's SHA
instructions. Where it does, or where there are none, both are the same loop.""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of the site's processes before and with open claims, in MiB."""

    claims: int
    wanted: int
    before: Mapping[str, float]
    after: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that one run measured."""

    machine: str
    rows: Sequence[Row]
    peaks: Sequence[Peak]
    memory: Memory
    beside: Sequence[Beside]


def report(measured: Measured) -> str:
    """Return the file."""
    lines = [_HEAD, f"This run: {measured.machine}.\n", *_times(measured.rows)]
    lines += [*table(measured.beside), *_peaks(measured.peaks), *_memory(measured.memory)]
    lines += _missed(measured.rows)
    return "\n".join(lines)


def ratios(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table: a row of each figure, beside its floor."""
    yield "| what | ours | floor | ratio | target |"
    yield "|---|---|---|---|---|"
    for row in rows:
        low, high = percentile(row.ratios, 0.25), percentile(row.ratios, 0.75)
        yield (
            f"| {row.what} | {row.ours} | {row.floor} "
            f"| **{row.ratio:.2f}** ({low:.2f}-{high:.2f}) | {_target(row)} |"
        )


def _times(rows: Sequence[Row]) -> Iterator[str]:
    yield "## Time, against the floor\n"
    yield (
        "The ratio of a latency says how many times the floor's time ours takes. The ratio of a throughput\n"
        "says which part of the floor's speed ours reaches.\n"
    )
    yield from ratios(rows)
    yield ""
    yield _SEALING_NOTE
    if not any("against `age`" in row.what for row in rows):
        yield _NO_AGE


def _target(row: Row) -> str:
    if row.holds is None:
        return "-"
    bound = f"≤ {row.at_most:g}" if row.at_most is not None else f"≥ {row.at_least:g}"
    return f"{bound}: {'met' if row.holds else 'missed'}"


def _peaks(peaks: Sequence[Peak]) -> Iterator[str]:
    small, large = (size >> 20 for size in SIZES_BYTES)
    yield "## Memory, by size\n"
    yield (
        "The most memory that was resident (VmHWM, because a child's `ru_maxrss` would count its parent's).\n"
        "Each step runs in a process of its own, and the API's peak is reset before each. Target:\n"
        f"≤ {TARGET_MIB} MiB.\n"
    )
    yield f"| step | {small} MiB | {large} MiB | target |"
    yield "|---|---|---|---|"
    for peak in peaks:
        held = "met" if max(peak.mib) <= TARGET_MIB else f"missed by {max(peak.mib) - TARGET_MIB:.0f} MiB"
        yield f"| {peak.what} | {peak.mib[0]:.0f} MiB | {peak.mib[1]:.0f} MiB | {held} |"
    yield ""
    yield (
        "The part that does not grow with the size is the interpreter and the libraries. The API serves\n"
        "others too, and its libraries are resident before anybody asks (see below), so its rows say what a\n"
        "step adds.\n"
    )


def _memory(memory: Memory) -> Iterator[str]:
    yield "## Memory of a site with open claims\n"
    if memory.claims < memory.wanted:
        yield (
            f"We wanted {memory.wanted:,} claims. In the time that a run has, {memory.claims:,} could be\n"
            "filed and accepted through the API, with the whole record of each verified. All are open.\n"
        )
    yield f"| process | before any claim | {memory.claims:,} open claims | per claim |"
    yield "|---|---|---|---|"
    for name, after in memory.after.items():
        before = memory.before[name]
        each = (after - before) * 1024 / max(memory.claims, 1)
        yield f"| {name} | {before:.0f} MiB | {after:.0f} MiB | {each:.0f} KiB |"
    yield ""


def _missed(rows: Sequence[Row]) -> Iterator[str]:
    missed = [row for row in rows if row.holds is False]
    if not missed:
        return
    yield "## Missed targets, by how much, and why\n"
    for row in missed:
        bound = row.at_most if row.at_most is not None else row.at_least
        yield f"* {row.what}: {row.ratio:.2f} instead of {bound:g}."
    yield ""
    for why in dict.fromkeys(row.why for row in missed):
        yield _WHY[why] + "\n"
