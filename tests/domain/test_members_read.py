"""No signed member without a reader: product code uses each, besides definition, codec and renderer."""

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.bodies import BODIES
from tests.support.docs import ROOT

PRODUCT = ("tallystick", "activities", "workflows", "api")
RENDERERS = ("tallystick/domain/shown", "tallystick/domain/codec.py")
SAID_ONLY = frozenset(
    {
        # What people are told, in words that no rule can judge: a renderer is their reader.
        *("Component.prerequisites", "Condition.stressed", "Condition.title", "EvidenceItem.what"),
        "Governance.supplementary_to",
        # For whoever kept the letter.
        *("Notice.text_digest", "StorageNotice.text_digest"),
    }
)


def signed_forms(form: object, seen: set[type] | None = None) -> Iterator[type]:
    """Yield a dataclass and every dataclass in its members."""
    known = set[type]() if seen is None else seen
    if get_origin(form) in {Union, UnionType, tuple} or get_args(form):
        for part in get_args(form):
            yield from signed_forms(part, known)
    elif isinstance(form, type) and is_dataclass(form) and form not in known:
        known.add(form)
        yield form
        for hint in get_type_hints(form).values():
            yield from signed_forms(hint, known)


def members() -> Iterator[str]:
    seen = set[type]()
    for top in (Agreement, *BODIES.values()):
        for form in signed_forms(top, seen):
            for member in fields(form):
                yield f"{form.__name__}.{member.name}"


@cache
def read_names() -> frozenset[str]:
    """Every attribute that product code reads, and every member that it matches, outside the renderers."""
    names = set[str]()
    for folder in PRODUCT:
        for file in (ROOT / folder).rglob("*.py"):
            if not str(file.relative_to(ROOT)).startswith(RENDERERS):
                names |= set(_names_in(file))
    return frozenset(names)


def _names_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.MatchClass):
            yield from node.kwd_attrs


@pytest.mark.parametrize("member", sorted(set(members()) - SAID_ONLY))
def test_every_signed_member_has_a_reader(member: str) -> None:
    assert member.partition(".")[2] in read_names()


def test_a_member_that_nothing_reads_would_be_found() -> None:
    assert "a_member_that_nobody_has_written" not in read_names()
