"""The answer to a statement about a claim once it is on record: always the same, whenever it is asked for."""

from api.answers.shapes import Recorded
from tallystick.domain.ids import Digest, claim_id
from tallystick.domain.record.fold import state_after
from tallystick.messages import Acknowledged
from tallystick.store.cases.casefile import CaseFile


def acknowledgement(claim: Digest, told: Acknowledged) -> Recorded:
    """Return the answer to a statement about `claim` that the engine has acknowledged."""
    return Recorded(
        statement=told.statement,
        index=told.index,
        accepted_at=told.accepted_at,
        claim=claim_id(claim),
        digest=claim,
        state=told.state,
    )


def on_record(case: CaseFile, statement: Digest) -> Recorded | None:
    """Return the answer that a statement was given when it was recorded, or None if it was not.

    Its state is the one that the statement led to, not the one of today.
    """
    entry = case.claim.entry_of(statement)
    if entry is None:
        return None
    state = state_after(case.claim, entry)
    told = Acknowledged(statement=statement, index=entry.index, accepted_at=entry.accepted_at, state=state)
    return acknowledgement(case.claim.digest, told)
