"""Custody with one leaf, the gate's: dealt, checked, contributed and opened.

`custody: gate` is the smallest custody tree. It is dealt, committed to and recombined
like any other (see `custody`), so a receiver does the same for every tree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tallystick.crypto import age
from tallystick.crypto.custody import sharing
from tallystick.crypto.custody.edwards import Scalar
from tallystick.crypto.custody.sealed_share import (
    contribution_context,
    custody_context,
    open_share,
    seal_share,
    share_context,
)
from tallystick.crypto.custody.sharing import Commitments, Share
from tallystick.crypto.custody.tree import Leaf, ShareTree
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest
from tallystick.domain.statements.custody import Custody, NodeCommitments

TREE: Final[ShareTree] = Leaf(name=GATE_LEAF)


class CustodyRecipientError(TallystickError):
    """A custody statement whose recipient is not the one that the shared secret makes."""

    code = "custody-recipient"
    why = "The shares that were dealt would not open what is sealed to the published recipient."
    advice = "Refuse the custody epoch and have it dealt again; do not rely on anything sealed to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyEpoch:
    """Names one custody: an epoch of a component, under an agreement of a deployment."""

    deployment: DeploymentId
    agreement: AgreementId
    component: ComponentId
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DealtEpoch:
    """What the gate publishes of an epoch that it dealt, and its own share, sealed to itself.

    Attributes:
        recipient: `age1pq1…`, to which the component is sealed from now on.
    """

    recipient: str
    commitments: tuple[NodeCommitments, ...]
    sealed_share: bytes = field(repr=False)


def epoch_of(body: Custody) -> CustodyEpoch:
    """Return which epoch a custody statement publishes."""
    return CustodyEpoch(
        deployment=body.deployment, agreement=body.agreement, component=body.component, number=body.epoch
    )


def deal_epoch(epoch: CustodyEpoch, gate: age.Recipient) -> DealtEpoch:
    """Draw a custody secret and seal the gate's share of it; the secret itself is forgotten."""
    dealt = sharing.deal(TREE)
    sealed = seal_share(dealt.shares[GATE_LEAF], [gate], _share_context(epoch))
    document = dealt.commitments.document()
    return DealtEpoch(
        recipient=str(_identity(dealt.secret, epoch).recipient()),
        commitments=tuple(NodeCommitments(path=path, points=tuple(document[path])) for path in document),
        sealed_share=sealed,
    )


def gate_share(body: Custody, sealed: bytes, gate: age.Identity) -> Share:
    """Return the gate's share, opened and checked against all that the statement publishes.

    Raises:
        AgeError: It does not open with the gate's identity.
        ShareMisplacedError, ShareRefusedError, CommitmentsRefusedError: Not this epoch's share.
        CustodyRecipientError: The published recipient is not the one that the share makes.
    """
    share = open_share(sealed, gate, _share_context(epoch_of(body)))
    sharing.verify_share(TREE, commitments_of(body), GATE_LEAF, share)
    _check_recipient(body, _identity(share.value, epoch_of(body)))
    return share


def contribute(share: Share, body: Custody, *, claim: Digest, recipients: Sequence[age.Recipient]) -> bytes:
    """Return the gate's share re-sealed to all receivers of `claim`, and bound to that claim."""
    return seal_share(share, recipients, _contribution_context(body, claim, GATE_LEAF))


def contributed_identity(
    body: Custody, contributions: Mapping[str, bytes], *, claim: Digest, identity: age.Identity
) -> age.HybridIdentity:
    """Return the identity that opens the component: what a receiver makes from its contributions.

    Args:
        body: The epoch to whose recipient the component is sealed.
        contributions: The sealed shares by leaf, as the decision and the approvals name them.
        claim: The claim that they were sealed for.
        identity: A receiver's own.

    Raises:
        AgeError: A contribution does not open.
        ShareMisplacedError: A contribution is for another claim, component, epoch or leaf.
        TooFewSharesError, CommitmentsRefusedError: The shares do not make the secret.
        CustodyRecipientError: The secret is not the one that the component is sealed to.
    """
    shares = {
        leaf: open_share(sealed, identity, _contribution_context(body, claim, leaf))
        for leaf, sealed in contributions.items()
    }
    secret = sharing.recombine(TREE, commitments_of(body), shares)
    opening = _identity(secret, epoch_of(body))
    _check_recipient(body, opening)
    return opening


def commitments_of(body: Custody) -> Commitments:
    """Return the published commitments, each point checked.

    Raises:
        CommitmentsRefusedError, MalformedGroupElementError: They are not commitments.
    """
    return sharing.parse_commitments({node.path: node.points for node in body.commitments})


def _identity(secret: Scalar, epoch: CustodyEpoch) -> age.HybridIdentity:
    context = custody_context(
        deployment=epoch.deployment,
        agreement=epoch.agreement,
        component=epoch.component,
        epoch=epoch.number,
    )
    return sharing.custody_identity(secret, context)


def _share_context(epoch: CustodyEpoch) -> bytes:
    return share_context(
        deployment=epoch.deployment,
        agreement=epoch.agreement,
        component=epoch.component,
        epoch=epoch.number,
        leaf=GATE_LEAF,
    )


def _contribution_context(body: Custody, claim: Digest, leaf: str) -> bytes:
    return contribution_context(
        deployment=body.deployment, claim=claim, component=body.component, epoch=body.epoch, leaf=leaf
    )


def _check_recipient(body: Custody, identity: age.HybridIdentity) -> None:
    if str(identity.recipient()) != body.recipient:
        raise CustodyRecipientError(
            "another recipient than the secret makes", component=body.component, epoch=body.epoch
        )
