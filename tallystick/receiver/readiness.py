"""Whether this receiver could do its work today, as far as that shows before anything is released."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import claim_id
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.receiver.commands import Commands
from tallystick.receiver.delivery import VerifiedDelivery
from tallystick.receiver.room import ReceiverHinderedError, check_own, check_room
from tallystick.receiver.setting import Setting
from tallystick.receiver.versions import version_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """One thing that a release will need, whether it is there, and what was found."""

    what: str
    holds: bool
    found: str


def readiness(setting: Setting, claim: str) -> Iterator[Foreseen]:
    """Look for everything that a release of `claim` will need here; change nothing and run nothing.

    The findings end at the server or the claim if one of these is missing: what follows depends on them.
    """
    yield from _commands(setting.commands)
    yield _folder(setting.into.absolute())
    try:
        delivery = setting.delivery(claim)
    except TallystickError as error:
        yield Foreseen(what="claim", holds=False, found=str(error))
        return
    found = f"{claim_id(delivery.claim)} is {delivery.state} and sealed to this key; its record holds"
    yield Foreseen(what="claim", holds=True, found=found)
    yield _room(setting.into.absolute(), delivery)


def _commands(commands: Commands) -> Iterator[Foreseen]:
    fault = commands.fault()
    yield Foreseen(
        what="commands", holds=fault is None, found=fault or "each can be started, if there is one"
    )
    if not commands.health:
        yield Foreseen(
            what="health", holds=True, found="no health check: what becomes active will not be checked"
        )


def _folder(into: Path) -> Foreseen:
    try:
        check_own(into)
    except ReceiverHinderedError as error:
        return Foreseen(what="folder", holds=False, found=str(error))
    place = _existing(into)
    holds = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    found = f"{into} can be used" if holds else f"{place} is not a folder that may be written to"
    return Foreseen(what="folder", holds=holds, found=found)


def _room(into: Path, delivery: VerifiedDelivery) -> Foreseen:
    wanted = list(_to_be_opened(into, delivery))
    try:
        check_room(_existing(into), wanted)
    except ReceiverHinderedError as error:
        return Foreseen(what="room", holds=False, found=error.message)
    return Foreseen(what="room", holds=True, found=f"enough for {len(wanted)} components, sealed and open")


def _to_be_opened(into: Path, delivery: VerifiedDelivery) -> Iterator[DepositedComponent]:
    """Yield the components of the stages of which no version has been opened here."""
    for stage in delivery.filing.stages:
        version = version_name(stage, claim=delivery.claim, deposit=delivery.filing.deposit)
        if not (into / "versions" / version).exists():
            components: Sequence[str] = delivery.terms.agreement.stage(stage).components
            yield from (one for one in delivery.deposit.components if one.component in components)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(part for part in (folder, *folder.parents) if part.exists())
