"""Key files, trust files and claim forms on a person's machine. The twin: each is written again."""

import json
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tallystick.crypto.age import identity_from_seed
from tallystick.crypto.keyfile import PrivateKeys, SealingCost, read_key_file, write_key_file
from tallystick.crypto.keys import SigningKey
from tallystick.desk.claim_form import ClaimForm, read_claim_form
from tallystick.desk.files import FileUnusableError
from tallystick.desk.kept.pins import PinnedLog, changing_pins, read_pins
from tallystick.domain.codec import decode, encode
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import AgreementId, PersonId, sha256_digest
from tests.fuzz.target import Target

_KEYS: Final = PrivateKeys(
    person=PersonId("tom@marlowe"),
    signing_key=SigningKey(bytes(range(32))),
    age_identity=identity_from_seed(bytes(range(32))).secret_text(),
)
_LOG: Final = PinnedLog(
    size=7, edge=3 * (64 * "b",), note="a note\n", verified_at=datetime(2026, 11, 24, tzinfo=UTC)
)
_CHEAP: Final = SealingCost(operations=1, memory_bytes=8192)


@contextmanager
def _file(data: bytes) -> Generator[Path]:
    fast = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=fast) as folder:
        file = Path(folder) / "file"
        file.write_bytes(data)
        file.chmod(0o600)
        yield file


def judge_key_file(data: bytes) -> bool:
    """Keys that are read are written again as the same document."""
    with _file(data) as file:
        try:
            keys = read_key_file(file)
        except TallystickError:
            return False
        again = file.with_name("again")
        write_key_file(again, keys)
        assert json.loads(data) == json.loads(again.read_bytes())
        return True


def judge_trust_file(data: bytes) -> bool:
    """Pins that are read are kept when another is added, and are those of the document."""
    with _file(data) as file:
        try:
            with changing_pins(file) as kept:
                pins = kept.pins
                kept.pin_log(AgreementId("another"), _LOG)
        except MalformedError:
            return False
        document = json.loads(data)
        assert (dict(pins.agreements), set(pins.logs)) == (document["agreements"], {*document["checkpoints"]})
        assert read_pins(file).logs == {**pins.logs, "another": _LOG}
        return True


def judge_claim_form(data: bytes) -> bool:
    """A claim that is read from a person's form reads the same when it is written again."""
    with _file(data) as file:
        try:
            form = read_claim_form(file).form
        except (MalformedError, FileUnusableError):  # the second: larger than a form may be
            return False
        assert decode(ClaimForm, encode(form)) == form
        return True


def _key_files() -> Iterable[bytes]:
    for passphrase in (None, "drei Worte mehr"):
        with _file(b"") as file:
            made = file.with_name("made")
            write_key_file(made, _KEYS, passphrase=passphrase, cost=_CHEAP)
            yield made.read_bytes()


def _trust_files() -> Iterable[bytes]:
    with _file(b"") as file:
        file.unlink()
        with changing_pins(file) as kept:
            kept.pin_agreement(AgreementId("nordwind-halden"), sha256_digest(b"an agreement"))
            kept.pin_log(AgreementId("nordwind-halden"), _LOG)
        yield file.read_bytes()


def _claim_forms() -> Iterable[bytes]:
    yield (Path(__file__).parents[3] / "deploy" / "demo" / "claim.yaml").read_bytes()


TARGETS: Final = (
    Target(name="key-file", judge=judge_key_file, seeds=_key_files),
    Target(name="trust-file", judge=judge_trust_file, seeds=_trust_files),
    Target(name="claim-form", judge=judge_claim_form, seeds=_claim_forms),
)
