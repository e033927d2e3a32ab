"""Records of claims in dispute, with as much of it as the rules let anyone say: objections, rulings, denials.

Each act is as long as its author's room allows, and names what its author had verified of the log, each time
another size of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.plan import Opening, Opens
from tallystick.domain.ids import PersonId, StageId
from tallystick.domain.kinds import Authority, Happening, Outcome, Purpose
from tallystick.domain.progress.due import due
from tallystick.domain.statements.acts import Approval, Denial, Objection
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.orders import Ruling
from tallystick.limits.agreements import STAGES_MAX
from tallystick.limits.claims import ACTS_PER_PERSON_MAX
from tests.support.worlds.agreements import ANA, DORA, KIM, LOG_KEY, TOM, quorum
from tests.support.worlds.attackers import EVER, HELPERS, SECOND, Attackers, crowded

LONG: Final = "\U0001f600" + 4000 * "a"
"""A text that takes four times as much to hold as to write, nearly as long as a text may be."""
STAGES: Final = tuple(StageId(f"stage-{number}") for number in range(STAGES_MAX))
_IDS: Final = tuple(one.id for one in HELPERS)
ARBITRATORS: Final = tuple(one for one in _IDS if "harbour" in one)
OBJECTORS: Final = tuple(one for one in _IDS if one not in ARBITRATORS)
DENIERS: Final = _IDS[:31]
APPROVERS: Final = _IDS[31:]


def disputed() -> Agreement:
    """As many stages as there may be, of which nearly everybody denies, objects to or rules on all."""
    first = crowded()
    opens = Opening(when=Opens.AFTER_WINDOW)
    voters = quorum({"k": 3, "of": [ANA, KIM, TOM, DORA, *APPROVERS]})
    stages = (replace(first.stages[1], id=one, opens=opens, quorum=voters) for one in STAGES)
    powers = replace(
        first.authorities,
        denial=quorum({"all": [ANA, *DENIERS]}),
        arbitration=quorum({"any": [*ARBITRATORS]}),
    )
    return replace(
        first,
        stages=tuple(stages),
        authorities=powers,
        objection=replace(first.objection, objectors=OBJECTORS),
        windows=replace(first.windows, approval=EVER, approval_lifetime=EVER),
    )


def contested_record(folder: Path) -> Attackers:
    """Return a claim that every objector contests as often as they may, ruled on after each round."""
    attackers = Attackers(folder, first=disputed(), stages=STAGES)
    rounds = [
        (party, number) for party in ("nordwind", "kestrel", "marlowe") for number in range(len(STAGES))
    ]
    for place, (party, number) in enumerate(rounds):
        for person in (one for one in OBJECTORS if one.endswith(party)):
            for scope in _scopes_with(number):
                _object(attackers, person, scope)
        _rule(attackers, ARBITRATORS[place % len(ARBITRATORS)])
        _goes_on(attackers)
    return attackers


def denied_record(folder: Path) -> Attackers:
    """Return a claim that is denied as often as may be; the gate is asked after each denial."""
    attackers = Attackers(folder, first=disputed(), stages=STAGES)
    for person in APPROVERS:
        attackers.claims(
            Approval,
            person,
            stages=STAGES,
            purpose=Purpose.RELEASE,
            expires_at=attackers.now + timedelta(days=3500),
            reason=LONG,
        )
    for scope in _scopes(ACTS_PER_PERSON_MAX):
        for person in DENIERS:
            attackers.claims(Denial, person, reason=LONG, stages=scope)
            attackers.now += SECOND
            attackers.is_refused()
    return attackers


def _object(attackers: Attackers, person: PersonId, scope: Sequence[StageId]) -> None:
    attackers.claims(Objection, person, ground="cured", explanation=LONG, stages=tuple(scope))


def _rule(attackers: Attackers, person: PersonId) -> None:
    award = Document(name="award", plain_digest=attackers.world.claim, sealed_digest=attackers.world.claim)
    attackers.claims(
        Ruling,
        person,
        authority=Authority.ARBITRATION,
        outcome=Outcome.RELEASE,
        documents=(award,),
        reason=LONG,
    )


def _goes_on(attackers: Attackers) -> None:
    """Have the engine record that the dispute is settled, and ask the gate."""
    attackers.now += SECOND
    case, engine = attackers.case, attackers.world.engine_person
    owed = due(case.agreement, case.claim, at=attackers.now)
    if owed is not None and owed.happening is Happening.SETTLED_AFTER_WINDOW:
        attackers.say(Event, engine, LOG_KEY, happening=owed.happening, because=owed.because)
    attackers.is_refused()


def _scopes_with(number: int) -> Iterator[tuple[StageId, ...]]:
    """Yield scopes of the first stages up to one; of all stages, twenty, none within an earlier one."""
    yield (STAGES[number],)
    for other in STAGES[: min(number, 2, len(STAGES) - number)]:
        yield (STAGES[number], other)


def _scopes(most: int) -> Sequence[tuple[StageId, ...]]:
    singles = [(one,) for one in STAGES]
    pairs = [(one, other) for place, one in enumerate(STAGES) for other in STAGES[:place]]
    return [*singles, *pairs][:most]
