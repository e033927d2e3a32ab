"""A claim is filed with evidence that only its readers can open, and shown from its own bytes."""

import json
import resource
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.crypto.age import NoIdentityMatchesError, open_bytes
from tallystick.crypto.envelope import envelope_from_json, envelope_json, statement_id
from tallystick.desk.clock import now
from tallystick.domain.codec import instant_text
from tallystick.domain.comparison_words import comparison_words
from tallystick.domain.ids import claim_id
from tallystick.domain.periods import Period
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.proof.reading import read_signed
from tests.cli.conftest import (
    URL,
    Office,
    Ran,
    claim_in_use,
    show_agreement,
    show_deposit,
)
from tests.support.sites.fake_api import HANGS_UP
from tests.support.worlds.agreements import (
    AGREEMENT,
    ANA,
    BEA,
    BEN,
    KIM,
    PEOPLE,
    TOM,
    receivers,
)
from tests.support.worlds.deliveries import Release, digest_of
from tests.support.worlds.groundwork import FILED_FOR

FORM = """\
agreement: nordwind-halden
deposit: 1
condition: {condition}{receivers}
stages: [provisional, critical]
declaration: It has filed for insolvency.
evidence:
  - {{item: insolvency-record, file: record.txt, issued_at: {issued_at}}}
  - {{item: officer-declaration, file: declaration.txt, issued_at: {issued_at}}}
"""


def form(condition: str = "insolvency", issued_at: str | None = None, receivers: str = "") -> str:
    Path("record.txt").write_text("The record.\n")
    Path("declaration.txt").write_text("The declaration.\n")
    Path("claim.yaml").write_text(
        FORM.format(
            condition=condition,
            issued_at=issued_at or instant_text(now()),
            receivers=f"\nreceivers: [{receivers}]" if receivers else "",
        )
    )
    return "claim.yaml"


def filed(office: Office) -> ClaimFiling:
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, ClaimFiling)
    return body


def test_claim_is_filed_on_a_verified_deposit(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    office.api.shows["POST /v1/claims"] = {"claim": "clm-new"}
    ran = office.run("claim", "file", form(), "--yes", "--json", person=BEA)
    assert (ran.code, ran.json["claim"]) == (0, "clm-new"), ran.err
    body = filed(office)
    assert (body.deposit, body.stages) == (statement_id(release.deposit), ("provisional", "critical"))
    assert " ".join(comparison_words(statement_id(office.sent()[0]))) in ran.err
    assert body.ledger_seen is None


def test_a_claim_names_the_longest_log_that_the_claimant_has_verified(
    office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    office.api.shows["POST /v1/claims"] = {"claim": "clm-new"}
    seen = office.remembers_log(BEA)
    assert office.run("claim", "file", form(), "--yes", person=BEA).code == 0
    assert filed(office).ledger_seen == seen


def test_the_claimant_reads_before_signing_what_may_keep_the_claim_from_its_end(
    office: Office, tmp_path: Path
) -> None:
    (tmp_path / "short").mkdir()
    soon = now().date() + timedelta(days=60)
    calendars = tuple(replace(one, covers_until=soon, holidays=()) for one in AGREEMENT.calendars)
    short = Release(scratch=tmp_path / "short", terms=replace(AGREEMENT, calendars=calendars))
    show_agreement(office.api, short)
    show_deposit(office.api, short)
    ran = office.run("claim", "file", form(), person=BEA, answer="n\n")
    assert "warning: no claim filed after " in ran.err
    assert ran.err.index("warning: no claim filed after ") < ran.err.index("files this claim")
    assert office.sent() == []


def test_a_claim_is_sealed_to_its_author_if_it_names_nobody(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    office.run("claim", "file", form(), "--yes", person=BEA)
    assert filed(office).receivers == receivers(BEA)


def test_a_claim_is_sealed_to_the_persons_whom_its_form_names(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    office.run("claim", "file", form(receivers="ben@halden, bea@halden"), "--yes", person=BEA)
    assert filed(office).receivers == receivers(BEN, BEA)


def test_a_form_that_names_a_receiver_of_another_party_is_refused(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    ran = office.run("claim", "file", form(receivers="ana@harbour"), "--yes", person=BEA)
    assert ran.problem["code"] == "receivers-refused"
    assert office.sent() == []


def test_the_claimant_reads_before_signing_what_is_past_its_time(office: Office, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    at = now() - timedelta(days=3)
    day = Period("P1D")
    old = tuple(
        replace(one, max_age=day, licence=replace(one.licence, ends_on=at.date()))
        if one.id == "licence-keys"
        else one
        for one in AGREEMENT.components
    )
    release = Release(scratch=tmp_path / "old", terms=replace(AGREEMENT, components=old), at=at)
    show_agreement(office.api, release)
    show_deposit(office.api, release)
    ran = office.run("claim", "file", form(), person=BEA, answer="n\n")
    assert f"licence-keys is as of {instant_text(at)}, older than its `max_age` of P1D" in ran.err
    assert f"note: the licence of licence-keys ended on {at.date()}" in ran.err
    assert ran.err.count("refuses no claim") == 2


def test_evidence_opens_for_its_readers_alone(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    office.run("claim", "file", form(), "--yes", person=BEA)
    record = filed(office).evidence[0]
    raw = office.api.blobs[record.sealed_digest]
    assert record.plain_digest == digest_of(b"The record.\n")
    for reader in (ANA, KIM, TOM):
        assert open_bytes(raw, [PEOPLE[reader].identity]) == b"The record.\n"
    with pytest.raises(NoIdentityMatchesError):
        open_bytes(raw, [PEOPLE[BEA].identity])


@pytest.mark.parametrize(
    ("condition", "issued_at", "code"),
    [
        ("insolvency", "2020-01-01T00:00:00Z", "condition-not-met"),
        ("nothing", None, "not-in-agreement"),
    ],
)
def test_claim_that_cannot_stand_is_refused_before_anything_is_sent(
    condition: str, issued_at: str | None, code: str, office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    ran = office.run("claim", "file", form(condition, issued_at), "--yes", person=BEA)
    assert (ran.code, ran.problem["code"]) == (1, code)
    assert (office.sent(), office.api.blobs) == ([], {})


def test_claim_by_someone_who_may_not_file_is_refused_here(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    ran = office.run("claim", "file", form(), "--yes", person=ANA)
    assert (ran.problem["code"], office.sent()) == ("not-authorised-to-state", [])


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_claim_on_a_deposit_that_is_not_verified_is_refused(
    state: str, office: Office, release: Release
) -> None:
    show_deposit(office.api, release, state=state)
    assert office.run("claim", "file", form(), "--yes", person=BEA).problem["code"] == "deposit-not-claimable"


def test_another_deposit_than_the_one_asked_for_is_not_claimed(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    older = office.api.shows[f"{URL}/deposits/1"]
    office.api.shows[f"{URL}/deposits/2"] = {**older, "verdict": {"state": "verified"}}
    file = Path(form())
    file.write_text(file.read_text().replace("deposit: 1", "deposit: 2"))
    ran = office.run("claim", "file", str(file), "--yes", person=BEA)
    assert (ran.problem["code"], office.sent()) == ("deposit-chain-broken", [])
    shown = office.run("deposit", "show", AGREEMENT.id, "2", person=BEA)
    assert shown.problem["code"] == "deposit-chain-broken"


def test_missing_evidence_file_is_named(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    file = form()
    Path("record.txt").unlink()
    ran = office.run("claim", "file", file, "--yes", person=BEA)
    assert (ran.problem["code"], ran.problem["facts"]["file"]) == ("file-unusable", "record.txt")


def test_misspelt_member_of_the_form_is_refused(office: Office) -> None:
    file = form()
    Path(file).write_text(Path(file).read_text().replace("declaration:", "declaratoin:"))
    line = Path(file).read_text()[: Path(file).read_text().index("declaratoin:")].count("\n") + 1
    ran = office.run("claim", "file", file, "--yes", person=BEA)
    assert (ran.problem["code"], ran.problem["facts"]["line"]) == ("claim-file-mistake", line)
    assert ran.problem["detail"].startswith(f"{file}, line {line}: ")


@contextmanager
def files_no_larger_than(size_bytes: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_evidence_that_cannot_be_sealed_for_want_of_space_is_not_called_unreadable(
    office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    file = form()
    Path("record.txt").write_bytes(bytes(1 << 18))
    with files_no_larger_than(1 << 16):
        ran = office.run("claim", "file", file, "--yes", person=BEA)
    assert ran.problem["code"] == "file-unusable"
    assert ran.problem["facts"] == {"file": "insolvency-record.age", "reason": "File too large"}
    assert ran.problem["detail"].startswith("cannot write ")


def test_claim_whose_answer_was_lost_is_sent_again_as_it_was_signed(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    written = form(issued_at=instant_text(now()))
    office.api.fails["POST /v1/claims"] = [(HANGS_UP, None)]
    assert office.run("claim", "file", written, "--yes", person=BEA).code == 3
    blobs = dict(office.api.blobs)
    assert office.run("claim", "file", written, "--yes", person=BEA).code == 0
    (first,) = office.sent()
    assert office.api.blobs == blobs
    office.run("claim", "file", written, "--yes", person=BEA)
    assert statement_id(office.sent()[1]) != statement_id(first), (
        "once answered, the same form is a new claim"
    )


def on_record(office: Office, release: Release) -> str:
    """A claim that was filed here, as the server shows its record."""
    show_deposit(office.api, release)
    assert office.run("claim", "file", form(), "--yes", person=BEA).code == 0
    (envelope,) = office.sent()
    entry = {"index": 0, "accepted_at": instant_text(now()), "envelope": envelope_json(envelope)}
    claim = statement_id(envelope)
    office.api.shows[f"/v1/claims/{claim}/record"] = {"entries": [entry], "next": None}
    return claim


def test_documents_that_the_stores_have_lost_are_sent_again_as_they_were_sealed(
    office: Office, release: Release
) -> None:
    claim, blobs = on_record(office, release), dict(office.api.blobs)
    assert len(blobs) == 2
    Path("record.txt").unlink()
    office.api.blobs.clear()
    office.api.parts.clear()
    ran = office.run("claim", "resend", claim, person=BEA)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["in the stores: insolvency-record", "in the stores: officer-declaration"]
    assert office.api.blobs == blobs
    assert office.run("claim", "resend", claim, person=BEA).code == 0, "which may be repeated"


def test_a_document_that_is_not_kept_here_is_named(office: Office, release: Release) -> None:
    claim = on_record(office, release)
    kept = office.key(BEA).with_name(f"{BEA}.key.documents")
    assert kept.stat().st_mode & 0o077 == 0
    record = digest_of_item(office, "insolvency-record")
    (kept / f"{record.removeprefix('sha256:')}.age").unlink()
    ran = office.run("claim", "resend", claim, person=BEA)
    assert (ran.code, ran.problem["code"]) == (1, "documents-not-kept")
    assert ran.problem["facts"]["missing"] == ["insolvency-record"]


def digest_of_item(office: Office, item: str) -> str:
    return next(one.sealed_digest for one in filed(office).evidence if one.item == item)


def begun(office: Office) -> Path:
    return office.key(BEA).with_name(f"{BEA}.key.unsent") / f"claim-{AGREEMENT.id}"


def test_document_that_does_not_arrive_is_reported_before_anything_is_signed(
    office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    written = form(issued_at=instant_text(now()))
    office.api.part_max = 0
    ran = office.run("claim", "file", written, "--yes", person=BEA)
    assert (ran.problem["code"], office.sent()) == ("upload-stalled", [])
    assert "insolvency-record is not in the stores, so the claim was not sent" in ran.err
    assert "envelope" not in json.loads((begun(office) / "begun.json").read_bytes())


def test_documents_that_were_sealed_before_are_not_sealed_again_after_a_failed_upload(
    office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    written = form(issued_at=instant_text(now()))
    office.api.part_max = 0
    office.run("claim", "file", written, "--yes", person=BEA)
    sealed = digest_of((begun(office) / "insolvency-record.age").read_bytes())
    office.api.part_max = 1 << 30
    assert office.run("claim", "file", written, "--yes", person=BEA).code == 0
    assert filed(office).evidence[0].sealed_digest == sealed
    assert not begun(office).exists() or not list(begun(office).iterdir())


@pytest.mark.parametrize("changed", ["the document", "its sealed file"])
def test_documents_that_changed_since_they_were_sealed_are_sealed_again(
    changed: str, office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    written = form(issued_at=instant_text(now()))
    office.api.part_max = 0
    office.run("claim", "file", written, "--yes", person=BEA)
    file = begun(office) / "insolvency-record.age" if changed == "its sealed file" else Path("record.txt")
    file.write_bytes(b"Another record.\n")
    office.api.part_max = 1 << 30
    assert office.run("claim", "file", written, "--yes", person=BEA).code == 0
    record = filed(office).evidence[0]
    plain = open_bytes(office.api.blobs[record.sealed_digest], [PEOPLE[ANA].identity])
    assert (plain, record.plain_digest) == (Path("record.txt").read_bytes(), digest_of(plain))


def test_claimant_who_says_no_has_sent_nothing(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    ran = office.run("claim", "file", form(), person=BEA, answer="n\n")
    assert (ran.code, office.sent(), office.api.blobs) == (1, [], {})
    assert not begun(office).exists()


def test_documents_of_a_claim_that_is_sent_again_are_uploaded_again_if_they_are_gone(
    office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    written = form(issued_at=instant_text(now()))
    office.api.fails["POST /v1/claims"] = [(HANGS_UP, None)]
    assert office.run("claim", "file", written, "--yes", person=BEA).code == 3
    office.api.blobs.clear()
    office.api.parts.clear()
    assert office.run("claim", "file", written, "--yes", person=BEA).code == 0
    assert {one.sealed_digest for one in filed(office).evidence} == set(office.api.blobs)


@pytest.mark.parametrize(("state", "anew"), [("FILED", False), ("WITHDRAWN", True), ("DENIED", True)])
def test_claim_that_has_ended_meanwhile_is_filed_anew_and_not_sent_again(
    state: str, *, anew: bool, office: Office, release: Release
) -> None:
    show_deposit(office.api, release)
    words = ("claim", "file", form(issued_at=instant_text(now())), "--yes")
    office.api.fails["POST /v1/claims"] = [(HANGS_UP, None)]
    assert office.run(*words, person=BEA).code == 3
    note = office.key(BEA).with_name(f"{BEA}.key.unsent") / f"claim-{AGREEMENT.id}" / "begun.json"
    first = statement_id(envelope_from_json(json.loads(note.read_bytes())["envelope"]))
    office.api.shows[f"/v1/claims/{first}"] = {"state": state}
    assert office.run(*words, person=BEA).code == 0
    assert (statement_id(office.sent()[0]) != first) is anew


def test_claim_that_says_something_else_is_signed_anew(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    written = form(issued_at=instant_text(now()))
    office.api.fails["POST /v1/claims"] = [(HANGS_UP, None)]
    office.run("claim", "file", written, "--yes", person=BEA)
    Path("record.txt").write_text("Another record.\n")
    ran = office.run("claim", "file", written, "--yes", person=BEA)
    assert ran.code == 0, ran.err
    assert "the same claim is sent again" not in ran.err


def test_claim_is_shown_from_its_signed_bytes(office: Office, release: Release) -> None:
    ran = office.run("claim", "show", claim_id(release.claim), person=ANA)
    assert ran.code == 0, ran.err
    for told in (
        release.claim,
        *comparison_words(release.claim),
        "Insolvency with disruption",
        "So it is.",
        BEA,
        "state        ACCEPTED since 2026-11-24T09:00:00Z",
        "stage        provisional: ACTIVATED",
        "waiting for  approval",
    ):
        assert told in ran.out


def test_deadlines_list_the_days_that_were_counted_here(office: Office, release: Release) -> None:
    ran = office.run("claim", "deadlines", release.claim, person=ANA)
    assert ran.code == 0, ran.err
    assert "  notice counts as received\n" in ran.out
    assert "    deemed received PT24H after sending" in ran.out
    assert "not verified" not in ran.err
    found = office.run("claim", "deadlines", release.claim, "--json", person=ANA).json
    assert "deemed-receipt" in [one["what"] for one in found["deadlines"]]
    assert found["beyond_calendars"] == []


def test_other_claim_than_asked_for_is_not_shown(office: Office, release: Release, tmp_path: Path) -> None:
    other = Release(scratch=tmp_path / "other", number=3)
    office.api.shows[f"/v1/claims/{release.claim}/record"] = {"entries": claim_in_use(other).shown}
    ran = office.run("claim", "show", release.claim, person=ANA)
    assert ran.problem["code"] == "unexpected-claim"


def test_claims_are_listed_with_what_was_asked(office: Office) -> None:
    office.api.shows["/v1/claims"] = {"claims": []}
    ran = office.run("claim", "list", "--state", "WINDOW", "--waiting-for", ANA, "--json", person=ANA)
    assert ran.json == {"claims": []}
    assert "state=WINDOW" in office.api.asked[-1]
    assert "waiting_for=ana%40harbour" in office.api.asked[-1]


def test_explanation_marks_each_premise(office: Office, release: Release) -> None:
    office.api.shows[f"/v1/claims/{release.claim}/explain"] = {
        "stage": "critical",
        "premises": [
            {"premise": "window-over", "holds": False, "found": "it runs"},
            {"premise": "no-hold", "holds": True, "found": "none"},
        ],
        "waiting": [],
        "lines": ["The window runs."],
    }
    ran = office.run("claim", "explain", release.claim, person=ANA)
    assert ran.out.splitlines() == ["The window runs.", "✗ window-over: it runs", "✓ no-hold: none"]


def test_all_pages_of_a_timeline_are_read(office: Office, release: Release) -> None:
    path = f"/v1/claims/{release.claim}/timeline"
    entries = [
        {
            "index": index,
            "accepted_at": "2026-11-24T09:00:00Z",
            "event": "filed",
            "person": BEA,
            "statement": "x",
        }
        for index in range(2)
    ]
    office.api.shows[path] = {"entries": entries[:1], "next": "1"}
    office.api.shows[f"{path}?cursor=1"] = {"entries": entries[1:], "next": None}
    ran = office.run("claim", "timeline", release.claim, "--json", person=BEA)
    assert [one["index"] for one in ran.json["entries"]] == [0, 1]


@pytest.mark.parametrize("command", [["list"], ["inbox"], ["explain", "CLAIM"], ["timeline", "CLAIM"]])
def test_what_the_server_alone_says_is_called_unverified(
    office: Office, release: Release, command: list[str]
) -> None:
    office.api.shows["/v1/claims"] = {"claims": []}
    office.api.shows["/v1/inbox"] = {"items": []}
    office.api.shows[f"/v1/claims/{release.claim}/explain"] = {"premises": [], "lines": []}
    office.api.shows[f"/v1/claims/{release.claim}/timeline"] = {"entries": []}
    words = [release.claim if word == "CLAIM" else word for word in command]
    assert office.run("claim", *words, person=ANA).err == (
        "not verified: the server says this; `tallystick claim show CLAIM` verifies what was signed\n"
    )
    assert office.run("claim", *words, "--json", person=ANA).err == ""


def test_what_is_shown_from_the_signed_record_is_not_called_unverified(
    office: Office, release: Release
) -> None:
    assert "not verified" not in office.run("claim", "show", release.claim, person=ANA).err


def test_watching_prints_each_entry_once_and_ends_with_the_claim(office: Office, release: Release) -> None:
    entries = [
        {"index": 4, "accepted_at": "2026-11-24T09:00:00Z", "event": "filed", "person": BEA},
        {"index": 7, "accepted_at": "2026-11-24T10:00:00Z", "event": "intake-accepted", "person": ANA},
    ]
    looks = iter(["ACCEPTED", "RELEASED"])
    timelines = iter([entries[:1], entries[1:]])
    view = dict(office.api.shows[f"/v1/claims/{release.claim}"])
    office.api.shows[f"/v1/claims/{release.claim}"] = lambda: {**view, "state": next(looks)}
    office.api.shows[f"/v1/claims/{release.claim}/timeline"] = lambda: {"entries": next(timelines)}
    office.api.shows[f"/v1/claims/{release.claim}/events"] = b'data: {"index": 7}\n\n'
    ran = office.run("claim", "watch", release.claim, person=ANA)
    assert [line.split()[1] for line in ran.out.splitlines()] == ["filed", "intake-accepted"]
    assert ran.err.startswith("not verified: ")
    looked = [asked for asked in office.api.asked if "/timeline" in asked]
    assert looked == [f"GET /v1/claims/{release.claim}/timeline{cursor}" for cursor in ("", "?cursor=1")]


def test_watch_continues_after_an_outage_from_the_last_entry_it_printed(
    office: Office, release: Release
) -> None:
    entries = [
        {"index": index, "accepted_at": "2026-11-24T09:00:00Z", "event": event, "person": BEA}
        for index, event in enumerate(("filed", "accepted"))
    ]
    view = office.api.shows[f"/v1/claims/{release.claim}"]
    states = iter(["ACCEPTED", "RELEASED"])
    office.api.shows[f"/v1/claims/{release.claim}"] = lambda: {**view, "state": next(states)}
    shown = iter([entries[:1], entries[1:], []])
    office.api.shows[f"/v1/claims/{release.claim}/timeline"] = lambda: {"entries": next(shown)}
    office.api.fails[f"GET /v1/claims/{release.claim}/events"] = [(HANGS_UP, None)]
    office.api.fails[f"GET /v1/claims/{release.claim}"] = [(HANGS_UP, None)]
    ran = office.run("claim", "watch", release.claim, person=BEA)
    assert ran.code == 0, ran.err
    assert [line.split()[1] for line in ran.out.splitlines()] == ["filed", "accepted"]
    assert ran.err.count("trying again until the server answers") == 1
    assert office.pauses == [2, 2]


FOREIGN: dict[str, object] = {
    "an error": {"error": "upstream connect error"},
    "a list": ["blocked"],
    "nothing": None,
    "members of other types": {"entries": {"index": 0}, "state": ["RELEASED"], "next": 7},
    "entries that are none": {"entries": [{}], "state": "RELEASED"},
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("asked", ["", "/timeline", "/events"])
def test_watch_waits_while_something_else_answers_in_the_servers_place(
    asked: str, foreign: object, office: Office, release: Release
) -> None:
    path, states = f"/v1/claims/{release.claim}", iter(["ACCEPTED", "RELEASED", "RELEASED"])
    view = office.api.shows[path]
    entry = {"index": 0, "accepted_at": "2026-11-24T09:00:00Z", "event": "filed", "person": BEA}
    office.api.shows[path] = lambda: {**view, "state": next(states)}
    office.api.shows[f"{path}/timeline"] = {"entries": [entry]}
    office.api.shows[f"{path}/timeline?cursor=1"] = {"entries": []}
    office.api.shows[f"{path}/events"] = b'data: {"index": 0}\n\n'
    office.api.fails[f"GET {path}{asked}"] = [(200, foreign)]
    ran = office.run("claim", "watch", release.claim, person=BEA)
    assert (ran.code, [line.split()[1] for line in ran.out.splitlines()]) == (0, ["filed"]), ran.err
    as_good_as_ours = (asked, foreign) == ("", FOREIGN["entries that are none"])
    assert office.pauses == ([] if as_good_as_ours else [2])


def test_claim_is_shown_and_nothing_of_it_is_sent_without_a_yes(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    ran = office.run("claim", "file", form(), person=BEA, answer="n\n")
    assert (ran.code, office.sent(), office.api.blobs) == (1, [], {})
    shown = ran.err[: ran.err.index("Sign this?")]
    for told in (
        f"{BEA} files this claim",
        'declared: "It has filed for insolvency."',
        "asks for stage critical",
    ):
        assert told in shown


def test_own_form_is_shown_and_filed_where_there_is_no_terminal(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    ran = office.run("claim", "file", form(), person=BEA)
    assert (ran.code, len(office.sent())) == (0, 1)
    assert f"{BEA} files this claim" in ran.err
    assert "Sign this?" not in ran.err


def filing_for(office: Office, tmp_path: Path, *options: str, for_: str = "", declared: bool = False) -> Ran:
    """Let Ana file for a beneficiary under an agreement that lets her."""
    release = Release(scratch=tmp_path / "for-another", terms=FILED_FOR)
    show_agreement(office.api, release)
    show_deposit(office.api, release)
    written = Path(form()).read_text()
    if not declared:
        written = "\n".join(line for line in written.splitlines() if not line.startswith("declaration:"))
    Path("claim.yaml").write_text(f"{written}\n{for_}")
    return office.run("claim", "file", "claim.yaml", "--yes", *options, person=ANA)


@pytest.mark.parametrize(("options", "for_"), [(("--for", "halden"), ""), ((), "for: halden")])
def test_the_agent_files_for_a_beneficiary_without_its_declaration_and_receivers(
    office: Office, tmp_path: Path, options: tuple[str, ...], for_: str
) -> None:
    office.api.shows["POST /v1/claims"] = {"claim": "clm-new"}
    ran = filing_for(office, tmp_path, *options, for_=for_)
    assert ran.code == 0, ran.err
    body = read_signed(office.sent()[0], FILED_FOR).body
    assert isinstance(body, ClaimFiling)
    assert (body.person, body.for_, body.receivers, body.declaration) == (ANA, "halden", (), None)
    assert "halden declares, and names to whom is sealed, when it confirms the claim" in ran.err


def test_the_agent_declares_nothing_for_a_beneficiary(office: Office, tmp_path: Path) -> None:
    ran = filing_for(office, tmp_path, "--for", "halden", declared=True)
    assert ran.problem["code"] == "filing-incomplete"
    assert office.sent() == []
