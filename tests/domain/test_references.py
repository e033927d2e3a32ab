"""Whatever a statement refers to by name is followed: where it enters, and where it counts.

The table names the modules that do. Each of them must read the member, and no reference may be missing.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from typing import Final, get_type_hints

import pytest

from tallystick.domain import ids
from tallystick.domain.bodies import BODIES
from tallystick.domain.statements.header import ActBody, Header, OnClaim
from tests.domain.test_members_read import signed_forms
from tests.support.docs import ROOT

REFERENCES: Final = (ids.Digest, ids.PublicKey, ids.ComponentId, ids.StageId, ids.PartyId)
D, P, S, A = "tallystick/domain/", "tallystick/proof/", "tallystick/store/", "activities/"
FOLLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "Header.agreement_digest": (
        f"{D}authorship/authors.py",
        f"{D}record/fold.py",
        f"{P}evidence/established.py",
    ),
    "OnClaim.claim": (f"{D}authorship/authors.py", f"{S}ledger/entry.py"),
    "LedgerSeen.root": (f"{D}admission/extension.py",),
    # Where keys, deposits and custody enter, and where they count.
    "KeyRevocation.key": (f"{D}admission/revocations.py", f"{D}claim/claim.py"),
    "Custody.component": (f"{D}deposit/recording.py", f"{D}deposit/provenance.py", f"{D}release/seen.py"),
    "SealedShare.sealed_digest": (f"{A}gate/release.py",),
    "Deposit.previous": (f"{D}deposit/provenance.py",),
    "DepositedComponent.component": (f"{D}deposit/recording.py", f"{D}release/seen.py"),
    "DepositedComponent.custody": (
        *(f"{D}deposit/recording.py", f"{A}gate/sight.py", f"{P}evidence/deposits.py"),
        "tallystick/receiver/delivery.py",
    ),
    "DepositedComponent.sealed_digest": (
        *("api/routes/deposits.py", f"{A}deposits.py", f"{A}gate/sight.py"),
        "tallystick/receiver/opening.py",
    ),
    "DepositedComponent.manifest_digest": ("tallystick/receiver/opening.py",),  # it stays inside the seal
    # What a claim asks for.
    "ClaimFiling.deposit": (f"{S}cases/filing.py", f"{D}release/seen.py", f"{P}evidence/deposits.py"),
    "ClaimFiling.for_": (f"{D}record/filing.py", f"{D}release/recorded.py"),
    "ClaimFiling.stages": (f"{D}record/filing.py",),
    "EvidenceDocument.sealed_digest": (
        f"{D}record/documents.py",
        f"{S}cases/documents.py",
        "api/blobs/fetching.py",
    ),
    "Document.sealed_digest": (f"{D}claim/documents.py", f"{S}cases/documents.py", "api/blobs/fetching.py"),
    # What persons state about it.
    "Approval.confirmation": (f"{D}acts/votes/approval.py", f"{D}claim/confirming.py"),
    "Denial.confirmation": (f"{D}acts/votes/denial.py", f"{D}claim/confirming.py"),
    "Approval.receivers_named": (f"{D}acts/votes/approval.py", f"{D}claim/tally.py"),
    "Approval.stages": (f"{D}acts/votes/approval.py", f"{D}claim/tally.py"),
    "Denial.stages": (f"{D}acts/votes/denial.py", f"{D}claim/tally.py"),
    "Objection.stages": (f"{D}acts/votes/objection.py", f"{D}claim/claim.py"),
    "Hold.stages": (f"{D}acts/orders/hold.py", f"{D}claim/claim.py"),
    "HoldLift.hold": (f"{D}acts/orders/lift.py", f"{D}claim/claim.py"),
    "Retraction.of": (f"{D}acts/votes/retraction.py", f"{D}claim/claim.py"),
    "Ruling.rests_on": (f"{D}acts/orders/ruling.py",),
    "Receipt.stage": (f"{D}acts/delivery/receipt.py", f"{D}claim/evolve.py"),
    "ReceivedComponent.component": (f"{D}acts/delivery/receipt.py", f"{D}deposit/received.py"),
    "ReceivedComponent.sealed_digest": (f"{D}deposit/received.py",),
    "ReceivedComponent.manifest_digest": (f"{D}deposit/received.py",),
    "Return.components": (f"{D}acts/delivery/giving_back.py",),
    "Contribution.component": (f"{D}acts/votes/approval.py", f"{D}admission/decisions.py"),
    "Contribution.sealed_digest": ("api/answers/delivery.py", "tallystick/receiver/delivery.py"),
    # What the deployment records.
    "Notice.party": (f"{D}admission/door.py",),
    "StorageNotice.party": (f"{D}notice/storage.py",),
    "StorageNotice.findings": (f"{D}notice/storage.py",),
    "Event.claim": (f"{D}admission/door.py", f"{P}evidence/deposits.py"),
    "Event.stage": (f"{D}admission/door.py", f"{D}claim/evolve.py"),
    "Event.cause": (f"{D}admission/door.py", f"{P}evidence/deposits.py"),
    "DecisionStatement.stage": (f"{D}admission/decisions.py", f"{D}release/review.py"),
    "DecisionStatement.record": (f"{D}admission/decisions.py",),
    "Sighting.notice": (f"{D}admission/sightings.py",),
}
NOT_TO_BE_FOLLOWED: Final = frozenset(
    {
        # Papers that only people have; whoever holds one compares it.
        *("EvidenceDocument.plain_digest", "Document.plain_digest"),
        *("Notice.text_digest", "StorageNotice.text_digest"),
    }
)
INHERITED: Final = {Header, OnClaim, ActBody}


def references() -> Iterator[str]:
    seen = set[type]()
    for top in (*INHERITED, *BODIES.values()):
        for form in signed_forms(top, seen):
            hints = get_type_hints(form)
            own = {member.name for member in fields(form)} - {
                member.name for base in form.__mro__[1:] if base in INHERITED for member in fields(base)
            }
            for name in sorted(own):
                if any(kind.__name__ in str(hints[name]) for kind in REFERENCES):
                    yield f"{form.__name__}.{name}"


@cache
def read_in(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    matched = {name for node in ast.walk(tree) if isinstance(node, ast.MatchClass) for name in node.kwd_attrs}
    return frozenset(names | matched)


@pytest.mark.parametrize("member", FOLLOWED)
def test_every_module_that_follows_a_reference_reads_it(member: str) -> None:
    name = member.partition(".")[2]
    assert [module for module in FOLLOWED[member] if name not in read_in(module)] == []


def test_no_reference_is_missing() -> None:
    assert set(references()) == FOLLOWED.keys() | NOT_TO_BE_FOLLOWED
