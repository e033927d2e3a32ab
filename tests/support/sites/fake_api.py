"""A server for the command line that keeps what it receives and shows what a test wants.

It judges no statement. It checks that the caller has an enrolled key, takes blobs
in parts, and remembers every request.
"""

import hashlib
import json
import re
import ssl
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tallystick.crypto.envelope import Envelope, parse_envelope, statement_id
from tallystick.crypto.keys import key_id, public_key_bytes
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tests.support.worlds.agreements import PEOPLE

Answer = tuple[int, Any]
PARTIAL = 206
HANGS_UP = 0
"""Instead of a status: the connection ends without an answer."""


def _now(shown: Any) -> Any:  # noqa: ANN401 - whatever a test has put there
    """What a test shows at this moment: a function is asked each time."""
    return shown() if callable(shown) else shown


@dataclass(kw_only=True)
class FakeApi:
    """What the server shows by path, and what it was sent.

    Attributes:
        shows: JSON, bytes or a function of no argument, by path.
        fails: Answers to give first, before anything else, by method and path.
        part_max: How many bytes of a part are taken at most.
        says_range: What a proxy says of every part that passes it; absent: what is so.
        proxy_takes: How many bytes of a request a proxy before the server lets through.
    """

    url: str = ""
    shows: dict[str, Any] = field(default_factory=dict[str, Any])
    fails: dict[str, list[Answer]] = field(default_factory=dict[str, list[Answer]])
    posted: list[tuple[str, Envelope]] = field(default_factory=list[tuple[str, Envelope]])
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    parts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    asked: list[str] = field(default_factory=list[str])
    part_max: int = 1 << 30
    proxy_takes: int = 1 << 30
    says_range: str | None = None

    def answer(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        path = urlsplit(target).path
        self.asked.append(f"{method} {target}")
        if failing := self.failing(f"{method} {path}", body):
            return failing
        if path == "/v1/deployment":
            return 200, self.shows.get(path, {"deployment": "test"})
        if not knows(headers.get("Authorization", "")):
            return 401, {"code": "no", "detail": "who are you?"}
        if path.startswith("/v1/blobs/"):
            return self.blob(method, path.rpartition("/")[2], body, headers)
        if method == "POST":
            return self.take(path, body)
        return self.show(target, path)

    def failing(self, asked: str, body: bytes) -> Answer | None:
        if self.fails.get(asked):
            return self.fails[asked].pop(0)
        return (413, b"<html>too large") if len(body) > self.proxy_takes else None

    def show(self, target: str, path: str) -> Answer:
        shown = self.shows.get(target, self.shows.get(path))
        if shown is None:
            what = "no-such-claim" if path.startswith("/v1/claims/") else "no-such-thing"
            return 404, {"code": what, "detail": "nothing here", "title": "t", "advice": "a"}
        return 200, _now(shown)

    def take(self, path: str, body: bytes) -> Answer:
        envelope = parse_envelope(body, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
        self.posted.append((path, envelope))
        answer = _now(self.shows.get(f"POST {path}", {}))
        statement = statement_id(envelope)
        return 201, {
            "statement": statement,
            "claim": "clm-x",
            "digest": statement,
            "state": "FILED",
            **answer,
        }

    def blob(self, method: str, digest: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if method == "HEAD":
            return 200, len(self.parts.get(digest, b""))
        if method == "GET":
            return self.ranged(digest, headers.get("Range"))
        offset, total = int(headers["Upload-Offset"]), int(headers["Upload-Length"])
        if digest in self.blobs and offset == total:
            return 201, {"digest": digest, "size_bytes": total}
        arrived = self.parts.get(digest, b"")
        if offset != len(arrived):
            facts = {"received": len(arrived)}
            return 409, {"code": "upload-offset", "detail": "not there", "facts": facts}
        arrived = self.parts[digest] = arrived + body[: self.part_max]
        if len(arrived) < total:
            return 202, {"offset": len(arrived)}
        assert "sha256:" + hashlib.sha256(arrived).hexdigest() == digest
        self.blobs[digest] = arrived
        return 201, {"digest": digest, "size_bytes": total}

    def ranged(self, digest: str, asked: str | None) -> Answer:
        if digest not in self.blobs:
            return 404, {"code": "blob-missing", "detail": "no such blob"}
        if asked is None:
            return 200, self.blobs[digest]
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        assert match
        return PARTIAL, self.blobs[digest][int(match[1]) :]


def typed(shown: Any) -> Any:  # noqa: ANN401 - any JSON
    """Give a problem the type that its code makes, as the API does."""
    code: object = shown.get("code") if hasattr(shown, "get") else None
    return shown if code is None else {"type": f"urn:tallystick:problem:{code}", **shown}


def media_type_of(status: int, path: str, shown: object) -> str:
    """The media type that the API gives such an answer; bytes of an error are a proxy's page."""
    if status >= 400:
        return "text/html" if isinstance(shown, bytes) else "application/problem+json"
    if path.startswith("/v1/blobs/") and isinstance(shown, bytes):
        return "application/octet-stream"
    if path.endswith("/events"):
        return "text/event-stream"
    if "/ledger/checkpoint" in path or "/ledger/proof/" in path:
        return "text/plain; charset=utf-8"
    return "application/json"


def knows(authorization: str) -> bool:
    """Whether a bearer token is signed by the key of someone in the agreement, and is young."""
    keys = {key_id(actor.signing_key.public_key): actor.signing_key.public_key for actor in PEOPLE.values()}
    token = authorization.removeprefix("Bearer ")
    try:
        subject = jwt.decode(token, options={"verify_signature": False})["sub"]
        key = Ed25519PublicKey.from_public_bytes(public_key_bytes(keys[subject]))
        says = jwt.decode(token, key, algorithms=["EdDSA"], audience="test", options={"verify_iat": True})
    except (jwt.InvalidTokenError, KeyError):
        return False
    return 0 < int(says["exp"]) - int(says["iat"]) <= 300


class Quiet(ThreadingHTTPServer):
    """A server for which a caller who hangs up is no news."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def serving(api: FakeApi, *, tls: ssl.SSLContext | None = None) -> Generator[FakeApi]:
    """Let `api` answer on a port of this machine, over TLS if a certificate is given."""

    class Desk(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, shown = api.answer(self.command, self.path, body, self.headers)  # type: ignore[arg-type]
            if status == HANGS_UP:
                self.close_connection = True
                return
            raw = shown if isinstance(shown, bytes) else json.dumps(typed(shown)).encode()
            self.send_response(status)
            if self.command == "HEAD":
                self.send_header("Upload-Offset", raw.decode())
                raw = b""
            if status == 503:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Type", media_type_of(status, urlsplit(self.path).path, shown))
            self.send_header("Content-Length", str(len(raw)))
            if status == PARTIAL:
                first = int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
                held = f"bytes {first}-{first + len(raw) - 1}/{first + len(raw)}"
                self.send_header("Content-Range", held if api.says_range is None else api.says_range)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_PUT = do_POST = do_HEAD = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    server = Quiet(("127.0.0.1", 0), Desk)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    api.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def query(target: str) -> dict[str, list[str]]:
    """The query of a request's target."""
    return parse_qs(urlsplit(target).query)
