"""Who asks: every way in which a token can be wrong; and every route wants one."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.routing import iter_route_contexts

from api.routes.health import PUBLIC
from tallystick.crypto.envelope import sign
from tallystick.crypto.keys import key_id
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import write_body
from tests.support.sites.service import STRANGER, Service, bearer
from tests.support.worlds.agreements import ANA, BEA, KIM, PEOPLE

KEY = PEOPLE[ANA].signing_key

VALUES = {
    "{agreement}": "nordwind-halden",
    "{claim}": "clm-" + 16 * "a",
    "{digest}": "sha256:" + 64 * "0",
    "{number}": "1",
    "{index}": "0",
    "{kind}": "approval",
}


def filled(path: str) -> str:
    for name, value in VALUES.items():
        path = path.replace(name, value)
    return path


async def test_every_route_asks_who_calls_unless_it_is_listed_as_public(service: Service) -> None:
    asked = 0
    for route in iter_route_contexts(service.app.routes):
        path = route.path or ""
        if path in PUBLIC or path == "/v1/openapi.json":
            continue
        for method in route.methods or ():
            answer = await service.http.request(
                method,
                filled(path),
                params={"agreement": "nordwind-halden", "purpose": "deposit"} if method == "PUT" else {},
                headers={"content-type": "application/json"},
            )
            assert answer.status_code == 401, f"{method} {path}: {answer.text}"
            assert answer.headers["www-authenticate"] == "Bearer"
            asked += 1
    assert asked > 35


async def test_what_is_public_is_public(service: Service) -> None:
    for path in (*PUBLIC, "/v1/openapi.json"):
        assert (await service.http.get(path)).status_code == 200, path


def unsigned(service: Service) -> str:
    claims = {"sub": key_id(KEY.public_key), "aud": "test", "iat": 0, "exp": 300}
    return jwt.encode(claims, "", algorithm="none")


def symmetric(service: Service) -> str:
    now = int(service.clock.now.timestamp())
    claims = {"sub": key_id(KEY.public_key), "aud": "test", "iat": now, "exp": now + 300}
    return jwt.encode(claims, KEY.public_key.encode() * 2, algorithm="HS256")


def altered(service: Service) -> str:
    header, payload, signature = service.token(KEY).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["exp"] -= 1
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{header}.{forged}.{signature}"


def for_another(service: Service) -> str:
    """A token in a person's name, signed by a stranger's key."""
    return service.token(STRANGER, sub=key_id(KEY.public_key))


def headed(service: Service, **header: object) -> str:
    """A good token, but with extra members in its header."""
    now = int(service.clock.now.timestamp())
    claims = {"sub": key_id(KEY.public_key), "aud": "test", "iat": now, "exp": now + 300}
    private = Ed25519PrivateKey.from_private_bytes(KEY.secret_seed())
    return jwt.encode(claims, private, algorithm="EdDSA", headers=header)


WRONG: Sequence[Callable[[Service], str]] = (
    lambda _: "",
    lambda _: "x.y.z",
    lambda _: "a" * 5000,
    unsigned,
    symmetric,
    altered,
    for_another,
    lambda service: service.token(STRANGER),
    lambda service: service.token(KEY, aud="another"),
    lambda service: service.token(KEY, aud=["test"]),
    lambda service: service.token(KEY, sub=KEY.public_key),
    lambda service: service.token(KEY, exp=int(service.clock.now.timestamp()) + 301),
    lambda service: service.token(KEY, exp=int(service.clock.now.timestamp())),
    lambda service: service.token(KEY, exp=str(int(service.clock.now.timestamp()) + 300)),
    lambda service: bearer(KEY, service.clock.now - timedelta(seconds=331)),
    lambda service: bearer(KEY, service.clock.now + timedelta(seconds=31)),
    lambda service: service.token(KEY, nbf=int(service.clock.now.timestamp()) + 3600),
    lambda service: service.token(KEY, nbf=str(int(service.clock.now.timestamp()))),
    lambda service: service.token(KEY, scope="nothing"),
    lambda service: service.token(KEY, cnf={"jkt": "another key"}),
    lambda service: headed(service, crit=["htu"], htu="https://elsewhere.example"),
    lambda service: headed(service, crit=["exp"]),
    lambda service: headed(service, jku="https://elsewhere.example"),
    lambda service: headed(service, typ="dpop+jwt"),
)


async def test_a_token_that_is_not_right_is_refused(service: Service) -> None:
    for place, token in enumerate(WRONG):
        sent = {"authorization": f"Bearer {token(service)}"}
        answer = await service.http.get("/v1/agreements", headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), place


async def test_a_token_may_say_from_when_it_counts_and_how_it_is_called(service: Service) -> None:
    now = int(service.clock.now.timestamp())
    for token in (
        service.token(KEY, nbf=now),
        service.token(KEY, nbf=now + 30, jti="one"),
        headed(service, kid=key_id(KEY.public_key), typ="jwt"),
    ):
        answer = await service.http.get("/v1/agreements", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text


async def test_clocks_may_differ_by_half_a_minute(service: Service) -> None:
    for skew in (timedelta(seconds=-329), timedelta(seconds=30)):
        token = bearer(KEY, service.clock.now + skew)
        answer = await service.http.get("/v1/agreements", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, skew


async def test_a_revoked_key_reads_nothing_more(service: Service) -> None:
    body = service.world.body(
        KeyRevocation, KIM, service.clock.now, key=PEOPLE[KIM].signing_key.public_key, reason="lost"
    )
    revocation = sign(Kind.KEY_REVOCATION.value, write_body(body), [PEOPLE[KIM].signing_key])
    assert (await service.get("/agreements", KIM)).status_code == 200
    told = await service.post("/agreements/nordwind-halden/revocations", revocation, KIM)
    assert told.status_code == 201
    assert told.json()["claim"] is None
    assert (await service.get("/agreements", KIM)).status_code == 401
    assert (await service.get("/agreements", BEA)).status_code == 200


async def test_a_revocation_nudges_the_open_claims(claimed: Service) -> None:
    body = claimed.world.body(
        KeyRevocation, KIM, claimed.clock.now, key=PEOPLE[KIM].signing_key.public_key, reason="lost"
    )
    revocation = sign(Kind.KEY_REVOCATION.value, write_body(body), [PEOPLE[KIM].signing_key])
    await claimed.post("/agreements/nordwind-halden/revocations", revocation, ANA)
    assert (claimed.world.claim, "a key was revoked") in claimed.engine.asked


async def test_nobody_revokes_anothers_key_alone(service: Service) -> None:
    body = service.world.body(
        KeyRevocation, ANA, service.clock.now, key=PEOPLE[KIM].signing_key.public_key, reason="I say so"
    )
    revocation = sign(Kind.KEY_REVOCATION.value, write_body(body), [KEY])
    answer = await service.post("/agreements/nordwind-halden/revocations", revocation, ANA)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-authorised-to-state")
