"""A person is shown the very bytes they sign, and nothing is signed or sent without a yes."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from tallystick.crypto.envelope import (
    Envelope,
    body_of,
    envelope_bytes,
    envelope_from_json,
    parse_envelope,
    sign,
    statement_id,
)
from tallystick.crypto.keys import SigningKey
from tallystick.desk.kept.pins import read_pins
from tallystick.domain.comparison_words import comparison_words
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import ActBody
from tallystick.domain.statements.orders import Ruling
from tallystick.domain.statements.signed import Entry
from tallystick.proof.reading import read_signed
from tests.cli.conftest import Office, show_claim
from tests.support.sites.fake_api import HANGS_UP
from tests.support.worlds.agreements import ABE, AGREEMENT, ANA, BEA, DORA, KIM, PEOPLE, TOM
from tests.support.worlds.deliveries import Release, digest_of
from tests.support.worlds.escrows import ReleaseWorld

OTHER = "sha256:" + 64 * "1"

Act: TypeAlias = tuple[PersonId, tuple[str, ...], Kind, str, dict[str, object]]

ACTS: list[Act] = [
    (ANA, ("intake",), Kind.INTAKE, "intakes", {"accepted": True}),
    (
        ANA,
        ("intake", "--refuse", "--reason", "no date"),
        Kind.INTAKE,
        "intakes",
        {"accepted": False, "reasons": ["no date"]},
    ),
    (DORA, ("acknowledge",), Kind.NOTICE_ACKNOWLEDGEMENT, "acknowledgements", {}),
    (KIM, ("approve",), Kind.APPROVAL, "approvals", {"stages": ["critical"]}),
    (DORA, ("approve",), Kind.APPROVAL, "approvals", {"stages": ["critical"], "purpose": "release"}),
    (
        KIM,
        ("approve", "--stage", "critical", "--expires", "2027-01-01T00:00:00Z", "--reason", "in order"),
        Kind.APPROVAL,
        "approvals",
        {"stages": ["critical"], "expires_at": "2027-01-01T00:00:00Z", "reason": "in order"},
    ),
    (KIM, ("deny", "--reason", "no"), Kind.DENIAL, "denials", {"reason": "no"}),
    (
        DORA,
        ("object", "--ground", "cured", "--explanation", "We pay.", "--stage", "critical"),
        Kind.OBJECTION,
        "objections",
        {"ground": "cured", "explanation": "We pay.", "stages": ["critical"]},
    ),
    (DORA, ("retract", OTHER, "--reason", "settled"), Kind.RETRACTION, "retractions", {"of": OTHER}),
    (
        BEA,
        ("withdraw", "--reason", "cured", "--explanation", "paid"),
        Kind.WITHDRAWAL,
        "withdrawals",
        {"reason": "cured"},
    ),
    (ANA, ("hold", "--reason", "an injunction"), Kind.HOLD, "holds", {"reason": "an injunction"}),
    (
        BEA,
        ("return", "--method", "shredded", "--certificate", "C-1"),
        Kind.RETURN,
        "returns",
        {"components": ["docs"], "method": "shredded"},
    ),
    (
        KIM,
        (
            "rule",
            "--authority",
            "arbitration",
            "--outcome",
            "refuse",
            "--document",
            "award=award.txt",
            "--reason",
            "x",
        ),
        Kind.RULING,
        "rulings",
        {"authority": "arbitration", "outcome": "refuse"},
    ),
    (
        DORA,
        ("instruct", "--outcome", "release", "--reason", "agreed"),
        Kind.JOINT_INSTRUCTION,
        "joint-instructions",
        {"outcome": "release"},
    ),
    (
        ANA,
        ("lift", "--hold", OTHER, "--reason", "over"),
        Kind.HOLD_LIFT,
        "hold-lifts",
        {"hold": OTHER, "reason": "over"},
    ),
]


def placed(words: tuple[str, ...], claim: str) -> list[str]:
    return [words[0], claim, *words[1:]]


def lines_asked(told: str) -> list[str]:
    """Return the lines of the statement, from the sentence that says what it does to the question."""
    begin = next(line for line in told.splitlines() if line.startswith(f"{ANA} "))
    return told[told.index(begin) : told.index("Sign this?")].splitlines()


def only(office: Office) -> tuple[str, Envelope]:
    (sent,) = office.api.posted
    return sent


@pytest.mark.parametrize(("person", "words", "kind", "noun", "says"), ACTS, ids=lambda v: str(v)[:24])
def test_act_is_signed_by_its_author_about_this_claim_and_sent(
    *,
    person: PersonId,
    words: tuple[str, ...],
    kind: Kind,
    noun: str,
    says: dict[str, object],
    office: Office,
    release: Release,
) -> None:
    Path("award.txt").write_text("Award.\n")
    ran = office.run(*placed(words, release.claim), "--yes", "--json", person=person)
    assert ran.code == 0, ran.err
    path, envelope = only(office)
    signed, body = read_signed(envelope, AGREEMENT), body_of(envelope)
    assert path == f"/v1/claims/{release.claim}/{noun}"
    assert (signed.kind, signed.signers) == (
        kind,
        frozenset({AGREEMENT.person(person).signing_key}),
    )
    assert {**body, **says} == body
    assert (body["claim"], body["person"]) == (release.claim, person)
    assert body["agreement_digest"] == statement_id(release.agreement)
    assert ran.json["statement"] == signed.id


@pytest.mark.parametrize(("person", "words"), [(act[0], act[1]) for act in ACTS], ids=lambda v: str(v)[:24])
def test_an_act_names_the_longest_log_that_its_author_has_verified_if_there_is_one(
    person: PersonId, words: tuple[str, ...], office: Office, release: Release
) -> None:
    Path("award.txt").write_text("Award.\n")
    for seen in (None, office.remembers_log):
        expected = None if seen is None else seen(person)
        office.api.posted.clear()
        ran = office.run(*placed(words, release.claim), "--yes", "--json", person=person)
        assert ran.code == 0, ran.err
        body = read_signed(only(office)[1], AGREEMENT).body
        assert isinstance(body, ActBody)
        assert body.ledger_seen == expected
        assert ("having verified the ledger: 7 entries" in ran.err) is (expected is not None)


@pytest.mark.parametrize(("person", "words", "kind", "noun", "says"), ACTS, ids=lambda v: str(v)[:24])
def test_nothing_is_sent_without_a_yes(
    *,
    person: PersonId,
    words: tuple[str, ...],
    kind: Kind,
    noun: str,
    says: dict[str, object],
    office: Office,
    release: Release,
) -> None:
    Path("award.txt").write_text("Award.\n")
    ran = office.run(*placed(words, release.claim), person=person, answer="n\n")
    assert (ran.code, office.sent()) == (1, [])
    assert "Sign this?" in ran.err


def test_nobody_signs_unasked_where_there_is_no_terminal(office: Office, release: Release) -> None:
    ran = office.run("deny", release.claim, "--reason", "no", person=KIM)
    assert (ran.code, ran.problem["code"], office.sent()) == (1, "nobody-to-ask", [])


def test_what_is_signed_is_what_was_shown(office: Office, release: Release) -> None:
    ran = office.run("deny", release.claim, "--reason", "no", person=KIM, answer="y\n")
    assert f"statement {statement_id(office.sent()[0])}" in ran.err[: ran.err.index("Sign this?")]


def test_what_a_signature_does_stands_right_before_the_question_however_much_others_have_stated(
    office: Office, release: Release
) -> None:
    ran = office.run("deny", release.claim, "--reason", "no", person=KIM, answer="y\n")
    asked = ran.err[: ran.err.index("Sign this?")].splitlines()
    first = next(line for line in asked if line.startswith(f"{KIM} "))
    assert len(asked) > 10
    assert (asked[-1], asked.count(first)) == (first, 2)


def test_nothing_is_called_signed_before_the_answer(office: Office, release: Release) -> None:
    ran = office.run("deny", release.claim, "--reason", "no", "--out", "denial.json", person=KIM)
    assert ran.code == 2, "one person's act is not handed on"
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "lift.json")
    ran = office.run(*first, person=ANA, answer="n\n")
    assert (ran.code, Path("lift.json").exists()) == (1, False)
    ran = office.run(*first, person=ANA, answer="y\n")
    assert ran.err.index("Sign this?") < ran.err.index("1 signature\n")


def test_what_is_signed_is_shown_first(office: Office, release: Release) -> None:
    ran = office.run("approve", release.claim, "--stage", "critical", person=KIM, answer="y\n")
    assert ran.code == 0, ran.err
    shown = ran.err[: ran.err.index("Sign this?")]
    for told in (
        release.claim,
        " ".join(comparison_words(release.claim)),
        "Insolvency with disruption",
        "licence-keys, activation-rules",
        f"{KIM} approves the release of critical",
        "its record says: state ACCEPTED",
    ):
        assert told in shown


def test_a_signer_reads_what_others_have_stated_and_what_is_not_released(
    office: Office, release: Release
) -> None:
    denial = office.world.denies(TOM, stages=["critical"])
    ran = office.run("approve", release.claim, "--stage", "critical", person=KIM, answer="n\n")
    shown = ran.err[: ran.err.index("Sign this?")].splitlines()
    assert "what persons have stated about this claim: 5 statements" in shown
    place = shown.index("- 2026-11-24T09:00:00Z: tom@marlowe denies the release of critical")
    assert shown[place + 1] == f"  statement {denial.signed.id}"
    assert '  reason: "the record is of another company"' in shown[place:]
    assert "this does not release stage source: source" in shown
    assert office.sent() == []


def test_a_signer_reads_whose_key_was_revoked(office: Office, release: Release) -> None:
    office.world.revokes(TOM, ANA, KIM)
    ran = office.run("deny", release.claim, "--reason", "no", person=KIM, answer="n\n")
    shown = ran.err[: ran.err.index("Sign this?")].splitlines()
    (place,) = [number for number, line in enumerate(shown) if line.endswith(f"revokes the key of {TOM}")]
    assert shown[place + 2] == f"  key {PEOPLE[TOM].signing_key.public_key}"


def shows_besides(office: Office, kind: Kind, author: PersonId, key: SigningKey, **says: object) -> None:
    """Let the server show a statement that nobody has admitted."""
    world = office.world
    envelope, signed = world.signs(kind, [key], world.body(kind, author, **says))
    entry = Entry(index=len(world.record), accepted_at=world.now, signed=signed)
    world.record.append((envelope, entry))


def test_a_statement_that_the_server_made_up_stops_the_signing(office: Office, release: Release) -> None:
    shows_besides(office, Kind.DENIAL, TOM, PEOPLE[BEA].signing_key, reason="forged papers")
    ran = office.run("approve", release.claim, "--stage", "critical", "--yes", person=KIM)
    assert (ran.code, office.sent()) == (1, [])
    assert ran.problem["code"] == "not-authorised-to-state"


def test_a_statement_that_nobody_would_have_admitted_stops_the_signing(
    office: Office, release: Release
) -> None:
    shows_besides(office, Kind.NOTICE_ACKNOWLEDGEMENT, KIM, PEOPLE[KIM].signing_key)
    ran = office.run("approve", release.claim, "--stage", "critical", "--yes", person=KIM)
    assert (ran.problem["code"], office.sent()) == ("not-authorised-to-state", [])


def test_what_the_server_says_of_a_claim_changes_nothing_that_is_shown(
    office: Office, release: Release
) -> None:
    office.api.shows[f"/v1/claims/{release.claim}"] = {"state": "RELEASED", "stages": []}
    ran = office.run("approve", release.claim, person=KIM, answer="y\n")
    assert body_of(office.sent()[0])["stages"] == ["critical"]
    assert "its record says: state ACCEPTED" in ran.err


def test_a_record_from_the_future_is_not_signed_upon(office: Office, release: Release) -> None:
    filing, entry = office.world.record[0]
    ahead = datetime.now(UTC) + timedelta(minutes=6)
    office.world.record[:] = [(filing, replace(entry, accepted_at=ahead.replace(microsecond=0)))]
    ran = office.run("approve", release.claim, "--yes", person=KIM)
    assert (ran.problem["code"], office.sent()) == ("record-refused", [])


def test_an_empty_record_is_no_claim(office: Office, release: Release) -> None:
    office.world.record.clear()
    ran = office.run("approve", release.claim, "--yes", person=KIM)
    assert (ran.problem["code"], office.sent()) == ("record-refused", [])


def test_approval_counts_as_long_as_the_agreement_allows(office: Office, release: Release) -> None:
    office.run("approve", release.claim, "--yes", person=KIM)
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert (getattr(body, "expires_at") - body.issued_at).days == 30  # noqa: B009 - of an approval


def test_person_whom_no_quorum_names_approves_nothing(office: Office, release: Release) -> None:
    ran = office.run("approve", release.claim, "--yes", person=BEA)
    assert (ran.problem["code"], office.sent()) == ("not-authorised-to-state", [])


def test_refusal_of_intake_needs_a_reason(office: Office, release: Release) -> None:
    assert office.run("intake", release.claim, "--refuse", "--yes", person=ANA).code == 2


def test_claim_that_the_server_swapped_is_not_signed(
    office: Office, release: Release, tmp_path: Path
) -> None:
    other = Release(scratch=tmp_path / "other", number=4)
    office.api.shows[f"/v1/claims/{other.claim}/record"] = {"entries": office.world.shown}
    ran = office.run("approve", other.claim, "--yes", person=KIM)
    assert (ran.problem["code"], office.sent()) == ("unexpected-claim", [])
    assert read_pins(office.key(KIM).with_name(f"{KIM}.key.trust")).agreements == {}, "the server chose it"


def test_statement_in_a_file_about_another_claim_is_neither_signed_nor_sent(
    office: Office, release: Release, tmp_path: Path
) -> None:
    other = Release(scratch=tmp_path / "other", number=4)
    show_claim(office.api, other)
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "lift.json", "--yes")
    assert office.run(*first, person=ANA).code == 0
    for way in ("--cosign", "--send"):
        ran = office.run("lift", other.claim, way, "lift.json", "--yes", person=KIM)
        assert (ran.problem["code"], office.sent()) == ("misdirected", [])


def test_ruling_names_its_papers_by_digest(office: Office, release: Release) -> None:
    Path("award.txt").write_text("Award.\n")
    words = ("--authority", "arbitration", "--outcome", "refuse", "--reason", "r")
    office.run("rule", release.claim, *words, "--document", "award=award.txt", "--yes", person=KIM)
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, Ruling)
    (paper,) = body.documents
    assert (paper.name, paper.plain_digest) == ("award", digest_of(b"Award.\n"))
    assert paper.sealed_digest in office.api.blobs


# Several persons, one envelope.


def test_envelope_goes_from_signer_to_signer_and_is_sent_by_the_last(
    office: Office, release: Release
) -> None:
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "lift.json", "--yes")
    assert office.run(*first, person=ANA).code == 0
    assert office.sent() == []
    assert office.run("lift", release.claim, "--cosign", "lift.json", "--yes", person=KIM).code == 0
    path, envelope = only(office)
    signers = frozenset(AGREEMENT.person(person).signing_key for person in (ANA, KIM))
    assert (path, read_signed(envelope, AGREEMENT).signers) == (
        f"/v1/claims/{release.claim}/hold-lifts",
        signers,
    )


def test_cosigner_sees_what_the_first_has_said(office: Office, release: Release) -> None:
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "lift.json", "--yes")
    office.run(*first, person=ANA)
    ran = office.run("lift", release.claim, "--cosign", "lift.json", person=KIM, answer="n\n")
    assert (ran.code, office.sent()) == (1, [])
    assert 'reason: "over"' in ran.err
    assert f"{ANA} lifts a hold" in ran.err


def test_cosigner_reads_the_same_lines_as_the_first(office: Office, release: Release) -> None:
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "lift.json")
    read = office.run(*first, person=ANA, answer="y\n").err
    read_again = office.run("lift", release.claim, "--cosign", "lift.json", person=KIM, answer="n\n").err
    assert lines_asked(read) == lines_asked(read_again)
    assert len(lines_asked(read)) > 10


def test_envelope_is_handed_on_and_sent_as_it_is(office: Office, release: Release) -> None:
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "one.json", "--yes")
    office.run(*first, person=ANA)
    office.run("lift", release.claim, "--cosign", "one.json", "--out", "two.json", "--yes", person=TOM)
    assert office.sent() == []
    assert office.run("lift", release.claim, "--send", "two.json", person=ABE).code == 0
    assert len(office.sent()[0].signatures) == 2


def test_envelope_of_another_kind_is_not_cosigned(office: Office, release: Release) -> None:
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "lift.json", "--yes")
    office.run(*first, person=ANA)
    ran = office.run("instruct", release.claim, "--cosign", "lift.json", "--yes", person=KIM)
    assert (ran.problem["code"], office.sent()) == ("misdirected", [])


@pytest.mark.parametrize(
    ("member", "other"),
    [("agreement_digest", OTHER), ("deployment", "elsewhere"), ("agreement", "another-agreement")],
)
def test_nobody_cosigns_or_sends_what_names_another_agreement_than_is_shown(
    office: Office, release: Release, member: str, other: str
) -> None:
    first = ("lift", release.claim, "--hold", OTHER, "--reason", "over", "--out", "lift.json", "--yes")
    office.run(*first, person=ANA)
    said = body_of(parse_envelope(Path("lift.json").read_bytes()))
    astray = sign(Kind.HOLD_LIFT, {**said, member: other}, [PEOPLE[ANA].signing_key])
    Path("lift.json").write_bytes(envelope_bytes(astray))
    for words in (("--cosign", "lift.json", "--yes"), ("--send", "lift.json")):
        ran = office.run("lift", release.claim, *words, person=KIM)
        assert (ran.problem["code"], office.sent()) == ("misdirected", [])


def test_the_only_hold_need_not_be_named(office: Office, release: Release) -> None:
    first, second = office.world.holds(), office.world.holds()
    office.world.lifts(hold=first.signed.id)
    office.run("lift", release.claim, "--reason", "over", "--yes", person=ANA)
    assert body_of(office.sent()[0])["hold"] == second.signed.id


def test_ruling_without_its_outcome_is_wrong_usage(office: Office, release: Release) -> None:
    assert office.run("rule", release.claim, "--authority", "arbitration", "--yes", person=KIM).code == 2


def test_repeated_command_sends_the_statement_that_was_signed_first(office: Office, release: Release) -> None:
    words = ("approve", release.claim, "--stage", "critical", "--yes")
    path = f"/v1/claims/{release.claim}/approvals"
    office.api.fails[f"POST {path}"] = [(HANGS_UP, None)]
    assert office.run(*words, person=KIM).code == 3
    (kept,) = office.key(KIM).with_name(f"{KIM}.key.unsent").iterdir()
    again = office.run(*words, person=KIM)
    assert (again.code, "the same statement is sent again" in again.err) == (0, True)
    assert kept.stem == statement_id(office.sent()[0]).removeprefix("sha256:")
    office.run(*words, person=KIM)
    assert statement_id(office.sent()[1]) != statement_id(office.sent()[0])


def test_other_command_than_the_one_that_was_lost_is_signed_and_asked_for(
    office: Office, release: Release
) -> None:
    path = f"/v1/claims/{release.claim}/approvals"
    office.api.fails[f"POST {path}"] = [(HANGS_UP, None)]
    office.run("approve", release.claim, "--stage", "critical", "--yes", person=KIM)
    ran = office.run("approve", release.claim, "--stage", "critical", "--reason", "other", person=KIM)
    assert (ran.problem["code"], office.sent()) == ("nobody-to-ask", [])


def lost(office: Office, release: Release, noun: str, *words: str, person: PersonId) -> Envelope:
    """Run a command whose statement arrives and whose answer is lost; return the statement."""
    office.api.fails[f"POST /v1/claims/{release.claim}/{noun}"] = [(HANGS_UP, None)]
    assert office.run(*words, person=person).code == 3
    (kept,) = office.key(person).with_name(f"{person}.key.unsent").iterdir()
    return envelope_from_json(json.loads(kept.read_bytes())["envelope"])


def lifted(world: ReleaseWorld, hold: Digest) -> None:
    world.lifts(hold=hold)


def taken_back(world: ReleaseWorld, statement: Digest) -> None:
    world.says(Kind.RETRACTION, ANA, of=statement, reason="over")


@pytest.mark.parametrize(
    ("noun", "words", "undo"),
    [
        ("holds", ("hold", "--reason", "an injunction"), lifted),
        ("denials", ("deny", "--reason", "forged papers"), taken_back),
    ],
)
def test_what_was_undone_meanwhile_is_signed_anew_and_not_sent_again(
    noun: str,
    words: tuple[str, ...],
    undo: Callable[[ReleaseWorld, Digest], object],
    office: Office,
    release: Release,
) -> None:
    said = (*placed(words, release.claim), "--yes")
    first = lost(office, release, noun, *said, person=ANA)
    office.world.engine_runs = False
    office.world.now = datetime.now(UTC).replace(microsecond=0)
    office.world.submits(first)
    undo(office.world, statement_id(first))
    assert office.run(*said, person=ANA).code == 0
    assert office.run(*said, person=ANA).code == 0
    assert statement_id(first) not in {statement_id(envelope) for envelope in office.sent()}
    assert len({statement_id(envelope) for envelope in office.sent()}) == 2


def test_an_approval_that_counts_longer_than_is_asked_for_now_is_not_sent_again(
    office: Office, release: Release
) -> None:
    words = ("approve", release.claim, "--stage", "critical", "--yes")
    lost(office, release, "approvals", *words, person=KIM)
    office.run(*words, "--expires", "2027-01-01T00:00:00Z", person=KIM)
    assert [body_of(envelope)["expires_at"] for envelope in office.sent()] == ["2027-01-01T00:00:00Z"]
