"""What the linter finds in an agreement, and what its rules iterate over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.ids import PersonId
from tallystick.domain.quorum import Quorum


class Severity(StrEnum):
    """Whether an agreement can be registered despite a finding."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or unwise, in an agreement.

    Attributes:
        code: Stable, kebab-case: the rule that it breaks.
        where: Where, as a JSON pointer (RFC 6901).
        message: What was found.
        advice: What to do about it.
    """

    code: str
    severity: Severity
    where: str
    message: str
    advice: str


Rule: TypeAlias = Callable[[Agreement], Iterator[Finding]]


def error(code: str, where: str, message: str, advice: str) -> Finding:
    """Return a finding with which an agreement cannot be registered."""
    return Finding(code=code, severity=Severity.ERROR, where=where, message=message, advice=advice)


def warning(code: str, where: str, message: str, advice: str) -> Finding:
    """Return a finding that may be what the parties intend."""
    return Finding(code=code, severity=Severity.WARNING, where=where, message=message, advice=advice)


def quorums(agreement: Agreement) -> Iterator[tuple[str, Quorum]]:
    """Yield the JSON pointer to every quorum tree of an agreement, with the tree."""
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
    if (ruling := agreement.ends.ruling) is not None:
        yield "/waits/ruling/substitutes", ruling.substitutes


def person_lists(agreement: Agreement) -> Iterator[tuple[str, tuple[PersonId, ...]]]:
    """Yield the JSON pointer to every list of persons in an agreement, with the list."""
    yield "/authorities/claimants", agreement.authorities.claimants
    yield "/authorities/intake", agreement.authorities.intake
    if agreement.authorities.receivers:
        yield "/authorities/receivers", agreement.authorities.receivers
    if agreement.authorities.filing:
        yield "/authorities/filing", agreement.authorities.filing
    yield "/authorities/hold", agreement.authorities.hold
    yield "/objection/objectors", agreement.objection.objectors
    yield "/evidence_readers", agreement.evidence_readers


def persons_of(agreement: Agreement, *roles: Role) -> frozenset[PersonId]:
    """Return everyone who acts for a party in one of `roles`."""
    parties = {party.id for party in agreement.parties if party.role in roles}
    return frozenset(person.id for person in agreement.persons if person.party in parties)
