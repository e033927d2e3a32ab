"""Key files: private to their owner, never overwritten, and public files prove possession."""

import json
import os
import resource
import signal
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tallystick.crypto.enrolment import (
    Enrolment,
    MalformedKeyFileError,
    ProofOfPossessionError,
    enrol,
    public_file_bytes,
    read_public_file,
    verified_enrolment,
)
from tallystick.crypto.envelope import (
    SignatureInvalidError,
    body_of,
    cosign,
    envelope_json,
    sign,
    verified_signers,
)
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import UnexpectedShapeError
from tallystick.crypto.keyfile import (
    MODERATE,
    KeyFileExistsError,
    KeyFileExposedError,
    KeyFileUnreadableError,
    PassphraseNeededError,
    PassphraseWrongError,
    PrivateKeys,
    SealingCost,
    read_key_file,
    write_key_file,
)
from tallystick.crypto.keys import InvalidPointError, SigningKey
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import PersonId
from tallystick.domain.json import JsonValue
from tallystick.limits.sealing import ARGON2_MEMORY_BYTES_MAX, ARGON2_OPERATIONS_MAX, KEY_FILE_SIZE_BYTES_MAX

ANA = PersonId("ana@harbour")
KEY, OTHER = SigningKey(b"\x07" * 32), SigningKey(b"\x08" * 32)
IDENTITY = "AGE-SECRET-KEY-PQ-1CANARY"
PRIVATE = PrivateKeys(person=ANA, signing_key=KEY, age_identity=IDENTITY)
CHEAP = SealingCost(operations=1, memory_bytes=8192)
AT = datetime(2026, 11, 24, 10, 3, 11, 999, tzinfo=UTC)
ENROLMENT = enrol(ANA, KEY, age_recipient="age1pq1recipient", issued_at=AT)


def _same(read: PrivateKeys) -> bool:
    seed = read.signing_key.secret_seed()
    return (read.person, seed, read.age_identity) == (ANA, KEY.secret_seed(), IDENTITY)


def _json(path: Path) -> dict[str, JsonValue]:
    value = parse(path.read_bytes())
    assert isinstance(value, dict)
    return value


def _rewrite(path: Path, value: JsonValue) -> None:
    path.write_bytes(canonical_bytes(value))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "ana@harbour.key"
    write_key_file(path, PRIVATE)
    return path


@pytest.fixture
def sealed_file(tmp_path: Path) -> Path:
    path = tmp_path / "sealed.key"
    write_key_file(path, PRIVATE, passphrase="tally", cost=CHEAP)
    return path


def test_key_file_reads_back(key_file: Path) -> None:
    assert _same(read_key_file(key_file))


def test_key_file_names_its_format_and_members(key_file: Path) -> None:
    members = _json(key_file)
    assert sorted(members) == ["age_identity", "ed25519_seed", "format", "person"]
    assert members["format"] == "tallystick.key/v1"


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_key_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "a.key"
    before = os.umask(umask)
    try:
        write_key_file(path, PRIVATE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_key_file_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(KeyFileExistsError):
        write_key_file(key_file, PrivateKeys(person=ANA, signing_key=OTHER, age_identity=IDENTITY))
    assert key_file.read_bytes() == before


def test_key_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    link = tmp_path / "a.key"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileExistsError):
        write_key_file(link, PRIVATE)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_key_file_that_others_may_use_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyFileExposedError) as caught:
        read_key_file(key_file)
    assert caught.value.facts["mode"] == f"{mode:04o}"


def test_key_file_may_be_read_only(key_file: Path) -> None:
    key_file.chmod(0o400)
    assert _same(read_key_file(key_file))


def test_missing_key_file_and_directory_are_our_errors(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnreadableError):
        read_key_file(tmp_path / "none.key")
    with pytest.raises(KeyFileUnreadableError):
        read_key_file(tmp_path)
    with pytest.raises(KeyFileUnreadableError):
        write_key_file(tmp_path / "no" / "where.key", PRIVATE)


def test_failed_write_is_our_error_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))
    try:
        with pytest.raises(KeyFileUnreadableError, match="cannot write"):
            write_key_file(path, PRIVATE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not path.exists()


def test_fifo_does_not_make_the_reader_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.key", 0o600)
    with pytest.raises(KeyFileUnreadableError, match="regular"):
        read_key_file(tmp_path / "fifo.key")


def test_oversized_key_file_is_refused(key_file: Path) -> None:
    key_file.write_bytes(b" " * KEY_FILE_SIZE_BYTES_MAX + b"{}")
    with pytest.raises(MalformedError):
        read_key_file(key_file)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("format", "tallystick.key/v2"),
        ("ed25519_seed", "AAAA"),
        ("ed25519_seed", "canary"),
        ("ed25519_seed", 7),
        ("person", "ana"),
        ("age_identity", ""),
        ("age_identity", "canary\nline"),
        ("age_identity", "cänary"),
        ("extra", 1),
    ],
)
def test_malformed_key_file_is_refused_without_showing_secrets(
    key_file: Path, member: str, value: JsonValue
) -> None:
    members = _json(key_file)
    _rewrite(key_file, {**members, member: value})
    with pytest.raises(MalformedError) as caught:
        read_key_file(key_file)
    shown = f"{caught.value} {caught.value.facts}"
    assert "nary" not in shown
    assert IDENTITY not in shown
    assert str(members["ed25519_seed"]) not in shown


def test_private_keys_do_not_show_themselves() -> None:
    shown = repr(PRIVATE)
    assert IDENTITY not in shown
    assert KEY.secret_seed().hex() not in shown


def test_sealed_file_opens_with_its_passphrase(sealed_file: Path) -> None:
    assert _same(read_key_file(sealed_file, passphrase="tally"))


def test_sealed_file_shows_nothing(sealed_file: Path) -> None:
    assert sorted(_json(sealed_file)) == ["format", "sealed"]
    assert b"CANARY" not in sealed_file.read_bytes()


@pytest.mark.parametrize(
    "typed", ["gr\u00fcn und wei\u00df", "gru\u0308n und wei\u00df", "gr\u00fcn\u00a0und\u2003wei\u00df"]
)
@pytest.mark.parametrize("written", ["gr\u00fcn und wei\u00df", "gru\u0308n und wei\u00df"])
def test_passphrase_opens_however_a_system_spells_its_letters(
    written: str, typed: str, tmp_path: Path
) -> None:
    write_key_file(tmp_path / "a.key", PRIVATE, passphrase=written, cost=CHEAP)
    assert _same(read_key_file(tmp_path / "a.key", passphrase=typed))


def test_sealed_file_asks_for_a_passphrase(sealed_file: Path) -> None:
    with pytest.raises(PassphraseNeededError):
        read_key_file(sealed_file)


@pytest.mark.parametrize("passphrase", ["", "Tally", "tally "])
def test_wrong_passphrase_is_refused(sealed_file: Path, passphrase: str) -> None:
    with pytest.raises(PassphraseWrongError):
        read_key_file(sealed_file, passphrase=passphrase)


def test_two_seals_of_the_same_keys_differ(tmp_path: Path) -> None:
    paths = [tmp_path / "a.key", tmp_path / "b.key"]
    for path in paths:
        write_key_file(path, PRIVATE, passphrase="tally", cost=CHEAP)
    first, second = (_json(path)["sealed"] for path in paths)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["salt"] != second["salt"]
    assert first["box"] != second["box"]


def test_default_seal_is_moderate_and_within_what_is_read(tmp_path: Path) -> None:
    write_key_file(tmp_path / "a.key", PRIVATE, passphrase="tally")
    sealed = _json(tmp_path / "a.key")["sealed"]
    assert isinstance(sealed, dict)
    assert (sealed["operations"], sealed["memory_bytes"]) == (3, 256 * 1024 * 1024)
    assert MODERATE.operations <= ARGON2_OPERATIONS_MAX
    assert MODERATE.memory_bytes <= ARGON2_MEMORY_BYTES_MAX


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("memory_bytes", 100 * 2**30),
        ("memory_bytes", ARGON2_MEMORY_BYTES_MAX + 1),
        ("memory_bytes", 0),
        ("memory_bytes", True),
        ("memory_bytes", "8192"),
        ("operations", ARGON2_OPERATIONS_MAX + 1),
        ("operations", 0),
        ("operations", True),
        ("operations", -1),
        ("kdf", "scrypt"),
        ("salt", "AAAA"),
        ("salt", "!"),
        ("box", "!"),
        ("extra", 1),
    ],
)
def test_hostile_seal_is_refused_before_any_work(sealed_file: Path, member: str, value: JsonValue) -> None:
    members = _json(sealed_file)
    sealed = members["sealed"]
    assert isinstance(sealed, dict)
    _rewrite(sealed_file, {**members, "sealed": {**sealed, member: value}})
    with pytest.raises(MalformedError):
        read_key_file(sealed_file, passphrase="tally")


@pytest.mark.parametrize("box", ["", "AAAA", "A" * 96])
def test_altered_box_is_refused(sealed_file: Path, box: str) -> None:
    members = _json(sealed_file)
    sealed = members["sealed"]
    assert isinstance(sealed, dict)
    _rewrite(sealed_file, {**members, "sealed": {**sealed, "box": box}})
    with pytest.raises(PassphraseWrongError):
        read_key_file(sealed_file, passphrase="tally")


# Public files.


def _public(source: Enrolment = ENROLMENT, /, **members: JsonValue) -> bytes:
    plain = json.loads(public_file_bytes(source))
    return canonical_bytes({**plain, **members})


def test_public_file_reads_back() -> None:
    assert read_public_file(public_file_bytes(ENROLMENT)) == ENROLMENT


def test_enrolment_is_signed_over_exactly_what_it_enrols() -> None:
    body = dict(body_of(ENROLMENT.statement))
    nonce = body.pop("nonce")
    assert isinstance(nonce, str)
    assert len(nonce) == 32
    assert body == {
        "age_recipient": "age1pq1recipient",
        "issued_at": "2026-11-24T10:03:11Z",
        "person": ANA,
        "signing_key": KEY.public_key,
    }
    assert verified_signers(ENROLMENT.statement, [KEY.public_key]) == {KEY.public_key}


def test_enrolment_is_dated_in_utc() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=2)))
    body = body_of(enrol(ANA, KEY, age_recipient="age1x", issued_at=elsewhere).statement)
    assert body["issued_at"] == "2026-11-24T10:03:11Z"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("person", "eva@harbour"),
        ("signing_key", OTHER.public_key),
        ("age_recipient", "age1pq1another"),
        ("person", 1),
    ],
)
def test_public_file_that_says_more_than_was_signed_is_refused(member: str, value: JsonValue) -> None:
    with pytest.raises(ProofOfPossessionError) as caught:
        read_public_file(_public(**{member: value}))
    assert caught.value.facts["member"] == member


def test_public_file_with_somebody_elses_key_is_refused() -> None:
    body = {**body_of(ENROLMENT.statement), "person": "eva@harbour"}
    claimed = envelope_json(sign("enrolment", body, [OTHER]))
    with pytest.raises(SignatureInvalidError):
        read_public_file(_public(person="eva@harbour", enrolment=claimed))


def test_enrolment_signed_by_another_too_is_refused() -> None:
    with pytest.raises(SignatureInvalidError):
        verified_enrolment(cosign(ENROLMENT.statement, OTHER))


def test_enrolment_of_another_kind_is_refused() -> None:
    with pytest.raises(MalformedKeyFileError):
        verified_enrolment(sign("approval", body_of(ENROLMENT.statement), [KEY]))


def test_enrolment_of_a_small_order_key_is_refused_before_its_signature_counts() -> None:
    body = {**body_of(ENROLMENT.statement), "signing_key": "ed25519:01" + "00" * 31}
    with pytest.raises(InvalidPointError):
        verified_enrolment(sign("enrolment", body, [KEY]))


@pytest.mark.parametrize("member", ["age_recipient", "enrolment", "format", "person", "signing_key"])
def test_public_file_lacking_a_member_is_refused(member: str) -> None:
    plain = {name: value for name, value in json.loads(_public()).items() if name != member}
    with pytest.raises(UnexpectedShapeError):
        read_public_file(canonical_bytes(plain))


def test_public_file_of_another_format_is_refused() -> None:
    with pytest.raises(MalformedKeyFileError):
        read_public_file(_public(format="tallystick.pub/v2"))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"a":1,"a":1}'])
def test_what_is_no_public_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_public_file(data)
