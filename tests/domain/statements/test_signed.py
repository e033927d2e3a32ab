"""A signed statement is handed on only as the kind that it is."""

import pytest

from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.signed import expect, says
from tests.support.worlds.world import World


def test_statement_of_the_expected_kind_is_handed_on_as_it_is() -> None:
    deposit = World().deposit
    assert expect(deposit, Deposit) is deposit
    assert says(deposit, Deposit)


def test_statement_of_another_kind_is_refused_with_both_kinds() -> None:
    deposit = World().deposit
    assert not says(deposit, Custody)
    with pytest.raises(MisdirectedError, match="another kind of statement") as refusal:
        expect(deposit, Custody)
    assert refusal.value.facts == {"expected": "custody", "given": "deposit"}
