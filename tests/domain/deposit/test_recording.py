"""Which deposits and custody epochs are recorded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from tallystick.domain.deposit.recording import check_custody, check_deposit
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.signed import Signed
from tests.support.worlds.agreements import AGREEMENT, LOG_KEY
from tests.support.worlds.groundwork import BEGIN, NO_DIGEST, key_of, some_digest
from tests.support.worlds.world import World

WORLD: Final = World()


def deposit(**changes: object) -> Signed[Deposit]:
    return replace(WORLD.deposit, body=replace(WORLD.deposit.body, **changes))  # type: ignore[arg-type]


def deposited() -> Deposit:
    return WORLD.deposit.body


def live() -> Mapping[ComponentId, Digest]:
    return {component.component: component.custody for component in deposited().components}


def refused(signed: Signed[Deposit], *, last: tuple[Digest, Deposit] | None = None) -> str:
    with pytest.raises(TallystickError) as refusal:
        check_deposit(AGREEMENT, WORLD.terms.digest, signed, at=BEGIN, last=last, live=live())
    return refusal.value.code


def test_sound_first_deposit_and_its_successor_are_recorded() -> None:
    check_deposit(AGREEMENT, WORLD.terms.digest, deposit(), at=BEGIN, last=None, live=live())
    second = deposit(number=2, previous=WORLD.deposit.id)
    check_deposit(
        AGREEMENT,
        WORLD.terms.digest,
        second,
        at=BEGIN,
        last=(WORLD.deposit.id, deposited()),
        live=live(),
    )


def test_chain_of_deposits_has_no_gap_no_fork_and_no_second_beginning() -> None:
    last = (WORLD.deposit.id, deposited())
    assert refused(deposit(number=2)) == "deposit-refused"
    assert refused(deposit(previous=NO_DIGEST)) == "deposit-refused"
    assert refused(deposit(), last=last) == "deposit-refused"
    assert refused(deposit(number=3, previous=WORLD.deposit.id), last=last) == "deposit-refused"
    assert refused(deposit(number=2, previous=NO_DIGEST), last=last) == "deposit-refused"


def test_only_the_depositor_deposits_and_only_in_their_own_name() -> None:
    by_bea = replace(deposit(person="bea@halden"), signers=frozenset({key_of("bea@halden")}))
    assert refused(by_bea) == "not-authorised-to-state"
    assert refused(replace(deposit(), signers=frozenset({key_of("dirk@nordwind")}))) == (
        "not-authorised-to-state"
    )


def test_revoked_key_deposits_nothing() -> None:
    world = World()
    world.files()
    revocation = world.revokes("dora@nordwind")
    with pytest.raises(TallystickError) as refusal:
        check_deposit(
            AGREEMENT,
            WORLD.terms.digest,
            deposit(),
            at=BEGIN,
            last=None,
            live=live(),
            revocations=[revocation],
        )
    assert refusal.value.code == "key-revoked"


def test_deposit_is_sealed_to_live_custody() -> None:
    for known in ({}, dict.fromkeys(live(), some_digest(9))):
        with pytest.raises(TallystickError) as refusal:
            check_deposit(AGREEMENT, WORLD.terms.digest, deposit(), at=BEGIN, last=None, live=known)
        assert refusal.value.code == "deposit-refused"


def test_deposit_of_nothing_of_a_component_twice_or_of_an_unknown_one_is_refused() -> None:
    first = deposited().components[0]
    assert refused(deposit(components=())) == "deposit-refused"
    assert refused(deposit(components=(first, first))) == "deposit-refused"
    assert (
        refused(deposit(components=(replace(first, component=ComponentId("attic")),))) == "not-in-agreement"
    )
    for wrong in ({"sealed_bytes": 0}, {"files": 0}, {"payload_bytes": -1}):
        assert refused(deposit(components=(replace(first, **wrong),))) == "deposit-refused"  # type: ignore[arg-type]


def test_watermark_and_time_of_a_deposit_are_in_the_past() -> None:
    check_deposit(AGREEMENT, WORLD.terms.digest, deposit(watermark=BEGIN), at=BEGIN, last=None, live=live())
    assert refused(deposit(watermark=BEGIN + timedelta(seconds=1))) == "bad-timing"
    assert refused(deposit(issued_at=BEGIN + timedelta(minutes=6))) == "bad-timing"
    assert refused(deposit(agreement_digest=NO_DIGEST)) == "misdirected"


def custody(**changes: object) -> Signed[Custody]:
    body = replace(next(iter(WORLD.sight().custody.values())), **changes)  # type: ignore[arg-type]
    key = AGREEMENT.engine.decision_key
    return Signed(kind=Kind.CUSTODY, id=some_digest(8), signers=frozenset({key}), body=body)


def test_custody_epochs_are_dealt_by_the_gate_and_follow_each_other() -> None:
    digest = WORLD.terms.digest
    first = custody().body
    check_custody(AGREEMENT, digest, custody(), last=None)
    check_custody(AGREEMENT, digest, custody(epoch=2), last=first)
    by_log = replace(custody(), signers=frozenset({LOG_KEY.public_key}))
    for wrong, last, code in (
        (custody(epoch=2), None, "custody-refused"),
        (custody(), first, "custody-refused"),
        (custody(epoch=3), first, "custody-refused"),
        (by_log, None, "custody-refused"),
        (custody(component="attic"), None, "not-in-agreement"),
        (custody(deployment="another"), None, "misdirected"),
    ):
        with pytest.raises(TallystickError) as refusal:
            check_custody(AGREEMENT, digest, wrong, last=last)
        assert refusal.value.code == code
