"""Acts on a claim: one handler for every kind, so that no second address can skip a rule.

A statement is acknowledged only once it is on record. The rules are applied at the
door, so that a refusal is immediate, and again by the engine, whose answer counts.
"""

from collections.abc import Awaitable, Callable

from fastapi import Response
from sqlmodel import Session

from api.answers.acknowledged import acknowledgement, on_record
from api.answers.shapes import Recorded
from api.backend.backend import Backend, ClaimNotCarriedError, OpenBackend
from api.http.auth import Caller, Known
from api.http.openapi import ENVELOPE_BODY
from api.http.routing import strict_router
from api.http.statements import Posted, PostedStatement, envelope_of, once
from api.http.turns import in_turn
from api.http.visibility import ClaimName, seen_claim
from tallystick.crypto.envelope import Envelope, check_signatures_kept, envelope_bytes, statement_id
from tallystick.crypto.hints import named
from tallystick.domain.acts.all import ACTS
from tallystick.domain.claim.course import is_carried
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Kind
from tallystick.messages import Submission
from tallystick.proof.reading import keys_of, read_signed
from tallystick.store.cases.admission import admitted
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import claims

router = strict_router("acts")


def handler_of(kind: Kind) -> Callable[..., Awaitable[Response]]:
    """Return the handler, typed by the kind that its address takes."""

    async def act(claim: ClaimName, caller: Known, posted: PostedStatement, backend: OpenBackend) -> Response:
        return await once(backend, posted, Recorded, lambda: _recorded(backend, caller, claim, kind, posted))

    return act


async def _recorded(backend: Backend, caller: Caller, claim: str, kind: Kind, posted: Posted) -> Recorded:
    sent = await envelope_of(posted, kind)
    admissible = await in_turn(_at_the_door, backend, caller, claim, sent)
    if isinstance(admissible, Recorded):
        return admissible
    case, envelope = admissible
    submission = Submission(envelope=envelope_bytes(envelope).decode())
    try:
        acknowledged = await backend.engine.submit(
            case.claim.digest, statement_id(envelope), submission, known=case.claim.last_index
        )
    except ClaimNotCarriedError:
        # A claim that is over may be carried still: after its end, an order to give back makes a return due.
        if is_carried(case.claim):
            raise  # the workflow was lost; the worker is about to rebuild it
        return await in_turn(_after_the_end, backend, case.claim.digest, envelope)
    # The engine takes a statement once, with the signatures that it has by then.
    if len(envelope.signatures) > 1:
        await in_turn(_check_kept, backend, case, envelope)
    return acknowledgement(case.claim.digest, acknowledged)


def _at_the_door(
    backend: Backend, caller: Caller, claim: str, sent: Envelope
) -> tuple[CaseFile, Envelope] | Recorded:
    """Return a statement as it may be recorded now, and its case; or the answer that it got before.

    Raises:
        TallystickError: No such claim for this caller, or the rule that refuses the statement.
    """
    with reading(backend.database) as session:
        case = backend.case(session, seen_claim(session, caller, claim))
        envelope = named(sent, keys_of(case.agreement))
        told = on_record(case, statement_id(envelope))
        if told is None:
            _admitted(backend, session, case, envelope)
            return case, envelope
    _check_kept(backend, case, envelope)
    return told


def _check_kept(backend: Backend, case: CaseFile, envelope: Envelope) -> None:
    with reading(backend.database) as session:
        recorded = ledger.entry_by_statement(session, case.agreement.id, statement_id(envelope))
    assert recorded is not None, "what was acknowledged is on record"
    check_signatures_kept(envelope, recorded.statement())


def _admitted(backend: Backend, session: Session, case: CaseFile, envelope: Envelope) -> None:
    """Admit a statement, as `tallystick.store.cases.admission` does."""
    admitted(session, case, read_signed(envelope, case.agreement), backend.now())


def _after_the_end(backend: Backend, claim: Digest, envelope: Envelope) -> Recorded:
    """Record what may still be said when nothing follows from it, such as an objection that is too late.

    No workflow carries the claim any more; the transaction keeps the order.

    Raises:
        TallystickError: The rule that refuses it.
    """
    with reading(backend.database) as session:  # so that it does not fold while others wait to write
        _reloaded(backend, session, claim)
    with transaction(backend.database) as session:
        case = _reloaded(backend, session, claim)
        if on_record(case, statement_id(envelope)) is None:
            # Its author may have verified another log: then the worker raises the alarm.
            _admitted(backend, session, case, envelope)
            ledger.append(session, case.agreement.id, envelope, backend.now(), claim=claim)
            case = _reloaded(backend, session, claim)
    told = on_record(case, statement_id(envelope))
    assert told is not None, "what was just appended is on record"
    return told


def _reloaded(backend: Backend, session: Session, claim: Digest) -> CaseFile:
    return backend.case(session, claims.filed(session, claim))


for _act in ACTS:
    router.add_api_route(
        f"/claims/{{claim}}/{_act.noun}",
        handler_of(_act.kind),
        methods=["POST"],
        status_code=201,
        response_model=Recorded,
        name=f"send_{_act.kind.replace('-', '_')}",
        summary=f"Send a signed {_act.kind} about a claim",
        description="201 means that it is on record: its row and leaf are durable. "
        "Sent again, it gets the same answer.",
        openapi_extra=ENVELOPE_BODY,
    )
