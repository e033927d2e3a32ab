"""No claim gets on record past the door whose documents are not there, and none vanishes in between."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities.ledger import LedgerActivities
from activities.rounds.clearing import Clearance
from tallystick.crypto.envelope import envelope_bytes, statement_id
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.statements.filing import EvidenceDocument
from tallystick.messages import ClaimStart, FileClaim
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.store import BlobStoreFailedError
from tests.support.stories.recording import activities
from tests.support.worlds.agreements import DORA, LOG_KEY
from tests.support.worlds.documents import ITEMS, document, sealed
from tests.support.worlds.gate_worlds import FILED, World, typed
from tests.support.worlds.prepared_worlds import deposited, prepared_world

SENT = datetime(2020, 1, 1, tzinfo=UTC)  # so long ago that nobody keeps what is not named


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


def claim_on(world: World, documents: tuple[EvidenceDocument, ...]) -> FileClaim:
    envelope = world.filing(deposited(world), evidence=documents)
    start = ClaimStart(
        claim=statement_id(envelope), agreement=world.agreement.id, envelope=envelope_bytes(envelope).decode()
    )
    return FileClaim(start=start, at=FILED)


def refused(world: World, request: FileClaim, blobs: ReplicatedBlobs | None = None) -> str:
    """The code with which a claim is refused, or `recorded`."""
    ledger = LedgerActivities(
        database=world.database, blobs=blobs or world.blobs, log_key=LOG_KEY, grown=lambda _: None
    )
    try:
        with typed():
            ledger.file_claim(request)
    except TallystickError as error:
        return error.code
    return "recorded"


def test_a_forged_workflow_files_no_claim_without_its_documents(world: World) -> None:
    documents = tuple(document(world.agreement, item, FILED) for item in ITEMS)
    request = claim_on(world, documents)
    assert refused(world, request) == "documents-missing"
    world.documents(FILED)
    assert refused(world, request) == "recorded"


def test_a_forged_workflow_files_no_claim_with_what_its_readers_cannot_open(world: World) -> None:
    first, _ = world.documents(FILED)
    data = b"for nobody"
    world.uploads(data)
    request = claim_on(world, (first, document(world.agreement, "outage-record", FILED, data)))
    assert refused(world, request) == "documents-sealed-otherwise"


def test_a_forged_workflow_files_no_claim_with_another_partys_documents(world: World) -> None:
    for item in ITEMS:
        world.uploads(sealed(world.agreement, item), DORA)
    documents = tuple(document(world.agreement, item, FILED) for item in ITEMS)
    assert refused(world, claim_on(world, documents)) == "documents-missing"


class Cleared(FileBlobStore):
    """A store whose blobs are cleared as soon as the first one was read."""

    world: World

    def read(self, wanted: Digest, *, first_byte: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield from list(super().read(wanted, first_byte=first_byte, length=length))
        Clearance(database=self.world.database, blobs=self.world.blobs, clock=lambda: FILED).clear()


def test_a_document_that_is_cleared_after_it_was_seen_is_missing_all_the_same(world: World) -> None:
    documents = world.documents(SENT)
    documents = tuple(replace(one, issued_at=FILED) for one in documents)
    store = Cleared(world.folder / "north", name="north")
    store.world = world
    blobs = ReplicatedBlobs([store, FileBlobStore(world.folder / "south", name="south")])
    assert refused(world, claim_on(world, documents), blobs) == "documents-missing"
    assert refused(world, claim_on(world, world.documents(FILED)), blobs) == "recorded"


class Away(FileBlobStore):
    """A store that cannot be read."""

    def read(self, wanted: Digest, *, first_byte: int = 0, length: int | None = None) -> Iterator[bytes]:
        raise BlobStoreFailedError("away", store=self.name, reason="away")


def away(world: World) -> ReplicatedBlobs:
    return ReplicatedBlobs([Away(world.folder / place, name=place) for place in ("north", "south")])


def test_a_claim_on_record_is_carried_on_while_no_store_can_be_read(world: World) -> None:
    request = claim_on(world, world.documents(FILED))
    assert refused(world, request) == "recorded"
    assert refused(world, request, away(world)) == "recorded"


def test_a_store_that_cannot_be_read_refuses_no_claim_for_good(world: World) -> None:
    request = claim_on(world, world.documents(FILED))
    assert refused(world, request, away(world)) == "blob-store-failed"
    assert BlobStoreFailedError.retryable, "so the workflow asks again"
    assert activities(world).file_claim(request).entries
