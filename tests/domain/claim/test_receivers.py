"""To whom a claim is sealed: to persons of its beneficiary, by the last statement before a decision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.receivers import (
    as_receivers,
    by_default,
    check_receivers,
    may_receive,
    named_anew_by,
    receivers_of,
)
from tallystick.domain.claim.stages import lapses_at
from tallystick.domain.claim.tally import tally_denials
from tallystick.domain.ids import Digest, PartyId, PersonId, StageId
from tallystick.domain.kinds import Kind, Purpose
from tallystick.domain.refusals import MisdirectedError, ReceiversRefusedError
from tallystick.domain.statements.acts import ReceiversNamed
from tallystick.domain.statements.filing import Receiver
from tallystick.limits.claims import RECEIVERS_MAX
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, BEN, KIM, PEOPLE, receivers
from tests.support.worlds.groundwork import FILED_FOR, some_digest
from tests.support.worlds.world import World

HALDEN = PartyId("halden")
CRITICAL, SOURCE = StageId("critical"), StageId("source")

APPROVED = """
bea files for critical, source
ana accepts
dora acknowledges
the window ends
ana approves critical, source
kim approves critical, source
tom approves critical, source
"""


def listing(*persons: PersonId) -> Agreement:
    return replace(AGREEMENT, authorities=replace(AGREEMENT.authorities, receivers=persons))


def test_anybody_of_the_beneficiary_may_receive_if_the_agreement_lists_nobody() -> None:
    assert set(may_receive(AGREEMENT, HALDEN)) == {BEA, BEN}
    assert by_default(AGREEMENT, BEN) == (BEN,)


def test_only_those_may_receive_whom_the_agreement_lists_for_their_party() -> None:
    assert may_receive(listing(BEN), HALDEN) == (BEN,)
    assert by_default(listing(BEN), BEA) == (BEN,)
    with pytest.raises(ReceiversRefusedError):
        check_receivers(listing(BEN), HALDEN, receivers(BEA))


def test_a_list_for_one_party_says_nothing_of_another() -> None:
    assert set(may_receive(listing(ANA), HALDEN)) == {BEA, BEN}
    assert by_default(listing(ANA), BEA) == (BEA,)


@pytest.mark.parametrize(
    "named",
    [
        pytest.param((), id="nobody"),
        pytest.param(receivers(BEA, BEA), id="somebody twice"),
        pytest.param(receivers(BEA, ANA), id="another party's"),
        pytest.param((Receiver(person=BEA, recipient=PEOPLE[ANA].person.age_recipient),), id="not hers"),
        pytest.param((Receiver(person=PersonId("eve@halden"), recipient="age1pq1"),), id="not in it"),
    ],
)
def test_nothing_is_sealed_to(named: tuple[Receiver, ...]) -> None:
    with pytest.raises(ReceiversRefusedError):
        check_receivers(AGREEMENT, HALDEN, named)


def test_nothing_is_sealed_to_a_recipient_that_is_not_post_quantum() -> None:
    bea = replace(AGREEMENT.person(BEA), age_recipient="age1classic")
    classic = replace(AGREEMENT, persons=(bea, *(one for one in AGREEMENT.persons if one.id != BEA)))
    with pytest.raises(ReceiversRefusedError):
        check_receivers(classic, HALDEN, as_receivers(classic, [BEA]))


def test_a_claim_has_no_more_receivers_than_the_limit() -> None:
    persons = [replace(AGREEMENT.person(BEA), id=PersonId(f"b{n}@halden")) for n in range(RECEIVERS_MAX + 1)]
    many = replace(AGREEMENT, persons=(*AGREEMENT.persons, *persons))
    check_receivers(many, HALDEN, as_receivers(many, [one.id for one in persons[1:]]))
    with pytest.raises(ReceiversRefusedError):
        check_receivers(many, HALDEN, as_receivers(many, [one.id for one in persons]))


def test_what_was_decided_before_stays_with_those_it_was_sealed_to() -> None:
    world = play(f"{APPROVED}\nbea and ben name as receiver ben")
    assert receivers_of(AGREEMENT, world.claim, CRITICAL) == receivers(BEA)
    assert receivers_of(AGREEMENT, world.claim, SOURCE) == receivers(BEN)
    assert receivers_of(AGREEMENT, world.claim) == receivers(BEN)
    assert named_anew_by(world.claim, CRITICAL) is None
    assert named_anew_by(world.claim, SOURCE) == world.entries[-1].signed.id


@pytest.mark.parametrize("then", ["bea and ben name as receiver ben", "bea and abe name as receiver bea"])
def test_an_approval_signed_for_other_receivers_is_refused_however_late_it_arrives(then: str) -> None:
    world = play("bea files for critical\nana accepts\nbea and ben name as receiver bea")
    expires_at, named = world.now + timedelta(days=20), named_anew_by(world.claim)
    said = {"stages": (CRITICAL,), "purpose": Purpose.RELEASE, "expires_at": expires_at, "reason": "for bea"}
    body = world.body(Kind.APPROVAL, KIM, **said, receivers_named=named)
    envelope, _ = world.signs(Kind.APPROVAL, [PEOPLE[KIM].signing_key], body)
    play(then, world)
    with pytest.raises(MisdirectedError):
        world.submits(envelope)


def test_those_who_approve_have_the_whole_time_again_once_receivers_are_named_anew() -> None:
    late = "the window ends\nthe gate finds an altered byte"
    voted = "ana approves critical\nkim approves critical\ntom approves critical"
    world = play(f"bea files for critical\nana accepts\ndora acknowledges\n{late}\n{voted}")
    play(
        "12 days pass\n= APPROVAL\nbea and ben name as receiver ben\n= APPROVAL\n4 days pass\n= APPROVAL",
        world,
    )
    until = lapses_at(AGREEMENT, world.claim, CRITICAL)
    named = world.claim.entries_of(ReceiversNamed)[-1][0]
    assert until is not None
    assert until.at > named.accepted_at + timedelta(days=5)
    play("20 days pass\n= LAPSED", world)


@pytest.mark.parametrize("named", [None, some_digest(1)])
def test_an_approval_names_the_statement_that_named_the_receivers(named: Digest | None) -> None:
    world = play("bea files for critical\nana accepts\nbea and ben name as receiver ben")
    with pytest.raises(MisdirectedError):
        world.approves(KIM, stages=["critical"], receivers_named=named)


def test_a_denial_counts_whomever_its_author_was_shown_as_receivers() -> None:
    world = play("bea files for critical\nana accepts")
    body = world.body(Kind.DENIAL, KIM, reason="no", stages=None, confirmation=None)
    envelope, signed = world.signs(Kind.DENIAL, [PEOPLE[KIM].signing_key], body)
    play("bea and ben name as receiver ben", world)
    world.submits(envelope)
    (vote,) = tally_denials(AGREEMENT, world.claim, CRITICAL).votes
    assert vote.counts
    assert vote.statement == signed.id


def test_a_later_confirmation_changes_the_receivers_of_nothing_that_is_decided() -> None:
    world, asked = World(agreement=FILED_FOR), ["critical", "source"]
    world.files(ANA, stages=asked, for_=HALDEN, receivers=(), declaration=None)
    play("bea confirms\nabe accepts\ndora acknowledges\nthe window ends", world)
    play("abe approves critical\nkim approves critical\ntom approves critical\n= PROVISIONING", world)
    play("ana and kim revoke bea's key\nben confirms", world)
    assert receivers_of(FILED_FOR, world.claim, CRITICAL) == receivers(BEA)
    assert receivers_of(FILED_FOR, world.claim, SOURCE) == receivers(BEN)


def test_receivers_whom_two_named_are_not_replaced_by_ones_confirmation() -> None:
    named = "ana files on behalf of halden\nbea confirms\nben and abe name as receiver ben"
    world = play(
        f"{named}\nana and kim revoke bea's key\nben confirms for bea, ben", World(agreement=FILED_FOR)
    )
    assert receivers_of(FILED_FOR, world.claim) == receivers(BEN)


def test_the_latest_list_counts() -> None:
    world = play("bea files\nbea and ben name as receiver ben\nbea and ben name as receivers bea, ben")
    assert receivers_of(AGREEMENT, world.claim) == receivers(BEA, BEN)


def test_nothing_more_is_sealed_to_somebody_whose_key_was_revoked() -> None:
    world = play("bea files\nbea and ben name as receivers bea, ben\nana and kim revoke ben's key")
    assert receivers_of(AGREEMENT, world.claim) == receivers(BEA)


def test_a_revocation_after_the_decision_leaves_what_was_sealed() -> None:
    world = play(f"{APPROVED}\nbea revokes their own key")
    assert receivers_of(AGREEMENT, world.claim, CRITICAL) == receivers(BEA)
    assert receivers_of(AGREEMENT, world.claim, SOURCE) == ()
