"""How a notice is sent: by e-mail, by webhook, or into a folder of the escrow agent's.

A channel that does not take a notice is a result, not an error. Its detail never
contains an address's password, a server's words at length, or a stack trace.
Webhooks go only to hosts that the deployment lists, over https, without redirects,
to an address that was looked up once, checked, and then connected to.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib
import httpx

from activities.clock import now
from activities.engine import nonce_of
from activities.notices.inner_networks import Address, is_public
from tallystick import telemetry
from tallystick.crypto.envelope import sign
from tallystick.crypto.json.base64 import base64_text
from tallystick.crypto.json.canonical import sha256_digest
from tallystick.crypto.letter_key import LetterKey
from tallystick.domain import ids
from tallystick.domain.agreement.hosts import host_name
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, PartyId, engine_person
from tallystick.domain.json import JsonObject
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.engine import ChannelResult
from tallystick.domain.statements.letters import LetterStatement
from tallystick.durable import make_folder, sync_folder, write_durably
from tallystick.limits import CHANNEL_DETAIL_LENGTH_MAX, CHANNEL_REPLY_MAX, CHANNEL_TIME_MAX
from tallystick.proof.letter import LETTER_FILE_NAME, LetterFile, letter_bytes

_log = telemetry.logger(__name__)

_TIMEOUT: Final = CHANNEL_REPLY_MAX.total_seconds()
_MAILBOX: Final = re.compile(r"[^@\s,;:<>()\"\\]{1,64}@[A-Za-z0-9.-]{1,253}")
_HTTPS_PORT: Final = 443
_WORDS_MAX: Final = 120  # of what a mail server says


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice on its way through one channel; a repeated letter has the same `id`.

    Attributes:
        terms: The agreement under which it is written.
        party: To whom.
        claim: The claim that it is about, if it is about one.
    """

    id: str
    subject: str
    text: str
    terms: Terms
    party: PartyId
    issued_at: datetime
    claim: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Whether a channel took a letter, and its answer in a few words.

    Attributes:
        own: Whether the channel is the deployment's own, so that the letter has reached nobody yet.
    """

    taken: bool
    own: bool
    detail: str


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
        except (_NotTakenError, aiosmtplib.SMTPException, httpx.HTTPError, OSError, ValueError) as error:
            return Taken(taken=False, own=False, detail=_short(_why(error)))
        return replace(taken, detail=_short(taken.detail))

    async def _through(self, channel: Channel, letter: Letter) -> Taken:
        match channel.kind:
            case ChannelKind.EMAIL:
                return await self._email(channel.address, letter)
            case ChannelKind.WEBHOOK:
                return await self._webhook(channel.address, letter)
            case ChannelKind.OUTBOX:
                return await asyncio.to_thread(self._outbox, channel.address, letter)

    async def _email(self, address: str, letter: Letter) -> Taken:
        if self.smtp_url is None:
            raise _NotTakenError("this deployment has no mail server")
        if _MAILBOX.fullmatch(address) is None:
            raise _NotTakenError("the address is not an e-mail address")
        server = urlsplit(self.smtp_url)
        await aiosmtplib.send(
            self._message(address, letter),
            hostname=server.hostname,
            port=server.port,
            username=unquote(server.username) if server.username else None,
            password=unquote(server.password) if server.password else None,
            use_tls=server.scheme == "smtps",
            # A password is never sent in the clear; without one, TLS is used where it is offered.
            start_tls=True if server.username and server.scheme == "smtp" else None,
            timeout=_TIMEOUT,
        )
        own = self.mail_caught or _domain(address) == _domain(self._sender())
        return Taken(taken=True, own=own, detail="the mail server took it")

    def _sender(self) -> str:
        return self.mail_from or f"escrow@{self.domain}"

    def _message(self, address: str, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender()
        message["To"] = address
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(now())
        message["Message-ID"] = f"<{letter.id}@{_domain(self._sender())}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        signed = self._signed(Channel(kind=ChannelKind.EMAIL, address=address), letter)
        message.add_attachment(signed, maintype="application", subtype="json", filename=LETTER_FILE_NAME)
        return message

    async def _webhook(self, address: str, letter: Letter) -> Taken:
        url, host = self._checked_url(address)
        port = url.port or (_HTTPS_PORT if url.scheme == "https" else 80)
        pinned = self._checked_address(await _addresses(host, port))
        literal = f"[{pinned}]" if pinned.version == 6 else str(pinned)  # noqa: PLR2004 - of the protocol
        target = url._replace(netloc=f"{literal}:{port}", fragment="").geturl()
        body = self._signed(Channel(kind=ChannelKind.WEBHOOK, address=address), letter)
        headers = {
            "host": url.netloc,
            "content-type": "application/json",
            **_signature(self.letter_key, letter.id, body, at=now()),
        }
        async with httpx.AsyncClient(
            timeout=_TIMEOUT, follow_redirects=False, trust_env=False, verify=ssl.create_default_context()
        ) as client:
            request = client.build_request(
                "POST", target, content=body, headers=headers, extensions={"sni_hostname": host}
            )
            response = await client.send(request, stream=True)  # its body is not needed
            await response.aclose()
        if not response.is_success:
            raise _NotTakenError(f"the host answered {response.status_code}")
        return Taken(taken=True, own=pinned.is_loopback, detail=f"the host answered {response.status_code}")

    def _checked_url(self, address: str) -> tuple[SplitResult, str]:
        """Return a webhook's URL, and the host that it names."""
        try:
            url = urlsplit(address)
            _ = url.port
        except ValueError:
            raise _NotTakenError("the address is not a URL") from None
        if url.scheme != "https" and not (self.loopback and url.scheme == "http"):
            raise _NotTakenError("the URL is not https")
        if url.username or url.password or not url.hostname:
            raise _NotTakenError("the URL has no host, or has a user or a password in it")
        host = _host(url.hostname)
        if host is None or host not in {_host(one) for one in self.webhook_hosts}:
            raise _NotTakenError("this deployment does not send webhooks to that host")
        return url, host

    def _checked_address(self, addresses: Sequence[Address]) -> Address:
        """Return the address to connect to; if any of them is not public, the whole host is refused."""
        for address in addresses:
            if not is_public(address) and not (self.loopback and address.is_loopback):
                raise _NotTakenError("the host's address is not public")
        if not addresses:
            raise _NotTakenError("the host has no address")
        return addresses[0]

    def _outbox(self, address: str, letter: Letter) -> Taken:
        try:
            folder = self.outbox_dir / ids.name(address)
        except MalformedError:
            raise _NotTakenError("the address is not the name of an outbox") from None
        make_folder(folder)
        path = folder / f"{letter.id}.txt"
        if not path.exists():
            signed = self._signed(Channel(kind=ChannelKind.OUTBOX, address=address), letter)
            write_durably(path.with_suffix(".json"), signed)
            write_durably(path, f"{letter.subject}\n\n{letter.text}".encode())
            sync_folder(folder.parent)  # a process that was stopped may have made the folder
        return Taken(taken=True, own=True, detail=f"it lies in the outbox as {path.name}")

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
        return letter_bytes(
            LetterFile(letter=envelope, letter_key=self.letter_key.published, text=letter.text)
        )


def _signature(key: LetterKey, letter: str, body: bytes, *, at: datetime) -> Mapping[str, str]:
    """Return the headers that sign a webhook (Standard Webhooks 1.0.0, the asymmetric `v1a`)."""
    timestamp = str(int(at.timestamp()))
    signed = key.signing_key.sign(b"%b.%b.%b" % (letter.encode(), timestamp.encode(), body))
    return {
        "webhook-id": letter,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1a,{base64_text(signed)}",
    }


class _NotTakenError(Exception):
    """Why a channel was not tried, or did not take a letter."""


async def _addresses(host: str, port: int) -> Sequence[Address]:
    loop = asyncio.get_running_loop()
    resolved = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in resolved]


def _why(error: Exception) -> str:
    """Return why a channel did not take a letter; what a mail server wrote about it is quoted."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the mail server answered {error.code}: {quoted(error.message[:_WORDS_MAX])}"
    if isinstance(error, _NotTakenError):
        return str(error)
    if isinstance(error, ValueError):
        return "the address cannot be written as the protocol asks"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer came in time"
    return f"there was no connection, or it broke ({type(error).__name__})"


def _domain(address: str) -> str:
    name = address.rpartition("@")[2]
    return _host(name) or name


def _host(text: str | None) -> str | None:
    try:
        return host_name(text or "")
    except MalformedError:
        return None


def _short(text: str) -> str:
    return text[:CHANNEL_DETAIL_LENGTH_MAX]
