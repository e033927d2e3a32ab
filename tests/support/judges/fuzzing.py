"""Cases made from the OpenAPI document, sent to the real app, and every answer compared with it.

Three kinds of case: what the document allows, what it forbids (both by schemathesis),
and, where a statement is sent, sound statements in which a member was changed before they
were signed, which no schema could make. Half of them name what is really there.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeAlias, cast

import schemathesis
from fastapi import FastAPI
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from api.app import create_app
from api.backend.backend import open_backend
from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PersonId, sha256_digest
from tallystick.domain.json import JsonObject, JsonValue
from tests.support.judges.statements_by_address import kind_at, spoken
from tests.support.sites.service import Clock, RecordingEngine, bearer, settings_in
from tests.support.worlds.agreements import ANA, BEA, DORA, KIM, PEOPLE, TOM
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, World
from tests.support.worlds.groundwork import NO_DIGEST

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
AnyCase: TypeAlias = Case[Any]

CALLERS: Final = (ANA, BEA, DORA, KIM, TOM)
STREAM_SECONDS: Final = 0.5  # a stream of events is followed no longer
NOT_IN_A_SCHEMA: Final = ("post", "put")
"""What these refuse depends on signatures and rules: not all that is well-formed is taken."""
NOT_IN_A_QUERY: Final = ("/draft/{kind}", "/explain")
"""What these refuse depends on the claim: another stage, a choice that a kind of act needs."""

ODD: Final[Sequence[JsonValue]] = (
    *(None, True, False, 0, 1, -1, 2**53 - 1, "", " ", "a", "A", ".", "..", "../../etc/passwd", "%00"),
    *("\t", "\n", "é", "e\u0301", "\u202e", "😀", "a" * 5000, "sha256:", NO_DIGEST, "9999-12-31T23:59:59Z"),
    *("0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-10-06T12:00:00+00:00", "2026-10-06T12:00:60Z"),
    *("ana@harbour", "nobody@nowhere", "critical", "P1D", "PT0S", "P99999999D", "400 business days"),
    *([], {}, [[]], [None], {"a": None}, ["critical", "critical"], ["source"], [1]),
)


@dataclass(kw_only=True)
class Rig:
    """An app over a world of its own, and the requests it has had so far."""

    world: World
    clock: Clock
    app: FastAPI
    schema: Any
    statuses: Counter[int] = field(default_factory=Counter[int])

    def moves_to(self, world: World) -> None:
        """Serve a fresh world, which nobody has changed yet."""
        self.app.state.backend.database.dispose()
        self.world.database.dispose()
        self.world = world
        engine = RecordingEngine(world=world, clock=self.clock)
        self.app.state.backend = open_backend(settings_in(world.folder), engine, self.clock.read)

    def operations(self) -> list[Operation]:
        return [operation.ok() for operation in self.schema.get_all_operations()]

    def known(self) -> Mapping[str, Sequence[object]]:
        """The values that really exist, by the parameter that may name them."""
        case = self.world.case()
        sealed = [path.name for path in sorted(self.world.folder.glob("north/blobs/*/*/*"))]
        return {
            "agreement": [self.world.agreement.id],
            "claim": [case.claim.id, case.claim.digest],
            "digest": [*(f"sha256:{name}" for name in sealed[:3]), sha256_digest(b"")],
            "number": [1],
            "index": [0, 1],
            "statement": [case.claim.digest, case.signed.terms.digest],
            "kind": ["approval", "objection", "hold"],
        }

    def sends(self, case: AnyCase, person: PersonId) -> None:
        """Send a case, and compare the answer with what the document says.

        Raises:
            Exception: The answer differs; schemathesis says how, and how to repeat it.
        """
        token = bearer(PEOPLE[person].signing_key, self.clock.now)
        streams: dict[str, Any] = (
            {"timeout": STREAM_SECONDS} if case.operation.path.endswith("/events") else {}
        )
        headers = {"Authorization": f"Bearer {token}"}  # spelt so, for a check leaves it out
        answer = case.call(headers=headers, **streams)
        self.statuses[answer.status_code] += 1
        case.validate_response(
            answer,
            headers=headers,
            transport_kwargs={"headers": headers, **streams},
            excluded_checks=not_checked(case.operation),
        )


def rig(world: World) -> Rig:
    """The app over a world with a claim in its objection window."""
    clock = Clock(now=ACKNOWLEDGED + timedelta(hours=1))
    app = create_app(
        settings_in(world.folder), engine_port=RecordingEngine(world=world, clock=clock), clock=clock.read
    )
    config = SchemathesisConfig.from_dict({"max-stream-events": 1})
    schema = schemathesis.openapi.from_dict(app.openapi(), config=config)
    schema.app = app
    return Rig(world=world, clock=clock, app=app, schema=schema)


def not_checked(operation: Operation) -> list[Any]:
    """Checks of schemathesis that prove nothing about an operation."""
    vague = operation.method in NOT_IN_A_SCHEMA or operation.path.endswith(NOT_IN_A_QUERY)
    return [checks.positive_data_acceptance] if vague else []


def takes_anything(operation: Operation) -> bool:
    """Whether two cases for an operation can differ in anything but the caller."""
    return bool(operation.body) or any(one.name != "Authorization" for one in operation.iter_parameters())


def cases(using: Rig, operation: Operation) -> st.SearchStrategy[AnyCase]:
    """Cases of every kind for one operation."""
    modes = [GenerationMode.POSITIVE]
    if takes_anything(operation):
        modes.append(GenerationMode.NEGATIVE)
    there = _there(using, operation)
    kinds = [_made(operation, mode, fixed) for mode in modes for fixed in there]
    if operation.method == "post":
        kinds += [_spoken(using, operation, fixed) for fixed in there]
    return st.one_of(kinds)


def _made(operation: Operation, mode: GenerationMode, fixed: dict[str, Any]) -> st.SearchStrategy[AnyCase]:
    strategy = cast("Any", operation).as_strategy  # its type names a `Case` of nothing in particular
    made: st.SearchStrategy[AnyCase] = strategy(generation_mode=mode, **fixed)
    return made


def _there(using: Rig, operation: Operation) -> Sequence[dict[str, Any]]:
    """Which parameters of a case to fix: none, or those that name things, to names that exist."""
    known = using.known()
    named = [parameter.name for parameter in operation.path_parameters]
    variants: list[dict[str, Any]] = [{}]
    for place in range(max([len(known[name]) for name in named], default=0)):
        values = {name: known[name][place % len(known[name])] for name in named}
        fixed: dict[str, Any] = {"path_parameters": values}
        if operation.path.startswith("/v1/blobs") and operation.method in {"put", "head"}:
            fixed["query"] = {"agreement": using.world.agreement.id}
        variants.append(fixed)
    return variants


def as_meant(using: Rig, operation: Operation) -> Iterator[AnyCase]:
    """A sound statement by its author, and the same by everyone else, not all of whom may make it."""
    said = spoken(using.world, kind_at(operation.path), using.clock.now)
    speakers = [(person,) for person in CALLERS] if len(said.signers) == 1 else []
    known = using.known()
    named = {parameter.name: known[parameter.name][0] for parameter in operation.path_parameters}
    for signers in (*speakers, tuple(said.signers)):
        body = {**said.body, "person": signers[0]} if "person" in said.body else said.body
        envelope = sign(said.kind, body, [PEOPLE[person].signing_key for person in signers])
        yield operation.Case(
            path_parameters=named,
            body=json.loads(envelope_bytes(envelope)),
            media_type="application/json",
        )


@st.composite
def _spoken(draw: st.DrawFn, using: Rig, operation: Operation, there: dict[str, Any]) -> AnyCase:
    """A sound statement of the kind this address takes, changed in up to two places, then signed."""
    case = draw(_made(operation, GenerationMode.POSITIVE, there))
    said = spoken(using.world, kind_at(operation.path), using.clock.now)
    for count in range(3):
        body = draw(changed(said.body, times=count))
        signers = [PEOPLE[person].signing_key for person in said.signers]
        with suppress(TallystickError):  # what cannot be written cannot be signed
            case.body = json.loads(envelope_bytes(sign(said.kind, body, signers)))
            if draw(st.booleans()):
                break
    return case


@st.composite
def changed(draw: st.DrawFn, body: JsonObject, *, times: int) -> JsonObject:
    """A JSON object with one member, however deep, removed, made odd, or replaced by another's value."""
    copy = cast("dict[str, JsonValue]", json.loads(json.dumps(body)))
    for _ in range(times):
        holder, name = draw(st.sampled_from(_places(copy)))
        way = draw(st.integers(0, 3))
        if way == 0:
            del holder[name]
        elif way == 1:
            holder[name] = draw(st.sampled_from([json.loads(json.dumps(h[n])) for h, n in _places(copy)]))
        else:
            holder[name] = draw(st.sampled_from(ODD) | st.text(max_size=20) | st.integers(-(2**53), 2**53))
    return copy


def _places(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - JSON of any form
    """Every member and item within a JSON value: its container, and its name or number in it."""
    names: list[Any] = []
    if isinstance(value, dict):
        names = list(cast("dict[str, Any]", value))
    elif isinstance(value, list):
        names = list(range(len(value)))  # pyright: ignore[reportUnknownArgumentType]
    own: list[tuple[Any, Any]] = [(value, name) for name in names]
    return own + [place for name in names for place in _places(value[name])]
