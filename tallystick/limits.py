"""Every bound in one file, asserted against each other where they meet.

What has no number here is bounded by one that has, or is ended only by people
(and says so where it waits).
"""

from datetime import timedelta
from typing import Final

# Names.
NAME_LENGTH_MAX: Final = 63
PERSON_ID_LENGTH_MAX: Final = 2 * NAME_LENGTH_MAX + 1
TEXT_LENGTH_MAX: Final = 4096  # characters of any free text in a statement

LIST_LENGTH_MAX: Final = 1024  # items of any list in a document

# JSON at the door.
JSON_SIZE_BYTES_MAX: Final = 64 * 1024  # an ordinary statement
AGREEMENT_SIZE_BYTES_MAX: Final = 512 * 1024
JSON_DEPTH_MAX: Final = 16
JSON_NODES_MAX: Final = 20_000
INTEGER_MAX: Final = 2**53 - 1  # RFC 8785 numbers are IEEE 754 doubles

# Statements.
SIGNATURES_PER_ENVELOPE_MAX: Final = 16
KEYID_LENGTH_MAX: Final = 128
ENVELOPE_OVERHEAD_BYTES_MAX: Final = 8 * 1024  # what is not the body: signatures, names, spaces
STATEMENT_LIFETIME_MAX: Final = timedelta(days=366)
CLOCK_SKEW_MAX: Final = timedelta(minutes=5)  # how far ahead `issued_at` may lie

# Agreements.
PARTIES_MAX: Final = 16
PERSONS_MAX: Final = 64
COMPONENTS_MAX: Final = 64
STAGES_MAX: Final = 8
CONDITIONS_MAX: Final = 32
EVIDENCE_ITEMS_MAX: Final = 64
HOLIDAYS_MAX: Final = 1024
CONDITION_DEPTH_MAX: Final = 6
QUORUM_LEAVES_MAX: Final = 32
QUORUM_DEPTH_MAX: Final = 8
BUSINESS_DAYS_MAX: Final = 400
PERIOD_MAX: Final = timedelta(days=3660)
DEADLINE_DAYS_MAX: Final = 3660  # days looked at for the business days of one period
EXPLANATION_LINES_MAX: Final = 64  # of the days that a deadline counted or skipped

# Sealed files (C2SP age.md) and custody shares.
AGE_STANZAS_MAX: Final = 64
AGE_LINE_BYTES_MAX: Final = 4096  # an mlkem768x25519 argument line has 1,512
AGE_STANZA_LINES_MAX: Final = 64
AGE_KEY_LENGTH_MAX: Final = 4096  # characters; an age1pq1 recipient has 1,959
SEALED_BYTES_MAX: Final = 64 * 1024  # of what is sealed or opened in memory

# Bags (RFC 8493) in one tar.
BAG_FILES_MAX: Final = 200_000
BAG_PAYLOAD_BYTES_MAX: Final = 1 << 40
BAG_PATH_BYTES_MAX: Final = 1024
BAG_NAME_BYTES_MAX: Final = 255  # of one segment: what common file systems hold
BAG_DEPTH_MAX: Final = 48
BAG_TAG_FILES_MAX: Final = 64
BAG_TAG_FILE_BYTES_MAX: Final = 64 * 1024 * 1024  # the manifest is the largest
TAR_EXTENSION_BYTES_MAX: Final = 8 * 1024  # one PAX extended header
TAR_PADDING_BYTES_MAX: Final = 1024 * 1024  # zeros after the end marker

# Claims. Temporal allows 2,000 updates a workflow and 10 in flight; what one
# person may send is bounded so that nobody can use up another's.
ACTS_PER_PERSON_MAX: Final = 20
ACTS_PER_CLAIM_MAX: Final = PERSONS_MAX * ACTS_PER_PERSON_MAX
EVIDENCE_DOCUMENTS_MAX: Final = 32

# Key files. A hostile file must not make its reader spend memory or hours.
KEY_FILE_SIZE_BYTES_MAX: Final = 32 * 1024
ARGON2_OPERATIONS_MAX: Final = 8
ARGON2_MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024

# Logs and their proofs.
NOTE_SIZE_BYTES_MAX: Final = 64 * 1024
NOTE_SIGNATURES_MAX: Final = 64  # C2SP signed-note: at least 16
NOTE_NAME_LENGTH_MAX: Final = 255
TREE_SIZE_MAX: Final = 2**63 - 1
PROOF_HASHES_MAX: Final = 64  # an inclusion path in the largest tree has 63

# Storage.
BLOB_CHUNK_BYTES: Final = 1024 * 1024  # what is read, hashed and handed on at a time
BLOB_BYTES_MAX: Final = 1 << 40
BLOB_STORES_MIN: Final = 2
DATABASE_BUSY_MAX: Final = timedelta(seconds=15)  # how long a writer waits for its turn
IDEMPOTENCY_KEY_LENGTH_MAX: Final = 128

assert ACTS_PER_CLAIM_MAX < 2_000  # noqa: S101 - Temporal's limit, checked at import

# The engine. How long it waits before it asks the gate again after a refusal,
# doubling each time: what was refused may come true without a new statement.
GATE_RETRY_MIN: Final = timedelta(seconds=5)
GATE_RETRY_MAX: Final = timedelta(hours=6)
GATE_RETRY_DOUBLINGS_MAX: Final = 20
NOTICE_RETRY_MIN: Final = timedelta(seconds=10)
NOTICE_RETRY_MAX: Final = timedelta(hours=6)
NOTICE_ATTEMPTS_MAX: Final = 100

# The embedded stack.
STACK_READY_SECONDS_MAX: Final = 60
STACK_STOP_SECONDS_MAX: Final = 20
STACK_RESTARTS_MAX: Final = 10
LOGS_KEPT_MAX: Final = 5
