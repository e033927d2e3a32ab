"""What this receiver has done with each stage of each claim, on disk before it does the next thing.

After a crash at any point the logbook says where to resume, and everything from
there may be done again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from tallystick.client.answers import as_object, texts
from tallystick.crypto.envelope import Envelope, envelope_bytes, parse_envelope
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.domain.codec import decode, encode_object
from tallystick.domain.ids import Digest, StageId, digest, digits_of
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.durable import make_private
from tallystick.limits.desk import RECEIVER_KNOWN_BYTES_MAX
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX, JSON_SIZE_BYTES_MAX
from tallystick.receiver.fence import Fence
from tallystick.regular import read_regular


class Progress(StrEnum):
    """How far a stage has come here."""

    STAGED = "staged"
    """It is opened, checked and complete in its version folder; the switch comes next."""
    ACTIVE = "active"
    """It is switched to, activated and healthy."""
    FAILED = "failed"
    """It did not become active, or did not stay so; going back comes next."""
    UNDONE = "undone"
    """The version before it is active again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageNote:
    """What was done here with one stage of one claim.

    Attributes:
        version: The version folder's name; empty if the stage was never opened.
        previous: What was active before; absent if nothing was.
        reason: Why it failed; of a staged one, why the latest try to activate it failed.
        tries: How often that failed, and when the latest try began.
    """

    claim: Digest
    stage: StageId
    step: Progress
    version: str
    components: tuple[ReceivedComponent, ...]
    previous: str | None = None
    reason: str | None = None
    tries: int = 0
    tried_at: datetime | None = None


class Logbook:
    """The notes in one folder, and the receipts that were signed for them."""

    def __init__(self, folder: Path, fence: Fence) -> None:
        """Keep the logbook in `folder`, as long as `fence` allows it."""
        self._folder, self._fence = make_private(folder), fence

    def read(self, claim: Digest, stage: StageId) -> StageNote | None:
        """Return what was done with a stage, or None if nothing was."""
        path = self._path(claim, stage, "note")
        return _note(path) if path.exists() else None

    def before(self, stage: StageId, version: str) -> str | None:
        """Return which version of a stage was active before `version`; None if none was."""
        notes = map(_note, self._folder.glob(f"*.{stage}.note.json"))
        return next((one.previous for one in notes if (one.stage, one.version) == (stage, version)), None)

    def write(self, note: StageNote) -> StageNote:
        """Make `note` durable, and return it.

        Raises:
            ReceiverOvertakenError: A later receiver has begun.
        """
        self._fence.write(self._path(note.claim, note.stage, "note"), canonical_bytes(encode_object(note)))
        return note

    def receipt(self, claim: Digest, stage: StageId, outcome: ReceiptOutcome) -> Envelope | None:
        """Return the receipt that was signed for an outcome, or None."""
        path = self._path(claim, stage, outcome.value)
        return parse_envelope(read_regular(path, AGREEMENT_SIZE_BYTES_MAX)) if path.exists() else None

    def keep_receipt(self, claim: Digest, stage: StageId, outcome: ReceiptOutcome, receipt: Envelope) -> None:
        """Make a signed receipt durable, so that every attempt sends the same one.

        Raises:
            ReceiverOvertakenError: A later receiver has begun.
        """
        self._fence.write(self._path(claim, stage, outcome.value), envelope_bytes(receipt))

    def known(self, claim: Digest) -> frozenset[Digest]:
        """Return the ids of what persons are known to have said about a claim, this receiver included."""
        path = self._known_path(claim)
        if not path.exists():
            return frozenset()
        # A record may be longer than a statement: all that persons may say about a claim must be read back.
        known = parse(read_regular(path, RECEIVER_KNOWN_BYTES_MAX), size_bytes_max=RECEIVER_KNOWN_BYTES_MAX)
        return frozenset(map(digest, texts(as_object(known, "known"), "said")))

    def remember(self, claim: Digest, said: frozenset[Digest]) -> None:
        """Make durable that `said` is on the record of a claim, besides what is known already.

        Raises:
            ReceiverOvertakenError: A later receiver has begun.
        """
        known = self.known(claim)
        if not said <= known:
            self._fence.write(self._known_path(claim), canonical_bytes({"said": sorted(known | said)}))

    def _known_path(self, claim: Digest) -> Path:
        return self._folder / f"{digits_of(claim)}.known.json"

    def _path(self, claim: Digest, stage: StageId, what: str) -> Path:
        return self._folder / f"{digits_of(claim)}.{stage}.{what}.json"


def _note(path: Path) -> StageNote:
    return decode(StageNote, parse(read_regular(path, JSON_SIZE_BYTES_MAX)))
