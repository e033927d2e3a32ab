"""Which claims can be filed, and which are refused at the door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.crypto.envelope import sign
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, DeploymentId, PersonId, StageId
from tallystick.domain.kinds import Kind
from tallystick.domain.periods import Period
from tallystick.domain.record.filing import check_filing, stages_asked
from tallystick.domain.record.fold import fold, state_after, turns
from tallystick.domain.release.conditions_met import unmet_evidence
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.domain.statements.signed import Entry, expect
from tallystick.proof.reading import read_signed
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, BEA, DIRK, PEOPLE
from tests.support.worlds.groundwork import BEGIN, NO_DIGEST, some_digest
from tests.support.worlds.world import World


def refused(code: str, world: World, **members: object) -> TallystickError:
    with pytest.raises(TallystickError) as refusal:
        world.files(**members)  # type: ignore[arg-type]
    assert refusal.value.code == code, str(refusal.value)
    assert world.told is None
    return refusal.value


def document(item: str, issued_at: datetime) -> EvidenceDocument:
    return EvidenceDocument(
        item=item, issued_at=issued_at, plain_digest=some_digest(1), sealed_digest=some_digest(2)
    )


def evidence(world: World, *, record: timedelta) -> tuple[EvidenceDocument, ...]:
    at = world.now
    return (document("insolvency-record", at - record), document("officer-declaration", at))


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("misdirected", {"deployment": DeploymentId("another")}),
        ("misdirected", {"agreement": AgreementId("another")}),
        ("misdirected", {"agreement_digest": NO_DIGEST}),
        ("unknown-stage", {"stages": ("attic",)}),
        ("unknown-stage", {"stages": ("provisional", "provisional")}),
        ("unknown-stage", {"stages": ("provisional", "source")}),
        ("condition-not-met", {"evidence": ()}),
        ("condition-not-met", {"evidence": ("officer-declaration",)}),
        (
            "condition-not-met",
            {"evidence": ("insolvency-record", "officer-declaration", "outage-record") * 2},
        ),
        ("not-in-agreement", {"condition": "bad-weather"}),
        ("not-in-agreement", {"evidence": ("insolvency-record", "officer-declaration", "rumour")}),
        ("bad-timing", {"issued_at": BEGIN + timedelta(hours=1)}),
    ],
)
def test_claim_that_could_never_be_released_is_not_filed(code: str, members: dict[str, object]) -> None:
    refused(code, World(), **members)


def test_agreement_that_is_not_in_force_yet_carries_no_claim() -> None:
    refused("bad-timing", World(now=datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)))


def test_evidence_is_judged_by_its_age_to_the_second() -> None:
    world = World()
    oldest = evidence(world, record=timedelta(days=10))
    too_old = evidence(world, record=timedelta(days=10, seconds=1))
    assert unmet_evidence(AGREEMENT, filing(world, oldest), at=world.now) == ()
    assert unmet_evidence(AGREEMENT, filing(world, too_old), at=world.now)[0] == (
        "insolvency-record is older than P10D"
    )


def filing(world: World, documents: tuple[EvidenceDocument, ...]) -> ClaimFiling:
    original = world.files().signed.body
    assert isinstance(original, ClaimFiling)
    return replace(original, evidence=documents)


def test_evidence_from_the_future_or_far_too_old_does_not_count() -> None:
    world = World()
    days = replace(AGREEMENT.evidence[0], max_age=Period("8 business days"))
    agreement = replace(AGREEMENT, evidence=(days, *AGREEMENT.evidence[1:]))
    for issued_at, words in (
        (world.now + timedelta(seconds=1), "insolvency-record is dated in the future"),
        (datetime(1, 1, 1, tzinfo=UTC), "insolvency-record is older than the longest period"),
        (world.now - timedelta(days=13), "insolvency-record is older than 8 business days"),
    ):
        documents = (document("insolvency-record", issued_at), document("officer-declaration", BEGIN))
        assert unmet_evidence(agreement, filing(world, documents), at=world.now)[0] == words
    timeless = (
        document("insolvency-record", world.now),
        document("officer-declaration", datetime(1, 1, 1, tzinfo=UTC)),
    )
    assert unmet_evidence(agreement, filing(world, timeless), at=world.now) == ()


def test_unmet_condition_says_what_is_missing() -> None:
    refusal = refused("condition-not-met", World(), evidence=("insolvency-record",))
    assert refusal.facts["unmet"] == [
        "officer-declaration is missing",
        "outage-record is missing",
        "insolvency needs (insolvency-record and (outage-record or officer-declaration))",
    ]


def signed_filing(world: World, person: str, *signers: str) -> Entry:
    world.files()
    original = world.entries[0].signed.body
    body = replace(original, person=PersonId(person))
    keys = [PEOPLE[PersonId(signer)].signing_key for signer in signers or (person,)]
    signed = read_signed(sign(Kind.CLAIM.value, encode_object(body), keys), world.agreement)
    return Entry(index=0, accepted_at=world.now, signed=signed)


def check(
    world: World, entry: Entry, *, deposit: Deposit | None = None, revocations: tuple[Entry, ...] = ()
) -> str:
    deposited = world.deposit.body
    with pytest.raises(TallystickError) as refusal:
        check_filing(
            world.terms,
            expect(entry.signed, ClaimFiling),
            at=world.now,
            deposit=deposit or deposited,
            revocations=revocations,
        )
    return refusal.value.code


def test_nobody_files_in_anothers_name_nor_together() -> None:
    world = World()
    assert check(world, signed_filing(world, "bea@halden", "ben@halden")) == "not-authorised-to-state"
    assert check(world, signed_filing(world, "bea@halden", "bea@halden", "ben@halden")) == (
        "not-authorised-to-state"
    )
    assert check(world, signed_filing(world, DIRK)) == "not-authorised-to-state"
    with pytest.raises(TallystickError):
        fold(world.terms, [signed_filing(world, "bea@halden", "ben@halden")])


def test_revoked_key_files_nothing() -> None:
    world = World()
    world.files()
    revocation = world.revokes("bea@halden")
    assert check(world, signed_filing(world, BEA), revocations=(revocation,)) == "key-revoked"
    assert check(world, signed_filing(world, DIRK), revocations=(revocation,)) != "key-revoked"


def test_claim_needs_a_verified_deposit_with_every_component_it_asks_for() -> None:
    world = World()
    entry = signed_filing(world, BEA)
    deposited = world.deposit.body
    lacking = replace(deposited, components=deposited.components[:-1])
    assert check(world, entry, deposit=lacking) == "deposit-not-claimable"
    with pytest.raises(TallystickError) as refusal:
        check_filing(world.terms, expect(entry.signed, ClaimFiling), at=world.now, deposit=None)
    assert refusal.value.code == "deposit-not-claimable"


def test_same_party_condition_and_deposit_make_a_duplicate_while_the_first_is_open() -> None:
    world = play("bea files\nana accepts")
    first = world.claim
    with pytest.raises(TallystickError) as refusal:
        world.files("ben@halden", others=[first])
    assert refusal.value.code == "duplicate-claim"
    assert refusal.value.facts["digest"] == first.digest
    world.files("ben@halden", condition="end-of-support", others=[first])


def test_two_claims_run_side_by_side_without_affecting_each_other() -> None:
    one, other = play("bea files\nana accepts"), World()
    other.files(condition="end-of-support", evidence=("officer-declaration",))
    other.accepts()
    before = one.claim
    other.denies("kim@kestrel")
    other.denies("tom@marlowe")
    assert other.claim.state == "DENIED"
    assert one.claim == before


def test_stages_are_in_the_agreements_order_whatever_order_is_asked_in() -> None:
    world = World()
    world.files(stages=["source", "provisional", "critical"])
    assert [progress.stage for progress in world.claim.stages] == ["provisional", "critical", "source"]
    asked = replace(world.claim.filing, stages=(StageId("critical"), StageId("provisional")))
    assert stages_asked(AGREEMENT, asked) == ("provisional", "critical")


def test_record_of_a_claim_for_another_deployment_does_not_fold() -> None:
    world = World()
    world.files()
    entry = world.entries[0]
    for member, value in (("deployment", "another"), ("agreement", "another"), ("stages", ("source",))):
        body = replace(entry.signed.body, **{member: value})  # type: ignore[arg-type]
        with pytest.raises(TallystickError):
            fold(world.terms, [replace(entry, signed=replace(entry.signed, body=body))])


def test_the_turns_of_a_record_are_its_entries_and_end_where_the_fold_ends() -> None:
    world = play("bea files\nana accepts\nkim approves provisional\ndora objects")
    terms = Terms(agreement=world.agreement, digest=world.claim.filing.agreement_digest)
    all_turns = list(turns(terms, world.claim.entries))

    assert [one.entry for one in all_turns] == list(world.claim.entries)
    assert [one.event for one in all_turns][:2] == [None, EventType.INTAKE_ACCEPTED]
    assert all_turns[-1].claim == fold(terms, world.claim.entries) == world.claim
    steps = [(one.event, one.claim.state) for one in all_turns[1:]]
    assert [(step.event, step.state) for step in world.claim.steps] == steps


def test_a_statement_led_to_the_same_state_whatever_came_after_it() -> None:
    world = play("bea files\nana accepts\ndora objects")
    filing, intake, *_, objection = world.claim.entries

    assert state_after(world.claim, filing) is ClaimState.FILED
    assert state_after(world.claim, intake) is ClaimState.ACCEPTED
    assert state_after(world.claim, objection) is world.claim.state is ClaimState.CONTESTED
