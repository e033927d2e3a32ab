"""Sealing and checksum validation, beside the two primitives by themselves and the tools people have."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tallystick.bag.write import write_bag
from tallystick.crypto import age
from tallystick.domain.ids import Digest
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tests.bench.measuring import Row, Seconds, per_second, race, slower

SIZE_BYTES: Final = 64 << 20
ROUNDS: Final = 9
_CHUNK: Final = 64 * 1024
_PIECE: Final = 1 << 20


def measure_sealing(folder: Path) -> list[Row]:
    """Return the rows about sealing and validation, over one file of random bytes."""
    source = folder / "source"
    source.mkdir()
    plain = source / "plain.bin"
    plain.write_bytes(os.urandom(SIZE_BYTES))
    identity = age.new_identity()
    recipient = str(identity.recipient())
    times = race(
        {
            "seal": lambda: _seal(plain, recipient),
            "to a file": lambda: _seal_to_file(plain, folder / "plain.age", recipient),
            "deposit": lambda: _bag_and_seal(source, folder / "bag.age", recipient),
            "sha256": lambda: _sha256(plain),
            "chacha": lambda: _chacha(plain),
            **_age_tool(plain, folder / "tool.age", recipient),
        },
        rounds=ROUNDS,
    )
    return [*_sealing_rows(times), *_validation_rows(folder, plain)]


def _sealing_rows(times: Mapping[str, Seconds]) -> list[Row]:
    floor = slower(times["sha256"], times["chacha"])
    primitives = (
        f"SHA-256 {per_second(SIZE_BYTES, times['sha256'])}, "
        f"ChaCha20-Poly1305 {per_second(SIZE_BYTES, times['chacha'])}"
    )
    rows = [
        Row(
            what="sealing (hash and encrypt in one pass; like the floor, nothing is written)",
            ours=per_second(SIZE_BYTES, times["seal"]),
            floor=f"the slower of {primitives}",
            ratios=_speeds(times["seal"], floor),
            at_least=0.6,
            why="sealing",
        ),
        Row(
            what="sealing to a file",
            ours=per_second(SIZE_BYTES, times["to a file"]),
            floor="the same, which writes nothing",
            ratios=_speeds(times["to a file"], floor),
        ),
        Row(
            what="bag → tar → age to a file (each byte hashed three times)",
            ours=per_second(SIZE_BYTES, times["deposit"]),
            floor="the same",
            ratios=_speeds(times["deposit"], floor),
        ),
    ]
    if "age" in times:
        rows.append(
            Row(
                what="sealing to a file, against `age`",
                ours=per_second(SIZE_BYTES, times["to a file"]),
                floor=f"`age` {_version('age')}: {per_second(SIZE_BYTES, times['age'])}",
                ratios=_speeds(times["to a file"], times["age"]),
                at_least=1.0,
                why="age",
            )
        )
    return rows


def _validation_rows(folder: Path, plain: Path) -> list[Row]:
    digest = Digest("sha256:" + hashlib.sha256(plain.read_bytes()).hexdigest())
    blobs = ReplicatedBlobs([FileBlobStore(folder / name, name=name) for name in ("north", "south")])
    blobs.put(digest, SIZE_BYTES, lambda: [plain.read_bytes()])
    times = race(
        {
            "check": lambda: blobs.check(digest, SIZE_BYTES),
            "verified": lambda: _drain(blobs, digest),
            "hashlib": lambda: _sha256(plain),
            **_sha256sum(plain),
        },
        rounds=ROUNDS,
    )
    each = [seconds / 2 for seconds in times["check"]]
    rows = [
        Row(
            what="validating a deposit's copies (what the gate does)",
            ours=f"{per_second(SIZE_BYTES, each)} a copy",
            floor=f"hashlib alone {per_second(SIZE_BYTES, times['hashlib'])}",
            ratios=_speeds(each, times["hashlib"]),
        ),
        Row(
            what="serving a blob, checked as a whole and again chunk by chunk",
            ours=per_second(SIZE_BYTES, times["verified"]),
            floor="the same",
            ratios=_speeds(times["verified"], times["hashlib"]),
        ),
    ]
    if "sha256sum" in times:
        rows.insert(
            0,
            Row(
                what="validating a deposit's copies, against `sha256sum` on one core",
                ours=f"{per_second(SIZE_BYTES, each)} a copy",
                floor=f"`sha256sum` {per_second(SIZE_BYTES, times['sha256sum'])}",
                ratios=_speeds(each, times["sha256sum"]),
                at_least=2.5,
                why="validation",
            ),
        )
    return rows


def _speeds(ours: Seconds, floor: Seconds) -> Seconds:
    return [one / mine for mine, one in zip(ours, floor, strict=True)]


class _Nowhere:
    def write(self, data: bytes, /) -> int:
        return len(data)


def _seal(plain: Path, recipient: str) -> None:
    with plain.open("rb") as source:
        age.seal(source, _Nowhere(), [age.parse_recipient(recipient)])


def _seal_to_file(plain: Path, into: Path, recipient: str) -> None:
    with plain.open("rb") as source, into.open("wb") as out:
        age.seal(source, out, [age.parse_recipient(recipient)])


def _bag_and_seal(source: Path, into: Path, recipient: str) -> None:
    with into.open("wb") as out:
        writer = age.SealingWriter(out, [age.parse_recipient(recipient)])
        write_bag(source, writer, name="bench", external_identifier="bench", bagged_on=date(2026, 1, 1))
        writer.finish()


def _sha256(plain: Path) -> str:
    hashed = hashlib.sha256()
    with plain.open("rb") as source:
        while piece := source.read(_PIECE):
            hashed.update(piece)
    return hashed.hexdigest()


def _chacha(plain: Path) -> None:
    cipher, counter = ChaCha20Poly1305(bytes(32)), 0
    with plain.open("rb") as source:
        while piece := source.read(_CHUNK):
            cipher.encrypt(counter.to_bytes(12, "big"), piece, None)
            counter += 1


def _drain(blobs: ReplicatedBlobs, digest: Digest) -> int:
    return sum(map(len, blobs.open_verified(digest).chunks))


def _sha256sum(plain: Path) -> Mapping[str, Callable[[], object]]:
    """`sha256sum`, where it is installed: one thread, in a process of its own."""
    tool = shutil.which("sha256sum")
    return {} if tool is None else {"sha256sum": lambda: _run(tool, str(plain))}


def _age_tool(plain: Path, into: Path, recipient: str) -> Mapping[str, Callable[[], object]]:
    """`age`, where it is installed: to the same recipient, or to an X25519 one if it is too old for that.

    Recipients make the header only, some kilobytes; what takes the time, the payload, is the same.
    """
    tool, keygen = shutil.which("age"), shutil.which("age-keygen")
    if tool is None or keygen is None:
        return {}
    if _run(tool, "-r", recipient, "-o", str(into), os.devnull).returncode:
        made = _run(keygen).stdout.decode()
        recipient = next(word for word in made.split() if word.startswith("age1"))
    return {"age": lambda: _run(tool, "-r", recipient, "-o", str(into), str(plain)).check_returncode()}


def _version(tool: str) -> str:
    return _run(tool, "--version").stdout.decode().strip()


def _run(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False)
