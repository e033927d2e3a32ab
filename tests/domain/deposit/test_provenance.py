"""Who made a deposit and its custody: one rule, whoever asks."""

from dataclasses import replace
from typing import Final

import pytest

from tallystick.domain.agreement.deployment import root_fault
from tallystick.domain.deposit.provenance import chain_fault, custody_fault, deposit_fault, place_fault
from tallystick.domain.ids import ComponentId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.signed import Signed
from tests.support.worlds.agreements import AGREEMENT, LOG_KEY
from tests.support.worlds.groundwork import NO_DIGEST, dealt_custody, key_of, some_digest
from tests.support.worlds.world import World

DEPOSIT: Final = World().deposit
EPOCH: Final = next(iter(dealt_custody(AGREEMENT).values()))


def epoch(**changes: object) -> Signed[Custody]:
    body = replace(EPOCH, **changes)  # type: ignore[arg-type]
    gate = frozenset({AGREEMENT.engine.decision_key})
    return Signed(kind=Kind.CUSTODY, id=some_digest(8), signers=gate, body=body)


def test_deposit_is_the_depositors_when_the_person_it_names_has_signed_alone() -> None:
    dora, dirk, bea = key_of("dora@nordwind"), key_of("dirk@nordwind"), key_of("bea@halden")
    assert deposit_fault(AGREEMENT, DEPOSIT) is None
    for signers in ([dirk], [dora, dirk], [dora, bea], []):
        fault = deposit_fault(AGREEMENT, replace(DEPOSIT, signers=frozenset[PublicKey](signers)))
        assert fault == "not signed by dora@nordwind, whom it names"


@pytest.mark.parametrize("person", ["bea@halden", "nobody@nordwind"])
def test_deposit_in_the_name_of_anyone_else_is_not_the_depositors(person: str) -> None:
    astray = replace(DEPOSIT, body=replace(DEPOSIT.body, person=person))  # type: ignore[arg-type]
    assert (
        deposit_fault(AGREEMENT, astray)
        == f"only persons of the depositor may deposit, and {person} is not one of them"
    )


@pytest.mark.parametrize("member", ["agreement", "deployment"])
def test_deposit_and_custody_under_another_agreement_are_refused(member: str) -> None:
    changes = {member: "another"}
    astray = replace(DEPOSIT, body=replace(DEPOSIT.body, **changes))  # type: ignore[arg-type]
    assert deposit_fault(AGREEMENT, astray) == "it is under another agreement or deployment"
    assert custody_fault(AGREEMENT, epoch(**changes), EPOCH.component) == (
        "it is under another agreement or deployment"
    )


def test_custody_has_one_share_and_it_is_the_gates() -> None:
    (own,) = EPOCH.shares
    for shares in ((), (replace(own, leaf="kim"),), (own, replace(own, leaf="kim"))):
        assert (
            custody_fault(AGREEMENT, epoch(shares=shares), EPOCH.component)
            == "its one share is not the gate's"
        )


def test_deposit_follows_the_one_before_by_number_and_by_digest() -> None:
    first = DEPOSIT.body
    second = replace(first, number=2, previous=DEPOSIT.id)
    last = (DEPOSIT.id, first)
    assert chain_fault(first, None) is None
    assert chain_fault(second, last) is None
    assert (
        chain_fault(second, None) == f"it is deposit 2 after {DEPOSIT.id}, but the next one is 1 after none"
    )
    for wrong in (first, replace(second, number=3), replace(second, previous=NO_DIGEST)):
        assert chain_fault(wrong, last) is not None


def test_only_the_first_deposit_names_none_before_it() -> None:
    first = DEPOSIT.body
    for fits in (first, replace(first, number=7, previous=DEPOSIT.id)):
        assert place_fault(fits) is None
    for wrong in (replace(first, number=2), replace(first, previous=DEPOSIT.id), replace(first, number=0)):
        assert place_fault(wrong) is not None


def test_custody_is_dealt_by_the_gate_alone_and_for_the_component_asked_for() -> None:
    gate, log = AGREEMENT.engine.decision_key, LOG_KEY.public_key
    assert custody_fault(AGREEMENT, epoch(), EPOCH.component) is None
    assert (
        custody_fault(AGREEMENT, epoch(), ComponentId("attic"))
        == f"it is a custody epoch of {EPOCH.component}"
    )
    for signers in ([log], [gate, log], []):
        other = replace(epoch(), signers=frozenset[PublicKey](signers))
        assert custody_fault(AGREEMENT, other, EPOCH.component) == "not dealt by the gate"


def test_one_root_key_among_the_signers_binds_the_escrow_agent() -> None:
    ana, kim = key_of("ana@harbour"), key_of("kim@kestrel")
    assert root_fault({ana, kim}, {ana}) is None
    assert root_fault({kim}, {ana}) == "no root key of this deployment signed it"
    assert root_fault({kim}, ()) == "no root key of this deployment signed it"
