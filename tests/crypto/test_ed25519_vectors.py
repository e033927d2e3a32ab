"""Project Wycheproof's Ed25519 vectors, at the one place where signatures are verified."""

import json
from pathlib import Path
from typing import TypedDict, cast

import pytest

from tallystick.crypto.keys import check_point, public_key_of, verifies


class Vector(TypedDict):
    tcId: int
    comment: str
    msg: str
    sig: str
    result: str


class Key(TypedDict):
    pk: str


class Group(TypedDict):
    publicKey: Key
    tests: list[Vector]


class Vectors(TypedDict):
    numberOfTests: int
    testGroups: list[Group]


VECTORS = cast(
    "Vectors", json.loads((Path(__file__).parent / "data" / "wycheproof-ed25519.json").read_text())
)
CASES = [
    pytest.param(bytes.fromhex(group["publicKey"]["pk"]), vector, id=f"{vector['tcId']} {vector['comment']}")
    for group in VECTORS["testGroups"]
    for vector in group["tests"]
]


def test_no_vector_is_left_out() -> None:
    assert len(CASES) == VECTORS["numberOfTests"] == 151


@pytest.mark.parametrize(("key", "vector"), CASES)
def test_wycheproof_verdict_is_ours(key: bytes, vector: Vector) -> None:
    message, signature = bytes.fromhex(vector["msg"]), bytes.fromhex(vector["sig"])
    assert verifies(public_key_of(key), message, signature) is (vector["result"] == "valid")


def test_every_key_of_the_vectors_is_a_sound_point() -> None:
    for group in VECTORS["testGroups"]:
        check_point(public_key_of(bytes.fromhex(group["publicKey"]["pk"])))
