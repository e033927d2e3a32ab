"""Whether a release could be carried out today: what a fire drill of an agreement would find."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, deadline
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import ComponentId, PublicKey
from tallystick.domain.periods import Period
from tallystick.domain.soundness.check import check
from tallystick.domain.soundness.finding import Finding, Severity, error, warning
from tallystick.domain.statements.deposits import Deposit


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands under an agreement, at `at`.

    Attributes:
        live: The components that have a live custody epoch.
        deposit: The latest verified deposit, if any.
        revoked: The keys that were revoked.
        halted: Whether releases are halted in this deployment.
    """

    at: datetime
    live: Collection[ComponentId]
    deposit: Deposit | None
    revoked: Collection[PublicKey]
    halted: bool


def findings(agreement: Agreement, seen: Seen) -> tuple[Finding, ...]:
    """Return what would stand in the way of a release, and what the linter says of the agreement."""
    own = (
        *_database(seen),
        *_custody(agreement, seen),
        *_deposit(agreement, seen),
        *_people(agreement, seen),
    )
    return (*own, *check(agreement))


def is_ready(found: Sequence[Finding]) -> bool:
    """Return whether nothing among the findings makes a release impossible."""
    return all(finding.severity is not Severity.ERROR for finding in found)


def _database(seen: Seen) -> Iterator[Finding]:
    if seen.halted:
        yield error(
            "halted", "", "releases are halted in this deployment", "Remove the halt file when it is safe."
        )


def _custody(agreement: Agreement, seen: Seen) -> Iterator[Finding]:
    for place, component in enumerate(agreement.components):
        if component.id not in seen.live:
            yield warning(
                "no-live-custody",
                f"/components/{place}",
                f"{component.id} has no live custody epoch: its next deposit cannot be sealed",
                "The gate deals the next epoch; see that it runs.",
            )


def _deposit(agreement: Agreement, seen: Seen) -> Iterator[Finding]:
    if seen.deposit is None:
        yield error(
            "no-verified-deposit", "", "there is no verified deposit", "The depositor makes a deposit."
        )
        return
    held = {component.component for component in seen.deposit.components}
    for place, component in enumerate(agreement.components):
        at = f"/components/{place}"
        if component.id not in held:
            yield error(
                "not-deposited", at, f"{component.id} is not in the latest deposit", "The depositor adds it."
            )
        elif _older(agreement, seen, component.max_age):
            yield error(
                "deposit-too-old",
                at,
                f"{component.id} is older than {_text(component.max_age)}",
                "Deposit anew.",
            )
        elif _older(agreement, seen, component.cadence):
            yield warning(
                "deposit-overdue",
                at,
                f"{component.id} is due every {_text(component.cadence)}; the last is of "
                f"{instant_text(seen.deposit.watermark)}",
                "The depositor makes the next deposit.",
            )


def _people(agreement: Agreement, seen: Seen) -> Iterator[Finding]:
    gone = frozenset(person.id for person in agreement.persons if person.signing_key in seen.revoked)
    for place, stage in enumerate(agreement.stages):
        if not stage.quorum.satisfied_by(stage.quorum.persons - gone):
            yield error(
                "quorum-out-of-reach",
                f"/stages/{place}/quorum",
                f"stage {stage.id} cannot be approved: the keys of {', '.join(sorted(gone))} are revoked",
                "Sign a new version of the agreement with other persons or keys.",
            )


def _older(agreement: Agreement, seen: Seen, period: Period | None) -> bool:
    if period is None or seen.deposit is None:
        return False
    try:
        ends = deadline(seen.deposit.watermark, period, recipient=depositor(agreement), agreement=agreement)
    except CalendarExhaustedError:
        return False
    return seen.at > ends.at


def _text(period: Period | None) -> str:
    return "" if period is None else period.text
