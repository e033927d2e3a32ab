"""A log line is one JSON object, and contains no secret, whatever is logged."""

import base64
import io
import json
import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

import pytest
import structlog

from tallystick import telemetry
from tests.support.worlds.agreements import KIM, LOG_KEY, PEOPLE

CANARY: Final = "canary-4711"
WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(CANARY.encode() * 3).decode()
SEED: Final = 8 * b"sEcReT4!"
JWT: Final = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5"
PEM: Final = f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"


@pytest.fixture
def written() -> Generator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    telemetry.configure("worker", stream=stream)
    yield stream
    logging.basicConfig(handlers=handlers, level=level, force=True)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fails(why: str) -> None:
    raise ValueError(why)


@dataclass(frozen=True, kw_only=True)
class Careless:
    """Something whose repr tells all."""

    password: str
    signing_key: bytes


SECRETS: Final = {
    "an age identity": (PEOPLE[KIM].identity.secret_text(), "AGE-SECRET-KEY"),
    "an age identity in lower case": (PEOPLE[KIM].identity.secret_text().lower(), "age-secret-key"),
    "a bearer token": (f"Authorization: Bearer {CANARY}.a-b_c", CANARY),
    "a bare JWT": (f"it was {JWT}", "Y2FuYXJ5"),
    "a webhook secret": (WEBHOOK_SECRET, WEBHOOK_SECRET.removeprefix("whsec_")),
    "a password in a URL": (f"smtp://escrow:{CANARY}@mail.example", CANARY),
    "a password with @ and / in a URL": (f"smtp://escrow:p@{CANARY}/x@mail.example", CANARY),
    "a token in a query": (f"https://h.example/?token={CANARY}", CANARY),
    "a repr": (repr(Careless(password=CANARY, signing_key=SEED)), CANARY),
    "a repr's bytes": (repr(Careless(password="", signing_key=SEED)), SEED.decode()),
    "a written out mapping": (str({"smtp_password": CANARY}), CANARY),
    "JSON": (json.dumps({"passphrase": CANARY}), CANARY),
    "a private key": (PEM, CANARY),
}


@pytest.mark.parametrize("what", SECRETS)
def test_secret_in_a_text_is_never_written(written: io.StringIO, what: str) -> None:
    text, canary = SECRETS[what]
    log = telemetry.logger("tests")
    log.info(text)
    log.info("in a value", detail=text)
    log.info("deeper", detail={"one": [text, (text,)]})
    log.info("an error", why=ValueError(text))
    logging.getLogger("some.library").warning("it said %s", text)
    try:
        fails(text)
    except ValueError:
        log.exception("it failed")
    assert len(lines(written)) == 6
    assert canary not in written.getvalue()
    assert telemetry.WITHHELD in written.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "SMTP_PASSWORD",
            "passphrase",
            "webhook_secret",
            "token",
            "Authorization",
            "set-cookie",
        ),
        *("seed", "private_key", "age_identity", "gate_share", "signing_key", "apikey"),
    ],
)
def test_value_with_a_secret_name_is_never_written(written: io.StringIO, name: str) -> None:
    log = telemetry.logger("tests")
    log.info("given", **{name: CANARY})
    log.info("given", detail={name: {"in": [CANARY]}})
    assert len(lines(written)) == 2
    assert CANARY not in written.getvalue()


def test_bytes_are_never_written(written: io.StringIO) -> None:
    telemetry.logger("tests").info("given", one=SEED, more=[bytearray(SEED), memoryview(SEED)])
    assert lines(written)[0]["more"] == 2 * [telemetry.WITHHELD]
    assert SEED.decode() not in written.getvalue()


def test_keys_of_ours_do_not_tell_themselves(written: io.StringIO) -> None:
    telemetry.logger("tests").info("given", one=LOG_KEY, other=[PEOPLE[KIM].identity])
    seed = LOG_KEY.secret_seed()
    for form in (seed.hex(), base64.b64encode(seed).decode(), repr(seed)):
        assert form not in written.getvalue()
    assert PEOPLE[KIM].identity.secret_text() not in written.getvalue()


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n", "\u2028", "\u0085", "\x00", "\x1b[2J", "\x0c"])
def test_text_of_others_makes_no_line_of_its_own(written: io.StringIO, break_: str) -> None:
    forged = f'x{break_}{{"event": "forged"}}'
    telemetry.logger("tests").info(forged, why=forged, **{f"na{break_}me": 1})
    (line,) = lines(written)
    assert (line["event"], line["why"]) == (forged, forged)
    assert written.getvalue().removesuffix("\n").isprintable()


def test_line_says_when_which_process_and_how_grave(written: io.StringIO) -> None:
    telemetry.logger("tests.here").warning("it happened", index=7, retried=False, nothing=None)
    (line,) = lines(written)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {
        "process": "worker",
        "event": "it happened",
        "level": "warning",
        "logger": "tests.here",
        "index": 7,
        "retried": False,
        "nothing": None,
    }


def test_long_text_is_cut_and_costs_no_time(written: io.StringIO) -> None:
    telemetry.logger("tests").info("long", text=1_000_000 * "token", other=300_000 * "://a@")
    (line,) = lines(written)
    assert len(written.getvalue()) < 200_000
    assert str(line["text"]).endswith("more")


def test_what_is_no_secret_is_written(written: io.StringIO) -> None:
    told = {"claim": "clm-1", "digest": "sha256:" + 64 * "a", "why": "the database is out of reach"}
    telemetry.logger("tests").info("told", **told)
    assert lines(written)[0].items() >= told.items()
