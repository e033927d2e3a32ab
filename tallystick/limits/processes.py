"""How much a server's processes do at once, and how long they take to start and to stop."""

from datetime import timedelta
from typing import Final

# The embedded stack.
STACK_READY_SECONDS_MAX: Final = 60
STACK_STOP_SECONDS_MAX: Final = 20
API_STOP_SECONDS_MAX: Final = 5  # for requests under way to end, once the API is told to stop
STACK_RESTART_PAUSE_MIN: Final = timedelta(seconds=1)  # before a process that fails twice is started again,
STACK_RESTART_PAUSE_MAX: Final = timedelta(seconds=10)  # twice as long each time, up to this,
STACK_STEADY_SECONDS: Final = 60  # until it has run for so long
LOGS_KEPT_MAX: Final = 5

# The worker's processes.
METRICS_READERS_MAX: Final = 8  # at once, on the port of the figures
CHECKPOINT_SOON: Final = timedelta(seconds=1)  # after an entry; one signature for all until then
LEDGER_STEPS_AT_ONCE_MAX: Final = 8  # writers take turns anyway
WORK_STEPS_AT_ONCE_MAX: Final = 32
NOTICE_STEPS_EACH_MAX: Final = 4  # of one agreement or depositor: each takes as long as its recipients like,
NOTICE_STEPS_SLOW_MAX: Final = 12  # and of all together whose last notice
NOTICE_SLOW: Final = timedelta(seconds=10)  # took longer than this
SLOW_KNOWN_MAX: Final = 10_000  # agreements and keys that are known to be slow
EVIDENCE_STEPS_EACH_MAX: Final = 4  # evidence files under one agreement
BLOB_STEPS_AT_ONCE_MAX: Final = 8  # deposits that are read whole,
BLOB_STEPS_EACH_MAX: Final = 2  # and of one agreement, or of one depositor's key
GATE_STEPS_AT_ONCE_MAX: Final = 16  # stages that are read whole: a party's few large ones leave others theirs
GATE_STEPS_EACH_MAX: Final = 4  # of one agreement
WITNESS_STEPS_AT_ONCE_MAX: Final = 4
assert GATE_STEPS_EACH_MAX < GATE_STEPS_AT_ONCE_MAX
assert NOTICE_STEPS_SLOW_MAX + EVIDENCE_STEPS_EACH_MAX + NOTICE_STEPS_EACH_MAX < WORK_STEPS_AT_ONCE_MAX
assert BLOB_STEPS_EACH_MAX < BLOB_STEPS_AT_ONCE_MAX
WORKFLOWS_CACHED_MAX: Final = 1000
WORKFLOW_TASK_MAX: Final = timedelta(seconds=5)  # how long a task waits after its worker was killed
STICKY_MAX: Final = timedelta(seconds=2)
SHUTDOWN_MAX: Final = timedelta(seconds=10)
SAID_AGAIN_AFTER: Final = timedelta(
    days=1
)  # what is damaged, or keeps a log from being signed: the same again
SAID_MAX: Final = 10_000  # things that are remembered as said
LASTING_RETRY_MIN: Final = timedelta(seconds=10)  # after recurring work has failed, doubling up to its pause
CONNECT_RETRY_MIN: Final = timedelta(milliseconds=250)
CONNECT_RETRY_MAX: Final = timedelta(seconds=5)
