"""Problems: every refusal has a status, and the OpenAPI document lists them all."""

import base64
import importlib
import pkgutil
import re

import pytest

import api
import tallystick
from api.http.problems import STATUS, UnauthenticatedError, problem_response, status_of
from api.routes.health import PUBLIC
from tallystick.crypto.envelope import envelope_from_json
from tallystick.crypto.json.canonical import DuplicateMemberError
from tallystick.crypto.letter_key import read_published
from tallystick.domain.errors import MalformedError, TallystickError, known_errors
from tallystick.domain.ids import DeploymentId, PublicKey, claim_id
from tallystick.domain.refusals import MisdirectedError, SelfServingError
from tallystick.faults import from_failure, to_failure
from tallystick.store.cases.casefile import ClaimMovedOnError
from tallystick.store.database.session import DatabaseUnavailableError
from tallystick.store.ledger.ledger import TooEarlyError
from tallystick.store.registers.claims import NoSuchClaimError
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ANA, LETTER_KEY


def ours() -> list[type[TallystickError]]:
    for package in (tallystick, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    return [kind for kind in set(known_errors()) if kind.__module__.split(".")[0] in {"tallystick", "api"}]


def test_every_refusal_has_its_status_and_its_own_code() -> None:
    kinds = ours()
    codes = [kind.code for kind in kinds]
    assert len(codes) == len(set(codes))
    documented = {400, 401, 403, 404, 405, 408, 409, 413, 415, 416, 422, 429, 500, 503}
    assert {status_of(kind) for kind in kinds} <= documented


def test_whatever_is_retryable_says_when() -> None:
    for kind in ours():
        if kind.retryable:
            assert status_of(kind) in {408, 429, 503}, kind


async def test_an_address_that_an_advice_names_is_there(service: Service) -> None:
    named = {path for kind in ours() for path in re.findall(r"`GET (/[^`]+)`", kind.advice)}
    assert {"/v1/deployment", "/v1/claims"} <= named
    for path in named:
        assert (await service.get(path.removeprefix("/v1"), ANA)).status_code == 200, path


async def test_anyone_without_a_token_learns_how_to_sign_in_and_not_what_exists(claimed: Service) -> None:
    there = await claimed.http.get(f"/v1/claims/{claimed.world.claim}")
    none = await claimed.http.get("/v1/claims/clm-aaaaaaaaaaaaaaaa")
    assert (there.status_code, there.content) == (none.status_code, none.content)
    assert there.json()["facts"] == {}
    assert "`GET /v1/deployment`" in there.json()["advice"]
    assert "/v1/deployment" in PUBLIC


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (DuplicateMemberError, 400),
        (UnauthenticatedError, 401),
        (SelfServingError, 403),
        (NoSuchClaimError, 404),
        (MisdirectedError, 422),
        (DatabaseUnavailableError, 503),
        (TooEarlyError, 503),
        (ClaimMovedOnError, 503),
    ],
)
def test_the_nearest_row_decides(kind: type[TallystickError], status: int) -> None:
    assert status_of(kind) == status


def test_a_new_malformed_error_is_a_bad_request_without_a_row() -> None:
    class NewError(MalformedError):
        code = "new-in-this-test"

    assert NewError not in STATUS
    assert status_of(NewError) == 400


def test_a_refusal_from_elsewhere_has_the_status_and_the_facts_of_a_local_one() -> None:
    local = SelfServingError("the claimant never counts", person="bea@halden", seen=["a", "b"])
    remote = from_failure(to_failure(local))
    assert remote is not None
    here, there = problem_response(local), problem_response(remote)
    assert (here.status_code, here.body) == (there.status_code, there.body)


async def test_the_document_lists_every_code_under_its_status(service: Service) -> None:
    document = (await service.http.get("/v1/openapi.json")).json()
    told = "".join(
        response["description"]
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status[0] in "45"
    )
    api_only = [kind for kind in ours() if kind.__module__.startswith(("api.", "tallystick.domain."))]
    assert not [kind.code for kind in api_only if f"`{kind.code}`" not in told]
    assert "`claim-wrong-state`" in told
    assert "`self-serving`" in told


async def test_every_answer_is_documented(service: Service) -> None:
    document = (await service.http.get("/v1/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            assert {"400", "404", "405", "422", "503"} <= statuses, f"{method} {path}"
            assert ("401" in statuses) == bool(operation["security"]), f"{method} {path}"
            if method == "post":
                assert {"201", "403", "409", "413", "415"} <= statuses
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Envelope"}
            for status, response in operation["responses"].items():
                if status[0] in "45":
                    assert list(response["content"]) == ["application/problem+json"]


async def test_anyone_reads_which_letter_key_the_log_key_published(service: Service) -> None:
    shown = (await service.http.get("/v1/deployment")).json()
    published = read_published(
        envelope_from_json(shown["letter_key"]),
        deployment=DeploymentId(shown["deployment"]),
        log_key=PublicKey(shown["log_key"]),
    )
    assert published.letter_key == LETTER_KEY.signing_key.public_key
    raw = base64.b64decode(shown["webhook_key"].removeprefix("whpk_"), validate=True)
    assert f"ed25519:{raw.hex()}" == published.letter_key


async def test_ready_means_that_the_neighbours_answer(service: Service) -> None:
    assert (await service.http.get("/readyz")).status_code == 200
    service.engine.away = True
    answer = await service.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert answer.json()["facts"] == {"database": True, "temporal": False}
    assert (await service.http.get("/healthz")).status_code == 200


async def test_a_damaged_record_is_a_defect_and_hides_no_other_claim(claimed: Service) -> None:
    claimed.world.execute(
        "UPDATE ledger_entries SET envelope = CAST(replace(envelope, 'a', 'b') AS BLOB) WHERE kind = ?",
        "claim",
    )
    answer = await claimed.get(f"/claims/{claimed.world.claim}", ANA)
    assert answer.status_code == 500
    listed = (await claimed.get("/claims", ANA)).json()
    assert listed == {"claims": [], "unreadable": [claim_id(claimed.world.claim)], "next": None}
