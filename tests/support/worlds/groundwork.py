"""The base of each small world: the signed agreement, dealt custody and one deposit."""

from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from tallystick.crypto.envelope import sign
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.receivers import named_anew_by
from tallystick.domain.claim.sight import Sight
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import ComponentId, Digest, PersonId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.periods import Period
from tallystick.domain.statements.custody import Custody, SealedShare
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.domain.statements.signed import Signed, expect
from tallystick.proof.reading import SignedAgreement, read_agreement, read_signed
from tests.support.worlds.agreements import (
    ABE,
    AGREEMENT,
    ANA,
    AUTHORITIES,
    DECISION_KEY,
    PEOPLE,
    WINDOWS,
)

BEGIN: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)  # a Tuesday
NO_DIGEST: Final = Digest("sha256:" + 64 * "0")

FILED_FOR: Final = replace(
    AGREEMENT,
    authorities=replace(AUTHORITIES, filing=(ANA, ABE)),
    windows=replace(WINDOWS, confirmation=Period("5 business days")),
)
"""The sound agreement with persons of the escrow agent who may file for a beneficiary."""


def some_digest(number: int) -> Digest:
    """A digest that occurs nowhere else."""
    return Digest(f"sha256:{number:064x}")


def as_shown(claim: Claim) -> Mapping[str, Digest | None]:
    """What an approval names, so that it counts only for what its author was shown of the claim."""
    return {"confirmation": claim.confirmed_by, "receivers_named": named_anew_by(claim)}


def key_of(person: str) -> PublicKey:
    """The public key of someone in the world."""
    return PEOPLE[PersonId(person)].signing_key.public_key


@cache
def signed_by_all(agreement: Agreement) -> SignedAgreement:
    """The agreement, signed by every person in it, and read back."""
    keys = [PEOPLE[person.id].signing_key for person in agreement.persons]
    return read_agreement(sign(Kind.AGREEMENT.value, encode_object(agreement), keys))


@cache
def dealt_custody(agreement: Agreement) -> Mapping[ComponentId, Custody]:
    """The first epoch of each component; nothing in it opens anything."""
    return {
        component.id: Custody(
            deployment=agreement.deployment,
            agreement=agreement.id,
            agreement_digest=signed_by_all(agreement).terms.digest,
            person=PersonId(f"gate@{agreement.deployment}"),
            issued_at=BEGIN - timedelta(days=9),
            nonce=f"{place:032x}",
            component=component.id,
            epoch=1,
            recipient="age1pq1of-this-epoch",
            commitments=(),
            shares=(SealedShare(leaf="gate", sealed_digest=some_digest(900)),),
        )
        for place, component in enumerate(agreement.components)
    }


@cache
def first_deposit(agreement: Agreement) -> Signed[Deposit]:
    """A deposit of all components, sealed to that custody."""
    custody = {
        component: read_signed(sign(Kind.CUSTODY.value, encode_object(body), [DECISION_KEY]), agreement).id
        for component, body in dealt_custody(agreement).items()
    }
    body = Deposit(
        deployment=agreement.deployment,
        agreement=agreement.id,
        agreement_digest=signed_by_all(agreement).terms.digest,
        person=PersonId("dora@nordwind"),
        issued_at=BEGIN - timedelta(days=8),
        nonce=f"{1:032x}",
        number=1,
        watermark=BEGIN - timedelta(days=8),
        components=tuple(
            DepositedComponent(
                component=component.id,
                custody=custody[component.id],
                sealed_digest=some_digest(600 + place),
                sealed_bytes=1000,
                manifest_digest=some_digest(700 + place),
                files=3,
                payload_bytes=900,
            )
            for place, component in enumerate(agreement.components)
        ),
    )
    key = PEOPLE[PersonId("dora@nordwind")].signing_key
    return expect(read_signed(sign(Kind.DEPOSIT.value, encode_object(body), [key]), agreement), Deposit)


def sound_sight(agreement: Agreement, at: datetime) -> Sight:
    """What the gate sees when all is as it should be."""
    signed = signed_by_all(agreement)
    return Sight(
        at=at,
        agreement_digest=signed.terms.digest,
        agreement_signers=signed.signers,
        root_keys=frozenset({key_of("ana@harbour")}),
        deposit=first_deposit(agreement),
        custody=dealt_custody(agreement),
        sealed=dict.fromkeys([component.id for component in agreement.components]),
        ledger=None,
        unextended=frozenset(),
        halted=False,
    )


def received(deposit: Deposit, components: Container[ComponentId]) -> tuple[ReceivedComponent, ...]:
    """What a receiver reports of a deposit that arrived as it was made."""
    return tuple(
        ReceivedComponent(
            component=one.component, sealed_digest=one.sealed_digest, manifest_digest=one.manifest_digest
        )
        for one in deposit.components
        if one.component in components
    )
