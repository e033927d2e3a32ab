"""The acts among the commands of `tallystick claim`: confirming a claim, and naming its receivers."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest

from tallystick.crypto.envelope import Envelope, parse_envelope
from tallystick.domain.ids import PartyId
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.acts import Confirmation, ReceiversNamed
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.proof.reading import read_signed
from tests.cli.conftest import Office, show_agreement, show_world
from tests.support.worlds.agreements import (
    ANA,
    BEA,
    BEN,
    KIM,
    PEOPLE,
    receivers,
)
from tests.support.worlds.deliveries import Release, said
from tests.support.worlds.escrows import ReleaseWorld
from tests.support.worlds.groundwork import FILED_FOR


@dataclass(frozen=True)
class ForHalden(Release):
    """A release that Ana of the escrow agent has filed for the bank."""

    @cached_property
    def filing(self) -> Envelope:
        own = read_signed(super().filing, self.terms).body
        assert isinstance(own, ClaimFiling)
        body = replace(own, person=ANA, for_=PartyId("halden"), receivers=(), declaration=None)
        return said(Kind.CLAIM, body, PEOPLE[ANA].signing_key)


@pytest.fixture
def filed(office: Office, tmp_path: Path) -> ForHalden:
    """The claim as it waits for its confirmation, shown by the server."""
    release = ForHalden(scratch=tmp_path / "for-halden", terms=FILED_FOR)
    world = ReleaseWorld(agreement=release.terms, now=release.at, release=release, shares={})
    world.files_the_release()
    show_agreement(office.api, release)
    show_world(office.api, world)
    return release


def test_the_bank_reads_the_claim_confirms_it_and_names_its_receivers(
    office: Office, filed: ForHalden
) -> None:
    words = ("--declaration", "Support has ceased.", "--receiver", "ben@halden", "--receiver", "bea@halden")
    ran = office.run("claim", "confirm", filed.claim, *words, person=BEA, answer="y\n")
    assert ran.code == 0, ran.err
    body = read_signed(office.sent()[0], FILED_FOR).body
    assert isinstance(body, Confirmation)
    assert (body.receivers, body.declaration) == (receivers(BEN, BEA), "Support has ceased.")
    assert "filed by ana@harbour, of the escrow agent, for the beneficiary halden" in ran.err
    assert f"what is released is sealed to {body.receivers[0].words}" in ran.err


def test_a_confirmation_is_sealed_to_its_author_if_nobody_is_named(office: Office, filed: ForHalden) -> None:
    ran = office.run("claim", "confirm", filed.claim, "--declaration", "So it is.", "--yes", person=BEN)
    assert ran.code == 0, ran.err
    body = read_signed(office.sent()[0], FILED_FOR).body
    assert isinstance(body, Confirmation)
    assert body.receivers == receivers(BEN)


def test_nobody_confirms_without_a_declaration(office: Office, filed: ForHalden) -> None:
    assert office.run("claim", "confirm", filed.claim, "--yes", person=BEA).code == 2
    assert office.sent() == []


def test_two_of_the_bank_name_receivers_in_one_envelope(office: Office, filed: ForHalden) -> None:
    office.run("claim", "confirm", filed.claim, "--declaration", "So it is.", "--yes", person=BEA)
    show_world(office.api, confirmed(filed))
    named = ("--receiver", "ben@halden", "--reason", "A machine was stolen.", "--yes", "--out", "named.json")
    ran = office.run("claim", "receivers", filed.claim, *named, person=BEA)
    assert ran.code == 0, ran.err
    ran = office.run("claim", "receivers", filed.claim, "--cosign", "named.json", "--yes", person=BEN)
    assert ran.code == 0, ran.err
    signed = read_signed(office.sent()[-1], FILED_FOR)
    assert isinstance(signed.body, ReceiversNamed)
    assert signed.body.receivers == receivers(BEN)
    assert signed.signers == {PEOPLE[one].signing_key.public_key for one in (BEA, BEN)}
    assert parse_envelope(Path("named.json").read_bytes())


def test_a_claim_is_shown_with_who_confirmed_it_and_who_receives_it_now(
    office: Office, filed: ForHalden
) -> None:
    waits = office.run("claim", "show", filed.claim, person=KIM)
    assert "waiting for  confirmation until 2026-12-01T17:00:00Z" in waits.out
    assert "receivers    " not in waits.out
    world = confirmed(filed)
    world.says(Kind.RECEIVERS, BEA, BEN, receivers=receivers(BEN, BEA), reason="Both are to have it.")
    show_world(office.api, world)
    shown = office.run("claim", "show", filed.claim, person=KIM).out
    assert 'confirmed    by bea@halden for halden: "So it is."' in shown
    assert "receivers    ben@halden, bea@halden" in shown


def confirmed(release: ForHalden) -> ReleaseWorld:
    world = ReleaseWorld(agreement=release.terms, now=release.at, release=release, shares={})
    world.files_the_release()
    world.says(Kind.CONFIRMATION, BEA, declaration="So it is.", receivers=receivers(BEA))
    return world
