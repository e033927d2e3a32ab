"""What a check of an agreement finds, and how its rules look at an agreement."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.ids import PersonId
from tallystick.domain.quorum import Quorum


class Severity(StrEnum):
    """Whether an agreement can be registered in spite of a finding."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or unwise, in an agreement.

    Attributes:
        code: Stable, kebab-case: the rule that it breaks.
        at: Where, as a JSON pointer (RFC 6901).
        message: What was found.
        advice: What to do about it.
    """

    code: str
    severity: Severity
    at: str
    message: str
    advice: str


Rule: TypeAlias = Callable[[Agreement], Iterator[Finding]]


def error(code: str, at: str, message: str, advice: str) -> Finding:
    """Return a finding with which an agreement can't be registered."""
    return Finding(code=code, severity=Severity.ERROR, at=at, message=message, advice=advice)


def warning(code: str, at: str, message: str, advice: str) -> Finding:
    """Return a finding that the parties may have meant."""
    return Finding(code=code, severity=Severity.WARNING, at=at, message=message, advice=advice)


def quorums(agreement: Agreement) -> Iterator[tuple[str, Quorum]]:
    """Yield every quorum tree of an agreement, with where it stands."""
    for place, stage in enumerate(agreement.stages):
        yield f"/stages/{place}/quorum", stage.quorum
    authorities = agreement.authorities
    yield "/authorities/denial", authorities.denial
    yield "/authorities/hold_lift", authorities.hold_lift
    yield "/authorities/revocation", authorities.revocation
    if authorities.arbitration is not None:
        yield "/authorities/arbitration", authorities.arbitration
    if authorities.court_order is not None:
        yield "/authorities/court_order", authorities.court_order
    if authorities.joint_instruction is not None:
        yield "/authorities/joint_instruction", authorities.joint_instruction


def person_lists(agreement: Agreement) -> Iterator[tuple[str, tuple[PersonId, ...]]]:
    """Yield every list of persons of an agreement, with where it stands."""
    yield "/authorities/claimants", agreement.authorities.claimants
    yield "/authorities/intake", agreement.authorities.intake
    yield "/authorities/hold", agreement.authorities.hold
    yield "/objection/objectors", agreement.objection.objectors
    yield "/evidence_readers", agreement.evidence_readers


def persons_of(agreement: Agreement, *roles: Role) -> frozenset[PersonId]:
    """Return everybody who acts for a party in one of `roles`."""
    parties = {party.id for party in agreement.parties if party.role in roles}
    return frozenset(person.id for person in agreement.persons if person.party in parties)
