"""How letters are sent: each through its channel, signed by the letter key, all at once.

A channel that does not take a letter is a result, not an error. Its detail never
contains an address's password, a server's words at length, or a stack trace.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiosmtplib
import httpx

from activities.engine import nonce_of
from activities.notices.channels.letter import Letter, NotTakenError, Taken
from activities.notices.channels.mail import Mail
from activities.notices.channels.outbox import Outboxes
from activities.notices.channels.webhook import Webhooks
from tallystick import telemetry
from tallystick.certificates import certificate_fault
from tallystick.crypto.envelope import sign
from tallystick.crypto.letter_key import LetterKey
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import engine_person, sha256_digest
from tallystick.domain.json import JsonObject
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.engine import ChannelResult
from tallystick.domain.statements.letters import LetterStatement
from tallystick.limits.notices import CHANNEL_DETAIL_LENGTH_MAX, CHANNEL_TIME_MAX
from tallystick.proof.letter import LetterFile, letter_bytes

_log = telemetry.logger(__name__)

_WORDS_MAX: Final = 120  # of what a mail server says


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """How the deployment sends letters.

    Attributes:
        domain: The deployment's own, for mail that has no other sender.
        smtp_url: `smtp://` or `smtps://`, with user and password if any.
        mail_from: The address that mail comes from.
        mail_caught: Whether the mail server keeps all mail to itself, as one does for trying things out.
        letter_key: Signs every letter and every webhook.
        loopback: Whether webhooks may go to this machine, even without TLS: for tests and demonstrations.
        time_max: How long one letter may take on its way through one channel.
    """

    domain: str
    outbox_dir: Path
    letter_key: LetterKey
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    mail_caught: bool = False
    webhook_hosts: tuple[str, ...] = ()
    loopback: bool = False
    time_max: timedelta = CHANNEL_TIME_MAX

    async def send_all(self, letters: Iterable[tuple[Channel, Letter]]) -> tuple[ChannelResult, ...]:
        """Send each letter through its channel, all at once; return what goes on record of them, in order."""
        return tuple(await asyncio.gather(*(self._sent(channel, letter) for channel, letter in letters)))

    async def _sent(self, channel: Channel, letter: Letter) -> ChannelResult:
        answer = await self.send(channel, letter)
        kind, address = channel.kind, channel.address
        if not answer.taken:
            _log.warning("a letter was not taken", letter=letter.id, kind=kind.value, why=answer.detail)
        return ChannelResult(
            kind=kind, address=address, taken=answer.taken, own=answer.own, detail=answer.detail
        )

    async def send(self, channel: Channel, letter: Letter) -> Taken:
        """Send `letter` through `channel`, and return whether it was taken; no failure is raised.

        A recipient who answers byte by byte is given up: until every channel has answered, nothing is on
        record of those that took the letter.
        """
        try:
            async with asyncio.timeout(self.time_max.total_seconds()):
                taken = await self._through(channel, letter)
        except (NotTakenError, aiosmtplib.SMTPException, httpx.HTTPError, OSError, ValueError) as error:
            return Taken(taken=False, own=False, detail=_short(_why(error)))
        return replace(taken, detail=_short(taken.detail))

    async def _through(self, channel: Channel, letter: Letter) -> Taken:
        signed = self._signed(channel, letter)
        match channel.kind:
            case ChannelKind.EMAIL:
                sender = self.mail_from or f"escrow@{self.domain}"
                mail = Mail(server_url=self.smtp_url, sender=sender, caught=self.mail_caught)
                return await mail.deliver(channel.address, letter, signed)
            case ChannelKind.WEBHOOK:
                webhooks = Webhooks(
                    hosts=self.webhook_hosts, letter_key=self.letter_key, loopback=self.loopback
                )
                return await webhooks.deliver(channel.address, letter, signed)
            case ChannelKind.OUTBOX:
                outboxes = Outboxes(folder=self.outbox_dir)
                return await asyncio.to_thread(outboxes.deliver, channel.address, letter, signed)

    def _signed(self, channel: Channel, letter: Letter) -> bytes:
        """Return the file of a letter, signed by the letter key."""
        members: JsonObject = {"letter": letter.id, "channel": encode_object(channel)}
        person = engine_person(letter.terms.agreement.deployment)
        statement = LetterStatement(
            **letter.terms.header(person, letter.issued_at, nonce_of(members)),
            letter=letter.id,
            party=letter.party,
            channel=channel,
            subject=letter.subject,
            text_digest=sha256_digest(letter.text.encode()),
            claim=letter.claim,
        )
        envelope = sign(statement.KIND, encode_object(statement), [self.letter_key.signing_key])
        file = LetterFile(letter=envelope, letter_key=self.letter_key.published, text=letter.text)
        return letter_bytes(file)


def _why(error: Exception) -> str:
    """Return why a channel did not take a letter; what a mail server wrote about it is quoted."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the mail server answered {error.code}: {quoted(error.message[:_WORDS_MAX])}"
    if isinstance(error, NotTakenError):
        return str(error)
    if (fault := certificate_fault(error)) is not None:
        return f"the certificate is not valid: {fault}"
    if isinstance(error, ValueError):
        return "the address cannot be written as the protocol asks"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer came in time"
    return f"there was no connection, or it broke ({type(error).__name__})"


def _short(text: str) -> str:
    return text[:CHANNEL_DETAIL_LENGTH_MAX]
