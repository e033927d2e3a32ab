"""A record that could not have come about proves nothing, though the log key signed all of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from tallystick.crypto.envelope import body_of, kind_of, sign
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log import merkle, note
from tallystick.domain.codec import decode
from tallystick.domain.json import JsonValue
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.limits.documents import CLOCK_SKEW_MAX
from tallystick.proof.evidence.file import (
    ExportedCase,
    FiledEntry,
    content_of,
    evidence_bytes,
    read_evidence_file,
)
from tallystick.proof.evidence.verify import verify
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tests.support.trees import inclusion_proof
from tests.support.worlds.agreements import ANA, LOG_KEY, PEOPLE
from tests.support.worlds.gate_worlds import READY, ROOT_KEYS, World
from tests.support.worlds.prepared_worlds import ready_world

SECOND: Final = timedelta(seconds=1)
Entries = Sequence[FiledEntry]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return ready_world(tmp_path_factory.mktemp("ready"))


@pytest.fixture(scope="module")
def undecided(world: World) -> bytes:
    return exported(world)


@pytest.fixture(scope="module")
def file(world: World, undecided: bytes) -> bytes:
    assert undecided, "exported before the decision"
    world.decide()
    return exported(world)


def exported(world: World) -> bytes:
    with transaction(world.database) as session:
        return export(session, world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=READY)


def written_anew(file: bytes, change: Callable[[Entries], Entries]) -> bytes:
    """The file over a log of its entries alone, changed: whoever has the log key can write one."""
    read = read_evidence_file(file)
    placed = [replace(entry, index=index) for index, entry in enumerate(change(read.exported.entries))]
    leaves = [entry.leaf() for entry in placed]
    entries = tuple(replace(entry, proof=inclusion_proof(leaves, entry.index)) for entry in placed)
    case = replace(read.exported, checkpoint=signed_log(read.exported, leaves), entries=entries)
    seal = decode(EvidenceSeal, body_of(read.seal))
    return evidence_bytes(case, replace(seal, content=content_of(case), entries=len(entries)), LOG_KEY)


def signed_log(case: ExportedCase, leaves: Sequence[bytes]) -> bytes:
    origin = case.checkpoint.decode().splitlines()[0]
    root = merkle.root_of(leaves)
    return note.sign_checkpoint(note.Checkpoint(origin=origin, size=len(leaves), root=root), LOG_KEY)


def place_of(entries: Entries, kind: Kind) -> int:
    return next(place for place, entry in enumerate(entries) if kind_of(entry.envelope) == kind)


def moved_to_the_end(kind: Kind) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        place = place_of(entries, kind)
        return [*entries[:place], *entries[place + 1 :], replace(entries[place], accepted_at=READY)]

    return change


def dated(kind: Kind, later: timedelta) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        place = place_of(entries, kind)
        moved = replace(entries[place], accepted_at=entries[place].accepted_at + later)
        return [*entries[:place], moved, *entries[place + 1 :]]

    return change


def once_more(entries: Entries) -> Entries:
    return [*entries, replace(entries[place_of(entries, Kind.INTAKE)], accepted_at=READY)]


def test_the_same_entries_in_a_log_of_their_own_hold(file: bytes) -> None:
    assert verify(written_anew(file, lambda entries: entries)).holds


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (once_more, "in the log twice"),
        (moved_to_the_end(Kind.CLAIM), "names one that was recorded later"),
        (moved_to_the_end(Kind.CUSTODY), "names one that was recorded later"),
        (dated(Kind.INTAKE, -CLOCK_SKEW_MAX - SECOND), "accepted before it was issued"),
        (dated(Kind.NOTICE, timedelta(days=3)), "the times in the log go back"),
    ],
    ids=["twice", "claim-after-its-acts", "custody-after-its-deposit", "before-issued", "times-go-back"],
)
def test_a_record_that_could_not_have_come_about_is_refused(
    change: Callable[[Entries], Entries], why: str, file: bytes
) -> None:
    broken = verify(written_anew(file, change)).broken
    assert broken is not None
    assert broken.premise == "order-possible"
    assert why in broken.found


def signed_anew(entry: FiledEntry, key: SigningKey, **changes: JsonValue) -> FiledEntry:
    """Another statement of the same kind by `key`, accepted with the entry that it is made from."""
    body = {**body_of(entry.envelope), "nonce": 32 * "f", **changes}
    return replace(entry, envelope=sign(kind_of(entry.envelope), body, [key]))


def test_an_act_on_another_claim_has_no_place_in_it(file: bytes) -> None:
    def change(entries: Entries) -> Entries:
        place = place_of(entries, Kind.INTAKE)
        foreign = signed_anew(entries[place], PEOPLE[ANA].signing_key, claim="sha256:" + 64 * "a")
        return [*entries[: place + 1], foreign, *entries[place + 1 :]]

    broken = verify(written_anew(file, change)).broken
    assert broken is not None
    assert (broken.premise, "nothing to do with the claim" in broken.found) == ("record-folds", True)


@pytest.mark.parametrize("verdict", ["deposit-failed", "deposit-verified"])
def test_a_deposit_has_one_verdict(verdict: str, file: bytes) -> None:
    def change(entries: Entries) -> Entries:
        place = place_of(entries, Kind.EVENT)
        second = signed_anew(entries[place], LOG_KEY, happening=verdict)
        return [*entries[:place], second, *entries[place:]]

    broken = verify(written_anew(file, change)).broken
    assert broken is not None
    assert broken.premise == "deposit-pinned"


def test_clocks_that_differ_a_little_break_nothing(undecided: bytes) -> None:
    assert verify(written_anew(undecided, dated(Kind.INTAKE, -CLOCK_SKEW_MAX))).holds


@pytest.mark.parametrize(
    "kind", [Kind.INTAKE, Kind.NOTICE, Kind.NOTICE_ACKNOWLEDGEMENT, Kind.APPROVAL, Kind.EVENT]
)
@pytest.mark.parametrize("later", [SECOND, -SECOND], ids=["later", "earlier"])
def test_no_time_before_a_decision_is_changed_without_the_gates_key(
    kind: Kind, later: timedelta, file: bytes
) -> None:
    def change(entries: Entries) -> Entries:
        decided = place_of(entries, Kind.DECISION)
        place = max(n for n, entry in enumerate(entries[:decided]) if kind_of(entry.envelope) == kind)
        moved = replace(entries[place], accepted_at=entries[place].accepted_at + later)
        return [*entries[:place], moved, *entries[place + 1 :]]

    broken = verify(written_anew(file, change)).broken
    assert broken is not None
    assert broken.premise == "record-folds"
