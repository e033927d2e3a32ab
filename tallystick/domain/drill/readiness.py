"""Whether a release could be carried out today."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import instant_text
from tallystick.domain.deposit.age import is_older
from tallystick.domain.ids import ComponentId, PublicKey
from tallystick.domain.periods import Period
from tallystick.domain.soundness.check import examine
from tallystick.domain.soundness.finding import Finding, Severity, error, warning
from tallystick.domain.statements.deposits import Deposit


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What there is under an agreement at `at`.

    Attributes:
        live: The components that have a live custody epoch; None if that cannot be read.
        deposit: The latest verified deposit, if any.
        revoked: The keys that were revoked.
        halted: Whether releases are halted in this deployment.
    """

    at: datetime
    live: Collection[ComponentId] | None
    deposit: Deposit | None
    revoked: Collection[PublicKey]
    halted: bool


def findings(agreement: Agreement, inventory: Inventory) -> tuple[Finding, ...]:
    """Return what would prevent a release, and what the linter finds in the agreement as of then."""
    own = (
        *_halt(inventory),
        *_custody(agreement, inventory),
        *_deposit(agreement, inventory),
        *_people(agreement, inventory),
    )
    return (*own, *examine(agreement, at=inventory.at))


def is_ready(those: Sequence[Finding]) -> bool:
    """Return whether none of those findings makes a release impossible."""
    return all(finding.severity is not Severity.ERROR for finding in those)


def _halt(inventory: Inventory) -> Iterator[Finding]:
    if inventory.halted:
        yield error(
            "halted", "", "releases are halted in this deployment", "Remove the halt file when it is safe."
        )


def _custody(agreement: Agreement, inventory: Inventory) -> Iterator[Finding]:
    if inventory.live is None:
        yield error(
            "custody-unreadable",
            "",
            "the record of custody epochs is damaged: nothing is released, and nothing can be deposited",
            "Tell the deployment's operators: they compare the database with a backup.",
        )
        return
    for place, component in enumerate(agreement.components):
        if component.id not in inventory.live:
            yield warning(
                "no-live-custody",
                f"/components/{place}",
                f"{component.id} has no live custody epoch: its next deposit cannot be sealed",
                "Check that the gate runs: it deals the next epoch.",
            )


def _deposit(agreement: Agreement, inventory: Inventory) -> Iterator[Finding]:
    if inventory.deposit is None:
        yield error(
            "no-verified-deposit", "", "there is no verified deposit", "Ask the depositor for a deposit."
        )
        return
    held = {component.component for component in inventory.deposit.components}
    for place, component in enumerate(agreement.components):
        where = f"/components/{place}"
        if component.id not in held:
            message = f"{component.id} is not in the latest deposit"
            yield error("not-deposited", where, message, "Ask the depositor to add it.")
        elif _older(agreement, inventory, component.max_age):
            yield error(
                "deposit-too-old",
                where,
                f"{component.id} is older than {_text(component.max_age)}",
                "Ask the depositor for a new deposit.",
            )
        elif _older(agreement, inventory, component.cadence):
            yield warning(
                "deposit-overdue",
                where,
                f"{component.id} is due every {_text(component.cadence)}; the last is from "
                f"{instant_text(inventory.deposit.watermark)}",
                "Ask the depositor for the next deposit.",
            )


def _people(agreement: Agreement, inventory: Inventory) -> Iterator[Finding]:
    gone = frozenset(person.id for person in agreement.persons if person.signing_key in inventory.revoked)
    for place, stage in enumerate(agreement.stages):
        if not stage.quorum.satisfied_by(stage.quorum.persons - gone):
            yield error(
                "quorum-out-of-reach",
                f"/stages/{place}/quorum",
                f"stage {stage.id} cannot be approved: the keys of {', '.join(sorted(gone))} are revoked",
                "Sign a new version of the agreement with other persons or keys.",
            )


def _older(agreement: Agreement, inventory: Inventory, period: Period | None) -> bool:
    deposit = inventory.deposit
    return deposit is not None and is_older(agreement, deposit.watermark, period, inventory.at)


def _text(period: Period | None) -> str:
    return "" if period is None else period.text
