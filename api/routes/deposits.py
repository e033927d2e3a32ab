"""Deposits: recorded under their number, then judged once every replica was read."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Response
from sqlmodel import Session

from api.answers.claim_views import envelope
from api.answers.shapes import Deposited, DepositList, DepositVerdictView, DepositView
from api.backend.backend import Backend, OpenBackend
from api.http.auth import Caller, Known
from api.http.bounded import in_lane
from api.http.openapi import ENVELOPE_BODY
from api.http.paging import ItemLimit, NumberCursor
from api.http.problems import NoSuchThingError
from api.http.routing import strict_router
from api.http.statements import Posted, PostedStatement, envelope_of, once
from api.http.turns import Lane, in_turn
from api.http.visibility import AgreementName, seen_agreement
from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.crypto.hints import named
from tallystick.domain.deposit.pace import check_pace
from tallystick.domain.deposit.recording import DepositRefusedError, check_deposit
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.signed import expect
from tallystick.limits.api import LIST_PAGE_ITEMS_MAX
from tallystick.limits.documents import INTEGER_MAX
from tallystick.limits.storage import DEPOSITS_PER_DAY_MAX
from tallystick.messages import VerifyDeposit
from tallystick.proof.reading import keys_of, read_signed
from tallystick.store.blobs import behind
from tallystick.store.blobs.uploads import BlobPurpose, find_blob
from tallystick.store.cases import revocations
from tallystick.store.cases.extension import check_log
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers import deposits
from tallystick.store.registers.custody import live_custody
from tallystick.store.registers.deposits import StoredDeposit
from tallystick.store.registers.verdicts import RecordedVerdict, verdict_on, verdicts

router = strict_router("deposits")


@router.post(
    "/agreements/{agreement}/deposits", status_code=201, response_model=Deposited, openapi_extra=ENVELOPE_BODY
)
async def make_deposit(
    agreement: AgreementName, caller: Known, posted: PostedStatement, backend: OpenBackend
) -> Response:
    """Record a deposit whose sealed files were uploaded; its verdict follows."""
    return await once(backend, posted, Deposited, lambda: _deposited(backend, caller, agreement, posted))


@router.get("/agreements/{agreement}/deposits")
@in_lane(Lane.HEAVY)
def list_deposits(
    agreement: AgreementName,
    caller: Known,
    backend: OpenBackend,
    cursor: NumberCursor = None,
    limit: ItemLimit = LIST_PAGE_ITEMS_MAX,
) -> DepositList:
    """Return a page of an agreement's deposits, newest first; one that is damaged hides no other."""
    before = None if cursor is None else int(cursor)
    with reading(backend.database) as session:
        agreement_id = seen_agreement(session, caller, agreement).agreement_id
        page = deposits.page(session, agreement_id, before=before, limit=limit)
        judged = verdicts(session, agreement_id, on=[one.digest for one in page.deposits])
        return DepositList(
            deposits=[_view(one, judged.get(one.digest)) for one in page.deposits],
            unreadable=[str(number) for number in page.unreadable],
            next=None if page.before is None else str(page.before),
        )


@router.get("/agreements/{agreement}/deposits/{number}")
def show_deposit(
    agreement: AgreementName,
    number: Annotated[int, Path(ge=1, le=INTEGER_MAX, description="A deposit's number.")],
    caller: Known,
    backend: OpenBackend,
) -> DepositView:
    """Return a deposit and its verdict.

    Raises:
        NoSuchThingError: No deposit has this number.
    """
    with reading(backend.database) as session:
        agreement_id = seen_agreement(session, caller, agreement).agreement_id
        if (stored := deposits.by_number(session, agreement_id, number)) is None:
            raise NoSuchThingError("no such deposit")
        verdict = verdict_on(session, agreement_id, stored.digest)
        return _view(stored, verdict, because=() if verdict is not None else _behind(session, stored.body()))


async def _deposited(backend: Backend, caller: Caller, agreement: str, posted: Posted) -> Deposited:
    sent = await envelope_of(posted, Kind.DEPOSIT)
    stored = await in_turn(_record, backend, caller, agreement, sent)
    asked = VerifyDeposit(agreement=stored.agreement_id, deposit=stored.digest)
    await backend.engine.verify_deposit(asked)
    return Deposited(deposit=stored.digest, number=stored.number, index=stored.entry.index)


def _record(backend: Backend, caller: Caller, agreement: str, sent: Envelope) -> StoredDeposit:
    """Record a deposit, or return it if it is on record already.

    Raises:
        TallystickError: No such agreement for this caller, or the rule that refuses it.
    """
    at = backend.now()
    with transaction(backend.database) as session:
        registered = seen_agreement(session, caller, agreement)
        agreement_id = registered.agreement_id
        present = deposits.by_digest(session, agreement_id, statement_id(sent))
        if present is not None:
            return present
        terms = registered.signed().terms
        deposit = named(sent, keys_of(terms.agreement))
        signed = expect(read_signed(deposit, terms.agreement), Deposit)
        check_deposit(
            terms.agreement,
            terms.digest,
            signed,
            at=at,
            last=_last(session, agreement_id),
            live=live_custody(session, agreement_id),
            revocations=revocations.revocations(session, agreement_id, terms.agreement),
        )
        today = deposits.newest(session, agreement_id, limit=DEPOSITS_PER_DAY_MAX)
        check_pace(signed.body, today, at)
        _check_uploaded(session, agreement_id, signed.body)
        check_log(session, agreement_id, None, signed.body)
        return deposits.record(session, deposit, at)


def _last(session: Session, agreement_id: AgreementId) -> tuple[Digest, Deposit] | None:
    stored = deposits.latest(session, agreement_id)
    if stored is None:
        return None
    return stored.digest, stored.body()


def _check_uploaded(session: Session, agreement_id: AgreementId, body: Deposit) -> None:
    """Refuse a deposit whose sealed files have not arrived: it would only use up a number.

    Raises:
        DepositRefusedError: A sealed file was not uploaded, or has another size.
    """
    for component in body.components:
        blob = find_blob(session, agreement_id, component.sealed_digest, BlobPurpose.DEPOSIT)
        if blob is None or blob.size_bytes != component.sealed_bytes:
            raise DepositRefusedError(
                "a sealed file was not uploaded",
                component=component.component,
                sealed_digest=component.sealed_digest,
                sealed_bytes=component.sealed_bytes,
            )


def _behind(session: Session, deposit: Deposit) -> Sequence[str]:
    """Say which components lack a copy in some store, for which their verdict waits."""
    return [
        f"{one.component}: not every store has a copy yet"
        for one in deposit.components
        if behind.noted(session, one.sealed_digest) is not None
    ]


def _view(
    stored: StoredDeposit, verdict: RecordedVerdict | None, *, because: Sequence[str] = ()
) -> DepositView:
    """Return a deposit as it is shown; `because` says what its verdict waits for, if there is none."""
    return DepositView(
        number=stored.number,
        deposit=stored.digest,
        accepted_at=stored.entry.accepted_at,
        envelope=envelope(stored.entry.statement()),
        verdict=_verdict_view(verdict, because),
    )


def _verdict_view(verdict: RecordedVerdict | None, because: Sequence[str]) -> DepositVerdictView:
    if verdict is None:
        return DepositVerdictView(state="pending", at=None, because=because)
    state = "verified" if verdict.verified else "failed"
    return DepositVerdictView(state=state, at=verdict.at, because=verdict.because)
