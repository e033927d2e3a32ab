"""What the stores hold for whom and for how long: blobs, uploads, deposits; and the turns at the database."""

from datetime import timedelta
from typing import Final

from tallystick.limits.claims import EVIDENCE_DOCUMENTS_MAX
from tallystick.limits.sealing import AGE_HEADER_BYTES_MAX, AGE_STANZA_BYTES_MAX, AGE_STANZAS_MAX

BLOB_CHUNK_BYTES: Final = 1024 * 1024  # what is read, hashed and handed on at a time
assert AGE_STANZAS_MAX * AGE_STANZA_BYTES_MAX <= AGE_HEADER_BYTES_MAX <= BLOB_CHUNK_BYTES  # of its first
BLOB_BYTES_MAX: Final = 1 << 40
EVIDENCE_BLOB_BYTES_MAX: Final = 1 << 30  # one evidence document, sealed
BLOB_STORES_MIN: Final = 2
DATABASE_BUSY_MAX: Final = timedelta(seconds=15)  # how long a writer waits for its turn
DATABASE_IDLE_MAX: Final = timedelta(seconds=60)  # how long it may do nothing during its turn
DATABASE_CONNECTIONS_MAX: Final = 15  # of one process, unless its threads are counted
DRAFT_IDLE_MAX: Final = timedelta(days=1)  # of a file that a store is writing; then its writer is dead
SCRUB_REST_MIN: Final = timedelta(milliseconds=100)  # between two blobs that are read again
COPIES_SOON: Final = timedelta(seconds=1)  # after an upload that is not in every store yet
COPY_RETRY_MIN: Final = timedelta(seconds=5)  # after a look at a blob that no copy could be made of
COPY_RETRY_MAX: Final = timedelta(hours=1)
COPY_LATE: Final = timedelta(hours=1)  # after that the parties get a letter about it
UPLOAD_IDLE_MAX: Final = timedelta(days=3)  # after that an unfinished upload is dropped, and its room is free
UPLOAD_RENEWED_AFTER: Final = timedelta(hours=1)  # how old the note may be of when it was continued last
UPLOAD_RENEWED_BYTES: Final = 64 * 1024 * 1024  # after so many of one request, its room is looked at again
UPLOADS_UNDER_WAY_MAX: Final = 64  # of one person under one agreement
BLOB_UNNAMED_MAX: Final = timedelta(days=30)  # how long a blob is kept that no statement names
BLOB_ORPHANED_MAX: Final = timedelta(days=14)  # and one that no agreement knows: after a restore it may
assert UPLOAD_RENEWED_AFTER < UPLOAD_IDLE_MAX < BLOB_UNNAMED_MAX

# Room for blobs under one agreement, uploads under way included: for each purpose its own, so that
# deposits take none from evidence, and no one key uses up its party's.
BLOB_CHARGE_BYTES_MIN: Final = 1024 * 1024  # what the smallest blob counts as
DEPOSIT_ROOM_PER_PARTY_BYTES: Final = 4 << 40
DEPOSIT_ROOM_PER_PERSON_BYTES: Final = 3 << 40
EVIDENCE_ROOM_PER_PARTY_BYTES: Final = 256 << 30
EVIDENCE_ROOM_PER_PERSON_BYTES: Final = 128 << 30
DEPOSIT_SPARE_BYTES: Final = 2 << 30  # what deposits leave free on every disk, for evidence and the ledger,
EVIDENCE_SPARE_BYTES: Final = 512 << 20  # and what evidence leaves, for acts
assert BLOB_BYTES_MAX <= DEPOSIT_ROOM_PER_PERSON_BYTES < DEPOSIT_ROOM_PER_PARTY_BYTES
assert EVIDENCE_ROOM_PER_PERSON_BYTES < EVIDENCE_ROOM_PER_PARTY_BYTES
assert EVIDENCE_DOCUMENTS_MAX * EVIDENCE_BLOB_BYTES_MAX <= EVIDENCE_ROOM_PER_PERSON_BYTES
assert EVIDENCE_SPARE_BYTES < DEPOSIT_SPARE_BYTES

# Deposits under one agreement within a day: each has every byte that it names read, in every store.
DEPOSIT_DAY: Final = timedelta(days=1)
DEPOSITS_READ_MAX: Final = 64  # rows in one question to the database
DEPOSITS_PER_DAY_MAX: Final = 96
DEPOSITS_PER_PERSON_AND_DAY_MAX: Final = 72
DEPOSITED_BYTES_PER_DAY_MAX: Final = 4 << 40
assert DEPOSITS_PER_PERSON_AND_DAY_MAX < DEPOSITS_PER_DAY_MAX
assert BLOB_BYTES_MAX <= DEPOSITED_BYTES_PER_DAY_MAX

# Answers that are kept for a sender who repeats a request.
IDEMPOTENCY_KEY_LENGTH_MAX: Final = 128
ANSWER_KEPT_MAX: Final = timedelta(days=1)  # for a sender who repeats a request with its key
ANSWERS_PER_SENDER_MAX: Final = 256  # kept at once; the sender's own oldest make room
