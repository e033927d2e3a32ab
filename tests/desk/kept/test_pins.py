"""The trust file is its owner's alone, read strictly, and changed by one command at a time."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallystick.desk.kept.pins import PinnedLog, TrustFileExposedError, changing_pins, read_pins
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, Digest

AGREEMENT = AgreementId("nordwind-halden")
DIGEST = Digest("sha256:" + 64 * "a")
LOG = PinnedLog(size=7, edge=3 * (64 * "b",), note="a note\n", verified_at=datetime(2026, 11, 24, tzinfo=UTC))
WRITTEN = {"edge": list(LOG.edge), "note": LOG.note, "size": 7, "verified_at": "2026-11-24T00:00:00Z"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with changing_pins(tmp_path / "ana.key.trust") as pins:
        pins.pin_agreement(AGREEMENT, DIGEST)
        pins.pin_log(AGREEMENT, LOG)
    return tmp_path / "ana.key.trust"


def test_what_was_pinned_is_read_again(file: Path) -> None:
    assert read_pins(file).agreements == {AGREEMENT: DIGEST}
    assert read_pins(file).logs == {AGREEMENT: LOG}
    assert file.stat().st_mode & 0o777 == 0o600


def test_nothing_is_pinned_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_pins(tmp_path / "none").agreements == {}


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_change_is_refused(mode: int, file: Path) -> None:
    file.chmod(mode)
    with pytest.raises(TrustFileExposedError) as refused:
        read_pins(file)
    assert refused.value.facts["mode"] == f"{mode:04o}"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to give a file away")
def test_a_file_of_another_user_is_refused(file: Path) -> None:
    os.chown(file, 65534, 65534)
    with pytest.raises(TrustFileExposedError, match="another user owns"):
        read_pins(file)


def test_a_place_in_which_anybody_could_put_another_file_is_refused(file: Path) -> None:
    file.parent.chmod(0o777)
    for there in (file, file.with_name("absent")):
        with pytest.raises(TrustFileExposedError, match="everybody may write"):
            read_pins(there)
    file.parent.chmod(0o1777)
    assert read_pins(file).agreements == {AGREEMENT: DIGEST}


@pytest.mark.parametrize("target", ["diary", "absent"])
def test_a_link_in_the_place_of_the_lock_is_refused_and_overwrites_nothing(
    target: str, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "diary").write_text("dear diary")
    (tmp_path / f".{file.name}.lock").unlink(missing_ok=True)
    (tmp_path / f".{file.name}.lock").symlink_to(target)
    with pytest.raises(TrustFileExposedError), changing_pins(file):
        pass
    assert (tmp_path / "diary").read_text() == "dear diary"
    assert not (tmp_path / "absent").exists()


def test_a_pipe_is_no_trust_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "trust")
    with pytest.raises(TrustFileExposedError):
        read_pins(tmp_path / "trust")


def test_a_link_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(TrustFileExposedError):
        read_pins(tmp_path / "link")


@pytest.mark.parametrize(
    "changed",
    [
        {"format": "tallystick.trust/v2"},
        {"more": {}},
        {"agreements": []},
        {"agreements": {"A b": DIGEST}},
        {"agreements": {AGREEMENT: "sha256:short"}},
        {"agreements": {AGREEMENT: 7}},
        {"checkpoints": "none"},
        {"checkpoints": {AGREEMENT: {"size": 7}}},
        {"checkpoints": {AGREEMENT: {**WRITTEN, "size": "7"}}},
        {"checkpoints": {AGREEMENT: {**WRITTEN, "size": True}}},
        {"checkpoints": {AGREEMENT: {**WRITTEN, "size": -1}}},
        {"checkpoints": {AGREEMENT: {**WRITTEN, "size": 8}}},
        {"checkpoints": {AGREEMENT: {**WRITTEN, "edge": 3 * ["short"]}}},
        {"checkpoints": {AGREEMENT: {**WRITTEN, "edge": 3 * ["bb"]}}},
        {"checkpoints": {AGREEMENT: {**WRITTEN, "verified_at": "then"}}},
    ],
)
def test_a_file_of_another_form_is_refused_and_not_taken_for_an_empty_one(
    changed: dict[str, object], file: Path
) -> None:
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **changed}))
    with pytest.raises(MalformedError):
        read_pins(file)


def test_two_commands_at_once_lose_no_pin(file: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tallystick.desk.kept.pins import changing_pins\n"
        "with changing_pins(Path(sys.argv[1])) as pins:\n"
        "    pins.pin_agreement('other', 'sha256:' + 64 * 'c')\n"
    )
    with changing_pins(file) as pins:
        other = subprocess.Popen([sys.executable, "-c", script, str(file)])
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(3)
        pins.pin_agreement(AgreementId("third"), DIGEST)
    assert other.wait(30) == 0
    assert set(read_pins(file).agreements) == {AGREEMENT, "other", "third"}
