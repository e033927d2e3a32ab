"""What a list leaves out is said with the list, and whom to tell."""

import pytest

from tests.cli.conftest import URL, Office
from tests.support.worlds.agreements import AGREEMENT, ANA

LISTS = {
    "claim list": ("/v1/claims", "claims"),
    "claim inbox": ("/v1/inbox", "items"),
    "agreement list": ("/v1/agreements", "agreements"),
    f"deposit list {AGREEMENT.id}": (f"{URL}/deposits", "deposits"),
}


@pytest.mark.parametrize("command", LISTS)
def test_what_the_server_cannot_read_is_named_with_the_list(office: Office, command: str) -> None:
    path, member = LISTS[command]
    office.api.shows[path] = {member: [], "unreadable": ["first\u202e"], "next": "2"}
    office.api.shows[f"{path}?cursor=2"] = {member: [], "unreadable": ["last"], "next": None}
    ran = office.run(*command.split(), person=ANA)
    assert "missing here (2): first\\u202e, last: the server's record of this is damaged\n" in ran.err
    assert "tell the deployment's operators" in ran.err
    machine = office.run(*command.split(), "--json", person=ANA)
    assert (machine.json["unreadable"], machine.err) == (["first\u202e", "last"], "")


def test_of_many_that_are_missing_the_first_are_named(office: Office) -> None:
    office.api.shows["/v1/claims"] = {"claims": [], "unreadable": [f"c{n}" for n in range(100)]}
    ran = office.run("claim", "list", person=ANA)
    assert "missing here (100): c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, …: " in ran.err


def test_custody_that_the_server_cannot_read_is_named(office: Office) -> None:
    office.api.shows[URL].update(custody=[], unreadable=["custody"])
    ran = office.run("custody", "status", AGREEMENT.id, person=ANA)
    assert "missing here (1): custody: " in ran.err
