"""An older copy of the database takes the newer one's place: nobody helps a release, anybody stops one."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from activities.rounds.log_signing import LogSigning
from tallystick.domain.ids import AgreementId, StageId
from tallystick.domain.kinds import Happening, Purpose, WithdrawalReason
from tallystick.domain.statements.acts import Approval, Denial, Hold, Intake, Objection, Withdrawal
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.database.session import reading
from tallystick.store.ledger import checkpoints
from tallystick.store.registers import deposits
from tallystick.store.registers.custody import live_custody
from tallystick.store.registers.events import events
from tests.api.http.test_metrics_port import figures
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ABE, ANA, BEA, DOCS, DORA, KIM, LOG_KEY, PEOPLE, TOM
from tests.support.worlds.documents import upload
from tests.support.worlds.groundwork import some_digest

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


def signing(service: Service, doubted: list[AgreementId]) -> LogSigning:
    world = service.world
    return LogSigning(
        database=world.database,
        log_key=LOG_KEY,
        deployment=world.agreement.deployment,
        doubted=doubted.append,
    )


def is_signed(service: Service) -> bool:
    with reading(service.world.database) as session:
        return not checkpoints.logs_to_sign(session)


async def test_what_comes_after_the_end_is_taken_on_any_log_with_an_alarm_before_the_log_is_signed(
    claimed: Service,
) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    gone = {"reason": WithdrawalReason.SETTLED, "explanation": "They paid."}
    await claimed.says("withdrawals", Withdrawal, BEA, **gone)
    claimed.engine.ended = True
    another = LedgerSeen(size=400, root=claimed.world.seen().root)
    late = {"ground": "not-insolvent", "explanation": "Dismissed.", "ledger_seen": another}
    told = await claimed.says("objections", Objection, DORA, **late)
    assert (told.status_code, told.json()["state"]) == (201, "WITHDRAWN")

    doubted: list[AgreementId] = []
    for _ in range(2):
        signing(claimed, doubted).sign_all()
        (alarm,) = alarms(claimed)
        assert alarm.cause == told.json()["statement"]
        assert "had verified 400 entries" in alarm.because[1]
    assert (doubted, is_signed(claimed)) == ([claimed.world.agreement.id], True)


async def test_a_key_is_revoked_on_any_log_with_an_alarm(service: Service) -> None:
    another = LedgerSeen(size=400, root=service.world.seen().root)
    key = PEOPLE[DORA]
    body = service.world.body(
        KeyRevocation,
        DORA,
        service.clock.now,
        key=key.person.signing_key,
        reason="stolen",
        ledger_seen=another,
    )
    told = await service.post(
        f"/agreements/{service.world.agreement.id}/revocations",
        service.world.signed(body, key.signing_key),
        DORA,
    )
    assert told.status_code == 201, told.text
    signing(service, []).sign(service.world.agreement.id)
    (alarm,) = alarms(service)
    assert (alarm.cause, alarm.because[0]) == (told.json()["statement"], f"key-revocation by {DORA}")


async def test_an_alarm_is_recorded_though_the_log_is_too_damaged_to_be_signed(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    claimed.world.execute("UPDATE ledger_entries SET salt = x'00' WHERE kind = 'intake'")
    another = LedgerSeen(size=400, root=claimed.world.seen(1).root)
    body = claimed.world.body(
        KeyRevocation,
        ABE,
        claimed.clock.now,
        key=PEOPLE[ABE].person.signing_key,
        reason="",
        ledger_seen=another,
    )
    claimed.world.slip_in(claimed.world.signed(body, PEOPLE[ABE].signing_key), claimed.clock.now)
    signing(claimed, []).sign_all()
    assert (len(alarms(claimed)), is_signed(claimed)) == (1, False)
    assert "tallystick_logs_unsigned 1.0" in await figures(claimed)


async def test_people_see_before_the_decision_whose_approval_rests_on_another_log(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    backup = kept(claimed)
    await claimed.says("holds", Hold, KIM, reason="wait")
    verified = claimed.world.seen()
    await claimed.says("approvals", Approval, KIM, **approval(claimed, verified))
    path = f"/claims/{claimed.world.claim}"
    sound = (await claimed.get(f"{path}/explain", stage=CRITICAL)).json()["premises"][-1]
    assert (sound["premise"], sound["holds"]) == ("ledger-extends-seen", True)

    entry = claimed.world.case().raw[-1]
    restored(claimed, backup)
    claimed.world.slip_in(entry.statement(), entry.accepted_at)
    told = (await claimed.get(f"{path}/explain", stage=CRITICAL)).json()["premises"][-1]
    assert (told["premise"], told["holds"]) == ("ledger-extends-seen", False)
    seen = f"had verified the root {verified.root} of the first {verified.size} entries"
    assert f"approval {entry.statement_id} by {KIM}, who {seen}" in told["found"]
    (vote,) = (await claimed.get(f"{path}/tally")).json()["stages"][-1]["votes"]
    assert (vote["counts"], seen in vote["why"]) == (False, True)


@pytest.mark.parametrize("fits", [False, True])
async def test_nothing_is_deposited_by_someone_who_had_verified_another_log(
    service: Service, fits: bool
) -> None:
    world = service.world
    with reading(world.database) as session:
        last = deposits.latest(session, world.agreement.id)
        live = live_custody(session, world.agreement.id)
    assert last is not None
    (component,) = (one for one in last.body().components if one.component == DOCS)
    data = b"sealed anew"
    sealed = upload(
        world.database,
        world.blobs,
        data,
        under=world.agreement.id,
        sender=DORA,
        at=service.clock.now,
        purpose=BlobPurpose.DEPOSIT,
    )
    seen = world.seen() if fits else replace(world.seen(), root=some_digest(1))
    named = replace(component, custody=live[DOCS], sealed_digest=sealed, sealed_bytes=len(data))
    body = world.body(
        Deposit,
        DORA,
        service.clock.now,
        number=2,
        previous=last.digest,
        watermark=service.clock.now,
        components=(named,),
        ledger_seen=seen,
    )
    sent = world.signed(body, PEOPLE[DORA].signing_key)
    told = await service.post(f"/agreements/{world.agreement.id}/deposits", sent, DORA)
    assert told.status_code == (201 if fits else 409), told.text
    assert fits or told.json()["code"] == "ledger-not-extended"


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
