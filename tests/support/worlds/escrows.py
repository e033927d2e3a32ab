"""A decided claim on a release, and an escrow agent that is a folder.

What the escrow shows is a record that folds, as the server's is; it lies on disk, so that it
outlives a receiver that is killed.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tallystick.client.answers import objects
from tallystick.crypto.envelope import Envelope, envelope_from_json, envelope_json, statement_id
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.claim.sight import Sight
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.codec import instant, instant_text
from tallystick.domain.ids import ComponentId, Digest, StageId
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Outcome
from tallystick.domain.record.fold import fold
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.header import Contribution
from tallystick.domain.statements.receipts import Receipt
from tallystick.domain.statements.signed import Entry, Signed, expect
from tallystick.proof.reading import read_signed
from tests.support.worlds.agreements import ANA, CRITICAL, KIM, PROVISIONAL, TOM
from tests.support.worlds.deliveries import Release, digest_of
from tests.support.worlds.world import World, window_over


@dataclass
class ReleaseWorld(World):
    """The claim of a release, and everybody around it: the record that its server keeps."""

    release: Release = field(kw_only=True)
    shares: dict[ComponentId, Digest] = field(default_factory=dict[ComponentId, Digest])

    @property
    def deposit(self) -> Signed[Deposit]:
        return expect(read_signed(self.release.deposit, self.agreement), Deposit)

    def sight(self, **changes: object) -> Sight:
        custody = {component: sealed.body for component, sealed in self.release.sealed.items()}
        return super().sight(deposit=self.deposit, custody=custody, **changes)

    def decides(self, stage: str, **members: object) -> Entry:
        components = self.agreement.stage(StageId(stage)).components
        given = tuple(
            Contribution(component=component, leaf=GATE_LEAF, sealed_digest=self.shares[component])
            for component in components
        )
        return super().decides(stage, contributions=given, **members)

    @property
    def shown(self) -> list[JsonObject]:
        """The record's entries, as the server shows them."""
        return [
            {
                "index": entry.index,
                "accepted_at": instant_text(entry.accepted_at),
                "envelope": envelope_json(envelope),
            }
            for envelope, entry in self.record
        ]

    def files_the_release(self) -> None:
        """Put the release's own claim on record."""
        entry = Entry(index=0, accepted_at=self.now, signed=read_signed(self.release.filing, self.agreement))
        self.told, self.record = fold(self.terms, [entry]), [(self.release.filing, entry)]

    def decided(self, stages: Sequence[StageId]) -> None:
        """Let the claim run until its first stage is decided; the window is over by then."""
        self.files_the_release()
        self.accepts()
        self.acknowledges()
        self.passes(window_over(self))
        for stage in reversed(stages):  # the first one is decided last
            for person in (ANA, KIM, TOM) if stage == CRITICAL else (ANA, KIM):
                self.approves(person, stages=[stage])


class FolderEscrow:
    """The escrow agent's server, as files: blobs, the claim's record, and the receipts it was sent.

    The record lies on disk, so that it outlives a receiver that is killed; after each receipt the engine
    and the gate do what is due.
    """

    def __init__(
        self, folder: Path, release: Release, *, stages: tuple[StageId, ...] = (PROVISIONAL, CRITICAL)
    ) -> None:
        self.folder, self.release = folder, release
        (folder / "blobs").mkdir(parents=True)
        shares = {
            component: self.put(release.contribution(component))
            for stage in stages
            for component in release.terms.stage(stage).components
        }
        for sealed in release.sealed.values():
            self.put(sealed.raw)
        self._shares_file.write_text(json.dumps(shares))
        world = ReleaseWorld(agreement=release.terms, now=release.at, release=release, shares=shares)
        world.decided(stages)
        self._keep(world)

    @property
    def record_file(self) -> Path:
        return self.folder / "record.json"

    @property
    def now(self) -> datetime:
        return instant(json.loads(self.record_file.read_text())["now"])

    def blob(self, digest: Digest) -> Path:
        return self.folder / "blobs" / digest.removeprefix("sha256:")

    def put(self, raw: bytes) -> Digest:
        digest = digest_of(raw)
        self.blob(digest).write_bytes(raw)
        return digest

    def world(self) -> ReleaseWorld:
        """The world as the record on disk leaves it."""
        kept = json.loads(self.record_file.read_text())
        world = ReleaseWorld(
            agreement=self.release.terms,
            release=self.release,
            shares=json.loads(self._shares_file.read_text()),
            now=instant(kept["now"]),
            nonce=kept["nonce"],
        )
        for one in kept["record"]:
            envelope = envelope_from_json(one["envelope"])
            signed = read_signed(envelope, self.release.terms)
            entry = Entry(index=one["index"], accepted_at=instant(one["accepted_at"]), signed=signed)
            world.record.append((envelope, entry))
        world.told = fold(world.terms, world.entries)
        return world

    def happens(self, what: Callable[[ReleaseWorld], object]) -> None:
        """Let something happen to the claim, with all that is due after it."""
        world = self.world()
        what(world)
        world.settles()
        self._keep(world)

    def undo_all(self) -> None:
        """Let everything that was released fall due for return: by an order, or as the claim is withdrawn."""

        def ends(world: ReleaseWorld) -> None:
            if world.claim.state is ClaimState.RELEASED:
                world.rules(outcome=Outcome.RETURN)
            else:
                world.withdraws(cured=True)

        self.happens(ends)

    def receipts(self) -> list[Receipt]:
        """Every receipt on record, in the order of their arrival."""
        return [body for _, body in self.world().claim.entries_of(Receipt)]

    def outcomes(self) -> list[tuple[str, str]]:
        return [(receipt.stage, receipt.outcome.value) for receipt in self.receipts()]

    def delivery(self, claim: str) -> JsonObject:
        kept = json.loads(self.record_file.read_text())
        return {
            "claim": claim,
            "digest": self.release.claim,
            "contributed": [PROVISIONAL, CRITICAL],
            "agreement_envelope": envelope_json(self.release.agreement),
            "deposit_envelope": envelope_json(self.release.deposit),
            "custody": [
                {"component": name, "envelope": envelope_json(sealed.custody)}
                for name, sealed in self.release.sealed.items()
            ],
            "record": kept["record"],
        }

    def record(self, claim: str) -> Iterable[JsonObject]:
        return objects(self.delivery(claim), "record")

    def fetch(self, wanted: Digest, into: Path, *, size_bytes: int) -> None:
        assert self.blob(wanted).stat().st_size == size_bytes
        into.write_bytes(self.blob(wanted).read_bytes())

    def fetch_small(self, wanted: Digest) -> bytes:
        return self.blob(wanted).read_bytes()

    def report(self, claim: Digest, receipt: Envelope) -> None:
        assert claim == self.release.claim
        if statement_id(receipt) not in {entry.signed.id for entry in self.world().entries}:
            self.happens(lambda world: world.submits(receipt))

    @property
    def _shares_file(self) -> Path:
        return self.folder / "shares.json"

    def _keep(self, world: ReleaseWorld) -> None:
        kept = {"now": instant_text(world.now), "nonce": world.nonce, "record": world.shown}
        draft = self.folder / "record.new"
        draft.write_text(json.dumps(kept))
        draft.replace(self.record_file)
