"""A full claim beside a bare workflow of as many steps, and what open claims cost in memory."""

import asyncio
import copy
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from tallystick.domain.kinds import Outcome
from tallystick.domain.statements.acts import Intake
from tallystick.domain.statements.orders import JointInstruction
from tallystick.messages import claim_workflow_id
from tests.bench.floor import CLAIMS, Bare
from tests.bench.measuring import Row, milliseconds
from tests.bench.site import BenchSite
from tests.support.stories.releases import Release
from tests.support.worlds.agreements import ANA, BEA, CRITICAL, DORA, KIM, TOM

ROUNDS: Final = 5
_ACTIVITIES: Final = (EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_MARKER_RECORDED)
"""What shows an activity: one that was queued, or a local one."""
_RESIDENT: Final = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What Temporal carried for one claim."""

    activities: int
    updates: int


async def measure_full_claim(site: BenchSite, under: Sequence[Release]) -> tuple[list[Row], Release]:
    """Return the row about full claims, each under an agreement of its own, and one released claim."""
    client = await Client.connect(site.settings.temporal_address)
    ours, floor, steps = list[float](), list[float](), Steps(activities=0, updates=0)
    claim = copy.copy(under[0])
    for place, agreement in enumerate(under):
        claim = copy.copy(agreement)
        took = await asyncio.to_thread(_release, claim)
        steps = await _steps(client, claim)
        bare = await _bare(client, f"bare-claim-{place}", steps)
        if place > 0:  # the first one warms up
            ours.append(took)
            floor.append(bare)
    row = Row(
        what="a full claim, from filing to the last receipt, its window waived by joint instruction",
        ours=milliseconds(ours),
        floor=f"{milliseconds(floor)}: a bare workflow with {steps.activities} activities that do nothing, "
        f"{steps.updates} updates",
        ratios=[one / other for one, other in zip(ours, floor, strict=True)],
    )
    return [row], claim


def _release(claim: Release) -> float:
    """Drive a claim as fast as people can; anyone who waits for the gate or the end looks every 50 ms."""
    begun = time.perf_counter()
    claim.file(condition=claim.agreement.conditions[0].id)
    claim.insist("intakes", claim.act(Intake, ANA, accepted=True), ANA)
    body = claim.body(JointInstruction, DORA, claim=claim.claim, outcome=Outcome.RELEASE, reason="We agree.")
    claim.insist("joint-instructions", claim.signed(body, DORA, BEA), DORA)
    for person in (ANA, KIM, TOM):
        claim.approve(person)
    claim.receive(CRITICAL)
    claim.recorded("release-completed")
    return time.perf_counter() - begun


async def _steps(client: Client, claim: Release) -> Steps:
    handle = client.get_workflow_handle(claim_workflow_id(claim.claim))
    kinds = [event.event_type async for event in handle.fetch_history_events()]
    return Steps(
        activities=sum(kinds.count(kind) for kind in _ACTIVITIES),
        updates=kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED),
    )


async def _bare(client: Client, workflow_id: str, steps: Steps) -> float:
    """Run the same number of activities, one in each update and the rest one after the other."""
    begun = time.perf_counter()
    handle = await client.start_workflow(
        Bare.run, max(steps.activities - steps.updates, 0), id=workflow_id, task_queue=CLAIMS
    )
    for place in range(steps.updates):
        await handle.execute_update(Bare.take_through_an_activity, "x" * 2000, id=f"{workflow_id}-{place}")
    await handle.signal(Bare.end)
    await handle.result()
    return time.perf_counter() - begun


def resident_mib(site: BenchSite) -> dict[str, float]:
    """Return how much memory each process of the site now holds."""
    return {name: _resident_mib(pid) for name, pid in site.stack.pids().items()}


def open_claims(site: BenchSite) -> int:
    """Return how many claims are on record."""
    with closing(sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)) as rows:
        (found,) = rows.execute("SELECT count(*) FROM claims").fetchone()
    return int(found)


def _resident_mib(pid: int) -> float:
    match = _RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
    assert match is not None, "Linux says VmRSS"
    return int(match[1]) / 1024
