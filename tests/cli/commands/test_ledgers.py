"""The log is verified entry by entry, and remembered, so that it cannot change unseen."""

from pathlib import Path

import pytest

from tallystick.crypto.envelope import Envelope, envelope_bytes, envelope_json, sign, statement_id
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.leaf import leaf_bytes
from tallystick.crypto.log.merkle import leaf_hash, root_of
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, sign_checkpoint
from tallystick.desk.kept.sent import Sent
from tallystick.domain.ids import as_digest
from tallystick.limits.logs import LEDGER_PAGE_ENTRIES_MAX as PAGE
from tallystick.limits.logs import LEDGER_READ_ENTRIES_MAX
from tallystick.proof.contradiction import read_contradiction
from tests.cli.conftest import URL, Office
from tests.support.worlds.agreements import AGREEMENT, ANA, DECISION_KEY, KIM, LOG_KEY, PEOPLE
from tests.support.worlds.deliveries import AT, Release

ORIGIN = f"{AGREEMENT.deployment}/{AGREEMENT.id}"


def statements(count: int) -> list[Envelope]:
    return [sign("hold", {"nonce": str(number)}, [PEOPLE[ANA].signing_key]) for number in range(count)]


def show_log(office: Office, logged: list[Envelope], *, key: SigningKey = LOG_KEY) -> None:
    """Show a log of these statements, with a checkpoint over all of them."""
    salts = [place.to_bytes(32) for place in range(len(logged))]
    leaves = [
        leaf_hash(leaf_bytes(accepted_at=AT, envelope=envelope_bytes(envelope), salt=salt))
        for envelope, salt in zip(logged, salts, strict=True)
    ]
    note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=len(leaves), root=root_of(leaves)), key)
    entries = [
        {
            "index": place,
            "accepted_at": "2026-11-24T09:00:00Z",
            "statement": statement_id(envelope),
            "envelope": envelope_json(envelope),
            "salt": salts[place].hex(),
        }
        for place, envelope in enumerate(logged)
    ]
    office.api.shows[f"{URL}/ledger/checkpoint"] = note
    pages = [entries[start : start + PAGE] for start in range(0, len(entries) + 1, PAGE)]
    for place, page in enumerate(pages):
        after = f"?after={PAGE * place - 1}" if place else ""
        office.api.shows[f"{URL}/ledger/entries{after}"] = {"entries": page}


def verify(office: Office) -> tuple[int, str | None]:
    ran = office.run("ledger", "verify", AGREEMENT.id, "--json", person=ANA)
    return ran.code, None if ran.code == 0 else ran.problem["code"]


def test_sound_log_is_verified_and_remembered(office: Office) -> None:
    show_log(office, statements(5))
    ran = office.run("ledger", "verify", AGREEMENT.id, "--json", person=ANA)
    assert (ran.code, ran.json["size"], ran.json["seen_before"]) == (0, 5, 0)
    show_log(office, statements(7))
    ran = office.run("ledger", "verify", AGREEMENT.id, "--json", person=ANA)
    assert (ran.json["size"], ran.json["seen_before"]) == (7, 5)


def test_entries_that_are_withheld_count_by_their_leaves(office: Office) -> None:
    logged = statements(5)
    show_log(office, logged)
    entries = office.api.shows[f"{URL}/ledger/entries"]["entries"]
    leaf = leaf_bytes(accepted_at=AT, envelope=envelope_bytes(logged[2]), salt=(2).to_bytes(32))
    entries[2] = {"index": 2, "leaf": leaf_hash(leaf).hex()}
    assert verify(office) == (0, None)
    entries[2] = {"index": 2, "leaf": 64 * "0"}
    assert verify(office) == (1, "ledger-inconsistent")


def test_log_that_lost_entries_is_refused(office: Office) -> None:
    show_log(office, statements(5))
    verify(office)
    show_log(office, statements(4))
    assert verify(office) == (1, "ledger-inconsistent")


def test_log_that_was_rewritten_is_refused(office: Office) -> None:
    show_log(office, statements(5))
    verify(office)
    show_log(office, [*statements(9)[5:], *statements(4)])
    assert verify(office) == (1, "ledger-inconsistent")


def test_altered_entry_is_refused(office: Office) -> None:
    show_log(office, statements(5))
    entries = office.api.shows[f"{URL}/ledger/entries"]["entries"]
    entries[2]["envelope"] = envelope_json(statements(9)[8])
    assert verify(office) == (1, "ledger-inconsistent")


def test_altered_time_of_acceptance_is_refused(office: Office) -> None:
    show_log(office, statements(5))
    office.api.shows[f"{URL}/ledger/entries"]["entries"][2]["accepted_at"] = "2026-11-24T09:00:01Z"
    assert verify(office) == (1, "ledger-inconsistent")


def test_hidden_entry_is_missed(office: Office) -> None:
    show_log(office, statements(5))
    office.api.shows[f"{URL}/ledger/entries"]["entries"].pop(2)
    assert verify(office) == (1, "ledger-inconsistent")


def test_hidden_last_entry_is_missed(office: Office) -> None:
    show_log(office, statements(5))
    office.api.shows[f"{URL}/ledger/entries"]["entries"].pop()
    assert verify(office) == (1, "ledger-inconsistent")


def test_checkpoint_by_another_key_is_refused(office: Office) -> None:
    show_log(office, statements(5), key=DECISION_KEY)
    assert verify(office) == (1, "note-signature")


def test_a_log_of_several_pages_is_read_page_by_page_and_nothing_else_is_asked(office: Office) -> None:
    show_log(office, statements(2 * PAGE + 3))
    asked = len(office.api.asked)
    assert verify(office) == (0, None)
    about = [request for request in office.api.asked[asked:] if "/ledger/" in request]
    assert about == [
        f"GET {URL}/ledger/checkpoint",
        f"GET {URL}/ledger/entries",
        f"GET {URL}/ledger/entries?after={PAGE - 1}",
        f"GET {URL}/ledger/entries?after={2 * PAGE - 1}",
    ]


def test_a_checkpoint_of_more_entries_than_can_be_read_is_refused_before_any_is(office: Office) -> None:
    show_log(office, statements(1))
    endless = Checkpoint(origin=ORIGIN, size=LEDGER_READ_ENTRIES_MAX + 1, root=bytes(32))
    office.api.shows[f"{URL}/ledger/checkpoint"] = sign_checkpoint(endless, LOG_KEY)
    assert verify(office) == (1, "ledger-inconsistent")
    assert not any("/ledger/entries" in request for request in office.api.asked)


def test_entries_one_by_one_end_the_reading(office: Office) -> None:
    show_log(office, statements(5))
    entries = office.api.shows[f"{URL}/ledger/entries"]["entries"]
    office.api.shows[f"{URL}/ledger/entries"] = {"entries": entries[:1]}
    assert verify(office) == (1, "ledger-inconsistent")
    assert sum("/ledger/entries" in request for request in office.api.asked) == 1


def large(number: int) -> Envelope:
    return sign("hold", {"nonce": str(number), "reason": 400_000 * "a"}, [PEOPLE[ANA].signing_key])


def test_a_page_of_few_large_entries_is_not_the_last_one(office: Office) -> None:
    logged = [*map(large, range(7)), *statements(2)]
    show_log(office, logged)
    entries = office.api.shows[f"{URL}/ledger/entries"]["entries"]
    office.api.shows[f"{URL}/ledger/entries"] = {"entries": entries[:7]}
    office.api.shows[f"{URL}/ledger/entries?after=6"] = {"entries": entries[7:]}
    assert verify(office) == (0, None)


@pytest.mark.parametrize("salt", ["", "zz" * 32, "00" * 31])
def test_entry_without_its_salt_is_refused(salt: str, office: Office) -> None:
    show_log(office, statements(2))
    office.api.shows[f"{URL}/ledger/entries"]["entries"][1]["salt"] = salt
    assert verify(office)[0] == 1


@pytest.mark.parametrize("entries", [[0, 0], [1, 0]])
def test_entries_out_of_order_are_refused(entries: list[int], office: Office) -> None:
    show_log(office, statements(2))
    shown = office.api.shows[f"{URL}/ledger/entries"]["entries"]
    office.api.shows[f"{URL}/ledger/entries"]["entries"] = [shown[place] for place in entries]
    assert verify(office)[0] == 1


def signed_by_ana(nonce: str, agreement: str = AGREEMENT.id) -> Envelope:
    return sign("hold", {"agreement": agreement, "nonce": nonce}, [PEOPLE[ANA].signing_key])


def root_shown(office: Office) -> str:
    note = office.api.shows[f"{URL}/ledger/checkpoint"]
    checkpoint = open_checkpoint(note, origin=ORIGIN, public_key=LOG_KEY.public_key)
    return as_digest(checkpoint.root)


@pytest.fixture
def restored(office: Office) -> Office:
    """Ana has verified six entries, of which two are hers; now a copy with the first five is shown."""
    mine = [signed_by_ana("first"), signed_by_ana("second")]
    kept = Sent(folder=office.key(ANA).with_name(f"{ANA}.key.sent"))
    for envelope in (*mine, signed_by_ana("elsewhere", "another-agreement")):
        kept.keep(envelope)
    log = [mine[0], *statements(4), mine[1]]
    show_log(office, log)
    assert verify(office) == (0, None)
    show_log(office, log[:5])
    assert verify(office) == (1, "ledger-inconsistent")
    return office


def proofs(office: Office) -> list[Path]:
    return [*office.folder.glob(f"{ANA}.key.trust.{AGREEMENT.id}.*.json")]


def test_a_log_put_back_from_a_backup_is_believed_once_its_reader_has_typed_its_name(
    restored: Office,
) -> None:
    ran = restored.run("ledger", "accept", AGREEMENT.id, person=ANA, answer=f"{AGREEMENT.id}\n")
    assert ran.code == 0
    assert "you verified 6 entries on " in ran.err
    assert "it is shorter by 1 entry: the first 4 entries are surely those that you verified" in ran.err
    assert "statements of yours that the log has lost: 1\n" in ran.err
    assert statement_id(signed_by_ana("second")) in ran.err
    assert verify(restored) == (0, None)
    (proof,) = proofs(restored)
    assert proof.stat().st_mode & 0o777 == 0o600
    two = read_contradiction(proof.read_bytes())
    assert two.now.encode() == restored.api.shows[f"{URL}/ledger/checkpoint"]
    assert (f"{ORIGIN}\n6\n" in two.before, f"{ORIGIN}\n5\n" in two.now) == (True, True)


@pytest.mark.parametrize("answer", ["another\n", ""])
def test_a_log_is_not_believed_without_the_typed_name(answer: str, restored: Office) -> None:
    assert restored.run("ledger", "accept", AGREEMENT.id, person=ANA, answer=answer).code == 1
    assert verify(restored) == (1, "ledger-inconsistent")
    assert proofs(restored) == []


def test_a_log_is_believed_unasked_only_by_the_root_that_one_was_told(restored: Office) -> None:
    accept = ("ledger", "accept", AGREEMENT.id, "--yes", "--json")
    assert restored.run(*accept, person=ANA).code == 2
    another = restored.run(*accept, "--root", "sha256:" + 64 * "0", person=ANA)
    assert (another.code, another.problem["code"]) == (1, "another-root")
    assert verify(restored) == (1, "ledger-inconsistent")
    ran = restored.run(*accept, "--root", root_shown(restored), person=ANA)
    assert ran.code == 0
    said = (ran.json["size_before"], ran.json["size"], ran.json["agreeing"], ran.json["gone"])
    assert said == (6, 5, 4, [statement_id(signed_by_ana("second"))])
    assert verify(restored) == (0, None)


def test_a_log_that_contradicts_its_checkpoint_is_never_believed(restored: Office) -> None:
    restored.api.shows[f"{URL}/ledger/entries"]["entries"].pop()
    ran = restored.run("ledger", "accept", AGREEMENT.id, person=ANA, answer=f"{AGREEMENT.id}\n")
    assert (ran.code, ran.problem["code"]) == (1, "ledger-inconsistent")


def test_where_the_log_has_only_grown_nothing_is_asked(office: Office) -> None:
    show_log(office, statements(5))
    verify(office)
    show_log(office, statements(7))
    ran = office.run("ledger", "accept", AGREEMENT.id, person=ANA)
    assert (ran.code, "there is nothing to accept" in ran.err) == (0, True)
    assert proofs(office) == []


def test_two_logs_of_one_key_are_proven_from_the_file_and_the_signed_agreement_alone(
    office: Office, release: Release
) -> None:
    show_log(office, statements(5))
    verify(office)
    show_log(office, [*statements(4), *statements(9)[7:]])
    ran = office.run("ledger", "accept", AGREEMENT.id, person=ANA, answer=f"{AGREEMENT.id}\n")
    assert "it has other entries: the first 4 entries are surely those that you verified" in ran.err
    (office.folder / "signed.json").write_bytes(envelope_bytes(release.agreement))
    (proof,) = proofs(office)
    shown = office.run("ledger", "contradiction", str(proof), "--agreement", "signed.json")
    assert (shown.code, "exclude each other" in shown.out) == (0, True)


def test_two_people_who_are_shown_different_logs_learn_it_from_each_others_checkpoint(
    office: Office,
) -> None:
    unverified = office.run("ledger", "checkpoint", AGREEMENT.id, "--key", str(office.key(KIM)))
    assert (unverified.code, unverified.problem["code"]) == (1, "log-not-verified")
    show_log(office, statements(5))
    verify(office)
    mine = office.run("ledger", "checkpoint", AGREEMENT.id, "--key", str(office.key(ANA)))
    (office.folder / "anas.note").write_text(mine.out)
    compared = ("ledger", "verify", AGREEMENT.id, "--against", "anas.note", "--json")
    show_log(office, statements(9)[3:])
    forked = office.run(*compared, person=KIM)
    assert (forked.code, forked.problem["code"]) == (1, "ledger-inconsistent")
    show_log(office, statements(4))
    assert office.run(*compared, person=KIM).code == 1
    show_log(office, statements(7))
    assert office.run(*compared, person=KIM).code == 0
    show_log(office, statements(5), key=DECISION_KEY)
    (office.folder / "anas.note").write_bytes(office.api.shows[f"{URL}/ledger/checkpoint"])
    show_log(office, statements(7))
    assert office.run(*compared, person=KIM).problem["code"] == "note-signature"
