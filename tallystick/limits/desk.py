"""What a person's own machine keeps, reads and runs: passphrases, trust, and a receiver's commands."""

from datetime import timedelta
from typing import Final

from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX

TRUST_FILE_BYTES_MAX: Final = 4 * 1024 * 1024
UNSENT_LIFETIME_MAX: Final = timedelta(days=30)  # of what was signed and never answered
SENT_KEPT_MAX: Final = 2_000  # recorded statements of one key, each as a file
VERDICT_WAIT_MAX: Final = timedelta(minutes=10)
DEPOSITS_TOLD_EVERY: Final = 1_000  # of a chain that is verified, so that nobody thinks the command hangs
CUSTODY_WAIT_MAX: Final = timedelta(minutes=1)
PASSPHRASE_BYTES_MAX: Final = 1024
PIPE_OPENED_MAX: Final = timedelta(seconds=3)  # until somebody opens a pipe to write a passphrase into it
PASSPHRASE_LENGTH_WISE: Final = 15  # characters; a shorter one is taken with a warning,
PASSPHRASE_LETTERS_WISE: Final = 6  # as is one of fewer different ones

# The receiver.
COMMAND_TIME_MAX: Final = timedelta(minutes=15)  # of what a receiver runs to activate or to check
COMMAND_WORDS_MAX: Final = 64
COMMAND_LOG_BYTES_MAX: Final = 16 * 1024 * 1024  # of what they say, kept for each stage;
COMMAND_LOG_LOOK: Final = timedelta(milliseconds=100)  # how often its size is looked at meanwhile
FILE_SYSTEM_BLOCK_BYTES: Final = 4096  # what the smallest file takes on a common file system
RECEIVER_SPARE_BYTES: Final = 256 * 1024  # for folders, the logbook and receipts
RECEIVER_KNOWN_BYTES_MAX: Final = 80 * EVIDENCE_ENTRIES_MAX + 64  # a digest of each entry of a record
LOOK_PAUSE_MIN: Final = timedelta(seconds=5)  # between a receiver's looks;
LOOK_PAUSE_MAX: Final = timedelta(minutes=1)  # after refusals twice as long each time, up to this
ACTIVATION_PAUSE_MIN: Final = timedelta(seconds=5)  # before a failed activation is tried again,
ACTIVATION_PAUSE_MAX: Final = timedelta(minutes=5)  # twice as long each time, up to this
ACTIVATION_REPORT_TIME: Final = timedelta(seconds=20)  # left to report a failure before the window ends
