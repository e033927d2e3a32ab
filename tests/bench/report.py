"""docs/benchmarks.md: each figure beside its floor, and a word on every target that was missed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.measuring import Row, percentile
from tests.bench.peaks import SIZES_BYTES, TARGET_MIB, Peak

_HEAD: Final = """\
# Benchmarks

Written by `make bench`; the numbers are of the machine it ran on, which may be busy with other
things. So the figure is always the **ratio**: ours and its floor are measured in the same run, by turns
(A B, B A, A B …), on the same disk and the same Temporal server, and the median of the rounds'
ratios counts. Seconds and MB/s are there for orientation; nothing should be read from them alone, nor
from two runs compared. In brackets stands where the middle half of the ratios lies: where that is wide, the
machine was busy, and the figure is worth less.
"""

_SEALING_NOTE: Final = """\
The target for sealing is held against the row that writes nothing, because the floor writes
nothing either; what a deposit costs in practice is the row *bag → tar → age to a file*, which has no target
and would miss this one.
"""
_NO_AGE: Final = """\
`age` is not installed on this machine: whether sealing is no slower than `age` was not measured.
"""

_WHY: Final[Mapping[str, str]] = {
    "approval": """\
An approval is more than its floor, by design: the floor is one round trip to a workflow that believes
everything, and an insert that nobody reads. An approval comes through HTTP with a token that is verified,
is admitted three times (at the door, by the workflow, and in the transaction that records it), and is
recorded by a step that the workflow waits for, because a workflow must not write by itself. Where the
time goes, with one caller: about a third is the same round trip as the floor's, a third is HTTP, the
token and the door, a third the local activity, half of it the transaction. What was found by profiling
and mended: the step was queued at Temporal and fetched again (now local), the log was signed before the
answer (now within a second after), the record was verified and folded anew by each reader (now what is
new of it), writers slept for SQLite's lock (now they take turns), the sandbox was entered for each message
(now only in tests), each answer had its serialiser built. What is left is Python in three processes: with
20 callers on two cores ours, Temporal's and the one that calls use the processors up.""",
    "age": """\
`age` makes no digest; a deposit must have one, and SHA-256 of what is sealed takes a third of the time.
Hashing in a second thread was tried: a tenth faster at best, for a second way through every failure.""",
    "sealing": """\
Sealing needs every byte hashed and encrypted: one after the other, at the primitives' own speeds, that
is 1 / (1/SHA-256 + 1/ChaCha20-Poly1305), about 0.61 of the slower one where SHA-256 has two thirds of the
other's speed, before a byte is read or copied. Hashing in a second thread was tried and was slower:
`cryptography` encrypts without letting go of Python's lock, so the threads wait for each other, and the
pieces under way leave the processor's cache. What went: a copy of every chunk.""",
    "validation": """\
Validation is hashlib over pieces of 1 MiB. The usual build of `sha256sum` leaves the processor's SHA
instructions alone; where it uses them, or where there are none, both are the same loop.""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the site's processes had resident, before and with open claims, in MiB."""

    claims: int
    wanted: int
    before: Mapping[str, float]
    after: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All of a run."""

    machine: str
    rows: Sequence[Row]
    peaks: Sequence[Peak]
    memory: Memory


def report(measured: Measured) -> str:
    """Return the file."""
    lines = [_HEAD, f"This run: {measured.machine}.\n", *_ratios(measured.rows)]
    lines += [*_peaks(measured.peaks), *_memory(measured.memory), *_missed(measured.rows)]
    return "\n".join(lines)


def _ratios(rows: Sequence[Row]) -> Iterator[str]:
    yield "## Time, against the floor\n"
    yield (
        "A latency's ratio says how many times the floor's time; a throughput's, which part of the floor's\n"
        "speed.\n"
    )
    yield "| what | ours | floor | ratio | target |"
    yield "|---|---|---|---|---|"
    for row in rows:
        low, high = percentile(row.ratios, 0.25), percentile(row.ratios, 0.75)
        yield (
            f"| {row.what} | {row.ours} | {row.floor} "
            f"| **{row.ratio:.2f}** ({low:.2f}-{high:.2f}) | {_target(row)} |"
        )
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
    yield "## Memory, whatever the size\n"
    yield (
        "The most that was resident (VmHWM; a child's `ru_maxrss` would count its parent's), each step in\n"
        f"a process of its own; the API's peak begins anew before each. Target: ≤ {TARGET_MIB} MiB.\n"
    )
    yield f"| step | {small} MiB | {large} MiB | target |"
    yield "|---|---|---|---|"
    for peak in peaks:
        held = "met" if max(peak.mib) <= TARGET_MIB else f"missed by {max(peak.mib) - TARGET_MIB:.0f} MiB"
        yield f"| {peak.what} | {peak.mib[0]:.0f} MiB | {peak.mib[1]:.0f} MiB | {held} |"
    yield ""
    yield (
        "What does not grow with the size is the interpreter and the libraries. The API serves others too,\n"
        "and has its libraries resident before anybody asks (see below): its rows say what a step adds.\n"
    )


def _memory(memory: Memory) -> Iterator[str]:
    yield "## Memory of a site with open claims\n"
    if memory.claims < memory.wanted:
        yield (
            f"{memory.wanted:,} claims were wanted; in the time the run has, {memory.claims:,} could be\n"
            "filed and accepted through the API, the whole record of each verified. All of them are open.\n"
        )
    yield f"| process | before any claim | {memory.claims:,} open claims | a claim |"
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
    yield "## What was missed, by how much, and why\n"
    for row in missed:
        bound = row.at_most if row.at_most is not None else row.at_least
        yield f"* {row.what}: {row.ratio:.2f} instead of {bound:g}."
    yield ""
    for why in dict.fromkeys(row.why for row in missed):
        yield _WHY[why] + "\n"
