"""An invented second generation of rules: one rule of an act and one premise differ from the first."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.rules import PremiseAnswer, Rules
from tallystick.domain.claim.sight import Sight
from tallystick.domain.claim.state import EventType
from tallystick.domain.ids import PersonId, StageId
from tallystick.domain.record.generations import GENERATION_1, rehearsed
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.acts import Approval

CHANGED_PREMISE: Final = "agreement-signed"


def _approval(
    agreement: Agreement, claim: Claim, body: Approval, persons: frozenset[PersonId], at: datetime
) -> EventType:
    """An approval must name the checkpoint that its author had verified."""
    if body.ledger_seen is None:
        raise MisdirectedError("it names no checkpoint")
    return GENERATION_1.acts[Approval](agreement, claim, body, persons, at)


def _agreement_signed(agreement: Agreement, claim: Claim, stage: StageId, sight: Sight) -> PremiseAnswer:
    """Two root keys must have signed the agreement."""
    before = GENERATION_1.seen[CHANGED_PREMISE](agreement, claim, stage, sight)
    roots = len(sight.root_keys & sight.agreement_signers)
    return PremiseAnswer(holds=before.holds and roots > 1, found=f"signed by {roots} root keys")


GENERATION_2: Final[Rules[Claim]] = replace(
    GENERATION_1,
    generation=2,
    acts={**GENERATION_1.acts, Approval: _approval},
    seen={**GENERATION_1.seen, CHANGED_PREMISE: _agreement_signed},
)


@contextmanager
def next_version() -> Generator[None]:
    """Run the block as the version that brings generation 2 would."""
    with rehearsed(GENERATION_2):
        yield
