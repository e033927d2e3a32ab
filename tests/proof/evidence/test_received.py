"""Offline: a receipt of other bytes than the pinned deposit's proves nothing about that deposit."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.receipts import Receipt
from tallystick.proof.evidence.verify import verify
from tests.proof.evidence.test_verify import exported
from tests.support.worlds.agreements import BEA, CRITICAL
from tests.support.worlds.gate_worlds import READY
from tests.support.worlds.groundwork import NO_DIGEST
from tests.support.worlds.prepared_worlds import ready_world


@pytest.mark.parametrize(
    ("outcome", "broken"), [(ReceiptOutcome.ACTIVATED, "deposit-pinned"), (ReceiptOutcome.FAILED, None)]
)
def test_only_what_was_deposited_is_proven_to_be_active(
    tmp_path: Path, outcome: ReceiptOutcome, broken: str | None
) -> None:
    world, at = ready_world(tmp_path), READY + timedelta(hours=1)
    assert world.decide().outcome == "released"
    first, *rest = world.received()
    components = (replace(first, manifest_digest=NO_DIGEST), *rest)
    world.say(Receipt, BEA, at, stage=CRITICAL, outcome=outcome, components=components, detail="as told")
    world.sign_checkpoint()

    found = verify(exported(world)).broken
    assert broken == (None if found is None else found.premise)
