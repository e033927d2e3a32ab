"""What the server offers a receiver, believed only as far as signatures prove it.

1. The agreement is the one that the beneficiary trusts and the claim pins.
2. The claim is the one that was asked for, and was filed with this receiver's key.
3. The deposit is the one that the claim pins, and the depositor signed it.
4. The gate decided each stage, for this claim and stage.
5. Each component is sealed to a custody epoch that the gate dealt.
What is opened is checked again (`opening`), against the depositor's signature.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tallystick.client.answers import digest_in, envelope_in, objects, text, texts
from tallystick.crypto.age import parse_identity
from tallystick.crypto.custody.claim_recipient import claim_identity
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.authorship.authors import author, check_engine, check_subject
from tallystick.domain.claim.state import StageState
from tallystick.domain.deposit.provenance import custody_fault, deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, StageId, claim_id
from tallystick.domain.json import JsonObject
from tallystick.domain.record.filing import stages_asked
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import Body, Signed, expect
from tallystick.proof.reading import read_agreement, read_signed

Trust = Callable[[AgreementId, Digest], None]
"""Raises unless the beneficiary trusts the agreement with this digest."""

_F = TypeVar("_F", bound=Body)


class DeliveryRefusedError(TallystickError):
    """A delivery contradicts what was signed."""

    code = "delivery-refused"
    why = "What the server offered does not follow from what the parties and the gate have signed."
    advice = (
        "Nothing was opened or activated. Try again; if it happens again, the server or its storage was "
        "altered."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedComponent:
    """A sealed component, and by leaf the digests of the sealed shares that together open it."""

    deposited: DepositedComponent
    custody: Custody
    contributions: Mapping[str, Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedStage:
    """A stage that the gate has decided."""

    stage: StageId
    components: tuple[OfferedComponent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDelivery:
    """What a receiver has to do for one claim; every signature was verified.

    Attributes:
        state: The claim's state, as the server reports it; used only to know when to stop asking.
        undo: Stages to roll back, in this order.
        offered: Stages that are decided and wait for a receipt.
    """

    claim: Digest
    terms: Terms
    filing: ClaimFiling
    deposit: Deposit
    state: str
    undo: tuple[StageId, ...]
    offered: tuple[OfferedStage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """The verified ground on which a stage is read."""

    terms: Terms
    claim: Digest
    filing: ClaimFiling
    deposit: Deposit


def read_delivery(document: JsonObject, *, claim: str, keys: PrivateKeys, trust: Trust) -> VerifiedDelivery:
    """Return what `document` asks the receiver of `claim` (short id or digest) to do.

    Raises:
        DeliveryRefusedError: Something does not follow from the signatures.
        TallystickError: A signature, an envelope or the answer itself is not what it must be.
    """
    terms = read_agreement(envelope_in(document, "agreement_envelope")).terms
    trust(terms.agreement.id, terms.digest)
    digest, filing = _filing(document, terms, claim)
    _check_ours(filing, keys)
    ground = _Ground(
        terms=terms, claim=digest, filing=filing, deposit=_deposit(document, terms.agreement, filing)
    )
    undo = tuple(StageId(stage) for stage in texts(document, "undo"))
    asked = stages_asked(terms.agreement, filing)
    if unknown := sorted(set(undo) - set(asked)):
        raise DeliveryRefusedError(
            "the server asks to undo stages that the claim did not ask for", stages=unknown
        )
    waiting = [stage for stage in objects(document, "stages") if text(stage, "state") == StageState.DECIDED]
    return VerifiedDelivery(
        claim=digest,
        terms=terms,
        filing=filing,
        deposit=ground.deposit,
        state=text(document, "state"),
        undo=undo,
        offered=tuple(_stage(stage, ground) for stage in waiting if text(stage, "stage") not in undo),
    )


def _filing(document: JsonObject, terms: Terms, asked: str) -> tuple[Digest, ClaimFiling]:
    signed = _statement(document, "filing_envelope", terms.agreement, ClaimFiling)
    author(terms.agreement, signed)
    check_subject(terms.agreement, terms.digest, signed.body, None)
    if asked not in {signed.id, claim_id(signed.id)}:
        raise DeliveryRefusedError("the server offered another claim", asked=asked, found=signed.id)
    return signed.id, signed.body


def _check_ours(filing: ClaimFiling, keys: PrivateKeys) -> None:
    own = claim_identity(parse_identity(keys.age_identity), filing.nonce)
    if str(own.recipient()) != filing.recipient:
        raise DeliveryRefusedError("the claim was filed with another key", filed_by=filing.person)


def _deposit(document: JsonObject, agreement: Agreement, filing: ClaimFiling) -> Deposit:
    signed = _statement(document, "deposit_envelope", agreement, Deposit)
    if signed.id != filing.deposit:
        raise DeliveryRefusedError("the deposit is not the one that the claim pins", found=signed.id)
    if (fault := deposit_fault(agreement, signed)) is not None:
        raise DeliveryRefusedError(fault, person=signed.body.person)
    return signed.body


def _stage(offered: JsonObject, ground: _Ground) -> OfferedStage:
    stage = StageId(text(offered, "stage"))
    decision = _decision(offered, stage, ground)
    wanted = ground.terms.agreement.stage(stage).components
    components = {text(component, "component"): component for component in objects(offered, "components")}
    if set(components) != set(wanted):
        raise DeliveryRefusedError(
            "the components offered are not the stage's", stage=stage, found=sorted(components)
        )
    return OfferedStage(
        stage=stage, components=tuple(_component(components[name], name, decision, ground) for name in wanted)
    )


def _decision(offered: JsonObject, stage: StageId, ground: _Ground) -> DecisionStatement:
    signed = _statement(offered, "decision_envelope", ground.terms.agreement, DecisionStatement)
    decision = signed.body
    check_engine(ground.terms.agreement, signed)
    check_subject(ground.terms.agreement, ground.terms.digest, decision, ground.claim)
    if not decision.released or decision.stage != stage:
        raise DeliveryRefusedError("not the gate's decision to release this stage", stage=stage)
    return decision


def _component(
    offered: JsonObject, name: ComponentId, decision: DecisionStatement, ground: _Ground
) -> OfferedComponent:
    deposited = next((c for c in ground.deposit.components if c.component == name), None)
    if deposited is None:
        raise DeliveryRefusedError("the deposit lacks this component", component=name)
    custody = _custody(offered, deposited, ground.terms.agreement)
    contributions = {
        text(c, "leaf"): digest_in(c, "sealed_digest") for c in objects(offered, "contributions")
    }
    decided = {c.leaf: c.sealed_digest for c in decision.contributions if c.component == name}
    if any(contributions.get(leaf) != sealed for leaf, sealed in decided.items()):
        raise DeliveryRefusedError("not the contribution that the gate's decision names", component=name)
    return OfferedComponent(deposited=deposited, custody=custody, contributions=contributions)


def _custody(offered: JsonObject, deposited: DepositedComponent, agreement: Agreement) -> Custody:
    signed = _statement(offered, "custody_envelope", agreement, Custody)
    if (fault := custody_fault(agreement, signed, deposited.component)) is not None:
        raise DeliveryRefusedError(fault, component=deposited.component)
    if signed.id != deposited.custody:
        raise DeliveryRefusedError(
            "the custody epoch is not the one that the deposit names", component=deposited.component
        )
    return signed.body


def _statement(members: JsonObject, name: str, agreement: Agreement, form: type[_F]) -> Signed[_F]:
    return expect(read_signed(envelope_in(members, name), agreement), form)
