"""The form of the evidence file, member by member, and what its seal must say."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from tallystick.crypto.envelope import Envelope, body_of, envelope_json, kind_of, sign, statement_id
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.domain.codec import decode, encode_object
from tallystick.domain.ids import DeploymentId, Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_ROOT_KEYS_MAX, PROOF_HASHES_MAX
from tallystick.proof.evidence.file import (
    ExportedCase,
    MalformedEvidenceError,
    content_of,
    evidence_bytes,
    read_evidence_file,
)
from tallystick.proof.evidence.verify import verify
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tests.support.worlds.agreements import LOG_KEY, signing_key
from tests.support.worlds.gate_worlds import READY, ROOT_KEYS
from tests.support.worlds.prepared_worlds import accepted, prepared_world

NO_DIGEST: Final = Digest("sha256:" + 64 * "0")
HASH: Final = 43 * "A" + "="


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    world = accepted(prepared_world(tmp_path_factory.mktemp("accepted")))
    with transaction(world.database) as session:
        return export(session, world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=READY)


def test_a_file_that_was_exported_is_read_and_written_again_byte_for_byte(file: bytes) -> None:
    read = read_evidence_file(file)
    assert read.content == content_of(read.exported)
    assert evidence_bytes(read.exported, decode(EvidenceSeal, body_of(read.seal)), LOG_KEY) == file


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"schema": "tallystick.evidence/v2"}, "/case/schema"),
        ({"entries": "none"}, "/case/entries"),
        ({"entries": {"0": {}}}, "/case/entries"),
        ({"entries": [None] * (EVIDENCE_ENTRIES_MAX + 1)}, "/case/entries"),
    ],
)
def test_a_member_of_the_case_in_another_form_is_refused_at_its_place(
    file: bytes, changed: JsonObject, at: str
) -> None:
    document = json.loads(file)
    document["case"].update(changed)
    assert refused(document).facts["at"] == at


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"index": -1}, "/index"),
        ({"index": True}, "/index"),
        ({"index": "0"}, "/index"),
        ({"salt": "AAAA"}, "/salt"),
        ({"proof": HASH}, "/proof"),
        ({"proof": [HASH] * (PROOF_HASHES_MAX + 1)}, "/proof"),
        ({"proof": [7]}, "/proof"),
        ({"seen": {"proof": [HASH] * (PROOF_HASHES_MAX + 1), "root": HASH}}, "/seen/proof"),
        ({"seen": {"proof": [], "root": 7}}, "/seen/root"),
    ],
)
def test_a_member_of_an_entry_in_another_form_is_refused_at_its_place(
    file: bytes, changed: JsonObject, at: str
) -> None:
    document = json.loads(file)
    document["case"]["entries"][0].update(changed)
    assert refused(document).facts["at"] == f"/case/entries/0{at}"


def refused(document: JsonObject) -> MalformedEvidenceError:
    with pytest.raises(MalformedEvidenceError) as refusal:
        read_evidence_file(canonical_bytes(document))
    return refusal.value


def test_a_file_with_more_root_keys_than_allowed_is_refused(file: bytes) -> None:
    document = json.loads(file)
    document["case"]["deployment"]["root_keys"] = [
        signing_key(f"root {number}").public_key for number in range(EVIDENCE_ROOT_KEYS_MAX + 1)
    ]
    assert refused(document).message == "the evidence file has too many root keys"


# ------------------------------------------------- sealed by the log key, and still refused


def sealed(case: ExportedCase, seal: EvidenceSeal, kind: str = Kind.EVIDENCE) -> bytes:
    """The case with this seal, as a thief of the log key could sign it."""
    whole = replace(seal, content=content_of(case))
    document = json.loads(evidence_bytes(case, whole, LOG_KEY))
    return canonical_bytes({**document, "evidence": envelope_json(resigned(whole, kind))})


def resigned(seal: EvidenceSeal, kind: str) -> Envelope:
    return sign(kind, encode_object(seal), [LOG_KEY])


def opened(file: bytes) -> tuple[ExportedCase, EvidenceSeal]:
    read = read_evidence_file(file)
    return read.exported, decode(EvidenceSeal, body_of(read.seal))


def broken(data: bytes) -> tuple[str, str]:
    check = verify(data).broken
    assert check is not None
    return check.premise, check.found


def test_sealing_it_again_breaks_nothing(file: bytes) -> None:
    assert verify(sealed(*opened(file))).holds


def test_another_statement_of_the_log_key_is_no_seal(file: bytes) -> None:
    premise, told = broken(sealed(*opened(file), kind="event"))
    assert premise == "evidence-signed"
    assert "not an evidence statement" in told


@pytest.mark.parametrize(
    "changes",
    [
        {"claim": NO_DIGEST},
        {"agreement_digest": NO_DIGEST},
        {"deployment": DeploymentId("other")},
        {"entries": 1},
    ],
)
def test_a_seal_that_is_about_something_else_is_refused(file: bytes, changes: dict[str, Any]) -> None:
    case, seal = opened(file)
    premise, told = broken(sealed(case, replace(seal, **changes)))
    assert premise == "evidence-signed"
    assert "sealed for another claim, agreement or deployment" in told


def test_a_deployment_with_other_keys_than_the_agreement_pins_is_refused(file: bytes) -> None:
    case, seal = opened(file)
    engine = replace(case.deployment.engine, decision_key=signing_key("stranger").public_key)
    premise, told = broken(sealed(replace(case, deployment=replace(case.deployment, engine=engine)), seal))
    assert premise == "evidence-signed"
    assert "keys are not those of the agreement" in told


def test_entries_in_another_order_than_the_log_has_are_refused(file: bytes) -> None:
    case, seal = opened(file)
    premise, told = broken(sealed(replace(case, entries=tuple(reversed(case.entries))), seal))
    assert premise == "entries-included"
    assert "in the order of the log" in told


def test_a_statement_that_is_not_a_claim_does_not_pass_for_one(file: bytes) -> None:
    case, seal = opened(file)
    (intake,) = (statement_id(e.envelope) for e in case.entries if kind_of(e.envelope) == Kind.INTAKE)
    premise, told = broken(sealed(replace(case, claim=intake), replace(seal, claim=intake)))
    assert premise == "deposit-pinned"
    assert "named as the claim is not one" in told
