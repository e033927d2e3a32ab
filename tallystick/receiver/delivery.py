"""What the server shows a receiver, believed only as far as signatures prove it.

The server gives no orders. It shows the claim's record, and the receiver folds it as everyone else does:
what there is to open, to undo and to give back follows from signed statements alone.

1. Each entry of the record is signed and admitted again, in order; none was recorded in the future.
2. The claim is the one that was asked for, and is sealed to this receiver.
3. The agreement is the one that the claim pins and the beneficiary trusts.
4. The deposit is the one that the claim pins, and the depositor signed it.
5. Each component is sealed to a custody epoch that the gate dealt.
What is opened is checked again (`opening`), against the depositor's signature.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from tallystick.client.answers import envelope_in, objects, texts
from tallystick.client.records import recorded
from tallystick.crypto.age import parse_identity
from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.disclosure import contributions_to
from tallystick.domain.claim.receivers import receivers_of
from tallystick.domain.claim.stages import report_due
from tallystick.domain.claim.state import (
    ENDED,
    ClaimState,
    StageProgress,
    StageState,
)
from tallystick.domain.comparison_words import make_words_of
from tallystick.domain.deposit.provenance import custody_fault, deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PersonId, StageId, is_claim_name
from tallystick.domain.inbox.waiting import going_back, to_undo
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import TREE, Deposit, DepositedComponent
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import Contribution
from tallystick.domain.statements.receipts import Receipt
from tallystick.domain.statements.signed import BY_ENGINE, expect
from tallystick.limits.agreements import COMPONENTS_MAX
from tallystick.proof.case import Case, folded_as_shown
from tallystick.proof.reading import read_agreement, read_signed

Trust = Callable[[AgreementId, Digest], None]
"""Raises unless the beneficiary trusts the agreement with this digest."""


class DeliveryRefusedError(TallystickError):
    """A delivery contradicts what was signed."""

    code = "delivery-refused"
    why = "What the server offered does not follow from what the parties and the gate have signed."
    advice = (
        "Nothing was opened or activated. Try again; if it happens again, the server or its storage was "
        "altered."
    )


class NotAReceiverError(DeliveryRefusedError):
    """A claim that is not sealed to the person who would receive it."""

    code = "not-a-receiver"
    why = "What a claim releases is sealed to the receivers whom its beneficiary names, and to nobody else."
    advice = (
        "Nothing was fetched. Let one of the receivers in the facts do it, with their own key; or have "
        "receivers named anew with `tallystick claim receivers`, for what is not decided yet."
    )


class TreeUnknownError(TallystickError):
    """A deposit whose files' names, links, modes and times this receiver cannot restore."""

    code = "tree-unknown"
    why = (
        "A receiver that does not know a deposit's form would lose what a build needs, so it fetches nothing."
    )
    advice = "Install a newer version of Tallystick, and start the receiver again; nothing was reported."


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedComponent:
    """A sealed component, and by leaf the sealed shares that open it, as the gate's decision names them."""

    deposited: DepositedComponent
    custody: Custody
    contributions: Mapping[str, Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedStage:
    """A stage that the gate has decided.

    Attributes:
        report_until: The last moment at which the receiver may report it, by the signed agreement.
    """

    stage: StageId
    report_until: datetime
    components: tuple[OfferedComponent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDelivery:
    """What a receiver has to do for one claim, as the claim's own record says it.

    Attributes:
        undo: Stages to roll back, in this order.
        held: Stages that must go back too, and stay as they are until holds are lifted.
        offered: Stages that are decided and wait for a receipt, or are in use at another receiver's.
        undone: Stages that another receiver has reported as undone.
        elsewhere: Who reported on a stage last, of the stages on which it was not this receiver.
        said: The ids of what persons have said about the claim.
    """

    claim: Digest
    terms: Terms
    filing: ClaimFiling
    deposit: Deposit
    state: ClaimState
    undo: tuple[StageId, ...]
    held: tuple[StageId, ...]
    offered: tuple[OfferedStage, ...]
    undone: tuple[StageId, ...]
    elsewhere: Mapping[StageId, PersonId]
    said: frozenset[Digest]


def read_delivery(
    document: JsonObject,
    record: Iterable[JsonObject],
    *,
    claim: str,
    keys: PrivateKeys,
    trust: Trust,
    at: datetime,
) -> VerifiedDelivery:
    """Return what the record of `claim` (short id or digest) asks its receiver to do at `at`.

    Raises:
        DeliveryRefusedError: Something does not follow from the signatures.
        TallystickError: A signature, an entry of the record or the answer itself is not what it must be.
    """
    signed = read_agreement(envelope_in(document, "agreement_envelope"))
    make_words_of(signed.terms.digest)
    case = folded_as_shown(signed, recorded(record), at=at)
    _check_asked(case.claim, claim)
    own = str(parse_identity(keys.age_identity).recipient())
    _check_ours(case, own)
    trust(signed.terms.agreement.id, signed.terms.digest)  # only now: the first of its name stays trusted
    elsewhere = _elsewhere(case, own)
    shown = _Shown(
        document=document,
        case=case,
        deposit=_deposit(document, case),
        own=own,
        elsewhere=elsewhere,
        at=at,
    )
    undo, back = to_undo(case.agreement, case.claim), going_back(case.agreement, case.claim)
    return VerifiedDelivery(
        claim=case.claim.digest,
        terms=case.terms,
        filing=case.claim.filing,
        deposit=shown.deposit,
        state=case.claim.state,
        undo=undo,
        held=back[len(undo) :],
        offered=tuple(shown.offered(without=back)),
        undone=tuple(one for one in elsewhere if case.claim.progress(one).state is StageState.ROLLED_BACK),
        elsewhere=elsewhere,
        said=frozenset(e.signed.id for e in case.claim.entries if e.signed.kind not in BY_ENGINE),
    )


def _check_asked(claim: Claim, asked: str) -> None:
    if not is_claim_name(asked, claim.digest):
        raise DeliveryRefusedError("the server showed another claim", asked=asked, found=claim.digest)


def _check_ours(case: Case, own: str) -> None:
    """Let pass to whom anything decided is sealed, or what comes next."""
    stages = (*case.claim.decided_stages, None)
    sealed = [one for stage in stages for one in receivers_of(case.agreement, case.claim, stage)]
    if own not in {one.recipient for one in sealed}:
        raise NotAReceiverError(
            "the claim is not sealed to this key", receivers=sorted({one.person for one in sealed})
        )


def _elsewhere(case: Case, own: str) -> Mapping[StageId, PersonId]:
    """Return who else reported on a stage last; whoever's key was revoked has no machine any more."""
    last = {body.stage: body.person for _, body in case.claim.entries_of(Receipt)}
    people = {stage: case.agreement.person(person) for stage, person in last.items()}
    return {
        stage: person.id
        for stage, person in people.items()
        if person.age_recipient != own and case.claim.revoked_at(person.signing_key) is None
    }


def _deposit(document: JsonObject, case: Case) -> Deposit:
    signed = expect(read_signed(envelope_in(document, "deposit_envelope"), case.agreement), Deposit)
    if signed.id != case.claim.filing.deposit:
        raise DeliveryRefusedError("the deposit is not the one that the claim pins", found=signed.id)
    if (fault := deposit_fault(case.agreement, signed)) is not None:
        raise DeliveryRefusedError(fault, person=signed.body.person)
    if signed.body.tree not in {None, TREE}:
        raise TreeUnknownError(
            f"the deposit is in form {signed.body.tree}, and this receiver knows form {TREE}",
            tree=signed.body.tree,
            known=TREE,
        )
    return signed.body


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """What the server shows, the case that its record folds to, and the deposit that the claim pins.

    Attributes:
        own: The recipient of the one who receives.
        elsewhere: As in `VerifiedDelivery`.
    """

    document: JsonObject
    case: Case
    deposit: Deposit
    own: str
    elsewhere: Mapping[StageId, PersonId]
    at: datetime

    def offered(self, *, without: Collection[StageId]) -> Iterator[OfferedStage]:
        """Yield the stages that can be opened here and wait for that, except those that must go back."""
        ready = set(texts(self.document, "contributed")) - set(without)
        for progress in self.case.claim.stages:
            if progress.stage not in ready or not self._opens(progress):
                continue
            if progress.state is StageState.DECIDED:
                yield self._stage(progress)
            elif progress.stage in self.elsewhere and self._stays_in_use(progress):
                yield self._stage(replace(progress, since=self.at))  # nothing waits for this machine's

    def _stays_in_use(self, progress: StageProgress) -> bool:
        """Return whether a stage that another receiver has reported may be put to use here as well."""
        over = ENDED | {ClaimState.RETURN_DUE}
        return progress.state is StageState.ACTIVATED and self.case.claim.state not in over

    def _opens(self, progress: StageProgress) -> bool:
        sealed = receivers_of(self.case.agreement, self.case.claim, progress.stage)
        return self.own in {one.recipient for one in sealed}

    def _stage(self, progress: StageProgress) -> OfferedStage:
        agreement, claim = self.case.agreement, self.case.claim
        shares = contributions_to(agreement, claim, progress.stage)
        components = tuple(self._component(c, shares) for c in agreement.stage(progress.stage).components)
        report_until = report_due(agreement, claim, progress).at
        return OfferedStage(stage=progress.stage, report_until=report_until, components=components)

    def _component(self, name: ComponentId, shares: Iterable[Contribution]) -> OfferedComponent:
        deposited = next((c for c in self.deposit.components if c.component == name), None)
        if deposited is None:
            raise DeliveryRefusedError("the deposit lacks this component", component=name)
        by_leaf = {share.leaf: share.sealed_digest for share in shares if share.component == name}
        return OfferedComponent(deposited=deposited, custody=self._custody(deposited), contributions=by_leaf)

    @cached_property
    def _epochs(self) -> Mapping[Digest, Envelope]:
        """The epochs shown, by what deposits name; a deposit has no more of them than components."""
        shown = objects(self.document, "custody")
        if len(shown) > COMPONENTS_MAX:
            raise DeliveryRefusedError("more custody epochs than components", limit=COMPONENTS_MAX)
        return {statement_id(one): one for one in (envelope_in(entry, "envelope") for entry in shown)}

    def _custody(self, deposited: DepositedComponent) -> Custody:
        """Return the epoch that the deposit names for a component, as the gate dealt it."""
        envelope = self._epochs.get(deposited.custody)
        if envelope is None:
            raise DeliveryRefusedError(
                "the custody epoch that the deposit names is missing", component=deposited.component
            )
        signed = expect(read_signed(envelope, self.case.agreement), Custody)
        if (fault := custody_fault(self.case.agreement, signed, deposited.component)) is not None:
            raise DeliveryRefusedError(fault, component=deposited.component)
        return signed.body
