"""The log is verified entry by entry, and remembered, so that it cannot change unseen."""

import pytest

from tallystick.crypto.envelope import Envelope, envelope_bytes, envelope_json, sign, statement_id
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.leaf import leaf_bytes
from tallystick.crypto.log.merkle import leaf_hash, root_of
from tallystick.crypto.log.note import Checkpoint, sign_checkpoint
from tallystick.limits.logs import LEDGER_PAGE_ENTRIES_MAX as PAGE
from tallystick.limits.logs import LEDGER_READ_ENTRIES_MAX
from tests.cli.conftest import URL, Office
from tests.support.worlds.agreements import AGREEMENT, ANA, DECISION_KEY, LOG_KEY, PEOPLE
from tests.support.worlds.deliveries import AT

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


@pytest.mark.parametrize("salt", ["", "zz" * 32, "00" * 31, 7])
def test_entry_without_its_salt_is_refused(salt: object, office: Office) -> None:
    show_log(office, statements(2))
    office.api.shows[f"{URL}/ledger/entries"]["entries"][1]["salt"] = salt
    assert verify(office)[0] == 1


@pytest.mark.parametrize("entries", [[0, 0], [1, 0]])
def test_entries_out_of_order_are_refused(entries: list[int], office: Office) -> None:
    show_log(office, statements(2))
    shown = office.api.shows[f"{URL}/ledger/entries"]["entries"]
    office.api.shows[f"{URL}/ledger/entries"]["entries"] = [shown[place] for place in entries]
    assert verify(office)[0] == 1
