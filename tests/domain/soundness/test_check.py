"""The linter: one broken agreement for each rule, and each finding in its place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from typing import TypeVar

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Licence, LicenceModel, Tier
from tallystick.domain.agreement.conditions import Expression
from tallystick.domain.agreement.parties import Channel, ChannelKind, Party, Person, Role
from tallystick.domain.agreement.plan import Opening, Opens
from tallystick.domain.agreement.windows import (
    HoldEnd,
    HoldWait,
    RulingWait,
    UnprovenNoticeEnd,
    UnprovenNoticeWait,
    Waits,
)
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PartyId, PersonId, StageId
from tallystick.domain.json import JsonValue
from tallystick.domain.periods import Period
from tallystick.domain.soundness.check import RULES, UnsoundAgreementError, examine, lint, refuse_unsound
from tallystick.domain.soundness.finding import Severity
from tallystick.limits import agreements as limits
from tallystick.limits.claims import RECEIVERS_MAX
from tests.support.ends import WAITS
from tests.support.worlds.agreements import (
    ABE,
    AGREEMENT,
    ANA,
    BEA,
    BEN,
    CRITICAL,
    DIRK,
    DOCS,
    DORA,
    KIM,
    LICENCE_KEYS,
    LOG_KEY,
    PROVISIONAL,
    SOURCE,
    SOURCE_STAGE,
    SPARE_SEATS,
    TOM,
    age_identity,
    agreement,
    quorum,
    signing_key,
)

EVE = PersonId("eve@nowhere")
NOW = AGREEMENT.effective_from
T = TypeVar("T")


def at(things: tuple[T, ...], place: int, change: Callable[[T], T]) -> tuple[T, ...]:
    return tuple(change(thing) if index == place else thing for index, thing in enumerate(things))


def party(place: int, **changes: object) -> Agreement:
    return agreement(parties=at(AGREEMENT.parties, place, lambda one: replace(one, **changes)))  # type: ignore[arg-type]


def person(place: int, **changes: object) -> Agreement:
    return agreement(persons=at(AGREEMENT.persons, place, lambda one: replace(one, **changes)))  # type: ignore[arg-type]


def stage(place: int, **changes: object) -> Agreement:
    return agreement(stages=at(AGREEMENT.stages, place, lambda one: replace(one, **changes)))  # type: ignore[arg-type]


def component(place: int, **changes: object) -> Agreement:
    return agreement(components=at(AGREEMENT.components, place, lambda one: replace(one, **changes)))  # type: ignore[arg-type]


def licence(model: LicenceModel, **terms: object) -> Agreement:
    return component(0, licence=Licence(model=model, **terms))  # type: ignore[arg-type]


def condition(place: int, **changes: object) -> Agreement:
    return agreement(conditions=at(AGREEMENT.conditions, place, lambda one: replace(one, **changes)))  # type: ignore[arg-type]


def evidence(place: int, **changes: object) -> Agreement:
    return agreement(evidence=at(AGREEMENT.evidence, place, lambda one: replace(one, **changes)))  # type: ignore[arg-type]


def calendar(place: int, **changes: object) -> Agreement:
    return agreement(calendars=at(AGREEMENT.calendars, place, lambda one: replace(one, **changes)))  # type: ignore[arg-type]


def authorities(**changes: object) -> Agreement:
    return agreement(authorities=replace(AGREEMENT.authorities, **changes))  # type: ignore[arg-type]


def windows(**periods: str) -> Agreement:
    return agreement(
        windows=replace(AGREEMENT.windows, **{name: Period(text) for name, text in periods.items()})
    )


def opens(place: int, when: Opens, after: str | None = None) -> Agreement:
    return stage(place, opens=Opening(when=when, stage=None if after is None else StageId(after)))


def waits(**changes: object) -> Agreement:
    return agreement(waits=replace(WAITS, **changes))  # type: ignore[arg-type]


def unarbitrated(**changes: object) -> Agreement:
    """The sound agreement without an arbitrator, with one wait alone."""
    powers = replace(AGREEMENT.authorities, arbitration=None)
    return agreement(waits=Waits(**changes), authorities=powers)  # type: ignore[arg-type]


def seats(tree: JsonValue) -> Agreement:
    return stage(1, quorum=quorum(tree))


def channel(kind: ChannelKind, address: str) -> Agreement:
    return party(1, channels=(Channel(kind=kind, address=address),))


def kept(retention: str) -> Agreement:
    return agreement(governance=replace(AGREEMENT.governance, retention=Period(retention)))


def notice(**changes: object) -> Agreement:
    return agreement(notice=replace(AGREEMENT.notice, **changes))  # type: ignore[arg-type]


IN_A_FOLDER = Channel(kind=ChannelKind.OUTBOX, address="nordwind")


def without_role(role: Role) -> Agreement:
    return agreement(parties=tuple(one for one in AGREEMENT.parties if one.role is not role))


TWO_CHANNELS = replace(AGREEMENT.notice, channels_required=2)
ANA_AND_SOMEBODY = quorum({"all": [ANA, {"any": [KIM, TOM]}]})
ORRIN = Party(
    id=PartyId("orrin"),
    role=Role.BENEFICIARY,
    name="Orrin Mutual",
    time_zone="Europe/London",
    calendar="gb-eng",
)
OLGA = Person(
    id=PersonId("olga@orrin"),
    name="Olga Marsh",
    signing_key=signing_key("olga@orrin").public_key,
    age_recipient=str(age_identity("olga@orrin").recipient()),
)
TWO_BENEFICIARIES = agreement(
    parties=(*AGREEMENT.parties, ORRIN),
    persons=(*AGREEMENT.persons, OLGA),
    authorities=replace(AGREEMENT.authorities, joint_instruction=None),
)


def with_persons(*persons: str, **changes: object) -> Agreement:
    """The sound agreement with more persons, and with other members of its top level replaced."""
    more = tuple(
        Person(
            id=PersonId(one),
            name=one,
            signing_key=signing_key(one).public_key,
            age_recipient=str(age_identity(one).recipient()),
        )
        for one in persons
    )
    return agreement(persons=(*AGREEMENT.persons, *more), **changes)


BIA, OLAF = PersonId("bia@halden"), PersonId("olaf@orrin")
CLAIMS_BY_BEA_AND_BIA = replace(AGREEMENT.authorities, claimants=(BEA, BIA))


def voted(tree: JsonValue, *readers: PersonId) -> Agreement:
    """The sound agreement with one quorum for all stages, and other readers."""
    stages = tuple(replace(stage, quorum=quorum(tree)) for stage in AGREEMENT.stages)
    return agreement(stages=stages, evidence_readers=readers)


AGENT: JsonValue = {"any": [ANA, ABE]}
NOTHING = Expression(word="any_of")
ALL_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLASSIC_RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
MANY_RECEIVERS = tuple(PersonId(f"b{number}@halden") for number in range(RECEIVERS_MAX + 1))

TO_ARBITRATOR = HoldWait(after=Period("P60D"), then=HoldEnd.ARBITRATOR)
BY_LEAVE = UnprovenNoticeWait(after=Period("P60D"), then=UnprovenNoticeEnd.ARBITRATOR)

ERRORS: list[tuple[str, str, Agreement]] = [
    # ends of waits
    ("waits-empty", "/waits", agreement(waits=Waits())),
    ("wait-needs-arbitrator", "/waits/hold", unarbitrated(hold=TO_ARBITRATOR)),
    ("wait-needs-arbitrator", "/waits/unproven_notice", unarbitrated(unproven_notice=BY_LEAVE)),
    (
        "wait-needs-arbitrator",
        "/waits/ruling",
        unarbitrated(ruling=RulingWait(after=Period("P60D"), substitutes=quorum(TOM))),
    ),
    (
        "substitutes-too-late",
        "/waits/ruling/after",
        waits(ruling=RulingWait(after=Period("P180D"), substitutes=quorum(TOM))),
    ),
    (
        "overdue-before-deemed",
        "/waits/unproven_notice/after",
        waits(unproven_notice=UnprovenNoticeWait(after=Period("PT24H"), then=UnprovenNoticeEnd.LAPSE)),
    ),
    (
        "empty-period",
        "/waits/hold/after",
        waits(hold=HoldWait(after=Period("PT0S"), then=HoldEnd.GO_ON)),
    ),
    (
        "arbitration-not-neutral",
        "/waits/ruling/substitutes",
        waits(ruling=RulingWait(after=Period("P60D"), substitutes=quorum(DORA))),
    ),
    # naming
    ("unknown-schema", "/schema", agreement(schema="tallystick.agreement/v2")),
    ("version-number", "/version", agreement(version=0)),
    ("version-chain", "/supersedes", agreement(supersedes=Digest("sha256:" + "0" * 64))),
    ("version-chain", "/version", agreement(version=2)),
    ("duplicate-id", "/parties/4/id", party(4, id=PartyId("kestrel"))),
    ("duplicate-id", "/persons/1/id", person(1, id=DORA)),
    ("duplicate-id", "/components/1/id", component(1, id=DOCS)),
    ("duplicate-id", "/stages/2/id", stage(2, id=CRITICAL)),
    ("duplicate-id", "/conditions/1/id", condition(1, id="insolvency")),
    ("duplicate-id", "/evidence/4/id", agreement(evidence=(*AGREEMENT.evidence, AGREEMENT.evidence[0]))),
    ("duplicate-id", "/calendars/2/id", calendar(2, id="de-by")),
    ("malformed-name", "/conditions/1/id", condition(1, id="End of Support")),
    (
        "malformed-name",
        "/calendars/3/id",
        agreement(calendars=(*AGREEMENT.calendars, replace(AGREEMENT.calendars[0], id="DE"))),
    ),
    ("duplicate-key", "/persons/5/signing_key", person(5, signing_key=signing_key(ANA).public_key)),
    (
        "duplicate-recipient",
        "/persons/5/age_recipient",
        person(5, age_recipient=str(age_identity(ANA).recipient())),
    ),
    (
        "engine-key-shared",
        "/engine",
        agreement(engine=replace(AGREEMENT.engine, decision_key=LOG_KEY.public_key)),
    ),
    (
        "engine-key-shared",
        "/engine/decision_key",
        agreement(engine=replace(AGREEMENT.engine, decision_key=signing_key(ANA).public_key)),
    ),
    ("age-recipient", "/persons/0/age_recipient", person(0, age_recipient="none")),
    ("receiver-classic", "/persons/2/age_recipient", person(2, age_recipient=CLASSIC_RECIPIENT)),
    ("filing-not-agent", "/authorities/filing/1", authorities(filing=(ANA, KIM))),
    ("filer-alone-at-intake", "/authorities/filing/0", authorities(filing=(ANA,), intake=(ANA,))),
    (
        "quorum-unreachable-for-filer",
        "/authorities/filing/0",
        replace(
            authorities(filing=(ANA,)),
            stages=(replace(AGREEMENT.stages[0], quorum=quorum({"all": [ANA, KIM]})), *AGREEMENT.stages[1:]),
        ),
    ),
    ("receiver-not-beneficiary", "/authorities/receivers/1", authorities(receivers=(BEA, ANA))),
    (
        "too-many-receivers",
        "/authorities/receivers",
        with_persons(*MANY_RECEIVERS, authorities=replace(AGREEMENT.authorities, receivers=MANY_RECEIVERS)),
    ),
    ("age-recipients-mixed", "/evidence_readers", person(0, age_recipient=CLASSIC_RECIPIENT)),
    (
        "too-many",
        "/calendars/0/holidays",
        calendar(0, holidays=(date(2026, 12, 25),) * (limits.HOLIDAYS_MAX + 1)),
    ),
    ("too-many", "/parties", agreement(parties=AGREEMENT.parties * 4)),
    ("too-many", "/persons", agreement(persons=AGREEMENT.persons * 9)),
    ("too-many", "/components", agreement(components=AGREEMENT.components * 17)),
    ("too-many", "/stages", agreement(stages=AGREEMENT.stages * 3)),
    ("too-many", "/conditions", agreement(conditions=AGREEMENT.conditions * 17)),
    ("too-many", "/evidence", agreement(evidence=AGREEMENT.evidence * 17)),
    ("too-many", "/calendars", agreement(calendars=AGREEMENT.calendars * 6)),
    ("unknown-party", "/persons/7/id", person(7, id=PersonId("tom@elsewhere"))),
    ("unknown-calendar", "/parties/0/calendar", party(0, calendar="fr")),
    ("unknown-person", "/stages/1/quorum", seats({"all": [ANA, KIM, EVE]})),
    ("unknown-person", "/authorities/claimants", authorities(claimants=(BEA, EVE))),
    ("unknown-person", "/authorities/intake", authorities(intake=(ANA, EVE))),
    ("unknown-person", "/authorities/hold", authorities(hold=(EVE,))),
    ("unknown-person", "/authorities/denial", authorities(denial=quorum({"all": [ANA, EVE]}))),
    ("unknown-person", "/authorities/hold_lift", authorities(hold_lift=quorum(EVE))),
    ("unknown-person", "/authorities/revocation", authorities(revocation=quorum({"all": [ANA, EVE]}))),
    ("unknown-person", "/authorities/arbitration", authorities(arbitration=quorum(EVE))),
    ("unknown-person", "/authorities/court_order", authorities(court_order=quorum(EVE))),
    (
        "unknown-person",
        "/authorities/joint_instruction",
        authorities(joint_instruction=quorum({"all": [DORA, BEA, EVE]})),
    ),
    (
        "unknown-person",
        "/objection/objectors",
        agreement(objection=replace(AGREEMENT.objection, objectors=(DORA, EVE))),
    ),
    ("unknown-person", "/evidence_readers", agreement(evidence_readers=(*AGREEMENT.evidence_readers, EVE))),
    (
        "missing-announcer",
        "/communications/announcer",
        agreement(communications=replace(AGREEMENT.communications, announcer=EVE)),
    ),
    (
        "missing-risk-owner",
        "/governance/risk_owner",
        agreement(governance=replace(AGREEMENT.governance, risk_owner=EVE)),
    ),
    ("unknown-component", "/stages/2/components/1", stage(2, components=(SOURCE, ComponentId("more")))),
    ("unknown-stage", "/stages/2/opens/stage", opens(2, Opens.AFTER_STAGE, "elsewhere")),
    # people
    ("not-one-depositor", "/parties", without_role(Role.DEPOSITOR)),
    ("not-one-depositor", "/parties", party(4, role=Role.DEPOSITOR)),
    ("no-beneficiary", "/parties", without_role(Role.BENEFICIARY)),
    ("no-escrow-agent", "/parties", without_role(Role.ESCROW_AGENT)),
    ("party-without-person", "/parties/4", agreement(persons=AGREEMENT.persons[:-1])),
    ("nobody-named", "/evidence_readers", agreement(evidence_readers=())),
    ("nobody-named", "/authorities/claimants", authorities(claimants=())),
    ("nobody-named", "/authorities/intake", authorities(intake=())),
    ("nobody-named", "/authorities/hold", authorities(hold=())),
    ("nobody-named", "/objection/objectors", agreement(objection=replace(AGREEMENT.objection, objectors=()))),
    (
        "objector-not-depositor",
        "/objection/objectors/1",
        agreement(objection=replace(AGREEMENT.objection, objectors=(DORA, BEA))),
    ),
    ("claimant-not-beneficiary", "/authorities/claimants/0", authorities(claimants=(TOM,))),
    ("intake-not-agent", "/authorities/intake/1", authorities(intake=(ANA, KIM))),
    (
        "no-ground-cured",
        "/objection/grounds",
        agreement(objection=replace(AGREEMENT.objection, grounds=("other",))),
    ),
    ("quorum-unreachable", "/stages/1/quorum", seats({"all": [ANA, KIM, BEN]})),
    ("agent-alone", "/stages/1/quorum", seats({"any": [ANA, {"all": [ABE, KIM]}]})),
    ("one-party-quorum", "/stages/1/quorum", seats({"any": [{"all": [ANA, KIM]}, {"all": [DORA, DIRK]}]})),
    ("claimant-in-quorum", "/stages/1/quorum", seats({"k": 3, "of": [ANA, KIM, TOM, BEA]})),
    (
        "arbitration-not-neutral",
        "/authorities/arbitration",
        authorities(arbitration=quorum({"all": [KIM, DORA]})),
    ),
    (
        "court-order-not-neutral",
        "/authorities/court_order",
        authorities(court_order=quorum({"all": [ANA, BEA]})),
    ),
    (
        "joint-instruction-one-sided",
        "/authorities/joint_instruction",
        authorities(joint_instruction=quorum({"any": [DORA, BEA]})),
    ),
    (
        "joint-instruction-one-sided",
        "/authorities/joint_instruction",
        authorities(joint_instruction=quorum({"all": [DORA, DIRK]})),
    ),
    (
        "joint-instruction-one-sided",
        "/authorities/joint_instruction",
        authorities(joint_instruction=quorum({"all": [BEA, BEN]})),
    ),
    # staging
    ("nothing-named", "/components", agreement(components=())),
    ("nothing-named", "/stages", agreement(stages=())),
    ("nothing-named", "/conditions", agreement(conditions=())),
    ("nothing-named", "/evidence", agreement(evidence=())),
    ("nothing-named", "/stages/2/components", stage(2, components=())),
    (
        "nothing-named",
        "/communications/channels",
        agreement(communications=replace(AGREEMENT.communications, channels=())),
    ),
    ("component-never-opened", "/components/3", stage(2, components=())),
    ("component-opened-twice", "/components/1", stage(2, components=(SOURCE, LICENCE_KEYS))),
    ("component-opened-twice", "/components/3", stage(2, components=(SOURCE, SOURCE))),
    (
        "stage-without-custody",
        "/stages/0/custody",
        agreement(engine=replace(AGREEMENT.engine, gate_recipient="")),
    ),
    ("opening-names-stage", "/stages/1/opens/stage", opens(1, Opens.AFTER_WINDOW, PROVISIONAL)),
    ("opening-names-stage", "/stages/0/opens/stage", opens(0, Opens.ON_ACCEPTANCE, CRITICAL)),
    ("after-no-stage", "/stages/2/opens", opens(2, Opens.AFTER_STAGE)),
    ("after-later-stage", "/stages/2/opens/stage", opens(2, Opens.AFTER_STAGE, SOURCE_STAGE)),
    ("after-later-stage", "/stages/1/opens/stage", opens(1, Opens.AFTER_STAGE, SOURCE_STAGE)),
    ("after-provisional-stage", "/stages/2/opens/stage", opens(2, Opens.AFTER_STAGE, PROVISIONAL)),
    ("provisional-not-first", "/stages/2/opens", opens(2, Opens.ON_ACCEPTANCE)),
    ("provisional-critical", "/stages/1/components/0", opens(1, Opens.ON_ACCEPTANCE)),
    ("condition-without-evidence", "/conditions/1/when", condition(1, when=NOTHING)),
    ("unknown-evidence", "/conditions/1/when", condition(1, when=Expression(word="item", item="rumour"))),
    ("not-if-names-nothing", "/conditions/0/not_if", condition(0, not_if=NOTHING)),
    (
        "not-if-names-nothing",
        "/conditions/0/not_if",
        condition(0, not_if=Expression(word="item", item="rumour")),
    ),
    (
        "condition-contradicts",
        "/conditions/0/not_if",
        condition(0, not_if=Expression(word="item", item="insolvency-record")),
    ),
    # reaching
    ("evidence-without-issuer", "/evidence/0/issuer", evidence(0, issuer=" ")),
    ("no-common-business-day", "/parties/0/calendar", calendar(0, weekend=ALL_WEEK[:5])),
    # terms
    ("unknown-time-zone", "/parties/0/time_zone", party(0, time_zone="Europe/Atlantis")),
    ("weekend-unknown", "/calendars/0/weekend", calendar(0, weekend=("sat", "sunday"))),
    ("weekend-all-week", "/calendars/0/weekend", calendar(0, weekend=ALL_WEEK)),
    ("calendar-over", "/calendars/0/covers_until", calendar(0, covers_until=date(2026, 9, 30), holidays=())),
    *(
        ("empty-period", f"/windows/{name}", windows(**{name: "PT0S"}))
        for name in ("intake", "objection", "approval", "approval_lifetime", "provisioning", "returning")
    ),
    (
        "empty-period",
        "/communications/cadence",
        agreement(communications=replace(AGREEMENT.communications, cadence=Period("PT0S"))),
    ),
    (
        "empty-period",
        "/governance/review_every",
        agreement(governance=replace(AGREEMENT.governance, review_every=Period("P0D"))),
    ),
    (
        "empty-period",
        "/governance/retention",
        agreement(governance=replace(AGREEMENT.governance, retention=Period("P0D"))),
    ),
    ("empty-period", "/components/1/cadence", component(1, cadence=Period("PT0S"), max_age=None)),
    ("empty-period", "/components/1/max_age", component(1, cadence=None, max_age=Period("P0D"))),
    ("empty-period", "/evidence/0/max_age", evidence(0, max_age=Period("PT0S"))),
    *(
        ("window-momentary", f"/windows/{name}", windows(**{name: "PT1S"}))
        for name in ("objection", "approval", "provisioning")
    ),
    ("approval-lifetime-short", "/windows/approval_lifetime", windows(approval_lifetime="P6D")),
    ("approval-lifetime-long", "/windows/approval_lifetime", windows(approval_lifetime="P367D")),
    ("notice-hours", "/notice/resumes", notice(resumes=time(17))),
    (
        "too-many",
        "/parties/0/channels",
        party(0, channels=tuple(replace(IN_A_FOLDER, address=f"folder-{n}") for n in range(17))),
    ),
    (
        "channel-address",
        "/parties/1/channels/0/address",
        channel(ChannelKind.WEBHOOK, f"https://hooks.example/{1003 * 'a'}"),
    ),
    ("channels-required", "/notice/channels_required", notice(channels_required=0)),
    ("channels-required", "/parties/0/channels", notice(channels_required=3)),
    ("depositor-unreachable", "/parties/0/channels", party(0, channels=())),
    (
        "channels-required",
        "/parties/0/channels",
        replace(party(0, channels=AGREEMENT.parties[0].channels[:1] * 2), notice=TWO_CHANNELS),
    ),
    ("notice-unprovable", "/parties/0/channels", notice(channels_required=2, own_channels=None)),
    (
        "notice-unprovable",
        "/parties/0/channels",
        replace(party(0, channels=(IN_A_FOLDER,)), notice=replace(AGREEMENT.notice, own_channels=None)),
    ),
    *(
        ("channel-address", "/parties/1/channels/0/address", channel(kind, address))
        for kind, address in (
            (ChannelKind.EMAIL, "legal"),
            (ChannelKind.EMAIL, "legal@localhost"),
            (ChannelKind.EMAIL, "a@b.example\nBcc: x@y.example"),
            (ChannelKind.WEBHOOK, "http://hooks.example/x"),
            (ChannelKind.WEBHOOK, "https:///x"),
            (ChannelKind.WEBHOOK, "https://user:pass@hooks.example/x"),
            (ChannelKind.WEBHOOK, "https://hooks.example/x#y"),
            (ChannelKind.WEBHOOK, "https://hooks.example/ x"),
            (ChannelKind.WEBHOOK, "https://hooks.example:port/x"),
            (ChannelKind.WEBHOOK, "https://[hooks/x"),
            (ChannelKind.OUTBOX, "../etc"),
        )
    ),
    (
        "licence-incomplete",
        "/components/0/licence",
        licence(LicenceModel.SUBSCRIPTION, ends_on=date(2028, 1, 1)),
    ),
    ("licence-incomplete", "/components/0/licence", licence(LicenceModel.SUBSCRIPTION, seats=3)),
    ("licence-incomplete", "/components/0/licence", licence(LicenceModel.TERM)),
    (
        "licence-perpetual-ends",
        "/components/0/licence",
        licence(LicenceModel.PERPETUAL, ends_on=date(2028, 1, 1)),
    ),
    ("licence-seats", "/components/0/licence/seats", licence(LicenceModel.PERPETUAL, seats=0)),
    *(
        ("required-entry", "/components/0/required_entries/0", component(0, required_entries=(entry,)))
        for entry in ("", "/etc/passwd", "../x", "a//b", "a/./b", "a\\b")
    ),
    (
        "support-empty",
        "/communications/support",
        agreement(communications=replace(AGREEMENT.communications, support=" ")),
    ),
    ("text-empty", "/title", agreement(title="")),
    (
        "text-empty",
        "/governance/governing_law",
        agreement(governance=replace(AGREEMENT.governance, governing_law="\n")),
    ),
]

WARNINGS: list[tuple[str, str, Agreement]] = [
    ("confirmation-without-end", "/windows", authorities(filing=(ANA,))),
    (
        "age-recipient-classic",
        "/persons/2/age_recipient",
        replace(
            person(2, age_recipient=CLASSIC_RECIPIENT),
            authorities=replace(AGREEMENT.authorities, receivers=(BEN,)),
        ),
    ),
    ("agent-alone", "/stages/1/quorum", seats({"k": 2, "of": [ANA, ABE, KIM]})),
    (
        "one-party-veto",
        "/authorities/denial",
        authorities(denial=quorum({"any": [DORA, {"all": [ANA, KIM]}]})),
    ),
    (
        "one-party-veto",
        "/authorities/revocation",
        authorities(revocation=quorum({"any": [ANA, ABE, {"all": [KIM, TOM]}]})),
    ),
    (
        "approver-cannot-read",
        "/stages/1/quorum",
        replace(seats({"k": 3, "of": [ANA, KIM, TOM, DIRK]}), evidence_readers=(ANA, ABE, KIM, TOM, DORA)),
    ),
    (
        "vote-never-counts",
        "/stages/1/quorum",
        with_persons(
            BIA,
            stages=seats({"k": 3, "of": [ANA, KIM, TOM, BEN]}).stages,
            authorities=CLAIMS_BY_BEA_AND_BIA,
            evidence_readers=(*AGREEMENT.evidence_readers, BEN),
        ),
    ),
    ("evidence-unused", "/evidence/3", condition(0, not_if=None)),
    ("evidence-issuer-unknown", "/evidence/0/issuer", evidence(0, issuer="eve@nowhere")),
    *(
        ("evidence-by-claimant", "/conditions/1/when", evidence(2, issuer=issuer))
        for issuer in ("the claimant", "halden", "Halden & Crewe Bank plc", "bea@halden")
    ),
    ("evidence-by-depositor", "/conditions/0/when", evidence(0, issuer="Vendor ")),
    ("max-age-below-cadence", "/components/1/max_age", component(1, max_age=Period("P6D"))),
    ("channel-shared", "/parties/0/channels/1", party(1, channels=AGREEMENT.parties[0].channels[1:])),
    ("channel-shared", "/parties/0/channels/1", channel(ChannelKind.EMAIL, "Legal@NORDWIND.example")),
    (
        "channel-hosted-by-other",
        "/parties/0/channels/1",
        channel(ChannelKind.EMAIL, "escrow@Nordwind.example"),
    ),
    (
        "channel-hosted-by-other",
        "/parties/0/channels/0",
        replace(
            channel(ChannelKind.WEBHOOK, "https://hooks.example/halden"),
            parties=(
                replace(
                    AGREEMENT.parties[0],
                    channels=(Channel(kind=ChannelKind.WEBHOOK, address="https://hooks.example/nordwind"),),
                ),
                *channel(ChannelKind.WEBHOOK, "https://hooks.example/halden").parties[1:],
            ),
        ),
    ),
    ("notice-never-sent", "/parties/0/channels", party(0, channels=(IN_A_FOLDER,))),
    ("power-of-one-person", "/authorities/intake", authorities(intake=(ANA,))),
    ("power-of-one-person", "/authorities/claimants", authorities(claimants=(BEA, BEA))),
    (
        "power-of-one-person",
        "/objection/objectors",
        agreement(objection=replace(AGREEMENT.objection, objectors=(DIRK,))),
    ),
    (
        "grounds-only-cured",
        "/objection/grounds",
        agreement(objection=replace(AGREEMENT.objection, grounds=("cured",))),
    ),
    (
        "objectors-cannot-read",
        "/objection/objectors",
        voted({"k": 2, "of": [AGENT, KIM, TOM]}, ANA, ABE, KIM, TOM),
    ),
    (
        "judge-cannot-read",
        "/authorities/court_order",
        voted({"all": [AGENT, KIM]}, ANA, ABE, KIM, DORA),
    ),
    (
        "claimants-party-counts",
        "/stages/1/quorum",
        with_persons(
            BIA,
            excludes_claimant_party=False,
            stages=seats({"k": 3, "of": [ANA, KIM, TOM, BEN]}).stages,
            authorities=CLAIMS_BY_BEA_AND_BIA,
            evidence_readers=(*AGREEMENT.evidence_readers, BEN),
        ),
    ),
    (
        "arbitration-by-agent",
        "/authorities/arbitration",
        authorities(arbitration=quorum({"any": [ANA, KIM]})),
    ),
    (
        "hold-by-beneficiary",
        "/authorities/hold/1",
        with_persons(
            OLGA.id,
            OLAF,
            parties=(*AGREEMENT.parties, ORRIN),
            authorities=replace(AGREEMENT.authorities, claimants=(BEA, BEN, OLGA.id, OLAF), hold=(ANA, OLAF)),
        ),
    ),
    ("name-shared", "/parties/4/name", party(4, name="Nordwind  telemetrie GmbH")),
    ("name-shared", "/persons/7/name", person(7, name="Dora Lindqvist ")),
    *(
        ("name-shared", "/persons/7/name", person(7, name=name))
        for name in (
            "D\u043era Lindqvist",
            "Dora L\u0131ndqvist",
            "\uff24ora Lindqvist",
        )
    ),
    ("name-shared", "/parties/4/name", party(4, name="Nordwind Te1emetrie GmbH")),
    (
        "nothing-after-window",
        "/stages",
        agreement(
            components=tuple(replace(one, tier=Tier.NON_CRITICAL) for one in AGREEMENT.components),
            stages=tuple(replace(one, opens=Opening(when=Opens.ON_ACCEPTANCE)) for one in AGREEMENT.stages),
        ),
    ),
    (
        "nothing-critical",
        "/components",
        agreement(components=tuple(replace(one, tier=Tier.NON_CRITICAL) for one in AGREEMENT.components)),
    ),
    *(
        ("provisional-by-kind", "/stages/0/components/0", component(0, kind=kind))
        for kind in ("Source-code of the adapters", "licence keys", "activation data")
    ),
    ("retention-short", "/governance/retention", kept("P1D")),
    ("retention-short", "/governance/retention", kept("P450D")),
    (
        "evidence-read-by-rival",
        "/evidence_readers/6",
        replace(
            TWO_BENEFICIARIES,
            authorities=replace(TWO_BENEFICIARIES.authorities, claimants=(BEA, BEN, OLGA.id, OLAF)),
            persons=with_persons(OLGA.id, OLAF).persons,
            evidence_readers=(*AGREEMENT.evidence_readers, OLAF),
        ),
    ),
    ("evidence-short-lived", "/evidence/0/max_age", evidence(0, max_age=Period("PT1H"))),
    ("no-end-agreed", "/waits/intake", waits(intake=None)),
    ("no-end-agreed", "/waits/dispute", waits(dispute=None)),
    ("no-end-agreed", "/waits/hold", waits(hold=None)),
    ("no-end-agreed", "/waits/unproven_notice", waits(unproven_notice=None)),
    ("wait-short", "/waits/hold/after", waits(hold=HoldWait(after=Period("P2D"), then=HoldEnd.GO_ON))),
    (
        "arbitration-by-agent",
        "/waits/ruling/substitutes",
        waits(ruling=RulingWait(after=Period("P60D"), substitutes=quorum({"any": [ANA, ABE]}))),
    ),
    ("window-short", "/windows", windows(intake="PT1S")),
    ("window-short", "/windows", windows(approval="PT2H")),
    ("window-short", "/windows", windows(provisioning="PT59M")),
    ("window-short", "/windows", windows(returning="PT23H")),
    ("window-short", "/windows", notice(deemed_after=Period("PT1M"))),
    ("beneficiary-cannot-claim", "/parties/5", TWO_BENEFICIARIES),
    ("arbitrator-without-power", "/authorities/arbitration", authorities(arbitration=quorum(TOM))),
    ("court-order-one-party", "/authorities/court_order", authorities(court_order=quorum(TOM))),
    (
        "court-order-one-party",
        "/authorities/court_order",
        authorities(court_order=quorum({"all": [ANA, ABE]})),
    ),
    ("hold-by-depositor", "/authorities/hold/1", authorities(hold=(ANA, DORA))),
    ("revocation-needs-owner", "/authorities/revocation", authorities(revocation=ANA_AND_SOMEBODY)),
    ("calendar-short", "/calendars/0/covers_until", calendar(0, covers_until=date(2027, 9, 30), holidays=())),
    ("holiday-not-covered", "/calendars/0/holidays", calendar(0, holidays=(date(2029, 1, 1),))),
    ("objection-window-short", "/windows/objection", windows(objection="4 business days")),
    ("objection-window-short", "/windows/objection", windows(objection="PT20S")),
]


def test_good_agreement_has_no_findings() -> None:
    assert examine(SPARE_SEATS, at=NOW) == ()
    refuse_unsound(SPARE_SEATS, at=NOW)


def test_agreement_of_most_tests_has_one_warning_for_each_stage_that_two_can_stop() -> None:
    told = [(finding.code, finding.where) for finding in examine(AGREEMENT, at=NOW)]
    assert told == [("approval-needs-one-of-two", f"/stages/{place}") for place in (1, 2)]
    refuse_unsound(AGREEMENT, at=NOW)


def _named(cases: list[tuple[str, str, Agreement]]) -> list[str]:
    return [f"{code}:{place}" for code, place, _ in cases]


@pytest.mark.parametrize(("code", "place", "broken"), ERRORS, ids=_named(ERRORS))
def test_error_is_found_where_it_is_and_refused(code: str, place: str, broken: Agreement) -> None:
    matches = [finding for finding in lint(broken) if (finding.code, finding.where) == (code, place)]
    assert {finding.severity for finding in matches} == {Severity.ERROR}
    assert matches[0].message
    assert matches[0].advice
    with pytest.raises(UnsoundAgreementError) as caught:
        refuse_unsound(broken, at=NOW)
    findings = caught.value.facts["findings"]
    assert isinstance(findings, list)
    assert {"code": code, "at": place, "message": matches[0].message} in findings


@pytest.mark.parametrize(("code", "place", "unwise"), WARNINGS, ids=_named(WARNINGS))
def test_warning_is_found_and_does_not_refuse(code: str, place: str, unwise: Agreement) -> None:
    assert [(finding.code, finding.where, finding.severity) for finding in lint(unwise)] == [
        (code, place, Severity.WARNING)
    ]
    refuse_unsound(unwise, at=NOW)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_is_seen_to_fire(rule: Callable[[Agreement], object]) -> None:
    assert any(tuple(rule(broken)) for _, _, broken in [*ERRORS, *WARNINGS])  # type: ignore[arg-type]


def test_agent_that_alone_opens_a_stage_early_is_said_to() -> None:
    tree, told = quorum({"all": [ANA, ABE]}), "harbour alone can approve"
    alone = agreement(stages=tuple(replace(one, quorum=tree) for one in AGREEMENT.stages))
    assert [finding.message for finding in lint(alone) if finding.code == "agent-alone"] == [
        f"{told} provisional, before the depositor can object",
        *(f"{told} {one}" for one in ("critical", "source")),
    ]


def test_records_may_be_kept_for_just_the_longest_claim() -> None:
    assert lint(kept("P451D")) == ()


@pytest.mark.parametrize("host", ["gmail.com", "GMX.de", "hooks.slack.com"])
def test_customers_of_a_public_host_are_not_told_to_be_each_others_hosts(host: str) -> None:
    kind = ChannelKind.WEBHOOK if host.startswith("hooks") else ChannelKind.EMAIL
    addresses = [f"https://{host}/{one}" if kind is ChannelKind.WEBHOOK else f"{one}@{host}" for one in "ab"]
    own, others = (Channel(kind=kind, address=address) for address in addresses)
    parties = party(0, channels=(*AGREEMENT.parties[0].channels, own)).parties
    shared = agreement(parties=at(parties, 1, lambda one: replace(one, channels=(others,))))
    assert lint(shared) == ()
    (twice,) = lint(agreement(parties=at(parties, 1, lambda one: replace(one, channels=(own,)))))
    assert twice.code == "channel-shared"


def test_circle_of_stages_is_refused() -> None:
    circle = replace(opens(1, Opens.AFTER_STAGE, SOURCE_STAGE), id=AgreementId("circle"))
    assert circle.stages[2].opens.stage == CRITICAL
    assert "after-later-stage" in {finding.code for finding in lint(circle)}


def test_claimants_party_counts_where_the_agreement_lets_it() -> None:
    shared = replace(
        seats({"all": [ANA, KIM, BEN]}),
        authorities=replace(AGREEMENT.authorities, claimants=(BEA,)),
        evidence_readers=(*AGREEMENT.evidence_readers, BEN),
    )
    assert "quorum-unreachable" in {finding.code for finding in lint(shared)}
    refuse_unsound(replace(shared, excludes_claimant_party=False), at=NOW)


def test_people_of_two_beneficiaries_may_approve_each_others_claims() -> None:
    shared = replace(
        SPARE_SEATS,
        stages=tuple(
            replace(stage, quorum=quorum({"k": 3, "of": [ANA, ABE, KIM, TOM, OLGA.id]}))
            for stage in SPARE_SEATS.stages
        ),
        parties=TWO_BENEFICIARIES.parties,
        persons=TWO_BENEFICIARIES.persons,
        authorities=TWO_BENEFICIARIES.authorities,
        evidence_readers=(*AGREEMENT.evidence_readers, OLGA.id),
    )
    assert [finding.code for finding in examine(shared, at=NOW)] == ["beneficiary-cannot-claim"]


@pytest.mark.parametrize(
    ("approval", "lifetime"),
    [
        ("5 business days", "P7D"),
        ("5 business days", "5 business days"),
        ("P14D", "10 business days"),
        ("PT24H", "P1D"),
    ],
)
def test_approvals_that_last_as_long_as_their_window_are_sound(approval: str, lifetime: str) -> None:
    assert lint(windows(approval=approval, approval_lifetime=lifetime)) == ()


@pytest.mark.parametrize("window", ["5 business days", "P7D", "10 business days"])
def test_window_of_a_working_week_is_long_enough(window: str) -> None:
    assert lint(windows(objection=window)) == ()


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (ChannelKind.EMAIL, "legal.desk+escrow@halden.example"),
        (ChannelKind.WEBHOOK, "https://hooks.halden.example:8443/escrow?x=1"),
        (ChannelKind.OUTBOX, "halden"),
    ],
)
def test_plausible_addresses_pass(kind: ChannelKind, address: str) -> None:
    assert lint(channel(kind, address)) == ()


def test_agreement_that_gives_up_court_orders_and_joint_instructions_is_sound() -> None:
    either = replace(AGREEMENT.authorities, arbitration=quorum({"any": [KIM, TOM]}))
    powers = replace(either, court_order=None, joint_instruction=None)
    assert examine(replace(SPARE_SEATS, authorities=powers), at=NOW) == ()


def test_witnesses_may_rest_when_others_work() -> None:
    working_week = replace(AGREEMENT.calendars[0], id="rest", weekend=ALL_WEEK[:5])
    marlowe = replace(AGREEMENT.parties[4], calendar="rest")
    resting = replace(
        SPARE_SEATS,
        calendars=(*AGREEMENT.calendars, working_week),
        parties=(*AGREEMENT.parties[:4], marlowe),
    )
    assert examine(resting, at=NOW) == ()


def test_second_version_that_names_the_first_is_sound() -> None:
    assert lint(agreement(version=2, supersedes=Digest("sha256:" + "0" * 64))) == ()


def test_everything_wrong_is_listed_at_once() -> None:
    broken = agreement(title="", version=0)
    assert [finding.code for finding in lint(broken)] == ["version-number", "text-empty"]
    with pytest.raises(UnsoundAgreementError, match=r"version-number.*text-empty"):
        refuse_unsound(broken, at=NOW)
