"""An evidence file convinces someone who trusts nobody; an altered one never does."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, cast

import pytest
from typer.testing import CliRunner

from tallystick.cli.commands import evidence as command
from tallystick.crypto.envelope import body_of, envelope_json, kind_of, sign
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.crypto.keys import SigningKey
from tallystick.domain.codec import decode, encode_object
from tallystick.domain.comparison_words import in_words
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonValue
from tallystick.domain.statements.acts import Hold
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import write_body
from tallystick.proof.evidence.file import (
    ExportedCase,
    FiledEntry,
    content_of,
    evidence_bytes,
    read_evidence_file,
)
from tallystick.proof.evidence.verify import PREMISES, verify
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements
from tallystick.store.registers.custody import live_custody
from tests.support.trees import inclusion_proof
from tests.support.worlds.agreements import (
    CRITICAL,
    DECISION_KEY,
    DIRK,
    DORA,
    KIM,
    LOG_KEY,
    PEOPLE,
    TOM,
    agreement,
    quorum,
    signing_key,
)
from tests.support.worlds.gate_worlds import FILED, MONDAY, READY, ROOT_KEYS, SIGNERS, World
from tests.support.worlds.prepared_worlds import (
    CONTENTS,
    accepted,
    prepared_world,
    ready_world,
    released_world,
)

SEALED = "evidence-signed"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return released_world(tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="module")
def file(world: World) -> bytes:
    return exported(world)


def exported(world: World) -> bytes:
    with transaction(world.database) as session:
        return export(session, world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=READY)


def broken(data: bytes, **trust: Digest) -> str:
    report = verify(data, **trust)
    assert report.broken is not None
    assert report.steps[-1] == report.broken
    assert report.state is None
    return report.broken.premise


# --------------------------------------------------------------------------------------- it convinces


def test_every_premise_of_an_untouched_file_holds(world: World, file: bytes) -> None:
    report = verify(file, trust=world.digest)

    assert report.holds
    assert tuple(step.premise for step in report.steps) == PREMISES
    assert [step.number for step in report.steps] == list(range(1, 16))
    assert (report.claim, report.agreement_digest) == (world.claim, world.digest)
    assert (report.state, report.released) == ("PROVISIONING", (CRITICAL,))


def test_a_refusal_and_a_release_are_both_decided_again(file: bytes) -> None:
    (found,) = (step.found for step in verify(file).steps if step.premise == "decisions-hold")

    assert found.startswith("2 decisions")


def test_without_a_trust_anchor_it_says_what_to_compare(world: World, file: bytes) -> None:
    (found,) = (step.found for step in verify(file).steps if step.premise == "trust-anchor")

    assert found.endswith(f"compare {world.digest} with the agreement you signed: {in_words(world.digest)}")


def test_the_agreement_may_be_named_by_its_words(world: World, file: bytes) -> None:
    assert verify(file, trust=in_words(world.digest)).holds
    assert not verify(file, trust=in_words(Digest("sha256:" + 64 * "0"))).holds


def test_another_trusted_agreement_breaks_it(file: bytes) -> None:
    assert broken(file, trust=Digest("sha256:" + 64 * "0")) == "trust-anchor"


def test_it_holds_no_sealed_share_and_no_payload(file: bytes) -> None:
    assert b"age-encryption.org" not in file
    assert b"age-encryption.org" not in b"".join(_payloads(cast("JsonValue", json.loads(file))))


def test_a_claim_in_any_state_can_be_exported(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    world.say(Hold, KIM, READY, reason="a court asks for it")

    report = verify(exported(world))

    assert (report.holds, report.state, report.released) == (True, "VALIDATING", ())


def test_every_version_of_the_agreement_is_in_it_and_each_names_the_last(tmp_path: Path) -> None:
    world = ready_world(tmp_path, versions=3)
    file = exported(world)

    assert verify(file, trust=world.digest).holds
    assert broken(resealed(file, without("agreement", last=False))) == "agreement-chain"


def test_a_later_deposit_is_not_in_it(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    later = world.deposit(CONTENTS, live)

    file = exported(world)

    assert verify(file).holds
    assert later.encode() not in b"".join(_payloads(cast("JsonValue", json.loads(file))))


IN_FORCE = "version-in-force"


def register_newer(world: World, at: datetime = MONDAY, **changes: object) -> World:
    newer = replace(world, agreement=agreement(version=2, supersedes=world.digest, **changes))
    newer.register(at)
    return newer


def test_a_newer_version_that_was_not_in_force_yet_is_in_it_and_breaks_nothing(tmp_path: Path) -> None:
    world = prepared_world(tmp_path)
    newer = register_newer(world, effective_from=FILED + timedelta(seconds=1))

    report = verify(exported(accepted(world)), trust=world.digest)

    assert report.holds
    (found,) = (step.found for step in report.steps if step.premise == IN_FORCE)
    assert "newer in the file: 1" in found
    assert newer.digest != world.digest == report.agreement_digest


def test_a_claim_under_a_version_that_was_superseded_at_filing_is_refused(tmp_path: Path) -> None:
    world = prepared_world(tmp_path)
    register_newer(world, effective_from=FILED)

    assert broken(exported(accepted(world))) == IN_FORCE


def test_a_claim_under_a_version_that_was_not_in_force_yet_is_refused(tmp_path: Path) -> None:
    world = register_newer(prepared_world(tmp_path), effective_from=FILED + timedelta(seconds=1))

    assert broken(exported(accepted(world))) == IN_FORCE


def test_a_version_without_a_party_of_the_one_before_it_is_no_version(tmp_path: Path) -> None:
    world = prepared_world(tmp_path)
    own = signing_key("not the depositor's")
    persons = tuple(
        replace(one, signing_key=own.public_key) if one.id == DORA else one
        for one in world.agreement.persons
        if one.id != DIRK
    )
    body = encode_object(agreement(version=2, supersedes=world.digest, persons=persons))
    keys = [own, *(PEOPLE[person].signing_key for person in SIGNERS if person != DORA)]
    with transaction(world.database) as session:
        agreements.register(session, sign("agreement", body, keys), MONDAY)

    assert broken(exported(accepted(world))) == "agreement-chain"


def test_a_version_that_a_revoked_key_signed_is_no_version(tmp_path: Path) -> None:
    world = prepared_world(tmp_path)
    gone = PEOPLE[TOM].signing_key
    body = world.body(KeyRevocation, TOM, MONDAY, key=gone.public_key, reason="stolen")
    world.slip_in(world.signed(body, gone), MONDAY)
    register_newer(world, effective_from=FILED + timedelta(seconds=1))

    assert broken(exported(accepted(world))) == "agreement-chain"


def test_a_version_that_was_registered_after_the_filing_supersedes_nothing(tmp_path: Path) -> None:
    world = accepted(prepared_world(tmp_path))
    newer = register_newer(world, READY, effective_from=MONDAY)
    gone = PEOPLE[DIRK].signing_key
    body = newer.body(KeyRevocation, DIRK, READY, key=gone.public_key, reason="lost")
    newer.slip_in(newer.signed(body, gone), READY)  # so that the newer version is in the file

    report = verify(exported(world))

    assert report.holds
    assert any(step.found.endswith("2 versions of the agreement") for step in report.steps)
    assert world.case().claim.revoked_at(gone.public_key) == READY


def test_a_revocation_by_a_later_versions_quorum_is_found_offline_as_it_was_counted(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    powers = replace(world.agreement.authorities, revocation=quorum(DORA))
    newer = register_newer(world, READY, authorities=powers)
    body = newer.body(KeyRevocation, DORA, READY, key=PEOPLE[TOM].signing_key.public_key, reason="stolen")
    newer.slip_in(newer.signed(body, PEOPLE[DORA].signing_key), READY)

    assert world.decide().outcome == "refused"
    assert verify(exported(world)).holds
    assert world.case().claim.revoked_at(PEOPLE[TOM].signing_key.public_key) == READY


def _payloads(value: JsonValue) -> list[bytes]:
    """The decoded body of every statement in a document."""
    if isinstance(value, Mapping):
        payload = value.get("payload")
        own = [base64.b64decode(payload)] if isinstance(payload, str) else []
        return own + [found for item in value.values() for found in _payloads(item)]
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [found for item in value for found in _payloads(item)]


# ------------------------------------------------------------------------------- no altered byte passes


def test_no_flipped_bit_anywhere_passes(file: bytes) -> None:
    seal = file.index(b'"evidence":')
    structural = [place for place, byte in enumerate(file) if byte in b'{}[],:"']
    places = {*range(0, len(file), 331), *range(seal, len(file), 11), *structural[::61], len(file) - 1}
    for place in sorted(places):
        bit = 1 << place % 8
        altered = file[:place] + bytes([file[place] ^ bit]) + file[place + 1 :]
        assert broken(altered) in {"canonical-form", SEALED}, (place, bit)


SPELLINGS: Final[list[Callable[[bytes], bytes]]] = [
    lambda data: data[:-1],
    lambda data: data + b"\n",
    lambda data: b" " + data,
    lambda data: data.replace(b'{"case":', b'{ "case":', 1),
    lambda data: data.replace(b'"schema"', b'"sch\\u0065ma"', 1),
    lambda data: data.replace(b'"case":', b'"case":1,"case":', 1),
    lambda data: b"",
    lambda data: b"{}",
    lambda data: b"[" * 100_000,
]


@pytest.mark.parametrize("spoil", SPELLINGS)
def test_no_other_spelling_of_the_same_document_passes(file: bytes, spoil: Callable[[bytes], bytes]) -> None:
    assert broken(spoil(file)) == "canonical-form"


def test_the_hint_beside_the_sealing_signature_is_covered_too(file: bytes) -> None:
    document = json.loads(file)
    del document["evidence"]["signatures"][0]["keyid"]

    assert broken(canonical_bytes(document)) == SEALED


def test_a_second_signature_on_the_seal_is_refused(file: bytes) -> None:
    document = json.loads(file)
    (signature,) = document["evidence"]["signatures"]
    document["evidence"]["signatures"].append({"sig": signature["sig"]})

    assert broken(canonical_bytes(document)) == SEALED


def test_a_file_sealed_by_another_key_is_refused(file: bytes) -> None:
    assert broken(resealed(file, lambda case: case, key=signing_key("stranger"))) == SEALED


def test_a_seal_from_another_file_is_refused(world: World, file: bytes) -> None:
    other = json.loads(exported(world))
    document = json.loads(file)
    document["evidence"] = other["evidence"]
    document["case"]["entries"].pop()

    assert broken(canonical_bytes(document)) == SEALED


# ------------------------------------------------- not even the holder of the log key can make these pass


def resealed(
    file: bytes, change: Callable[[ExportedCase], ExportedCase], *, key: SigningKey = LOG_KEY
) -> bytes:
    """The file with its case changed, sealed again: what a thief of the log key could make."""
    read = read_evidence_file(file)
    case = change(read.exported)
    seal = decode(EvidenceSeal, body_of(read.seal))
    return evidence_bytes(case, replace(seal, content=content_of(case), entries=len(case.entries)), key)


def without(kind: str, *, last: bool = True) -> Callable[[ExportedCase], ExportedCase]:
    def change(case: ExportedCase) -> ExportedCase:
        places = [place for place, entry in enumerate(case.entries) if kind_of(entry.envelope) == kind]
        gone = places[-1 if last else 0]
        return replace(case, entries=tuple(e for place, e in enumerate(case.entries) if place != gone))

    return change


def test_sealing_the_same_case_again_changes_nothing(file: bytes) -> None:
    assert verify(resealed(file, lambda case: case)).holds


@pytest.mark.parametrize(
    ("kind", "premise"),
    [
        ("agreement", SEALED),
        ("deposit", "deposit-pinned"),
        ("custody", "custody-known"),
        ("claim", "version-in-force"),
        ("intake", "record-folds"),
        ("notice-acknowledgement", "record-folds"),
        ("approval", "record-folds"),
    ],
)
def test_an_entry_left_out_is_missed(file: bytes, kind: str, premise: str) -> None:
    assert broken(resealed(file, without(kind))) == premise


def test_a_deposit_that_nobody_found_whole_is_refused(file: bytes) -> None:
    assert broken(resealed(file, without("event", last=False))) == "deposit-pinned"


def test_a_file_with_another_deposit_beside_the_pinned_one_is_refused(tmp_path: Path) -> None:
    world = world_of_deposits(tmp_path, before=1, after=0)
    case = read_evidence_file(exported(world)).exported
    with transaction(world.database) as session:
        (first, *_) = ledger.entries(session, world.agreement.id, kinds=["deposit"])
        leaves = [entry.leaf() for entry in ledger.entries(session, world.agreement.id)]
    other = FiledEntry(
        index=first.index,
        accepted_at=first.accepted_at,
        salt=first.salt,
        envelope=first.statement(),
        proof=inclusion_proof(leaves, first.index),
    )
    entries = tuple(sorted([*case.entries, other], key=lambda entry: entry.index))
    assert broken(resealed(exported(world), lambda case: replace(case, entries=entries))) == "deposit-pinned"


def test_a_claims_evidence_grows_by_nothing_that_others_deposit(tmp_path: Path) -> None:
    alone = world_of_deposits(tmp_path / "alone", before=0, after=0)
    among = world_of_deposits(tmp_path / "among", before=3, after=3)
    sizes = [len(read_evidence_file(exported(world)).exported.entries) for world in (alone, among)]
    assert sizes[0] == sizes[1]
    report = verify(exported(among))
    assert report.holds
    kinds = [kind_of(entry.envelope) for entry in read_evidence_file(exported(among)).exported.entries]
    assert kinds.count("deposit") == 1


def world_of_deposits(folder: Path, *, before: int, after: int) -> World:
    """An accepted claim on a deposit, with others before and after it."""
    world = prepared_world(folder)
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    for _ in range(before):
        world.deposit(CONTENTS, live)
    world = accepted(world)
    for _ in range(after):
        world.deposit(CONTENTS, live)
    return world


def test_a_root_key_that_did_not_sign_the_agreement_is_no_root(file: bytes) -> None:
    def change(case: ExportedCase) -> ExportedCase:
        return replace(
            case, deployment=replace(case.deployment, root_keys=(signing_key("stranger").public_key,))
        )

    assert broken(resealed(file, change)) == "agreement-chain"


def test_a_checkpoint_by_another_key_is_refused(file: bytes) -> None:
    def change(case: ExportedCase) -> ExportedCase:
        return replace(case, checkpoint=case.checkpoint.replace(b"/nordwind", b"/westwind"))

    assert broken(resealed(file, change)) == "checkpoint-signed"


def test_a_proof_of_another_place_is_refused(file: bytes) -> None:
    def change(case: ExportedCase) -> ExportedCase:
        first, second, *rest = case.entries
        return replace(case, entries=(replace(first, proof=second.proof), second, *rest))

    assert broken(resealed(file, change)) == "entries-included"


def test_an_entry_accepted_at_another_time_is_refused(file: bytes) -> None:
    def change(case: ExportedCase) -> ExportedCase:
        *rest, last = case.entries
        return replace(case, entries=(*rest, replace(last, accepted_at=last.accepted_at.replace(year=2027))))

    assert broken(resealed(file, change)) == "entries-included"


def test_a_forged_signature_in_the_log_is_refused(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    body = world.body(Hold, KIM, READY, claim=world.claim, reason="forged")
    file = exported(world)
    world.slip_in(world.signed(body, signing_key("stranger")), READY)

    assert verify(file).holds
    assert broken(forged_export(world, file)) == "statements-signed"


def test_a_decision_that_the_record_does_not_call_for_is_refused(tmp_path: Path) -> None:
    world = ready_world(tmp_path / "asked")
    other = world.copied_to(tmp_path / "lied to")
    world.decide(world.gate(halted=True))
    (decision,) = (body for _, body in world.case().claim.entries_of(DecisionStatement))
    premises = tuple(replace(v, holds=v.premise != "quorum-reached") for v in decision.premises)
    lie = replace(decision, premises=premises)
    other.slip_in(sign("decision", write_body(lie), [DECISION_KEY]), READY)

    assert broken(exported(other)) == "decisions-hold"


def forged_export(world: World, before: bytes) -> bytes:
    """An export of a log that a thief of the log key has written into."""
    note = world.sign_checkpoint()
    with reading(world.database) as session:
        found = ledger.entries(session, world.agreement.id)
    leaves = [entry.leaf() for entry in found]
    entries = tuple(
        FiledEntry(
            index=entry.index,
            accepted_at=entry.accepted_at,
            salt=entry.salt,
            envelope=entry.statement(),
            proof=inclusion_proof(leaves, entry.index),
        )
        for entry in found
    )
    return resealed(before, lambda case: replace(case, checkpoint=note, entries=entries))


# --------------------------------------------------------------------------------------- the command


def test_the_command_prints_each_premise_and_ends_well(world: World, file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(file)

    done = CliRunner().invoke(command.app, ["verify", str(path), "--trust", world.digest])

    assert done.exit_code == 0
    assert all(premise in done.stdout for premise in PREMISES)
    assert "every check passed" in done.stdout


def test_the_command_ends_with_four_if_nothing_ties_the_file_to_an_agreement(
    file: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(file)

    done = CliRunner().invoke(command.app, ["verify", str(path), "--json"])

    report = json.loads(done.stdout)
    assert (done.exit_code, report["holds"], report["anchored"]) == (4, True, False)


def test_the_command_ends_with_one_at_the_first_broken_premise(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(file.replace(b"sha256:", b"sha255:", 1))

    done = CliRunner().invoke(command.app, ["verify", str(path), "--json"])

    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert report["holds"] is False
    assert [step["premise"] for step in report["steps"] if not step["holds"]] == ["canonical-form"]


def test_an_evidence_statement_passes_for_nothing_else(world: World, file: bytes) -> None:
    seal = read_evidence_file(file).seal
    before = json.loads(file)
    before["case"]["entries"][-1]["envelope"] = envelope_json(seal)

    assert broken(canonical_bytes(before)) == SEALED
