"""`python -m tests.bench.greedy_callers`: callers that ask for one heavy route as fast as they are answered.

It reads its errand as JSON from standard input, prints `ready`, and asks until it is ended. It is a process
of its own, niced, so that what others notice is the server's work and not this one's.
"""

import http.client
import json
import secrets
import sys
from dataclasses import asdict, dataclass
from threading import Thread
from typing import Final

CALLERS: Final = 48
_PART: Final = bytes(64 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What the callers ask for.

    Attributes:
        address: Host and port of the API.
        path: With `{random}` where each request has a digest of its own.
        byte_range: What of it, or nothing for the whole.
        tokens: Bearer tokens, which the callers share.
    """

    address: str
    method: str
    path: str
    byte_range: str
    tokens: list[str]

    def written(self) -> str:
        """Return it as the process reads it."""
        return json.dumps(asdict(self))


def _ask_for_ever(errand: Errand, token: str) -> None:
    while True:
        connection = http.client.HTTPConnection(errand.address, timeout=30)
        try:
            while True:
                _ask(connection, errand, token)
        except (OSError, http.client.HTTPException):
            connection.close()  # and again, at once


def _ask(connection: http.client.HTTPConnection, errand: Errand, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    if errand.byte_range:
        headers["Range"] = errand.byte_range
    body = None
    if errand.method == "PUT":
        headers["Upload-Length"], body = str(4 * len(_PART)), _PART
    path = errand.path.replace("{random}", f"sha256:{secrets.token_hex(32)}")
    connection.request(errand.method, path, body, headers)
    connection.getresponse().read()


def main() -> None:
    """Ask until the process is ended."""
    errand = Errand(**json.loads(sys.stdin.readline()))
    for place in range(CALLERS):
        token = errand.tokens[place % len(errand.tokens)]
        Thread(target=_ask_for_ever, args=(errand, token), daemon=True).start()
    print("ready", flush=True)  # noqa: T201 - the process that started it reads this line
    sys.stdin.read()


if __name__ == "__main__":
    main()
