"""The app keeps to its OpenAPI document, whatever is asked: statuses, types, shapes, never a defect.

A few hundred cases here; `make fuzz` sends 20,000, and prints how many it sent.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from tallystick.domain.ids import PersonId
from tests.support.judges.fuzzing import (
    CALLERS,
    AnyCase,
    Operation,
    Rig,
    as_meant,
    cases,
    rig,
    takes_anything,
)
from tests.support.judges.statements_by_address import in_window
from tests.support.sites.service import template_world
from tests.support.worlds.agreements import ANA
from tests.support.worlds.gate_worlds import World

CASES = int(os.environ.get("TALLYSTICK_FUZZ_CASES", "360"))
SECONDS = int(os.environ.get("TALLYSTICK_FUZZ_SECONDS", "30"))
LONG = CASES > 1000
"""Then every case of the coverage phase is sent as well, and no run is like the one before."""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> World:
    return in_window(template_world(tmp_path_factory.mktemp("schema")))


def tried(using: Rig, operation: Operation, count: int, until: float) -> None:
    """Send `count` cases for one operation, fewer if time is up.

    Raises:
        Exception: An answer that the document does not describe, for the smallest case that gets it.
    """

    def ask(case: AnyCase, person: PersonId) -> None:
        if time.monotonic() < until:
            using.sends(case, person)

    phases = [Phase.generate, *([Phase.shrink] if LONG else [])]
    bounded = settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=not LONG,
        phases=phases,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    bounded(given(case=cases(using, operation), person=st.sampled_from(CALLERS))(ask))()


def covered(using: Rig, operation: Operation) -> None:
    """Send every boundary value, missing parameter and wrong method that schemathesis thinks of."""
    made: Iterator[AnyCase] = using.schema.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=using.schema.config.generation_for(operation=operation),
    )
    for case in made:
        using.sends(case, ANA)


@pytest.mark.timeout(SECONDS * 2 + 120)
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # Hypothesis warns of its own strategies
def test_every_answer_is_one_that_the_document_describes(window: World, tmp_path: Path) -> None:
    until = time.monotonic() + SECONDS
    failures: list[BaseException] = []
    using = rig(window)
    operations = using.operations()
    asking = {one.label for one in operations if takes_anything(one)}
    for place, operation in enumerate(operations):
        using.moves_to(window.copied_to(tmp_path / str(place)))  # what one changes, the next does not see
        try:
            if LONG:
                covered(using, operation)
            for case in as_meant(using, operation) if operation.method == "post" else ():
                using.sends(case, ANA)
            share = CASES // len(asking) + 1 if operation.label in asking else len(CALLERS)
            tried(using, operation, share, until)
        except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001 - all are reported together
            failures.append(failure)
        if LONG:
            print(f"{using.statuses.total():>6} {operation.label}", flush=True)  # noqa: T201
    statuses = using.statuses
    print(f"{statuses.total()} cases over {len(operations)} operations: {dict(sorted(statuses.items()))}")  # noqa: T201
    if failures:
        raise BaseExceptionGroup("not as the document says", failures)
    assert max(statuses) < 500
    assert {200, 201, 400, 403, 404, 409, 422} <= set(statuses), "the cases reach behind the door"
    assert statuses.total() > CASES / 2, "most of the cases were sent in time"
