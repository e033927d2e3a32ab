"""Every body has one form: a member that says nothing is absent, and cannot be written otherwise."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

import pytest

from tallystick.domain import ids
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.bodies import BODIES
from tallystick.domain.codec import MalformedDocumentError, decode, encode_object
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.domain.statements.header import Header
from tests.support.worlds.agreements import AGREEMENT

EVERY_BODY: Final = (*BODIES.values(), EvidenceSeal)
NOTHING: Final = (None, ())
"""The defaults that absence says; a body has no others."""

EXAMPLES: Final[dict[object, object]] = {
    str: "a" * 32,
    int: 1,
    bool: True,
    datetime: datetime(2026, 11, 24, 9, tzinfo=UTC),
    ids.AgreementId: "nordwind-lumen",
    ids.DeploymentId: "test",
    ids.PartyId: "harbour",
    ids.ComponentId: "docs",
    ids.StageId: "source",
    ids.PersonId: "ana@harbour",
    ids.Digest: "sha256:" + "0" * 64,
    ids.PublicKey: "ed25519:" + "f" * 64,
    date: date(2026, 2, 28),
}


def example(kind: Any) -> object:  # noqa: ANN401 - an annotation may be anything
    """Return a value of a member's type."""
    if kind in EXAMPLES:
        return EXAMPLES[kind]
    if get_origin(kind) is tuple:
        return (example(get_args(kind)[0]),)
    if arms := [arm for arm in get_args(kind) if arm is not NoneType]:
        return example(arms[0])
    if issubclass(kind, StrEnum):
        return next(iter(kind))
    return filled(kind)


def filled(kind: Any) -> Any:  # noqa: ANN401 - as above
    """Return a `kind` with every member present."""
    hints = get_type_hints(kind)
    return kind(**{field.name: example(hints[field.name]) for field in dataclasses.fields(kind)})


def optional(kind: type[object]) -> Iterator[tuple[str, object]]:
    """Yield the members that may be absent, each with what its absence says."""
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # every body is a dataclass
        if field.default is not dataclasses.MISSING:
            yield field.name, field.default


OPTIONAL: Final = [(kind, name, nothing) for kind in EVERY_BODY for name, nothing in optional(kind)]


@pytest.mark.parametrize("kind", EVERY_BODY)
def test_body_is_read_as_it_was_written(kind: type[Header]) -> None:
    full = filled(kind)
    assert decode(kind, encode_object(full)) == full


@pytest.mark.parametrize(("kind", "name", "nothing"), OPTIONAL)
def test_empty_member_is_left_out_and_refused_if_it_is_written(
    kind: type[Header], name: str, nothing: object
) -> None:
    assert nothing in NOTHING, "another default than nothing would have to be written out"
    body = dataclasses.replace(filled(kind), **{name: nothing})
    document = encode_object(body)
    assert name not in document
    assert decode(kind, document) == body
    with pytest.raises(MalformedDocumentError):
        decode(kind, {**document, name: None if nothing is None else []})


def test_members_of_statements_may_be_absent() -> None:
    assert {(kind.__name__, name) for kind, name, _ in OPTIONAL} >= {
        ("Intake", "reasons"),
        ("Approval", "contributions"),
        ("Approval", "ledger_seen"),
        ("Event", "because"),
        ("Objection", "stages"),
        ("Deposit", "previous"),
    }


def test_agreement_writes_its_terms_out_and_leaves_out_what_it_lacks() -> None:
    document = encode_object(AGREEMENT)
    assert document["excludes_claimant_party"] is True
    assert "supersedes" not in document
    with pytest.raises(MalformedDocumentError):
        decode(
            Agreement, {name: value for name, value in document.items() if name != "excludes_claimant_party"}
        )
