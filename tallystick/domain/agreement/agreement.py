"""The agreement: everything that differs between real escrow agreements, as data.

Its canonical bytes are signed by every party and its digest is pinned by every
claim, so nothing here changes under a running claim. Whether an agreement makes
*sense* is checked in `soundness`; whether it can be *read* is checked here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, Protocol, TypeVar

from tallystick.domain.agreement.communications import Communications
from tallystick.domain.agreement.components import Component
from tallystick.domain.agreement.conditions import Condition, EvidenceItem
from tallystick.domain.agreement.deployment import EngineKeys
from tallystick.domain.agreement.governance import Governance
from tallystick.domain.agreement.parties import Party, Person, Role
from tallystick.domain.agreement.plan import Stage
from tallystick.domain.agreement.powers import Authorities, ObjectionRule
from tallystick.domain.agreement.windows import Calendar, NoticeRule, Waits, Windows
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

SCHEMA: Final = "tallystick.agreement/v1"


class NotInAgreementError(TallystickError):
    """Something was named that the agreement does not have."""

    code = "not-in-agreement"
    why = "Parties, persons, components, stages and conditions exist only if the signed agreement names them."
    advice = "Read the agreement (`tallystick agreement show`) and name what it has."


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """An escrow agreement, one version of it.

    Attributes:
        supersedes: The digest of the previous version; absent for the first.
        excludes_claimant_party: Whether the votes of the claimant's party count for nothing on its own claim.
        evidence_readers: The persons to whom evidence documents are sealed.
        waits: What ends the waits that people alone would end otherwise; absent: nothing does.
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
    engine: EngineKeys
    excludes_claimant_party: bool = True
    supersedes: Digest | None = None
    waits: Waits | None = None

    @property
    def ends(self) -> Waits:
        """What ends each wait; one that names none has no end."""
        return self.waits or Waits()

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
        found = self._by_id.get(person)
        return _one(self.persons, person, "person") if found is None else found

    def acting_for(self, party: PartyId) -> tuple[Person, ...]:
        """Return the persons who act for `party`."""
        return tuple(person for person in self.persons if person.party == party)

    def person_with(self, key: PublicKey) -> Person:
        """Return the person whose signing key is `key`.

        Raises:
            NotInAgreementError: No person has it.
        """
        found = self._by_key.get(key)
        if found is None:
            raise NotInAgreementError("no person has this key", key=key)
        return found

    @cached_property
    def _by_id(self) -> Mapping[PersonId, Person]:
        return {person.id: person for person in reversed(self.persons)}

    @cached_property
    def _by_key(self) -> Mapping[PublicKey, Person]:
        return {person.signing_key: person for person in reversed(self.persons)}

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
            NotInAgreementError: No stage opens it.
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


def depositor(agreement: Agreement) -> Party:
    """Return the party that deposits: it gets the notices, and its local time decides the windows."""
    (party,) = agreement.parties_in(Role.DEPOSITOR)
    return party


def readers(agreement: Agreement) -> tuple[Person, ...]:
    """Return to whom every evidence document is sealed, and nobody else; each person once."""
    return tuple(agreement.person(reader) for reader in dict.fromkeys(agreement.evidence_readers))


def voted_on(agreement: Agreement, stages: Iterable[StageId], person: PersonId) -> tuple[StageId, ...]:
    """Return the ones among `stages` whose quorum includes `person`."""
    return tuple(stage for stage in stages if person in agreement.stage(stage).quorum.persons)
