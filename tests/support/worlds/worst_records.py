"""The record that costs a verifier most: whatever the rules let anyone add, and as much of it as they let."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import envelope_bytes
from tallystick.domain.agreement.parties import ChannelKind
from tallystick.domain.kinds import Purpose
from tallystick.domain.statements.acts import Approval, Hold, HoldLift, Retraction
from tallystick.domain.statements.engine import ChannelResult, Notice
from tallystick.limits.agreements import CHANNELS_MAX
from tallystick.limits.claims import ACTS_PER_PERSON_MAX
from tallystick.limits.documents import SIGNATURES_PER_ENVELOPE_MAX
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_SIZE_BYTES_MAX, EVIDENCE_VERSIONS_BYTES_MAX
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
    return attackers


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
