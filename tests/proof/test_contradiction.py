"""Two signed checkpoints of one log: what they prove against its log key, and what they do not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tallystick.crypto.json.base64 import base64_text
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.merkle import leaf_hash, root_of
from tallystick.crypto.log.note import Checkpoint, NoteSignatureError, origin_of, sign_checkpoint
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId
from tallystick.proof.contradiction import (
    FORMAT,
    MalformedContradictionError,
    NoContradictionError,
    TwoCheckpoints,
    contradiction,
    contradiction_bytes,
    read_contradiction,
)
from tests.support.worlds.agreements import AGREEMENT, DECISION_KEY, LOG_KEY

AT = datetime(2026, 11, 24, tzinfo=UTC)


def leaves(*names: str) -> list[bytes]:
    return [leaf_hash(name.encode()) for name in names]


def note(log: Sequence[bytes], key: SigningKey = LOG_KEY) -> str:
    origin = origin_of(AGREEMENT.deployment, AGREEMENT.id)
    return sign_checkpoint(Checkpoint(origin=origin, size=len(log), root=root_of(log)), key).decode()


def two(before: Sequence[bytes], now: Sequence[bytes]) -> TwoCheckpoints:
    return TwoCheckpoints(
        format=FORMAT,
        agreement=AGREEMENT.id,
        before=note(before),
        before_at=AT,
        now=note(now),
        now_at=AT,
        leaves=base64_text(b"".join(now)),
    )


SHOWN = two(leaves("a", "b", "c"), leaves("a", "x", "c", "d"))


def test_another_log_of_any_greater_length_is_proven() -> None:
    for now in (leaves("a", "x", "c"), leaves("a", "x", "c", "d", "e", "f")):
        read = read_contradiction(contradiction_bytes(two(leaves("a", "b", "c"), now)))
        assert "exclude each other" in contradiction(read, AGREEMENT)[0]


@pytest.mark.parametrize("now", [leaves("a", "b", "c", "d"), leaves("a", "b", "c"), leaves("x")])
def test_a_log_that_has_grown_or_is_shorter_proves_nothing(now: list[bytes]) -> None:
    with pytest.raises(NoContradictionError):
        contradiction(two(leaves("a", "b", "c"), now), AGREEMENT)


def test_a_checkpoint_by_another_key_proves_nothing() -> None:
    before, now = leaves("a", "b", "c"), leaves("a", "x", "c", "d")
    for forged in (
        replace(SHOWN, before=note(before, DECISION_KEY)),
        replace(SHOWN, now=note(now, DECISION_KEY)),
    ):
        with pytest.raises(NoteSignatureError):
            contradiction(forged, AGREEMENT)


@pytest.mark.parametrize(
    "changed",
    [
        replace(SHOWN, leaves=base64_text(b"".join(leaves("a", "y", "c", "d")))),
        replace(SHOWN, leaves=base64_text(b"".join(leaves("a", "x", "c")))),
        replace(SHOWN, leaves=base64_text(bytes(33))),
        replace(SHOWN, agreement=AgreementId("another")),
    ],
)
def test_other_leaves_and_another_agreement_are_refused(changed: TwoCheckpoints) -> None:
    with pytest.raises(MalformedContradictionError):
        contradiction(changed, AGREEMENT)


@pytest.mark.parametrize("content", [b"", b"{}", contradiction_bytes(replace(SHOWN, format="another"))])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedError):
        read_contradiction(content)
