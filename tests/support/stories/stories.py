"""Stories in sentences: what people do, what time brings, and where the claim then stands.

A line is one of
    `ana approves critical, source`          an act; the engine then records what is due
    `10 days pass`, `the window ends`        time
    `the gate is down`, `notices bounce` …   faults
    `! self-serving: bea approves critical`  an act that is refused, by the code of its refusal
    `= WINDOW; provisional DECIDED`          where the claim stands
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import (
    Digest,
    PartyId,
    PersonId,
)
from tallystick.domain.kinds import Authority, Kind, Outcome, Purpose, ReceiptOutcome, ServiceMethod
from tallystick.domain.statements.acts import Approval, Denial, Objection
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.signed import Body
from tests.support.worlds.agreements import (
    PEOPLE,
    receivers,
)
from tests.support.worlds.groundwork import NO_DIGEST, some_digest
from tests.support.worlds.world import SECOND, World, window_over

FULL_NAMES: Final = {person.partition("@")[0]: str(person) for person in PEOPLE}
STATEMENTS: Final[Mapping[str, type[Body]]] = {
    "approval": Approval,
    "denial": Denial,
    "objection": Objection,
}


Who = Sequence[str]
_OF_THE_WORLD: Final[dict[str, Callable[..., None]]] = {}
_ACTS: Final[dict[str, Callable[..., None]]] = {}


def play(story: str, world: World | None = None) -> World:
    """Play every line of `story`, and return the world as it leaves it."""
    played = world or World()
    for line in filter(None, map(str.strip, story.splitlines())):
        try:
            _play_line(played, line)
        except (TallystickError, AssertionError) as error:
            told = f"in {line!r}: {error}"
            raise AssertionError(told) from error
    assert played.told is None or played.refolded() == played.claim, "the record alone gives another state"
    return played


def _play_line(world: World, line: str) -> None:
    if line.startswith("="):
        _check(world, line[1:].strip())
    elif line.startswith("!"):
        code, _, act = line[1:].partition(":")
        _check_refused(world, code.strip(), act.strip())
    else:
        happen(world, line)


def _check(world: World, expected: str) -> None:
    state, *stages = [part.strip() for part in expected.split(";")]
    assert world.claim.state == state, f"the claim is {world.claim.state}"
    states = world.states()
    for stage in stages:
        name, _, wanted = stage.partition(" ")
        assert states[name] == wanted, f"{name} is {states[name]}"


def _check_refused(world: World, code: str, act: str) -> None:
    before = world.claim if world.told else None
    with pytest.raises(TallystickError) as refusal:
        happen(world, act)
    assert refusal.value.code == code, f"refused as {refusal.value.code}: {refusal.value}"
    assert (world.claim if world.told else None) == before, "a refusal changes nothing"


def happen(world: World, line: str) -> None:
    """Play one sentence."""
    for pattern, happen in _OF_THE_WORLD.items():
        if (match := re.fullmatch(pattern, line)) is not None:
            happen(world, *match.groups())
            return
    who, rest = _persons(line)
    for pattern, act in _ACTS.items():
        if (match := re.fullmatch(pattern, rest)) is not None:
            act(world, who, *match.groups())
            return
    raise AssertionError(f"no such sentence: {line}")


def _persons(line: str) -> tuple[list[str], str]:
    words = line.split(" ")
    names: list[str] = []
    while words and (words[0].rstrip(",") in FULL_NAMES or (names and words[0] == "and")):
        word = words.pop(0).rstrip(",")
        names += [] if word == "and" else [FULL_NAMES[word]]
    return names, " ".join(words)


def _list(text: str | None) -> list[str] | None:
    return re.split(r", | and ", text) if text else None


def _latest(world: World, person: str, what: str) -> Digest:
    statements = [
        e.signed.id for e, body in world.claim.entries_of(STATEMENTS[what]) if body.person == person
    ]
    return statements[-1] if statements else NO_DIGEST


def _of_the_world(pattern: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return lambda happening: _OF_THE_WORLD.setdefault(pattern, happening)


def _act(pattern: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return lambda act: _ACTS.setdefault(pattern, act)


@_of_the_world(r"(\d+) (day|hour|minute|second)s? pass(?:es)?")
def passes(world: World, count: str, unit: str) -> None:
    world.passes(timedelta(**{f"{unit}s": int(count)}))


@_of_the_world(r"the window ends")
def window_ends(world: World) -> None:
    world.passes(window_over(world))


@_of_the_world(r"the last moment of the window comes")
def last_moment(world: World) -> None:
    world.passes(window_over(world) - SECOND)


@_of_the_world(r"notices (bounce|arrive)")
def notices(world: World, word: str) -> None:
    world.channels_take = word == "arrive"


@_of_the_world(r"the gate (works|is down)")
def gate(world: World, word: str) -> None:
    world.gate_runs = word == "works"
    world.settles()


@_of_the_world(r"the gate finds (an altered byte|no custody|another deposit|all in order)")
def gate_finds(world: World, word: str) -> None:
    changes: dict[str, dict[str, object]] = {
        "an altered byte": {"sealed": {"docs": "a byte differs"}},
        "no custody": {"custody": {}},
        "another deposit": {"deposit": replace(world.deposit, id=NO_DIGEST)},
        "all in order": {},
    }
    world.sight_changes = changes[word]
    world.settles()


@_act(r"files(?: for (.+))?")
def files(world: World, who: Who, stages: str | None) -> None:
    world.files(who[0], stages=_list(stages))


@_act(r"files with (.+)")
def files_with(world: World, who: Who, items: str) -> None:
    world.files(who[0], evidence=_list(items) or ())


@_act(r"files it again")
def files_again(world: World, who: Who) -> None:
    world.files(who[0], others=[world.claim])


@_act(r"files on behalf of (\S+)")
def files_for(world: World, who: Who, party: str) -> None:
    world.files(who[0], stages=["critical"], for_=PartyId(party), receivers=(), declaration=None)


@_act(r"confirms(?: for (.+))?")
def confirms(world: World, who: Who, named: str | None) -> None:
    persons = [PersonId(FULL_NAMES[name]) for name in _list(named) or ()] or [PersonId(who[0])]
    world.says(Kind.CONFIRMATION, *who, declaration="Support has ceased.", receivers=receivers(*persons))


@_act(r"files a drill")
def files_drill(world: World, who: Who) -> None:
    world.files(who[0], purpose=Purpose.DRILL)


@_act(r"names? as receivers? (.+)")
def names_receivers(world: World, who: Who, named: str) -> None:
    persons = (PersonId(FULL_NAMES[name]) for name in _list(named) or ())
    world.says(Kind.RECEIVERS, *who, receivers=receivers(*persons), reason="the first machine is gone")


@_act(r"accepts")
def accepts(world: World, who: Who) -> None:
    world.accepts(who[0])


@_act(r"rejects")
def rejects(world: World, who: Who) -> None:
    world.rejects(who[0])


@_act(r"acknowledges")
def acknowledges(world: World, who: Who) -> None:
    world.acknowledges(who[0])


@_act(r"approves ([^ ]+(?:, [^ ]+)*)(?: for (\d+) days)?(?: as a (drill))?")
def approves(world: World, who: Who, stages: str, days: str | None, purpose: str | None) -> None:
    members: dict[str, object] = {}
    if days is not None:
        members["expires_at"] = world.now + timedelta(days=int(days))
    if purpose is not None:
        members["purpose"] = Purpose(purpose)
    world.approves(who[0], stages=_list(stages), **members)


@_act(r"approves (\S+) under the next version")
def approves_astray(world: World, who: Who, stage: str) -> None:
    world.approves(who[0], stages=[stage], agreement_digest=NO_DIGEST)


@_act(r"denies(?: stages? (.+))?")
def denies(world: World, who: Who, stages: str | None) -> None:
    world.denies(who[0], stages=_list(stages))


@_act(r"objects(?: to (.+?))?(?: as (.+))?")
def objects(world: World, who: Who, to: str | None, ground: str | None) -> None:
    world.objects(who[0], to=_list(to), ground=ground or "not-insolvent")


@_act(r"objects without a word")
def objects_silently(world: World, who: Who) -> None:
    world.objects(who[0], explanation=" ")


@_act(r"retracts the (approval|denial|objection)")
def retracts(world: World, who: Who, what: str) -> None:
    world.retracts(who[0], _latest(world, who[0], what))


@_act(r"rules to (release|refuse|return)")
def rules(world: World, who: Who, outcome: str) -> None:
    world.rules(*who, outcome=Outcome(outcome))


@_act(r"proves? service(?: (\d+) days (ago|ahead))?( without a paper)?")
def proves_service(world: World, who: Who, days: str | None, way: str | None, without: str | None) -> None:
    span = timedelta(days=int(days or 0)) * (1 if way == "ahead" else -1)
    paper = Document(name="receipt", plain_digest=some_digest(600), sealed_digest=some_digest(700))
    papers = () if without else (paper,)
    said = {"method": ServiceMethod.COURIER, "served_on": (world.now + span).date(), "documents": papers}
    world.says(Kind.PROOF_OF_SERVICE, *who, **said)


@_act(r"rules that notice was given")
def rules_on_notice(world: World, who: Who) -> None:
    world.rules(*who, outcome=Outcome.NOTICE_GIVEN)


@_act(r"rules without an award")
def rules_without(world: World, who: Who) -> None:
    world.rules(*who, outcome=Outcome.RELEASE, papers=())


@_act(r"attests? an order to (release|refuse|return)( without finality)?")
def attest(world: World, who: Who, outcome: str, without: str | None) -> None:
    papers = ("order",) if without else None
    world.rules(*who, outcome=Outcome(outcome), authority=Authority.COURT_ORDER, papers=papers)


@_act(r"instructs? to (release|refuse|return)")
def instruct(world: World, who: Who, outcome: str) -> None:
    world.instructs(*who, outcome=Outcome(outcome))


@_act(r"withdraws( as cured)?")
def withdraws(world: World, who: Who, cured: str | None) -> None:
    world.withdraws(who[0], cured=cured is not None)


@_act(r"holds (.+)")
def holds(world: World, who: Who, what: str) -> None:
    world.holds(who[0], on=None if what == "the claim" else _list(what))


@_act(r"lifts? the hold")
def lift(world: World, who: Who) -> None:
    world.lifts(*who)


@_act(r"reports (\S+) (activated|failed|rolled back)")
def reports(world: World, who: Who, stage: str, word: str) -> None:
    world.reports(stage, ReceiptOutcome(word.replace(" ", "_")), person=who[0])


@_act(r"returns (.+)")
def returns(world: World, who: Who, what: str) -> None:
    world.gives_back(*(_list(what) or ()), person=who[0])


@_act(r"revokes? (?:their own|(\S+)'s) key")
def revoke(world: World, who: Who, owner: str | None) -> None:
    world.revokes(FULL_NAMES[owner] if owner else who[0], *who)


@_act(r"deposits")
def deposits(world: World, who: Who) -> None:
    world.says(Kind.DEPOSIT, who[0], number=2, watermark=world.now, components=(), previous=world.deposit.id)
