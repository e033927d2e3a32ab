"""The largest agreement that may be agreed is examined within a second, and its claims can be recorded."""

import gc
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Tier
from tallystick.domain.agreement.conditions import Condition, Expression
from tallystick.domain.agreement.parties import Channel, ChannelKind, Party, Person, Role
from tallystick.domain.agreement.plan import Opening, Opens
from tallystick.domain.agreement.windows import Calendar
from tallystick.domain.codec import decode, encode, encode_object
from tallystick.domain.ids import ComponentId, PartyId, PersonId, PublicKey, StageId
from tallystick.domain.json import JsonValue
from tallystick.domain.periods import Period
from tallystick.domain.quorum import Group, Quorum
from tallystick.domain.soundness.check import errors_among, examine
from tallystick.domain.soundness.simulation.trial import Trial
from tallystick.domain.statements.engine import Event, Notice
from tallystick.limits import agreements as limits
from tallystick.limits import documents
from tests.support.worlds.agreements import AGREEMENT

TODAY: Final = datetime(2026, 11, 27, 19, tzinfo=UTC)
ROLES: Final = (Role.DEPOSITOR, *[Role.BENEFICIARY] * 3, *[Role.ESCROW_AGENT] * 8, *[Role.WITNESS] * 4)
LONG: Final = Period(f"{limits.BUSINESS_DAYS_MAX} business days")


def largest() -> Agreement:
    """As much of everything as the limits allow, with seats for everybody and the longest periods."""
    parties = tuple(
        Party(
            id=PartyId(f"party-{n}"),
            role=role,
            name=f"Party {n}",
            time_zone="Europe/Berlin",
            calendar=f"calendar-{n}",
            channels=(Channel(kind=ChannelKind.OUTBOX, address=f"party-{n}"),),
        )
        for n, role in enumerate(ROLES)
    )
    persons = tuple(
        Person(
            id=PersonId(f"p{n}@party-{n % limits.PARTIES_MAX}"),
            name=f"Person {n}",
            signing_key=PublicKey(f"ed25519:{n:064x}"),
            age_recipient=f"age1pq1{n}",
        )
        for n in range(limits.PERSONS_MAX)
    )
    by_role = {role: [p.id for p in persons if ROLES[int(p.party[6:])] is role] for role in Role}
    neutral = [*by_role[Role.ESCROW_AGENT], *by_role[Role.WITNESS]][: limits.QUORUM_LEAVES_MAX]
    votes = Quorum(Group(threshold=len(neutral) - 4, members=tuple(neutral)))
    components = tuple(
        replace(AGREEMENT.components[0], id=ComponentId(f"component-{n}"), tier=Tier.CRITICAL)
        for n in range(limits.COMPONENTS_MAX)
    )
    each = limits.COMPONENTS_MAX // limits.STAGES_MAX
    stages = tuple(
        replace(
            AGREEMENT.stages[1],
            id=StageId(f"stage-{n}"),
            components=tuple(component.id for component in components[n * each : (n + 1) * each]),
            opens=Opening(when=Opens.AFTER_WINDOW)
            if n == 0
            else Opening(when=Opens.AFTER_STAGE, stage=StageId(f"stage-{n - 1}"), delay=LONG),
            quorum=votes,
        )
        for n in range(limits.STAGES_MAX)
    )
    evidence = tuple(
        replace(AGREEMENT.evidence[2], id=f"paper-{n}") for n in range(limits.EVIDENCE_ITEMS_MAX)
    )
    conditions = tuple(
        Condition(
            id=f"condition-{n}",
            title=f"Condition {n}",
            when=Expression.from_json({"all_of": [one.id for one in islice(evidence, n, n + 32)]}, ""),
        )
        for n in range(limits.CONDITIONS_MAX)
    )
    holidays = tuple(date(2027, 1, 1) + timedelta(days=7 * n) for n in range(limits.HOLIDAYS_MAX))
    return replace(
        AGREEMENT,
        calendars=tuple(
            Calendar(id=f"calendar-{n}", weekend=("sat",), holidays=holidays, covers_until=date(2199, 1, 1))
            for n in range(limits.PARTIES_MAX)
        ),
        parties=parties,
        persons=persons,
        components=components,
        evidence=evidence,
        conditions=conditions,
        stages=stages,
        windows=replace(
            AGREEMENT.windows,
            objection=LONG,
            approval=Period("260 business days"),
            approval_lifetime=Period("P366D"),
        ),
        objection=replace(AGREEMENT.objection, objectors=tuple(by_role[Role.DEPOSITOR])),
        authorities=replace(
            AGREEMENT.authorities,
            claimants=tuple(by_role[Role.BENEFICIARY]),
            intake=tuple(by_role[Role.ESCROW_AGENT]),
            denial=votes,
            hold=tuple(neutral),
            hold_lift=votes,
            revocation=votes,
            arbitration=votes,
            court_order=votes,
            joint_instruction=None,
        ),
        evidence_readers=tuple(person.id for person in persons),
        communications=replace(AGREEMENT.communications, announcer=persons[4].id),
        governance=replace(AGREEMENT.governance, risk_owner=persons[1].id),
    )


@pytest.fixture
def own_heap() -> Iterator[None]:
    """Leave what other tests have built to itself: walking through it would be timed as well."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def with_most_pairs() -> Agreement:
    """The largest agreement with one escrow agent of many persons, and with quorums that many pairs stop."""
    agreement = largest()
    roles = (Role.DEPOSITOR, Role.BENEFICIARY, Role.ESCROW_AGENT, *[Role.WITNESS] * 13)
    parties = tuple(replace(one, role=role) for one, role in zip(agreement.parties, roles, strict=True))
    agent, *neutral = parties[2:]
    vendor = agreement.acting_for(parties[0].id)[0]
    persons = tuple(
        one if place < limits.PARTIES_MAX else replace(one, id=PersonId(f"p{place}@{agent.id}"))
        for place, one in enumerate(agreement.persons)
    )
    agents = [one.id for one in persons if one.party == agent.id]
    first = [one.id for party in neutral for one in persons if one.party == party.id]
    # Each person of the agent has a neutral one in reserve: if both are away, nothing is decided.
    reserves = zip(agents, (vendor.id, *first[:-2]), strict=False)
    tree: list[JsonValue] = [{"any": list(two)} for two in (*reserves, first[-2:])]
    stopped = Quorum.from_json({"all": tree}, "")
    powers = replace(
        agreement.authorities,
        claimants=tuple(one.id for one in persons if one.party == parties[1].id),
        intake=tuple(agents),
        hold=tuple(first),
        hold_lift=stopped,
        denial=stopped,
        revocation=stopped,
        arbitration=Quorum.from_json({"any": [{"all": first}, {"all": agents[:19]}]}, ""),
        court_order=None,
    )
    return replace(
        agreement,
        parties=parties,
        persons=persons,
        authorities=powers,
        objection=replace(agreement.objection, objectors=(vendor.id,)),
        stages=tuple(replace(stage, quorum=stopped) for stage in agreement.stages),
        evidence_readers=tuple(one.id for one in persons),
        communications=replace(agreement.communications, announcer=agents[0]),
    )


def test_a_finding_names_a_few_of_many_pairs() -> None:
    """What a person reads before they sign stays short, and says that there are others."""
    told = {one.code: one.message for one in examine(with_most_pairs(), at=TODAY)}
    for code in ("approval-needs-one-of-two", "hold-lift-needs-one-of-two"):
        assert told[code].count(" and ") == limits.ABSENCES_TOLD_MAX
        assert told[code].endswith(", or others")


def with_longest_names() -> Agreement:
    """The largest agreement, with persons, parties and addresses of the greatest length."""
    written = json.dumps(encode(largest()))
    named = re.sub(
        r"(p|party-)(\d+)(?=[@\"])", lambda found: found[0].ljust(documents.NAME_LENGTH_MAX, "-"), written
    )
    agreement = decode(Agreement, json.loads(named))
    hooks = (f"https://hooks.example/{n}/" for n in range(limits.CHANNELS_MAX))
    channels = tuple(
        Channel(kind=ChannelKind.WEBHOOK, address=hook.ljust(limits.ADDRESS_LENGTH_MAX, "a"))
        for hook in hooks
    )
    vendor, *others = agreement.parties
    return replace(
        agreement,
        parties=(replace(vendor, channels=channels), *others),
        notice=replace(agreement.notice, channels_required=limits.CHANNELS_MAX),
        windows=replace(agreement.windows, objection=Period("10 business days")),
    )


@pytest.mark.usefixtures("own_heap")
@pytest.mark.parametrize(
    "agreement", [largest(), with_most_pairs(), with_longest_names()], ids=["largest", "pairs", "names"]
)
def test_largest_agreement_is_examined_within_a_second(agreement: Agreement) -> None:
    began = time.process_time()
    findings = examine(agreement, at=TODAY)
    assert time.process_time() - began < 1
    assert errors_among(findings) == ()


def test_whatever_the_names_are_the_engines_statements_can_be_read_back() -> None:
    """What is too long to be read is never recorded: the claim would wait for ever."""
    agreement = with_longest_names()
    assert errors_among(examine(agreement, at=TODAY)) == ()
    trial = Trial(agreement, at=TODAY)
    end = trial.end(replace(trial.without_depositor, approves_early=True))
    assert end.claim.decided_stages, "an early approval counts for the first stage at least"
    said = [one.signed.body for one in end.claim.entries if isinstance(one.signed.body, Event | Notice)]
    for body in said:
        written = encode_object(body)
        assert decode(type(body), written) == body
        assert len(json.dumps(written)) < documents.JSON_SIZE_BYTES_MAX
    longest = max(len(line) for body in said if isinstance(body, Event) for line in body.because)
    assert longest > documents.TEXT_LENGTH_MAX - 100, "no line was too long, so this shows nothing"
