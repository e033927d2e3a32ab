"""What was signed and not answered yet: a repeated command sends the same statement, and not another one.

Each envelope is kept next to the key before it is sent, and dropped once the server has answered. Without
that, "send the same request again" would mean a second statement with another nonce.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from tallystick.client.http import Client
from tallystick.client.problems import UnexpectedAnswerError, passes
from tallystick.crypto.envelope import (
    Envelope,
    body_of,
    envelope_from_json,
    envelope_json,
    statement_id,
    verified_signers,
)
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import members_of, text_of
from tallystick.desk.kept.sent import Sent
from tallystick.domain.codec import instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PublicKey, digits_of
from tallystick.domain.instants import plus
from tallystick.domain.json import JsonObject
from tallystick.durable import make_private, write_durably
from tallystick.limits.desk import UNSENT_LIFETIME_MAX
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.regular import read_regular

_FORMAT: Final = "tallystick.unsent/v1"
_SIZE_BYTES_MAX: Final = 2 * AGREEMENT_SIZE_BYTES_MAX
_OF_ITS_TIME: Final = frozenset({"nonce", "issued_at", "expires_at", "ledger_seen"})
"""Members in which two statements of one meaning differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """The statements of one key that nobody has answered.

    Attributes:
        folder: Next to the key; made with mode 0700 when it is first needed.
        signer: The key's public half: what it has not signed is not sent in its name.
        sent: Where a statement is kept once it was recorded.
    """

    folder: Path
    signer: PublicKey
    sent: Sent

    def same(self, path: str, said: Envelope, at: datetime) -> Envelope | None:
        """Return the kept envelope that was to go to `path` and means the same as `said`, if there is one."""
        wanted = (path, said.payload_type, _meaning(said))
        found = (
            kept for where, kept in self._kept(at) if (where, kept.payload_type, _meaning(kept)) == wanted
        )
        return next(found, None)

    def send(self, client: Client, path: str, envelope: Envelope) -> JsonObject:
        """Send a statement, and keep it until it is answered.

        Raises:
            TallystickError: As `Client.post_statement`.
        """
        self._keep(path, envelope)
        try:
            answered = client.post_statement(path, envelope)
        except TallystickError as error:
            if not is_open(error):
                self.drop(envelope)
            raise
        self.sent.keep(envelope)
        self.drop(envelope)
        return answered

    def _keep(self, path: str, envelope: Envelope) -> None:
        document: JsonObject = {"envelope": envelope_json(envelope), "format": _FORMAT, "path": path}
        # Even a person whose folder cannot be written must be able to object.
        with suppress(OSError):
            make_private(self.folder)
            write_durably(self._file(envelope), canonical_bytes(document) + b"\n")

    def drop(self, envelope: Envelope) -> None:
        """Forget a statement: it was answered, or it is not to be sent any more."""
        with suppress(OSError):
            self._file(envelope).unlink()

    def _file(self, envelope: Envelope) -> Path:
        return self.folder / f"{digits_of(statement_id(envelope))}.json"

    def _kept(self, at: datetime) -> Iterator[tuple[str, Envelope]]:
        for file in sorted(self.folder.glob("*.json")):
            # A file that cannot be read is not sent; a new statement is signed.
            with suppress(OSError, TallystickError):
                path, envelope = _read(file)
                verified_signers(envelope, [self.signer])
                if is_expired(body_of(envelope), at):
                    file.unlink()
                    continue
                yield path, envelope


def is_open(error: TallystickError) -> bool:
    """Whether the statement may be on record after this error, or may be recorded later."""
    return passes(error) or isinstance(error, UnexpectedAnswerError)


def is_expired(body: JsonObject, at: datetime) -> bool:
    """Whether a statement is too old to be sent again."""
    expires, issued = body.get("expires_at"), body.get("issued_at")
    if isinstance(expires, str) and instant(expires) <= at:
        return True
    return not isinstance(issued, str) or plus(instant(issued), UNSENT_LIFETIME_MAX) < at


def _meaning(envelope: Envelope) -> JsonObject:
    return {name: value for name, value in body_of(envelope).items() if name not in _OF_ITS_TIME}


def _read(file: Path) -> tuple[str, Envelope]:
    content = read_regular(file, _SIZE_BYTES_MAX)
    members = members_of(
        parse(content, size_bytes_max=_SIZE_BYTES_MAX), where="", required={"envelope", "format", "path"}
    )
    return text_of(members, "path", where=""), envelope_from_json(members["envelope"])
