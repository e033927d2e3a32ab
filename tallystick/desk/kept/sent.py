"""What a person signed and the server recorded: should a log lose it, its author still has it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tallystick.crypto.envelope import Envelope, envelope_bytes, parse_envelope, statement_id
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import digits_of
from tallystick.durable import make_private, write_durably
from tallystick.limits.desk import SENT_KEPT_MAX
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.regular import read_regular

_SIZE_BYTES_MAX = 2 * AGREEMENT_SIZE_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A folder of recorded statements next to the key, each under its id; the oldest give way to new ones."""

    folder: Path

    def keep(self, envelope: Envelope) -> None:
        """Keep a statement; where the folder cannot be written, it is recorded all the same."""
        with suppress(OSError):
            make_private(self.folder)
            write_durably(self.file(envelope), envelope_bytes(envelope))
            by_age = sorted(self.folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
            for file in by_age[:-SENT_KEPT_MAX]:
                file.unlink()

    def statements(self) -> Iterator[Envelope]:
        """Yield what is kept; no signature is verified, and a file that cannot be read is passed over."""
        for file in sorted(self.folder.glob("*.json")):
            with suppress(OSError, TallystickError):
                yield parse_envelope(
                    read_regular(file, _SIZE_BYTES_MAX), body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX
                )

    def file(self, envelope: Envelope) -> Path:
        """Return where a statement is kept."""
        return self.folder / f"{digits_of(statement_id(envelope))}.json"
