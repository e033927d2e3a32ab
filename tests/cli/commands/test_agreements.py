"""Agreements are checked, signed by one party after another, and trusted from first use."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tallystick.crypto.envelope import envelope_bytes, envelope_json, parse_envelope, sign, statement_id
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.desk.clock import now
from tallystick.domain.codec import encode_object
from tallystick.domain.comparison_words import in_words
from tallystick.domain.kinds import Kind
from tallystick.domain.periods import Period
from tallystick.domain.shown.summary import summarise
from tallystick.proof.reading import read_agreement
from tests.cli.conftest import URL, Office
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, DORA, KIM, PEOPLE, TOM, agreement
from tests.support.worlds.deliveries import Release

SIGNERS = (DORA, BEA, ANA, KIM, TOM)


def drafted(**changes: object) -> str:
    draft = Path("agreement.json")
    draft.write_bytes(canonical_bytes(encode_object(agreement(**changes))))
    return str(draft)


def test_sound_agreement_passes_the_check(office: Office) -> None:
    ran = office.run("agreement", "check", drafted(), "--json")
    assert (ran.code, ran.json["agreement"]) == (0, AGREEMENT.id)


def test_unsound_agreement_fails_the_check_and_says_why(office: Office) -> None:
    ran = office.run("agreement", "check", drafted(parties=AGREEMENT.parties[:1]), "--json")
    assert ran.code == 1
    assert "error" in {finding["severity"] for finding in ran.json["findings"]}


def test_canonical_bytes_are_printed_as_they_are_signed(office: Office) -> None:
    ran = office.run("agreement", "check", drafted(), "--canonical")
    assert ran.out.encode() == canonical_bytes(encode_object(AGREEMENT))


def test_every_party_signs_the_same_statement(office: Office) -> None:
    document = drafted()
    for person in SIGNERS:
        ran = office.run(
            "agreement", "sign", document, "--key", str(office.key(person)), "--out", "signed.json", "--yes"
        )
        assert ran.code == 0, ran.err
        assert AGREEMENT.title in ran.err
        document = "signed.json"
    signed = read_agreement(parse_envelope(Path(document).read_bytes(), body_size_bytes_max=1 << 20))
    assert signed.agreement == AGREEMENT
    assert signed.signers == {PEOPLE[person].signing_key.public_key for person in SIGNERS}


def test_signing_asks_first(office: Office) -> None:
    words = ("agreement", "sign", drafted(), "--key", str(office.key(ANA)), "--out", "signed.json")
    ran = office.run(*words, answer="n\n")
    assert (ran.code, Path("signed.json").exists()) == (1, False)
    shown = ran.err[: ran.err.index(f"Sign this as {ANA}?")]
    assert all(line in shown for line in summarise(AGREEMENT)), "the whole summary"
    unasked = office.run(*words)
    assert (unasked.problem["code"], Path("signed.json").exists()) == ("nobody-to-ask", False)


def test_signature_by_a_stranger_is_not_joined(office: Office) -> None:
    stranger = sign(Kind.AGREEMENT, encode_object(AGREEMENT), [PEOPLE[KIM].signing_key])
    forged = {**envelope_json(stranger), "signatures": [{"sig": "A" * 86 + "=="}]}
    Path("forged.json").write_text(json.dumps(forged))
    ran = office.run("agreement", "sign", "forged.json", "--key", str(office.key(ANA)), "--yes")
    assert ran.problem["code"] == "signature-invalid"


def test_agreement_with_a_recipient_that_nothing_can_be_sealed_to_is_neither_signed_nor_found_sound(
    office: Office,
) -> None:
    dora, *others = AGREEMENT.persons
    draft = drafted(persons=(replace(dora, age_recipient="age1pq1nothing"), *others))
    for command in (("check", draft), ("sign", draft, "--key", str(office.key(ANA)), "--yes")):
        ran = office.run("agreement", *command)
        assert ran.code == 1
        assert ran.problem["facts"]["at"] == "/persons/0/age_recipient"


def test_unsound_agreement_is_not_signed(office: Office) -> None:
    draft = drafted(stages=())
    ran = office.run("agreement", "sign", draft, "--key", str(office.key(ANA)), "--yes")
    assert ran.problem["code"] == "unsound-agreement"


def test_an_agreement_whose_calendars_end_within_a_claim_from_today_on_is_found_and_not_signed(
    office: Office,
) -> None:
    soon = now().date() + timedelta(days=7)
    calendars = tuple(replace(one, covers_until=soon, holidays=()) for one in AGREEMENT.calendars)
    draft = drafted(calendars=calendars)
    ran = office.run("agreement", "check", draft, "--json")
    assert ran.code == 1
    assert {"calendar-ends-in-claim", "calendar-over"} & {one["code"] for one in ran.json["findings"]}
    signing = office.run("agreement", "sign", draft, "--key", str(office.key(ANA)), "--yes")
    assert signing.problem["code"] == "unsound-agreement"


def test_agreement_of_all_parties_is_registered(office: Office, release: Release) -> None:
    Path("signed.json").write_text(json.dumps(envelope_json(release.agreement)))
    assert office.run("agreement", "register", "signed.json", person=ANA).code == 0
    assert office.sent() == [release.agreement]


def test_agreement_that_lacks_a_party_is_not_sent(office: Office) -> None:
    lacking = sign(Kind.AGREEMENT, encode_object(AGREEMENT), [PEOPLE[ANA].signing_key])
    Path("signed.json").write_text(json.dumps(envelope_json(lacking)))
    ran = office.run("agreement", "register", "signed.json", person=ANA)
    assert (ran.code, office.sent()) == (1, [])
    assert ran.problem["facts"]["missing"]


def test_first_agreement_is_pinned_and_the_command_says_so(office: Office, release: Release) -> None:
    ran = office.run("agreement", "show", AGREEMENT.id, "--json", person=ANA)
    assert ran.json["digest"] == statement_id(release.agreement)
    assert "trusting agreement" in ran.err
    assert "trusting agreement" not in office.run("agreement", "show", AGREEMENT.id, person=ANA).err


def other_agreement() -> object:
    keys = {actor.person.party: actor.signing_key for actor in PEOPLE.values()}
    other = replace(AGREEMENT, title="Another title")
    return envelope_json(sign(Kind.AGREEMENT, encode_object(other), list(keys.values())))


def test_agreement_that_changed_under_its_name_is_not_trusted(office: Office) -> None:
    office.run("agreement", "show", AGREEMENT.id, person=ANA)
    office.api.shows[URL]["envelope"] = other_agreement()
    ran = office.run("agreement", "show", AGREEMENT.id, person=ANA)
    assert (ran.code, ran.problem["code"]) == (1, "agreement-not-trusted")


def test_changed_agreement_is_trusted_by_its_digest_alone(office: Office) -> None:
    office.run("agreement", "show", AGREEMENT.id, person=ANA)
    office.api.shows[URL]["envelope"] = other_agreement()
    found = office.run("agreement", "show", AGREEMENT.id, person=ANA).problem["facts"]["found"]
    assert office.run("agreement", "show", AGREEMENT.id, "--trust", found, person=ANA).code == 0
    assert office.run("agreement", "show", AGREEMENT.id, person=ANA).code == 0


def test_an_agreement_is_trusted_by_its_twelve_words_and_never_by_six(
    office: Office, release: Release
) -> None:
    words = in_words(statement_id(release.agreement))
    ran = office.run("agreement", "summary", AGREEMENT.id, "--trust", words, person=ANA)
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == f"compare      {statement_id(release.agreement)}: {words}"
    swapped = " ".join(reversed(words.split()))
    ran = office.run("agreement", "show", AGREEMENT.id, "--trust", swapped, person=ANA)
    assert ran.problem["code"] == "agreement-not-trusted"
    six = " ".join(words.split()[:6])
    ran = office.run("agreement", "show", AGREEMENT.id, "--trust", six, person=ANA)
    assert (ran.code, ran.problem["code"]) == (1, "malformed-anchor")


def test_agreement_with_another_digest_than_named_is_not_trusted(office: Office) -> None:
    wrong = "sha256:" + 64 * "0"
    ran = office.run("agreement", "show", AGREEMENT.id, "--trust", wrong, person=ANA)
    assert ran.problem["code"] == "agreement-not-trusted"


def test_a_new_version_is_signed_only_with_the_one_before_at_hand_and_shows_what_changes(
    office: Office, release: Release
) -> None:
    windows = replace(AGREEMENT.windows, intake=Period("3 business days"))
    file = drafted(version=2, supersedes=statement_id(release.agreement), windows=windows)
    ran = office.run("agreement", "sign", file, "--key", str(office.key(ANA)), answer="y\n")
    assert (ran.code, ran.problem["code"]) == (1, "previous-version-needed")
    Path("one.json").write_bytes(envelope_bytes(release.agreement))
    key = ("--key", str(office.key(ANA)))
    told = office.run("agreement", "sign", file, *key, "--previous", "one.json", answer="n\n")
    assert told.code == 1
    lines = told.err.splitlines()
    place = lines.index("what changes against version 1, sentence by sentence:")
    accepts = "ana@harbour or abe@harbour may accept or refuse a claim for its form within"
    assert f"was: {accepts} 2 business days." in lines[place:]
    assert f"now: {accepts} 3 business days." in lines[place:]
    asked = office.run("agreement", "sign", file, *key, "--api", office.api.url, answer="n\n")
    assert f"now: {accepts} 3 business days." in asked.err


def test_another_version_than_the_superseded_one_is_not_compared_with(
    office: Office, release: Release
) -> None:
    Path("other.json").write_text(json.dumps(other_agreement()))
    file = drafted(version=2, supersedes=statement_id(release.agreement))
    key = ("--key", str(office.key(ANA)))
    ran = office.run("agreement", "sign", file, *key, "--previous", "other.json", answer="y\n")
    assert ran.problem["code"] == "previous-version-needed"


def test_a_signer_reads_every_key_and_every_warning_before_being_asked(office: Office) -> None:
    file = drafted(windows=replace(AGREEMENT.windows, objection=Period("PT1H")))
    ran = office.run("agreement", "sign", file, "--key", str(office.key(ANA)), answer="n\n")
    for person in AGREEMENT.persons:
        assert f"who signs with the key {person.signing_key}." in ran.err
    assert "WARNING objection-window-short" in ran.err
    assert ran.err.index("WARNING objection-window-short") < ran.err.index("Sign this as ana@harbour?")
