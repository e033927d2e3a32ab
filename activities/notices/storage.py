"""Telling the parties what is wrong with copies or the log, through every channel, until one takes it."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import NoReturn

from sqlalchemy import Engine

from activities.engine import engine_header, nonce_of, signed_by_engine
from activities.notices.channels.letter import Letter
from activities.notices.letter_records import LetterRecords
from activities.notices.post import Post
from tallystick import telemetry
from tallystick.crypto.envelope import Envelope
from tallystick.crypto.keys import SigningKey
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, sha256_digest
from tallystick.domain.json import JsonObject
from tallystick.domain.notice.storage import OwedLetter, storage_letter, storage_subject
from tallystick.domain.statements.engine import ChannelResult, StorageNotice
from tallystick.lasting import Lasting, rest
from tallystick.limits.notices import LETTER_AGREEMENTS_AT_ONCE_MAX, LETTERS_SOON, STORAGE_NOTICE_AGAIN
from tallystick.proof.reading import SignedAgreement
from tallystick.store.database.session import DatabaseUnavailableError, reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements

_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageNotices:
    """Gives notice of what is wrong with copies or the log, and records whom it reached, with the log key.

    Attributes:
        records: What the logs say about letters: one who gives notice again and again reads on from there.
    """

    database: Engine
    log_key: SigningKey = field(repr=False)
    post: Post
    clock: Callable[[], datetime]
    records: LetterRecords = field(default_factory=LetterRecords)

    def give(self, among: Iterable[AgreementId] | None = None) -> dict[AgreementId, datetime]:
        """Send every letter that is owed now, and return for each agreement when the next one is owed.

        A letter is sent before it is on record: after a crash in between it is sent again, under
        the same id. One that a second worker has recorded meanwhile is not recorded again.

        An agreement whose record was altered does not hold up other agreements' letters; it is looked at
        again soon.

        Args:
            among: Where to look; every agreement if absent.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        if among is None:
            with reading(self.database) as session:
                among = agreements.agreement_ids(session)
        return asyncio.run(self._given_to_all(among))

    async def _given_to_all(self, among: Iterable[AgreementId]) -> dict[AgreementId, datetime]:
        """Go through agreements beside each other: slow recipients hold up only their own agreement."""
        places = asyncio.Semaphore(LETTER_AGREEMENTS_AT_ONCE_MAX)

        async def given(agreement_id: AgreementId) -> tuple[AgreementId, datetime | None]:
            async with places:
                return agreement_id, await self._given_if_possible(agreement_id)

        found = await asyncio.gather(*(given(one) for one in among))
        return {one: due for one, due in found if due is not None}

    async def _given_if_possible(self, agreement_id: AgreementId) -> datetime | None:
        try:
            return await self._given(agreement_id)
        except DatabaseUnavailableError:
            raise
        except TallystickError as error:
            _log.error(
                "what letters are owed cannot be told",
                agreement=agreement_id,
                code=error.code,
                why=str(error),
            )
            return self.clock() + STORAGE_NOTICE_AGAIN

    async def _given(self, agreement_id: AgreementId) -> datetime | None:
        signed, due = await asyncio.to_thread(self._owed, agreement_id)
        at = self.clock()
        await asyncio.gather(*(self._send(signed, one) for one in due if one.due_at <= at))
        _, left = await asyncio.to_thread(self._owed, agreement_id)
        return min((one.due_at for one in left), default=None)

    def _owed(self, agreement_id: AgreementId) -> tuple[SignedAgreement, tuple[OwedLetter, ...]]:
        with reading(self.database) as session:
            return self.records.owed(session, agreement_id)

    async def _send(self, signed: SignedAgreement, due: OwedLetter) -> None:
        text = storage_letter(signed.agreement, due)
        results = await self._through_all(signed, due, text)
        await asyncio.to_thread(self._record, signed, due, text, results)

    def _record(
        self, signed: SignedAgreement, due: OwedLetter, text: str, results: tuple[ChannelResult, ...]
    ) -> None:
        at = self.clock()
        with transaction(self.database) as session:
            signed, still = self.records.owed(session, signed.agreement.id)
            if any((one.party.id, one.attempt) == (due.party.id, due.attempt) for one in still):
                envelope = self._statement(signed, due, text, results, at)
                ledger.append(session, signed.agreement.id, envelope, at, claim=None)

    async def _through_all(
        self, signed: SignedAgreement, due: OwedLetter, text: str
    ) -> tuple[ChannelResult, ...]:
        name = f"storage-{nonce_of(_members(signed, due))}"
        letter = Letter(
            id=name,
            subject=storage_subject(signed.agreement),
            text=text,
            terms=signed.terms,
            party=due.party.id,
            issued_at=self.clock(),
        )
        channels = enumerate(due.party.channels)
        return await self.post.send_all(
            (channel, replace(letter, id=f"{name}-{place}")) for place, channel in channels
        )

    def _statement(
        self,
        signed: SignedAgreement,
        due: OwedLetter,
        text: str,
        results: tuple[ChannelResult, ...],
        at: datetime,
    ) -> Envelope:
        notice = StorageNotice(
            **engine_header(signed.terms, at, _members(signed, due)),
            party=due.party.id,
            attempt=due.attempt,
            findings=tuple(finding for finding, _ in due.findings),
            text_digest=sha256_digest(text.encode()),
            channels=results,
        )
        return signed_by_engine(notice, self.log_key)


class LettersSoon:
    """Sends letters soon after they are owed; those that no channel takes, again when that is due."""

    def __init__(self, notices: StorageNotices) -> None:
        """Begin with nothing: the storekeeper sends what was owed before."""
        self._notices = notices
        self._due: dict[AgreementId, datetime] = {}
        self._lock = Lock()

    def owe(self, agreement_id: AgreementId) -> None:
        """Remember that letters are owed under an agreement; returns at once."""
        with self._lock:
            self._due[agreement_id] = self._notices.clock()

    def keep_sending(self, rest: Callable[[timedelta], None] = rest) -> NoReturn:
        """Send again and again what is owed by then; whatever fails, it is owed still."""
        sending = Lasting("letters about the log were not sent")
        while True:
            rest(LETTERS_SOON)
            with sending.attempt():
                self.send()

    def send(self) -> None:
        """Send every letter that is owed under these agreements now.

        Raises:
            DatabaseUnavailableError: The database is out of reach; all of it is owed still.
        """
        with self._lock:
            now = self._notices.clock()
            owed = {one: due_at for one, due_at in self._due.items() if due_at <= now}
            self._due = {one: due_at for one, due_at in self._due.items() if due_at > now}
        try:
            owed = self._notices.give(owed) if owed else {}
        finally:
            with self._lock:
                self._due = owed | self._due


def _members(signed: SignedAgreement, due: OwedLetter) -> JsonObject:
    return {
        "agreement": signed.agreement.id,
        "party": due.party.id,
        "attempt": due.attempt,
        "findings": [finding for finding, _ in due.findings],
    }
