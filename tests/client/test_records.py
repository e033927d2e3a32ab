"""A record is read from all of its pages, and no server keeps a reader reading without an end."""

import json
from typing import Any

import pytest

from tallystick.client.http import Client
from tallystick.client.problems import ForeignAnswerError, UnexpectedAnswerError
from tallystick.client.records import record_shown, recorded
from tallystick.crypto.envelope import envelope_json
from tallystick.limits.client import RECORD_ANSWER_BYTES_MAX, RECORD_VALUES_MAX
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_SIZE_BYTES_MAX, EVIDENCE_VERSIONS_MAX
from tallystick.proof.work import TooMuchToVerifyError
from tests.support.sites.fake_api import FakeApi
from tests.support.worlds.world import World

PATH = "/v1/claims/clm-x/record"


def filing() -> dict[str, Any]:
    world = World()
    world.files()
    (envelope, _), *_ = world.record
    return {"index": 4, "accepted_at": "2026-11-24T09:00:00Z", "envelope": envelope_json(envelope)}


def test_pages_are_asked_for_one_after_the_other(api: FakeApi, client: Client) -> None:
    entries = [{"index": index} for index in range(3)]
    api.shows |= {
        f"{PATH}?start={start}": {"entries": entries[start:end], "next": end if end < 3 else None}
        for start, end in ((0, 2), (2, 3))
    }
    assert list(record_shown(client, "clm-x")) == entries


@pytest.mark.parametrize("following", [0, 2, "1", True])
def test_pages_that_do_not_lead_on_are_refused(following: object, api: FakeApi, client: Client) -> None:
    api.shows[PATH] = {"entries": [{"index": 0}], "next": following}
    with pytest.raises((ForeignAnswerError, UnexpectedAnswerError)):
        list(record_shown(client, "clm-x"))


def test_pages_with_more_bytes_than_any_record_are_not_read_to_their_end(
    api: FakeApi, client: Client
) -> None:
    filler = " " * (RECORD_ANSWER_BYTES_MAX - 1024)
    last = EVIDENCE_SIZE_BYTES_MAX // len(filler)
    api.shows |= {
        f"{PATH}?start={start}": {"entries": [{"filler": filler}], "next": start + 1}
        for start in range(last + 1)
    }
    with pytest.raises(UnexpectedAnswerError, match="too long"):
        list(record_shown(client, "clm-x"))


def test_pages_with_more_values_than_any_record_are_not_read_to_their_end(
    api: FakeApi, client: Client
) -> None:
    page: list[dict[str, str]] = [{}] * 9_000
    last = RECORD_VALUES_MAX // len(page)
    api.shows |= {
        f"{PATH}?start={start * len(page)}": {"entries": page, "next": (start + 1) * len(page)}
        for start in range(last + 1)
    }
    with pytest.raises(UnexpectedAnswerError, match="too long"):
        list(record_shown(client, "clm-x"))


def test_a_record_that_would_keep_its_reader_busy_is_refused_before_it_is_read() -> None:
    name = '{"payload":"","payloadType":"application/vnd.tallystick.agreement.v1+json",'
    version = json.loads(name + '"signatures":[{"sig":"' + 86 * "A" + '=="}]}')
    entry = {"index": 4, "accepted_at": "2026-11-24T09:00:00Z", "envelope": version}
    with pytest.raises(TooMuchToVerifyError, match="versions"):
        recorded([filing(), *[entry] * (EVIDENCE_VERSIONS_MAX + 1)])


def test_an_entry_is_read_as_it_was_recorded() -> None:
    (one,) = recorded([filing()])
    assert (one.index, one.accepted_at.isoformat()) == (4, "2026-11-24T09:00:00+00:00")
    assert envelope_json(one.envelope) == filing()["envelope"]


def test_a_record_longer_than_any_is_refused_before_an_entry_is_read() -> None:
    with pytest.raises(UnexpectedAnswerError, match="too long"):
        recorded([filing()] * (EVIDENCE_ENTRIES_MAX + 1))
