"""A claim with two receivers: each opens it with their own key and machine, and one receipt counts."""

from pathlib import Path

import pytest

from tallystick.domain.claim.stages import components_of
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.receiver.commands import Commands
from tallystick.receiver.delivery import NotAReceiverError
from tallystick.receiver.receiver import receive
from tallystick.receiver.setting import Setting
from tests.support.receivers import ALL, FAILS, active, payloads, receive_all, setting
from tests.support.worlds.agreements import ANA, BEA, BEN, CRITICAL, PROVISIONAL
from tests.support.worlds.deliveries import Release, keys_of
from tests.support.worlds.escrows import (
    FolderEscrow,
    ReleaseWorld,
)

ACTIVATED = ReceiptOutcome.ACTIVATED


@pytest.fixture
def escrow(tmp_path: Path) -> FolderEscrow:
    release = Release(scratch=tmp_path, sealed_for=(BEA, BEN))
    return FolderEscrow(tmp_path / "escrow", release)


@pytest.fixture
def beas(escrow: FolderEscrow, tmp_path: Path) -> Setting:
    return setting(escrow, tmp_path / "beas")


@pytest.fixture
def bens(escrow: FolderEscrow, tmp_path: Path) -> Setting:
    return setting(escrow, tmp_path / "bens", keys=keys_of(BEN))


def claim(escrow: FolderEscrow) -> str:
    return escrow.release.claim


def test_any_receiver_receives_everything_and_reports_it(escrow: FolderEscrow, bens: Setting) -> None:
    receive_all(bens, claim(escrow))
    assert payloads(bens.into) == ALL
    assert {receipt.person for receipt in escrow.receipts()} == {BEN}


def test_the_second_receiver_has_it_too_and_is_told_whose_receipt_counts(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    receive_all(beas, claim(escrow))
    before = escrow.outcomes()
    done = receive(bens, claim(escrow))
    assert [(one.stage, one.outcome, one.by) for one in done.reported] == [
        (PROVISIONAL, ACTIVATED, BEA),
        (CRITICAL, ACTIVATED, BEA),
    ]
    assert payloads(bens.into) == ALL
    assert escrow.outcomes() == before
    assert receive(bens, claim(escrow)).reported == (), "it is told once"


def test_of_two_who_activate_at_once_one_receipt_counts_and_the_other_is_told(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    both: list[str] = []

    def meanwhile(step: str) -> None:
        if step == "signed-activated" and not both:
            both.append(step)
            receive(beas, claim(escrow))

    done = receive(setting(escrow, bens.into, keys=keys_of(BEN), reached=meanwhile), claim(escrow))
    assert done.reported[0].by == BEA
    assert escrow.outcomes().count((PROVISIONAL, "activated")) == 1
    assert active(bens.into)


def test_a_second_receiver_who_fails_reports_nothing(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    receive_all(beas, claim(escrow))
    before = escrow.outcomes()
    failing = setting(escrow, bens.into, keys=keys_of(BEN), commands=Commands(activate=FAILS), give_up=True)
    done = receive(failing, claim(escrow))
    assert {(one.outcome, one.by) for one in done.reported} == {(ReceiptOutcome.FAILED, BEA)}
    assert escrow.outcomes() == before
    assert active(bens.into) == {}


def test_who_did_not_report_a_stage_undoes_it_here_and_leaves_the_word_to_the_other(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    receive_all(beas, claim(escrow))
    receive_all_told(bens, claim(escrow))
    escrow.undo_all()
    receive_all_told(bens, claim(escrow))
    assert active(bens.into) == {}
    assert "rolled_back" not in [outcome for _, outcome in escrow.outcomes()]
    receive_all(beas, claim(escrow))
    assert active(beas.into) == {}
    assert [outcome for _, outcome in escrow.outcomes()].count("rolled_back") == 2


def test_who_looks_only_after_the_other_has_undone_a_stage_undoes_it_too(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    receive_all(beas, claim(escrow))
    receive_all_told(bens, claim(escrow))
    escrow.undo_all()
    receive_all(beas, claim(escrow))
    receive_all_told(bens, claim(escrow))
    assert active(bens.into) == {}


def test_a_machine_that_never_had_a_stage_does_not_report_it_as_undone(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    receive_all(beas, claim(escrow))
    escrow.undo_all()
    assert receive(bens, claim(escrow)).reported == ()
    assert active(beas.into)


def test_what_was_returned_is_not_put_to_use_by_somebody_who_comes_later(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    receive_all(beas, claim(escrow))
    escrow.undo_all()

    def returns(world: ReleaseWorld) -> None:
        world.gives_back(*components_of(world.agreement, world.claim.decided_stages))

    escrow.happens(returns)
    assert escrow.world().claim.state == "RETURNED"
    assert escrow.world().claim.progress(CRITICAL).state == "ACTIVATED", "only the receiver undoes"
    assert receive(bens, claim(escrow)).reported == ()
    assert active(bens.into) == {}


def test_whose_key_was_revoked_is_not_waited_for_with_undoing(
    escrow: FolderEscrow, beas: Setting, bens: Setting
) -> None:
    receive_all(beas, claim(escrow))
    escrow.undo_all()
    escrow.happens(lambda world: world.revokes(BEA, BEA))
    assert [one.by for one in receive(bens, claim(escrow)).reported] == [None, None]


def test_somebody_who_is_no_receiver_is_told_who_is_before_anything_is_fetched(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    with pytest.raises(NotAReceiverError) as refused:
        receive(setting(escrow, tmp_path / "anas", keys=keys_of(ANA)), claim(escrow))
    assert refused.value.facts["receivers"] == [BEA, BEN]


def receive_all_told(work: Setting, claim: str) -> None:
    """Look until nothing is done any more, with or without a receipt."""
    for _ in range(8):
        if not receive(work, claim).reported:
            return
    raise AssertionError("the receiver never comes to rest")
