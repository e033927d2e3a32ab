"""Whatever a file says and whatever a server answers, a command ends soon, and in little memory."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tallystick.crypto.keyfile import write_key_file
from tallystick.domain.codec import encode_object
from tallystick.limits.agreements import COMPONENTS_MAX
from tallystick.limits.client import ANSWER_NODES_MAX, ANSWER_SIZE_BYTES_MAX
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX, JSON_NODES_MAX
from tallystick.limits.notices import LETTER_FILE_SIZE_BYTES_MAX
from tests.cli.conftest import URL
from tests.support.costs import cost_of_command
from tests.support.sites.fake_api import FakeApi, serving
from tests.support.worlds.agreements import AGREEMENT, ANA
from tests.support.worlds.deliveries import keys_of

OTHERS: Final = "\u202e\u0301\u0301\U0001f600"
"""Characters of which each is written otherwise, or takes four times as much to hold as in ASCII."""
MEMBERS: Final = (
    "claim",
    "state",
    "agreement",
    "condition",
    "filed_by",
    "filed_at",
    "deposit",
    "accepted_at",
    "event",
    "person",
    "statement",
    "what",
    "why",
)
CLAIM: Final = "clm-aaaaaaaaaaaaaaaa"
LISTS: Final = {
    "claim list": ("/v1/claims", "claims"),
    f"deposit list {AGREEMENT.id}": (f"{URL}/deposits", "deposits"),
    f"claim timeline {CLAIM}": (f"/v1/claims/{CLAIM}/timeline", "entries"),
    "claim inbox": ("/v1/inbox", "items"),
}


def filled(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


def item(text: str, **more: object) -> dict[str, object]:
    verdict = {"state": text, "at": None, "because": [text]}
    return {**dict.fromkeys(MEMBERS, text), "version": 1, "number": 1, "verdict": verdict, **more}


def page(member: str, items: list[dict[str, Any]], following: str | None) -> bytes:
    return json.dumps({member: items, "next": following}, ensure_ascii=False).encode()


def of_texts(member: str) -> bytes:
    """As much text as two pages may have together, on many rows."""
    count = 4000
    length = (ANSWER_SIZE_BYTES_MAX - 2**20) // count // len(OTHERS.encode()) // (len(MEMBERS) + 2) - 5
    return page(member, [item(OTHERS * length, accepted_at="a")] * count, None)


def of_rows(member: str) -> bytes:
    """As many rows as an answer may have."""
    return page(member, [item("a", accepted_at="a")] * (ANSWER_NODES_MAX // (len(MEMBERS) + 10)), None)


def without_an_end(member: str) -> bytes:
    """Of the smallest values, and always another page."""
    return page(member, [{"a": 0}] * (ANSWER_NODES_MAX // 2 - 10), "more")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving(FakeApi()) as served:
        yield served


@pytest.fixture
def key(tmp_path: Path) -> Path:
    write_key_file(tmp_path / "ana.key", keys_of(ANA))
    return tmp_path / "ana.key"


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("shown", [of_texts, of_rows, without_an_end])
def test_a_list_of_a_hostile_server_ends_soon_and_in_little_memory(
    shown: Callable[[str], bytes], command: str, api: FakeApi, key: Path, tmp_path: Path
) -> None:
    path, member = LISTS[command]
    api.shows[path] = shown(member)
    cost = cost_of_command(*command.split(), "--api", api.url, "--key", str(key), into=tmp_path)
    assert cost.said in ({1} if shown is without_an_end else {0}), cost
    assert cost.is_soon_and_small(), cost


@pytest.mark.parametrize("lines", [[OTHERS * 300] * (ANSWER_SIZE_BYTES_MAX // 3700), ["a"] * 90_000])
def test_what_a_hostile_server_explains_is_told_soon_and_in_little_memory(
    lines: list[str], api: FakeApi, key: Path, tmp_path: Path
) -> None:
    api.shows[f"/v1/claims/{CLAIM}/explain"] = json.dumps(
        {"lines": lines, "premises": []}, ensure_ascii=False
    ).encode()
    cost = cost_of_command("claim", "explain", CLAIM, "--api", api.url, "--key", str(key), into=tmp_path)
    assert cost.said == 0, cost
    assert cost.is_soon_and_small(), cost


def findings() -> bytes:
    """An agreement in which the linter finds as much as it can."""
    document: Any = json.loads(json.dumps(encode_object(AGREEMENT)))
    entries = ["../a"] * (JSON_NODES_MAX // COMPONENTS_MAX - 20)
    one = document["components"][0]
    document["components"] = [
        {**one, "id": f"c-{n}", "required_entries": entries} for n in range(COMPONENTS_MAX)
    ]
    return json.dumps(document).encode()


def one_item_again_and_again() -> bytes:
    document: Any = json.loads(json.dumps(encode_object(AGREEMENT)))
    document["conditions"][0]["when"] = {"all_of": [document["evidence"][0]["id"]] * (JSON_NODES_MAX - 2000)}
    return json.dumps(document).encode()


STANZA: Final = b"-> X25519 " + 43 * b"A" + b"\n" + 43 * b"A" + b"\n"
FILES: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "words on many lines": ("a.yaml", lambda: b"a:\n" + filled(b" x\n", AGREEMENT_SIZE_BYTES_MAX - 9)),
    "empty lines of a block": (
        "a.yaml",
        lambda: b"a: |\n" + filled(b"\n", AGREEMENT_SIZE_BYTES_MAX - 9) + b" x",
    ),
    "values": ("a.yaml", lambda: b"a: [" + filled(b"[],", AGREEMENT_SIZE_BYTES_MAX - 9) + b"]"),
    "deep": ("a.yaml", lambda: filled(b"[", AGREEMENT_SIZE_BYTES_MAX)),
    "findings": ("a.json", findings),
    "a condition that names one item again and again": ("a.json", one_item_again_and_again),
    "headers of a mail": ("a.eml", lambda: filled(b"A: b\n", LETTER_FILE_SIZE_BYTES_MAX - 9) + b"\nx"),
    "parts of a mail": (
        "a.eml",
        lambda: (
            b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
            + filled(b"--x\n\n", LETTER_FILE_SIZE_BYTES_MAX - 99)
        ),
    ),
    "stanzas of an age file": ("a.age", lambda: b"age-encryption.org/v1\n" + STANZA * 20_000),
    "a line of an age file": ("a.age", lambda: b"age-encryption.org/v1\n" + bytes(50_000_000)),
}
CHECKS: Final = {
    ".yaml": ("agreement", "check"),
    ".json": ("agreement", "check"),
    ".eml": ("letter", "check"),
    ".age": ("age", "decrypt", "-i", "identity"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_answered_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    called, content = FILES[name]
    file = tmp_path / called
    file.write_bytes(content())
    (tmp_path / "identity").write_text(keys_of(ANA).age_identity)
    words = [str(tmp_path / word) if word == "identity" else word for word in CHECKS[file.suffix]]
    cost = cost_of_command(*words, str(file), into=tmp_path)
    assert cost.said == 1, cost
    assert cost.is_soon_and_small(), cost
