"""E-mail: one message to one mailbox, through the deployment's mail server."""

import asyncio
import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from activities.clock import now
from activities.notices.channels.letter import Letter, NotTakenError, Taken
from tallystick.domain.agreement.hosts import host_name
from tallystick.domain.errors import MalformedError
from tallystick.limits.notices import CHANNEL_REPLY_MAX
from tallystick.proof.letter import LETTER_FILE_NAME

_MAILBOX: Final = re.compile(r"[^@\s,;:<>()\"\\]{1,64}@[A-Za-z0-9.-]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The deployment's mail server, and who writes.

    Attributes:
        server_url: `smtp://` or `smtps://`, with user and password if any.
        sender: The address that mail comes from.
        caught: Whether the server keeps all mail to itself, as one does for trying things out.
    """

    server_url: str | None = field(repr=False)
    sender: str
    caught: bool

    async def deliver(self, address: str, letter: Letter, signed: bytes) -> Taken:
        """Send a letter by mail, with its signed file attached."""
        if self.server_url is None:
            raise NotTakenError("this deployment has no mail server")
        if _MAILBOX.fullmatch(address) is None:
            raise NotTakenError("the address is not an e-mail address")
        client = _client(urlsplit(self.server_url))
        try:
            await client.connect()
            await client.send_message(self._message(address, letter, signed))
        finally:
            _leave(client)
        own = self.caught or _domain(address) == _domain(self.sender)
        return Taken(taken=True, own=own, detail="the mail server took it")

    def _message(self, address: str, letter: Letter, signed: bytes) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = address
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(now())
        message["Message-ID"] = f"<{letter.id}@{_domain(self.sender)}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_attachment(signed, maintype="application", subtype="json", filename=LETTER_FILE_NAME)
        return message


def _client(server: SplitResult) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.hostname,
        port=server.port,
        username=unquote(server.username) if server.username else None,
        password=unquote(server.password) if server.password else None,
        use_tls=server.scheme == "smtps",
        # A password is never sent in the clear; without one, TLS is used where it is offered.
        start_tls=True if server.username and server.scheme == "smtp" else None,
        timeout=CHANNEL_REPLY_MAX.total_seconds(),
    )


def _leave(client: aiosmtplib.SMTP) -> None:
    """Say QUIT and hang up: whatever a server answers to it changes nothing that it took."""
    transport = client.transport
    if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
        transport.write(b"QUIT\r\n")
    client.close()


def _domain(address: str) -> str:
    name = address.rpartition("@")[2]
    try:
        return host_name(name)
    except MalformedError:
        return name
