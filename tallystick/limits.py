"""Every bound in one file, asserted against each other where they meet.

Anything without a number here is bounded by something that has one, or only people
end it (and the code that waits says so).
"""

from datetime import timedelta
from typing import Final

# Names.
NAME_LENGTH_MAX: Final = 63
PERSON_ID_LENGTH_MAX: Final = 2 * NAME_LENGTH_MAX + 1
TEXT_LENGTH_MAX: Final = 4096  # characters of any free text in a statement
FACT_LENGTH_MAX: Final = 256  # characters of one fact in the sentence of an error
MARKS_IN_A_ROW_MAX: Final = 4  # combining marks on one letter; more would cover the lines around
COMPARISON_WORDS_KEPT_MAX: Final = 512  # digests whose words a process remembers: 0.1 s each

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
SIGHTING_TOLERANCE: Final = timedelta(hours=1)  # how much later than the notice the gate may see it
CLOCK_SKEW_MAX: Final = timedelta(minutes=5)  # how far ahead `issued_at` may lie
STATEMENTS_REMEMBERED_BYTES_MAX: Final = 8 << 20  # of verified envelopes that need not be verified again,
STATEMENT_CHARGE_BYTES_MIN: Final = 2 * 1024  # and what the smallest counts as
AGREEMENTS_REMEMBERED_BYTES_MAX: Final = 8 << 20
AGREEMENT_CHARGE_BYTES_MIN: Final = 64 * 1024
AGREEMENTS_REMEMBERED_MAX: Final = 32  # whose deadlines are kept
SUBMISSIONS_REMEMBERED_MAX: Final = 64  # between the validator of an update and its handler
DEADLINES_REMEMBERED_MAX: Final = 256  # of each of those agreements

# Agreements.
PARTIES_MAX: Final = 16
PERSONS_MAX: Final = 64
CHANNELS_MAX: Final = 16  # of one party: a notice goes to all of them, and its statement names them all
ADDRESS_LENGTH_MAX: Final = 1024  # characters; RFC 5321 has 254 for a mailbox, a webhook's URL may have more
COMPONENTS_MAX: Final = 64
STAGES_MAX: Final = 8
CONDITIONS_MAX: Final = 32
EVIDENCE_ITEMS_MAX: Final = 64
HOLIDAYS_MAX: Final = 1024
CONDITION_DEPTH_MAX: Final = 6
QUORUM_LEAVES_MAX: Final = 32
QUORUM_DEPTH_MAX: Final = 6
SHARE_TREE_DEPTH_MAX: Final = QUORUM_DEPTH_MAX + 1  # all(gate, the stage's quorum)
_TREE_AT: Final = 3  # a stage or condition, in its list, in the agreement
# Each level of a tree is an object with a list in it, so every tree that may be agreed fits the JSON depth.
assert _TREE_AT + 2 * max(QUORUM_DEPTH_MAX, CONDITION_DEPTH_MAX) <= JSON_DEPTH_MAX
BUSINESS_DAYS_MAX: Final = 400
PERIOD_MAX: Final = timedelta(days=3660)
DEADLINE_DAYS_MAX: Final = 3660  # days looked at for the business days of one period
EXPLANATION_LINES_MAX: Final = 64  # one for each day that a deadline counted or skipped

# Claims that are played to try an agreement, and what they must leave room for.
PLAY_TURNS_MAX: Final = 2_000  # of one play; each is an entry of its record, or a moment
PLAY_NOTICES_MAX: Final = 2  # that no channel took: more change nothing
CALENDAR_AHEAD_MIN: Final = timedelta(days=90)  # a claim filed so much later must still fit the calendar
CLAIM_LENGTH_MAX: Final = timedelta(days=366)  # from filing to release, if nobody delays it
WINDOW_MIN: Final = timedelta(seconds=2)  # in a shorter one nobody can act: programs look every two seconds

# Sealed files (C2SP age.md) and custody shares.
AGE_STANZAS_MAX: Final = 64
AGE_LINE_BYTES_MAX: Final = 4096  # an mlkem768x25519 argument line has 1,512
AGE_STANZA_LINES_MAX: Final = 64
AGE_STANZA_BYTES_MAX: Final = 1600  # an mlkem768x25519 stanza has 1,557
AGE_HEADER_BYTES_MAX: Final = 128 * 1024  # read to see how a file is sealed
assert PERSONS_MAX <= AGE_STANZAS_MAX  # an evidence document has every reader of an agreement as recipient
AGE_KEY_LENGTH_MAX: Final = 4096  # characters; an age1pq1 recipient has 1,959
SEALED_BYTES_MAX: Final = 64 * 1024  # of what is sealed or opened in memory

# Bags (RFC 8493) in one tar.
BAG_FILES_MAX: Final = 200_000
BAG_ENTRIES_MAX: Final = 250_000  # files, directories and links of a component
BAG_REFUSALS_NAMED_MAX: Final = 1000  # of what cannot be deposited, in one refusal
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
ACTS_PER_PERSON_MAX: Final = 20  # a hold counts twice, its lift not at all
ACTS_PER_CLAIM_MAX: Final = PERSONS_MAX * ACTS_PER_PERSON_MAX  # all people together
ACT_BYTES_PER_PERSON_MAX: Final = 352 * 1024  # of all envelopes that one person sends about a claim
HOLD_LIFT_BYTES_MAX: Final = 12 * 1024  # counted for no person: there are never more lifts than holds
CLAIMS_PER_PERSON_MAX: Final = 100  # that one key may ever file under an agreement
CLAIMS_PER_PARTY_MAX: Final = 200  # of all its keys together; each filing reads its own party's claims
assert CLAIMS_PER_PERSON_MAX < CLAIMS_PER_PARTY_MAX  # so that no one key uses up its party's
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
LEDGER_NODES_READ_MAX: Final = 512  # rows of a stored tree in one question to the database

# Storage.
BLOB_CHUNK_BYTES: Final = 1024 * 1024  # what is read, hashed and handed on at a time
assert AGE_STANZAS_MAX * AGE_STANZA_BYTES_MAX <= AGE_HEADER_BYTES_MAX <= BLOB_CHUNK_BYTES  # of its first
BLOB_BYTES_MAX: Final = 1 << 40
BLOB_STORES_MIN: Final = 2
DATABASE_BUSY_MAX: Final = timedelta(seconds=15)  # how long a writer waits for its turn
DATABASE_IDLE_MAX: Final = timedelta(seconds=60)  # how long it may do nothing during its turn
DATABASE_CONNECTIONS_MAX: Final = 15  # of one process, unless its threads are counted
DRAFT_IDLE_MAX: Final = timedelta(days=1)  # of a file that a store is writing; then its writer is dead
SCRUB_REST_MIN: Final = timedelta(milliseconds=100)  # between two blobs that are read again
UPLOAD_IDLE_MAX: Final = timedelta(days=3)  # after that an unfinished upload is dropped, and its room is free
UPLOAD_RENEWED_AFTER: Final = timedelta(hours=1)  # how old the note may be of when it was continued last
UPLOAD_RENEWED_BYTES: Final = 64 * 1024 * 1024  # after so many of one request, its room is looked at again
UPLOADS_UNDER_WAY_MAX: Final = 64  # of one person under one agreement
BLOB_UNNAMED_MAX: Final = timedelta(days=30)  # how long a blob is kept that no statement names
BLOB_ORPHANED_MAX: Final = timedelta(days=14)  # and one that no agreement knows: after a restore it may
assert UPLOAD_RENEWED_AFTER < UPLOAD_IDLE_MAX < BLOB_UNNAMED_MAX
IDEMPOTENCY_KEY_LENGTH_MAX: Final = 128

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
assert EVIDENCE_SPARE_BYTES < DEPOSIT_SPARE_BYTES

# Deposits under one agreement within a day: each has every byte that it names read, in every store.
DEPOSIT_DAY: Final = timedelta(days=1)
DEPOSITS_PER_DAY_MAX: Final = 96
DEPOSITS_PER_PERSON_AND_DAY_MAX: Final = 72
DEPOSITED_BYTES_PER_DAY_MAX: Final = 4 << 40
assert DEPOSITS_PER_PERSON_AND_DAY_MAX < DEPOSITS_PER_DAY_MAX
assert BLOB_BYTES_MAX <= DEPOSITED_BYTES_PER_DAY_MAX
ANSWER_KEPT_MAX: Final = timedelta(days=1)  # for a sender who repeats a request with its key
ANSWERS_PER_SENDER_MAX: Final = 256  # kept at once; the sender's own oldest make room

UPDATES_PER_WORKFLOW_MAX: Final = 2_000  # Temporal's
assert ACTS_PER_CLAIM_MAX < UPDATES_PER_WORKFLOW_MAX

# A run's history, which Temporal ends at 50 MiB: it begins with the envelopes of the claim's record.
HISTORY_BYTES_MAX: Final = 50 * 1024 * 1024
HISTORY_GROWTH_BYTES_MAX: Final = 4 * 1024 * 1024  # since the record was read; then a fresh run takes over
HISTORY_GROWTH_EVENTS_MAX: Final = 1024
_SAID_BYTES_MAX: Final = PERSONS_MAX * ACT_BYTES_PER_PERSON_MAX + ACTS_PER_CLAIM_MAX * HOLD_LIFT_BYTES_MAX
assert _SAID_BYTES_MAX + HISTORY_GROWTH_BYTES_MAX < HISTORY_BYTES_MAX

# Case files that are kept until their record changes, by the size of the envelopes that they are made of.
CASES_KEPT_BYTES_MAX: Final = 64 << 20
CASE_CHARGE_BYTES_MIN: Final = 64 * 1024
assert _SAID_BYTES_MAX < CASES_KEPT_BYTES_MAX  # so that the largest claim is not read anew at each look

# The engine. How long it waits before it asks the gate again after a refusal,
# doubling each time: a refused release may become possible without a new statement.
GATE_RETRY_MIN: Final = timedelta(seconds=5)
GATE_RETRY_MAX: Final = timedelta(minutes=15)  # the longest wait after a halt of up to a day;
GATE_RETRY_SHARE: Final = 96  # after a longer halt, this part of the time that the claim has waited,
GATE_RETRY_SELDOM: Final = timedelta(hours=6)  # but never longer
GATE_RETRY_DOUBLINGS_MAX: Final = 20
NOTICE_RETRY_MIN: Final = timedelta(seconds=10)
NOTICE_RETRY_MAX: Final = timedelta(hours=6)  # as often as it takes: only people end it

# The embedded stack.
STACK_READY_SECONDS_MAX: Final = 60
STACK_STOP_SECONDS_MAX: Final = 20
STACK_RESTARTS_MAX: Final = 10  # of one process,
STACK_RESTARTS_SECONDS: Final = 60  # within this time: more than that is no accident
LOGS_KEPT_MAX: Final = 5

# What travels through Temporal (its limit is 2 MB per payload), and how long its steps may take.
RECORD_PAGE_BYTES_MAX: Final = 512 * 1024  # of a claim's record in one message; the rest is asked for
RECORD_PAGE_ENTRIES_MAX: Final = 128  # that a workflow verifies and folds at a time: it must not take seconds
PAGES_IN_A_TASK_BYTES_MAX: Final = RECORD_PAGE_BYTES_MAX // 4  # longer ones go through a queue, one by one
LEDGER_AT_ONCE_MAX: Final = timedelta(seconds=6)  # tries beside the workflow; then the step is queued
LEDGER_STEP_MAX: Final = timedelta(seconds=10)  # an attempt to read or append
EVIDENCE_STEP_MAX: Final = timedelta(minutes=5)
NOTICE_STEP_MAX: Final = timedelta(minutes=5)  # one attempt to reach every channel
GATE_STEP_MAX: Final = timedelta(hours=24)  # one look at every sealed byte of a stage
EVIDENCE_LOOKS_MAX: Final = 8  # at a claim that grows while its evidence is read
GATE_LOOKS_MAX: Final = 8  # at a record that grows while the gate decides; the bytes are read once
WITNESS_STEP_MAX: Final = timedelta(minutes=5)  # to read a record and sign, or to deal an epoch
GATE_HEARTBEAT_MAX: Final = timedelta(seconds=8)  # then its process counts as dead, and the step is retried
WORK_HEARTBEAT_MAX: Final = timedelta(seconds=8)
HEARTBEAT_EVERY: Final = timedelta(seconds=2)
STEP_RETRY_MAX: Final = timedelta(seconds=10)  # between attempts, so that work resumes soon after a fault
CLOCK_RETRY_MIN: Final = timedelta(seconds=2)  # when the database's clock is behind
CLOCK_RETRY_MAX: Final = timedelta(seconds=30)  # so that work resumes soon after the clocks are right
assert NOTICE_STEP_MAX > LEDGER_STEP_MAX  # it ends with such a step

# Notices.
METRICS_READERS_MAX: Final = 8  # at once, on the port of the figures
CHANNEL_REPLY_MAX: Final = timedelta(seconds=30)  # for a mail server or a webhook to send the next bytes,
CHANNEL_TIME_MAX: Final = timedelta(minutes=2)  # and for all of one letter, lest a few bytes come for ever
assert CHANNEL_REPLY_MAX < CHANNEL_TIME_MAX < NOTICE_STEP_MAX - LEDGER_STEP_MAX  # the rest is recorded
CHANNEL_DETAIL_LENGTH_MAX: Final = 200
LETTER_FILE_SIZE_BYTES_MAX: Final = 1024 * 1024  # of a letter as a file, or of the mail that it lies in

STORAGE_NOTICE_FINDINGS_MAX: Final = 64  # in one letter, so that a lost disk is not one letter per file
STORAGE_NOTICE_RETRY_MAX: Final = timedelta(days=1)
LETTERS_SOON: Final = timedelta(seconds=5)  # after an event that the parties get a letter about at once
STORAGE_NOTICE_AGAIN: Final = timedelta(minutes=15)  # after what kept the storekeeper from looking
assert STORAGE_NOTICE_FINDINGS_MAX <= LIST_LENGTH_MAX

# The command line and the receiver, towards the server.
HTTP_ATTEMPTS_MAX: Final = 6  # of one request, while the answer is 503
HTTP_RETRY_AFTER_MAX: Final = timedelta(seconds=30)
HTTP_TIMEOUT: Final = timedelta(seconds=60)  # between two bytes,
ANSWER_TIME_MAX: Final = timedelta(minutes=5)  # and of a whole answer; a blob may take longer:
BLOB_BYTES_PER_SECOND_MIN: Final = 1024
RECONNECT_MIN: Final = timedelta(seconds=1)  # between attempts after a broken connection, doubling
RECONNECT_MAX: Final = timedelta(seconds=15)
OUTAGE_MAX: Final = timedelta(minutes=2)  # that an upload or a download outlives
PROBLEM_SIZE_BYTES_MAX: Final = 256 * 1024  # of a refusal, or a page in its place
RECEIPT_SIZE_BYTES_MAX: Final = 64 * 1024  # of what acknowledges a statement or a part of a blob
EVENT_LINE_BYTES_MAX: Final = 64 * 1024
ANSWER_SIZE_BYTES_MAX: Final = 16 * 1024 * 1024
ANSWER_NODES_MAX: Final = 200_000
UPLOAD_PART_BYTES: Final = 8 * 1024 * 1024
UPLOAD_ATTEMPTS_MAX: Final = 8  # at the same offset of a blob
BEARER_LIFETIME: Final = timedelta(seconds=300)
BEARER_BACKDATED: Final = timedelta(seconds=120)  # so that a client's clock may be ahead as far as behind
BEARER_USE_MAX: Final = timedelta(seconds=60)  # then another is signed
assert BEARER_USE_MAX + BEARER_BACKDATED + BEARER_BACKDATED <= BEARER_LIFETIME
TRUST_FILE_BYTES_MAX: Final = 1024 * 1024
UNSENT_LIFETIME_MAX: Final = timedelta(days=30)  # of what was signed and never answered
VERDICT_WAIT_MAX: Final = timedelta(minutes=10)
CUSTODY_WAIT_MAX: Final = timedelta(minutes=1)
LEDGER_PAGES_MAX: Final = 10_000
PASSPHRASE_BYTES_MAX: Final = 1024
PIPE_OPENED_MAX: Final = timedelta(seconds=3)  # until somebody opens a pipe to write a passphrase into it
PASSPHRASE_LENGTH_WISE: Final = 15  # characters; a shorter one is taken with a warning,
PASSPHRASE_LETTERS_WISE: Final = 6  # as is one of fewer different ones
COMMAND_TIME_MAX: Final = timedelta(minutes=15)  # of what a receiver runs to activate or to check
COMMAND_WORDS_MAX: Final = 64
FILE_SYSTEM_BLOCK_BYTES: Final = 4096  # what the smallest file takes on a common file system
RECEIVER_SPARE_BYTES: Final = 256 * 1024  # for folders, the logbook and receipts
ACTIVATION_PAUSE_MIN: Final = timedelta(seconds=5)  # before a failed activation is tried again,
ACTIVATION_PAUSE_MAX: Final = timedelta(minutes=5)  # twice as long each time, up to this
ACTIVATION_REPORT_TIME: Final = timedelta(seconds=20)  # left to report a failure before the window ends

# The gate's own journal, and evidence files.
GATE_NOTE_BYTES_MAX: Final = 512 * 1024  # the contributions to one stage
EVIDENCE_SIZE_BYTES_MAX: Final = 40 * 1024 * 1024
EVIDENCE_FRAME_BYTES_MAX: Final = 256 * 1024  # of what is not an entry
EVIDENCE_ENTRY_BYTES_MAX: Final = 1024 * 1024
EVIDENCE_SIGNATURES_MAX: Final = 2 * 8 * 1024  # of all entries together, each as often as it is verified,
EVIDENCE_UNNAMED_SIGNATURES_MAX: Final = 256  # and of those that name no key: each may be anybody's
EVIDENCE_ENTRIES_MAX: Final = 8 * 1024
EVIDENCE_VERSIONS_MAX: Final = 128  # of the agreement,
EVIDENCE_VERSIONS_BYTES_MAX: Final = 8 << 20  # together: verifying a mebibyte takes 0.3 s, and at worst twice
assert AGREEMENT_SIZE_BYTES_MAX < EVIDENCE_VERSIONS_BYTES_MAX <= EVIDENCE_SIZE_BYTES_MAX
RECEIVER_KNOWN_BYTES_MAX: Final = 80 * EVIDENCE_ENTRIES_MAX + 64  # a digest of each entry of a record
EVIDENCE_ROOT_KEYS_MAX: Final = 64

# The API, towards its clients.
BEARER_LEEWAY: Final = timedelta(seconds=30)  # between the clocks of client and server
BEARER_SIZE_BYTES_MAX: Final = 4096
UPDATE_WAIT_MAX: Final = timedelta(seconds=40)  # for the engine to acknowledge; shorter than HTTP_TIMEOUT
ENGINE_NUDGE_MAX: Final = timedelta(seconds=5)  # for calls that the reconciler makes up for
EVIDENCE_WAIT_MAX: Final = timedelta(seconds=50)
LEDGER_PAGE_ENTRIES_MAX: Final = 256
LEDGER_READ_ENTRIES_MAX: Final = LEDGER_PAGE_ENTRIES_MAX * LEDGER_PAGES_MAX  # that a verifier reads
LIST_PAGE_CLAIMS_MAX: Final = 50  # that are read and folded for one page of a list
LIST_PAGE_ITEMS_MAX: Final = 100  # agreements, deposits or entries of one page of another list
LIST_PAGES_MAX: Final = 1_000  # that a client asks for, one after the other
EVENT_STREAMS_MAX: Final = 256  # open at once, in one process,
EVENT_STREAMS_EACH_MAX: Final = 8  # and of one caller
EVENT_STREAM_MAX: Final = timedelta(minutes=15)  # then the client asks again, from where it left off
EVIDENCE_BLOB_BYTES_MAX: Final = 1 << 30  # one evidence document, sealed
assert EVIDENCE_DOCUMENTS_MAX * EVIDENCE_BLOB_BYTES_MAX <= EVIDENCE_ROOM_PER_PERSON_BYTES
assert UPDATE_WAIT_MAX < HTTP_TIMEOUT  # so that the client still gets an answer

# What one caller has under way in one process of the API, and the threads that callers take in turn.
REQUESTS_EACH_MAX: Final = 8  # of one caller at once,
HEAVY_REQUESTS_EACH_MAX: Final = 4  # if they cost much,
STRANGER_REQUESTS_EACH_MAX: Final = 4  # or of one address, as long as nobody knows who asks;
STRANGERS_MAX: Final = 256  # of all whom nobody knows together, so that connections are left for the others
REQUESTS_WAITING_EACH_MAX: Final = 32  # so many more wait, and the rest is refused
CONNECTIONS_MAX: Final = 768  # below the 1,024 open files that most systems allow,
CONNECTIONS_EACH_MAX: Final = 512  # and from one address, which may be a proxy's
REQUESTS_MAX: Final = CONNECTIONS_MAX  # under way at once, in one lane: a connection has one at a time
ACT_THREADS_MAX: Final = 8
SMALL_THREADS_MAX: Final = 4
THREAD_SWITCH: Final = timedelta(microseconds=500)  # for which a thread may keep Python to itself
HEAVY_THREADS_MAX: Final = 2  # Python runs one at a time; more would only make the others wait longer
UPLOAD_THREADS_MAX: Final = 4
UPLOAD_LONG_BYTES_MIN: Final = 64 * 1024 * 1024  # one that is read to its end for longer than others can wait
STREAM_THREADS_MAX: Final = 2
STRANGER_THREADS_MAX: Final = 2
API_THREADS_MAX: Final = (
    ACT_THREADS_MAX
    + SMALL_THREADS_MAX
    + HEAVY_THREADS_MAX
    + UPLOAD_THREADS_MAX
    + STREAM_THREADS_MAX
    + STRANGER_THREADS_MAX
)
assert API_THREADS_MAX < 40  # anyio's, so that whose turn it is never waits for a thread  # noqa: PLR2004
API_CONNECTIONS_MAX: Final = API_THREADS_MAX + 4  # to the database; the others look whether it is there
FINDINGS_REMEMBERED_MAX: Final = 1024  # that follow from the logs alone, of each kind
KEYS_REMEMBERED_MAX: Final = 4096  # by their fingerprints, so that a token is verified without the database
HEAD_TIME_MAX: Final = timedelta(seconds=10)  # until a request's head has arrived
BODY_PAUSE_MAX: Final = timedelta(seconds=15)  # between two parts of a body,
BODY_TIME_MAX: Final = timedelta(seconds=30)  # and in all, besides the time for its size:
BODY_BYTES_PER_SECOND_MIN: Final = 1024
ANSWER_PAUSE_MAX: Final = timedelta(seconds=15)  # in which a client takes nothing of what is sent to it,
ANSWER_BYTES_PER_SECOND_MIN: Final = 4096  # besides the time for what it takes
ANSWER_BUFFER_BYTES_MAX: Final = 64 * 1024  # of an answer that waits for its client; then its maker waits
TURN_WAIT_MAX: Final = timedelta(seconds=20)  # for a place or a thread; then the client asks again
assert TURN_WAIT_MAX + UPDATE_WAIT_MAX <= HTTP_TIMEOUT
assert CONNECTIONS_EACH_MAX < CONNECTIONS_MAX
assert STRANGERS_MAX < CONNECTIONS_MAX // 2

# The worker's processes.
CHECKPOINT_SOON: Final = timedelta(seconds=1)  # after an entry; one signature for all until then
LEDGER_STEPS_AT_ONCE_MAX: Final = 8  # writers take turns anyway
WORK_STEPS_AT_ONCE_MAX: Final = 32
BLOB_STEPS_AT_ONCE_MAX: Final = 4  # deposits that are read whole
GATE_STEPS_AT_ONCE_MAX: Final = 16  # stages that are read whole: a party's few large ones leave others theirs
GATE_STEPS_EACH_MAX: Final = 4  # of one agreement
WITNESS_STEPS_AT_ONCE_MAX: Final = 4
assert GATE_STEPS_EACH_MAX < GATE_STEPS_AT_ONCE_MAX
WORKFLOWS_CACHED_MAX: Final = 1000
WORKFLOW_TASK_MAX: Final = timedelta(seconds=5)  # how long a task waits after its worker was killed
STICKY_MAX: Final = timedelta(seconds=2)
SHUTDOWN_MAX: Final = timedelta(seconds=10)
CONNECT_RETRY_MIN: Final = timedelta(milliseconds=250)
CONNECT_RETRY_MAX: Final = timedelta(seconds=5)
