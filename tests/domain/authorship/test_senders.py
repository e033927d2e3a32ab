"""Documents come from the parties whose statements bring them, and from nobody else."""

from dataclasses import replace

import pytest

from tallystick.domain.authorship.senders import check_sends_evidence
from tallystick.domain.ids import PersonId
from tallystick.domain.refusals import NotYoursError
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, DORA, KIM, TOM

NOBODY_ELSE = replace(
    AGREEMENT,
    authorities=replace(AGREEMENT.authorities, hold=(), filing=(), arbitration=None, court_order=None),
    objection=replace(AGREEMENT.objection, objectors=()),
)


def may(person: PersonId, **powers: object) -> bool:
    agreement = replace(NOBODY_ELSE, authorities=replace(NOBODY_ELSE.authorities, **powers))  # type: ignore[arg-type]
    try:
        check_sends_evidence(agreement, person)
    except NotYoursError:
        return False
    return True


def test_claimants_and_the_agent_who_may_prove_service_may_and_others_may_not() -> None:
    assert [may(person) for person in (BEA, DORA, ANA, KIM, TOM)] == [True, False, True, False, False]


@pytest.mark.parametrize("power", ["arbitration", "court_order"])
def test_who_rules_sends_the_papers_of_a_ruling(power: str) -> None:
    assert may(KIM, **{power: AGREEMENT.authorities.arbitration})


def test_who_holds_sends_documents() -> None:
    assert may(TOM, hold=(TOM,))


def test_who_objects_sends_documents() -> None:
    objecting = replace(NOBODY_ELSE, objection=replace(AGREEMENT.objection, objectors=(DORA,)))
    check_sends_evidence(objecting, DORA)
