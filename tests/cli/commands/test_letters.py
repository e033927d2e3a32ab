"""`letter check` believes the agreement that is pinned next to the key, not what a letter brings along."""

from dataclasses import replace
from pathlib import Path

from tallystick.crypto.envelope import envelope_bytes, envelope_json, sign, statement_id
from tallystick.crypto.letter_key import LetterKey, publish, webhook_key
from tallystick.desk.kept.pins import changing_pins
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import Digest, PartyId, engine_person, sha256_digest
from tallystick.domain.statements.letters import LetterStatement
from tallystick.proof.letter import LetterFile, letter_bytes
from tests.cli.conftest import Office
from tests.support.worlds.agreements import ANA, DORA, LETTER_KEY, LOG_KEY, signing_key
from tests.support.worlds.deliveries import AT, Release, agreement_envelope

TEXT = "To Nordwind.\nPay \u202eat \u200bonce.\n"


def letter(release: Release, folder: Path, *, key: LetterKey = LETTER_KEY) -> Path:
    terms = Terms(agreement=release.terms, digest=statement_id(release.agreement))
    statement = LetterStatement(
        **terms.header(engine_person(terms.agreement.deployment), AT, 32 * "0"),
        letter="notice-1",
        party=PartyId("nordwind"),
        channel=Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example"),
        subject="Notice of release claim clm-1",
        text_digest=sha256_digest(TEXT.encode()),
        claim=release.claim,
    )
    envelope = sign("letter", encode_object(statement), [key.signing_key])
    path = folder / "letter.json"
    path.write_bytes(letter_bytes(LetterFile(letter=envelope, letter_key=key.published, text=TEXT)))
    return path


def test_a_true_letter_is_shown_and_none_of_it_draws(
    office: Office, release: Release, tmp_path: Path
) -> None:
    ran = office.run("letter", "check", str(letter(release, tmp_path)), person=DORA)
    assert ran.code == 0, ran.err
    assert "to nordwind" in ran.out
    assert "\u200b" not in ran.out
    assert "\u202e" not in ran.out
    assert r"Pay \u202eat \u200bonce." in ran.out


def test_as_json_it_has_the_whole_letter(office: Office, release: Release, tmp_path: Path) -> None:
    ran = office.run("letter", "check", str(letter(release, tmp_path)), "--json", person=DORA)
    assert (ran.code, ran.json["text"], ran.json["claim"]) == (0, TEXT, release.claim)
    assert ran.json["letter_key"] == LETTER_KEY.signing_key.public_key


def test_a_forged_letter_is_1(office: Office, release: Release, tmp_path: Path) -> None:
    forger = publish(
        signing_key("forger"), deployment=release.terms.deployment, log_key=signing_key("x"), at=AT
    )
    ran = office.run("letter", "check", str(letter(release, tmp_path, key=forger)), person=DORA)
    assert (ran.code, ran.problem["code"], ran.out) == (1, "signature-invalid", "")


def test_anothers_letter_is_1_unless_they_are_named(office: Office, release: Release, tmp_path: Path) -> None:
    file = str(letter(release, tmp_path))
    ran = office.run("letter", "check", file, person=ANA)
    assert (ran.code, ran.problem["code"]) == (1, "letter-not-yours")
    assert office.run("letter", "check", file, "--to", "nordwind", person=ANA).code == 0


def test_a_key_that_the_deployment_has_replaced_signs_nothing_more(
    office: Office, release: Release, tmp_path: Path
) -> None:
    newer = publish(signing_key("newer"), deployment=release.terms.deployment, log_key=LOG_KEY, at=AT)
    office.api.shows["/v1/deployment"] = {
        "deployment": release.terms.deployment,
        "letter_key": envelope_json(newer.published),
    }
    ran = office.run("letter", "check", str(letter(release, tmp_path)), person=DORA)
    assert (ran.code, ran.problem["code"]) == (1, "letter-forged")


def kept(release: Release, folder: Path) -> str:
    """The signed agreement, as a party keeps it."""
    path = folder / "agreement.json"
    path.write_bytes(envelope_bytes(release.agreement))
    return str(path)


def unreachable(office: Office) -> Office:
    return replace(office, api=replace(office.api, url="http://127.0.0.1:1"))


def test_with_the_agreement_at_hand_no_server_is_asked(
    office: Office, release: Release, tmp_path: Path
) -> None:
    file, agreement = str(letter(release, tmp_path)), kept(release, tmp_path)
    ran = unreachable(office).run("letter", "check", file, "--agreement", agreement, person=DORA)
    assert ran.code == 0, ran.err
    assert "by          the agreement in the file that you named" in ran.out
    assert "Not checked: whether the letter key had been replaced" in ran.out
    assert webhook_key(LETTER_KEY.signing_key.public_key) in ran.out
    assert not office.key(DORA).with_name(f"{DORA}.key.trust").exists(), "a check pins nothing"


def test_with_the_agreement_and_a_party_no_key_is_needed(
    office: Office, release: Release, tmp_path: Path
) -> None:
    words = ("letter", "check", str(letter(release, tmp_path)), "--agreement", kept(release, tmp_path))
    ran = office.run(*words, "--to", "nordwind", "--json")
    assert (ran.code, ran.json["believed"], ran.json["newest_letter_key_known"]) == (0, "file", False)
    assert office.run(*words).code == 2, "to whom it must be addressed is not said"


def test_a_forged_letter_is_found_offline(office: Office, release: Release, tmp_path: Path) -> None:
    forger = publish(
        signing_key("forger"), deployment=release.terms.deployment, log_key=signing_key("x"), at=AT
    )
    file, agreement = str(letter(release, tmp_path, key=forger)), kept(release, tmp_path)
    ran = office.run("letter", "check", file, "--agreement", agreement, "--to", "nordwind")
    assert (ran.code, ran.problem["code"], ran.out) == (1, "signature-invalid", "")


def test_an_agreement_of_the_forgers_own_is_not_the_pinned_one(
    office: Office, release: Release, tmp_path: Path
) -> None:
    file, agreement = str(letter(release, tmp_path)), kept(release, tmp_path)
    pinned = Digest("sha256:" + 64 * "a")
    with changing_pins(office.key(DORA).with_name(f"{DORA}.key.trust")) as pins:
        pins.pin_agreement(release.terms.id, pinned)
    ran = office.run("letter", "check", file, "--agreement", agreement, person=DORA)
    assert (ran.code, ran.problem["code"]) == (1, "agreement-not-trusted")
    named = ("--trust", statement_id(release.agreement))
    assert office.run("letter", "check", file, "--agreement", agreement, *named, person=DORA).code == 0
    ran = office.run("letter", "check", file, "--agreement", agreement, "--trust", pinned, "--to", "nordwind")
    assert (ran.code, ran.problem["code"]) == (1, "agreement-not-trusted")


def test_another_agreement_than_the_letters_checks_nothing(
    office: Office, release: Release, tmp_path: Path
) -> None:
    other = agreement_envelope(replace(release.terms, title="another"))
    (tmp_path / "other.json").write_bytes(envelope_bytes(other))
    words = ("letter", "check", str(letter(release, tmp_path)), "--agreement", str(tmp_path / "other.json"))
    ran = office.run(*words, "--to", "nordwind")
    assert (ran.code, ran.problem["code"]) == (1, "letter-of-another-agreement")


def test_what_only_the_server_says_is_called_its_word_until_it_is_pinned(
    office: Office, release: Release, tmp_path: Path
) -> None:
    file = str(letter(release, tmp_path))
    first = office.run("letter", "check", file, person=DORA)
    assert "by          the server's word for the agreement" in first.out
    assert "Compare the words with another party" in first.out
    again = office.run("letter", "check", file, person=DORA)
    assert "by          the agreement that is pinned next to your key" in again.out
    assert "Compare the words" not in again.out


def test_without_agreement_server_and_key_are_needed(
    office: Office, release: Release, tmp_path: Path
) -> None:
    file = str(letter(release, tmp_path))
    assert office.run("letter", "check", file, "--to", "nordwind").code == 2
    assert office.run("letter", "check", file, "--api", office.api.url).code == 2


def test_no_letter_is_1_and_no_file_too(office: Office, tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_text("Subject: pay\n\nPay.\n")
    ran = office.run("letter", "check", str(tmp_path / "mail.eml"), person=DORA)
    assert (ran.code, ran.problem["code"]) == (1, "malformed-letter")
    ran = office.run("letter", "check", str(tmp_path / "none.eml"), person=DORA)
    assert (ran.code, ran.problem["code"]) == (1, "file-unusable")


def test_no_server_is_3(office: Office, release: Release, tmp_path: Path) -> None:
    nobody = replace(office, api=replace(office.api, url="http://127.0.0.1:1"))
    assert nobody.run("letter", "check", str(letter(release, tmp_path)), person=DORA).code == 3
