"""Views of a claim: what it waits for, its deadlines, drafts, the stream of its events, its evidence."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import httpx
import pytest
from sqlalchemy import event as database_event
from sse_starlette import ServerSentEvent

from api.answers.record import page_of
from api.http.auth import Caller
from api.routes.events import entries_after
from tallystick.crypto.envelope import envelope_from_json, parse_envelope, sign
from tallystick.crypto.keys import key_id
from tallystick.domain.comparison_words import comparison_words
from tallystick.domain.ids import AgreementId, Digest, StageId, claim_id, sha256_digest
from tallystick.domain.instants import FIRST, LAST
from tallystick.domain.kinds import Purpose
from tallystick.domain.statements.acts import Approval, Intake
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.limits.steps import RECORD_PAGE_BYTES_MAX
from tallystick.messages import EvidenceRequest
from tallystick.store.database.session import DatabaseUnavailableError
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ANA, BEA, DORA, KIM, PEOPLE


async def test_a_claim_says_whom_it_waits_for_and_their_inbox_lists_it(claimed: Service) -> None:
    view = (await claimed.get(f"/claims/{claimed.world.claim}")).json()
    (waiting,) = view["waiting"]
    assert (waiting["what"], waiting["on"]) == ("intake", ["ana@harbour", "abe@harbour"])
    assert waiting["until"].endswith("Z")
    assert (view["state"], view["filed_by"], view["window"]) == ("FILED", "bea@halden", None)
    assert [item["what"] for item in (await claimed.get("/inbox", ANA)).json()["items"]] == ["intake"]
    assert (await claimed.get("/inbox", KIM)).json() == {"items": [], "unreadable": [], "next": None}


async def test_claims_are_found_by_state_and_by_whom_they_wait_for(claimed: Service) -> None:
    async def how_many(**query: str) -> int:
        return len((await claimed.get("/claims", ANA, **query)).json()["claims"])

    assert [await how_many(state=state) for state in ("FILED", "WINDOW")] == [1, 0]
    assert [await how_many(waiting_for=who) for who in ("ana@harbour", "kim@kestrel")] == [1, 0]
    assert [await how_many(waiting_for=what) for what in ("intake", "approval")] == [1, 0]


async def test_the_timeline_shows_every_entry_as_the_event_that_it_counted_as(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    entries = (await claimed.get(f"/claims/{claimed.world.claim}/timeline")).json()["entries"]
    assert [entry["event"] for entry in entries] == ["filed", "intake-accepted"]
    assert entries[1]["says"]["accepted"] is True
    assert entries[1]["person"] == "ana@harbour"


async def test_the_timeline_comes_page_by_page(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    path = f"/claims/{claimed.world.claim}/timeline"
    first = (await claimed.get(path, limit=1)).json()
    assert ([entry["event"] for entry in first["entries"]], first["next"]) == (["filed"], "1")
    second = (await claimed.get(path, limit=1, cursor=first["next"])).json()
    assert ([entry["event"] for entry in second["entries"]], second["next"]) == (["intake-accepted"], None)
    assert (await claimed.get(path, cursor="9")).json() == {"entries": [], "next": None}
    assert (await claimed.get(path, cursor="x")).status_code == 422


async def accept_and_approve(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    await claimed.says(
        "approvals",
        Approval,
        KIM,
        stages=(StageId("critical"),),
        purpose=Purpose.RELEASE,
        expires_at=claimed.clock.now + timedelta(days=20),
        reason="In order.",
    )


async def test_the_tally_says_why_a_vote_counts(claimed: Service) -> None:
    await accept_and_approve(claimed)
    told = (await claimed.get(f"/claims/{claimed.world.claim}/tally")).json()
    critical = next(stage for stage in told["stages"] if stage["stage"] == "critical")
    assert [(vote["person"], vote["counts"]) for vote in critical["votes"]] == [("kim@kestrel", True)]
    assert "kim@kestrel" not in critical["outstanding"]
    assert not critical["reached"]
    assert not told["denials"]["reached"]


async def test_an_explanation_names_the_premises_that_do_not_hold(claimed: Service) -> None:
    told = (await claimed.get(f"/claims/{claimed.world.claim}/explain", stage="critical")).json()
    held = {premise["premise"]: premise["holds"] for premise in told["premises"]}
    assert held["purpose-is-release"]
    assert not held["intake-accepted"]
    assert any("cannot be released yet" in line and "(intake-accepted)" in line for line in told["lines"])
    other = await claimed.get(f"/claims/{claimed.world.claim}/explain", stage="nonsense")
    assert (other.status_code, other.json()["code"]) == (422, "unknown-stage")


async def test_a_draft_is_what_would_be_recorded_once_signed(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    draft = (
        await claimed.get(f"/claims/{claimed.world.claim}/draft/approval", KIM, reason="In order.")
    ).json()
    assert draft["words"] == list(comparison_words(claimed.world.claim))
    assert any(" ".join(draft["words"]) in line for line in draft["shows"])
    assert draft["body"]["stages"] == ["provisional"]
    statement = sign(draft["kind"], draft["body"], [PEOPLE[KIM].signing_key])
    answer = await claimed.post(f"/claims/{claimed.world.claim}/approvals", statement, KIM)
    assert answer.status_code == 201, answer.text


async def test_a_draft_says_what_is_missing(claimed: Service) -> None:
    answer = await claimed.get(f"/claims/{claimed.world.claim}/draft/objection", DORA, ground="cured")
    assert (answer.status_code, answer.json()["facts"]) == (400, {"missing": "explanation"})
    none = await claimed.get(f"/claims/{claimed.world.claim}/draft/claim", BEA)
    assert (none.status_code, none.json()["code"]) == (404, "not-drafted")


async def test_events_continue_after_the_last_one_that_was_seen(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    first, second = claimed.world.case().claim.entries
    told = await events(claimed, 2)
    assert [event["event"] for event in told] == ["filed", "intake-accepted"]
    assert told[1] == {"index": second.index, "state": "ACCEPTED", "event": "intake-accepted"}
    assert await events(claimed, 1, last=first.index) == [told[1]]
    wrong = await claimed.http.get(
        f"/v1/claims/{claimed.world.claim}/events",
        headers={**claimed.signed_in(ANA), "last-event-id": "-2"},
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-parameter")


async def events(service: Service, count: int, last: int | None = None) -> list[dict[str, object]]:
    """The first events of the stream, which is then abandoned, as by a client that goes away."""
    stream = follows(service, last)
    events: list[dict[str, object]] = []
    async for event in stream:
        events.append(json.loads(str(event.data)))
        if len(events) == count:
            break
    await stream.aclose()
    return events


def follows(service: Service, last: int | None = None) -> AsyncGenerator[ServerSentEvent]:
    key = PEOPLE[ANA].signing_key.public_key
    persons = {AgreementId("nordwind-halden"): ANA}
    caller = Caller(key=key, fingerprint=key_id(key), persons=persons, former={})
    after = -1 if last is None else last
    return entries_after(service.app.state.backend, caller, service.world.claim, after)


async def test_a_stream_outlasts_a_database_that_is_away_for_a_moment(claimed: Service) -> None:
    away = [True, True]

    def lock_out(*_: object) -> None:
        if away:
            away.pop()
            raise DatabaseUnavailableError("the database is away")

    database_event.listen(claimed.app.state.backend.database, "checkout", lock_out)
    stream = follows(claimed)
    assert json.loads(str((await anext(stream)).data))["event"] == "filed"
    assert away == []
    await stream.aclose()


async def test_an_open_stream_ends_when_its_followers_key_is_revoked(claimed: Service) -> None:
    stream = follows(claimed)
    assert json.loads(str((await anext(stream)).data))["event"] == "filed"
    body = claimed.world.body(
        KeyRevocation,
        ANA,
        claimed.clock.now,
        key=PEOPLE[ANA].signing_key.public_key,
        reason="stolen",
    )
    sent = claimed.world.signed(body, PEOPLE[ANA].signing_key)
    answer = await claimed.post("/agreements/nordwind-halden/revocations", sent, ANA)
    assert answer.status_code == 201
    assert [event async for event in stream] == []


async def test_lists_come_page_by_page_and_a_page_looks_at_its_own_claims_alone(claimed: Service) -> None:
    declared = claimed.world.documents(claimed.clock.now, ["officer-declaration"])
    second = await claimed.post("/claims", claimed.filing(condition="end-of-support", evidence=declared), BEA)
    assert second.status_code == 201, second.text
    claims = [claimed.world.claim, second.json()["digest"]]
    pages, cursor = list[list[str]](), None
    for _ in claims:
        page = (await claimed.get("/claims", ANA, limit=1, cursor=cursor)).json()
        pages.append([one["digest"] for one in page["claims"]])
        cursor = page["next"]
    assert (pages, cursor) == ([[claim] for claim in claims], None)
    claimed.world.execute("UPDATE ledger_entries SET envelope = ? WHERE claim = ?", b"{}", claims[1])
    first = (await claimed.get("/inbox", ANA, limit=1)).json()
    assert [item["what"] for item in first["items"]] == ["intake"]
    assert (await claimed.get("/inbox", ANA, limit=1, cursor=first["next"])).json() == {
        "items": [],
        "next": None,
        "unreadable": [claim_id(Digest(claims[1]))],
    }


async def test_the_evidence_file_is_what_the_worker_stored(claimed: Service) -> None:
    answer: httpx.Response = await claimed.get(f"/claims/{claimed.world.claim}/evidence")
    assert answer.status_code == 200
    assert answer.json()["case"]["claim"] == claimed.world.claim


async def test_evidence_is_made_once_for_all_who_ask_until_the_log_has_grown(claimed: Service) -> None:
    path = f"/claims/{claimed.world.claim}/evidence"
    first, *others = await asyncio.gather(*(claimed.get(path, person) for person in (ANA, BEA, DORA)))
    assert first.status_code == 200
    assert {other.content for other in others} == {first.content}
    claimed.engine.away = True
    assert (await claimed.get(path, DORA)).content == first.content
    assert sum(isinstance(asked, EvidenceRequest) for asked in claimed.engine.asked) == 1
    claimed.engine.away = False
    await claimed.says("intakes", Intake, ANA, accepted=True)
    claimed.engine.away = True
    assert (await claimed.get(path)).status_code == 503


async def test_evidence_that_the_stores_have_lost_is_made_anew(claimed: Service) -> None:
    path = f"/claims/{claimed.world.claim}/evidence"
    first = await claimed.get(path)
    for file in claimed.world.sealed_files(sha256_digest(first.content)):
        file.unlink()
    again = await claimed.get(path)
    assert again.status_code == 200
    assert again.json()["case"] == first.json()["case"]


async def test_a_proof_is_served_once_a_checkpoint_covers_the_entry(claimed: Service) -> None:
    path = "/agreements/nordwind-halden/ledger"
    assert (await claimed.get(f"{path}/proof/0")).status_code == 404
    assert (await claimed.get(f"{path}/checkpoint")).status_code == 404
    claimed.world.sign_checkpoint()
    assert (await claimed.get(f"{path}/checkpoint")).text.startswith("test/nordwind-halden\n")
    assert (await claimed.get(f"{path}/proof/0")).text.startswith("c2sp.org/tlog-proof@v1\n")
    size = (await claimed.get(path)).json()["size"]
    assert (await claimed.get(f"{path}/proof/{size}")).status_code == 404
    page = (await claimed.get(f"{path}/entries", after=size - 2)).json()["entries"]
    assert [entry["index"] for entry in page] == [size - 1]
    assert len(page[0]["salt"]) == 64


async def test_one_entry_is_fetched_by_its_statements_digest_as_the_listing_shows_it(
    claimed: Service,
) -> None:
    path = "/agreements/nordwind-halden/ledger/entries"
    listed = (await claimed.get(path, BEA)).json()["entries"]
    for entry in listed:
        assert (await claimed.get(f"{path}/{entry['statement']}", BEA)).json() == entry
    missing = await claimed.get(f"{path}/sha256:{64 * '0'}", BEA)
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    nobody = await claimed.http.get(f"/v1{path}/{listed[0]['statement']}")
    assert nobody.status_code == 401


async def test_a_record_is_shown_whole_as_it_was_signed_page_by_page(claimed: Service) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    path = f"/claims/{claimed.world.claim}/record"
    first = (await claimed.get(path, KIM)).json()
    recorded = [entry.envelope for entry in claimed.world.case().raw]
    assert [envelope_from_json(one["envelope"]) for one in first["entries"]] == list(
        map(parse_envelope, recorded)
    )
    assert (first["next"], first["digest"]) == (None, claimed.world.claim)
    rest = (await claimed.get(path, KIM, start="1")).json()
    assert rest["entries"] == first["entries"][1:]
    assert (await claimed.get(path, KIM, start="-1")).status_code == 422


async def test_a_receiver_is_shown_what_it_needs_and_no_order(claimed: Service) -> None:
    shown = (await claimed.get(f"/claims/{claimed.world.claim}/delivery", BEA)).json()
    assert (shown["contributed"], {"undo", "state"} & shown.keys()) == ([], set())
    assert {one["component"] for one in shown["custody"]} == {
        "docs",
        "licence-keys",
        "activation-rules",
        "source",
    }


async def test_a_page_of_a_record_has_an_entry_and_ends_before_it_is_too_large(claimed: Service) -> None:
    (filing,) = claimed.world.case().raw
    entries = [
        replace(filing, envelope=bytes(size))
        for size in (RECORD_PAGE_BYTES_MAX + 1, 1, RECORD_PAGE_BYTES_MAX)
    ]
    assert [page_of(entries[start:]) for start in (0, 1, 2)] == [entries[:1], entries[1:2], entries[2:]]


@pytest.mark.parametrize(
    "moment", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z"]
)
async def test_a_draft_that_expires_at_either_end_of_time_is_drafted_or_refused(
    claimed: Service, moment: str
) -> None:
    path = f"/claims/{claimed.world.claim}/draft/approval"
    answer = await claimed.get(path, KIM, expires_at=moment, reason="In order.")
    exists = moment[:4] in {"0001", "9999"}
    assert answer.status_code == (200 if exists else 400)


@pytest.mark.parametrize("moment", [FIRST, LAST])
async def test_an_approval_from_either_end_of_time_is_refused(claimed: Service, moment: datetime) -> None:
    await claimed.says("intakes", Intake, ANA, accepted=True)
    vote = {"stages": (StageId("critical"),), "purpose": Purpose.RELEASE, "reason": "In order."}
    expiring = await claimed.says("approvals", Approval, KIM, expires_at=moment, **vote)
    assert (expiring.status_code, expiring.json()["code"]) == (422, "bad-timing")
    body = claimed.world.body(Approval, KIM, moment, claim=claimed.world.claim, expires_at=LAST, **vote)
    sent = claimed.world.signed(body, PEOPLE[KIM].signing_key)
    issued = await claimed.post(f"/claims/{claimed.world.claim}/approvals", sent, KIM)
    assert (issued.status_code, issued.json()["code"]) == (422, "bad-timing")


@pytest.mark.parametrize("moment", [FIRST, LAST])
async def test_a_claim_with_evidence_from_either_end_of_time_is_refused(
    service: Service, moment: datetime
) -> None:
    now = service.clock.now
    documents = tuple(
        replace(one, issued_at=moment)
        for one in service.world.documents(now, ["insolvency-record", "officer-declaration"])
    )
    answer = await service.post("/claims", service.filing(evidence=documents), BEA)
    assert (answer.status_code, answer.json()["code"]) == (422, "condition-not-met")


async def test_deadlines_that_end_after_a_calendar_are_named_beside_those_that_do_not(
    claimed: Service,
) -> None:
    last = min(one.covers_until for one in claimed.world.agreement.calendars)
    claimed.clock.now = datetime.combine(last, time(9), tzinfo=UTC)
    await accept_and_approve(claimed)
    claimed.world.notify(claimed.clock.now)
    told = (await claimed.get(f"/claims/{claimed.world.claim}/deadlines")).json()
    assert [str(last) in line for line in told["beyond_calendars"]] == [True]
    assert "approval-expires:kim@kestrel" in [one["what"] for one in told["deadlines"]]
