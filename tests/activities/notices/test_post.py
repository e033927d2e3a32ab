"""How letters are sent: each channel on its own, and every answer, even a refusal, is a result."""

import asyncio
import http.server
import socket
import threading
import time
from base64 import b64decode
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from activities.notices.channels.letter import Letter
from activities.notices.channels.webhook import signature
from activities.notices.post import Post
from tallystick.crypto.keys import SigningKey, verifies
from tallystick.crypto.letter_key import webhook_key
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.ids import Digest, PartyId
from tallystick.limits.notices import CHANNEL_REPLY_MAX
from tallystick.limits.steps import LEDGER_STEP_MAX, NOTICE_STEP_MAX
from tallystick.proof.letter import read_letter, verify_letter
from tallystick.proof.reading import SignedAgreement
from tests.support.worlds.agreements import AGREEMENT, LETTER_KEY, signing_key

NOT_PUBLIC = "the host's address is not public"
DIGEST = Digest("sha256:" + 64 * "a")
MAILBOX = Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example")
LETTER = Letter(
    id="notice-1-1-0",
    subject="Notice of release claim clm-1",
    text="To Nordwind.\n",
    terms=Terms(agreement=AGREEMENT, digest=DIGEST),
    party=PartyId("nordwind"),
    issued_at=datetime(2026, 11, 1, tzinfo=UTC),
)


class Hook(http.server.BaseHTTPRequestHandler):
    """A webhook that remembers what it was sent."""

    answer = 204
    seen: list[tuple[dict[str, str], str]] = []  # noqa: RUF012 - emptied for each server

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.seen.append((headers, self.rfile.read(length).decode()))
        self.send_response(self.answer)
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        del format, args


@contextmanager
def hook(answer: int = 204) -> Generator[tuple[str, list[tuple[dict[str, str], str]]]]:
    seen: list[tuple[dict[str, str], str]] = []
    server = http.server.HTTPServer(
        ("127.0.0.1", 0), type("OneHook", (Hook,), {"answer": answer, "seen": seen})
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notices", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post(folder: Path, **changes: object) -> Post:
    given: dict[str, object] = {
        "domain": "test.invalid",
        "outbox_dir": folder / "outbox",
        "webhook_hosts": ("127.0.0.1", "localhost"),
        "letter_key": LETTER_KEY,
        "loopback": True,
        **changes,
    }
    return Post(**given)  # type: ignore[arg-type]


def webhook(address: str) -> Channel:
    return Channel(kind=ChannelKind.WEBHOOK, address=address)


def checked(data: bytes, channel: Channel) -> None:
    """Check what went through `channel` as its recipient does."""
    signed = SignedAgreement(terms=LETTER.terms, signers=frozenset())
    found = verify_letter(read_letter(data), signed, to=LETTER.party, current=None)
    assert (found.letter.channel, found.letter.subject, found.text) == (channel, LETTER.subject, LETTER.text)


async def test_webhook_is_signed_and_known_by_its_id(tmp_path: Path) -> None:
    with hook() as (url, seen):
        taken = await post(tmp_path).send(webhook(url), LETTER)
    assert (taken.taken, taken.detail) == (True, "the host answered 204")
    ((headers, body),) = seen
    assert headers["webhook-id"] == LETTER.id
    version, _, signature = headers["webhook-signature"].partition(",")
    signed = f"{LETTER.id}.{headers['webhook-timestamp']}.{body}".encode()
    assert version == "v1a"
    assert verifies(LETTER_KEY.signing_key.public_key, signed, b64decode(signature))
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 60
    checked(body.encode(), webhook(url))


def received(public_key: str, headers: Mapping[str, str], body: bytes, *, at: float) -> None:
    """Verify a webhook as its receiver does, who has the specification and not our code."""
    key = VerifyKey(b64decode(public_key.removeprefix("whpk_"), validate=True))
    assert abs(at - int(headers["webhook-timestamp"])) < 300
    assert "." not in headers["webhook-id"], "else another id and time have the same signed content"
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    schemes = dict(one.split(",", 1) for one in headers["webhook-signature"].split(" "))
    key.verify(content, b64decode(schemes["v1a"], validate=True))


async def test_a_receiver_verifies_a_webhook_with_the_published_key_alone(tmp_path: Path) -> None:
    with hook() as (url, seen):
        await post(tmp_path).send(webhook(url), LETTER)
    ((headers, body),) = seen
    published = webhook_key(LETTER_KEY.signing_key.public_key)
    assert published.startswith("whpk_")
    received(published, headers, body.encode(), at=time.time())
    with pytest.raises(BadSignatureError):
        received(published, headers, body.encode() + b" ", at=time.time())
    other = webhook_key(signing_key("another").public_key)
    with pytest.raises(BadSignatureError):
        received(other, headers, body.encode(), at=time.time())


def test_a_webhook_is_signed_as_the_published_example_is() -> None:
    """The key, message and signature of the specification's own library (libraries/go)."""
    seed = b64decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
    key = replace(LETTER_KEY, signing_key=SigningKey(seed))
    at = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'
    headers = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", body, at=at)
    expected = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
    assert headers["webhook-signature"] == expected
    received(webhook_key(key.signing_key.public_key), headers, body, at=at.timestamp())


def test_no_letter_has_an_id_that_could_be_read_in_two_ways() -> None:
    with pytest.raises(AssertionError, match="full stop"):
        replace(LETTER, id="notice-1.1614265330")


@pytest.mark.parametrize("answer", [302, 404, 503])
async def test_webhook_that_does_not_take_it_is_a_result(tmp_path: Path, answer: int) -> None:
    with hook(answer) as (url, seen):
        taken = await post(tmp_path).send(webhook(url), LETTER)
    assert (taken.taken, taken.detail) == (False, f"the host answered {answer}")
    assert len(seen) == 1  # no redirect is followed


@asynccontextmanager
async def trickling(begins: bytes, part: bytes) -> AsyncGenerator[int]:
    """Listen on a port, and answer everybody a few bytes at a time, as long as the block runs."""
    ended, answering = asyncio.Event(), list[asyncio.Task[None]]()

    async def answer(writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(begins)
            while not ended.is_set():
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.create_task(answer(writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        ended.set()
        server.close()
        await asyncio.gather(*answering)


@pytest.mark.parametrize(
    ("begins", "part"),
    [
        (b"HTTP/1.1 204 No Content\r\nx-more: ", b"a"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
    ids=["a head without an end", "answers before the answer"],
)
async def test_webhook_that_answers_byte_by_byte_is_given_up(
    tmp_path: Path, begins: bytes, part: bytes
) -> None:
    async with trickling(begins, part) as port:
        sending = post(tmp_path, time_max=timedelta(seconds=0.4))
        taken = await sending.send(webhook(f"http://127.0.0.1:{port}/"), LETTER)
    assert (taken.taken, taken.detail) == (False, "no answer came in time")


async def test_mail_server_that_greets_line_by_line_is_given_up(tmp_path: Path) -> None:
    async with trickling(b"", b"220-wait\r\n") as port:
        sending = post(tmp_path, smtp_url=f"smtp://127.0.0.1:{port}", time_max=timedelta(seconds=0.4))
        async with asyncio.timeout(CHANNEL_REPLY_MAX.total_seconds() / 2):  # the next bytes come in time
            taken = await sending.send(MAILBOX, LETTER)
    assert (taken.taken, taken.detail) == (False, "no answer came in time")


def test_one_letter_takes_no_longer_than_the_step_that_records_what_took_it() -> None:
    sent = Post(domain="", outbox_dir=Path(), letter_key=LETTER_KEY).time_max
    assert sent + LEDGER_STEP_MAX < NOTICE_STEP_MAX


@pytest.mark.parametrize(
    ("address", "changes", "why"),
    [
        ("http://127.0.0.1/", {"loopback": False}, "the URL is not https"),
        ("https://127.0.0.1/", {"loopback": False}, NOT_PUBLIC),
        ("https://localhost/", {"loopback": False}, NOT_PUBLIC),
        (
            "https://169.254.169.254/",
            {"webhook_hosts": ("169.254.169.254",)},
            NOT_PUBLIC,
        ),
        ("https://10.0.0.1/", {"webhook_hosts": ("10.0.0.1",)}, NOT_PUBLIC),
        (
            "https://[::ffff:10.0.0.1]/",
            {"webhook_hosts": ("::ffff:10.0.0.1",)},
            NOT_PUBLIC,
        ),
        ("https://elsewhere.example/", {}, "this deployment does not send webhooks to that host"),
        ("https://user:pw@localhost/", {}, "the URL has no host, or has a user or a password in it"),
        ("file:///etc/passwd", {}, "the URL is not https"),
        ("https://localhost:notaport/", {}, "the address is not a URL"),
    ],
)
async def test_webhook_calls_no_forbidden_address(
    tmp_path: Path, address: str, changes: dict[str, object], why: str
) -> None:
    taken = await post(tmp_path, **changes).send(webhook(address), LETTER)
    assert (taken.taken, taken.detail) == (False, why)


class Mailbox:
    """A mail server's memory."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.taken: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        self.taken.append(envelope)
        return self.answer


@contextmanager
def mail_server(mailbox: Mailbox) -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


async def test_mail_is_taken_and_carries_the_letters_id(tmp_path: Path) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as url:
        to = Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example")
        taken = await post(tmp_path, smtp_url=url).send(to, LETTER)
    assert taken.taken
    (mail,) = mailbox.taken
    assert mail.rcpt_tos == ["legal@nordwind.example"]
    content = bytes(mail.original_content or b"")
    assert b"Message-ID: <notice-1-1-0@test.invalid>" in content
    checked(content, to)


async def test_mail_that_is_refused_is_a_result(tmp_path: Path) -> None:
    with mail_server(Mailbox("554 no")) as url:
        to = Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example")
        taken = await post(tmp_path, smtp_url=url).send(to, LETTER)
    assert (taken.taken, taken.detail) == (False, 'the mail server answered 554: "no"')


class Choosy(Mailbox):
    """A mail server that knows no such mailbox, and says so in its own way."""

    async def handle_RCPT(  # noqa: N802 - as the library calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, envelope, address, options
        return "550 5.1.1 \x1b[2Jno such mailbox\u202e"


async def test_what_a_mail_server_says_of_a_mailbox_is_quoted_and_never_draws(
    tmp_path: Path,
) -> None:
    with mail_server(Choosy()) as url:
        taken = await post(tmp_path, smtp_url=url).send(MAILBOX, LETTER)
    assert not taken.taken
    assert "550" in taken.detail
    assert "no such mailbox" in taken.detail
    assert taken.detail.isprintable()


async def test_mail_says_when_and_from_whom_it_is(tmp_path: Path) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as url:
        sender = post(tmp_path, smtp_url=url, mail_from="desk@harbour.example")
        assert (await sender.send(MAILBOX, LETTER)).taken
    (mail,) = mailbox.taken
    message = message_from_bytes(bytes(mail.original_content or b""))
    assert mail.mail_from == message["From"] == "desk@harbour.example"
    assert message["Message-ID"] == "<notice-1-1-0@harbour.example>"
    sent_at = parsedate_to_datetime(message["Date"])
    assert abs(datetime.now(UTC) - sent_at) < timedelta(minutes=1)


async def test_without_a_setting_the_sender_is_never_the_mail_servers_address(tmp_path: Path) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as url:
        await post(tmp_path, smtp_url=url).send(MAILBOX, LETTER)
    (mail,) = mailbox.taken
    assert mail.mail_from == "escrow@test.invalid"


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({}, False),
        ({"mail_caught": True}, True),
        ({"mail_from": "desk@Nordwind.EXAMPLE"}, True),
        ({"mail_from": "desk@harbour.example"}, False),
    ],
)
async def test_mail_that_stays_with_the_deployment_is_its_own(
    tmp_path: Path, changes: dict[str, object], own: bool
) -> None:
    with mail_server(Mailbox()) as url:
        taken = await post(tmp_path, smtp_url=url, **changes).send(MAILBOX, LETTER)
    assert (taken.taken, taken.own) == (True, own)


async def test_folder_and_this_machine_are_the_deployments_own(tmp_path: Path) -> None:
    box = Channel(kind=ChannelKind.OUTBOX, address="nordwind")
    with hook() as (url, _):
        answers = [await post(tmp_path).send(channel, LETTER) for channel in (box, webhook(url))]
    assert [(answer.taken, answer.own) for answer in answers] == [(True, True), (True, True)]


@pytest.mark.parametrize("listed", ["LOCALHOST", "localhost.", "LocalHost"])
async def test_a_webhooks_host_is_known_however_it_is_spelt(tmp_path: Path, listed: str) -> None:
    with hook() as (url, seen):
        spelt = url.replace("127.0.0.1", "LOCALhost")
        taken = await post(tmp_path, webhook_hosts=(listed,)).send(webhook(spelt), LETTER)
    assert (taken.taken, len(seen)) == (True, 1), taken.detail


async def test_an_address_that_no_mail_server_takes_is_a_result(tmp_path: Path) -> None:
    with mail_server(Mailbox()) as url:
        to = Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example.")
        taken = await post(tmp_path, smtp_url=url).send(to, LETTER)
    assert (taken.taken, taken.detail) == (False, "the address cannot be written as the protocol asks")


@pytest.mark.parametrize("address", ["a@b.example, c@d.example", "a@b.example\nBcc: c@d.example", "nobody"])
async def test_mail_goes_to_one_address_only(tmp_path: Path, address: str) -> None:
    to = Channel(kind=ChannelKind.EMAIL, address=address)
    taken = await post(tmp_path, smtp_url="smtp://127.0.0.1:1").send(to, LETTER)
    assert (taken.taken, taken.detail) == (False, "the address is not an e-mail address")


async def test_password_of_the_mail_server_is_not_revealed(tmp_path: Path) -> None:
    sender = post(tmp_path, smtp_url="smtp://escrow:canary-password@127.0.0.1:1")
    taken = await sender.send(Channel(kind=ChannelKind.EMAIL, address="a@b.example"), LETTER)
    assert not taken.taken
    assert "canary-password" not in taken.detail + repr(sender)


async def test_outbox_holds_a_letter_once_however_often_it_is_sent(tmp_path: Path) -> None:
    box = Channel(kind=ChannelKind.OUTBOX, address="nordwind")
    first, second = await asyncio.gather(*(post(tmp_path).send(box, LETTER) for _ in range(2)))
    assert first.taken
    assert second.taken
    signed, file = sorted((tmp_path / "outbox" / "nordwind").iterdir())
    assert file.read_text() == f"{LETTER.subject}\n\n{LETTER.text}"
    checked(signed.read_bytes(), box)


@pytest.mark.parametrize("address", ["../elsewhere", "/etc", "", "UPPER"])
async def test_outbox_lies_nowhere_else(tmp_path: Path, address: str) -> None:
    taken = await post(tmp_path).send(Channel(kind=ChannelKind.OUTBOX, address=address), LETTER)
    assert (taken.taken, taken.detail) == (False, "the address is not the name of an outbox")
    assert not (tmp_path / "elsewhere").exists()
