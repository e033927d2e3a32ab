"""What a report rests on, for worlds whose record nobody had to verify first."""

from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import Digest
from tallystick.domain.record.fold import Turn, fold
from tallystick.domain.report.grounds import Checked, Grounds, Log
from tallystick.domain.report.words import CHECKS
from tallystick.domain.statements.engine import DecisionStatement
from tests.support.worlds.groundwork import NO_DIGEST
from tests.support.worlds.world import World


def grounds_in(world: World, *, anchored: bool = True) -> Grounds:
    """What a verification of the world's claim would establish."""
    return Grounds(
        agreement=world.agreement,
        claim=world.claim,
        before=_before_each_release(world),
        deposit=world.deposit.body,
        checks=tuple(Checked(premise=premise, found="as it should be") for premise in CHECKS),
        log=Log(origin="test/nordwind-halden", size=len(world.entries), root=64 * "0"),
        anchored=anchored,
        file_digest=NO_DIGEST,
        file_size_bytes=1,
        made_at=world.now,
    )


def _before_each_release(world: World) -> dict[Digest, Claim]:
    before: dict[Digest, Claim] = {}

    def look(claim: Claim | None, turn: Turn) -> None:
        body = turn.entry.signed.body
        if claim is not None and isinstance(body, DecisionStatement) and body.released:
            before[turn.entry.signed.id] = claim

    fold(world.terms, world.entries, look=look)
    return before
