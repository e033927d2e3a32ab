"""What a signer reads before signing: lines made from the very body that will be signed.

They come from the body, the claim it names and the agreement that the claim pins,
never from the choices that went into a draft: what is shown is what is signed.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.comparison_words import six_words
from tallystick.domain.ids import StageId
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
from tallystick.domain.statements.header import OnClaim
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.receipts import Receipt, Return


def shows(body: OnClaim, agreement: Agreement, claim: Claim) -> tuple[str, ...]:
    """Return the lines that a signer reads: what it does, about which claim, on what grounds.

    Args:
        agreement: The version that the claim pins.
        claim: The claim that the body names; another one is said to be another one.
    """
    return tuple(_lines(body, agreement, claim))


def _lines(body: OnClaim, agreement: Agreement, claim: Claim) -> Iterator[str]:
    act, particulars = _SHOWN[type(body)]
    yield f"You, {body.person}, {act(body)}"
    if body.claim != claim.digest:
        yield f"WARNING: it names another claim, {body.claim}"
        return
    yield from _about(agreement, claim)
    yield from particulars(body, agreement)
    yield f"issued {instant_text(body.issued_at)}"


def _about(agreement: Agreement, claim: Claim) -> Iterator[str]:
    filing = claim.filing
    condition = agreement.condition(filing.condition)
    yield f"claim {claim.id}, {claim.state}: {' '.join(six_words(claim.digest))}"
    yield f"claim digest {claim.digest}"
    yield f"agreement {agreement.id} version {agreement.version}: {agreement.title}"
    yield f"filed by {filing.person} at {instant_text(claim.filed_at)} for {filing.purpose}"
    yield f"condition {condition.id}: {condition.title}"
    yield f"deposit {filing.deposit}"
    for document in filing.evidence:
        item = agreement.evidence_item(document.item)
        dated = instant_text(document.issued_at)
        yield f"evidence {item.id}: {item.what}, dated {dated}, {document.plain_digest}"
    yield f"declared: {filing.declaration}"


def _nothing(_: OnClaim, __: Agreement) -> Iterator[str]:
    return iter(())


def _because(body: JointInstruction | Denial, _: Agreement) -> Iterator[str]:
    yield f"because {body.reason}"


def _intake(body: Intake, _: Agreement) -> Iterator[str]:
    yield from (f"because {reason}" for reason in body.reasons)


def _objection(body: Objection, _: Agreement) -> Iterator[str]:
    yield from _scope(body.stages)
    yield f"ground {body.ground}: {body.explanation}"


def _retraction(body: Retraction, _: Agreement) -> Iterator[str]:
    yield f"takes back {body.of}"
    yield f"because {body.reason}"


def _ruling(body: Ruling, _: Agreement) -> Iterator[str]:
    yield from (f"paper {paper.document} {paper.plain_digest}" for paper in body.documents)
    yield f"because {body.reason}"


def _approval(body: Approval, agreement: Agreement) -> Iterator[str]:
    for stage in body.stages:
        yield f"stage {stage} releases {', '.join(agreement.stage(stage).components)}"
    for share in body.contributions:
        yield f"with your share of {share.component}, sealed for this claim, {share.sealed_digest}"
    if body.ledger_seen is not None:
        yield f"having verified the ledger of {body.ledger_seen.size} entries, {body.ledger_seen.root}"
    yield f"counts until {instant_text(body.expires_at)}, for {body.purpose} only"
    yield f"because {body.reason}"


def _withdrawal(body: Withdrawal, _: Agreement) -> Iterator[str]:
    yield f"because {body.explanation}"


def _hold(body: Hold, _: Agreement) -> Iterator[str]:
    yield from _scope(body.stages)
    yield f"because {body.reason}"


def _hold_lift(body: HoldLift, _: Agreement) -> Iterator[str]:
    yield f"lifts {body.hold}"
    yield f"because {body.reason}"


def _receipt(body: Receipt, _: Agreement) -> Iterator[str]:
    yield from (f"received {got.component} {got.sealed_digest}" for got in body.components)
    yield body.detail


def _return(body: Return, _: Agreement) -> Iterator[str]:
    yield f"{', '.join(body.components)}: {body.method}"
    yield f"certificate: {body.certificate}"


def _scope(stages: tuple[StageId, ...] | None) -> Iterator[str]:
    yield f"scope: {', '.join(stages)}" if stages is not None else "scope: the whole claim"


def _intake_act(body: Intake) -> str:
    return "accept the form of this claim." if body.accepted else "refuse this claim for its form."


def _approval_act(body: Approval) -> str:
    return f"approve the release of {', '.join(body.stages)}; what is released cannot be undisclosed."


# Each row takes the body of its own kind: a table cannot say so in types.
_Row = tuple[Callable[[Any], str], Callable[[Any, Agreement], Iterator[str]]]

_SHOWN: Final[Mapping[type[OnClaim], _Row]] = MappingProxyType(
    {
        Intake: (_intake_act, _intake),
        NoticeAcknowledgement: (
            lambda _: "acknowledge that notice of this claim has arrived; the objection window starts.",
            _nothing,
        ),
        Objection: (lambda _: "object to this claim (a contrary instruction).", _objection),
        Retraction: (
            lambda _: "take back a statement of your own; an objection cannot be made again.",
            _retraction,
        ),
        Ruling: (
            lambda body: f"attest that {body.authority.replace('_', ' ')} orders: {body.outcome}.",
            _ruling,
        ),
        JointInstruction: (
            lambda body: f"instruct the escrow agent, together with the other party: {body.outcome}.",
            _because,
        ),
        Approval: (_approval_act, _approval),
        Denial: (lambda _: "deny this claim.", _because),
        Withdrawal: (lambda body: f"withdraw this claim ({body.reason}).", _withdrawal),
        Hold: (lambda _: "place a hold: nothing in its scope is decided while it stands.", _hold),
        HoldLift: (lambda _: "lift a hold.", _hold_lift),
        Receipt: (
            lambda body: f"report stage {body.stage}: {body.outcome.replace('_', ' ')}.",
            _receipt,
        ),
        Return: (lambda _: "certify that what was released is returned or destroyed.", _return),
    }
)
"""For each kind of act: the sentence that says what it does, and the lines that say what was chosen."""
