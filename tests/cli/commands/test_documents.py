"""A claim's documents are listed from its verified record, and opened with the reader's own key alone."""

import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from tallystick.crypto.age import NoIdentityMatchesError, open_bytes, parse_recipient, seal_bytes
from tallystick.crypto.envelope import Envelope, envelope_json
from tallystick.desk.clock import now
from tallystick.desk.files import read_envelope
from tallystick.domain.agreement.agreement import readers
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import PersonId
from tallystick.domain.statements.acts import Hold, Objection, ProofOfService
from tallystick.domain.statements.orders import Ruling
from tallystick.limits.storage import EVIDENCE_BLOB_BYTES_MAX
from tallystick.proof.reading import read_signed
from tests.cli.conftest import Office, Ran, show_agreement, show_claim
from tests.support.sites.fake_api import HANGS_UP, Answer
from tests.support.worlds.agreements import ABE, AGREEMENT, ANA, BEA, DORA, KIM, PEOPLE
from tests.support.worlds.deliveries import Release, digest_of

READERS = tuple(reader.id for reader in readers(AGREEMENT))
CONTENT = b"\x1b]0;title\x07\x1b[31mThe record.\n"
RECORD, DECLARATION = "insolvency-record", "officer-declaration"


def sealed(plain: bytes, to: tuple[PersonId, ...] = READERS) -> bytes:
    return seal_bytes(plain, [parse_recipient(PEOPLE[one].person.age_recipient) for one in to])


def has(office: Office, release: Release, record: tuple[bytes, bytes], *, size: int | None = None) -> Release:
    """Show a claim whose first document is `record`, plain and as a store has it; no store has the other."""
    attached = replace(release, attached={RECORD: record})
    show_agreement(office.api, attached)
    show_claim(office.api, attached)
    office.api.blobs[digest_of(record[1])] = record[1]
    size = len(record[1]) if size is None else size
    office.api.shows[f"/v1/claims/{attached.claim}/documents"] = {
        "documents": [{"number": 1, "size_bytes": size}, {"number": 2, "size_bytes": None}],
        "next": None,
    }
    return attached


def opens(office: Office, claimed: Release, person: PersonId, number: int = 1, out: str = "x.pdf") -> Ran:
    words = ("claim", "documents", claimed.claim, "--open", str(number), "--out", out)
    return office.run(*words, "--json", person=person)


def fetched(office: Office) -> list[str]:
    return [asked for asked in office.api.asked if asked.startswith("GET /v1/blobs/")]


def leftovers(office: Office) -> list[str]:
    return sorted(file.name for file in office.folder.iterdir() if ".key" not in file.name)


@pytest.mark.parametrize("plain", [CONTENT, b"", bytes(200_000)], ids=["some", "none", "more than a chunk"])
def test_a_reader_opens_a_document_into_a_private_new_file(
    plain: bytes, office: Office, release: Release
) -> None:
    claimed = has(office, release, (plain, sealed(plain)))
    ran = opens(office, claimed, ANA)
    assert (ran.code, ran.json["opened"], ran.json["number"]) == (0, False, 1), ran.err
    out = Path("x.pdf")
    assert (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)) == (plain, 0o600)
    assert b"title" not in ran.out.encode() + ran.err.encode()
    assert leftovers(office) == ["x.pdf"]


def test_what_was_opened_is_remembered_for_that_key_alone(office: Office, release: Release) -> None:
    claimed = has(office, release, (CONTENT, sealed(CONTENT)))
    listing = ("claim", "documents", claimed.claim)
    before = office.run(*listing, person=ANA)
    assert "you have opened 0 of 2 documents" in before.out
    assert opens(office, claimed, ANA).code == 0
    after = office.run(*listing, person=ANA)
    assert "you have opened 1 of 2 documents" in after.out
    assert f'not opened: 2 "{DECLARATION}" by {BEA}' in after.out
    assert "you have opened 0 of 2 documents" in office.run(*listing, person=KIM).out


def test_the_list_says_whose_each_is_and_whether_a_store_has_it(office: Office, release: Release) -> None:
    raw = sealed(CONTENT)
    claimed = has(office, release, (CONTENT, raw))
    ran = office.run("claim", "documents", claimed.claim, person=ANA)
    assert ran.code == 0, ran.err
    for told in (
        f'1  "{RECORD}" by {BEA}, dated 2026-11-22T09:00:00Z',
        f"named in the claim {claimed.claim}",
        f"plain {digest_of(CONTENT)}",
        f"sealed {digest_of(raw)}, {len(raw)} bytes, not opened by you",
        "in no store, not opened by you",
        f"sealed to {', '.join(READERS)}",
    ):
        assert told in ran.out
    listed = office.run("claim", "documents", claimed.claim, "--json", person=ANA).json
    assert (listed["you_read"], listed["readers"]) == (True, list(READERS))
    assert [one["size_bytes"] for one in listed["documents"]] == [len(raw), None]


def test_whoever_is_no_reader_is_told_so_before_anything_is_fetched(office: Office, release: Release) -> None:
    claimed = has(office, release, (CONTENT, sealed(CONTENT)))
    ran = opens(office, claimed, BEA)
    assert (ran.code, ran.problem["code"]) == (1, "not-a-reader")
    assert ran.problem["facts"]["readers"] == list(READERS)
    assert (fetched(office), leftovers(office)) == ([], [])
    assert "your key opens none of them" in office.run("claim", "documents", claimed.claim, person=BEA).out


def test_a_document_that_was_sealed_to_fewer_is_told_to_whom_was_left_out(
    office: Office, release: Release
) -> None:
    without = tuple(one for one in READERS if one != ANA)
    claimed = has(office, release, (CONTENT, sealed(CONTENT, without)))
    ran = opens(office, claimed, ANA)
    assert (ran.code, ran.problem["code"], leftovers(office)) == (1, "no-identity-matches", [])
    assert opens(office, claimed, KIM).code == 0


def test_another_document_than_was_signed_is_not_kept(office: Office, release: Release) -> None:
    claimed = has(office, release, (CONTENT, sealed(b"Another record.\n")))
    ran = opens(office, claimed, ANA)
    assert (ran.code, ran.problem["code"], leftovers(office)) == (1, "another-document", [])
    assert ran.problem["facts"]["signed"] == digest_of(CONTENT)
    listed = office.run("claim", "documents", claimed.claim, person=ANA)
    assert "you have opened 0 of 2 documents" in listed.out


def test_other_bytes_than_were_sealed_are_not_opened(office: Office, release: Release) -> None:
    raw = sealed(CONTENT)
    claimed = has(office, release, (CONTENT, raw))
    office.api.blobs[digest_of(raw)] = sealed(CONTENT)
    ran = opens(office, claimed, ANA)
    assert (ran.code, ran.problem["code"], leftovers(office)) == (1, "blob-altered", [])


@pytest.mark.parametrize("there", ["a file", "a link", "a broken link", "a folder"])
def test_nothing_that_has_the_name_is_overwritten(there: str, office: Office, release: Release) -> None:
    claimed = has(office, release, (CONTENT, sealed(CONTENT)))
    out, other = Path("x.pdf"), Path("other.pdf")
    if there == "a file":
        out.write_text("mine")
    elif there == "a folder":
        out.mkdir()
    else:
        out.symlink_to(other)
    if there == "a link":
        other.write_text("mine")
    ran = opens(office, claimed, ANA)
    assert (ran.code, ran.problem["code"], fetched(office)) == (1, "file-unusable", [])
    assert "is there already" in ran.problem["detail"]
    assert not other.exists() or other.read_text() == "mine"


def test_a_folder_that_is_not_there_is_told(office: Office, release: Release) -> None:
    claimed = has(office, release, (CONTENT, sealed(CONTENT)))
    ran = opens(office, claimed, ANA, out="nowhere/record.pdf")
    assert (ran.code, ran.problem["code"]) == (1, "file-unusable")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        *[(number, "no-such-document") for number in (0, -1, 3)],
        (2, "document-not-stored"),
    ],
)
def test_a_document_that_is_not_there_is_not_opened(
    number: int, code: str, office: Office, release: Release
) -> None:
    claimed = has(office, release, (CONTENT, sealed(CONTENT)))
    ran = opens(office, claimed, ANA, number)
    assert (ran.code, ran.problem["code"], fetched(office)) == (1, code, [])


@pytest.mark.parametrize("size", [EVIDENCE_BLOB_BYTES_MAX + 1, -1])
def test_a_size_that_no_document_has_is_not_fetched(size: int, office: Office, release: Release) -> None:
    claimed = has(office, release, (CONTENT, sealed(CONTENT)), size=size)
    ran = opens(office, claimed, ANA)
    assert (ran.code, ran.problem["code"], fetched(office)) == (1, "document-too-large", [])


def test_a_number_and_a_file_go_together(office: Office, release: Release) -> None:
    assert office.run("claim", "documents", release.claim, "--open", "1", person=ANA).code == 2
    assert office.run("claim", "documents", release.claim, "--out", "x", person=ANA).code == 2


def test_a_signer_is_told_what_they_have_opened_and_what_not(office: Office, release: Release) -> None:
    claimed = has(office, release, (CONTENT, sealed(CONTENT)))
    assert opens(office, claimed, ANA).code == 0
    deny = ("deny", claimed.claim, "--reason", "No.")
    told = office.run(*deny, person=ANA, answer="n\n").err
    assert "you have opened 1 of 2 documents" in told
    assert f'not opened: 2 "{DECLARATION}" by {BEA}' in told
    assert told.index("you have opened") < told.index("to be signed now")
    assert "you have opened 0 of 2 documents" in office.run(*deny, "--yes", person=KIM).err


def brings(office: Office, claim: str, *words: str, act: str = "object", answer: str = "") -> Ran:
    ground = (
        ("--ground", "cured", "--explanation", "We have paid.") if act == "object" else ("--reason", "So.")
    )
    yes = () if answer else ("--yes",)
    person = DORA if act == "object" else KIM
    return office.run(act, claim, *ground, *words, *yes, person=person, answer=answer)


def test_an_objection_goes_out_before_its_documents_which_only_their_readers_open(
    office: Office, release: Release
) -> None:
    Path("paid.pdf").write_bytes(CONTENT)
    ran = brings(office, release.claim, "--document", "receipt@2026-11-20=paid.pdf")
    assert ran.code == 0, ran.err
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, Objection)
    (one,) = body.documents
    assert (one.name, one.plain_digest) == ("receipt", digest_of(CONTENT))
    assert one.issued_at == datetime(2026, 11, 20, tzinfo=UTC)
    raw = office.api.blobs[one.sealed_digest]
    assert all(open_bytes(raw, [PEOPLE[reader].identity]) == CONTENT for reader in READERS)
    with pytest.raises(NoIdentityMatchesError):
        open_bytes(raw, [PEOPLE[BEA].identity])
    asked = [one.split("?")[0].split("/v1/")[0] + one.split("/v1/")[1][:6] for one in office.api.asked]
    assert asked.index("POST claims") < asked.index("PUT blobs/")
    assert 'document "receipt", dated 2026-11-20T00:00:00Z, sha256:' in ran.err


def test_a_hold_brings_documents_too_and_they_need_no_date(office: Office, release: Release) -> None:
    Path("order.pdf").write_bytes(CONTENT)
    assert brings(office, release.claim, "--document", "order=order.pdf", act="hold").code == 0
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, Hold)
    assert [(one.name, one.issued_at) for one in body.documents] == [("order", None)]


def test_an_objection_stands_though_its_document_finds_no_room_and_the_document_follows(
    office: Office, release: Release
) -> None:
    Path("paid.pdf").write_bytes(CONTENT)
    words = ("--document", "receipt=paid.pdf")
    office.api.fails = FailsPuts(FULL)
    ran = brings(office, release.claim, *words)
    assert (ran.code, ran.problem["code"]) == (1, "documents-to-follow")
    (envelope,) = office.sent()
    office.api.fails = {}
    recorded(office, envelope)
    ran = office.run("claim", "resend", release.claim, "--json", person=DORA)
    assert (ran.code, ran.json["documents"]) == (0, ["receipt"]), ran.err
    body = read_signed(envelope, AGREEMENT).body
    assert isinstance(body, Objection)
    assert body.documents[0].sealed_digest in office.api.blobs


def test_a_repeated_objection_is_the_same_one_with_the_same_documents(
    office: Office, release: Release
) -> None:
    Path("paid.pdf").write_bytes(CONTENT)
    words = ("--document", "receipt=paid.pdf")
    office.api.fails[f"POST /v1/claims/{release.claim}/objections"] = [(HANGS_UP, None)]
    assert brings(office, release.claim, *words).code == 3
    assert brings(office, release.claim, *words).code == 0
    (envelope,) = office.sent()
    body = read_signed(envelope, AGREEMENT).body
    assert isinstance(body, Objection)
    assert {one.sealed_digest for one in body.documents} == set(office.api.blobs)


def test_who_says_no_has_sent_nothing_and_keeps_no_sealed_file(office: Office, release: Release) -> None:
    Path("paid.pdf").write_bytes(CONTENT)
    ran = brings(office, release.claim, "--document", "receipt=paid.pdf", answer="n\n")
    assert (ran.code, office.sent(), office.api.blobs) == (1, [], {})
    left = [file.name for file in office.folder.rglob("*.age")]
    assert left == []


@pytest.mark.parametrize(
    "given", ["paid.pdf", "=paid.pdf", "a b=paid.pdf", "../x=paid.pdf", "x@never=paid.pdf", "x@2026-13-01=p"]
)
def test_a_document_without_a_plain_name_or_date_is_wrong_usage(
    given: str, office: Office, release: Release
) -> None:
    assert brings(office, release.claim, "--document", given).code == 2


@pytest.mark.parametrize("there", ["nothing", "a folder"])
def test_a_document_that_cannot_be_read_is_told_before_anything_is_signed(
    there: str, office: Office, release: Release
) -> None:
    if there == "a folder":
        Path("paid.pdf").mkdir()
    ran = brings(office, release.claim, "--document", "receipt=paid.pdf")
    assert (ran.code, ran.problem["code"], office.sent()) == (1, "file-unusable", [])


FULL = {"code": "blob-quota", "detail": "no room left", "title": "t", "advice": "a"}


def rules(office: Office, claim: str, outcome: str, *words: str) -> Ran:
    Path("award.pdf").write_bytes(CONTENT)
    said = ("--authority", "arbitration", "--outcome", outcome, "--reason", "Heard.")
    return office.run("rule", claim, *said, "--document", "award=award.pdf", *words, "--yes", person=KIM)


def test_an_order_to_release_is_not_sent_without_its_papers(office: Office, release: Release) -> None:
    office.api.fails = FailsPuts(FULL)
    ran = rules(office, release.claim, "release")
    assert (ran.code, ran.problem["code"], office.sent()) == (1, "blob-quota", [])
    office.api.fails = {}
    assert rules(office, release.claim, "release").code == 0
    (envelope,) = office.sent()
    body = read_signed(envelope, AGREEMENT).body
    assert isinstance(body, Ruling)
    assert {one.sealed_digest for one in body.documents} == set(office.api.blobs)


def test_an_order_to_refuse_is_sent_whatever_becomes_of_its_papers(office: Office, release: Release) -> None:
    office.api.fails = FailsPuts(FULL)
    ran = rules(office, release.claim, "refuse")
    assert (ran.code, ran.problem["code"], len(office.sent())) == (1, "documents-to-follow", 1)


def test_papers_of_an_order_that_others_sign_as_well_are_in_the_stores(
    office: Office, release: Release
) -> None:
    assert rules(office, release.claim, "release", "--out", "order.json").code == 0
    body = read_signed(read_envelope(Path("order.json")), AGREEMENT).body
    assert isinstance(body, Ruling)
    assert ({one.sealed_digest for one in body.documents}, office.sent()) == (set(office.api.blobs), [])


def test_a_ruling_names_by_number_what_it_rests_on(office: Office, release: Release) -> None:
    ran = rules(office, release.claim, "refuse", "--rests-on", "2", "--rests-on", "1")
    assert ran.code == 0, ran.err
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, Ruling)
    assert body.rests_on == tuple(digest_of(one.encode()) for one in (DECLARATION, RECORD))
    assert f"rests on the document {body.rests_on[0]}" in ran.err
    ran = rules(office, release.claim, "refuse", "--rests-on", "3")
    assert (ran.code, ran.problem["code"]) == (1, "ruling-incomplete")


SERVED: Final = ("--method", "courier", "--day", "2026-11-27", "--document", "receipt=slip.pdf")


def test_the_paper_of_a_proof_of_service_is_in_the_stores_before_it_is_handed_on(
    office: Office, release: Release
) -> None:
    Path("slip.pdf").write_bytes(CONTENT)
    ran = office.run("prove-service", release.claim, *SERVED, "--out", "proof.json", "--yes", person=ANA)
    assert ran.code == 0, ran.err
    assert "served on 2026-11-27 by courier" in ran.err
    ((sealed_digest, raw),) = office.api.blobs.items()
    assert all(open_bytes(raw, [PEOPLE[reader].identity]) == CONTENT for reader in READERS)
    assert office.sent() == []
    ran = office.run("prove-service", release.claim, "--cosign", "proof.json", "--yes", person=ABE)
    assert ran.code == 0, ran.err
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, ProofOfService)
    assert [one.sealed_digest for one in body.documents] == [sealed_digest]


def test_a_proof_of_service_whose_paper_finds_no_room_is_not_signed(office: Office, release: Release) -> None:
    Path("slip.pdf").write_bytes(CONTENT)
    office.api.fails = FailsPuts(
        {"code": "blob-quota", "detail": "no room left", "title": "t", "advice": "a"}
    )
    ran = office.run("prove-service", release.claim, *SERVED, "--out", "proof.json", "--yes", person=ANA)
    assert (ran.code, ran.problem["code"], Path("proof.json").exists()) == (1, "blob-quota", False)


class FailsPuts(dict[str, list[Answer]]):
    """Refuses each part of a blob."""

    def __init__(self, problem: dict[str, str]) -> None:
        self._problem = problem

    def get(self, asked: str, default: object = None) -> Any:  # noqa: ANN401
        return self[asked] if asked.startswith("PUT ") else default

    def __getitem__(self, asked: str) -> list[Answer]:
        return [(507, self._problem)]


def recorded(office: Office, envelope: Envelope) -> None:
    """Have the server show the claim with this statement on its record."""
    shown = office.world.shown
    entry = {"index": len(shown), "accepted_at": instant_text(now()), "envelope": envelope_json(envelope)}
    office.api.shows[f"/v1/claims/{office.world.release.claim}/record"] = {
        "entries": [*shown, entry],
        "next": None,
    }
