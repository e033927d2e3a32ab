"""Active is only what was deposited: a receipt that says otherwise is no reason to go on."""

from dataclasses import replace

import pytest

from tallystick.domain.deposit.received import received_fault
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.receipts import Receipt, ReceivedComponent
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.groundwork import NO_DIGEST, first_deposit

DEPOSIT = first_deposit(AGREEMENT).body


def receipt() -> Receipt:
    world = play(
        "bea files\nana accepts\nkim approves provisional\ntom approves provisional\n"
        "bea reports provisional activated"
    )
    return world.claim.entries_of(Receipt)[0][1]


def test_what_was_deposited_may_be_active() -> None:
    assert received_fault(DEPOSIT, [receipt()]) is None
    assert received_fault(DEPOSIT, []) is None


@pytest.mark.parametrize(
    "changed",
    [{"sealed_digest": NO_DIGEST}, {"manifest_digest": NO_DIGEST}, {"manifest_digest": None}],
    ids=["sealed file", "manifest", "no manifest"],
)
def test_other_bytes_are_named_by_their_component(changed: dict[str, Digest | None]) -> None:
    told = receipt()
    astray = replace(told, components=(replace(told.components[0], **changed),))  # type: ignore[arg-type]
    assert received_fault(DEPOSIT, [told, astray]) == (
        "docs is reported as active with other bytes than were deposited"
    )
    assert received_fault(DEPOSIT, [replace(astray, outcome=ReceiptOutcome.FAILED)]) is None
    assert received_fault(DEPOSIT, [replace(astray, outcome=ReceiptOutcome.ROLLED_BACK)]) is None


def test_what_was_not_deposited_is_not_active() -> None:
    unknown = ReceivedComponent(component=ComponentId("nothing"), sealed_digest=NO_DIGEST)
    assert received_fault(DEPOSIT, [replace(receipt(), components=(unknown,))]) is not None
