"""An older copy of the database takes the newer one's place: nobody helps a release, anybody stops one."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

from structlog.testing import capture_logs

from tallystick.domain.ids import StageId
from tallystick.domain.kinds import Happening, Purpose, WithdrawalReason
from tallystick.domain.statements.acts import Approval, Denial, Intake, Objection, Withdrawal
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.header import LedgerSeen
from tallystick.store.database.session import reading
from tallystick.store.registers.events import events
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ABE, ANA, BEA, DORA, KIM, TOM

CRITICAL: Final = StageId("critical")


def kept(service: Service) -> Path:
    """A backup, as the database makes it."""
    backup = service.world.folder / "backup.db"
    with closing(sqlite3.connect(backup)) as copy, closing(sqlite3.connect(_live(service))) as live:
        live.backup(copy)
    return backup


def restored(service: Service, backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as copy, closing(sqlite3.connect(_live(service))) as live:
        copy.backup(live)


def _live(service: Service) -> Path:
    return service.world.folder / "store.db"


def approval(service: Service, seen: LedgerSeen | None) -> dict[str, object]:
    return {
        "stages": (CRITICAL,),
        "purpose": Purpose.RELEASE,
        "expires_at": service.clock.now + timedelta(days=25),
        "reason": "The papers are in order.",
        "ledger_seen": seen,
    }


def alarms(service: Service) -> list[Event]:
    with reading(service.world.database) as session:
        told = [event for _, event in events(session, service.world.agreement.id)]
    return [event for event in told if event.happening is Happening.LEDGER_NOT_EXTENDED]


async def test_on_a_log_put_back_from_an_older_copy_nobody_helps_and_everybody_stops(
    claimed: Service,
) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True, ledger_seen=claimed.world.seen())
    backup = kept(claimed)
    for person in (KIM, TOM):
        seen = claimed.world.seen()
        answer = await claimed.says("approvals", Approval, person, **approval(claimed, seen))
        assert answer.status_code == 201, answer.text
    verified = claimed.world.seen()
    restored(claimed, backup)
    shorter = claimed.world.seen().size

    refused = await claimed.says("approvals", Approval, ANA, **approval(claimed, verified))
    assert (refused.status_code, refused.json()["code"]) == (409, "ledger-not-extended")
    assert refused.json()["facts"] == {
        "seen_size": verified.size,
        "seen_root": verified.root,
        "size": shorter,
        "root": "never so long",
    }
    assert claimed.world.seen().size == shorter

    objected = {"ground": "not-insolvent", "explanation": "The petition was dismissed."}
    stops = await claimed.says("objections", Objection, DORA, **objected, ledger_seen=verified)
    assert (stops.status_code, stops.json()["state"]) == (201, "CONTESTED")
    assert (await claimed.says("denials", Denial, ABE, reason="no", ledger_seen=verified)).status_code == 201
    first, _ = alarms(claimed)
    assert first.cause == stops.json()["statement"]

    # By now the log has grown past what they had verified, with other entries: they are not fooled.
    assert claimed.world.seen().size > verified.size
    again = await claimed.says("approvals", Approval, ANA, **approval(claimed, verified))
    assert again.json()["code"] == "ledger-not-extended"
    assert again.json()["facts"]["root"] == claimed.world.seen(verified.size).root != verified.root


async def test_what_comes_after_the_end_is_taken_on_any_log_and_the_operators_get_to_know(
    claimed: Service,
) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    gone = {"reason": WithdrawalReason.SETTLED, "explanation": "They paid."}
    await claimed.says("withdrawals", Withdrawal, BEA, **gone)
    claimed.engine.ended = True
    another = LedgerSeen(size=400, root=claimed.world.seen().root)
    late = {"ground": "not-insolvent", "explanation": "Dismissed.", "ledger_seen": another}
    with capture_logs() as logs:
        told = await claimed.says("objections", Objection, DORA, **late)
    assert (told.status_code, told.json()["state"]) == (201, "WITHDRAWN")
    assert [line["log_level"] for line in logs if "400 entries" in str(line.get("found"))] == ["error"]


async def test_a_claim_is_not_filed_on_a_log_put_back_from_an_older_copy(service: Service) -> None:
    seen = LedgerSeen(size=service.world.seen().size + 3, root=service.world.seen().root)
    refused = await service.post("/claims", service.filing(ledger_seen=seen), person=BEA)
    assert (refused.status_code, refused.json()["code"]) == (409, "ledger-not-extended")
    filed = await service.post("/claims", service.filing(ledger_seen=service.world.seen()), person=BEA)
    assert filed.status_code == 201, filed.text


async def test_a_draft_names_no_checkpoint_that_its_reader_has_not_verified(claimed: Service) -> None:
    answer = await claimed.get(f"/claims/{claimed.world.claim}/draft/intake", accepted="true")
    assert answer.status_code == 200, answer.text
    assert "ledger_seen" not in answer.json()["body"]
