"""A key is revoked by its holder alone, or by several together in one envelope."""

from pathlib import Path

from tallystick.crypto.envelope import body_of
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.proof.reading import read_signed
from tests.cli.conftest import URL, Office
from tests.support.worlds.agreements import AGREEMENT, ANA, DORA, KIM, TOM

PATH = f"{URL}/revocations"


def test_own_key_is_revoked_by_oneself(office: Office) -> None:
    ran = office.run("revoke", AGREEMENT.id, "--reason", "stolen", "--yes", person=DORA)
    assert ran.code == 0, ran.err
    ((path, envelope),) = office.api.posted
    body = body_of(envelope)
    assert (path, body["key"], body["reason"]) == (PATH, AGREEMENT.person(DORA).signing_key, "stolen")


def test_a_revocation_names_the_longest_log_that_its_author_has_verified_if_there_is_one(
    office: Office,
) -> None:
    for seen in (None, office.remembers_log):
        expected = None if seen is None else seen(DORA)
        office.api.posted.clear()
        ran = office.run("revoke", AGREEMENT.id, "--yes", person=DORA)
        body = read_signed(office.sent()[0], AGREEMENT).body
        assert isinstance(body, KeyRevocation)
        assert body.ledger_seen == expected
        assert ("having verified the ledger: 7 entries" in ran.err) is (expected is not None)


def test_a_key_that_the_newest_version_leaves_out_is_revoked_under_the_version_that_was_believed(
    office: Office,
) -> None:
    office.run("agreement", "show", AGREEMENT.id, person=DORA)
    shown, digest = office.api.shows.pop(URL), office.world.claim.filing.agreement_digest
    office.api.shows[f"{URL}?digest={digest}".replace(":", "%3A")] = shown
    left_out = {"code": "no-such-agreement", "detail": "no such agreement"}
    for person, sent in ((ANA, 0), (DORA, 1)):
        office.api.fails[f"GET {URL}"] = [(404, left_out)]
        ran = office.run("revoke", AGREEMENT.id, "--yes", person=person)
        assert len(office.sent()) == sent, ran.err
    assert body_of(office.sent()[0])["agreement_digest"] == digest


def test_whose_key_it_is_is_shown_and_nothing_is_sent_without_a_yes(office: Office) -> None:
    ran = office.run("revoke", AGREEMENT.id, "--person", TOM, person=ANA, answer="n\n")
    assert (ran.code, office.sent()) == (1, [])
    assert f"{ANA} revokes the key of {TOM}" in ran.err


def test_several_revoke_anothers_key_together(office: Office) -> None:
    office.run("revoke", AGREEMENT.id, "--person", DORA, "--out", "one.json", "--yes", person=ANA)
    assert office.sent() == []
    office.run("revoke", AGREEMENT.id, "--cosign", "one.json", "--yes", person=KIM)
    signers = {AGREEMENT.person(person).signing_key for person in (ANA, KIM)}
    assert set(read_signed(office.sent()[0], AGREEMENT).signers) == signers


def test_other_statement_is_not_cosigned_as_a_revocation(office: Office) -> None:
    office.run("agreement", "show", AGREEMENT.id, person=ANA)
    digest = office.world.claim.digest
    hold = ("lift", digest, "--hold", digest, "--reason", "over", "--out", "lift.json", "--yes")
    office.run(*hold, person=ANA)
    ran = office.run("revoke", AGREEMENT.id, "--cosign", "lift.json", "--yes", person=KIM)
    assert (ran.problem["code"], office.sent()) == ("misdirected", [])


def test_unknown_person_has_no_key_to_revoke(office: Office) -> None:
    ran = office.run("revoke", AGREEMENT.id, "--person", "eve@nowhere", "--yes", person=ANA)
    assert ran.problem["code"] == "not-in-agreement"
    assert not Path("one.json").exists()
