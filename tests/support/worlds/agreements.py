"""A complete, sound agreement with people whose keys are known: what scenarios start from.

Two of its stages cannot be approved while the depositor and a neutral party are both away: `agreement check`
warns of that, and of nothing else. In `SPARE_SEATS` they can. Every key is derived from its holder's name, so
that digests are the same in every run.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Final

from tallystick.crypto.age.keys import HybridIdentity, identity_from_seed
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.letter_key import publish
from tallystick.domain.agreement.agreement import SCHEMA, Agreement
from tallystick.domain.agreement.communications import Communications
from tallystick.domain.agreement.components import Component, Licence, LicenceModel, Tier
from tallystick.domain.agreement.conditions import Condition, EvidenceItem, Expression
from tallystick.domain.agreement.deployment import EngineKeys
from tallystick.domain.agreement.governance import Governance
from tallystick.domain.agreement.parties import Channel, ChannelKind, Party, Person, Role
from tallystick.domain.agreement.plan import OnFailure, Opening, Opens, Stage
from tallystick.domain.agreement.powers import Authorities, ObjectionRule
from tallystick.domain.agreement.windows import Calendar, NoticeRule, OwnChannels, Windows
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, PartyId, PersonId, StageId
from tallystick.domain.json import JsonValue
from tallystick.domain.periods import Period
from tallystick.domain.quorum import Quorum
from tallystick.domain.statements.filing import Receiver
from tests.support.ends import WAITS


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person of a scenario with both private keys; `person` is what an agreement shows."""

    id: PersonId
    name: str

    @cached_property
    def signing_key(self) -> SigningKey:
        return signing_key(self.id)

    @cached_property
    def identity(self) -> HybridIdentity:
        return age_identity(self.id)

    @cached_property
    def person(self) -> Person:
        return Person(
            id=self.id,
            name=self.name,
            signing_key=self.signing_key.public_key,
            age_recipient=str(self.identity.recipient()),
        )


def signing_key(holder: str) -> SigningKey:
    """The Ed25519 key that `holder` always has in tests."""
    return SigningKey(_seed("signing key", holder))


def age_identity(holder: str) -> HybridIdentity:
    """The age identity that `holder` always has in tests."""
    return identity_from_seed(_seed("age identity", holder))


def _seed(purpose: str, holder: str) -> bytes:
    return hashlib.sha256(f"tallystick tests: {purpose} of {holder}".encode()).digest()


def quorum(tree: JsonValue) -> Quorum:
    """The quorum that is written as `tree`, such as `{"any": ["ana@harbour"]}`."""
    return Quorum.from_json(tree, "")


DORA: Final = PersonId("dora@nordwind")
DIRK: Final = PersonId("dirk@nordwind")
BEA: Final = PersonId("bea@halden")
BEN: Final = PersonId("ben@halden")
ANA: Final = PersonId("ana@harbour")
ABE: Final = PersonId("abe@harbour")
KIM: Final = PersonId("kim@kestrel")
TOM: Final = PersonId("tom@marlowe")

PEOPLE: Final[Mapping[PersonId, Actor]] = {
    actor.id: actor
    for actor in (
        Actor(id=DORA, name="Dora Lindqvist"),
        Actor(id=DIRK, name="Dirk Ahlers"),
        Actor(id=BEA, name="Bea Halloran"),
        Actor(id=BEN, name="Ben Okafor"),
        Actor(id=ANA, name="Ana Prieto"),
        Actor(id=ABE, name="Abe Sandoval"),
        Actor(id=KIM, name="Kim de Wit"),
        Actor(id=TOM, name="Tom Reyes"),
    )
}
"""Everybody in the agreement; index by id: `PEOPLE[ANA].signing_key`."""

LOG_KEY: Final = signing_key("engine log")
DECISION_KEY: Final = signing_key("engine decision")
LETTER_KEY: Final = publish(
    signing_key("engine letters"),
    deployment=DeploymentId("test"),
    log_key=LOG_KEY,
    at=datetime(2020, 1, 1, tzinfo=UTC),
)
GATE_IDENTITY: Final = age_identity("engine gate")

DOCS: Final = ComponentId("docs")
LICENCE_KEYS: Final = ComponentId("licence-keys")
ACTIVATION_RULES: Final = ComponentId("activation-rules")
SOURCE: Final = ComponentId("source")
PROVISIONAL: Final = StageId("provisional")
CRITICAL: Final = StageId("critical")
SOURCE_STAGE: Final = StageId("source")


def _days(*days: str) -> tuple[date, ...]:
    return tuple(
        date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}") for text in days for day in text.split()
    )


WEEKEND: Final = ("sat", "sun")
CALENDARS: Final = (
    Calendar(
        id="de-by",
        weekend=WEEKEND,
        holidays=_days(
            "20261003 20261101 20261225 20261226 20270101 20270106 20270326 20270329 20270501 20270506",
            "20270517 20270527 20270815 20271003 20271101 20271225 20271226 20280101 20280106 20280414",
            "20280417 20280501 20280525 20280605 20280615 20280815 20281003 20281101 20281225 20281226",
        ),
        covers_until=date(2028, 12, 31),
    ),
    Calendar(
        id="gb-eng",
        weekend=WEEKEND,
        holidays=_days(
            "20261225 20261228 20270101 20270326 20270329 20270503 20270531 20270830 20271227 20271228",
            "20280103 20280414 20280417 20280501 20280529 20280828 20281225 20281226",
        ),
        covers_until=date(2028, 12, 31),
    ),
    Calendar(
        id="nl",
        weekend=WEEKEND,
        holidays=_days(
            "20261225 20261226 20270101 20270329 20270427 20270506 20270517 20271225 20271226",
            "20280101 20280417 20280427 20280525 20280605 20281225 20281226",
        ),
        covers_until=date(2028, 12, 31),
    ),
)

_OUTBOX: Final = ChannelKind.OUTBOX
PARTIES: Final = (
    Party(
        id=PartyId("nordwind"),
        role=Role.DEPOSITOR,
        name="Nordwind Telemetrie GmbH",
        time_zone="Europe/Berlin",
        calendar="de-by",
        channels=(
            Channel(kind=_OUTBOX, address="nordwind"),
            Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example"),
        ),
    ),
    Party(
        id=PartyId("halden"),
        role=Role.BENEFICIARY,
        name="Halden & Crewe Bank plc",
        time_zone="Europe/London",
        calendar="gb-eng",
        channels=(Channel(kind=_OUTBOX, address="halden"),),
    ),
    Party(
        id=PartyId("harbour"),
        role=Role.ESCROW_AGENT,
        name="Harbour Escrow Services Ltd",
        time_zone="Europe/London",
        calendar="gb-eng",
        channels=(Channel(kind=_OUTBOX, address="harbour"),),
    ),
    Party(
        id=PartyId("kestrel"),
        role=Role.ARBITRATOR,
        name="Kestrel Assurance BV",
        time_zone="Europe/Amsterdam",
        calendar="nl",
    ),
    Party(
        id=PartyId("marlowe"),
        role=Role.WITNESS,
        name="Marlowe Trust Co",
        time_zone="Europe/London",
        calendar="gb-eng",
    ),
)

COMPONENTS: Final = (
    Component(
        id=DOCS,
        kind="documentation",
        tier=Tier.NON_CRITICAL,
        licence=Licence(model=LicenceModel.PERPETUAL),
        cadence=Period("P90D"),
        max_age=Period("P120D"),
    ),
    Component(
        id=LICENCE_KEYS,
        kind="licence keys",
        tier=Tier.CRITICAL,
        licence=Licence(model=LicenceModel.SUBSCRIPTION, seats=250, ends_on=date(2028, 6, 30)),
        cadence=Period("P7D"),
        max_age=Period("P14D"),
    ),
    Component(
        id=ACTIVATION_RULES,
        kind="activation rules",
        tier=Tier.CRITICAL,
        licence=Licence(model=LicenceModel.SUBSCRIPTION, seats=250, ends_on=date(2028, 6, 30)),
        cadence=Period("P7D"),
        max_age=Period("P14D"),
        prerequisites=("a licence server that the activation rules can be installed on",),
    ),
    Component(
        id=SOURCE,
        kind="source code and build recipe",
        tier=Tier.CRITICAL,
        licence=Licence(model=LicenceModel.TERM, ends_on=date(2029, 6, 30)),
        cadence=Period("P30D"),
        max_age=Period("P45D"),
    ),
)

EVIDENCE: Final = (
    EvidenceItem(
        id="insolvency-record",
        what="court or register record of an insolvency event of the depositor",
        issuer="public register",
        form="certified copy",
        max_age=Period("P10D"),
    ),
    EvidenceItem(
        id="outage-record",
        what="record of service below 99.0 % in two of three months",
        issuer="third-party monitor",
        form="signed time series",
        max_age=Period("P45D"),
    ),
    EvidenceItem(
        id="officer-declaration",
        what="statutory declaration of an officer that support has ceased",
        issuer="beneficiary's officer",
        form="notarised declaration",
    ),
    EvidenceItem(
        id="successor-undertaking",
        what="signed undertaking of a successor to support on the same terms",
        issuer="depositor or successor",
        form="signed letter",
    ),
)

CONDITIONS: Final = (
    Condition(
        id="insolvency",
        title="Insolvency with disruption",
        when=Expression.from_json(
            {"all_of": ["insolvency-record", {"any_of": ["outage-record", "officer-declaration"]}]}, ""
        ),
        not_if=Expression.from_json("successor-undertaking", ""),
    ),
    Condition(
        id="end-of-support",
        title="Orderly end of support",
        when=Expression.from_json("officer-declaration", ""),
        stressed=False,
    ),
)

WINDOWS: Final = Windows(
    intake=Period("2 business days"),
    objection=Period("10 business days"),
    approval=Period("5 business days"),
    approval_lifetime=Period("P30D"),
    provisioning=Period("PT48H"),
    returning=Period("10 business days"),
)

_AGENT: Final[JsonValue] = {"any": [ANA, ABE]}
STAGES: Final = (
    Stage(
        id=PROVISIONAL,
        components=(DOCS,),
        opens=Opening(when=Opens.ON_ACCEPTANCE),
        quorum=quorum({"k": 2, "of": [_AGENT, KIM, TOM]}),
        on_failure=OnFailure.KEEP,
    ),
    Stage(
        id=CRITICAL,
        components=(LICENCE_KEYS, ACTIVATION_RULES),
        opens=Opening(when=Opens.AFTER_WINDOW),
        quorum=quorum({"k": 3, "of": [_AGENT, KIM, TOM, DORA]}),
        on_failure=OnFailure.KEEP,
    ),
    Stage(
        id=SOURCE_STAGE,
        components=(SOURCE,),
        opens=Opening(when=Opens.AFTER_STAGE, stage=CRITICAL, delay=Period("2 business days")),
        quorum=quorum({"all": [_AGENT, {"k": 2, "of": [KIM, TOM, DORA]}]}),
        on_failure=OnFailure.ROLLBACK,
    ),
)

AUTHORITIES: Final = Authorities(
    claimants=(BEA, BEN),
    intake=(ANA, ABE),
    denial=quorum({"k": 2, "of": [_AGENT, KIM, TOM]}),
    hold=(ANA, KIM),
    hold_lift=quorum({"k": 2, "of": [_AGENT, KIM, TOM]}),
    revocation=quorum({"k": 2, "of": [_AGENT, KIM, TOM]}),
    arbitration=quorum(KIM),
    court_order=quorum({"all": [_AGENT, TOM]}),
    joint_instruction=quorum({"all": [{"any": [DORA, DIRK]}, {"any": [BEA, BEN]}]}),
)

AGREEMENT: Final = Agreement(
    schema=SCHEMA,
    id=AgreementId("nordwind-halden"),
    deployment=DeploymentId("test"),
    version=1,
    title="Telemetry platform: licence escrow",
    effective_from=datetime(2026, 10, 1, tzinfo=UTC),
    calendars=CALENDARS,
    parties=PARTIES,
    persons=tuple(actor.person for actor in PEOPLE.values()),
    components=COMPONENTS,
    evidence=EVIDENCE,
    conditions=CONDITIONS,
    windows=WINDOWS,
    notice=NoticeRule(
        cutoff=time(17), resumes=time(9), deemed_after=Period("PT24H"), own_channels=OwnChannels.PROVE
    ),
    objection=ObjectionRule(objectors=(DORA, DIRK), grounds=("cured", "not-insolvent", "evidence-disputed")),
    stages=STAGES,
    authorities=AUTHORITIES,
    evidence_readers=(ANA, ABE, KIM, TOM, DORA, DIRK),
    communications=Communications(
        announcer=ANA,
        channels=("status page", "e-mail to the parties"),
        cadence=Period("PT24H"),
        support="Harbour Escrow, release desk: release-desk@harbour.example",
    ),
    governance=Governance(
        risk_owner=BEN,
        review_every=Period("P180D"),
        retention=Period("P2555D"),
        governing_law="England and Wales",
        supplementary_to="Licence agreement LA-2024-118",
    ),
    engine=EngineKeys(
        log_key=LOG_KEY.public_key,
        decision_key=DECISION_KEY.public_key,
        gate_recipient=str(GATE_IDENTITY.recipient()),
    ),
    waits=WAITS,
)


def agreement(**changes: object) -> Agreement:
    """The sound agreement, with some members of its top level replaced."""
    return replace(AGREEMENT, **changes)  # type: ignore[arg-type]


_THREE_OF_FIVE: Final = quorum({"k": 3, "of": [ANA, ABE, KIM, TOM, DORA]})
SPARE_SEATS: Final = agreement(
    stages=(STAGES[0], *(replace(stage, quorum=_THREE_OF_FIVE) for stage in STAGES[1:]))
)
"""The sound agreement with a seat to spare: each stage can be approved though any two are away."""


def keys_of(person: PersonId) -> PrivateKeys:
    """The key file of a person in the tests."""
    actor = PEOPLE[person]
    return PrivateKeys(
        person=person, signing_key=actor.signing_key, age_identity=actor.identity.secret_text()
    )


def receivers(*persons: PersonId) -> tuple[Receiver, ...]:
    """Those persons as a claim names them, with their own recipients."""
    return tuple(Receiver(person=person, recipient=PEOPLE[person].person.age_recipient) for person in persons)
