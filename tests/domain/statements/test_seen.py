"""Every statement that a person makes about a log may name the checkpoint that they had verified."""

from dataclasses import fields, replace
from typing import Final

import pytest

from tallystick.domain.bodies import BODIES
from tallystick.domain.kinds import Kind
from tallystick.domain.shown.shown import SIGNED_BY_PERSONS
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.seen import ledger_seen
from tallystick.domain.statements.signed import BY_ENGINE
from tests.domain.statements.test_bodies import filled
from tests.support.worlds.groundwork import some_digest

SEEN: Final = LedgerSeen(size=1, root=some_digest(1))


@pytest.mark.parametrize("kind", sorted(SIGNED_BY_PERSONS - {Kind.AGREEMENT}))
def test_what_a_person_signs_about_a_log_may_name_what_they_had_verified_of_it(kind: Kind) -> None:
    body = replace(filled(BODIES[kind]), ledger_seen=SEEN)
    assert ledger_seen(body) == SEEN


@pytest.mark.parametrize("kind", sorted({*BODIES} - SIGNED_BY_PERSONS))
def test_what_the_deployment_signs_names_nothing_that_nobody_would_compare(kind: Kind) -> None:
    assert kind in BY_ENGINE | {Kind.CUSTODY}
    assert "ledger_seen" not in {field.name for field in fields(BODIES[kind])}
    assert ledger_seen(filled(BODIES[kind])) is None
