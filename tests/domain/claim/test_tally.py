"""Counting ignores order, never falls when a vote is added, and counts nobody twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.tally import Tally, tally_approvals, tally_denials
from tallystick.domain.ids import PersonId, StageId
from tallystick.domain.kinds import Kind, Purpose
from tallystick.domain.quorum import Group, Quorum
from tallystick.domain.statements.signed import Entry
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, PEOPLE, quorum
from tests.support.worlds.groundwork import BEGIN, NO_DIGEST, key_of
from tests.support.worlds.world import World

STAGE: Final = StageId("critical")
VOTERS: Final = ("ana@harbour", "abe@harbour", "kim@kestrel", "tom@marlowe", "dora@nordwind", "bea@halden")
LATEST: Final = BEGIN + timedelta(days=20)


@cache
def open_world() -> World:
    return play("bea files\nana accepts\ndora acknowledges")


def vote(kind: Kind, person: str, nonce: int, **members: object) -> Entry:
    """A vote as it could be on record, however it got there."""
    world = open_world()
    given: dict[str, object] = {"nonce": f"{nonce:032x}", "reason": "", "claim": world.claim.digest}
    if kind is Kind.APPROVAL:
        given |= {"stages": (STAGE,), "purpose": Purpose.RELEASE, "expires_at": LATEST}
    body = world.body(kind, person, **(given | members))
    _, signed = world.signs(kind, [PEOPLE[PersonId(person)].signing_key], body)
    return Entry(index=1000 + nonce, accepted_at=world.now, signed=signed)


@cache
def pool() -> tuple[Entry, ...]:
    """Two approvals per person, one for each thing that can be wrong with one, and denials."""
    entries: list[Entry] = []
    for number, person in enumerate(VOTERS):
        wrong: Sequence[dict[str, object]] = (
            {},
            {"stages": (StageId("source"),)},
            {"purpose": Purpose.DRILL},
            {"claim": NO_DIGEST},
            {"agreement_digest": NO_DIGEST},
            {"expires_at": BEGIN},
            {"deployment": "another"},
        )
        for place, members in enumerate(({}, *wrong)):
            entries.append(vote(Kind.APPROVAL, person, number * 20 + place, **members))
        entries.append(vote(Kind.DENIAL, person, number * 20 + 9))
        entries.append(vote(Kind.DENIAL, person, number * 20 + 10, claim=NO_DIGEST))
    return tuple(entries)


def counted(entries: Sequence[Entry]) -> Tally:
    claim = replace(open_world().claim, entries=(*open_world().claim.entries, *entries))
    return tally_approvals(AGREEMENT, claim, STAGE, at=BEGIN + timedelta(days=1))


def denied(entries: Sequence[Entry]) -> Tally:
    claim = replace(open_world().claim, entries=(*open_world().claim.entries, *entries))
    return tally_denials(AGREEMENT, claim)


SOME_VOTES: Final = st.lists(st.sampled_from(range(len(VOTERS) * 10)), unique=True, max_size=24)


@given(SOME_VOTES.flatmap(lambda chosen: st.tuples(st.just(chosen), st.permutations(chosen))))
def test_order_of_votes_decides_nothing(both: tuple[list[int], list[int]]) -> None:
    votes, mixed = ([pool()[place] for place in chosen] for chosen in both)
    for count in (counted, denied):
        one, other = count(votes), count(mixed)
        assert (one.agreeing, one.reached, one.eligible) == (other.agreeing, other.reached, other.eligible)


@given(SOME_VOTES, st.sampled_from(range(len(VOTERS) * 10)))
def test_one_more_vote_never_undoes_a_quorum(chosen: list[int], more: int) -> None:
    votes = [pool()[place] for place in chosen if place != more]
    # Only a denial takes anything away: its author's own approval.
    for count in (denied,) if pool()[more].signed.kind is Kind.DENIAL else (counted, denied):
        before, after = count(votes), count([*votes, pool()[more]])
        assert before.agreeing <= after.agreeing
        assert after.reached or not before.reached


@given(SOME_VOTES)
def test_nobody_counts_twice_and_every_vote_is_explained(chosen: list[int]) -> None:
    tally = counted([pool()[place] for place in chosen])
    counting = [one.person for one in tally.votes if one.counts]
    assert len(counting) == len(set(counting))
    assert all(one.why for one in tally.votes)
    assert set(counting) <= tally.quorum.persons - {PersonId("bea@halden")}


@given(SOME_VOTES)
def test_what_is_reached_is_reachable_and_outstanding_never_counts(chosen: list[int]) -> None:
    tally = counted([pool()[place] for place in chosen])
    assert tally.reachable >= tally.reached
    assert not set(tally.outstanding) & tally.agreeing


def test_each_wrong_vote_says_what_is_wrong_with_it() -> None:
    approvals = [entry for entry in pool() if entry.signed.kind is Kind.APPROVAL]
    reasons = {vote.why for vote in counted(approvals).votes}
    assert "its author denies this stage" in {vote.why for vote in counted(pool()).votes}
    assert reasons == {
        "valid, by a person of the quorum",
        "it is not for this stage",
        "it was given for another purpose",
        "it names another claim",
        "it names another agreement",
        "it has expired",
        "this person is already counted",
        "the quorum does not name this person",
    }
    assert "it names another claim" in {vote.why for vote in denied(pool()).votes}


def test_approval_counts_at_its_last_moment_and_not_a_second_later() -> None:
    claim = replace(open_world().claim, entries=(vote(Kind.APPROVAL, "kim@kestrel", 1),))
    assert tally_approvals(AGREEMENT, claim, STAGE, at=LATEST).agreeing == {"kim@kestrel"}
    assert not tally_approvals(AGREEMENT, claim, STAGE, at=LATEST + timedelta(seconds=1)).agreeing


def test_expired_approval_does_not_shadow_a_fresh_one_of_the_same_person() -> None:
    entries = (vote(Kind.APPROVAL, "kim@kestrel", 1, expires_at=BEGIN), vote(Kind.APPROVAL, "kim@kestrel", 2))
    assert counted(entries).agreeing == {"kim@kestrel"}


def test_revoked_key_neither_counts_nor_can() -> None:
    entries = (vote(Kind.APPROVAL, "kim@kestrel", 1), revocation("kim@kestrel"))
    tally = counted(entries)
    assert PersonId("kim@kestrel") not in tally.agreeing | tally.eligible
    assert tally.votes[-1].why.startswith("the key was revoked at ")
    assert not denied((vote(Kind.DENIAL, "kim@kestrel", 3), revocation("kim@kestrel"))).agreeing


def revocation(person: str) -> Entry:
    world = open_world()
    body = world.body(Kind.KEY_REVOCATION, person, key=key_of(person), reason="stolen")
    _, signed = world.signs(Kind.KEY_REVOCATION, [PEOPLE[PersonId(person)].signing_key], body)
    return Entry(index=5000, accepted_at=world.now, signed=signed)


def test_same_key_under_two_names_counts_once() -> None:
    kim, tom = PEOPLE[PersonId("kim@kestrel")], PEOPLE[PersonId("tom@marlowe")].person
    twin = replace(tom, signing_key=kim.person.signing_key)
    persons = tuple(twin if person.id == twin.id else person for person in AGREEMENT.persons)
    agreement = replace(AGREEMENT, persons=persons)
    as_tom = replace(vote(Kind.APPROVAL, "kim@kestrel", 2).signed.body, person=twin.id)
    twice = vote(Kind.APPROVAL, "kim@kestrel", 2)
    entries = (
        vote(Kind.APPROVAL, "kim@kestrel", 1),
        replace(twice, signed=replace(twice.signed, body=as_tom)),
    )
    claim = replace(open_world().claim, entries=entries)
    assert tally_approvals(agreement, claim, STAGE, at=BEGIN).agreeing == {"kim@kestrel"}


def test_claimants_party_counts_only_where_the_agreement_lets_it() -> None:
    stage = replace(AGREEMENT.stages[1], quorum=quorum({"any": ["ben@halden", "bea@halden"]}))
    stages = (AGREEMENT.stages[0], stage, AGREEMENT.stages[2])
    entries = (vote(Kind.APPROVAL, "ben@halden", 1), vote(Kind.APPROVAL, "bea@halden", 2))
    claim = replace(open_world().claim, entries=entries)

    def agreeing(agreement: Agreement) -> frozenset[PersonId]:
        return tally_approvals(agreement, claim, STAGE, at=BEGIN).agreeing

    assert agreeing(replace(AGREEMENT, stages=stages)) == frozenset()
    assert agreeing(replace(AGREEMENT, stages=stages, excludes_claimant_party=False)) == {"ben@halden"}


def test_unreachable_quorum_is_reported() -> None:
    claim: Claim = open_world().claim
    gone = replace(claim, entries=(*claim.entries, revocation("kim@kestrel"), revocation("tom@marlowe")))
    assert tally_approvals(AGREEMENT, claim, STAGE, at=BEGIN).reachable
    assert not tally_approvals(AGREEMENT, gone, STAGE, at=BEGIN).reachable


PEOPLE_OF_A_TREE: Final = [PersonId(f"p{number}@x") for number in range(6)]


@st.composite
def trees(draw: st.DrawFn) -> Quorum:
    """A tree over some of six people, each named once."""
    people = draw(st.permutations(PEOPLE_OF_A_TREE))
    cut = draw(st.integers(1, 5))
    inner = Group(threshold=draw(st.integers(1, cut)), members=tuple(people[:cut]))
    members: tuple[Group | PersonId, ...] = (inner, *people[cut:])
    return Quorum(Group(threshold=draw(st.integers(1, len(members))), members=members))


@given(trees(), st.sets(st.sampled_from(PEOPLE_OF_A_TREE)), st.sampled_from(PEOPLE_OF_A_TREE))
def test_one_more_person_never_undoes_a_tree_and_nobody_never_suffices(
    tree: Quorum, agreeing: set[PersonId], more: PersonId
) -> None:
    if tree.satisfied_by(frozenset(agreeing)):
        assert tree.satisfied_by(frozenset(agreeing | {more}))
    assert not tree.satisfied_by(frozenset())
    assert tree.satisfied_by(tree.persons)


def test_nobody_waits_for_the_approval_of_someone_who_denied_the_stage() -> None:
    kim = PersonId("kim@kestrel")
    assert kim in counted(()).outstanding
    assert kim not in counted((vote(Kind.DENIAL, kim, 1),)).outstanding
    assert kim in counted((vote(Kind.DENIAL, kim, 1, stages=(StageId("source"),)),)).outstanding
