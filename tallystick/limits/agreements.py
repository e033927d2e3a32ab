"""How large an agreement may be, how long its periods, and how far it is played before anybody signs it."""

from datetime import timedelta
from typing import Final

from tallystick.limits.documents import JSON_DEPTH_MAX

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

# What a process remembers of agreements that it has read.
AGREEMENTS_REMEMBERED_BYTES_MAX: Final = 8 << 20
AGREEMENT_CHARGE_BYTES_MIN: Final = 64 * 1024
AGREEMENTS_REMEMBERED_MAX: Final = 32  # whose deadlines are kept
DEADLINES_REMEMBERED_MAX: Final = 256  # of each of those agreements

# Claims that are played to try an agreement, and what they must leave room for.
PLAY_TURNS_MAX: Final = 2_000  # of one play; each is an entry of its record, or a moment
ABSENCES_TOLD_MAX: Final = 4  # in one finding: a reader mends the first, and checks again
PLAY_NOTICES_MAX: Final = 2  # that no channel took: more change nothing
CALENDAR_AHEAD_MIN: Final = timedelta(days=90)  # a claim filed so much later must still fit the calendar
CLAIM_LENGTH_MAX: Final = timedelta(days=366)  # from filing to release, if nobody delays it
WINDOW_MIN: Final = timedelta(seconds=2)  # in a shorter one nobody can act: programs look every two seconds
