"""A deposit is sealed before it leaves, to the gate's own epoch, and continues the chain."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tallystick.bag.unpack import unpack_bag
from tallystick.crypto.age import open_sealed
from tallystick.crypto.custody.gate import contributed_identity
from tallystick.crypto.envelope import Envelope, body_of, envelope_json, sign, statement_id
from tallystick.desk.kept.begun import working_in
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import PersonId
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import expect
from tallystick.proof.reading import read_signed
from tests.cli.conftest import URL, Office, Ran, show_deposit
from tests.support.sites.fake_api import HANGS_UP
from tests.support.worlds.agreements import (
    AGREEMENT,
    ANA,
    BEA,
    DECISION_KEY,
    DIRK,
    DOCS,
    DORA,
    LICENCE_KEYS,
    LOG_KEY,
    PEOPLE,
)
from tests.support.worlds.deliveries import CONTENT, Release


@pytest.fixture
def folder() -> Path:
    for component, files in CONTENT.items():
        for path, content in files.items():
            place = Path("deposit") / component / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    return Path("deposit")


def make(
    office: Office,
    folder: Path,
    *words: str,
    verdict: str = "verified",
    yes: Sequence[str] = ("--yes",),
    person: PersonId = DORA,
) -> Ran:
    answer = {"verdict": {"state": verdict, "because": ["a copy is bad"]}}
    office.api.shows[f"{URL}/deposits/1"] = answer
    office.api.shows[f"POST {URL}/deposits"] = {"deposit": "sha256:0", "number": 1, "index": 9}
    return office.run(
        "deposit", "make", str(folder), "--agreement", AGREEMENT.id, *words, *yes, "--json", person=person
    )


def test_deposit_is_signed_uploaded_and_verified(office: Office, folder: Path) -> None:
    ran = make(office, folder, "--watermark", "2026-11-20T00:00:00Z")
    assert ran.code == 0, ran.err
    assert ran.json["verdict"]["state"] == "verified"
    (envelope,) = office.sent()
    body = read_signed(envelope, AGREEMENT).body
    assert isinstance(body, Deposit)
    assert [c.component for c in body.components] == [c.id for c in AGREEMENT.components if c.id in CONTENT]
    assert (body.number, body.previous, body.watermark.day) == (1, None, 20)
    assert {c.sealed_digest for c in body.components} == set(office.api.blobs)
    assert f"GET {URL}/ledger/entries" not in office.api.asked, "one statement is asked for, never the ledger"


def test_a_deposit_names_the_longest_log_that_its_depositor_has_verified_if_there_is_one(
    office: Office, folder: Path
) -> None:
    for seen in (None, office.remembers_log):
        expected = None if seen is None else seen(DORA)
        office.api.posted.clear()
        ran = make(office, folder, "--component", DOCS)
        assert ran.code == 0, ran.err
        body = read_signed(office.sent()[-1], AGREEMENT).body
        assert isinstance(body, Deposit)
        assert body.ledger_seen == expected
        assert ("having verified the ledger: 7 entries" in ran.err) is (expected is not None)


def test_what_was_uploaded_opens_with_the_custody_key_alone(
    office: Office, folder: Path, release: Release, tmp_path: Path
) -> None:
    make(office, folder, "--component", DOCS)
    ((_, raw),) = office.api.blobs.items()
    assert b"How to run it" not in raw
    (tmp_path / "sealed").write_bytes(raw)
    sealed, filing = release.sealed[DOCS], read_signed(release.filing, AGREEMENT).body
    assert isinstance(filing, ClaimFiling)
    identity = contributed_identity(
        sealed.body,
        {"gate": release.contribution(DOCS)},
        claim=release.claim,
        identity=PEOPLE[BEA].identity,
    )
    with (tmp_path / "sealed").open("rb") as source, (tmp_path / "tar").open("wb") as out:
        open_sealed(source, out, [identity])
    with (tmp_path / "tar").open("rb") as tar:
        unpack_bag(tar, tmp_path / "bag")
    assert (tmp_path / "bag" / "data" / "operations.md").read_bytes() == CONTENT[DOCS]["operations.md"]


def unsent(office: Office) -> list[str]:
    """The names of what lies in the depositor's folder of what was not answered."""
    folder = office.key(DORA).with_name(f"{DORA}.key.unsent")
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_repeated_deposit_continues_with_what_was_sealed_and_signed(office: Office, folder: Path) -> None:
    answers = office.api.fails[f"POST {URL}/deposits"] = [(HANGS_UP, None)]
    lost = make(office, folder)
    assert (lost.code, lost.problem["retryable"], answers) == (3, True, [])
    before, asked = dict(office.api.blobs), len(office.api.asked)
    assert "deposit-nordwind-halden/begun.json" in unsent(office)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        os.utime(file, (1, 1))  # times alone change no content
    again = make(office, folder)
    assert again.code == 0, again.err
    assert "going on with deposit 1" in again.err
    assert office.api.blobs == before, "nothing is sealed again"
    parts = [one for one in office.api.asked[asked:] if one.startswith("PUT ")]
    assert len(parts) == len(before), "an empty part each: the server says that it has all of it"
    assert [name for name in unsent(office) if not name.endswith(".lock")] == []


def test_what_a_colleague_signed_in_a_shared_folder_is_not_sent_as_ones_own(
    office: Office, folder: Path, tmp_path: Path
) -> None:
    scratch = ("--component", DOCS, "--scratch", str(tmp_path / "shared"))
    office.api.fails[f"POST {URL}/deposits"] = [(HANGS_UP, None)]
    assert make(office, folder, *scratch, person=DIRK).code == 3
    again = make(office, folder, *scratch)
    assert again.code == 0, again.err
    assert body_of(office.sent()[-1])["person"] == DORA


def test_repeated_deposit_of_other_content_is_sealed_anew(office: Office, folder: Path) -> None:
    office.api.fails[f"POST {URL}/deposits"] = [(HANGS_UP, None)]
    make(office, folder, "--component", DOCS)
    changed = next(path for path in sorted((folder / DOCS).rglob("*")) if path.is_file())
    kept = changed.stat()
    changed.write_bytes(changed.read_bytes()[::-1])
    os.utime(changed, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    again = make(office, folder, "--component", DOCS)
    assert (again.code, len(office.api.blobs)) == (0, 2)
    assert "sealed anew" in again.err


@pytest.mark.parametrize("spoilt", ["docs.age", "begun.json"])
def test_deposit_whose_kept_files_were_spoilt_is_sealed_anew(
    spoilt: str, office: Office, folder: Path
) -> None:
    office.api.fails[f"POST {URL}/deposits"] = [(HANGS_UP, None)]
    make(office, folder, "--component", DOCS)
    kept = office.key(DORA).with_name(f"{DORA}.key.unsent") / f"deposit-{AGREEMENT.id}" / spoilt
    kept.write_bytes(kept.read_bytes()[:-2])
    assert make(office, folder, "--component", DOCS).code == 0
    assert len(office.api.blobs) == 2


def test_deposit_that_was_refused_is_forgotten(office: Office, folder: Path) -> None:
    problem = {"code": "not-authorised-to-state", "detail": "no"}
    office.api.fails[f"POST {URL}/deposits"] = [(403, problem)]
    assert make(office, folder, "--component", DOCS).code == 1
    assert [name for name in unsent(office) if not name.endswith(".lock")] == []


def test_two_deposits_at_once_do_not_spoil_each_others_files(office: Office, folder: Path) -> None:
    waiting = office.key(DORA).with_name(f"{DORA}.key.unsent") / f"deposit-{AGREEMENT.id}"
    with working_in(waiting):
        ran = make(office, folder)
    assert (ran.code, ran.problem["code"], office.api.blobs) == (1, "work-under-way", {})


def test_sealed_files_wait_where_they_are_told_to(office: Office, folder: Path, tmp_path: Path) -> None:
    office.api.fails[f"POST {URL}/deposits"] = [(HANGS_UP, None)]
    make(office, folder, "--component", DOCS, "--scratch", str(tmp_path / "big-disk"))
    (sealed,) = (tmp_path / "big-disk").rglob("*.age")
    assert "sha256:" + hashlib.sha256(sealed.read_bytes()).hexdigest() in office.api.blobs
    assert stat.S_IMODE(sealed.parent.stat().st_mode) == 0o700


def test_no_scratch_file_stays(office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = Path("scratch").absolute()
    scratch.mkdir()
    try:
        with monkeypatch.context() as patched:
            patched.setenv("TMPDIR", str(scratch))
            tempfile.tempdir = None  # so that the variable is read again
            make(office, folder)
            assert tempfile.gettempdir() == str(scratch)
    finally:
        tempfile.tempdir = None  # once the variable is gone: later tests would have our folder otherwise
    assert list(scratch.iterdir()) == []


def test_deposit_that_failed_is_refused(office: Office, folder: Path) -> None:
    ran = make(office, folder, verdict="failed")
    assert (ran.code, ran.problem["code"]) == (1, "deposit-failed")


def test_deposit_continues_the_chain(office: Office, folder: Path, release: Release) -> None:
    show_deposit(office.api, release)
    office.api.shows[f"{URL}/deposits/2"] = {"verdict": {"state": "verified"}}
    office.run("deposit", "make", str(folder), "--agreement", AGREEMENT.id, "--yes", person=DORA)
    body = body_of(office.sent()[0])
    assert (body["number"], body["previous"]) == (2, statement_id(release.deposit))


def show_chain(office: Office, release: Release, *, length: int, a_page: int) -> list[Envelope]:
    """Show `length` deposits in pages, newest first; only the first one has more than one component."""
    chain = [release.deposit]
    first = expect(read_signed(release.deposit, AGREEMENT), Deposit).body
    docs = tuple(one for one in first.components if one.component == DOCS)
    for number in range(2, length + 1):
        body = replace(first, number=number, previous=statement_id(chain[-1]), components=docs)
        chain.append(sign(Kind.DEPOSIT, encode_object(body), [PEOPLE[DORA].signing_key]))
    views: list[JsonObject] = [
        {"number": number, "deposit": statement_id(one), "envelope": envelope_json(one)}
        for number, one in reversed(list(enumerate(chain, start=1)))
    ]
    for start in range(0, length, a_page):
        cursor = f"?cursor={views[start - 1]['number']}" if start else ""
        more = str(views[start + a_page - 1]["number"]) if start + a_page < length else None
        page = {"deposits": views[start : start + a_page], "next": more}
        office.api.shows[f"{URL}/deposits{cursor}"] = page
    office.api.shows[f"{URL}/deposits/1"] = {**views[-1], "verdict": {"state": "verified"}}
    return chain


def pages_asked(office: Office) -> list[str]:
    return [asked for asked in office.api.asked if asked.startswith(f"GET {URL}/deposits?")]


@pytest.mark.parametrize(("component", "asked"), [(DOCS, []), (LICENCE_KEYS, ["3", "2"])])
def test_a_deposit_reads_the_chain_back_to_the_last_one_of_each_component(
    component: str, asked: list[str], office: Office, folder: Path, release: Release
) -> None:
    chain = show_chain(office, release, length=3, a_page=1)
    office.api.shows[f"{URL}/deposits/4"] = {"verdict": {"state": "verified"}}
    make(office, folder, "--component", component)
    body = body_of(office.sent()[-1])
    assert (body["number"], body["previous"]) == (4, statement_id(chain[-1]))
    assert pages_asked(office) == [f"GET {URL}/deposits?cursor={cursor}" for cursor in asked]


def test_a_long_chain_is_verified_to_its_first_deposit_and_how_far_is_told(
    office: Office, release: Release
) -> None:
    show_chain(office, release, length=1_001, a_page=200)
    ran = office.run("deposit", "verify", AGREEMENT.id, "1", "--json", person=ANA)
    assert (ran.code, ran.json["deposit"]) == (0, statement_id(release.deposit))
    assert "1000 deposits verified, down to deposit 2" in ran.err


def test_a_chain_whose_first_deposits_are_left_out_is_seen(office: Office, release: Release) -> None:
    show_chain(office, release, length=3, a_page=1)
    office.api.shows[f"{URL}/deposits?cursor=3"]["next"] = None
    ran = office.run("deposit", "verify", AGREEMENT.id, "2", person=ANA)
    assert (ran.code, ran.problem["code"]) == (1, "deposit-chain-broken")


def test_empty_folder_is_refused(office: Office) -> None:
    Path("deposit").mkdir()
    assert make(office, Path("deposit")).problem["code"] == "component-folder"


def test_component_without_its_folder_is_refused(office: Office, folder: Path) -> None:
    ran = make(office, folder, "--component", "source")
    assert (ran.problem["code"], office.sent()) == ("component-folder", [])


def test_unknown_component_is_refused(office: Office, folder: Path) -> None:
    assert make(office, folder, "--component", "nothing").problem["code"] == "not-in-agreement"


def test_epoch_that_the_gate_did_not_sign_is_not_sealed_to(
    office: Office, folder: Path, release: Release
) -> None:
    forged = sign(Kind.CUSTODY, body_of(release.sealed[DOCS].custody), [LOG_KEY])
    for entry in office.api.shows[f"{URL}/ledger/entries"]["entries"]:
        if entry["statement"] == statement_id(forged):
            entry["envelope"] = envelope_json(forged)
    ran = make(office, folder, "--component", DOCS)
    assert (ran.problem["code"], office.api.blobs) == ("unexpected-custody", {})


def test_another_statement_than_the_one_asked_for_is_not_believed(
    office: Office, folder: Path, release: Release
) -> None:
    asked, other = (release.sealed[component].deposited.custody for component in (DOCS, LICENCE_KEYS))
    shows = office.api.shows
    shows[f"{URL}/ledger/entries/{asked}"] = shows[f"{URL}/ledger/entries/{other}"]
    ran = make(office, folder, "--component", DOCS)
    assert (ran.problem["code"], office.api.blobs) == ("unexpected-answer", {})


def test_depositor_reads_nothing_about_opening_and_activating(
    office: Office, folder: Path, release: Release
) -> None:
    custody = office.api.shows[URL]["custody"]
    other = release.sealed[LICENCE_KEYS].deposited.custody
    next(c for c in custody if c["component"] == DOCS)["custody"] = other
    problem = make(office, folder, "--component", DOCS).problem
    assert problem["advice"].startswith("Nothing was sealed or sent.")
    assert "activated" not in str(problem)


def test_epoch_of_another_component_is_not_sealed_to(office: Office, folder: Path, release: Release) -> None:
    custody = office.api.shows[URL]["custody"]
    other = release.sealed[LICENCE_KEYS].deposited.custody
    next(c for c in custody if c["component"] == DOCS)["custody"] = other
    ran = make(office, folder, "--component", DOCS)
    assert (ran.problem["code"], office.api.blobs) == ("unexpected-custody", {})


def test_older_epoch_than_the_last_deposits_is_not_sealed_to(
    office: Office, folder: Path, release: Release
) -> None:
    """Its key was given away by a release; whoever has it could read the next deposit without one."""
    older = release.sealed[DOCS].custody
    newer = sign(Kind.CUSTODY, {**body_of(older), "epoch": 2}, [DECISION_KEY])
    said = body_of(release.deposit)
    components = [
        {**one, "custody": statement_id(newer)} if one["component"] == DOCS else one
        for one in cast("list[dict[str, str]]", said["components"])
    ]
    last = sign(Kind.DEPOSIT, {**said, "components": components}, [PEOPLE[DORA].signing_key])
    view = {"number": 1, "deposit": statement_id(last), "envelope": envelope_json(last)}
    office.api.shows[f"{URL}/deposits"] = {"deposits": [view]}
    office.api.shows[f"{URL}/ledger/entries/{statement_id(newer)}"] = {"envelope": envelope_json(newer)}
    ran = make(office, folder, "--component", DOCS)
    assert (ran.problem["code"], office.api.blobs) == ("unexpected-custody", {})
    live = next(one for one in office.api.shows[URL]["custody"] if one["component"] == DOCS)
    live["custody"] = statement_id(newer)
    office.api.shows[f"{URL}/deposits/2"] = {"verdict": {"state": "verified"}}
    words = ("--agreement", AGREEMENT.id, "--yes")
    assert office.run("deposit", "make", str(folder), *words, person=DORA).code == 0


def test_deposits_are_listed_shown_and_verified(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    assert "verified" in office.run("deposit", "list", AGREEMENT.id, person=ANA).out
    assert "licence-keys" in office.run("deposit", "show", AGREEMENT.id, "1", person=ANA).out
    ran = office.run("deposit", "verify", AGREEMENT.id, "1", "--json", person=ANA)
    assert (ran.code, ran.json["deposit"]) == (0, statement_id(release.deposit))


def test_a_depositor_is_told_that_custody_is_unreadable_and_waits_for_no_gate(
    office: Office, folder: Path
) -> None:
    office.api.shows[URL].update(custody=[], unreadable=["custody"])
    ran = make(office, folder)
    assert (ran.problem["code"], office.api.blobs) == ("custody-unreadable", {})
    assert sum(asked == f"GET {URL}" for asked in office.api.asked) == 1


def test_a_deposit_that_the_server_cannot_read_is_no_partys_fault(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    office.api.shows[f"{URL}/deposits"].update(unreadable=["2"])
    ran = office.run("deposit", "verify", AGREEMENT.id, "1", person=ANA)
    assert (ran.problem["code"], ran.problem["facts"]) == ("deposits-unreadable", {"deposits": ["2"]})


def test_all_pages_of_deposits_are_read(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    whole = office.api.shows[f"{URL}/deposits"]
    older = {**whole["deposits"][0], "number": 7}
    office.api.shows[f"{URL}/deposits"] = {**whole, "next": "7"}
    office.api.shows[f"{URL}/deposits?cursor=7"] = {"deposits": [older], "next": None}
    ran = office.run("deposit", "list", AGREEMENT.id, "--json", person=ANA)
    assert [one["number"] for one in ran.json["deposits"]] == [1, 7]


@pytest.mark.parametrize("state", ["failed"])
def test_verifying_a_failed_deposit_is_refused(state: str, office: Office, release: Release) -> None:
    show_deposit(office.api, release, state=state)
    assert office.run("deposit", "verify", AGREEMENT.id, "1", person=ANA).code == 1


def test_deposit_by_someone_else_breaks_the_chain(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    body = {**body_of(release.deposit), "person": BEA}
    forged = sign(Kind.DEPOSIT, body, [PEOPLE[BEA].signing_key])
    view = office.api.shows[f"{URL}/deposits/1"]
    view.update(envelope=envelope_json(forged), deposit=statement_id(forged))
    ran = office.run("deposit", "verify", AGREEMENT.id, "1", person=ANA)
    assert ran.problem["code"] == "deposit-chain-broken"


def test_gap_in_the_chain_is_seen(office: Office, release: Release) -> None:
    show_deposit(office.api, release)
    body = {**body_of(release.deposit), "number": 2}
    later = sign(Kind.DEPOSIT, body, [PEOPLE[DORA].signing_key])
    view = office.api.shows[f"{URL}/deposits/1"]
    view.update(envelope=envelope_json(later), deposit=statement_id(later), number=2)
    ran = office.run("deposit", "verify", AGREEMENT.id, "1", person=ANA)
    assert ran.problem["code"] == "deposit-chain-broken"


def test_folder_that_is_no_component_and_component_without_a_folder_are_said(
    office: Office, folder: Path
) -> None:
    (folder / DOCS).rename(folder / "dcos")
    ran = make(office, folder)
    assert ran.code == 0, ran.err
    said = ran.err.splitlines()
    assert any(line.startswith("not in this deposit:") and DOCS in line for line in said)
    assert 'left out, as the agreement has no such component: "dcos"' in said


def test_deposit_of_components_that_were_named_says_nothing_of_the_others(
    office: Office, folder: Path
) -> None:
    ran = make(office, folder, "--component", DOCS)
    assert ran.code == 0, ran.err
    assert "not in this deposit" not in ran.err


def test_nothing_is_uploaded_for_anyone_but_the_depositor(office: Office, folder: Path) -> None:
    ran = office.run("deposit", "make", str(folder), "--agreement", AGREEMENT.id, "--yes", person=BEA)
    assert (ran.code, ran.problem["code"]) == (1, "not-authorised-to-state")
    assert office.api.blobs == {}


def test_deposit_of_a_build_server_is_shown_and_made(office: Office, folder: Path) -> None:
    ran = make(office, folder, yes=())
    assert (ran.code, len(office.sent())) == (0, 1)
    assert f"{DORA} makes deposit 1" in ran.err
    assert "Sign this?" not in ran.err


def test_deposit_is_shown_and_nothing_of_it_is_uploaded_without_a_yes(office: Office, folder: Path) -> None:
    words = ("deposit", "make", str(folder), "--agreement", AGREEMENT.id)
    ran = office.run(*words, person=DORA, answer="n\n")
    assert (ran.code, office.sent(), office.api.blobs) == (1, [], {})
    assert f"{DORA} makes deposit 1" in ran.err[: ran.err.index("Sign this?")]
