"""Drafts: the statement a person would sign about a claim, to be checked before signing.

What it says is shown by `shown`, from the very body. Whether it may be recorded is
decided in `admission`: a draft may still be refused there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

from tallystick.domain import statements as say
from tallystick.domain.agreement import Agreement
from tallystick.domain.calendar import deadline
from tallystick.domain.claim import Claim
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.kinds import Authority, Kind, Outcome, ReceiptOutcome, WithdrawalReason
from tallystick.domain.shown import shows
from tallystick.domain.stages import decided_components, depositor

__all__ = ["Choices", "DraftIncompleteError", "NotDraftedError", "draft", "shows"]

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
        stages: Absent means every undecided stage for an approval, the whole claim for an objection or hold.
        of: The statement that a retraction takes back, or a hold-lift lifts.
        accepted: An intake's answer; an intake that is not accepted names its reasons.
        documents: The papers of a ruling.
        expires_at: Absent means the longest that the agreement allows.
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
    documents: tuple[say.RulingDocument, ...] = ()
    expires_at: datetime | None = None
    components: tuple[say.ReceivedComponent, ...] = ()
    method: str | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What every draft begins with."""

    agreement: Agreement
    agreement_digest: Digest
    claim: Claim
    person: PersonId
    at: datetime
    nonce: str


def draft(
    kind: Kind,
    agreement: Agreement,
    agreement_digest: Digest,
    claim: Claim,
    person: PersonId,
    *,
    at: datetime,
    nonce: str,
    choices: Choices,
) -> say.OnClaim:
    """Return the statement of `kind` that `person` would make about `claim`.

    Args:
        at: When it is issued.
        nonce: 32 hexadecimal digits, fresh for each draft.

    Raises:
        NotDraftedError: No act about a claim.
        DraftIncompleteError: `choices` lacks what this kind has to say.
    """
    if kind not in _DRAFTS:
        raise NotDraftedError("no draft of this kind", kind=kind.value, known=sorted(_DRAFTS))
    head = _Head(
        agreement=agreement,
        agreement_digest=agreement_digest,
        claim=claim,
        person=person,
        at=at,
        nonce=nonce,
    )
    return _DRAFTS[kind](head, choices)


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


class _Speaker:
    """The members of the header, to be unpacked into a body."""

    def __init__(self, head: _Head) -> None:
        self.head = head

    def into(self, make: Callable[..., T], **members: object) -> T:
        head = self.head
        return make(
            deployment=head.agreement.deployment,
            agreement=head.agreement.id,
            agreement_digest=head.agreement_digest,
            person=head.person,
            issued_at=head.at,
            nonce=head.nonce,
            claim=head.claim.digest,
            **members,
        )


def _intake(head: _Head, choices: Choices) -> say.OnClaim:
    accepted = _given(choices.accepted, "accepted")
    if not accepted and not choices.reasons:
        raise DraftIncompleteError("a refusal says why", missing="reason")
    return _Speaker(head).into(say.Intake, accepted=accepted, reasons=choices.reasons)


def _acknowledgement(head: _Head, _: Choices) -> say.OnClaim:
    return _Speaker(head).into(say.NoticeAcknowledgement)


def _objection(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.Objection,
        ground=_text(choices.ground, "ground"),
        explanation=_text(choices.explanation, "explanation"),
        stages=choices.stages,
    )


def _retraction(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.Retraction, of=_given(choices.of, "of"), reason=_text(choices.reason, "reason")
    )


def _ruling(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.Ruling,
        authority=_given(choices.authority, "authority"),
        outcome=_word(Outcome, choices.outcome, "outcome"),
        documents=choices.documents,
        reason=_text(choices.reason, "reason"),
    )


def _joint_instruction(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.JointInstruction,
        outcome=_word(Outcome, choices.outcome, "outcome"),
        reason=_text(choices.reason, "reason"),
    )


def _approval(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.Approval,
        stages=choices.stages if choices.stages is not None else _approvable(head),
        purpose=head.claim.filing.purpose,
        expires_at=choices.expires_at or _longest(head),
        reason=_text(choices.reason, "reason"),
    )


def _approvable(head: _Head) -> tuple[StageId, ...]:
    """Return the undecided stages in whose quorum the person has a leaf."""
    found = tuple(
        p.stage
        for p in head.claim.stages
        if p.undecided and head.person in head.agreement.stage(p.stage).quorum.persons
    )
    if not found:
        raise DraftIncompleteError("no stage here needs this person's approval", missing="stage")
    return found


def _longest(head: _Head) -> datetime:
    lifetime = head.agreement.windows.approval_lifetime
    return deadline(
        head.at, lifetime, recipient=depositor(head.agreement), agreement=head.agreement
    ).at.replace(microsecond=0)


def _denial(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(say.Denial, reason=_text(choices.reason, "reason"))


def _withdrawal(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.Withdrawal,
        reason=_word(WithdrawalReason, choices.reason, "reason"),
        explanation=_text(choices.explanation, "explanation"),
    )


def _hold(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(say.Hold, reason=_text(choices.reason, "reason"), stages=choices.stages)


def _hold_lift(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.HoldLift, hold=_given(choices.of, "of"), reason=_text(choices.reason, "reason")
    )


def _receipt(head: _Head, choices: Choices) -> say.OnClaim:
    stages = _given(choices.stages, "stage")
    if len(stages) != 1:
        raise DraftIncompleteError("a receipt is of one stage", missing="stage")
    return _Speaker(head).into(
        say.Receipt,
        stage=stages[0],
        outcome=_word(ReceiptOutcome, choices.outcome, "outcome"),
        components=choices.components,
        detail=_text(choices.explanation, "explanation"),
    )


def _return(head: _Head, choices: Choices) -> say.OnClaim:
    return _Speaker(head).into(
        say.Return,
        components=decided_components(head.agreement, head.claim),
        method=_text(choices.method, "method"),
        certificate=_text(choices.certificate, "certificate"),
    )


_DRAFTS: Final[Mapping[Kind, Callable[[_Head, Choices], say.OnClaim]]] = MappingProxyType(
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
