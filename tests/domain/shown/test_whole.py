"""What makes a difference is shown: no member of a body changes without a change of what a signer reads."""

import dataclasses
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import cast

import pytest

from tallystick.crypto.json.canonical import parse
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.conditions import Expression
from tallystick.domain.bodies import read_body
from tallystick.domain.codec import decode
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Kind
from tallystick.domain.periods import Period
from tallystick.domain.quorum import Group, Quorum
from tallystick.domain.shown.shown import shows
from tallystick.domain.statements.header import Header
from tests.support.shown_vectors import CONTEXT, FOLDER, context_for, stored, the_claim
from tests.support.worlds.agreements import AGREEMENT

NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != CONTEXT)
NOT_SHOWN = {
    "nonce": "it says nothing: it makes two statements of one that is made twice",
}
"""The only members that no signer reads, and why."""


def body_of(name: str) -> Header | Agreement:
    vector = stored(name)
    said = parse(vector["body"].encode())
    assert isinstance(said, dict)
    kind = Kind(vector["kind"])
    return decode(Agreement, said) if kind is Kind.AGREEMENT else read_body(kind, said)


def read(body: Header | Agreement) -> tuple[str, ...]:
    """Return the lines for a body; its id is held still, so that it changes nothing by itself."""
    return tuple(shows(body, context_for(body, Digest("sha256:" + 64 * "0"), AGREEMENT, the_claim())))


def other(value: object) -> object:  # noqa: PLR0911 - one line per kind of value
    """Return another value of the same type."""
    if isinstance(value, StrEnum):
        return next(word for word in type(value) if word is not value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1:] != "1" else "2")
    if isinstance(value, datetime | date):
        return value + timedelta(days=1)
    if isinstance(value, time):
        return value.replace(minute=(value.minute + 1) % 60)
    if isinstance(value, Period):
        return Period("P77D")
    assert isinstance(value, Quorum), type(value)
    members = (*value.root.members[:-1], PersonId("eve@harbour"))
    return Quorum(Group(threshold=1 + value.root.threshold % len(members), members=members))


def changed(value: object, where: str = "") -> Iterator[tuple[str, object]]:
    """Yield every way to change one member of a value, however deep, with its place."""
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        for place, item in enumerate(items):
            yield f"{where}/-{place}", (*items[:place], *items[place + 1 :])
            for at, new in changed(item, f"{where}/{place}"):
                yield at, (*items[:place], new, *items[place + 1 :])
    elif isinstance(value, Expression):
        yield where, Expression(word="any_of", parts=(value, Expression(word="item", item="another")))
    elif dataclasses.is_dataclass(value) and not isinstance(value, Period | Quorum):
        for field in dataclasses.fields(value):
            for at, new in changed(getattr(value, field.name), f"{where}/{field.name}"):
                yield at, dataclasses.replace(value, **{field.name: new})  # type: ignore[type-var]
    elif value is not None and not (isinstance(value, StrEnum) and len(type(value)) == 1):
        yield where, other(value)


@pytest.mark.parametrize("name", [name for name in NAMES if "another" not in name])
def test_no_member_changes_without_a_change_in_what_is_shown(name: str) -> None:
    body = body_of(name)
    lines, unread = read(body), set[str]()
    for where, new in changed(body):
        assert isinstance(new, Header | Agreement)
        try:
            if read(new) == lines:
                unread.add(where)
        except TallystickError:
            pass  # what it refers to was looked up, and is not there
    assert {where.rpartition("/")[2] for where in unread} <= NOT_SHOWN.keys(), unread


def test_every_member_of_every_body_is_in_a_vector() -> None:
    """A member that is absent from all vectors would not be changed above."""
    bodies = [body_of(name) for name in NAMES]
    seen = {at for body in bodies for at in present(body)}
    declared = {at for body in bodies for at in members(body)}
    assert declared - seen == set()


def present(value: object) -> Iterator[tuple[str, str]]:
    """Yield the members that a value has, with the class that declares them."""
    if isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from present(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if inner not in (None, ()):
                yield type(value).__name__, field.name
                yield from present(inner)


def members(value: object) -> Iterator[tuple[str, str]]:
    """Yield every member that the classes of a value declare, present or not."""
    if isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from members(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, Expression):
        for field in dataclasses.fields(value):
            yield type(value).__name__, field.name
            yield from members(getattr(value, field.name))
