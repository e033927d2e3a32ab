"""`python -m tests.bench`: measures everything, and writes docs/benchmarks.md."""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import statement_id
from tests.bench.approvals import CLAIMS_NEEDED, measure_approvals
from tests.bench.claims import ROUNDS, measure_full_claim, open_claims, resident_mib
from tests.bench.greedy import Beside, measure_greedy, table
from tests.bench.measuring import Row
from tests.bench.peaks import Peak, measure_peaks
from tests.bench.records import measure_append, measure_evidence
from tests.bench.report import Measured, Memory, ratios, report
from tests.bench.sealing import measure_sealing
from tests.bench.site import CLAIMS_EACH_MAX, ROOT, BenchSite, bench_site
from tests.support.stories.releases import Release
from tests.support.worlds.agreements import BEA

OUT: Final = ROOT / "docs" / "benchmarks.md"
FILING_SECONDS_MAX: Final = 400.0
_STARTED: Final = time.monotonic()


def tell(what: str) -> None:
    """Print what is being done, and when."""
    print(f"{time.monotonic() - _STARTED:6.1f} s  {what}", flush=True)  # noqa: T201 - a command line


def measure(folder: Path, wanted: int) -> Measured:
    """Measure everything; `wanted` claims are open at the end."""
    machine = _machine()
    rows = [*measure_sealing(folder), *measure_append(folder / "ledger")]
    tell("sealing, validation and the ledger are measured")
    with bench_site(folder, tell) as site:
        before = resident_mib(site)
        made, peaks = _over_the_site(site)
        beside = measure_greedy(site, tell)
        tell("the site is measured; now claims are filed")
        memory = _with_open_claims(site, wanted, before)
    return Measured(machine=machine, rows=[*made, *rows], peaks=peaks, memory=memory, beside=beside)


def measure_only_greedy(folder: Path) -> list[Beside]:
    """Measure what an approver waits for beside greedy callers, on a site of its own."""
    with bench_site(folder, tell) as site:
        return measure_greedy(site, tell)


def measure_only_approvals(folder: Path) -> list[Row]:
    """Measure how long an approval takes, on a site of its own."""
    with bench_site(folder, tell) as site:
        return _approvals(site)[0]


def _approvals(site: BenchSite) -> tuple[list[Row], Release]:
    """Return the rows about approvals, and an agreement with a deposit."""
    under = site.agreements([f"approvals-{place}" for place in range(-(-CLAIMS_NEEDED // CLAIMS_EACH_MAX))])
    claims = site.open_claims(under, CLAIMS_EACH_MAX)
    for claim in claims:
        claim.until("its window is open", partial(_in_window, claim))
    tell(f"{len(claims)} claims wait for approval")
    rows = asyncio.run(measure_approvals(site, claims))
    tell("approvals are measured")
    return rows, under[0]


def _over_the_site(site: BenchSite) -> tuple[list[Row], list[Peak]]:
    approvals, deposited = _approvals(site)
    whole = site.agreements([f"whole-{place}" for place in range(ROUNDS + 1)])
    full, released = asyncio.run(measure_full_claim(site, whole))
    tell("full claims are measured")
    data = released.client(BEA).get_bytes(f"/v1/claims/{released.claim}/evidence")
    evidence = measure_evidence(data, statement_id(released.agreement_statement))
    tell("evidence is measured")
    return [*approvals, *full, *evidence], measure_peaks(site, deposited)


def _in_window(claim: Release) -> bool:
    return claim.state() == "WINDOW"


def _with_open_claims(site: BenchSite, wanted: int, before: dict[str, float]) -> Memory:
    give_up = time.monotonic() + FILING_SECONDS_MAX
    number = 0
    while (missing := wanted - open_claims(site)) > 0 and time.monotonic() < give_up:
        names = [f"many-{number + place}" for place in range(min(6, -(-missing // CLAIMS_EACH_MAX)))]
        number += len(names)
        site.open_claims(site.agreements(names), CLAIMS_EACH_MAX, seconds=give_up - time.monotonic())
    found = open_claims(site) - ROUNDS - 1  # those that were released
    tell(f"{found} claims are open")
    return Memory(claims=found, wanted=wanted, before=before, after=resident_mib(site))


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load average {load:.1f} when it began"
    )


def main() -> None:
    """Run, and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--claims", type=int, default=1000, help="how many claims shall be open in the end")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument(
        "--approvals", action="store_true", help="measure approvals alone, print the rows, and write no file"
    )
    parser.add_argument(
        "--greedy",
        action="store_true",
        help="measure beside greedy callers alone, and print it",
    )
    asked = parser.parse_args()
    if asked.greedy:
        with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
            print("\n".join(table(measure_only_greedy(Path(folder)))))  # noqa: T201 - a command line
        return
    if asked.approvals:
        with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
            print("\n".join(ratios(measure_only_approvals(Path(folder)))))  # noqa: T201 - a command line
        return
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        text = report(measure(Path(folder), asked.claims))
    asked.out.write_text(text, encoding="utf-8")
    tell(f"written to {asked.out}")


if __name__ == "__main__":
    main()
