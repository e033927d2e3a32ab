"""Shapes in which a claim is dead, or one side decides it: each a small change of the sound agreement."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Licence, LicenceModel
from tallystick.domain.agreement.conditions import Condition, Expression
from tallystick.domain.agreement.parties import Channel, ChannelKind, Person
from tallystick.domain.agreement.plan import Opening, Opens
from tallystick.domain.agreement.windows import (
    Calendar,
    DisputeEnd,
    DisputeWait,
    HoldEnd,
    HoldWait,
    RulingWait,
    UnprovenNoticeEnd,
    UnprovenNoticeWait,
    Waits,
)
from tallystick.domain.ids import PartyId, PersonId
from tallystick.domain.json import JsonValue
from tallystick.domain.periods import Period
from tallystick.domain.soundness.check import UnsoundAgreementError, examine, refuse_unsound
from tallystick.domain.soundness.finding import Severity
from tests.support.worlds.agreements import (
    ABE,
    AGREEMENT,
    ANA,
    BEA,
    BEN,
    CRITICAL,
    DIRK,
    DORA,
    KIM,
    TOM,
    age_identity,
    agreement,
    quorum,
    signing_key,
)

TODAY: Final = datetime(2026, 11, 27, 19, tzinfo=UTC)
ERROR, WARNING = Severity.ERROR, Severity.WARNING
MAIL: Final = Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example")
HOOK: Final = Channel(kind=ChannelKind.WEBHOOK, address="https://nordwind.example/notices")
FOLDER: Final = AGREEMENT.parties[0].channels[0]


def windows(**periods: str) -> Agreement:
    changed = {name: Period(text) for name, text in periods.items()}
    return agreement(windows=replace(AGREEMENT.windows, **changed))


def authorities(**changes: JsonValue) -> Agreement:
    changed: dict[str, Any] = {name: None if tree is None else quorum(tree) for name, tree in changes.items()}
    return agreement(authorities=replace(AGREEMENT.authorities, **changed))


def stage(place: int, **changes: object) -> Agreement:
    stages = list(AGREEMENT.stages)
    stages[place] = replace(stages[place], **changes)  # type: ignore[arg-type]
    return agreement(stages=tuple(stages))


def component(place: int, **changes: object) -> Agreement:
    components = list(AGREEMENT.components)
    components[place] = replace(components[place], **changes)  # type: ignore[arg-type]
    return agreement(components=tuple(components))


def evidence(place: int, **changes: object) -> Agreement:
    items = list(AGREEMENT.evidence)
    items[place] = replace(items[place], **changes)  # type: ignore[arg-type]
    return agreement(evidence=tuple(items))


def notice(**changes: object) -> Agreement:
    return agreement(notice=replace(AGREEMENT.notice, **changes))  # type: ignore[arg-type]


def channels(*several: Channel, required: int = 1) -> Agreement:
    vendor = replace(AGREEMENT.parties[0], channels=several)
    return replace(notice(channels_required=required), parties=(vendor, *AGREEMENT.parties[1:]))


def calendars(**changes: object) -> Agreement:
    changed = tuple(replace(one, **changes) for one in AGREEMENT.calendars)  # type: ignore[arg-type]
    return agreement(calendars=changed)


def opening(when: Opens, after: str | None = None, delay: str | None = None) -> Opening:
    wait = None if delay is None else Period(delay)
    return Opening(when=when, stage=CRITICAL if after else None, delay=wait)


def forty_documents() -> Agreement:
    """A condition that needs more documents than a claim may bring."""
    items = tuple(replace(AGREEMENT.evidence[2], id=f"paper-{n}") for n in range(40))
    when = Expression.from_json({"all_of": [item.id for item in items]}, "")
    return agreement(evidence=items, conditions=(Condition(id="papers", title="Papers", when=when),))


OLGA, OTTO = PersonId("olga@orrin"), PersonId("otto@orrin")


def second_beneficiary(**changes: object) -> Agreement:
    """The sound agreement with another beneficiary, whose Olga may claim."""
    more = tuple(
        Person(
            id=person,
            name=f"{person} of Orrin",
            signing_key=signing_key(person).public_key,
            age_recipient=str(age_identity(person).recipient()),
        )
        for person in (OLGA, OTTO)
    )
    orrin = replace(AGREEMENT.parties[1], id=PartyId("orrin"), name="Orrin Mutual", channels=())
    may = replace(AGREEMENT.authorities, claimants=(BEA, BEN, OLGA))
    shared = agreement(
        parties=(*AGREEMENT.parties, orrin), persons=(*AGREEMENT.persons, *more), authorities=may
    )
    return replace(shared, **changes)  # type: ignore[arg-type]


def closed_on_every_day() -> Calendar:
    """A calendar with business days, each of which is a holiday."""
    first, last = date(2026, 10, 1), date(2028, 12, 31)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return replace(AGREEMENT.calendars[0], weekend=(), holidays=tuple(days), covers_until=last)


EVERYBODY: Final[JsonValue] = {"any": [ANA, ABE]}
SHAPES: Final[dict[str, tuple[str, Severity, Agreement]]] = {
    # days and windows
    "no day on which both work": (
        "no-common-business-day",
        ERROR,
        agreement(
            calendars=(
                replace(AGREEMENT.calendars[0], weekend=("mon", "tue", "wed", "thu", "fri")),
                *AGREEMENT.calendars[1:],
            )
        ),
    ),
    "every business day is a holiday": (
        "calendar-ends-in-claim",
        ERROR,
        agreement(calendars=(closed_on_every_day(), *AGREEMENT.calendars[1:])),
    ),
    "a calendar that ends within the objection window": (
        "calendar-ends-in-claim",
        ERROR,
        calendars(covers_until=date(2026, 12, 4), holidays=()),
    ),
    "a calendar that ends before the stage that waits opens": (
        "calendar-ends-in-claim",
        ERROR,
        replace(
            stage(2, opens=opening(Opens.AFTER_STAGE, after=CRITICAL, delay="300 business days")),
            calendars=calendars(covers_until=date(2027, 12, 31), holidays=()).calendars,
        ),
    ),
    "a calendar that ends next month": (
        "calendar-ends-soon",
        WARNING,
        calendars(covers_until=date(2027, 1, 31), holidays=()),
    ),
    "a window of a second": ("window-momentary", ERROR, windows(objection="PT1S")),
    "a receiver with a second to report": ("window-momentary", ERROR, windows(provisioning="PT1S")),
    "a receiver with no time at all": ("empty-period", ERROR, windows(provisioning="PT0S")),
    "a window for approval of a second": (
        "window-momentary",
        ERROR,
        windows(approval="PT1S"),
    ),
    "a window without a night's sleep": ("objection-window-short", WARNING, windows(objection="PT2H")),
    # notice
    "two channels required, and one written twice": (
        "channels-required",
        ERROR,
        channels(MAIL, MAIL, required=2),
    ),
    "no acknowledgement, no window": ("silence-stops-claim", WARNING, notice(deemed_after=None)),
    "receipt that is deemed in ten years": (
        "claim-takes-years",
        WARNING,
        replace(
            notice(deemed_after=Period("P3650D")),
            calendars=calendars(covers_until=date(2099, 1, 1)).calendars,
        ),
    ),
    "an agent who may take a year to check the form": (
        "claim-takes-years",
        WARNING,
        windows(intake="260 business days"),
    ),
    "receipt that is deemed after the calendar's end": (
        "calendar-ends-in-claim",
        ERROR,
        notice(deemed_after=Period("P3650D")),
    ),
    "a mail server as the only proof": ("notice-needs-one-server", WARNING, channels(MAIL)),
    "two mailboxes behind the same mail server": (
        "notice-needs-one-server",
        WARNING,
        channels(MAIL, replace(MAIL, address="board@nordwind.example")),
    ),
    "a webhook as the only proof": ("notice-needs-one-server", WARNING, channels(HOOK)),
    "two webhooks of one host": (
        "notice-needs-one-server",
        WARNING,
        channels(HOOK, replace(HOOK, address="https://nordwind.example/counsel")),
    ),
    "mail and a webhook, and both required": (
        "notice-needs-one-server",
        WARNING,
        channels(MAIL, HOOK, required=2),
    ),
    "mail and a webhook, all of them the depositor's own": (
        "notice-refusable",
        WARNING,
        channels(MAIL, HOOK),
    ),
    "a mailbox that the claimant reads": (
        "channel-shared",
        WARNING,
        agreement(
            parties=(
                AGREEMENT.parties[0],
                replace(AGREEMENT.parties[1], channels=(MAIL,)),
                *AGREEMENT.parties[2:],
            )
        ),
    ),
    # disputes
    "an objection that nobody can settle": (
        "objection-never-settled",
        ERROR,
        authorities(arbitration=None, court_order=None, joint_instruction=None),
    ),
    "an objection that only both sides can settle": (
        "objection-never-settled",
        ERROR,
        authorities(arbitration=None, court_order=None),
    ),
    "a ruling, and no arbitrator to give it": (
        "arbitrator-without-power",
        WARNING,
        authorities(arbitration=None),
    ),
    "an arbitrator of the vendor's": (
        "arbitration-not-neutral",
        ERROR,
        authorities(arbitration={"all": [KIM, DIRK]}),
    ),
    "a joint instruction that a third party must sign": (
        "joint-instruction-needs-others",
        WARNING,
        authorities(joint_instruction={"all": [DORA, BEA, KIM]}),
    ),
    "a beneficiary who cannot instruct": ("joint-instruction-needs-others", WARNING, second_beneficiary()),
    # holds
    "a hold that only the vendor lifts": (
        "hold-lift-needs-depositor",
        ERROR,
        authorities(hold_lift={"all": [ANA, DORA]}),
    ),
    "a hold that only the claimant's side lifts": (
        "hold-never-lifted",
        ERROR,
        authorities(hold_lift={"all": [BEA, BEN]}),
    ),
    "a hold on the claim of one of two beneficiaries": (
        "hold-never-lifted",
        ERROR,
        second_beneficiary(
            authorities=replace(
                AGREEMENT.authorities,
                claimants=(BEA, BEN, OLGA),
                hold_lift=quorum({"all": [KIM, {"any": [OLGA, OTTO]}]}),
            )
        ),
    ),
    "a hold that one neutral party keeps": (
        "hold-lift-needs-party",
        WARNING,
        authorities(hold_lift={"all": [EVERYBODY, KIM]}),
    ),
    # votes
    "a stage that needs the vendor's yes": (
        "approval-needs-depositor",
        ERROR,
        stage(1, quorum=quorum({"all": [EVERYBODY, KIM, DORA]})),
    ),
    "a quorum that only barred persons complete": (
        "quorum-unreachable",
        ERROR,
        stage(1, quorum=quorum({"all": [ANA, KIM, BEN]})),
    ),
    "a stage that one neutral party can stop": (
        "approval-needs-party",
        WARNING,
        stage(1, quorum=quorum({"all": [EVERYBODY, KIM]})),
    ),
    "a stage that another beneficiary can stop": (
        "approval-needs-party",
        WARNING,
        second_beneficiary(
            authorities=AGREEMENT.authorities,
            stages=stage(1, quorum=quorum({"all": [EVERYBODY, OTTO]})).stages,
        ),
    ),
    "a stage that only one of the agent's persons completes": (
        "approval-needs-person",
        WARNING,
        stage(1, quorum=quorum({"all": [ANA, {"any": [KIM, TOM]}]})),
    ),
    "a stage that needs the vendor's yes for one of two beneficiaries": (
        "approval-needs-depositor",
        ERROR,
        second_beneficiary(
            stages=stage(1, quorum=quorum({"all": [EVERYBODY, {"any": [DORA, OTTO]}]})).stages
        ),
    ),
    "a denial that never counts": ("denial-never-reached", ERROR, authorities(denial={"all": [BEA, BEN]})),
    "a denial by the vendor alone": (
        "one-party-veto",
        WARNING,
        authorities(denial={"any": [DORA, {"all": [ANA, KIM]}]}),
    ),
    "a key that only its owner can revoke": (
        "revocation-needs-owner",
        WARNING,
        authorities(revocation={"all": [ANA, KIM]}),
    ),
    "approvals that end before the stage opens": (
        "approval-ends-before-stage",
        WARNING,
        stage(2, opens=opening(Opens.AFTER_STAGE, after=CRITICAL, delay="P40D")),
    ),
    "approvals that end before their own window": (
        "approval-lifetime-short",
        ERROR,
        windows(approval_lifetime="P1D"),
    ),
    # two failures at once
    "a stage that the vendor and one neutral party stop": ("approval-needs-one-of-two", WARNING, AGREEMENT),
    "a stage that the vendor and one of the agent's persons stop": (
        "approval-needs-one-of-two",
        WARNING,
        stage(1, quorum=quorum({"all": [{"any": [ANA, DORA]}, {"any": [KIM, TOM]}]})),
    ),
    "a stage that one of the agent's persons and one neutral party stop": (
        "approval-needs-one-of-two",
        WARNING,
        stage(1, quorum=quorum({"all": [{"any": [ANA, KIM]}, {"any": [TOM, DORA]}]})),
    ),
    "an objection that only one neutral party can settle": (
        "objection-needs-party",
        WARNING,
        authorities(court_order=None),
    ),
    "an objection that one of the agent's persons can leave open": (
        "objection-needs-party",
        WARNING,
        authorities(arbitration=None, court_order={"all": [ANA, {"any": [KIM, TOM]}]}),
    ),
    "a hold that the vendor and one neutral party keep": (
        "hold-lift-needs-one-of-two",
        WARNING,
        authorities(hold_lift={"all": [EVERYBODY, {"any": [DORA, KIM]}]}),
    ),
    "a hold that its holder keeps, and only one other could lift": (
        "hold-lift-needs-one-of-two",
        WARNING,
        authorities(hold_lift={"any": [KIM, TOM]}),
    ),
    "a hold that one of the agent's persons and one neutral party keep": (
        "hold-lift-needs-one-of-two",
        WARNING,
        authorities(hold_lift={"all": [{"any": [ANA, KIM]}, {"any": [ABE, TOM]}]}),
    ),
    "a folder, mail and a webhook, two required, and two of them dead": (
        "notice-refusable",
        WARNING,
        channels(FOLDER, MAIL, HOOK, required=2),
    ),
    "mail and two webhooks, and all but one of them dead": (
        "notice-refusable",
        WARNING,
        channels(MAIL, HOOK, replace(HOOK, address="https://counsel.example/escrow")),
    ),
    "approvals at once, and a vendor who says nothing": (
        "approval-ends-before-stage",
        WARNING,
        notice(deemed_after=Period("P20D")),
    ),
    "a calendar that ends while persons take the time that they have": (
        "calendar-ends-soon",
        WARNING,
        replace(
            windows(approval="60 business days", approval_lifetime="P150D"),
            calendars=calendars(covers_until=date(2027, 10, 31), holidays=()).calendars,
        ),
    ),
    # stages and components
    "stages that wait for each other": (
        "after-later-stage",
        ERROR,
        stage(1, opens=Opening(when=Opens.AFTER_STAGE, stage=AGREEMENT.stages[2].id)),
    ),
    "a provisional stage that opens once the next one has lapsed": (
        "stage-never-released",
        ERROR,
        stage(0, opens=opening(Opens.ON_ACCEPTANCE, delay="30 business days")),
    ),
    "a stage after one that is provisional": (
        "after-provisional-stage",
        ERROR,
        stage(2, opens=Opening(when=Opens.AFTER_STAGE, stage=AGREEMENT.stages[0].id)),
    ),
    "a component in two stages": (
        "component-opened-twice",
        ERROR,
        stage(2, components=("source", "licence-keys")),
    ),
    "a component in no stage": ("component-never-opened", ERROR, stage(1, components=("licence-keys",))),
    "a licence that ends before its release": (
        "licence-over",
        WARNING,
        component(1, licence=Licence(model=LicenceModel.SUBSCRIPTION, seats=3, ends_on=date(2026, 12, 5))),
    ),
    "deposits that are too old before the next": (
        "max-age-below-cadence",
        WARNING,
        component(1, max_age=Period("P3D")),
    ),
    # conditions
    "evidence that nobody issues": ("evidence-without-issuer", ERROR, evidence(0, issuer="")),
    "evidence that the claimant issues": ("evidence-by-claimant", WARNING, evidence(2, issuer="halden")),
    "evidence that only the vendor issues": (
        "evidence-by-depositor",
        WARNING,
        evidence(0, issuer="nordwind"),
    ),
    "evidence that is too old at once": ("empty-period", ERROR, evidence(0, max_age=Period("PT0S"))),
    "more evidence than a claim may bring": ("condition-never-filed", ERROR, forty_documents()),
    "nobody who may claim for a beneficiary": (
        "nobody-named",
        ERROR,
        agreement(authorities=replace(AGREEMENT.authorities, claimants=())),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_dead_or_one_sided_shape_is_found(shape: str) -> None:
    code, severity, broken = SHAPES[shape]
    found = [finding for finding in examine(replace(broken, waits=None), at=TODAY) if finding.code == code]
    assert [finding.severity for finding in found] == [severity] * len(found) != []
    assert all(finding.message and finding.advice for finding in found)


NAMED: Final = {
    "a stage that the vendor and one neutral party stop": "nordwind and kestrel, or nordwind and marlowe",
    "a stage that the vendor and one of the agent's persons stop": ": nordwind and ana@harbour",
    "a stage that one of the agent's persons and one neutral party stop": ", or ana@harbour and kestrel",
    "a stage that another beneficiary can stop": "if orrin says nothing",
    "a stage that only one of the agent's persons completes": "if ana@harbour is away",
    "a stage that needs the vendor's yes for one of two beneficiaries": "for a claim by olga@orrin",
    "a hold on the claim of one of two beneficiaries": "on a claim by olga@orrin",
    "an objection that only one neutral party can settle": "if kestrel says nothing",
    "an objection that one of the agent's persons can leave open": "if ana@harbour says nothing",
    "a hold that the vendor and one neutral party keep": ": nordwind and kestrel",
    "a hold that its holder keeps, and only one other could lift": ": kestrel and marlowe",
    "a hold that one of the agent's persons and one neutral party keep": ": ana@harbour and kestrel",
    "two webhooks of one host": "while the webhook nordwind.example is down",
}


@pytest.mark.parametrize("shape", NAMED)
def test_one_finding_for_each_place_names_who_stops_the_claim(shape: str) -> None:
    code, _, broken = SHAPES[shape]
    found = [finding for finding in examine(replace(broken, waits=None), at=TODAY) if finding.code == code]
    assert len({finding.where for finding in found}) == len(found)
    assert NAMED[shape] in found[0].message


def test_two_of_whom_one_alone_stops_the_claim_are_no_pair() -> None:
    alone = SHAPES["a stage that one neutral party can stop"][2]
    together = [one.where for one in examine(alone, at=TODAY) if one.code == "approval-needs-one-of-two"]
    assert together == ["/stages/2"]


def test_at_least_thirty_shapes_are_tried() -> None:
    assert len(SHAPES) >= 30


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if SHAPES[shape][1] is ERROR])
def test_error_refuses_registration_and_signing(shape: str) -> None:
    with pytest.raises(UnsoundAgreementError, match=SHAPES[shape][0]):
        refuse_unsound(replace(SHAPES[shape][2], waits=None), at=TODAY)


def test_warning_alone_refuses_nothing() -> None:
    refuse_unsound(replace(SHAPES["a mail server as the only proof"][2], waits=None), at=TODAY)


def _found(agreed: Agreement) -> set[str]:
    return {finding.code for finding in examine(agreed, at=TODAY)}


@pytest.mark.parametrize(
    "shape",
    [
        "an objection that only one neutral party can settle",
        "an objection that one of the agent's persons can leave open",
    ],
)
def test_a_silent_arbitrator_is_no_dead_end_where_the_parties_chose_one(shape: str) -> None:
    code, _, broken = SHAPES[shape]
    assert code in _found(replace(broken, waits=None))
    ends = Waits(dispute=DisputeWait(after=Period("P90D"), then=DisputeEnd.LAPSE))
    assert code not in _found(replace(broken, waits=ends))


def test_substitutes_settle_what_a_silent_arbitrator_leaves_open() -> None:
    code, _, broken = SHAPES["an objection that only one neutral party can settle"]
    (name,) = {person.id for person in broken.persons if person.party == "marlowe"}
    ends = Waits(ruling=RulingWait(after=Period("P30D"), substitutes=quorum(name)))
    assert code not in _found(replace(broken, waits=ends))


def test_a_hold_that_ends_by_itself_is_kept_by_nobody() -> None:
    for code, _, broken in SHAPES.values():
        if code == "hold-never-lifted":
            assert code in _found(replace(broken, waits=None))
            ends = Waits(hold=HoldWait(after=Period("P30D"), then=HoldEnd.GO_ON))
            assert code not in _found(replace(broken, waits=ends))


def test_an_arbitrators_leave_opens_the_window_that_a_silent_depositor_would_keep_shut() -> None:
    code, _, broken = SHAPES["no acknowledgement, no window"]
    assert code in _found(replace(broken, waits=None))
    late = Period("P40D")
    leave = Waits(unproven_notice=UnprovenNoticeWait(after=late, then=UnprovenNoticeEnd.ARBITRATOR))
    assert code not in _found(replace(broken, waits=leave))
    lapse = Waits(unproven_notice=UnprovenNoticeWait(after=late, then=UnprovenNoticeEnd.LAPSE))
    told = next(one for one in examine(replace(broken, waits=lapse), at=TODAY) if one.code == code)
    assert told.message.endswith("a claim lapses")
