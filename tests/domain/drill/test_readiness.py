"""Readiness: what a fire drill of an agreement would find; each finding appears when its cause does."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tallystick.domain.drill.readiness import Inventory, findings, is_ready
from tallystick.domain.statements.deposits import Deposit
from tests.support.worlds.agreements import ABE, ANA, KIM, PEOPLE, SPARE_SEATS, TOM
from tests.support.worlds.groundwork import BEGIN
from tests.support.worlds.world import World


def deposit() -> Deposit:
    return replace(World().deposit.body, watermark=BEGIN)


SOUND = Inventory(
    at=BEGIN + timedelta(days=1),
    live=frozenset(component.id for component in SPARE_SEATS.components),
    deposit=deposit(),
    revoked=(),
    halted=False,
)


def codes(inventory: Inventory) -> set[str]:
    return {finding.code for finding in findings(SPARE_SEATS, inventory)}


def test_a_sound_agreement_with_a_fresh_deposit_is_ready() -> None:
    assert codes(SOUND) == set()
    assert is_ready(findings(SPARE_SEATS, SOUND))


@pytest.mark.parametrize(
    ("changes", "code", "ready"),
    [
        ({"halted": True}, "halted", False),
        ({"live": None}, "custody-unreadable", False),
        ({"deposit": None}, "no-verified-deposit", False),
        ({"live": frozenset[str]()}, "no-live-custody", True),
        ({"at": BEGIN + timedelta(days=9)}, "deposit-overdue", True),
        ({"at": BEGIN + timedelta(days=15)}, "deposit-too-old", False),
        ({"deposit": replace(deposit(), components=deposit().components[:1])}, "not-deposited", False),
        (
            {"revoked": [PEOPLE[person].signing_key.public_key for person in (ANA, ABE, KIM)]},
            "quorum-out-of-reach",
            False,
        ),
    ],
)
def test_each_obstacle_is_found(changes: dict[str, object], code: str, *, ready: bool) -> None:
    inventory = replace(SOUND, **changes)  # type: ignore[arg-type]
    assert code in codes(inventory)
    assert is_ready(findings(SPARE_SEATS, inventory)) is ready


def test_one_revoked_key_of_several_does_not_prevent_a_release() -> None:
    assert codes(replace(SOUND, revoked=[PEOPLE[TOM].signing_key.public_key])) == set()


@pytest.mark.parametrize(
    ("until", "code", "ready"),
    [(date(2026, 12, 1), "calendar-ends-in-claim", False), (date(2027, 1, 31), "calendar-ends-soon", True)],
)
def test_a_calendar_that_ends_within_a_claim_is_reported(until: date, code: str, *, ready: bool) -> None:
    short = tuple(replace(one, covers_until=until) for one in SPARE_SEATS.calendars)
    found = findings(replace(SPARE_SEATS, calendars=short), SOUND)
    assert code in {finding.code for finding in found}
    assert is_ready(found) is ready
