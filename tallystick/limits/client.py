"""How much a client takes from a server, how long it waits, and how often it asks again."""

from datetime import timedelta
from typing import Final

from tallystick.limits.documents import SIGNATURES_PER_ENVELOPE_MAX
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX
from tallystick.limits.steps import RECORD_PAGE_BYTES_MAX

HTTP_ATTEMPTS_MAX: Final = 6  # of one request, while the answer is 503
HTTP_RETRY_AFTER_MAX: Final = timedelta(seconds=30)
HTTP_TIMEOUT: Final = timedelta(seconds=60)  # between two bytes,
ANSWER_TIME_MAX: Final = timedelta(minutes=5)  # and of a whole answer; a blob may take longer:
BLOB_BYTES_PER_SECOND_MIN: Final = 1024
ANSWER_OVERHEAD_BYTES_MAX: Final = 512 * 1024  # before an answer's body, and besides it, once its chunks are
CHUNK_BYTES_MIN: Final = 64  # at least so large on average,
CHUNKS_MIN: Final = 20_000  # after so many; a stream's events and its signs of life are short
RECONNECT_MIN: Final = timedelta(seconds=1)  # between attempts after a broken connection, doubling
RECONNECT_MAX: Final = timedelta(seconds=15)
OUTAGE_MAX: Final = timedelta(minutes=2)  # that an upload or a download outlives
PROBLEM_SIZE_BYTES_MAX: Final = 256 * 1024  # of a refusal, or a page in its place
RECEIPT_SIZE_BYTES_MAX: Final = 64 * 1024  # of what acknowledges a statement or a part of a blob
EVENT_LINE_BYTES_MAX: Final = 64 * 1024
EVENT_STREAM_BYTES_MAX: Final = 4 * 1024 * 1024  # then the client asks again, from where it left off
ANSWER_SIZE_BYTES_MAX: Final = 16 * 1024 * 1024
ANSWER_NODES_MAX: Final = 200_000
LIST_PAGES_MAX: Final = 1_000  # that a client asks for, one after the other,
LIST_BYTES_MAX: Final = 32 * 1024 * 1024  # and all of them together:
LIST_VALUES_MAX: Final = 500_000  # a value of two letters takes a hundred bytes to hold
RECORD_ANSWER_BYTES_MAX: Final = 4 * RECORD_PAGE_BYTES_MAX  # a page's first entry may be larger than a page
RECORD_VALUES_MAX: Final = EVIDENCE_ENTRIES_MAX * (3 * SIGNATURES_PER_ENVELOPE_MAX + 16)
UPLOAD_PART_BYTES: Final = 8 * 1024 * 1024
UPLOAD_PART_BYTES_MIN: Final = 128 * 1024  # for a proxy that takes no more at a time
UPLOAD_ATTEMPTS_MAX: Final = 8  # at the same offset of a blob
BEARER_LIFETIME: Final = timedelta(seconds=300)
BEARER_BACKDATED: Final = timedelta(seconds=120)  # so that a client's clock may be ahead as far as behind
BEARER_USE_MAX: Final = timedelta(seconds=60)  # then another is signed
assert BEARER_USE_MAX + BEARER_BACKDATED + BEARER_BACKDATED <= BEARER_LIFETIME
