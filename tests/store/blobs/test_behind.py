"""What a store lacks is noted with the blob, once for all its senders, until every store has it."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Engine

from tallystick.domain.ids import AgreementId, Digest, PartyId, sha256_digest
from tallystick.limits.api import UPLOAD_LONG_BYTES_MIN
from tallystick.store.blobs import behind, room
from tallystick.store.blobs.behind import Behind, CopiesBehind
from tallystick.store.blobs.room import Upload
from tallystick.store.blobs.uploads import BlobPurpose, blobs_with
from tallystick.store.database.session import reading, transaction
from tests.support.worlds.ledgers import AT

HOUR: Final = timedelta(hours=1)


def digest_of(name: str) -> Digest:
    return sha256_digest(name.encode())


def arrived(
    database: Engine, name: str, size_bytes: int = 1, *, sender: str = "dora", everywhere: bool = False
) -> None:
    upload = Upload(
        agreement_id=AgreementId("one"),
        digest=digest_of(name),
        purpose=BlobPurpose.EVIDENCE,
        owner=digest_of(sender),
        party=PartyId("nordwind"),
    )
    at = AT if sender == "dora" else AT + HOUR
    with transaction(database) as session:
        room.has_arrived(session, upload, size_bytes, at, everywhere=everywhere)


def listed(database: Engine, *, long: bool = False) -> list[Digest]:
    with reading(database) as session:
        return [one.digest for one in behind.behind(session, long=long)]


def test_small_ones_come_first_lost_ones_last_and_long_ones_apart(database: Engine) -> None:
    arrived(database, "two", 2)
    arrived(database, "one", 1)
    arrived(database, "whole", everywhere=True)
    arrived(database, "lost")
    arrived(database, "long", UPLOAD_LONG_BYTES_MIN)
    with transaction(database) as session:
        behind.note_behind(session, digest_of("lost"), AT, lost=True)
    assert listed(database) == [digest_of(name) for name in ("one", "two", "lost")]
    assert listed(database, long=True) == [digest_of("long")]


def test_a_blob_of_several_senders_is_noted_once_and_all_notes_end_together(database: Engine) -> None:
    arrived(database, "a")
    arrived(database, "a", sender="dirk")
    with transaction(database) as session:
        noted = behind.noted(session, digest_of("a"))
        evidence = BlobPurpose.EVIDENCE
        assert noted == Behind(digest=digest_of("a"), purpose=evidence, since=AT, latest=AT + HOUR)
        assert behind.count(session) == CopiesBehind(blobs=1, since=AT)
        behind.note_everywhere(session, digest_of("a"), AT)
        assert behind.count(session) == CopiesBehind(blobs=1, since=AT + HOUR), "a later note stays"
        behind.note_everywhere(session, digest_of("a"), AT + HOUR)
        assert behind.count(session) == CopiesBehind(blobs=0, since=None)


def test_a_note_keeps_its_time_and_a_blob_that_is_found_again_is_not_lost(database: Engine) -> None:
    arrived(database, "a", everywhere=True)
    for later, lost in enumerate((True, True, False)):
        with transaction(database) as session:
            behind.note_behind(session, digest_of("a"), AT + later * HOUR, lost=lost)
            noted = behind.noted(session, digest_of("a"))
            assert noted is not None
            assert (noted.since, noted.latest) == (AT, AT)
            assert [one.lost for one in blobs_with(session, digest_of("a"))] == [lost]
