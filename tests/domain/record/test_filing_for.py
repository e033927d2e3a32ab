"""A claim that the escrow agent files for a beneficiary: whose room it takes, and what it stands beside."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import (
    Digest,
    PartyId,
    PersonId,
)
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import (
    DuplicateClaimError,
    FilingIncompleteError,
    NotYoursError,
    QuotaExceededError,
    ReceiversRefusedError,
)
from tallystick.limits.claims import CLAIMS_PER_PARTY_MAX, UNCONFIRMED_PER_PERSON_MAX
from tests.support.stories.stories import play
from tests.support.worlds.agreements import (
    ABE,
    AGREEMENT,
    ANA,
    BEA,
    BEN,
    KIM,
    receivers,
)
from tests.support.worlds.groundwork import (
    FILED_FOR,
    some_digest,
)
from tests.support.worlds.world import World

HALDEN = PartyId("halden")
FOR_HALDEN: dict[str, object] = {
    "stages": ["critical"],
    "for_": HALDEN,
    "receivers": (),
    "declaration": None,
}


def unconfirmed() -> World:
    return play("ana files on behalf of halden", World(agreement=FILED_FOR))


def files(world: World, person: PersonId, *others: Claim, **members: object) -> None:
    world.files(person, others=others, **(FOR_HALDEN | members))  # type: ignore[arg-type]


def files_own(world: World, *others: Claim) -> None:
    world.files(BEA, stages=["critical"], others=others)


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"declaration": "So it is."}, FilingIncompleteError),
        ({"receivers": receivers(BEA)}, FilingIncompleteError),
        ({"for_": PartyId("kestrel")}, NotYoursError),
        ({"for_": PartyId("nobody")}, NotYoursError),
        ({"for_": None, "declaration": "So it is.", "receivers": receivers(BEA)}, NotYoursError),
    ],
)
def test_what_the_agent_may_not_say_for_another_is_refused(
    members: dict[str, object], error: type[TallystickError]
) -> None:
    with pytest.raises(error):
        files(World(agreement=FILED_FOR), ANA, **members)


def test_a_claim_of_ones_own_party_has_its_declaration_and_receivers() -> None:
    with pytest.raises(FilingIncompleteError):
        World().files(BEA, declaration=None)
    with pytest.raises(ReceiversRefusedError):
        World().files(BEA, receivers=())


def test_where_the_agreement_names_nobody_nobody_files_for_another() -> None:
    with pytest.raises(NotYoursError):
        files(World(agreement=AGREEMENT), ANA)


def test_a_beneficiary_files_its_own_claim_beside_one_that_it_has_not_confirmed() -> None:
    world = unconfirmed()
    files_own(world, world.claim)
    assert world.claim.filing.person == BEA


def test_the_agent_files_nothing_that_is_open_already() -> None:
    world = unconfirmed()
    with pytest.raises(DuplicateClaimError):
        files(world, ABE, world.claim)
    files_own(world)
    with pytest.raises(DuplicateClaimError):
        files(world, ABE, world.claim)


def test_what_was_confirmed_is_the_beneficiarys_and_not_filed_again() -> None:
    world = play("ana files on behalf of halden\nbea confirms", World(agreement=FILED_FOR))
    with pytest.raises(DuplicateClaimError):
        files_own(world, world.claim)


def test_few_claims_of_one_filer_wait_to_be_confirmed_and_others_may_still_file() -> None:
    world = unconfirmed()
    other = replace(world.claim, filing=replace(world.claim.filing, condition="end-of-support"))
    before = [other] * UNCONFIRMED_PER_PERSON_MAX
    files(world, ANA, *before[1:])
    with pytest.raises(QuotaExceededError):
        files(world, ANA, *before)
    files(world, ABE, *before)


def test_what_nobody_confirmed_takes_no_room_of_the_beneficiary() -> None:
    world = unconfirmed()
    files_own(world, *[world.claim] * CLAIMS_PER_PARTY_MAX)


def test_what_was_confirmed_counts_for_the_beneficiary() -> None:
    world = play("ana files on behalf of halden\nbea confirms\nbea withdraws", World(agreement=FILED_FOR))
    with pytest.raises(QuotaExceededError):
        files_own(world, *[world.claim] * CLAIMS_PER_PARTY_MAX)


def accepted() -> World:
    return play("ana files on behalf of halden\nbea confirms\nabe accepts", World(agreement=FILED_FOR))


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(TallystickError) as refusal:
        act()
    return refusal.value.code


@pytest.mark.parametrize("named", [None, some_digest(1)])
def test_a_vote_on_another_confirmation_than_the_claims_is_refused(named: Digest | None) -> None:
    world = accepted()
    assert refused(lambda: world.approves(KIM, stages=["critical"], confirmation=named)) == "misdirected"
    said = {"reason": "no", "confirmation": named}
    assert refused(lambda: world.says(Kind.DENIAL, KIM, **said)) == "misdirected"


def test_a_vote_names_no_confirmation_of_a_claim_that_needs_none() -> None:
    world = play("bea files for critical\nana accepts")
    named = some_digest(1)
    assert refused(lambda: world.approves(KIM, stages=["critical"], confirmation=named)) == "misdirected"


def test_a_confirmation_of_another_claim_is_refused() -> None:
    world = unconfirmed()
    said = {"declaration": "So it is.", "receivers": receivers(BEA), "claim": some_digest(1)}
    assert refused(lambda: world.says(Kind.CONFIRMATION, BEA, **said)) == "misdirected"


def test_a_confirmation_by_a_revoked_key_is_refused() -> None:
    world = unconfirmed()
    world.revokes(BEA, BEA)
    said = {"declaration": "So it is.", "receivers": receivers(BEN)}
    assert refused(lambda: world.says(Kind.CONFIRMATION, BEA, **said)) == "key-revoked"
