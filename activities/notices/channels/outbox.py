"""Outboxes: folders of the escrow agent's, from which somebody carries letters on."""

from dataclasses import dataclass
from pathlib import Path

from activities.notices.channels.letter import Letter, NotTakenError, Taken
from tallystick.domain import ids
from tallystick.domain.errors import MalformedError
from tallystick.durable import make_folder, sync_folder, write_durably


@dataclass(frozen=True, slots=True, kw_only=True)
class Outboxes:
    """The folder that holds a folder for each outbox."""

    folder: Path

    def deliver(self, address: str, letter: Letter, signed: bytes) -> Taken:
        """Write a letter and its signed file into an outbox, once."""
        try:
            outbox = self.folder / ids.name(address)
        except MalformedError:
            raise NotTakenError("the address is not the name of an outbox") from None
        make_folder(outbox)
        path = outbox / f"{letter.id}.txt"
        if not path.exists():
            write_durably(path.with_suffix(".json"), signed)
            write_durably(path, f"{letter.subject}\n\n{letter.text}".encode())
            sync_folder(self.folder)  # a process that was stopped may have made the folder
        return Taken(taken=True, own=True, detail=f"it lies in the outbox as {path.name}")
