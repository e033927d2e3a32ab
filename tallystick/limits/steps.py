"""What travels through Temporal, how long the engine's steps may take, and how long it waits between them."""

from datetime import timedelta
from typing import Final

from tallystick.limits.agreements import COMPONENTS_MAX
from tallystick.limits.claims import RECEIVERS_MAX
from tallystick.limits.sealing import AGE_STANZA_BYTES_MAX

# How long the engine waits before it asks the gate again after a refusal,
# doubling each time: a refused release may become possible without a new statement.
GATE_RETRY_MIN: Final = timedelta(seconds=5)
GATE_RETRY_MAX: Final = timedelta(minutes=15)  # the longest wait after a halt of up to a day;
GATE_RETRY_SHARE: Final = 96  # after a longer halt, this part of the time that the claim has waited,
GATE_RETRY_SELDOM: Final = timedelta(hours=6)  # but never longer
GATE_ASKED_SOON_MAX: Final = 128  # times on one claim; from then on a part of the time since the first passes
GATE_ASKED_AT_ONCE_MAX: Final = 256  # before it is asked again; so it does after an act, after so many times:
GATE_ASKED_SHARE: Final = 48  # this part
RETRY_DOUBLINGS_MAX: Final = 20  # of any pause, so that no number grows without end
NOTICE_RETRY_MIN: Final = timedelta(seconds=10)
NOTICE_RETRY_MAX: Final = timedelta(hours=6)  # as often as it takes: only people end it;
NOTICE_RETRY_SHARE: Final = 48  # after a longer time, this part of it

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
GATE_NOTE_BYTES_MAX: Final = 2 * 1024 * 1024  # the contributions to one stage, in base64
assert 2 * COMPONENTS_MAX * RECEIVERS_MAX * AGE_STANZA_BYTES_MAX < GATE_NOTE_BYTES_MAX
WITNESS_STEP_MAX: Final = timedelta(minutes=5)  # to read a record and sign, or to deal an epoch
GATE_HEARTBEAT_MAX: Final = timedelta(seconds=8)  # then its process counts as dead, and the step is retried
WORK_HEARTBEAT_MAX: Final = timedelta(seconds=8)
HEARTBEAT_EVERY: Final = timedelta(seconds=2)
STEP_RETRY_MAX: Final = timedelta(seconds=10)  # between attempts, so that work resumes soon after a fault
CLOCK_RETRY_MIN: Final = timedelta(seconds=2)  # when the database's clock is behind
CLOCK_RETRY_MAX: Final = timedelta(seconds=30)  # so that work resumes soon after the clocks are right
assert NOTICE_STEP_MAX > LEDGER_STEP_MAX  # it ends with such a step
