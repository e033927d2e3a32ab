"""Evidence files that hold, made by attackers who have every key in them, as slow as the rules allow."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import Envelope, body_of, kind_of, new_nonce, sign, statement_id
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.merkle import Frontier, node_hash
from tallystick.crypto.log.note import Checkpoint, origin_of, sign_checkpoint
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import decode, encode_object
from tallystick.domain.ids import Digest, PersonId, StageId, as_digest
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.periods import Period
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.signed import Body
from tallystick.proof.case import Case, folded
from tallystick.proof.entries import RecordedStatement, filing_first
from tallystick.proof.evidence.file import (
    EarlierLog,
    FiledEntry,
    content_of,
    evidence_bytes,
    read_evidence_file,
)
from tallystick.proof.reading import read_agreement
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tests.support.worlds.agreements import (
    AGREEMENT,
    ANA,
    BEA,
    BEN,
    CRITICAL,
    DECISION_KEY,
    DORA,
    KIM,
    LOG_KEY,
    PEOPLE,
    TOM,
    Actor,
    quorum,
)
from tests.support.worlds.gate_worlds import READY, ROOT_KEYS, SIGNERS, World
from tests.support.worlds.prepared_worlds import ready_world

SALT: Final = bytes(32)
SECOND: Final = timedelta(seconds=1)
EVER: Final = Period("P3600D")
HELPERS: Final = tuple(
    Actor(id=PersonId(f"p{number}@{party}"), name=f"P {number}")
    for number in range(48)
    for party in [("nordwind", "harbour", "kestrel", "marlowe")[number % 4]]
)
KEYS: Final = {one.id: one.signing_key for one in (*PEOPLE.values(), *HELPERS)}
VOTERS: Final = tuple(one.id for one in HELPERS[:27])


def crowded() -> Agreement:
    """As many persons as an agreement may have, most of whom vote, object, hold and deny, for ten years."""
    ids = [one.id for one in HELPERS]
    everyone = quorum({"any": [ANA, KIM, TOM, *ids[:29]]})
    stage = replace(
        AGREEMENT.stages[1], quorum=quorum({"k": 3, "of": [{"any": [ANA]}, KIM, TOM, DORA, *VOTERS]})
    )
    return replace(
        AGREEMENT,
        persons=(*AGREEMENT.persons, *(one.person for one in HELPERS)),
        windows=replace(AGREEMENT.windows, approval=EVER, approval_lifetime=EVER),
        stages=(AGREEMENT.stages[0], stage, AGREEMENT.stages[2]),
        objection=replace(AGREEMENT.objection, objectors=(DORA, *(one for one in ids if "nordwind" in one))),
        authorities=replace(
            AGREEMENT.authorities,
            claimants=(BEA, BEN),
            denial=quorum({"all": [ANA, KIM, TOM, *ids[:28]]}),
            hold=(ANA, KIM, *ids),
            hold_lift=everyone,
        ),
    )


class Log:
    """The tree over some leaves, with its proofs; each node is hashed once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves
        self._nodes: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return self._leaves[start]
        if (start, end) not in self._nodes:
            middle = _middle(start, end)
            self._nodes[start, end] = node_hash(self.root(start, middle), self.root(middle, end))
        return self._nodes[start, end]

    def path(self, leaf: int, start: int, end: int) -> tuple[bytes, ...]:
        if end - start == 1:
            return ()
        middle = _middle(start, end)
        if leaf < middle:
            return (*self.path(leaf, start, middle), self.root(middle, end))
        return (*self.path(leaf, middle, end), self.root(start, middle))

    def consistency(self, size: int, start: int, end: int, *, whole: bool = True) -> tuple[bytes, ...]:
        if size == end - start:
            return () if whole else (self.root(start, end),)
        middle = _middle(start, end)
        if size <= middle - start:
            return (*self.consistency(size, start, middle, whole=whole), self.root(middle, end))
        return (
            *self.consistency(size - (middle - start), middle, end, whole=False),
            self.root(start, middle),
        )


def _middle(start: int, end: int) -> int:
    return start + (1 << (end - start - 1).bit_length() - 1)


class Attackers:
    """A claim that waits for its gate, and whatever its attackers add to its record."""

    def __init__(
        self, folder: Path, first: Agreement = AGREEMENT, *, stages: Sequence[StageId] = (CRITICAL,)
    ) -> None:
        self.world: World = ready_world(folder, first=first, stages=tuple(stages))
        self.world.decide(self.world.gate(halted=True), stages[0])
        self.world.sign_checkpoint()
        with transaction(self.world.database) as session:
            data = export(session, self.world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=READY)
        self._exported = read_evidence_file(data)
        self.rows = [(one.accepted_at, one.envelope) for one in self._exported.exported.entries]
        self.now: datetime = self.rows[-1][0]
        self._folded_to = len(self.rows)
        self._case: Case | None = None
        self._tree = Frontier()

    @property
    def case(self) -> Case:
        """The claim as its record leaves it now."""
        if self._case is None:
            signed = read_agreement(self.rows[0][1])
            self._case = folded(signed, self.record())
        else:
            self._case = self._case.grown(self._recorded(self._folded_to))
        self._folded_to = len(self.rows)
        return self._case

    def record(self) -> Sequence[RecordedStatement]:
        """The claim's record, as a server shows it."""
        record = sorted(self._recorded(0), key=lambda one: filing_first(kind_of(one.envelope), one.index))
        return [one for one in record if _concerns(one, self.world.claim)]

    def _recorded(self, start: int) -> Iterable[RecordedStatement]:
        for index, (at, envelope) in enumerate(self.rows[start:], start=start):
            yield RecordedStatement(index=index, accepted_at=at, envelope=envelope)

    def add(self, envelope: Envelope) -> Digest:
        self.rows.append((self.now, envelope))
        return statement_id(envelope)

    def say(self, kind: type[Body], person: PersonId, *keys: SigningKey, **members: object) -> Digest:
        """Have a person, or those with `keys`, say something about the claim."""
        body = self.world.body(kind, person, self.now, claim=self.world.claim, **members)
        return self.add(self.world.signed(body, *(keys or (KEYS[person],))))

    def claims(self, kind: type[Body], person: PersonId, **members: object) -> Digest:
        """Have a person say something about the claim who has verified the log as it is now."""
        return self.say(kind, person, ledger_seen=self.seen, **members)

    @property
    def seen(self) -> LedgerSeen:
        """What somebody has verified who read the log as it is now."""
        for index, (at, envelope) in enumerate(self.rows[self._tree.size :], start=self._tree.size):
            self._tree = self._tree.append(_filed(index, at, envelope).leaf())
        return LedgerSeen(size=self._tree.size, root=as_digest(self._tree.root()))

    def repairs(self, *lines: str) -> None:
        """Have the engine record that a copy was repaired, which it may at any time."""
        engine = self.world.engine_person
        self.say(Event, engine, LOG_KEY, happening=Happening.REPLICA_REPAIRED, because=lines)

    @cached_property
    def _refusal(self) -> DecisionStatement:
        last = [one for _, one in self.rows if kind_of(one) == Kind.DECISION][-1]
        return decode(DecisionStatement, body_of(last))

    def is_refused(self, *, until: timedelta = timedelta(days=3000)) -> bool:
        """Have the gate asked as soon as the rules allow, and refuse; False if they never do."""
        case, end = self.case, READY + until
        while (owed := due(case.agreement, case.claim, at=self.now)) is None:
            moment = next_look(case.agreement, case.claim, at=self.now)
            if moment is None or moment > end:
                return False
            self.now = moment
        if owed.happening is not Happening.QUORUM_REACHED:
            return False
        engine = self.world.engine_person
        self.say(Event, engine, LOG_KEY, happening=owed.happening, stage=owed.stage, because=owed.because)
        self.refuses()
        return True

    def refuses(self) -> None:
        body = replace(
            self._refusal,
            nonce=new_nonce(),
            record=self.case.claim.record_digest,
            decided_at=self.now,
            issued_at=self.now,
        )
        self.add(self.world.signed(body, DECISION_KEY))

    def versions(self, number: int, recipients: Sequence[str]) -> None:
        """Have so many later versions registered, which come into force long after, with other recipients."""
        before, digest = self.world.agreement, self.world.digest
        for version in range(2, number + 2):
            first = version * len(before.persons)
            persons = tuple(
                replace(one, age_recipient=recipients[(first + place) % len(recipients)])
                for place, one in enumerate(before.persons)
            )
            later = READY + timedelta(days=3000)
            before = replace(
                before, version=version, supersedes=digest, effective_from=later, persons=persons
            )
            keys = [PEOPLE[one].signing_key for one in SIGNERS]
            digest = self.add(sign("agreement", encode_object(before), keys))

    def file(self) -> bytes:
        """Return the file, over a log of its entries alone."""
        filed = [_filed(index, at, envelope) for index, (at, envelope) in enumerate(self.rows)]
        log, size = Log([one.leaf() for one in filed]), len(filed)
        entries = tuple(
            replace(one, proof=log.path(one.index, 0, size), seen=_seen(log, one, size)) for one in filed
        )
        origin = origin_of(self.world.agreement.deployment, self.world.agreement.id)
        note = sign_checkpoint(Checkpoint(origin=origin, size=size, root=log.root(0, size)), LOG_KEY)
        case = replace(self._exported.exported, checkpoint=note, entries=entries)
        seal = decode(EvidenceSeal, body_of(self._exported.seal))
        return evidence_bytes(case, replace(seal, content=content_of(case), entries=size), LOG_KEY)


def _filed(index: int, at: datetime, envelope: Envelope) -> FiledEntry:
    return FiledEntry(index=index, accepted_at=at, salt=SALT, envelope=envelope, proof=())


def _concerns(one: RecordedStatement, claim: Digest) -> bool:
    shared = kind_of(one.envelope) in {Kind.AGREEMENT, Kind.KEY_REVOCATION}
    return shared or statement_id(one.envelope) == claim or body_of(one.envelope).get("claim") == claim


def _seen(log: Log, one: FiledEntry, size: int) -> EarlierLog | None:
    seen = body_of(one.envelope).get("ledger_seen")
    if not isinstance(seen, dict):
        return None
    named = seen["size"]
    assert isinstance(named, int)
    return EarlierLog(root=log.root(0, named), proof=log.consistency(named, 0, size))
