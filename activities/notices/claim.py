"""Giving notice of a claim to the depositor, on every channel the agreement names.

A notice that no channel took is recorded as such, and starts nothing: a window opens on
proof of notice only. So nobody can let a window run out by suppressing notices.
"""

import asyncio
from datetime import datetime
from typing import Final

from sqlalchemy import Engine
from temporalio import activity

from activities.clock import now
from activities.engine import engine_header, signed_by_engine
from activities.heartbeats import waiting_alive
from activities.notices.channels.letter import Letter
from activities.notices.post import Post
from activities.pages import page
from activities.places import NoticeBusyError, Places, SlowShare
from tallystick.crypto.envelope import Envelope
from tallystick.crypto.keys import SigningKey
from tallystick.domain.admission.door import admit
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.claim.claim import WrongClaimStateError
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import digits_of, sha256_digest
from tallystick.domain.json import JsonObject
from tallystick.domain.notice.letter import claim_letter, claim_subject
from tallystick.domain.notice.proof import channels_left
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.statements.engine import ChannelResult, Notice
from tallystick.faults import crossing
from tallystick.limits.documents import CLOCK_SKEW_MAX
from tallystick.limits.processes import NOTICE_SLOW, NOTICE_STEPS_EACH_MAX, NOTICE_STEPS_SLOW_MAX
from tallystick.limits.steps import NOTICE_STEP_MAX
from tallystick.messages import GiveNotice, NewEntries
from tallystick.proof.reading import read_signed
from tallystick.store.cases import casefile
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger

_SLOW: Final = SlowShare(after=NOTICE_SLOW, places=NOTICE_STEPS_SLOW_MAX)


class ClocksDisagreeError(TallystickError):
    """The clock of the worker's host is ahead of Temporal's, and one of the two is wrong."""

    code = "clocks-disagree"
    why = "Notice counts from when it was sent; if a clock is days ahead, it would count days too late."
    advice = "Correct the clock of the worker's host, or of Temporal's; the notice is then given."
    retryable = True


class NoticeActivities:
    """What the worker does to notify a depositor.

    Attributes:
        places: How many notices of one agreement are on their way at a time: a recipient may take minutes.
        depositors: How many are to one depositor, whatever the agreement, and to all slow ones together.
    """

    def __init__(
        self,
        *,
        database: Engine,
        log_key: SigningKey,
        post: Post,
        slow: SlowShare = _SLOW,
    ) -> None:
        self._database = database
        self._log_key = log_key
        self._post = post
        self.places = Places(NOTICE_STEPS_EACH_MAX, NoticeBusyError)
        self.depositors = Places(NOTICE_STEPS_EACH_MAX, NoticeBusyError, slow=slow)

    @activity.defn
    async def give_notice(self, request: GiveNotice) -> NewEntries:
        """Send a notice through every channel and record which took it.

        One attempt is recorded once. A repeated run sends the same letters, under the same ids,
        only while they are not on record; a channel can tell by the id that it has one already.

        Raises:
            ApplicationError: The database is out of reach, or enough notices of the agreement, to this
                depositor or to slow ones are on their way, so Temporal tries again; nothing else ends it.
        """
        with crossing(retried=True), self.places.place(request.agreement):
            async with waiting_alive():
                return await self._given(request)

    async def _given(self, request: GiveNotice) -> NewEntries:
        case = await asyncio.to_thread(self._case_if_owed, request)
        if case is None:
            return await asyncio.to_thread(self._newer, request)
        with self.depositors.place(request.agreement, _persons_of_depositor(case.agreement)):
            return await self._sent(case, request)

    async def _sent(self, case: CaseFile, request: GiveNotice) -> NewEntries:
        _trusted_now()  # by a wrong clock no letter is sent; else each retry would send them all
        text = claim_letter(case.agreement, case.claim, at=request.at)
        channels = channels_left(case.agreement, case.claim)
        results = await self._post.send_all(
            (channel, _letter(case, request, place, text)) for place, channel in channels
        )
        return await asyncio.to_thread(self._recorded, request, text, results)

    def _case_if_owed(self, request: GiveNotice) -> CaseFile | None:
        """Look again right before sending: a worker that wakes up late must not write letters."""
        with reading(self._database) as session:
            case = casefile.load(session, request.claim)
        owed = notice_due_at(case.agreement, case.claim) is not None
        return case if owed and len(case.claim.notices) + 1 == request.attempt else None

    def _recorded(self, request: GiveNotice, text: str, results: tuple[ChannelResult, ...]) -> NewEntries:
        # Notice never counts from before it was sent, whatever the workflow's clock says.
        at = max(request.at, _trusted_now())
        with reading(self._database) as session:  # so that it does not fold while others wait to write
            known = casefile.load(session, request.claim)
        with transaction(self._database) as session:
            case = casefile.caught_up(session, known)
            if len(case.claim.notices) + 1 == request.attempt:
                envelope = self._statement(case, request, text, results)
                try:
                    admit(case.agreement, case.claim, read_signed(envelope, case.agreement), at=at)
                except WrongClaimStateError:
                    return self._newer(request)  # the claim ended while the letters were on their way
                ledger.append(session, case.agreement.id, envelope, at, claim=case.claim.digest)
            newer = casefile.record(session, case.agreement.id, case.claim.digest, after=request.after)
            return NewEntries(recorded=True, entries=page(newer))

    def _newer(self, request: GiveNotice) -> NewEntries:
        with reading(self._database) as session:
            newer = casefile.record(session, request.agreement, request.claim, after=request.after)
        return NewEntries(recorded=False, entries=page(newer))

    def _statement(
        self, case: CaseFile, request: GiveNotice, text: str, results: tuple[ChannelResult, ...]
    ) -> Envelope:
        told: JsonObject = {"claim": request.claim, "notice": request.attempt}
        notice = Notice(
            **engine_header(case.signed.terms, request.at, told),
            claim=case.claim.digest,
            party=depositor(case.agreement).id,
            attempt=request.attempt,
            text_digest=sha256_digest(text.encode()),
            channels=results,
        )
        return signed_by_engine(notice, self._log_key)


def _trusted_now() -> datetime:
    """Return the time by this host's clock, unless it is ahead by more than an attempt may take.

    Raises:
        ClocksDisagreeError: It is, compared with when Temporal says that it started this attempt.
    """
    host_at, started_at = now(), activity.info().started_time
    if host_at - started_at > CLOCK_SKEW_MAX + NOTICE_STEP_MAX:
        raise ClocksDisagreeError(
            "this host's clock is ahead of Temporal's",
            now=instant_text(host_at),
            started_at=instant_text(started_at),
        )
    return host_at


def _persons_of_depositor(agreement: Agreement) -> str:
    """Return the keys of all persons of the depositor: by them one party is known under every agreement.

    All together: anyone could list one key of another party, and so take that party's places.
    """
    party = depositor(agreement).id
    return " ".join(sorted({one.signing_key for one in agreement.persons if one.party == party}))


def _letter(case: CaseFile, request: GiveNotice, channel: int, text: str) -> Letter:
    return Letter(
        id=_letter_id(request, channel),
        subject=claim_subject(case.agreement, case.claim),
        text=text,
        terms=case.signed.terms,
        party=depositor(case.agreement).id,
        issued_at=request.at,
        claim=case.claim.digest,
    )


def _letter_id(request: GiveNotice, channel: int) -> str:
    """Return the id of a letter: its claim, attempt and channel, so that a repeated letter has the same."""
    return f"notice-{digits_of(request.claim)}-{request.attempt}-{channel}"
