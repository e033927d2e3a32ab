"""Agreements as people write them: the strict subset of YAML, files named beside it, errors with lines."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import yaml

from tallystick.crypto.enrolment import enrol, public_file_bytes
from tallystick.crypto.envelope import envelope_bytes, envelope_json, parse_envelope, sign
from tallystick.crypto.json.canonical import parse_canonical
from tallystick.desk.agreement_file import (
    AgreementFileMistakeError,
    AgreementFileUnreadableError,
    canonical_agreement,
    read_agreement_file,
)
from tallystick.desk.strict_yaml import StrictYamlError, read_yaml
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import Deployment, Publication, write_deployment
from tallystick.domain.agreement.windows import NoticeRule
from tallystick.domain.codec import decode, decode_with_defaults, encode, encode_object
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, DeploymentId, StageId
from tallystick.domain.json import JsonValue
from tallystick.domain.kinds import Kind
from tallystick.domain.soundness.check import examine
from tallystick.domain.soundness.registering import check_registration, check_soundness
from tallystick.limits.agreements import CONDITION_DEPTH_MAX, QUORUM_DEPTH_MAX
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX, JSON_NODES_MAX
from tallystick.proof.reading import read_agreement
from tests.support.worlds.agreements import (
    AGREEMENT,
    ANA,
    DECISION_KEY,
    GATE_IDENTITY,
    KIM,
    LETTER_KEY,
    LOG_KEY,
    PEOPLE,
    TOM,
    Actor,
)

DEMO = Path(__file__).parents[2] / "deploy" / "demo"


def written(folder: Path, document: Mapping[str, object], name: str = "agreement.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return path


def write_public_file(folder: Path, actor: Actor, name: str | None = None) -> None:
    enrolment = enrol(
        actor.id,
        actor.signing_key,
        age_recipient=actor.person.age_recipient,
        issued_at=datetime(2026, 10, 1, tzinfo=UTC),
    )
    (folder / (name or f"{actor.id}.pub")).write_bytes(public_file_bytes(enrolment))


def deployment_file(**changes: object) -> bytes:
    members = {
        "deployment": "test",
        "log_key": LOG_KEY.public_key,
        "decision_key": DECISION_KEY.public_key,
        "gate_recipient": str(GATE_IDENTITY.recipient()),
        "root_keys": [PEOPLE[ANA].signing_key.public_key],
    }
    kept = {member: value for member, value in {**members, **changes}.items() if value is not None}
    return json.dumps(kept).encode()


def by_hand() -> dict[str, object]:
    """The sound agreement as people would write it, with files for keys."""
    document: dict[str, object] = dict(encode_object(AGREEMENT))
    document["persons"] = [{"pub": f"keys/{actor.id}.pub", "name": actor.name} for actor in PEOPLE.values()]
    document["engine"] = {"file": "deployment.json"}
    del document["deployment"], document["excludes_claimant_party"]
    return document


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    for actor in PEOPLE.values():
        write_public_file(tmp_path / "keys", actor)
    (tmp_path / "deployment.json").write_bytes(deployment_file())
    return tmp_path


def test_yaml_with_every_member_is_read_as_written(tmp_path: Path) -> None:
    assert read_agreement_file(written(tmp_path, encode_object(AGREEMENT))) == AGREEMENT


def test_json_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "agreement.json"
    path.write_bytes(canonical_agreement(AGREEMENT))
    assert read_agreement_file(path) == AGREEMENT


def test_files_and_defaults_are_filled_in(folder: Path) -> None:
    assert read_agreement_file(written(folder, by_hand())) == AGREEMENT


def test_canonical_bytes_have_their_defaults_and_one_form(folder: Path) -> None:
    data = canonical_agreement(read_agreement_file(written(folder, by_hand())))
    assert b'"excludes_claimant_party":true' in data
    assert decode(Agreement, parse_canonical(data, size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)) == AGREEMENT


def nested(levels: int, word: str, core: JsonValue) -> JsonValue:
    """The tree `core`, which has one level itself, in so many levels."""
    value = core
    for _ in range(levels - 1):
        value = {word: [value]}
    return value


@pytest.mark.parametrize("pointer", ["/stages/0/quorum", "/authorities/revocation"])
def test_deepest_quorum_is_written_signed_and_registered(tmp_path: Path, pointer: str) -> None:
    document = encode_object(AGREEMENT)
    pair: JsonValue = {"k": 2, "of": [ANA, KIM, TOM]}
    put(document, "/conditions/1/when", nested(CONDITION_DEPTH_MAX, "all_of", {"any_of": ["outage-record"]}))
    put(document, pointer, nested(QUORUM_DEPTH_MAX, "all", pair))

    agreement = read_agreement_file(written(tmp_path, document))
    body = parse_canonical(canonical_agreement(agreement), size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
    assert isinstance(body, Mapping)
    envelope = sign(Kind.AGREEMENT, body, [actor.signing_key for actor in PEOPLE.values()])
    sent = parse_envelope(envelope_bytes(envelope), body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
    signed = read_agreement(sent)
    here = Deployment(id=agreement.deployment, engine=agreement.engine, root_keys=tuple(signed.signers))
    check_registration(here, signed.agreement, signed.signers, previous=None)
    check_soundness(signed.agreement, at=signed.agreement.effective_from, previous=None)
    assert signed.agreement == agreement

    put(document, pointer, nested(QUORUM_DEPTH_MAX + 1, "all", pair))
    with pytest.raises(MalformedError, match=r"quorum|deep"):
        read_agreement_file(written(tmp_path, document))


def test_engine_is_read_from_the_file_that_a_site_publishes_with_its_letter_key(tmp_path: Path) -> None:
    published = Publication(envelope=envelope_json(LETTER_KEY.published))
    here = Deployment(id=AGREEMENT.deployment, engine=AGREEMENT.engine, letter_key=published)
    (tmp_path / "deployment.json").write_text(json.dumps(write_deployment(here)))
    document = {**encode_object(AGREEMENT), "engine": {"file": "deployment.json"}}
    assert read_agreement_file(written(tmp_path, document)) == AGREEMENT


def test_dates_hours_and_periods_stay_text(tmp_path: Path) -> None:
    changed = replace(
        AGREEMENT, notice=replace(AGREEMENT.notice, cutoff=AGREEMENT.notice.cutoff.replace(hour=12))
    )
    text = (
        json.dumps(encode(changed), indent=1)
        .replace('"12:00"', "12:00")
        .replace('"2028-12-31"', "2028-12-31")
    )
    path = tmp_path / "agreement.yaml"
    path.write_text(text)
    assert read_agreement_file(path) == changed


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: &x 1\n", 1, "anchor"),
        ("a: 1\nb: *x\n", 2, "anchor or alias"),
        ("a: !!str 1\n", 1, "tag"),
        ("a:\n  - !thing {}\n", 2, "tag"),
        ("a: 1\nb: 1.5\n", 2, "quote it"),
        ("a: .inf\n", 1, "quote it"),
        ("a: 1e5\n", 1, "quote it"),
        ("a: on\n", 1, "quote it"),
        ("a: 'x'\nb: No\n", 2, "quote it"),
        ("a: 0x10\n", 1, "quote it"),
        ("a: 0777\n", 1, "quote it"),
        ("a: 1_000\n", 1, "quote it"),
        ("a: 9007199254740992\n", 1, "quote it"),
        ("a: -0\n", 1, "quote it"),
        ("a:\nb: 1\n", 1, "quote it"),
        ("a: ~\n", 1, "quote it"),
        ("a: 1\nb: 2\na: 3\n", 3, "a key twice"),
        ('a: 1\n"\\x61": 3\n', 2, "a key twice"),
        ("a: {b: 1}\n<<: {c: 1}\n", 2, "a key that is not plain text"),
        ("1: 2\n", 1, "a key that is not plain text"),
        ("? [a]\n: 2\n", 1, "a key that is not plain text"),
        ("a: 1\nb: [\n", 3, ""),
        ("a: 1\n--- \nb: 1\n", 2, ""),
        ("a: @x\n", 1, ""),
        ("a: " + "[" * 17 + "]" * 17, 1, "too deep"),
        ("a: [" + "1," * JSON_NODES_MAX + "1]", 1, "too many values"),
    ],
)
def test_yaml_that_could_be_misread_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(StrictYamlError) as caught:
        read_yaml(text.encode(), file="a.yaml", size_bytes_max=1 << 20)
    assert caught.value.facts["line"] == line
    assert caught.value.message.startswith(f"a.yaml, line {line}: ")
    assert message in caught.value.message


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"a: \xff\n", b"a: \x00\n"])
def test_bytes_that_are_no_yaml_are_refused(data: bytes) -> None:
    with pytest.raises(StrictYamlError, match=r"^a\.yaml: "):
        read_yaml(data, file="a.yaml", size_bytes_max=1 << 20)


def test_size_is_bounded() -> None:
    with pytest.raises(StrictYamlError, match="too many bytes"):
        read_yaml(b"a: 1234", file="a.yaml", size_bytes_max=6)
    assert read_yaml(b"a: 1234", file="a.yaml", size_bytes_max=7).value == {"a": 1234}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("-12", -12),
        ("9007199254740991", 9007199254740991),
        ("'1.5'", "1.5"),
        ('"on"', "on"),
        ("2026-12-25", "2026-12-25"),
        ("2026-12-25T10:00:00Z", "2026-12-25T10:00:00Z"),
        ("17:00", "17:00"),
        ("10 business days", "10 business days"),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_plain_values_are_those_of_json(text: str, value: object) -> None:
    assert read_yaml(f"a: {text}".encode(), file="a.yaml", size_bytes_max=1000).value == {"a": value}


def test_line_of_a_part_or_of_what_holds_it() -> None:
    located = read_yaml(b"a:\n  - b: 1\n    c/d: 2\n", file="a.yaml", size_bytes_max=1000)
    assert located.line_of("/a/0/c~1d") == 3
    assert located.line_of("/a/0/missing/deeper") == 2
    assert located.line_of("") == 1


def put(document: object, pointer: str, value: object) -> None:
    """Set the member that `pointer` names."""
    *way, last = pointer.split("/")[1:]
    for step in way:
        if isinstance(document, list):
            document = cast("list[object]", document)[int(step)]
        else:
            document = cast("dict[str, object]", document)[step]
    cast("dict[str, object]", document)[last] = value


@pytest.mark.parametrize(
    ("pointer", "value", "at", "near"),
    [
        ("/title", 7, "/title", "title: 7"),
        ("/colour", "red", "", "colour: red"),
        ("/windows/objection", "soon", "/windows/objection", "objection: soon"),
        ("/stages/1/quorum", {"k": 9, "of": ["a@b"]}, "/stages/1/quorum", "quorum:"),
        ("/authorities/arbitration", "no-person", "/authorities/arbitration", "no-person"),
        ("/persons/0/pub", "keys/none.pub", "/persons/0/pub", "keys/none.pub"),
        ("/persons/0/id", "eve@harbour", "/persons/0", "id: eve@harbour"),
        ("/engine", {"file": "none.json"}, "/engine/file", "file: none.json"),
        ("/engine", {"file": 5}, "/engine/file", "file: 5"),
        ("/deployment", "elsewhere", "/deployment", "deployment: elsewhere"),
        ("/title", "Escrow \u202e2 fo 1", "/title", "title:"),
        ("/communications/channels", ["status\npage"], "/communications/channels/0", "status"),
    ],
)
def test_mistake_is_reported_with_its_pointer_and_line(
    folder: Path, pointer: str, value: object, at: str, near: str
) -> None:
    document = by_hand()
    put(document, pointer, value)
    path = written(folder, document)
    with pytest.raises(AgreementFileMistakeError) as caught:
        read_agreement_file(path)
    line = caught.value.facts["line"]
    assert caught.value.facts["at"] == at
    assert isinstance(line, int)
    assert near in path.read_text().splitlines()[line - 1]


def test_mistake_in_json_is_reported_with_its_pointer(tmp_path: Path) -> None:
    path = tmp_path / "agreement.json"
    path.write_text(json.dumps({**encode_object(AGREEMENT), "version": "one"}))
    with pytest.raises(AgreementFileMistakeError) as caught:
        read_agreement_file(path)
    assert caught.value.facts["at"] == "/version"
    assert "line" not in caught.value.facts


def test_json_with_a_member_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agreement.json"
    path.write_bytes(b'{"a":1,"a":2}')
    with pytest.raises(MalformedError, match="twice"):
        read_agreement_file(path)


def test_public_file_whose_proof_is_of_another_key_is_refused(folder: Path) -> None:
    altered = json.loads((folder / "keys" / f"{ANA}.pub").read_text())
    altered["signing_key"] = LOG_KEY.public_key
    (folder / "keys" / f"{ANA}.pub").write_text(json.dumps(altered))
    with pytest.raises(AgreementFileMistakeError) as caught:
        read_agreement_file(written(folder, by_hand()))
    assert caught.value.facts["at"] == "/persons/4/pub"


@pytest.mark.parametrize("changes", [{"log_key": None}, {"secret": "x"}, {"log_key": "rsa:1"}])
def test_deployment_file_has_exactly_its_members(folder: Path, changes: dict[str, object]) -> None:
    (folder / "deployment.json").write_bytes(deployment_file(**changes))
    with pytest.raises(AgreementFileMistakeError) as caught:
        read_agreement_file(written(folder, by_hand()))
    assert str(caught.value.facts["at"]).startswith("/engine")


def test_unreadable_or_too_large_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgreementFileUnreadableError, match="cannot read"):
        read_agreement_file(tmp_path / "none.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (AGREEMENT_SIZE_BYTES_MAX + 1))
    with pytest.raises(AgreementFileUnreadableError, match="is larger than"):
        read_agreement_file(tmp_path / "large.yaml")


def test_text_instead_of_an_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agreement.yaml").write_text("just text\n")
    with pytest.raises(AgreementFileMistakeError, match="not an object"):
        read_agreement_file(tmp_path / "agreement.yaml")


@pytest.mark.parametrize("name", ["agreement.yaml", "agreement-ten-business-days.yaml"])
def test_demo_agreements_are_sound(folder: Path, name: str) -> None:
    shutil.copy(DEMO / name, folder / name)
    found = read_agreement_file(folder / name)
    assert found.deployment == DeploymentId("test")
    told = {finding.code for finding in examine(found, at=found.effective_from)}
    known = {"objection-window-short", "window-short", "notice-never-sent", "notice-refusable"}
    assert told <= known
    assert isinstance(found.notice, NoticeRule)


def test_realistic_agreement_of_the_demonstration_gets_no_finding(folder: Path) -> None:
    shutil.copy(DEMO / "agreement-ten-business-days.yaml", folder)
    found = read_agreement_file(folder / "agreement-ten-business-days.yaml")
    assert [finding.code for finding in examine(found, at=found.effective_from)] == []


@dataclass(frozen=True, kw_only=True)
class EvidenceFile:
    item: str
    file: str
    issued_at: datetime


@dataclass(frozen=True, kw_only=True)
class ClaimFile:
    agreement: AgreementId
    deposit: int
    condition: str
    stages: tuple[StageId, ...]
    declaration: str
    evidence: tuple[EvidenceFile, ...]


def test_demo_claim_names_what_the_demo_agreement_has(folder: Path) -> None:
    shutil.copy(DEMO / "agreement.yaml", folder)
    found = read_agreement_file(folder / "agreement.yaml")
    data = (DEMO / "claim.yaml").read_bytes()
    claim = decode_with_defaults(
        ClaimFile, read_yaml(data, file="claim.yaml", size_bytes_max=64 * 1024).value
    )
    items = frozenset(document.item for document in claim.evidence)
    assert claim.agreement == found.id
    assert claim.stages == tuple(stage.id for stage in found.stages)
    assert found.condition(claim.condition).when.met_by(items)
    assert items <= {item.id for item in found.evidence}
    assert all((DEMO / document.file).is_file() for document in claim.evidence)


def test_demo_has_a_folder_for_each_component(folder: Path) -> None:
    shutil.copy(DEMO / "agreement.yaml", folder)
    for component in read_agreement_file(folder / "agreement.yaml").components:
        for entry in component.required_entries:
            assert (DEMO / "deposit" / component.id / entry).is_file()
        assert any((DEMO / "deposit" / component.id).iterdir())


def test_a_misspelt_member_is_named_with_its_line_and_what_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "agreement.yaml"
    file.write_text("titel: Escrow\n", encoding="utf-8")
    with pytest.raises(AgreementFileMistakeError) as refused:
        read_agreement_file(file)
    assert refused.value.message == "agreement.yaml, line 1: unknown member `titel`; did you mean `title`?"
