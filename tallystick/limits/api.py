"""What the API does for its clients at once, how much it answers, and how long it waits for them."""

from datetime import timedelta
from typing import Final

from tallystick.limits.client import HTTP_TIMEOUT

BEARER_LEEWAY: Final = timedelta(seconds=30)  # between the clocks of client and server
BEARER_SIZE_BYTES_MAX: Final = 4096
UPDATE_WAIT_MAX: Final = timedelta(seconds=40)  # for the engine to acknowledge; shorter than HTTP_TIMEOUT
ENGINE_NUDGE_MAX: Final = timedelta(seconds=5)  # for calls that the reconciler makes up for
EVIDENCE_WAIT_MAX: Final = timedelta(seconds=50)
LIST_PAGE_CLAIMS_MAX: Final = 50  # that are read and folded for one page of a list
LIST_PAGE_ITEMS_MAX: Final = 100  # agreements, deposits or entries of one page of another list
STRANGERS_SAID_EVERY: Final = timedelta(minutes=1)  # whatever anybody's connections can have logged
EVENT_STREAMS_MAX: Final = 256  # open at once, in one process,
EVENT_STREAMS_EACH_MAX: Final = 8  # and of one caller
EVENT_STREAM_MAX: Final = timedelta(minutes=15)  # then the client asks again, from where it left off
assert UPDATE_WAIT_MAX < HTTP_TIMEOUT  # so that the client still gets an answer

# What one caller has under way in one process of the API, and the threads that callers take in turn.
ARRIVALS_MAX: Final = 8  # requests that begin at once, between two looks at all connections,
ARRIVALS_EACH_MAX: Final = 2  # and of one address
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
HEAD_BYTES_MAX: Final = 16 * 1024  # of a request's head, as of most servers
HEAD_LINES_MAX: Final = 128
CHUNKS_FREE: Final = 1024  # in which a body may come, however small they are,
CHUNK_BYTES_MIN: Final = 512  # and then one for so many bytes that have come
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
