"""Drafts: the statement a person would sign about a claim, to be checked before signing.

Whoever signs builds it here, from a claim that they have verified themselves; the server's
draft is built here too. What it says is shown by `shown`, from the very body. Whether it
may be recorded is decided in `admission`: a draft may still be refused there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypedDict, TypeVar

from tallystick.domain.agreement.agreement import Agreement, depositor, voted_on
from tallystick.domain.agreement.deadlines import deadline
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.stages import decided_components
from tallystick.domain.drafts.shown import shows
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest, PersonId, StageId
from tallystick.domain.kinds import Authority, Kind, Outcome, ReceiptOutcome, WithdrawalReason
from tallystick.domain.statements.acts import (
    Approval,
    Denial,
    Hold,
    HoldLift,
    Intake,
    NoticeAcknowledgement,
    Objection,
    Retraction,
    Withdrawal,
)
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import OnClaim
from tallystick.domain.statements.orders import JointInstruction, Ruling, RulingDocument
from tallystick.domain.statements.receipts import Receipt, ReceivedComponent, Return

__all__ = ["Choices", "DraftIncompleteError", "Heading", "NotDraftedError", "completed", "draft", "shows"]

T = TypeVar("T")


class DraftIncompleteError(MalformedError):
    """A draft was asked for without something that its kind has to say."""

    code = "draft-incomplete"
    why = "Each kind of statement has members that only its author can choose."
    advice = "Say what the facts name, with the option or query parameter of that name."


class NotDraftedError(MalformedError):
    """No draft is made of statements of this kind."""

    code = "not-drafted"
    why = "Drafts are of acts about a claim; claims, deposits and agreements are written from files."
    advice = "Choose one of the kinds in the facts."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the author of a draft chooses; each kind takes the ones it has a member for.

    Attributes:
        stages: The whole claim if absent, for an objection or hold.
        of: The statement that a retraction takes back, or a hold-lift lifts.
        accepted: An intake's answer; an intake that is not accepted names its reasons.
        documents: The papers of a ruling.
        expires_at: Absent means the longest that the agreement allows.
        components: What a receipt says was received.
        returned: What a return says was returned or destroyed.
    """

    stages: tuple[StageId, ...] | None = None
    reason: str | None = None
    ground: str | None = None
    explanation: str | None = None
    of: Digest | None = None
    accepted: bool | None = None
    reasons: tuple[str, ...] = ()
    authority: Authority | None = None
    outcome: str | None = None
    documents: tuple[RulingDocument, ...] = ()
    expires_at: datetime | None = None
    components: tuple[ReceivedComponent, ...] = ()
    returned: tuple[ComponentId, ...] | None = None
    method: str | None = None
    certificate: str | None = None


class _Header(TypedDict):
    """The members that every statement about a claim has."""

    deployment: DeploymentId
    agreement: AgreementId
    agreement_digest: Digest
    person: PersonId
    issued_at: datetime
    nonce: str
    claim: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Who speaks about which claim, and when: what every draft begins with.

    Attributes:
        terms: The agreement version that the claim pins.
        claim: The digest of `filing`.
        nonce: 32 hexadecimal digits, fresh for each draft.
    """

    terms: Terms
    claim: Digest
    filing: ClaimFiling
    person: PersonId
    issued_at: datetime
    nonce: str

    @property
    def members(self) -> _Header:
        """The header of the statement."""
        return _Header(
            deployment=self.terms.agreement.deployment,
            agreement=self.terms.agreement.id,
            agreement_digest=self.terms.digest,
            person=self.person,
            issued_at=self.issued_at,
            nonce=self.nonce,
            claim=self.claim,
        )


def draft(kind: Kind, heading: Heading, choices: Choices) -> OnClaim:
    """Return the statement of `kind` that a person would make about a claim.

    Raises:
        NotDraftedError: No act about a claim.
        DraftIncompleteError: `choices` lacks what this kind has to say.
    """
    if kind not in _DRAFTS:
        raise NotDraftedError("no draft of this kind", kind=kind.value, known=sorted(_DRAFTS))
    return _DRAFTS[kind](heading, choices)


def completed(kind: Kind, agreement: Agreement, claim: Claim, person: PersonId, choices: Choices) -> Choices:
    """Return `choices` with what the record of `claim` tells where the author left it open.

    An approval is then of every undecided stage in whose quorum the person has a place, a
    return of everything that was released.

    Raises:
        DraftIncompleteError: No stage needs this person's approval.
    """
    if kind is Kind.APPROVAL and choices.stages is None:
        return replace(choices, stages=_approvable(agreement, claim, person))
    if kind is Kind.RETURN and choices.returned is None:
        return replace(choices, returned=decided_components(agreement, claim))
    return choices


def _approvable(agreement: Agreement, claim: Claim, person: PersonId) -> tuple[StageId, ...]:
    undecided = (progress.stage for progress in claim.stages if progress.undecided)
    if not (found := voted_on(agreement, undecided, person)):
        raise DraftIncompleteError("no stage here needs this person's approval", missing="stage")
    return found


def _text(value: str | None, name: str) -> str:
    if value is None or not value.strip():
        raise DraftIncompleteError("something is missing", missing=name)
    return value


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise DraftIncompleteError("something is missing", missing=name)
    return value


def _word(kind: Callable[[str], T], value: str | None, name: str) -> T:
    try:
        return kind(_text(value, name))
    except ValueError as error:
        raise DraftIncompleteError("not a word that is known here", missing=name) from error


def _intake(heading: Heading, choices: Choices) -> OnClaim:
    accepted = _given(choices.accepted, "accepted")
    if not accepted and not choices.reasons:
        raise DraftIncompleteError("a refusal says why", missing="reason")
    return Intake(**heading.members, accepted=accepted, reasons=choices.reasons)


def _acknowledgement(heading: Heading, _: Choices) -> OnClaim:
    return NoticeAcknowledgement(**heading.members)


def _objection(heading: Heading, choices: Choices) -> OnClaim:
    return Objection(
        **heading.members,
        ground=_text(choices.ground, "ground"),
        explanation=_text(choices.explanation, "explanation"),
        stages=choices.stages,
    )


def _retraction(heading: Heading, choices: Choices) -> OnClaim:
    return Retraction(**heading.members, of=_given(choices.of, "of"), reason=_text(choices.reason, "reason"))


def _ruling(heading: Heading, choices: Choices) -> OnClaim:
    return Ruling(
        **heading.members,
        authority=_given(choices.authority, "authority"),
        outcome=_word(Outcome, choices.outcome, "outcome"),
        documents=choices.documents,
        reason=_text(choices.reason, "reason"),
    )


def _joint_instruction(heading: Heading, choices: Choices) -> OnClaim:
    return JointInstruction(
        **heading.members,
        outcome=_word(Outcome, choices.outcome, "outcome"),
        reason=_text(choices.reason, "reason"),
    )


def _approval(heading: Heading, choices: Choices) -> OnClaim:
    return Approval(
        **heading.members,
        stages=_given(choices.stages, "stage"),
        purpose=heading.filing.purpose,
        expires_at=choices.expires_at or _longest(heading),
        reason=_text(choices.reason, "reason"),
    )


def _longest(heading: Heading) -> datetime:
    agreement = heading.terms.agreement
    lifetime = agreement.windows.approval_lifetime
    return deadline(heading.issued_at, lifetime, recipient=depositor(agreement), agreement=agreement).at


def _denial(heading: Heading, choices: Choices) -> OnClaim:
    return Denial(**heading.members, reason=_text(choices.reason, "reason"))


def _withdrawal(heading: Heading, choices: Choices) -> OnClaim:
    return Withdrawal(
        **heading.members,
        reason=_word(WithdrawalReason, choices.reason, "reason"),
        explanation=_text(choices.explanation, "explanation"),
    )


def _hold(heading: Heading, choices: Choices) -> OnClaim:
    return Hold(**heading.members, reason=_text(choices.reason, "reason"), stages=choices.stages)


def _hold_lift(heading: Heading, choices: Choices) -> OnClaim:
    return HoldLift(**heading.members, hold=_given(choices.of, "of"), reason=_text(choices.reason, "reason"))


def _receipt(heading: Heading, choices: Choices) -> OnClaim:
    stages = _given(choices.stages, "stage")
    if len(stages) != 1:
        raise DraftIncompleteError("a receipt is of one stage", missing="stage")
    return Receipt(
        **heading.members,
        stage=stages[0],
        outcome=_word(ReceiptOutcome, choices.outcome, "outcome"),
        components=choices.components,
        detail=_text(choices.explanation, "explanation"),
    )


def _return(heading: Heading, choices: Choices) -> OnClaim:
    return Return(
        **heading.members,
        components=_given(choices.returned, "component"),
        method=_text(choices.method, "method"),
        certificate=_text(choices.certificate, "certificate"),
    )


_DRAFTS: Final[Mapping[Kind, Callable[[Heading, Choices], OnClaim]]] = MappingProxyType(
    {
        Kind.INTAKE: _intake,
        Kind.NOTICE_ACKNOWLEDGEMENT: _acknowledgement,
        Kind.OBJECTION: _objection,
        Kind.RETRACTION: _retraction,
        Kind.RULING: _ruling,
        Kind.JOINT_INSTRUCTION: _joint_instruction,
        Kind.APPROVAL: _approval,
        Kind.DENIAL: _denial,
        Kind.WITHDRAWAL: _withdrawal,
        Kind.HOLD: _hold,
        Kind.HOLD_LIFT: _hold_lift,
        Kind.RECEIPT: _receipt,
        Kind.RETURN: _return,
    }
)
