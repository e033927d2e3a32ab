"""What signers read, as JSON for any language: `python -m tests.support.shown_vectors --write`.

Each file has a body as the canonical JSON that is signed, and the lines that are shown for it;
`context.json` has the agreement and the claim that they all refer to.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from tallystick.crypto.envelope import statement_id, unsigned
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.domain.acts.all import draft
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.powers import AfterWindow
from tallystick.domain.agreement.windows import HoldEnd, HoldWait, RulingWait
from tallystick.domain.bodies import read_body
from tallystick.domain.codec import decode, encode_object, instant, instant_text
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import (
    ComponentId,
    Digest,
    PartyId,
    PersonId,
)
from tallystick.domain.kinds import Kind
from tallystick.domain.periods import Period
from tallystick.domain.shown.claims import FiledClaim, filed_claim
from tallystick.domain.shown.shown import Context, shows
from tallystick.domain.statements.acts import Approval, Denial
from tallystick.domain.statements.deposits import TREE, Deposit, DepositedComponent
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import ActBody, Contribution, Document, Header, LedgerSeen
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.receipts import ReceivedComponent
from tests.support.ends import WAITS
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, BEN, DOCS, DORA, KIM, PEOPLE, TOM, quorum
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.world import World

FOLDER: Final = Path(__file__).parents[1] / "domain" / "shown" / "vectors"
CONTEXT: Final = "context"
_AT: Final = datetime(2026, 11, 27, 9, tzinfo=UTC)
_NONCE: Final = 32 * "a"
_SEEN: Final = LedgerSeen(size=7, root=some_digest(8))

_DRAFTED: Final[Mapping[str, tuple[Kind, PersonId, dict[str, object]]]] = {
    "confirmation": (Kind.CONFIRMATION, BEA, {"declaration": "So it is."}),
    "intake": (Kind.INTAKE, ANA, {"accepted": True}),
    "intake-refused": (Kind.INTAKE, ANA, {"accepted": False, "reason": ("no date", "no stamp")}),
    "notice-acknowledgement": (Kind.NOTICE_ACKNOWLEDGEMENT, DORA, {}),
    "approval": (Kind.APPROVAL, KIM, {"reason": "The papers are in order."}),
    "denial": (Kind.DENIAL, KIM, {"reason": "The record is of another company."}),
    "denial-of-a-stage": (Kind.DENIAL, KIM, {"reason": "Too early.", "stage": "source"}),
    "objection": (Kind.OBJECTION, DORA, {"ground": "cured", "explanation": "We have paid."}),
    "objection-with-a-document": (
        Kind.OBJECTION,
        DORA,
        {
            "ground": "cured",
            "explanation": "We have paid.",
            "document": (
                Document(name="receipt", plain_digest=some_digest(2), sealed_digest=some_digest(3)),
            ),
        },
    ),
    "objection-to-a-stage": (
        Kind.OBJECTION,
        DORA,
        {"ground": "cured", "explanation": "We have paid.", "stage": "source"},
    ),
    "retraction": (Kind.RETRACTION, DORA, {"of": some_digest(1), "reason": "It is settled."}),
    "ruling": (
        Kind.RULING,
        KIM,
        {
            "authority": "court_order",
            "outcome": "release",
            "reason": "As the court ordered.",
            "document": (
                Document(name="order", plain_digest=some_digest(2), sealed_digest=some_digest(2)),
                Document(
                    name="finality_certificate", plain_digest=some_digest(3), sealed_digest=some_digest(4)
                ),
            ),
            "rests_on": ("1",),
        },
    ),
    "proof-of-service": (
        Kind.PROOF_OF_SERVICE,
        ANA,
        {
            "method": "process_server",
            "day": "2026-11-26",
            "document": (
                Document(
                    name="return of service",
                    plain_digest=some_digest(2),
                    sealed_digest=some_digest(3),
                    issued_at=datetime(2026, 11, 26, tzinfo=UTC),
                ),
            ),
        },
    ),
    "joint-instruction": (Kind.JOINT_INSTRUCTION, DORA, {"outcome": "refuse", "reason": "We agree."}),
    "withdrawal": (Kind.WITHDRAWAL, BEA, {"reason": "cured", "explanation": "They have paid."}),
    "hold": (Kind.HOLD, KIM, {"reason": "An injunction.", "stage": "source"}),
    "hold-with-documents": (
        Kind.HOLD,
        KIM,
        {
            "reason": "An injunction.",
            "document": (
                Document(name="order", plain_digest=some_digest(2), sealed_digest=some_digest(3)),
                Document(
                    name="a note",
                    plain_digest=some_digest(4),
                    sealed_digest=some_digest(5),
                    issued_at=datetime(2026, 11, 20, tzinfo=UTC),
                ),
            ),
        },
    ),
    "hold-of-the-claim": (Kind.HOLD, KIM, {"reason": "An injunction."}),
    "hold-lift": (Kind.HOLD_LIFT, ANA, {"of": some_digest(4), "reason": "It was dissolved."}),
    "receivers": (
        Kind.RECEIVERS,
        BEA,
        {"receiver": ("ben@halden", "bea@halden"), "reason": "The first machine was stolen."},
    ),
    "receipt": (
        Kind.RECEIPT,
        BEA,
        {
            "stage": "provisional",
            "outcome": "rolled_back",
            "explanation": "nothing is active",
            "received": (
                ReceivedComponent(
                    component=DOCS, sealed_digest=some_digest(5), manifest_digest=some_digest(6)
                ),
                ReceivedComponent(component=ComponentId("source"), sealed_digest=some_digest(7)),
            ),
        },
    ),
    "return": (
        Kind.RETURN,
        BEA,
        {"component": (DOCS,), "method": "shredded", "certificate": "C-1, by an officer"},
    ),
}


def vectors() -> dict[str, dict[str, Any]]:
    """Return every vector by its name, made anew."""
    bodies: dict[str, Header | Agreement] = {name: _drafted(*said) for name, said in _DRAFTED.items()}
    approval, denial = bodies["approval"], bodies["denial"]
    assert isinstance(approval, Approval)
    assert isinstance(denial, Denial)
    share = Contribution(component=DOCS, leaf=KIM, sealed_digest=some_digest(9))
    bodies |= {
        "agreement": AGREEMENT,
        "agreement-second-version": _second_version(),
        "claim": the_claim().filing,
        "claim-by-the-agent": replace(
            the_claim().filing, person=ANA, for_=PartyId("halden"), receivers=(), declaration=None
        ),
        "claim-with-the-ledger": replace(the_claim().filing, ledger_seen=_SEEN),
        "deposit": _deposit(),
        "deposit-with-the-ledger": replace(_deposit(), ledger_seen=_SEEN),
        "deposit-first": replace(_deposit(), number=1, previous=None, tree=None),
        "key-revocation": _revocation(),
        "key-revocation-with-the-ledger": replace(_revocation(), ledger_seen=_SEEN),
        "approval-of-a-confirmed-claim": replace(approval, confirmation=some_digest(12)),
        "approval-after-receivers-were-named": replace(approval, receivers_named=some_digest(13)),
        "denial-of-a-confirmed-claim": replace(denial, confirmation=some_digest(12)),
        "approval-with-a-share": replace(approval, contributions=(share,)),
        "approval-without-the-ledger": replace(approval, ledger_seen=None),
        "denial-of-another-claim": replace(denial, claim=some_digest(11)),
    }
    return {name: _vector(body) for name, body in sorted(bodies.items())}


def context() -> dict[str, Any]:
    """Return what the vectors refer to."""
    claim = the_claim()
    return {
        "agreement": _canonical(AGREEMENT),
        "claim": {
            "digest": claim.digest,
            "filing": _canonical(claim.filing),
            "state": claim.state,
            "filed_at": instant_text(claim.filed_at),
            "stated": [
                {"kind": body.KIND.value, "body": _canonical(body), "statement": statement}
                for body, statement in claim.stated
            ],
        },
    }


def shown(vector: Mapping[str, Any], around: Mapping[str, Any]) -> list[str]:
    """Return the lines for a vector as it is stored, from its JSON alone."""
    kind, said = Kind(vector["kind"]), parse(vector["body"].encode())
    assert isinstance(said, Mapping)
    assert statement_id(unsigned(kind, said)) == vector["statement"]
    body = decode(Agreement, said) if kind is Kind.AGREEMENT else read_body(kind, said)
    claim = around["claim"]
    about = FiledClaim(
        digest=Digest(claim["digest"]),
        filing=decode(ClaimFiling, parse(claim["filing"].encode())),
        state=claim["state"],
        filed_at=instant(claim["filed_at"]),
        stated=tuple(_stated(one) for one in claim["stated"]),
    )
    agreement = decode(Agreement, parse(around["agreement"].encode()))
    return list(shows(body, context_for(body, Digest(vector["statement"]), agreement, about)))


def _stated(one: Mapping[str, Any]) -> tuple[ActBody | KeyRevocation, Digest]:
    said = parse(one["body"].encode())
    assert isinstance(said, Mapping)
    body = read_body(Kind(one["kind"]), said)
    assert isinstance(body, ActBody | KeyRevocation)
    return body, Digest(one["statement"])


def context_for(
    body: Header | Agreement, statement: Digest, agreement: Agreement, claim: FiledClaim
) -> Context:
    """Return what the signer has: of a version that supersedes another, also the agreement before it."""
    follows = isinstance(body, Agreement) and body.supersedes is not None
    previous = agreement if follows else None
    return Context(statement=statement, agreement=agreement, claim=claim, previous=previous)


def stored(name: str) -> dict[str, Any]:
    """Return a vector, or the context, as its file has it."""
    return dict(json.loads((FOLDER / f"{name}.json").read_text()))


@cache
def _world() -> World:
    return play("bea files\nana accepts\ndora acknowledges\ntom denies stage source")


def the_claim() -> FiledClaim:
    """Return the claim that the acts are about, as their signers read it."""
    return filed_claim(_world().claim)


def _drafted(kind: Kind, person: PersonId, choices: dict[str, object]) -> Header:
    world = _world()
    heading = Heading(
        terms=world.terms,
        claim=world.claim.digest,
        filing=world.claim.filing,
        person=person,
        issued_at=_AT,
        nonce=_NONCE,
        ledger_seen=_SEEN,
    )
    return draft(kind, heading, world.claim, Choices(**choices))


def _header(body: Any, person: PersonId, **members: object) -> Any:  # noqa: ANN401 - any body
    return body(
        deployment=AGREEMENT.deployment,
        agreement=AGREEMENT.id,
        agreement_digest=_world().terms.digest,
        person=person,
        issued_at=_AT,
        nonce=_NONCE,
        **members,
    )


def _revocation() -> KeyRevocation:
    made: KeyRevocation = _header(KeyRevocation, ANA, key=PEOPLE[TOM].person.signing_key, reason="stolen")
    return made


def _deposit() -> Deposit:
    component = DepositedComponent(
        component=DOCS,
        custody=some_digest(12),
        sealed_digest=some_digest(13),
        sealed_bytes=66_000,
        manifest_digest=some_digest(14),
        files=3,
        payload_bytes=65_000,
    )
    made: Deposit = _header(
        Deposit,
        DORA,
        number=2,
        watermark=_AT - timedelta(hours=9),
        components=(component, replace(component, component=ComponentId("source"))),
        previous=some_digest(15),
        tree=TREE,
    )
    return made


def _second_version() -> Agreement:
    first, *others = AGREEMENT.components
    return replace(
        AGREEMENT,
        version=2,
        objection=replace(AGREEMENT.objection, after_window=AfterWindow.LATE),
        supersedes=_world().terms.digest,
        windows=replace(AGREEMENT.windows, objection=Period("PT1H"), confirmation=Period("P5D")),
        components=(replace(first, required_entries=("data/index.html",)), *others),
        authorities=replace(AGREEMENT.authorities, receivers=(BEN,), filing=(ANA,)),
        waits=replace(
            WAITS,
            ruling=RulingWait(after=Period("30 business days"), substitutes=quorum(TOM)),
            hold=HoldWait(after=Period("P20D"), then=HoldEnd.GO_ON),
        ),
    )


def _vector(body: Header | Agreement) -> dict[str, Any]:
    kind = Kind.AGREEMENT if isinstance(body, Agreement) else body.KIND
    statement = statement_id(unsigned(kind, encode_object(body)))
    lines = list(shows(body, context_for(body, statement, AGREEMENT, the_claim())))
    return {"kind": kind.value, "body": _canonical(body), "statement": statement, "lines": lines}


def _canonical(value: object) -> str:
    return canonical_bytes(encode_object(value)).decode()


def write() -> None:
    """Write every file anew."""
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, document in {CONTEXT: context(), **vectors()}.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.support.shown_vectors --write")
    write()
