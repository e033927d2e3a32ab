"""Whether a claim may be filed, given all that is on record: the API asks, and so does the filing itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from tallystick.crypto.envelope import Envelope
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.versions import with_longest_calendars
from tallystick.domain.deposit.provenance import deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.record.documents import StoredDocument, check_documents
from tallystick.domain.record.filing import check_filing
from tallystick.domain.refusals import DepositNotClaimableError
from tallystick.domain.soundness.simulation.calendars import check_calendars_reach
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import Signed, expect
from tallystick.proof.reading import read_signed
from tallystick.store.cases import revocations
from tallystick.store.cases.documents import still_there
from tallystick.store.cases.extension import check_log
from tallystick.store.cases.kept import Cases
from tallystick.store.registers import deposits
from tallystick.store.registers.agreements import RegisteredAgreement
from tallystick.store.registers.verdicts import verified_deposit


def read_filing(registered: RegisteredAgreement, envelope: Envelope) -> Signed[ClaimFiling]:
    """Return a claim that is to be filed under `registered`, its signatures verified.

    Raises:
        MalformedError, SignatureInvalidError, MisdirectedError: Not a claim, or not by keys of that version.
    """
    return expect(read_signed(envelope, registered.signed().agreement), ClaimFiling)


def check_may_be_filed(
    session: Session,
    cases: Cases,
    registered: RegisteredAgreement,
    signed: Signed[ClaimFiling],
    *,
    documents: Mapping[Digest, StoredDocument],
    at: datetime,
) -> None:
    """Refuse a claim under `registered` that could never be released, or was filed already.

    Args:
        documents: What the stores showed of the claim's documents, just before; who has sent them is looked
            up again.

    Raises:
        TallystickError: A subclass names the rule that refuses it, or what on record cannot be read.
    """
    filing, agreement_id = signed.body, registered.agreement_id
    later = revocations.later_versions(session, registered)
    terms = registered.signed().terms
    terms = replace(terms, agreement=with_longest_calendars(terms.agreement, later))
    check_filing(
        terms,
        signed,
        at=at,
        deposit=verified_deposit(session, agreement_id, filing.deposit),
        others=cases.beside(session, agreement_id, filing),
        revocations=revocations.revocations(session, agreement_id, terms.agreement),
        later=later,
    )
    _check_depositor(session, terms.agreement, filing.deposit)
    check_calendars_reach(terms.agreement, filing, at=at)
    check_log(session, agreement_id, None, filing)
    check_documents(terms.agreement, filing, still_there(session, filing, documents))


def _check_depositor(session: Session, agreement: Agreement, deposit: Digest) -> None:
    """Refuse a deposit by a key that this version does not give the depositor: no gate would release it.

    Raises:
        DepositNotClaimableError: It was made under an earlier version, by a person or key of that one alone.
    """
    stored = deposits.by_digest(session, agreement.id, deposit)
    assert stored is not None, "a verified deposit is on record"
    try:
        fault = deposit_fault(agreement, expect(read_signed(stored.entry.statement(), agreement), Deposit))
    except TallystickError as unread:
        fault = str(unread)
    if fault is not None:
        message = "the depositor of this version of the agreement did not sign the deposit"
        raise DepositNotClaimableError(message, deposit=deposit, found=fault)
