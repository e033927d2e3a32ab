"""Every act is listed once, and everything that looks an act up uses that list."""

import pkgutil
from typing import Any

import pytest

from tallystick.domain import acts
from tallystick.domain.acts.act import Act
from tallystick.domain.acts.all import ACTS, BY_COMMAND, BY_KIND, RULES, TOGETHER, check_is_act
from tallystick.domain.bodies import BODIES
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import MisdirectedError
from tests.support.stories.stories import play

IN_ORDER_OF_HELP = [
    *("intake", "acknowledge", "approve", "deny", "object", "retract", "withdraw", "hold", "return"),
    *("rule", "instruct", "lift", "prove-service"),
]


def test_every_file_of_an_act_is_listed() -> None:
    files = {
        module.name
        for module in pkgutil.walk_packages(acts.__path__, f"{acts.__name__}.")
        if not module.ispkg and module.name.rpartition(".")[2] not in {"act", "all"}
    }
    assert {act.rule.__module__ for act in ACTS} == files


def test_no_two_acts_have_a_name_in_common() -> None:
    assert len(BY_KIND) == len({act.noun for act in ACTS}) == len(RULES) == len(ACTS)
    assert list(BY_COMMAND) == IN_ORDER_OF_HELP


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.noun)
def test_an_act_is_read_by_its_kind(act: Act[Any]) -> None:
    assert BODIES[act.kind] is act.body


def test_some_acts_are_signed_together() -> None:
    assert {
        Kind.RULING,
        Kind.JOINT_INSTRUCTION,
        Kind.HOLD_LIFT,
        Kind.RECEIVERS,
        Kind.PROOF_OF_SERVICE,
    } == TOGETHER


def test_an_option_has_one_name_and_an_act_asks_for_each_choice_once() -> None:
    for act in BY_COMMAND.values():
        assert act.command is not None
        choices = [ask.choice for ask in act.command.asks]
        assert len(choices) == len(set(choices)), act.noun


def test_what_is_not_an_act_is_refused_as_one() -> None:
    record = play("bea files\nana accepts").claim.entries
    check_is_act(record[1].signed)
    with pytest.raises(MisdirectedError):
        check_is_act(record[0].signed)
