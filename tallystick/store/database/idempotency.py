"""Answers by `Idempotency-Key`: the same request again gets the same answer.

A request has one effect even without this: a statement is one act, however often it is
sent. Only the *answer* is kept here: the first one, for a day. Each sender has a number of
answers of their own, so that nobody pushes out another's.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, delete, select

from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import Digest
from tallystick.limits.storage import ANSWER_KEPT_MAX, ANSWERS_PER_SENDER_MAX, IDEMPOTENCY_KEY_LENGTH_MAX
from tallystick.store.database.tables import AnswerRow

_KEY: Final = re.compile(rf"[!-~]{{1,{IDEMPOTENCY_KEY_LENGTH_MAX}}}")


class MalformedIdempotencyKeyError(MalformedError):
    """An `Idempotency-Key` that is empty, too long or not plain ASCII."""

    code = "malformed-idempotency-key"
    why = "The key is 1 to 128 visible ASCII characters."
    advice = "Send a random UUID, and the same one when you repeat the request."


class IdempotencyKeyReusedError(TallystickError):
    """The key was used before, for another request."""

    code = "idempotency-key-reused"
    why = "A key names one request: the same route and the same body, byte for byte."
    advice = "Use a new key for a new request; repeat the old one unchanged to get its answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request that a key names: its sender (a key's fingerprint), its route, and its body's digest."""

    principal: Digest
    key: str
    route: str
    body_digest: Digest

    def __post_init__(self) -> None:
        """Refuse a malformed key before it is looked up.

        Raises:
            MalformedIdempotencyKeyError: Not 1 to 128 visible ASCII characters.
        """
        if _KEY.fullmatch(self.key) is None:
            raise MalformedIdempotencyKeyError("not an idempotency key", length=len(self.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it was given: the HTTP status, and the body's bytes."""

    status: int
    response: bytes


def recall(session: Session, request: Request, at: datetime) -> Answer | None:
    """Return the answer that this request got before, if it was sent within ANSWER_KEPT_MAX.

    Raises:
        IdempotencyKeyReusedError: The principal used the key for another request.
    """
    row = session.get(AnswerRow, (request.principal, request.key))
    if row is None or row.answered_at < at - ANSWER_KEPT_MAX:
        return None
    if (row.route, row.body_digest) != (request.route, request.body_digest):
        raise IdempotencyKeyReusedError("the key was used for another request", route=row.route)
    return Answer(status=row.status, response=row.response)


def remember(session: Session, request: Request, answer: Answer, answered_at: datetime) -> Answer:
    """Keep `answer` for `request`, and return the one that counts: the first.

    The sender's own oldest answers make room for it.

    Raises:
        IdempotencyKeyReusedError: The principal used the key for another request.
    """
    if (earlier := recall(session, request, answered_at)) is not None:
        return earlier
    _make_room(session, request.principal, answered_at)
    row = AnswerRow(
        principal=request.principal,
        key=request.key,
        route=request.route,
        body_digest=request.body_digest,
        status=answer.status,
        response=answer.response,
        answered_at=answered_at,
    )
    session.add(row)
    session.flush()
    return answer


def forget(session: Session, before: datetime) -> int:
    """Drop answers given before a moment, and return how many: keys are for retries, not for ever."""
    return session.exec(delete(AnswerRow).where(col(AnswerRow.answered_at) < before)).rowcount


def _make_room(session: Session, principal: Digest, at: datetime) -> None:
    """Drop the sender's answers that have expired, and the oldest if there are still as many as may be."""
    mine = col(AnswerRow.principal) == principal
    session.exec(delete(AnswerRow).where(mine, col(AnswerRow.answered_at) < at - ANSWER_KEPT_MAX))
    newest_first = select(AnswerRow.key).where(mine).order_by(col(AnswerRow.answered_at).desc())
    for key in session.exec(newest_first.offset(ANSWERS_PER_SENDER_MAX - 1)).all():
        session.exec(delete(AnswerRow).where(mine, col(AnswerRow.key) == key))
