"""How many deposits there may be in a day: each has every byte that it names read again, in every store.

A deposit that names files which an earlier one has named sends nothing, but costs as much reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PersonId
from tallystick.domain.statements.deposits import Deposit
from tallystick.limits.storage import (
    DEPOSIT_DAY,
    DEPOSITED_BYTES_PER_DAY_MAX,
    DEPOSITS_PER_DAY_MAX,
    DEPOSITS_PER_PERSON_AND_DAY_MAX,
)


class TooManyDepositsError(TallystickError):
    """A deposit beyond what one agreement may deposit in a day; `again_at` says when there is room."""

    code = "too-many-deposits"
    why = "Every deposit is read whole in every store, so their number and their bytes in a day are limited."
    advice = "Deposit again at the moment that the facts name, or deposit less often."


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierDeposit:
    """A deposit on record: when it was accepted, whose it is, and the size of all files that it names."""

    accepted_at: datetime
    person: PersonId
    size_bytes: int


def named_bytes(body: Deposit) -> int:
    """Return the size of all files that a deposit names."""
    return sum(component.sealed_bytes for component in body.components)


def check_pace(body: Deposit, earlier: Sequence[EarlierDeposit], at: datetime) -> None:
    """Refuse a deposit that exceeds what the depositor, or one person, may deposit in a day.

    Args:
        body: What is to be deposited.
        earlier: The last deposits under the agreement, newest first: DEPOSITS_PER_DAY_MAX, or all.
        at: When it is accepted.

    Raises:
        TooManyDepositsError: Too many deposits, or too many bytes.
    """
    today = [one for one in earlier if one.accepted_at > at - DEPOSIT_DAY]
    own = [one for one in today if one.person == body.person]
    if len(today) >= DEPOSITS_PER_DAY_MAX:
        raise _too_many("too many deposits under this agreement in a day", today, limit=DEPOSITS_PER_DAY_MAX)
    if len(own) >= DEPOSITS_PER_PERSON_AND_DAY_MAX:
        raise _too_many(
            "too many deposits by one person in a day", own, limit=DEPOSITS_PER_PERSON_AND_DAY_MAX
        )
    if named_bytes(body) + sum(one.size_bytes for one in today) > DEPOSITED_BYTES_PER_DAY_MAX:
        raise _too_many("too many bytes in the deposits of a day", today, limit=DEPOSITED_BYTES_PER_DAY_MAX)


def _too_many(what: str, counted: Sequence[EarlierDeposit], *, limit: int) -> TooManyDepositsError:
    oldest = min((one.accepted_at for one in counted), default=None)
    again_at = None if oldest is None else instant_text(oldest + DEPOSIT_DAY)
    return TooManyDepositsError(f"{what} in a day", limit=limit, again_at=again_at)
