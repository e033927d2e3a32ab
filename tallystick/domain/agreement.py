"""The agreement: everything that differs between real escrow agreements, as data.

Its canonical bytes are signed by every party and its digest is pinned by every
claim, so nothing here changes under a claim that runs. What makes an agreement
*sensible* is checked in `agreement_check`; what makes it *readable* is checked here.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from tallystick.domain.condition import Condition, EvidenceItem
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import (
    AgreementId,
    ComponentId,
    DeploymentId,
    Digest,
    PartyId,
    PersonId,
    PublicKey,
    StageId,
)
from tallystick.domain.party import Party, Person, Role
from tallystick.domain.periods import Period
from tallystick.domain.quorum import Quorum

SCHEMA: Final = "tallystick.agreement/v1"


class NotInAgreementError(TallystickError):
    """Something was named that the agreement does not have."""

    code = "not-in-agreement"
    why = "Parties, persons, components, stages and conditions exist only if the signed agreement names them."
    advice = "Read the agreement (`tallystick agreement show`) and name what it has."


class Tier(StrEnum):
    """How much hangs on a component."""

    CRITICAL = "critical"
    NON_CRITICAL = "non_critical"


class LicenceModel(StrEnum):
    """How long the licence runs; a release does not prolong it."""

    PERPETUAL = "perpetual"
    TERM = "term"
    SUBSCRIPTION = "subscription"


class Opens(StrEnum):
    """When a stage may first be decided."""

    ON_ACCEPTANCE = "on_acceptance"
    """Provisional access, while the objection window still runs."""
    AFTER_WINDOW = "after_window"
    AFTER_STAGE = "after_stage"


class OnFailure(StrEnum):
    """What happens to the stages already provisioned when a later one fails."""

    KEEP = "keep"
    ROLLBACK = "rollback"


class CustodyRule(StrEnum):
    """Who holds the key to a stage's components."""

    GATE = "gate"
    """The escrow agent's gate alone: the smallest custody tree, one leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Business days, pinned: no library upgrade moves a deadline.

    Attributes:
        weekend: Weekdays that are no business days, as `mon` … `sun`.
        holidays: Dates that are no business days.
        covers_until: The last date for which the holidays are known.
    """

    id: str
    weekend: tuple[str, ...]
    holidays: tuple[date, ...]
    covers_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The right that goes with a component."""

    model: LicenceModel
    seats: int | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A thing that is deposited and released as a whole.

    Attributes:
        cadence: How often it is to be deposited.
        max_age: How old a deposit's watermark may be at a claim.
        required_entries: Paths that every deposit's bag must hold.
        prerequisites: What the beneficiary needs to have, in words.
    """

    id: ComponentId
    kind: str
    tier: Tier
    licence: Licence
    cadence: Period | None = None
    max_age: Period | None = None
    required_entries: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How long each step may take.

    Attributes:
        intake: For the escrow agent to check the form of a claim.
        objection: For the depositor to object, from proof of notice.
        approval: For the quorum, from the moment a stage opens; then the claim lapses.
        approval_lifetime: How long an approval may count, at most.
        provisioning: For the receiver to report a stage; then it is rolled back.
        returning: For the beneficiary to return or destroy what falls due for return.
    """

    intake: Period
    objection: Period
    approval: Period
    approval_lifetime: Period
    provisioning: Period
    returning: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRule:
    """When a notice counts as received.

    Attributes:
        cutoff: Local hour at the recipient's place after which the next business day counts.
        resumes: Local hour at which a notice that came too late is received.
        deemed_after: How long after sending a notice is deemed received, if enough channels took it;
            absent means that only an acknowledgement is proof.
        channels_required: How many channels must have taken it.
    """

    cutoff: time
    resumes: time
    deemed_after: Period | None = None
    channels_required: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionRule:
    """Who may give a contrary instruction, and on which grounds; `cured` is the ground for a cure."""

    objectors: tuple[PersonId, ...]
    grounds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """When a stage opens: after which stage (for `after_stage`), and how long after."""

    when: Opens
    stage: StageId | None = None
    delay: Period | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Components that are released together, by their own quorum.

    Attributes:
        custody: Who holds the key to the components.
    """

    id: StageId
    components: tuple[ComponentId, ...]
    opens: Opening
    quorum: Quorum
    on_failure: OnFailure
    custody: CustodyRule = CustodyRule.GATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """Who may do what beside approving.

    Attributes:
        claimants: May file a claim, withdraw it, and sign receipts and returns.
        intake: May accept a claim's form, or refuse it.
        denial: Whose denials, together, end a claim.
        arbitration: Who may rule on a dispute; absent where the agreement has no arbitrator.
        court_order: Officers who may attest a final court order.
        joint_instruction: Who signs one together.
        hold: May place a hold.
        hold_lift: Who lifts one, together.
        revocation: Who may revoke another's key, together.
    """

    claimants: tuple[PersonId, ...]
    intake: tuple[PersonId, ...]
    denial: Quorum
    hold: tuple[PersonId, ...]
    hold_lift: Quorum
    revocation: Quorum
    arbitration: Quorum | None = None
    court_order: Quorum | None = None
    joint_instruction: Quorum | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Communications:
    """Who announces a release, where, how often, and whom to ask."""

    announcer: PersonId
    channels: tuple[str, ...]
    cadence: Period
    support: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Who owns the risk, and when the arrangement is looked at again."""

    risk_owner: PersonId
    review_every: Period
    retention: Period
    governing_law: str
    supplementary_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The deployment's own keys, pinned like everybody's.

    Attributes:
        log_key: Signs checkpoints, notices and events; can release nothing.
        decision_key: The gate's; signs decisions.
        gate_recipient: The gate's age recipient, to which its custody share is sealed.
    """

    log_key: PublicKey
    decision_key: PublicKey
    gate_recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An escrow agreement, one version of it.

    Attributes:
        supersedes: The digest of the version before; absent for the first.
        excludes_claimant_party: Whether nobody of the claimant's party counts for its own claim.
        evidence_readers: To whom evidence documents are sealed.
    """

    schema: str
    id: AgreementId
    deployment: DeploymentId
    version: int
    title: str
    effective_from: datetime
    calendars: tuple[Calendar, ...]
    parties: tuple[Party, ...]
    persons: tuple[Person, ...]
    components: tuple[Component, ...]
    evidence: tuple[EvidenceItem, ...]
    conditions: tuple[Condition, ...]
    windows: Windows
    notice: NoticeRule
    objection: ObjectionRule
    stages: tuple[Stage, ...]
    authorities: Authorities
    evidence_readers: tuple[PersonId, ...]
    communications: Communications
    governance: Governance
    engine: Engine
    excludes_claimant_party: bool = True
    supersedes: Digest | None = None

    def party(self, party: PartyId) -> Party:
        """Return the party called `party`.

        Raises:
            NotInAgreementError: There is none.
        """
        return _one(self.parties, party, "party")

    def parties_in(self, role: Role) -> tuple[Party, ...]:
        """Return the parties in `role`."""
        return tuple(party for party in self.parties if party.role is role)

    def person(self, person: PersonId) -> Person:
        """Return the person called `person`.

        Raises:
            NotInAgreementError: There is none.
        """
        return _one(self.persons, person, "person")

    def person_with(self, key: PublicKey) -> Person:
        """Return whose signing key `key` is.

        Raises:
            NotInAgreementError: Nobody's.
        """
        for person in self.persons:
            if person.signing_key == key:
                return person
        raise NotInAgreementError("no person has this key", key=key)

    def stage(self, stage: StageId) -> Stage:
        """Return the stage called `stage`.

        Raises:
            NotInAgreementError: There is none.
        """
        return _one(self.stages, stage, "stage")

    def component(self, component: ComponentId) -> Component:
        """Return the component called `component`.

        Raises:
            NotInAgreementError: There is none.
        """
        return _one(self.components, component, "component")

    def condition(self, condition: str) -> Condition:
        """Return the release condition called `condition`.

        Raises:
            NotInAgreementError: There is none.
        """
        return _one(self.conditions, condition, "condition")

    def evidence_item(self, item: str) -> EvidenceItem:
        """Return the evidence item called `item`.

        Raises:
            NotInAgreementError: There is none.
        """
        return _one(self.evidence, item, "evidence item")

    def calendar(self, calendar: str) -> Calendar:
        """Return the calendar called `calendar`.

        Raises:
            NotInAgreementError: There is none.
        """
        return _one(self.calendars, calendar, "calendar")

    def stage_of(self, component: ComponentId) -> Stage:
        """Return the one stage that opens `component`.

        Raises:
            NotInAgreementError: None does.
        """
        for stage in self.stages:
            if component in stage.components:
                return stage
        raise NotInAgreementError("no stage opens this component", component=component)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _one(things: tuple[_N, ...], wanted: str, what: str) -> _N:
    for thing in things:
        if thing.id == wanted:
            return thing
    raise NotInAgreementError(f"no such {what}", wanted=wanted, known=[thing.id for thing in things])
