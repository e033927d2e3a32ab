"""Who may do what: every route, every kind of caller, and the status that each of them gets.

Each caller signs what they send themselves, so a cell shows what one person may do alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from fastapi.routing import iter_route_contexts

from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.crypto.keys import SigningKey
from tallystick.domain.bodies import BODIES
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import PersonId, sha256_digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.acts import Hold, Objection
from tallystick.domain.statements.header import OnClaim
from tests.support.judges.statements_by_address import kind_at, spoken
from tests.support.sites.service import STRANGER, Service, serving
from tests.support.stories.standings import OLGA, Shared, sealed_digests, standings
from tests.support.worlds.agreements import (
    ABE,
    ANA,
    BEA,
    DECISION_KEY,
    DIRK,
    DORA,
    KIM,
    LOG_KEY,
    PEOPLE,
    PROVISIONAL,
    TOM,
)
from tests.support.worlds.documents import ITEMS, sealed
from tests.support.worlds.gate_worlds import FILED, World

DATA: Final = b"sealed bytes"
CALLERS: Final[Mapping[str, tuple[SigningKey, PersonId] | None]] = {
    "nobody": None,
    "unknown": (SigningKey(32 * b"u"), ANA),
    "log key": (LOG_KEY, PersonId("engine@test")),
    "gate's": (DECISION_KEY, PersonId("gate@test")),
    "stranger": (STRANGER, ANA),
    "left out": (PEOPLE[ABE].signing_key, ABE),
    "revoked": (PEOPLE[DIRK].signing_key, DIRK),
    "depositor": (PEOPLE[DORA].signing_key, DORA),
    "claimant": (PEOPLE[BEA].signing_key, BEA),
    "another's": (OLGA.signing_key, OLGA.id),
    "agent": (PEOPLE[ANA].signing_key, ANA),
    "arbiter": (PEOPLE[KIM].signing_key, KIM),
    "witness": (PEOPLE[TOM].signing_key, TOM),
}
"""Each kind of caller: their key, and whom they say they are.

The key that was revoked here, and the one that was left out, are good under another agreement.
"""

TABLE: Final = """
#                                                                     nobody
#                                                                     | unknown
#                                                                     | | log key
#                                                                     | | | gate's
#                                                                     | | | | stranger
#                                                                     | | | | | left out
#                                                                     | | | | | | revoked
#                                                                     | | | | | | | depositor
#                                                                     | | | | | | | | claimant
#                                                                     | | | | | | | | | another's
#                                                                     | | | | | | | | | | agent
#                                                                     | | | | | | | | | | | arbiter
#                                                                     | | | | | | | | | | | | witness
GET  /v1/deployment                                         in_window + + + + + + + + + + + + +
GET  /healthz                                               in_window + + + + + + + + + + + + +
GET  /readyz                                                in_window + + + + + + + + + + + + +
POST /v1/agreements                                         in_window ? ? ? ? - - - - - - - - -
GET  /v1/agreements                                         in_window ? ? ? ? + + + + + + + + +
GET  /v1/agreements/{agreement}                             in_window ? ? ? ? . . . + + + + + +
GET  /v1/agreements/{agreement}/summary                     in_window ? ? ? ? . . . + + + + + +
GET  /v1/agreements/{agreement}/readiness                   in_window ? ? ? ? . . . + + + + + +
POST /v1/agreements/{agreement}/revocations                 in_window ? ? ? ? . - . - - - - - -
POST /v1/agreements/{agreement}/revocations?                in_window ? ? ? ? . + . + + + + + +
GET  /v1/agreements/{agreement}/ledger                      in_window ? ? ? ? . + . + + + + + +
GET  /v1/agreements/{agreement}/ledger/checkpoint           in_window ? ? ? ? . + . + + + + + +
GET  /v1/agreements/{agreement}/ledger/proof/{index}        in_window ? ? ? ? . + . + + + + + +
GET  /v1/agreements/{agreement}/ledger/entries              in_window ? ? ? ? . . . + + + + + +
GET  /v1/agreements/{agreement}/ledger/entries/{statement}  in_window ? ? ? ? . + . + + . + + +
POST /v1/agreements/{agreement}/deposits                    in_window ? ? ? ? . . . + - - - - -
GET  /v1/agreements/{agreement}/deposits                    in_window ? ? ? ? . . . + + + + + +
GET  /v1/agreements/{agreement}/deposits/{number}           in_window ? ? ? ? . . . + + + + + +
PUT  /v1/blobs/{new}?agreement={agreement}&purpose=deposit  in_window ? ? ? ? . . . + - - - - -
PUT  /v1/blobs/{new}?agreement={agreement}&purpose=evidence in_window ? ? ? ? . . . + + + + + +
HEAD /v1/blobs/{new}?agreement={agreement}                  in_window ? ? ? ? + + + + + + + + +
GET  /v1/blobs/{deposited}                                  in_window ? ? ? ? . . . + . . + . .
GET  /v1/blobs/{deposited}                                  decided   ? ? ? ? . . . + + . + . .
GET  /v1/blobs/{evidence}                                   in_window ? ? ? ? . + . + + . + + +
POST /v1/claims                                             in_window ? ? ? ? . = . - = % - - -
GET  /v1/claims                                             in_window ? ? ? ? + + + + + + + + +
GET  /v1/claims/{claim}                                     in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/timeline                            in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/documents                           in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/record                              in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/tally                               in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/deadlines                           in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/explain                             in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/delivery                            in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/evidence                            in_window ? ? ? ? . + . + + . + + +
POST /v1/claims/{claim}/confirmations                       filed     ? ? ? ? . - . - = . - - -
POST /v1/claims/{claim}/intakes                             filed     ? ? ? ? . + . - - . + - -
POST /v1/claims/{claim}/acknowledgements                    accepted  ? ? ? ? . - . + - . - - -
POST /v1/claims/{claim}/approvals                           in_window ? ? ? ? . + . - - . + + +
POST /v1/claims/{claim}/denials                             in_window ? ? ? ? . + . - - . + + +
POST /v1/claims/{claim}/objections                          in_window ? ? ? ? . - . + - . - - -
POST /v1/claims/{claim}/retractions                         contested ? ? ? ? . = . + = . = = =
POST /v1/claims/{claim}/withdrawals                         in_window ? ? ? ? . - . - + . - - -
POST /v1/claims/{claim}/holds                               in_window ? ? ? ? . - . - - . + + -
POST /v1/claims/{claim}/returns                             owed      ? ? ? ? . - . - + . - - -
POST /v1/claims/{claim}/rulings                             contested ? ? ? ? . - . - - . - + -
POST /v1/claims/{claim}/joint-instructions                  in_window ? ? ? ? . - . - - . - - -
POST /v1/claims/{claim}/hold-lifts                          contested ? ? ? ? . - . - - . - - -
POST /v1/claims/{claim}/proofs-of-service                   accepted  ? ? ? ? . - . - - . - - -
POST /v1/claims/{claim}/receivers                           in_window ? ? ? ? . - . - - . - - -
POST /v1/claims/{claim}/receipts                            decided   ? ? ? ? . - . - + . - - -
GET  /v1/claims/{claim}/draft/{kind}?reason=no              in_window ? ? ? ? . + . + + . + + +
GET  /v1/claims/{claim}/events                              in_window ? ? ? ? . + . + + . + + +
GET  /v1/inbox                                              in_window ? ? ? ? + + + + + + + + +
"""
"""What each caller gets: + it is done, ? not known, - not theirs to do, . not there, = % refused by a rule.

`?` after the address of revocations: the caller's own key.
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One route, how far the claim has come, and what each caller gets."""

    method: str
    path: str
    standing: str
    marks: str

    @property
    def route(self) -> str:
        """The route as the service's description names it."""
        path = self.path.partition("?")[0]
        for name in DIGESTS:
            path = path.replace(name, "{digest}")
        return f"{self.method} {path}"


MARKS: Final = {200: "+", 201: "+", 401: "?", 403: "-", 404: ".", 409: "=", 422: "%"}
DIGESTS: Final = ("{deposited}", "{evidence}", "{new}")
ROWS: Final = tuple(
    Row(method=method, path=path, standing=standing, marks="".join(marks))
    for method, path, standing, *marks in (
        line.split() for line in TABLE.splitlines() if line and not line.startswith("#")
    )
)
OUTSIDE: Final = "/v1/openapi.json"
"""The description itself, which everybody may read."""


def address(row: Row, world: World) -> str:
    """A row's path, with the things of this world in it."""
    things = {
        "{claim}": world.claim,
        "{agreement}": world.agreement.id,
        "{statement}": world.claim,
        "{index}": "0",
        "{number}": "1",
        "{kind}": "denial",
        "{deposited}": sealed_digests(world)["docs"],
        "{evidence}": sha256_digest(sealed(world.agreement, ITEMS[0])),
        "{new}": sha256_digest(DATA),
    }
    path = row.path
    for name, thing in things.items():
        path = path.replace(name, thing)
    assert "{" not in path, f"say what {path} stands for"
    return path


def content(row: Row, world: World, key: SigningKey, person: PersonId) -> bytes:
    """What somebody sends there, in their own name and with no signature but their own."""
    if row.method != "POST":
        return DATA if row.method == "PUT" else b""
    kind = kind_at(row.path.partition("?")[0])
    assert isinstance(world, Shared)
    newest = world.newest()
    if kind is Kind.AGREEMENT:
        third = replace(newest.agreement, version=3, supersedes=newest.digest)
        return envelope_bytes(sign(kind, encode_object(third), [key]))
    theirs = world if person == ABE or issubclass(BODIES[kind], OnClaim) else newest
    said = spoken(theirs, kind, FILED)
    return envelope_bytes(
        sign(kind, {**said.body, "person": person, **named(row, world, kind, key, person)}, [key])
    )


def named(row: Row, world: World, kind: Kind, key: SigningKey, person: PersonId) -> JsonObject:
    """What a statement of this kind refers to, as far as it is there."""
    claim = world.case().claim
    if row.path.endswith("?"):
        return {"key": key.public_key}
    if kind is Kind.CLAIM:
        own = PEOPLE.get(person, OLGA).person.age_recipient
        return {"stages": [PROVISIONAL], "receivers": [{"person": person, "recipient": own}]}
    if kind is Kind.RETRACTION:
        return {"of": next(entry.signed.id for entry, _ in claim.entries_of(Objection))}
    if kind is Kind.HOLD_LIFT:
        return {"hold": next(entry.signed.id for entry, _ in claim.entries_of(Hold))}
    if kind is Kind.RECEIPT:
        return {"components": [encode_object(one) for one in world.received(PROVISIONAL)]}
    return {}


async def mark(service: Service, row: Row, who: tuple[SigningKey, PersonId] | None) -> str:
    """What a caller gets; of a stream, only whether it would begin."""
    key, person = who or (STRANGER, ANA)
    sent = {"content-type": "application/json"} if row.method == "POST" else {}
    if who is not None:
        sent["authorization"] = f"Bearer {service.token(key)}"
    answer = await service.http.request(
        "HEAD" if row.path.endswith("/events") else row.method,
        address(row, service.world),
        content=content(row, service.world, key, person),
        headers=sent,
    )
    return MARKS[answer.status_code]


async def answered(row: Row, world: World, folder: Path) -> str:
    """What each caller gets; who has changed something leaves a fresh copy to the next."""
    told = ""
    left = list(CALLERS.values())
    while left:
        async with serving(world.copied_to(folder / str(len(left)))) as service:
            service.clock.now = FILED + timedelta(minutes=1)
            while left:
                told += await mark(service, row, left.pop(0))
                if row.method in {"POST", "PUT"} and told.endswith("+"):
                    break
    return told


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, World]:
    return standings(tmp_path_factory.mktemp("standings"))


async def test_every_route_has_a_row(service: Service) -> None:
    routes = {
        f"{method} {route.path}"
        for route in iter_route_contexts(service.app.routes)
        for method in route.methods or ()
        if route.path != OUTSIDE
    }
    assert routes == {row.route for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path} {row.standing}")
async def test_each_caller_gets_what_their_place_in_the_agreement_gives_them(
    row: Row, worlds: Mapping[str, World], tmp_path: Path
) -> None:
    assert await answered(row, worlds[row.standing], tmp_path) == row.marks
