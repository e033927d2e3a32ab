"""What persons state about a claim: decided by the record as known, recorded, and only then believed."""

from functools import lru_cache

from temporalio.exceptions import FailureError

from activities.ledger import LedgerActivities
from tallystick.crypto.envelope import Envelope, envelope_bytes, parse_envelope, statement_id
from tallystick.domain.admission.door import admit_act
from tallystick.domain.errors import TallystickError
from tallystick.limits.claims import SUBMISSIONS_REMEMBERED_MAX
from tallystick.messages import Acknowledged, NewEntries, RecordAct, Submission
from tallystick.proof.reading import read_signed
from workflows import steps
from workflows.claim import news
from workflows.claim.casebook import Casebook


@lru_cache(maxsize=SUBMISSIONS_REMEMBERED_MAX)
def envelope_in(submission: Submission) -> Envelope:
    """Return the envelope that was sent, parsed once for the validator and the handler of the same update.

    It follows from the text alone, so a replay, which asks no validator, arrives at the same.

    Raises:
        MalformedError: Not strict JSON, or not an envelope.
    """
    return parse_envelope(submission.envelope.encode())


async def accept(case: Casebook, envelope: Envelope) -> Acknowledged:
    """Record a person's statement, and return its acknowledgement.

    If something else was recorded first, it is decided anew. The caller holds the claim's lock.

    Raises:
        TallystickError: The rule that refuses it.
    """
    statement = statement_id(envelope)
    while (entry := case.entry_of(statement)) is None:
        at = steps.now()
        try:
            admit_act(case.agreement, case.claim, read_signed(envelope, case.agreement), at=at)
        except TallystickError:
            if await news.catch_up(case):
                continue
            raise
        request = RecordAct(
            claim=case.claim.digest,
            agreement=case.agreement.id,
            envelope=envelope_bytes(envelope).decode(),
            at=at,
            after=case.last_index,
        )
        await news.take_in(case, await _recorded(request))
    return case.acknowledgement_of(entry)


async def _recorded(request: RecordAct) -> NewEntries:
    try:
        return await steps.on_ledger(LedgerActivities.record_act, request)
    except FailureError as failure:
        raise steps.refusal_in(failure) from None
