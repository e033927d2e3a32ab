"""Agreements: registered, listed, read in plain language, and checked for readiness."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from api.answers.claim_views import envelope
from api.answers.shapes import (
    AgreementItem,
    AgreementList,
    AgreementView,
    CustodyItem,
    Readiness,
    ReadinessFinding,
    Recorded,
    Registered,
    Summary,
)
from api.backend.backend import Backend, OpenBackend
from api.http.auth import Caller, Known
from api.http.bounded import in_lane
from api.http.openapi import ENVELOPE_BODY
from api.http.paging import ItemLimit, NameCursor
from api.http.routing import strict_router
from api.http.statements import Posted, PostedAgreement, PostedStatement, envelope_of, once
from api.http.turns import Lane, in_turn
from api.http.visibility import DIGEST_PATTERN, AgreementName, seen_agreement, seen_version
from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.crypto.hints import named
from tallystick.domain.admission.revocations import check_revocation
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_subject, check_times, signing_persons
from tallystick.domain.comparison_words import comparison_words
from tallystick.domain.drill import readiness
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import KeyRevokedError
from tallystick.domain.shown.summary import summarise
from tallystick.domain.soundness.registering import check_registration, check_soundness
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Signed, expect
from tallystick.limits.api import LIST_PAGE_ITEMS_MAX
from tallystick.messages import DealCustody
from tallystick.proof.reading import SignedAgreement, header_of, keys_of, read_agreement, read_signed
from tallystick.store.cases import revocations
from tallystick.store.damage import unless_damaged
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements, deposits
from tallystick.store.registers.agreements import RegisteredAgreement
from tallystick.store.registers.custody import readable_live_epochs
from tallystick.store.registers.verdicts import verdict_on

router = strict_router("agreements")

_FIRST_EPOCH = 1


@router.post("/agreements", status_code=201, response_model=Registered, openapi_extra=ENVELOPE_BODY)
@in_lane(Lane.HEAVY)
async def register_agreement(posted: PostedAgreement, backend: OpenBackend) -> Response:
    """Register a version of an agreement that every party and a root key of the escrow agent have signed."""
    return await once(backend, posted, Registered, lambda: _registered(backend, posted))


@router.get("/agreements")
@in_lane(Lane.HEAVY)
def list_agreements(
    caller: Known,
    backend: OpenBackend,
    cursor: NameCursor = None,
    limit: ItemLimit = LIST_PAGE_ITEMS_MAX,
) -> AgreementList:
    """Return a page of the agreements that name the caller, by id; the cursor is the last one before it."""
    known = sorted({*caller.persons, *caller.doubtful})
    left = [name for name in known if cursor is None or name > cursor]
    items, unreadable = list[AgreementItem](), list[str]()
    with reading(backend.database) as session:
        for agreement_id in left[:limit]:
            with unless_damaged("an agreement is unreadable", agreement=agreement_id) as look:
                items += _items(session, caller, agreement_id)
            if look.damaged:
                unreadable.append(agreement_id)
    following = left[limit - 1] if len(left) > limit else None
    return AgreementList(agreements=items, unreadable=unreadable, next=following)


@router.get("/agreements/{agreement}")
def show_agreement(
    agreement: AgreementName,
    caller: Known,
    backend: OpenBackend,
    digest: Annotated[str | None, Query(pattern=DIGEST_PATTERN, description="One of its versions.")] = None,
) -> AgreementView:
    """Return an agreement as it was signed, and the custody epochs to seal its next deposit to.

    Those whom the newest version leaves out see the versions that list them, and no custody.
    """
    with reading(backend.database) as session:
        if digest is None:
            registered = seen_agreement(session, caller, agreement)
        else:
            registered = seen_version(session, caller, agreement, Digest(digest))
        epochs = readable_live_epochs(session, registered.agreement_id)
    return AgreementView(
        agreement=registered.agreement_id,
        version=registered.version,
        digest=registered.digest,
        words=comparison_words(registered.digest),
        registered_at=registered.registered_at,
        envelope=envelope(registered.statement()),
        custody=[
            CustodyItem(
                component=component, epoch=one.body.epoch, custody=one.digest, recipient=one.body.recipient
            )
            for component, one in sorted((epochs or {}).items())
            if registered.agreement_id in caller.persons
        ],
        unreadable=["custody"] if epochs is None else [],
    )


@router.get("/agreements/{agreement}/summary")
def show_summary(agreement: AgreementName, caller: Known, backend: OpenBackend) -> Summary:
    """Return what the agreement says, in plain language."""
    with reading(backend.database) as session:
        registered = seen_agreement(session, caller, agreement)
    return Summary(
        digest=registered.digest,
        words=comparison_words(registered.digest),
        lines=summarise(registered.signed().agreement),
    )


@router.get("/agreements/{agreement}/readiness")
def show_readiness(agreement: AgreementName, caller: Known, backend: OpenBackend) -> Readiness:
    """Return whether a release could be carried out today, and what would prevent it."""
    with reading(backend.database) as session:
        registered = seen_agreement(session, caller, agreement)
        inventory = readiness.Inventory(
            at=backend.now(),
            live=readable_live_epochs(session, registered.agreement_id),
            deposit=_latest_verified(session, registered.agreement_id),
            revoked=revocations.revoked_keys(session, registered.agreement_id),
            halted=backend.settings.halted,
        )
    findings = readiness.findings(registered.signed().agreement, inventory)
    return Readiness(
        ready=readiness.is_ready(findings),
        findings=[
            ReadinessFinding(
                code=one.code, severity=one.severity.value, message=one.message, advice=one.advice
            )
            for one in findings
        ],
    )


@router.post(
    "/agreements/{agreement}/revocations",
    status_code=201,
    response_model=Recorded,
    openapi_extra=ENVELOPE_BODY,
)
async def revoke_key(
    agreement: AgreementName, caller: Known, posted: PostedStatement, backend: OpenBackend
) -> Response:
    """Revoke a key, by a statement of the key itself or of the quorum that the agreement names."""
    return await once(backend, posted, Recorded, lambda: _revoked(backend, caller, agreement, posted))


async def _registered(backend: Backend, posted: Posted) -> Registered:
    sent = await envelope_of(posted, Kind.AGREEMENT)
    signed = await in_turn(read_agreement, sent)
    version = await in_turn(named, sent, keys_of(signed.agreement))
    registered, follows = await in_turn(_register, backend, signed, version)
    await _have_custody_dealt(backend, signed.agreement)
    if follows:  # longer calendars may have a waiting claim go on; a first version has no claims
        await _look_at_claims(backend, registered.agreement_id, "a version was registered")
    return Registered(
        agreement=registered.agreement_id,
        version=registered.version,
        digest=registered.digest,
        words=await in_turn(comparison_words, registered.digest),
        index=registered.index,
    )


def _register(backend: Backend, signed: SignedAgreement, sent: Envelope) -> tuple[RegisteredAgreement, bool]:
    """Register a version, and return whether it is a new one after others.

    Claims are played under it before the transaction, after all checks that are quick; inside, these are
    made once more, and no other version than the one that it was compared with can have come before it.
    """
    with reading(backend.database) as session:
        known = agreements.by_digest(session, signed.terms.digest) is not None
        before = None if known else _checked_predecessor(backend, session, signed)
    if not known:
        check_soundness(signed.agreement, at=backend.now(), previous=before)
    with transaction(backend.database) as session:
        if agreements.by_digest(session, signed.terms.digest) is not None:
            return agreements.register(session, sent, backend.now()), False
        follows = _checked_predecessor(backend, session, signed) is not None
        return agreements.register(session, sent, backend.now()), follows


async def _have_custody_dealt(backend: Backend, agreement: Agreement) -> None:
    wanted = [
        DealCustody(agreement=agreement.id, component=component.id, epoch=_FIRST_EPOCH)
        for component in agreement.components
    ]
    await asyncio.gather(*map(backend.engine.deal_custody, wanted))


def _checked_predecessor(backend: Backend, session: Session, signed: SignedAgreement) -> Agreement | None:
    """Return the version before one that may be registered.

    Raises:
        TallystickError: The rule that refuses it.
    """
    latest = agreements.latest(session, signed.agreement.id)
    agreements.check_follows(signed.agreement, latest)
    before = None if latest is None else latest.signed().agreement
    revoked = revocations.revoked_keys(session, signed.agreement.id)
    check_registration(
        backend.deployment(), signed.agreement, signed.signers, previous=before, revoked=revoked
    )
    return before


async def _look_at_claims(backend: Backend, agreement_id: AgreementId, reason: str) -> None:
    """Have the workflows of an agreement's open claims look: after the commit, so that nobody's act waits."""
    concerned = await in_turn(_open_claims, backend, agreement_id)
    await asyncio.gather(*(backend.engine.look(claim, reason) for claim in concerned))


def _open_claims(backend: Backend, agreement_id: AgreementId) -> list[Digest]:
    """Return the open claims under an agreement: one damaged record must not keep a stolen key alive."""
    with reading(backend.database) as session:
        cases = list(backend.readable_cases(session, [agreement_id]))
    return [case.claim.digest for case in cases if case.claim.is_open]


def _items(session: Session, caller: Caller, agreement_id: AgreementId) -> Iterator[AgreementItem]:
    caller.check_undoubted(agreement_id)
    if (latest := agreements.latest(session, agreement_id)) is not None:
        yield AgreementItem(
            agreement=latest.agreement_id,
            version=latest.version,
            digest=latest.digest,
            title=latest.signed().agreement.title,
        )


def _latest_verified(session: Session, agreement_id: AgreementId) -> Deposit | None:
    for stored in deposits.readable(session, agreement_id):  # newest first: mostly, this is the first
        verdict = verdict_on(session, agreement_id, stored.digest)
        if verdict is not None and verdict.verified:
            return stored.body()
    return None


async def _revoked(backend: Backend, caller: Caller, agreement: str, posted: Posted) -> Recorded:
    sent = await envelope_of(posted, Kind.KEY_REVOCATION)
    recorded, is_new = await in_turn(_record_revocation, backend, caller, agreement, sent)
    if is_new:
        await _look_at_claims(backend, AgreementId(agreement), "a key was revoked")
    return recorded


def _record_revocation(
    backend: Backend, caller: Caller, agreement: str, sent: Envelope
) -> tuple[Recorded, bool]:
    """Record a revocation, and return whether it is new: sent again, it has its answer and no effect.

    Raises:
        TallystickError: No such agreement for this caller, or the rule that refuses it.
    """
    at = backend.now()
    with transaction(backend.database) as session:
        # Under the version that it names: a running claim keeps its people, and theirs are the stolen keys.
        registered = seen_version(session, caller, agreement, header_of(sent).agreement_digest)
        sent = named(sent, keys_of(registered.signed().agreement))
        known = ledger.entry_by_statement(session, registered.agreement_id, statement_id(sent))
        if known is None:
            signed = expect(read_signed(sent, registered.signed().agreement), KeyRevocation)
            _check_revocation(session, registered, signed, backend)
        entry = ledger.append(session, registered.agreement_id, sent, at, claim=None)
    recorded = Recorded(
        statement=entry.statement_id,
        index=entry.index,
        accepted_at=entry.accepted_at,
        claim=None,
        digest=None,
        state=None,
    )
    return recorded, known is None


def _check_revocation(
    session: Session, registered: RegisteredAgreement, signed: Signed[KeyRevocation], backend: Backend
) -> None:
    agreement, body = registered.signed().agreement, signed.body
    check_subject(agreement, registered.digest, body, None)
    check_times(body, at=backend.now())
    revoked = revocations.keys_revoked(session, registered.agreement_id, agreement)
    if gone := sorted({body.key, *signed.signers} & revoked):
        raise KeyRevokedError("the key is revoked already", key=gone[0])
    check_revocation(agreement, body, signing_persons(agreement, signed))
