"""How long a letter may take to send, and how often and how full one about the stores is."""

from datetime import timedelta
from typing import Final

from tallystick.limits.documents import LIST_LENGTH_MAX
from tallystick.limits.steps import LEDGER_STEP_MAX, NOTICE_STEP_MAX

CHANNEL_REPLY_MAX: Final = timedelta(seconds=30)  # for a mail server or a webhook to send the next bytes,
CHANNEL_TIME_MAX: Final = timedelta(minutes=2)  # and for all of one letter, lest a few bytes come for ever
assert CHANNEL_REPLY_MAX < CHANNEL_TIME_MAX < NOTICE_STEP_MAX - LEDGER_STEP_MAX  # the rest is recorded
CHANNEL_DETAIL_LENGTH_MAX: Final = 200
WEBHOOK_ANSWER_BYTES_MAX: Final = 1024  # of what a webhook answers; the rest is not read
LETTER_FILE_SIZE_BYTES_MAX: Final = 1024 * 1024  # of a letter as a file, or of the mail that it lies in
MAIL_FIELD_LENGTH_MAX: Final = 512  # of what a mail says about its parts; a true one needs 200
MAIL_PARTS_MAX: Final = 16  # of a mail with a letter, which has three, and a few more where it was passed on

STORAGE_NOTICE_FINDINGS_MAX: Final = 64  # in one letter, so that a lost disk is not one letter per file
STORAGE_NOTICE_RETRY_MAX: Final = timedelta(days=1)
LETTERS_SOON: Final = timedelta(seconds=5)  # after an event that the parties get a letter about at once
STORAGE_NOTICE_AGAIN: Final = timedelta(minutes=15)  # after what kept the storekeeper from looking
assert STORAGE_NOTICE_FINDINGS_MAX <= LIST_LENGTH_MAX
LETTER_AGREEMENTS_AT_ONCE_MAX: Final = 16  # whose letters on damage are on their way beside each other
LETTER_ENTRIES_REMEMBERED_MAX: Final = 4096  # of all logs together, by which letters are owed
