"""What follows from a log that does not extend what an author had verified: whoever helps is refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pytest

from tallystick.domain.acts.all import ACTS
from tallystick.domain.admission.extension import (
    LedgerNotExtendedError,
    LogFound,
    check_extended,
    contradiction,
    helps_release,
)
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Authority, Kind, Outcome, ReceiptOutcome, ServiceMethod, WithdrawalReason
from tallystick.domain.statements.acts import Approval, Denial, Objection
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.header import Header, LedgerSeen
from tallystick.domain.statements.keys import KeyRevocation
from tests.domain.statements.test_bodies import filled
from tests.support.stories.stories import play
from tests.support.worlds.groundwork import NO_DIGEST, some_digest
from tests.support.worlds.world import World

SEEN: Final = LedgerSeen(size=7, root=some_digest(7))
SAME: Final = LogFound(size=9, root=some_digest(7))

STORY: Final = """
bea files
ana accepts
kim approves critical
abe denies
dora objects
"""


def of_the_record(kind: type[Header]) -> Callable[[World], Digest]:
    return lambda world: world.claim.entries_of(kind)[0][0].signed.id


def _orders(kind: Kind, **members: object) -> Iterator[tuple[Kind, dict[str, object], bool]]:
    for outcome in Outcome:
        yield (
            kind,
            {**members, "outcome": outcome, "reason": ""},
            outcome in {Outcome.RELEASE, Outcome.NOTICE_GIVEN},
        )


def _receipts() -> Iterator[tuple[Kind, dict[str, object], bool]]:
    for outcome in ReceiptOutcome:
        yield Kind.RECEIPT, {"stage": "critical", "outcome": outcome, "components": (), "detail": ""}, False


HELPS: Final[list[tuple[Kind, dict[str, object], bool]]] = [
    (Kind.INTAKE, {"accepted": True}, True),
    (Kind.INTAKE, {"accepted": False, "reasons": ("no stamp",)}, False),
    (Kind.NOTICE_ACKNOWLEDGEMENT, {}, True),
    (Kind.PROOF_OF_SERVICE, {"method": ServiceMethod.COURIER, "served_on": None}, True),
    (Kind.APPROVAL, {"stages": (), "purpose": "release", "expires_at": None, "reason": "yes"}, True),
    (Kind.CONFIRMATION, {"receivers": (), "declaration": ""}, True),
    (Kind.RECEIVERS, {"receivers": (), "reason": ""}, True),
    (Kind.DENIAL, {"reason": "no"}, False),
    (Kind.OBJECTION, {"ground": "cured", "explanation": "it is"}, False),
    (Kind.RETRACTION, {"of": of_the_record(Approval), "reason": "I was wrong"}, False),
    (Kind.RETRACTION, {"of": of_the_record(Denial), "reason": "I was wrong"}, True),
    (Kind.RETRACTION, {"of": of_the_record(Objection), "reason": "I was wrong"}, True),
    (Kind.RETRACTION, {"of": NO_DIGEST, "reason": "of nothing on record"}, True),
    (Kind.WITHDRAWAL, {"reason": WithdrawalReason.OTHER, "explanation": "enough"}, False),
    (Kind.HOLD, {"reason": "wait"}, False),
    (Kind.HOLD_LIFT, {"hold": NO_DIGEST, "reason": "go on"}, True),
    *_orders(Kind.RULING, authority=Authority.ARBITRATION, documents=()),
    *_orders(Kind.JOINT_INSTRUCTION),
    *_receipts(),
    (Kind.RETURN, {"components": (), "method": "shredded", "certificate": "C-1"}, False),
]


def said(world: World, kind: Kind, members: dict[str, object], seen: LedgerSeen | None = SEEN) -> Header:
    told = {name: member(world) if callable(member) else member for name, member in members.items()}
    return world.body(kind, "kim@kestrel", **told, ledger_seen=seen)


@pytest.mark.parametrize(("kind", "members", "helps"), HELPS)
def test_what_helps_is_refused_on_another_log_and_what_stops_or_reports_is_not(
    kind: Kind, members: dict[str, object], helps: bool
) -> None:
    world = play(STORY)
    body = said(world, kind, members)
    assert helps_release(world.claim, body) is helps
    assert check_extended(world.claim, body, SAME) is None
    another = LogFound(size=9, root=some_digest(8))
    if not helps:
        assert check_extended(world.claim, body, another) == contradiction(SEEN, another)
        return
    with pytest.raises(LedgerNotExtendedError) as refusal:
        check_extended(world.claim, body, another)
    assert refusal.value.facts == {
        "seen_size": 7,
        "seen_root": some_digest(7),
        "size": 9,
        "root": some_digest(8),
    }
    assert check_extended(world.claim, said(world, kind, members, None), another) is None


def test_every_act_is_in_the_table() -> None:
    assert {kind for kind, _, _ in HELPS} == {act.kind for act in ACTS}


def test_a_filing_helps_the_release_that_it_asks_for() -> None:
    assert helps_release(None, play("bea files").claim.filing)


def test_a_deposit_helps_and_a_key_that_is_reported_stolen_is_stolen_on_every_log() -> None:
    another = LogFound(size=9, root=some_digest(8))
    deposit = replace(filled(Deposit), ledger_seen=SEEN)
    with pytest.raises(LedgerNotExtendedError):
        check_extended(None, deposit, another)
    assert check_extended(None, deposit, SAME) is None
    revocation = replace(filled(KeyRevocation), ledger_seen=SEEN)
    assert check_extended(None, revocation, another) == contradiction(SEEN, another)


@pytest.mark.parametrize(
    ("seen", "log", "words"),
    [
        (SEEN, LogFound(size=7, root=some_digest(7)), None),
        (SEEN, LogFound(size=6, root=None), "verified 7 entries, and the log had 6"),
        (SEEN, LogFound(size=6, root=some_digest(7)), "verified 7 entries, and the log had 6"),
        (SEEN, LogFound(size=7, root=some_digest(8)), f"and the log has {some_digest(8)}"),
        (SEEN, LogFound(size=7, root=None), "and the log has none"),
        (LedgerSeen(size=-1, root=some_digest(7)), LogFound(size=7, root=some_digest(7)), "verified -1"),
    ],
)
def test_a_log_that_is_shorter_or_has_another_root_is_said_to(
    seen: LedgerSeen, log: LogFound, words: str | None
) -> None:
    told = contradiction(seen, log)
    assert told is None if words is None else told is not None and words in told
