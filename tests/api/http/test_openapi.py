"""The OpenAPI document, as read by anyone who generates a client from it."""

import re

from tests.support.sites.service import Service

VERBS = {"explain", "export", "file", "follow", "get", "list", "make", "put", "register"} | {
    "revoke",
    "send",
    "show",
}


async def test_each_operation_has_a_name_of_its_own_a_verb_and_what_it_is_about(service: Service) -> None:
    document = (await service.http.get("/v1/openapi.json")).json()
    names = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]
    assert len(names) > 40
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert {name.split("_")[0] for name in names} == VERBS
    assert {"list_claims", "file_claim", "send_approval", "show_ledger_entry", "show_health"} <= set(names)


async def test_the_description_is_written_once_for_all_who_ask(service: Service) -> None:
    """Anybody may ask, as often as they like, and nobody counts it."""
    first = await service.http.get("/v1/openapi.json")
    service.app.openapi_schema = {"openapi": "another"}
    assert (await service.http.get("/v1/openapi.json")).content == first.content
