"""What a mail server or a webhook's gateway answers in every other way than it should: a result, in words."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.activities.notices.test_post import LETTER, MAILBOX, post, webhook
from tests.support.sites.certificates import own_certificate
from tests.support.sites.fake_api import FakeApi, serving
from tests.support.sites.raw_server import speaking

PAGE = b"\r\n<!DOCTYPE HTML><title>Sign in</title>"


def http(status: str, body: bytes = b"", kind: str = "text/html") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http("200 OK", PAGE), "the host answered 200 with a page for people"),
        (http("200 OK", b"<html>", "application/json"), "the host answered 200 with a page for people"),
        (http("301 Moved"), "the host answered 301"),
        (http("401 Unauthorized", PAGE), "the host answered 401"),
        (http("407 Proxy Authentication Required"), "the host answered 407"),
        (http("429 Too Many Requests"), "the host answered 429"),
        (http("502 Bad Gateway", PAGE), "the host answered 502"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
        (b"SSH-2.0-x\r\n", "RemoteProtocolError"),
    ],
)
async def test_what_is_no_webhooks_answer_has_taken_nothing(answer: bytes, why: str, tmp_path: Path) -> None:
    with speaking(answer) as address:
        taken = await post(tmp_path).send(webhook(address), LETTER)
    assert not taken.taken
    assert why in taken.detail


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", b"ok"),  # web frameworks call any short text HTML
        http("202 Accepted", b'{"queued":true}', "application/json"),
        http("204 No Content"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + http("200 OK"),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n\x0b\x02",
    ],
)
async def test_whatever_else_a_webhook_answers_with_success_has_taken_it(
    answer: bytes, tmp_path: Path
) -> None:
    with speaking(answer) as address:
        taken = await post(tmp_path).send(webhook(address), LETTER)
    assert taken.taken


async def test_an_answer_without_an_end_is_not_read_to_it(tmp_path: Path) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + 4096 * b"x"
    with speaking(endless, trickle=4096 * b"x") as address:
        taken = await post(tmp_path, time_max=timedelta(seconds=20)).send(webhook(address), LETTER)
    assert taken.taken


async def test_a_certificate_that_nobody_vouches_for_is_reported_as_such(tmp_path: Path) -> None:
    with serving(FakeApi(), tls=own_certificate(tmp_path)) as served:
        port = served.url.rpartition(":")[2]
        posted = await post(tmp_path).send(webhook(served.url), LETTER)
        mailed = await post(tmp_path, smtp_url=f"smtps://127.0.0.1:{port}").send(MAILBOX, LETTER)
    for taken in (posted, mailed):
        assert not taken.taken
        assert taken.detail.startswith("the certificate is not valid: ")


class Relay:
    """A mail server of a few answers: what it says to each command, by the command's first word."""

    def __init__(self, **says: bytes | None) -> None:
        usual: dict[str, bytes | None] = {
            "BANNER": b"220 mail.example ESMTP",
            "EHLO": b"250 mail.example",
            "DATA": b"354 go on",
            "DOT": b"250 taken",
            "QUIT": b"221 bye",
        }
        self.says = {**usual, **says}
        self.mails: list[bytes] = []

    def answer(self, said: str) -> bytes | None:
        return self.says.get(said, b"250 yes")

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = "BANNER"
        try:
            while (answer := self.answer(said)) is not None:
                if answer is HANGS:
                    await reader.read()
                    return
                writer.write(answer + b"\r\n")
                await writer.drain()
                said = await self.heard(reader, said if answer.startswith(b"354") else "")
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def heard(self, reader: asyncio.StreamReader, going_on: str) -> str:
        if going_on == "DATA":
            self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
            return "DOT"
        line = await reader.readuntil(b"\n")
        return line.split(maxsplit=1)[0].decode("latin-1").upper()

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        talking = list[asyncio.Task[None]]()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talking.append(asyncio.create_task(self.talk(reader, writer)))

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        try:
            yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)


HANGS_UP = None
HANGS = b"says nothing more, and stays"


@pytest.mark.parametrize(
    ("relay", "why"),
    [
        ({"BANNER": b"554 5.7.1 your network is blocked"}, 'answered 554: "5.7.1 your network is blocked"'),
        ({"BANNER": b"421 too many connections"}, "answered 421"),
        ({"BANNER": b"HTTP/1.1 200 OK"}, "the mail server answered"),
        ({"BANNER": HANGS_UP}, "there was no connection, or it broke"),
        ({"EHLO": b"500 what?", "HELO": b"502 no"}, "answered 502"),
        ({"MAIL": b"451 4.7.1 greylisted, come back"}, 'answered 451: "4.7.1 greylisted, come back"'),
        ({"RCPT": b"450 4.2.0 greylisted"}, 'answered 450: "4.2.0 greylisted"'),
        ({"RCPT": b"550 5.1.1 nobody"}, 'answered 550: "5.1.1 nobody"'),
        ({"RCPT": b"421 going down"}, "answered 421"),
        ({"DATA": b"554 no"}, "answered 554"),
        ({"DOT": b"552 5.3.4 too large"}, "answered 552"),
        ({"DOT": b"250-yes\r\n554 no"}, "answered"),
        ({"DOT": HANGS_UP}, "there was no connection, or it broke"),
        ({"EHLO": b"250-mail\r\n250 STARTTLS", "STARTTLS": b"454 not now"}, "answered 454"),
        (
            {"EHLO": b"250-mail\r\n250 STARTTLS", "STARTTLS": b"220 go"},
            "there was no connection, or it broke",
        ),
        ({"RCPT": b"550 \xff\xfe\x1b[2Jnobody"}, "answered 550"),
        ({"EHLO": 40_000 * b"250-x\r\n" + b"250 y"}, "answered"),
        ({"EHLO": b"250-" + 1_000_000 * b"x"}, "answered"),
        ({"BANNER": "220 mail.example".encode("utf-16")}, "the mail server answered"),
        ({"DOT": "250 taken".encode("utf-16-le")}, "the mail server answered"),
    ],
)
async def test_whatever_a_mail_server_answers_is_a_result_in_words(
    relay: dict[str, bytes | None], why: str, tmp_path: Path
) -> None:
    async with Relay(**relay).serving() as url:
        sending = post(tmp_path, smtp_url=url, time_max=timedelta(seconds=20))
        taken = await sending.send(MAILBOX, LETTER)
    assert not taken.taken
    assert why in taken.detail
    assert taken.detail.isprintable()
    taken.detail.encode()


async def test_mail_that_was_taken_stays_taken_whatever_follows(tmp_path: Path) -> None:
    for relay in (Relay(QUIT=HANGS_UP), Relay(QUIT=b"500 what?"), Relay(QUIT=b"421 bye")):
        async with relay.serving() as url:
            assert (await post(tmp_path, smtp_url=url).send(MAILBOX, LETTER)).taken


async def test_mail_that_was_taken_is_not_sent_again_because_the_server_does_not_say_goodbye(
    tmp_path: Path,
) -> None:
    relay = Relay(QUIT=HANGS)
    async with relay.serving() as url:
        taken = await post(tmp_path, smtp_url=url, time_max=timedelta(seconds=3)).send(MAILBOX, LETTER)
    assert (taken.taken, len(relay.mails)) == (True, 1)


async def test_mail_whose_answer_was_lost_goes_again_under_the_same_id(tmp_path: Path) -> None:
    relay = Relay(DOT=HANGS_UP)
    async with relay.serving() as url:
        for _ in range(2):
            assert not (await post(tmp_path, smtp_url=url).send(MAILBOX, LETTER)).taken
    assert len(relay.mails) == 2
    assert all(f"Message-ID: <{LETTER.id}@test.invalid>".encode() in mail for mail in relay.mails)
