"""Blobs to and from the server: a transfer resumes where it stopped, and wrong bytes are not kept."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.client.blobs import BlobAlteredError, UploadStalledError, get_blob, get_small_blob, put_blob
from tallystick.client.http import Client
from tallystick.client.problems import UnexpectedAnswerError, UnreachableError
from tallystick.domain.ids import AgreementId, Digest
from tallystick.limits.client import HTTP_ATTEMPTS_MAX, OUTAGE_MAX, RECONNECT_MAX
from tests.support.sites.fake_api import HANGS_UP, FakeApi, query
from tests.support.worlds.deliveries import digest_of

RAW = b"sealed " * 1000
WANTED = digest_of(RAW)
AGREEMENT = AgreementId("nordwind-halden")


def test_blob_is_uploaded_with_agreement_and_purpose(api: FakeApi, client: Client, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}
    assert query(api.asked[-1]) == {"agreement": [AGREEMENT], "purpose": ["deposit"]}


def test_upload_continues_where_the_server_is(api: FakeApi, client: Client, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    api.parts[WANTED], api.part_max = RAW[:100], 3000
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}


def test_upload_begun_elsewhere_continues_from_there(api: FakeApi, client: Client, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    problem = {"code": "upload-offset", "detail": "no", "facts": {"received": 0}}
    api.fails[f"PUT /v1/blobs/{WANTED}"] = [(409, problem)]
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}


def test_upload_that_makes_no_progress_ends(api: FakeApi, client: Client, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    api.part_max = 0
    with pytest.raises(UploadStalledError):
        put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")


def test_blob_is_fetched_and_private(api: FakeApi, client: Client, tmp_path: Path) -> None:
    api.blobs[WANTED] = RAW
    get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))
    assert (tmp_path / "blob").read_bytes() == RAW
    assert (tmp_path / "blob").stat().st_mode & 0o077 == 0


def test_fetch_continues_after_what_is_there(api: FakeApi, client: Client, tmp_path: Path) -> None:
    api.blobs[WANTED] = RAW
    (tmp_path / "blob.part").write_bytes(RAW[:700])
    get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))
    assert (tmp_path / "blob").read_bytes() == RAW


@pytest.mark.parametrize("found", [RAW[:-1] + b"!", RAW + b"!", RAW[:-1], b""])
def test_bytes_with_another_digest_are_not_kept(
    found: bytes, api: FakeApi, client: Client, tmp_path: Path
) -> None:
    api.blobs[WANTED] = found
    with pytest.raises(BlobAlteredError):
        get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))
    assert list(tmp_path.iterdir()) == []


def test_small_blob_with_other_bytes_is_refused(api: FakeApi, client: Client) -> None:
    other = Digest("sha256:" + hashlib.sha256(b"other").hexdigest())
    api.blobs[other] = RAW
    with pytest.raises(BlobAlteredError):
        get_small_blob(client, other)


def test_upload_survives_a_broken_connection(
    api: FakeApi, client: Client, tmp_path: Path, pauses: list[float]
) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    api.parts[WANTED] = RAW[:50]
    api.fails[f"PUT /v1/blobs/{WANTED}"] = [(HANGS_UP, None)]
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}
    assert pauses == [1.0]


def test_upload_and_fetch_outlive_a_short_outage(
    api: FakeApi, client: Client, tmp_path: Path, pauses: list[float]
) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    for method in ("HEAD", "PUT", "GET"):
        api.fails[f"{method} /v1/blobs/{WANTED}"] = [(HANGS_UP, None)] * 4
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    get_blob(client, WANTED, tmp_path / "fetched", size_bytes=len(RAW))
    assert (tmp_path / "fetched").read_bytes() == RAW
    assert pauses == [1.0, 2.0, 4.0, 8.0] * 3


def test_outage_that_lasts_ends_an_upload_and_a_fetch(
    api: FakeApi, client: Client, tmp_path: Path, pauses: list[float]
) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    for method in ("PUT", "GET"):
        api.fails[f"{method} /v1/blobs/{WANTED}"] = [(HANGS_UP, None)] * 100
    with pytest.raises(UnreachableError):
        put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert OUTAGE_MAX <= timedelta(seconds=sum(pauses)) <= OUTAGE_MAX + RECONNECT_MAX
    pauses.clear()
    with pytest.raises(UnreachableError):
        get_blob(client, WANTED, tmp_path / "fetched", size_bytes=len(RAW))
    assert OUTAGE_MAX <= timedelta(seconds=sum(pauses)) <= OUTAGE_MAX + RECONNECT_MAX


def test_gateways_page_in_an_upload_is_an_outage(api: FakeApi, client: Client, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    api.fails[f"PUT /v1/blobs/{WANTED}"] = [(502, b"<html>")] * (HTTP_ATTEMPTS_MAX + 2)
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}


@pytest.mark.parametrize("answer", [(404, b"<html>"), (200, b"")])
def test_answer_without_an_offset_is_not_taken_for_an_empty_upload(
    answer: tuple[int, bytes], api: FakeApi, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    api.fails[f"HEAD /v1/blobs/{WANTED}"] = [answer] * 100
    with pytest.raises((UnreachableError, UnexpectedAnswerError)):
        put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert not any(asked.startswith("PUT") for asked in api.asked)


def test_part_that_something_else_calls_created_is_not_stored(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    api.fails[f"PUT /v1/blobs/{WANTED}"] = [(201, {"digest": "sha256:" + 64 * "0"})]
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}


def test_part_that_was_answered_with_503_is_sent_again_whole(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    api.fails[f"PUT /v1/blobs/{WANTED}"] = [(503, {"code": "database-unavailable", "detail": "busy"})]
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}
    assert [asked.partition(" ")[0] for asked in api.asked[-2:]] == ["PUT", "PUT"]
