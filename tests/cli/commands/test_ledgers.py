"""The log is verified entry by entry, and remembered, so that it cannot change unseen."""

import pytest

from tallystick.crypto.envelope import Envelope, envelope_bytes, envelope_json, sign, statement_id
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.leaf import leaf_bytes
from tallystick.crypto.log.merkle import inclusion_proof, leaf_hash, root_of
from tallystick.crypto.log.note import Checkpoint, sign_checkpoint
from tallystick.crypto.log.proof import LogProof, log_proof_bytes
from tests.cli.conftest import URL, Office
from tests.support.worlds.agreements import AGREEMENT, ANA, DECISION_KEY, LOG_KEY, PEOPLE
from tests.support.worlds.deliveries import AT

ORIGIN = f"{AGREEMENT.deployment}/{AGREEMENT.id}"


def statements(count: int) -> list[Envelope]:
    return [sign("hold", {"nonce": str(number)}, [PEOPLE[ANA].signing_key]) for number in range(count)]


def show_log(office: Office, logged: list[Envelope], *, key: SigningKey = LOG_KEY) -> None:
    """Show a log of these statements, with a checkpoint over all of them."""
    salts = [bytes([place]) * 32 for place in range(len(logged))]
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
        }
        for place, envelope in enumerate(logged)
    ]
    office.api.shows[f"{URL}/ledger/checkpoint"] = note
    office.api.shows[f"{URL}/ledger/entries"] = {"entries": entries}
    office.api.shows[f"{URL}/ledger/entries?after={len(entries) - 1}"] = {"entries": []}
    for place, salt in enumerate(salts):
        path = inclusion_proof(leaves, place)
        proof = LogProof(index=place, path=path, checkpoint=note, extra=salt)
        office.api.shows[f"{URL}/ledger/proof/{place}"] = log_proof_bytes(proof)


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
    assert verify(office) == (1, "inclusion-invalid")


def test_altered_time_of_acceptance_is_refused(office: Office) -> None:
    show_log(office, statements(5))
    office.api.shows[f"{URL}/ledger/entries"]["entries"][2]["accepted_at"] = "2026-11-24T09:00:01Z"
    assert verify(office) == (1, "inclusion-invalid")


def test_hidden_entry_is_missed(office: Office) -> None:
    show_log(office, statements(5))
    office.api.shows[f"{URL}/ledger/entries"]["entries"].pop(2)
    assert verify(office) == (1, "ledger-inconsistent")


def test_hidden_last_entry_is_missed(office: Office) -> None:
    show_log(office, statements(5))
    office.api.shows[f"{URL}/ledger/entries"]["entries"].pop()
    office.api.shows[f"{URL}/ledger/entries?after=3"] = {"entries": []}
    assert verify(office) == (1, "ledger-inconsistent")


def test_checkpoint_by_another_key_is_refused(office: Office) -> None:
    show_log(office, statements(5), key=DECISION_KEY)
    assert verify(office) == (1, "note-signature")


@pytest.mark.parametrize("entries", [[0, 0], [1, 0]])
def test_entries_out_of_order_are_refused(entries: list[int], office: Office) -> None:
    show_log(office, statements(2))
    shown = office.api.shows[f"{URL}/ledger/entries"]["entries"]
    office.api.shows[f"{URL}/ledger/entries"]["entries"] = [shown[place] for place in entries]
    assert verify(office)[0] == 1
