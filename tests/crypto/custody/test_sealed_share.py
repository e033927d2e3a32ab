"""A sealed share opens for one person and for one purpose."""

import dataclasses
from hashlib import sha256

import pytest

from tallystick.crypto import age
from tallystick.crypto.custody import edwards, sealed_share, sharing
from tallystick.crypto.custody.tree import Leaf
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest

DEPLOYMENT, AGREEMENT, COMPONENT = (
    DeploymentId("harbour-escrow"),
    AgreementId("pump-control"),
    ComponentId("source"),
)
CONTEXT = sealed_share.share_context(
    deployment=DEPLOYMENT, agreement=AGREEMENT, component=COMPONENT, epoch=3, leaf="ana@harbour"
)
RIGHT_CONTEXT = b"tallystick/v1/share\n" + sha256(CONTEXT).digest()
SHARE = sharing.deal(Leaf(name="gate")).shares["gate"]


def test_sealed_share_opens_for_its_custodian_and_purpose() -> None:
    custodian = age.new_identity()
    sealed = sealed_share.seal_share(SHARE, [custodian.recipient()], CONTEXT)
    assert sealed_share.open_share(sealed, custodian, CONTEXT) == SHARE


def test_sealed_share_does_not_open_for_another() -> None:
    sealed = sealed_share.seal_share(SHARE, [age.new_identity().recipient()], CONTEXT)
    with pytest.raises(age.NoIdentityMatchesError):
        sealed_share.open_share(sealed, age.new_identity(), CONTEXT)


def other_contexts() -> list[bytes]:
    place = {"deployment": DEPLOYMENT, "agreement": AGREEMENT, "component": COMPONENT, "leaf": "ana@harbour"}
    moved = [
        sealed_share.share_context(
            deployment=DeploymentId(fact["deployment"]),
            agreement=AgreementId(fact["agreement"]),
            component=ComponentId(fact["component"]),
            epoch=3,
            leaf=fact["leaf"],
        )
        for fact in ({**place, key: "other"} for key in place)
    ]
    next_epoch = sealed_share.share_context(
        deployment=DEPLOYMENT, agreement=AGREEMENT, component=COMPONENT, epoch=4, leaf="ana@harbour"
    )
    contribution = sealed_share.contribution_context(
        deployment=DEPLOYMENT,
        claim=Digest("sha256:" + "0" * 64),
        component=COMPONENT,
        epoch=3,
        leaf="ana@harbour",
    )
    return [*moved, next_epoch, contribution]


@pytest.mark.parametrize("context", other_contexts())
def test_share_moved_to_another_purpose_is_refused(context: bytes) -> None:
    custodian = age.new_identity()
    sealed = sealed_share.seal_share(SHARE, [custodian.recipient()], context)
    with pytest.raises(sealed_share.ShareMisplacedError):
        sealed_share.open_share(sealed, custodian, CONTEXT)


def test_contribution_moved_to_another_claim_is_refused() -> None:
    beneficiary = age.new_identity()
    one, other = (
        sealed_share.contribution_context(
            deployment=DEPLOYMENT,
            claim=Digest("sha256:" + digit * 64),
            component=COMPONENT,
            epoch=3,
            leaf="gate",
        )
        for digit in "12"
    )
    sealed = sealed_share.seal_share(SHARE, [beneficiary.recipient()], one)
    with pytest.raises(sealed_share.ShareMisplacedError):
        sealed_share.open_share(sealed, beneficiary, other)


@pytest.mark.parametrize(
    "plain",
    [b"", SHARE.encode(), b"tallystick/v1/share\n" + bytes(96), RIGHT_CONTEXT, RIGHT_CONTEXT + bytes(65)],
    ids=["nothing", "share without its label", "label without a share", "too short", "too long"],
)
def test_anything_else_that_opens_is_not_a_share(plain: bytes) -> None:
    custodian = age.new_identity()
    sealed = age.seal_bytes(plain, [custodian.recipient()])
    with pytest.raises(sealed_share.ShareMisplacedError):
        sealed_share.open_share(sealed, custodian, CONTEXT)


def test_size_of_a_sealed_share_reveals_nothing() -> None:
    custodian = age.new_identity().recipient()
    zero = dataclasses.replace(SHARE, value=edwards.ZERO)
    sizes = {len(sealed_share.seal_share(share, [custodian], CONTEXT)) for share in (SHARE, zero)}
    assert len(sizes) == 1
