"""A small world to play stories in: real keys, real envelopes, a clock, and an engine that does its duty.

Everything goes the real way: a body is signed, read back with its signatures
verified, admitted, and evolved. There is no Temporal, no database and no thread.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, cast

from tallystick.crypto.envelope import Envelope, sign
from tallystick.crypto.keys import SigningKey
from tallystick.domain.admission.door import admit
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.bodies import BODIES
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.evolve import evolve
from tallystick.domain.claim.sight import Sight
from tallystick.domain.claim.state import StageState
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest, PersonId, StageId
from tallystick.domain.kinds import Authority, Kind, Outcome, Purpose, ReceiptOutcome, WithdrawalReason
from tallystick.domain.notice.sighting import to_be_sighted
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.domain.record.filing import check_filing
from tallystick.domain.record.fold import fold
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.release.decision import Decision, decide
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import ChannelResult
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.domain.statements.header import Contribution, Document, Header, OnClaim
from tallystick.domain.statements.signed import BY_GATE, Body, Entry, Signed, expect
from tallystick.proof.reading import read_signed
from tests.support.worlds.agreements import AGREEMENT, DECISION_KEY, LOG_KEY, PEOPLE, receivers
from tests.support.worlds.groundwork import (
    BEGIN,
    as_shown,
    first_deposit,
    received,
    signed_by_all,
    some_digest,
    sound_sight,
)

ROUNDS_MAX: Final = 200
SECOND: Final = timedelta(seconds=1)
FINAL_PAPERS: Final[Mapping[Authority, Sequence[str]]] = {
    Authority.COURT_ORDER: ("order", "finality_certificate"),
    Authority.ARBITRATION: ("award",),
}


def window_over(world: "World") -> timedelta:
    """How long until the objection window is over, to the second after its last moment."""
    assert world.claim.window_until is not None
    return world.claim.window_until + SECOND - world.now


@dataclass
class World:
    """One agreement, one claim, and everyone around it.

    `says` makes any statement by anyone; the verbs are short for it. Once
    `engine_runs`, whatever falls due is recorded after each act and as time passes.
    """

    agreement: Agreement = AGREEMENT
    now: datetime = BEGIN
    engine_runs: bool = True
    gate_runs: bool = True
    channels_take: bool = True
    sight_changes: dict[str, object] = field(default_factory=dict[str, object])
    record: list[tuple[Envelope, Entry]] = field(default_factory=list[tuple[Envelope, Entry]])
    told: Claim | None = None
    nonce: int = 0

    # ------------------------------------------------------------------ what there is

    @property
    def terms(self) -> Terms:
        return signed_by_all(self.agreement).terms

    @property
    def claim(self) -> Claim:
        assert self.told is not None, "no claim was filed yet"
        return self.told

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for _, entry in self.record)

    @property
    def deposit(self) -> Signed[Deposit]:
        return first_deposit(self.agreement)

    def states(self) -> dict[str, str]:
        return {progress.stage: progress.state.value for progress in self.claim.stages}

    def refolded(self) -> Claim:
        """The claim as read from the record alone."""
        return fold(self.terms, self.entries)

    # ------------------------------------------------------------------ statements

    def body(self, kind: Kind, person: str, /, **members: object) -> Header:
        self.nonce += 1
        header: dict[str, object] = {
            "deployment": self.agreement.deployment,
            "agreement": self.agreement.id,
            "agreement_digest": self.terms.digest,
            "person": PersonId(person),
            "issued_at": self.now,
            "nonce": f"{self.nonce:032x}",
        }
        if self.told is not None and (issubclass(BODIES[kind], OnClaim) or kind is Kind.EVENT):
            header["claim"] = self.told.digest
        make = cast("Callable[..., Header]", BODIES[kind])
        return make(**(header | members))

    def signs(self, kind: Kind, keys: Iterable[SigningKey], body: Header) -> tuple[Envelope, Signed[Body]]:
        envelope = sign(kind.value, encode_object(body), list(keys))
        return envelope, read_signed(envelope, self.agreement)

    def submits(self, envelope: Envelope) -> Entry:
        """Put a statement before the one door, at the world's time; raise what it raises."""
        signed = read_signed(envelope, self.agreement)
        event = admit(self.agreement, self.claim, signed, at=self.now)
        entry = Entry(index=len(self.record), accepted_at=self.now, signed=signed)
        self.told = evolve(self.claim, entry, event)
        self.record.append((envelope, entry))
        return entry

    def says(self, kind: Kind, *persons: str, **members: object) -> Entry:
        """Let `persons` sign one statement, the first of them its author, and send it."""
        keys = [PEOPLE[PersonId(person)].signing_key for person in persons]
        envelope, _ = self.signs(kind, keys, self.body(kind, persons[0], **members))
        entry = self.submits(envelope)
        self.settles()
        return entry

    def records(self, kind: Kind, **members: object) -> Entry:
        """Let the engine record something with its own key."""
        key, person = (DECISION_KEY, "gate") if kind in BY_GATE else (LOG_KEY, "engine")
        body = self.body(kind, f"{person}@{self.agreement.deployment}", **members)
        return self.submits(self.signs(kind, [key], body)[0])

    # ------------------------------------------------------------------ persons' acts

    def files(
        self,
        person: str = "bea@halden",
        *,
        stages: Sequence[str] | None = None,
        condition: str = "insolvency",
        evidence: Sequence[str] = ("insolvency-record", "officer-declaration"),
        others: Iterable[Claim] = (),
        **members: object,
    ) -> Entry:
        asked = [StageId(stage) for stage in stages or [stage.id for stage in self.agreement.stages]]
        filing: dict[str, object] = {
            "generation": newest_generation(),
            "condition": condition,
            "deposit": self.deposit.id,
            "stages": tuple(asked),
            "evidence": tuple(
                EvidenceDocument(
                    item=item,
                    issued_at=self.now - timedelta(days=2),
                    plain_digest=some_digest(100 + place),
                    sealed_digest=some_digest(200 + place),
                )
                for place, item in enumerate(evidence)
            ),
            "receivers": receivers(PersonId(person)),
            "purpose": Purpose.RELEASE,
            "declaration": "Support has ceased.",
        }
        body = self.body(Kind.CLAIM, person, **(filing | members))
        key = PEOPLE[PersonId(person)].signing_key
        envelope, statement = self.signs(Kind.CLAIM, [key], body)
        signed = expect(statement, ClaimFiling)
        check_filing(self.terms, signed, at=self.now, deposit=self.deposit.body, others=others)
        entry = Entry(index=0, accepted_at=self.now, signed=signed)
        self.told = fold(self.terms, [entry])
        self.record = [(envelope, entry)]  # of this claim, from now on
        self.settles()
        return entry

    def accepts(self, person: str = "ana@harbour") -> Entry:
        return self.says(Kind.INTAKE, person, accepted=True)

    def rejects(self, person: str = "ana@harbour") -> Entry:
        return self.says(Kind.INTAKE, person, accepted=False, reasons=("the licence is missing",))

    def acknowledges(self, person: str = "dora@nordwind") -> Entry:
        return self.says(Kind.NOTICE_ACKNOWLEDGEMENT, person)

    def approves(self, person: str, *, stages: Sequence[str] | None = None, **members: object) -> Entry:
        asked = stages or [p.stage for p in self.claim.stages if self._has_leaf(person, p.stage)]
        given: dict[str, object] = {
            "stages": tuple(StageId(stage) for stage in asked),
            "purpose": Purpose.RELEASE,
            "expires_at": self.now + timedelta(days=30),
            "reason": "the evidence is in order",
            **as_shown(self.claim),
        }
        return self.says(Kind.APPROVAL, person, **(given | members))

    def denies(self, person: str, *, stages: Sequence[str] | None = None) -> Entry:
        scope, named = None if stages is None else tuple(map(StageId, stages)), self.claim.confirmed_by
        said = {"reason": "the record is of another company", "stages": scope, "confirmation": named}
        return self.says(Kind.DENIAL, person, **said)

    def objects(
        self,
        person: str = "dora@nordwind",
        *,
        to: Sequence[str] | None = None,
        ground: str = "not-insolvent",
        explanation: str = "the petition was dismissed",
    ) -> Entry:
        scope = None if to is None else tuple(StageId(stage) for stage in to)
        return self.says(Kind.OBJECTION, person, ground=ground, explanation=explanation, stages=scope)

    def retracts(self, person: str, of: Digest) -> Entry:
        return self.says(Kind.RETRACTION, person, of=of, reason="I was mistaken")

    def rules(
        self,
        *persons: str,
        outcome: Outcome,
        authority: Authority = Authority.ARBITRATION,
        papers: Sequence[str] | None = None,
    ) -> Entry:
        names = FINAL_PAPERS[authority] if papers is None else papers
        documents = tuple(
            Document(name=name, plain_digest=some_digest(300 + n), sealed_digest=some_digest(300 + n))
            for n, name in enumerate(names)
        )
        return self.says(
            Kind.RULING,
            *(persons or ("kim@kestrel",)),
            authority=authority,
            outcome=outcome,
            documents=documents,
            reason="as the papers say",
        )

    def instructs(self, *persons: str, outcome: Outcome = Outcome.RELEASE) -> Entry:
        return self.says(Kind.JOINT_INSTRUCTION, *persons, outcome=outcome, reason="we agree")

    def withdraws(self, person: str = "bea@halden", *, cured: bool = False) -> Entry:
        reason = WithdrawalReason.CURED if cured else WithdrawalReason.OTHER
        return self.says(Kind.WITHDRAWAL, person, reason=reason, explanation="it is over")

    def holds(
        self, person: str = "kim@kestrel", *, on: Sequence[str] | None = None, reason: str = "an injunction"
    ) -> Entry:
        scope = None if on is None else tuple(StageId(stage) for stage in on)
        return self.says(Kind.HOLD, person, reason=reason, stages=scope)

    def lifts(self, *persons: str, hold: Digest | None = None) -> Entry:
        standing = hold or self.claim.open_holds[0][0].signed.id
        return self.says(
            Kind.HOLD_LIFT, *(persons or ("ana@harbour", "tom@marlowe")), hold=standing, reason="lifted"
        )

    def reports(self, stage: str, outcome: ReceiptOutcome, *, person: str = "bea@halden") -> Entry:
        got = received(self.deposit.body, self.agreement.stage(StageId(stage)).components)
        return self.says(
            Kind.RECEIPT, person, stage=StageId(stage), outcome=outcome, components=got, detail="as told"
        )

    def gives_back(self, *components: str, person: str = "bea@halden") -> Entry:
        given = tuple(ComponentId(component) for component in components)
        return self.says(Kind.RETURN, person, components=given, method="deleted", certificate="by an officer")

    def revokes(self, owner: str, *by: str) -> Entry:
        key = PEOPLE[PersonId(owner)].signing_key.public_key
        return self.says(Kind.KEY_REVOCATION, *(by or (owner,)), key=key, reason="stolen")

    def _has_leaf(self, person: str, stage: StageId) -> bool:
        return person in self.agreement.stage(stage).quorum.persons

    # ------------------------------------------------------------------ time and the engine

    def at(self, moment: datetime | str) -> None:
        """Let time pass until `moment`; the engine looks whenever it should on the way."""
        until = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        assert until >= self.now, "time does not go back"
        for _ in range(ROUNDS_MAX):
            self.settles()
            look = self._next_look()
            if look is None or look > until:
                break
            self.now = look
        self.now = until
        self.settles()

    def passes(self, span: timedelta) -> None:
        self.at(self.now + span)

    def settles(self) -> None:
        """Let the engine record what is due, and the gate decide what it may."""
        if not self.engine_runs or self.told is None:
            return
        for _ in range(ROUNDS_MAX):
            if not (self._records_due() or self._gives_notice() or self._sees_notice() or self._asks_gate()):
                return
        raise AssertionError("the engine never comes to rest")

    def sight(self, **changes: object) -> Sight:
        """What the gate sees: a sound world, except for what the story changed."""
        seen = sound_sight(self.agreement, self.now)
        return replace(seen, **(self.sight_changes | changes))  # type: ignore[arg-type]

    def decision(self, stage: str, **changes: object) -> Decision:
        return decide(self.agreement, self.claim, StageId(stage), self.sight(**changes))

    def decides(self, stage: str, **members: object) -> Entry:
        """Let the gate look, and record what it decides."""
        made = self.decision(stage)
        components = self.agreement.stage(StageId(stage)).components if made.released else ()
        said: dict[str, object] = {
            "stage": made.stage,
            "released": made.released,
            "decided_at": self.now,
            "record": self.claim.record_digest,
            "premises": made.premises,
            "contributions": tuple(
                Contribution(component=c, leaf="gate", sealed_digest=some_digest(400)) for c in components
            ),
        }
        return self.records(Kind.DECISION, **(said | members))

    def happens(self) -> Entry | None:
        """Record the one thing that is due next."""
        if (owed := due(self.agreement, self.claim, at=self.now)) is None:
            return None
        return self.records(
            Kind.EVENT,
            happening=owed.happening,
            stage=owed.stage,
            until=owed.until,
            because=owed.because,
            cause=owed.cause,
        )

    def _records_due(self) -> bool:
        return self.happens() is not None

    def _gives_notice(self) -> bool:
        owed = notice_due_at(self.agreement, self.claim)
        if owed is None or owed > self.now:
            return False
        self.gives_notice()
        return True

    def gives_notice(self, **members: object) -> Entry:
        channels = tuple(
            ChannelResult(kind=c.kind, address=c.address, taken=self.channels_take, own=False, detail="")
            for c in depositor(self.agreement).channels
        )
        said: dict[str, object] = {
            "party": depositor(self.agreement).id,
            "attempt": len(self.claim.notices) + 1,
            "text_digest": some_digest(500),
            "channels": channels,
        }
        return self.records(Kind.NOTICE, **(said | members))

    def _sees_notice(self) -> bool:
        unseen = self.gate_runs and to_be_sighted(self.agreement, self.claim) is not None
        return unseen and bool(self.sights())

    def sights(self, **members: object) -> Entry:
        """Let the gate sign that it sees the notice."""
        seen = to_be_sighted(self.agreement, self.claim)
        return self.records(Kind.SIGHTING, **({"notice": seen and seen.signed.id} | members))

    def _asks_gate(self) -> bool:
        asked = next((p for p in self.claim.stages if p.state is StageState.QUORATE), None)
        if asked is None or not self.gate_runs:
            return False
        try:
            self.decides(asked.stage)
        except TallystickError:
            return False  # the claim has moved where the gate may not act
        return True

    def _next_look(self) -> datetime | None:
        if not self.engine_runs or self.told is None:
            return None
        return next_look(self.agreement, self.claim, at=self.now)
