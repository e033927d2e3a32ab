"""The record that costs a verifier most: whatever the rules let anyone add, and as much of it as they let."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import envelope_bytes, envelope_json
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.domain.agreement.parties import ChannelKind
from tallystick.domain.codec import instant_text
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Purpose
from tallystick.domain.statements.acts import Approval, Hold, HoldLift, Retraction
from tallystick.domain.statements.engine import ChannelResult, Notice
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.limits.agreements import CHANNELS_MAX
from tallystick.limits.claims import ACTS_PER_PERSON_MAX
from tallystick.limits.documents import SIGNATURES_PER_ENVELOPE_MAX
from tallystick.limits.logs import (
    EVIDENCE_ENTRIES_MAX,
    EVIDENCE_SIGNATURES_MAX,
    EVIDENCE_SIZE_BYTES_MAX,
    EVIDENCE_VERSIONS_BYTES_MAX,
)
from tallystick.limits.steps import RECORD_PAGE_BYTES_MAX
from tallystick.proof.work import verified_again
from tests.support.worlds.agreements import CRITICAL, KIM, LOG_KEY, age_identity
from tests.support.worlds.attackers import HELPERS, KEYS, SECOND, VOTERS, Attackers, crowded

WIDE: Final = "\U0001f600" + 3000 * "a"
"""A text that takes four times as much to hold as to write."""
HOLDERS: Final = tuple(one.id for one in HELPERS[len(VOTERS) :])
ROUNDS: Final = ACTS_PER_PERSON_MAX // 2
NOTICES: Final = 400
FRAME_BYTES: Final = 950  # of an entry: its proof, its salt, its names


def worst_record(folder: Path) -> Attackers:
    """Return a claim with all of that, but for what may be added at any time."""
    attackers = Attackers(folder, first=crowded())
    _votes(attackers)
    _holds(attackers)
    _looks(attackers)
    _notices(attackers)
    _versions(attackers)
    _crowds(attackers)
    return attackers


def signatures(attackers: Attackers) -> int:
    """Return how many signatures its verifier verifies."""
    envelopes = [one for _, one in attackers.rows]
    return sum(len(one.signatures) for one in envelopes) + verified_again(envelopes)


def fill(attackers: Attackers, entries: int) -> None:
    """Add so many entries, as large as still fit into a file, with values of few letters."""
    taken = sum(len(envelope_bytes(one)) + FRAME_BYTES for _, one in attackers.rows)
    each = (EVIDENCE_SIZE_BYTES_MAX - taken) // entries - FRAME_BYTES
    text = each * 3 // 4 - 900
    few = [f"b{number:02}" for number in range(60)]
    long = [WIDE] * (text // len(WIDE))
    for _ in range(entries):
        attackers.repairs(*long, "\U0001f600" + text % len(WIDE) * "a", *few)


def room(attackers: Attackers) -> int:
    """Return how many entries a file takes besides those that are there."""
    return EVIDENCE_ENTRIES_MAX - len(attackers.rows)


def _votes(attackers: Attackers) -> None:
    """Every voter approves and takes it back, as often as they may; the gate is asked after each."""
    for number in range(ROUNDS):
        for voter in VOTERS:
            approval = attackers.say(
                Approval,
                voter,
                stages=(CRITICAL,),
                purpose=Purpose.RELEASE,
                expires_at=attackers.now + timedelta(days=3500),
                reason=WIDE,
            )
            _ask(attackers)
            if number < ROUNDS - 1:
                attackers.say(Retraction, voter, of=approval, reason=WIDE)
                _ask(attackers)


def _holds(attackers: Attackers) -> None:
    """Everyone else places holds, as often as they may, which as many as may sign lift together."""
    keys = [KEYS[one.id] for one in HELPERS[: SIGNATURES_PER_ENVELOPE_MAX - 1]]
    for _ in range(ROUNDS):
        for holder in HOLDERS:
            hold = attackers.say(Hold, holder, reason=WIDE)
            attackers.say(HoldLift, KIM, KEYS[KIM], *keys, hold=hold, reason="x")
            _ask(attackers)


def _crowds(attackers: Attackers) -> None:
    """As many sign as may, what counts for nothing, as often as leaves a signature for each other entry."""
    more = SIGNATURES_PER_ENVELOPE_MAX - 1
    keys = [KEYS[one.id] for one in HELPERS[: more + 1]]
    for _ in range((EVIDENCE_SIGNATURES_MAX - signatures(attackers) - room(attackers)) // more):
        body = attackers.world.body(
            KeyRevocation, HELPERS[0].id, attackers.now, key=KEYS[KIM].public_key, reason="x"
        )
        attackers.add(attackers.world.signed(body, *keys))


def _ask(attackers: Attackers) -> None:
    attackers.now += SECOND
    attackers.is_refused()


def _looks(attackers: Attackers) -> None:
    """The gate is asked for years, as often as the rules allow, and a copy is replaced each time."""
    while attackers.is_refused():
        attackers.repairs("north: replaced")


def _notices(attackers: Attackers) -> None:
    """The engine tries to give notice, by as many channels as a party may have."""
    channel = ChannelResult(
        kind=ChannelKind.EMAIL, address=200 * "ä" + "@nordwind.example", taken=False, own=False, detail="no"
    )
    for attempt in range(NOTICES):
        attackers.say(
            Notice,
            attackers.world.engine_person,
            LOG_KEY,
            party=attackers.world.agreement.parties[0].id,
            attempt=attempt + 2,
            text_digest=attackers.world.claim,
            channels=CHANNELS_MAX * (channel,),
        )


def _versions(attackers: Attackers) -> None:
    """As many versions as a file holds, of as many persons as there may be, each with another recipient."""
    recipients = [str(age_identity(f"recipient {number}").recipient()) for number in range(512)]
    size = len(envelope_bytes(attackers.rows[0][1]))
    attackers.versions(EVIDENCE_VERSIONS_BYTES_MAX // size - 1, recipients)


def shown(attackers: Attackers, claim: str) -> Iterator[tuple[str, bytes]]:
    """Yield the pages of the record as a server shows them, each under its address."""
    page, start, size = list[JsonObject](), 0, 0
    record = attackers.record()
    for number, one in enumerate(record, 1):
        envelope = envelope_json(one.envelope)
        page.append({"index": one.index, "accepted_at": instant_text(one.accepted_at), "envelope": envelope})
        size += len(envelope_bytes(one.envelope))
        if size > RECORD_PAGE_BYTES_MAX or number == len(record):
            following = None if number == len(record) else number
            yield (
                f"/v1/claims/{claim}/record?start={start}",
                canonical_bytes({"entries": page, "next": following}),
            )
            page, start, size = [], number, 0
