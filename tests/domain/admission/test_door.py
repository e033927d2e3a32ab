"""Attacks on the one door: each is refused with its own code, and changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pytest

from tallystick.crypto.envelope import sign
from tallystick.domain.admission.door import admit, admit_act
from tallystick.domain.agreement.parties import Channel, ChannelKind, Party, Role
from tallystick.domain.agreement.windows import OwnChannels
from tallystick.domain.authorship.authors import check_times
from tallystick.domain.claim.state import ClaimState, StageState
from tallystick.domain.claim.tally import tally_approvals
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, PartyId, PersonId, StageId
from tallystick.domain.kinds import Authority, Happening, Kind, Outcome, Purpose, ReceiptOutcome
from tallystick.domain.record.fold import fold
from tallystick.domain.record.generations import GENERATION_1
from tallystick.domain.refusals import AlreadyStatedError, MisdirectedError
from tallystick.domain.statements.engine import ChannelResult, PremiseVerdict
from tallystick.domain.statements.header import Contribution
from tallystick.domain.statements.signed import BY_ENGINE, Entry
from tallystick.limits.agreements import PERSONS_MAX
from tallystick.limits.claims import ACTS_PER_PERSON_MAX, UPDATES_PER_WORKFLOW_MAX
from tallystick.limits.documents import CLOCK_SKEW_MAX, STATEMENT_LIFETIME_MAX, TEXT_LENGTH_MAX
from tallystick.proof.entries import RecordedStatement, verified
from tallystick.proof.reading import read_signed
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, BEA, BEN, DECISION_KEY, LOG_KEY, PEOPLE, quorum
from tests.support.worlds.groundwork import BEGIN, NO_DIGEST, key_of, some_digest
from tests.support.worlds.world import World

KIM: Final = PEOPLE[PersonId("kim@kestrel")].signing_key
DORA: Final = PEOPLE[PersonId("dora@nordwind")].signing_key


def refused(code: str, world: World, act: Callable[[], object]) -> TallystickError:
    """Play `act`, and check that the door refuses it with `code` and nothing has changed."""
    before, length = world.claim, len(world.record)
    with pytest.raises(TallystickError) as refusal:
        act()
    assert refusal.value.code == code, str(refusal.value)
    assert (world.claim, len(world.record)) == (before, length)
    return refusal.value


def accepted() -> World:
    return play("bea files\nana accepts\ndora acknowledges")


def quorate() -> World:
    return play(
        """
        bea files
        ana accepts
        the gate is down
        kim approves provisional
        tom approves provisional
        = ACCEPTED; provisional QUORATE
        """
    )


# ------------------------------------------------------------------------------- it is about this


@pytest.mark.parametrize(
    "astray",
    [
        {"claim": NO_DIGEST},
        {"deployment": DeploymentId("another")},
        {"agreement": AgreementId("another")},
        {"agreement_digest": NO_DIGEST},
        {"purpose": Purpose.VERIFICATION},
    ],
    ids=lambda astray: next(iter(astray)),
)
def test_approval_moved_elsewhere_is_refused(astray: dict[str, object]) -> None:
    world = accepted()
    refused("misdirected", world, lambda: world.approves("kim@kestrel", stages=["provisional"], **astray))


def test_approval_moved_to_another_stage_is_refused() -> None:
    world = play("bea files for provisional\nana accepts")
    refused("unknown-stage", world, lambda: world.approves("kim@kestrel", stages=["critical"]))
    refused(
        "unknown-stage",
        world,
        lambda: world.approves("kim@kestrel", stages=["provisional", "provisional"]),
    )


def test_approval_of_one_claim_is_refused_for_the_next_of_the_same_deposit() -> None:
    world = accepted()
    world.approves("kim@kestrel", stages=["provisional"])
    envelope = world.record[-1][0]
    world.withdraws()
    world.files()
    world.accepts()
    refused("misdirected", world, lambda: world.submits(envelope))


def test_event_about_another_claim_is_refused() -> None:
    world = play("bea files\nana accepts")
    world.engine_runs = False
    world.at(BEGIN + timedelta(days=3))
    refused(
        "misdirected", world, lambda: world.records(Kind.EVENT, happening=Happening.LAPSED, claim=NO_DIGEST)
    )
    refused(
        "misdirected",
        world,
        lambda: world.records(Kind.EVENT, happening=Happening.REPLICA_REPAIRED, claim=NO_DIGEST),
    )


def test_statement_already_on_record_is_refused_whatever_it_is() -> None:
    world = accepted()
    world.holds()
    envelope = world.record[-1][0]
    refused("already-stated", world, lambda: world.submits(envelope))


@pytest.mark.parametrize("kind", [Kind.DEPOSIT, Kind.CLAIM])
def test_statement_that_is_not_an_act_on_a_claim_is_refused(kind: Kind) -> None:
    world = accepted()
    first, filing = world.deposit.body, world.claim.filing
    body = first if kind is Kind.DEPOSIT else replace(filing, nonce="0" * 32)
    key = DORA if kind is Kind.DEPOSIT else PEOPLE[BEA].signing_key
    refused("misdirected", world, lambda: world.submits(sign(kind.value, encode_object(body), [key])))


# ------------------------------------------------------------------------------- it is by them


def test_a_statement_of_the_engine_is_refused_among_acts_though_its_signature_is_good() -> None:
    world = quorate()
    engines = [entry for entry in world.claim.entries if entry.signed.kind in BY_ENGINE]
    assert {entry.signed.kind for entry in engines} == {Kind.NOTICE, Kind.SIGHTING, Kind.EVENT}
    for entry in engines:
        with pytest.raises(AlreadyStatedError):
            admit(AGREEMENT, world.claim, entry.signed, at=world.now)
        with pytest.raises(MisdirectedError):
            admit_act(AGREEMENT, world.claim, entry.signed, at=world.now)


def test_approval_signed_by_another_person_is_refused() -> None:
    world = accepted()
    body = world.body(
        Kind.APPROVAL,
        "tom@marlowe",
        stages=(StageId("provisional"),),
        purpose=Purpose.RELEASE,
        expires_at=world.now + timedelta(days=1),
        reason="",
    )
    refused(
        "not-authorised-to-state",
        world,
        lambda: world.submits(sign(Kind.APPROVAL.value, encode_object(body), [KIM])),
    )


def test_approval_signed_by_two_counts_for_neither() -> None:
    world = accepted()
    body = world.body(
        Kind.APPROVAL,
        "kim@kestrel",
        stages=(StageId("provisional"),),
        purpose=Purpose.RELEASE,
        expires_at=world.now + timedelta(days=1),
        reason="",
    )
    keys = [KIM, PEOPLE[PersonId("tom@marlowe")].signing_key]
    refused(
        "not-authorised-to-state",
        world,
        lambda: world.submits(sign(Kind.APPROVAL.value, encode_object(body), keys)),
    )


def test_same_key_under_two_names_is_one_person() -> None:
    """The linter refuses such an agreement; the count does not rely on it."""
    twin = replace(PEOPLE[PersonId("tom@marlowe")].person, signing_key=key_of("kim@kestrel"))
    persons = tuple(twin if person.id == twin.id else person for person in AGREEMENT.persons)
    world = World(agreement=replace(AGREEMENT, persons=persons), engine_runs=False)
    with pytest.raises(TallystickError):
        world.files()  # nobody can sign for Tom: his party's signature is missing


@pytest.mark.parametrize("kind", [Kind.EVENT, Kind.NOTICE, Kind.DECISION])
def test_engine_statement_by_a_person_or_by_the_other_engine_key_is_refused(kind: Kind) -> None:
    world = quorate()
    members: dict[Kind, dict[str, object]] = {
        Kind.EVENT: {"happening": Happening.LAPSED},
        Kind.NOTICE: {"party": "nordwind", "attempt": 1, "text_digest": NO_DIGEST, "channels": ()},
        Kind.DECISION: {
            "stage": StageId("provisional"),
            "released": False,
            "decided_at": world.now,
            "record": NO_DIGEST,
            "premises": (PremiseVerdict(premise="no-hold", holds=False, found=""),),
        },
    }
    envelope_body = encode_object(world.body(kind, "engine@test", **members[kind]))
    right = DECISION_KEY if kind is Kind.DECISION else LOG_KEY
    wrong = LOG_KEY if kind is Kind.DECISION else DECISION_KEY
    for keys in ([KIM], [wrong], [right, wrong], [right, KIM]):
        envelope = sign(kind.value, envelope_body, keys)
        refused("not-authorised-to-state", world, lambda e=envelope: world.submits(e))  # type: ignore[misc]


def two_banks() -> World:
    """An agreement with a second beneficiary, for whom Ben now acts."""
    other = Party(
        id=PartyId("kestrel"),
        role=Role.BENEFICIARY,
        name="Another Bank",
        time_zone="Europe/London",
        calendar="gb-eng",
    )
    parties = tuple(other if party.id == other.id else party for party in AGREEMENT.parties)
    authorities = replace(
        AGREEMENT.authorities,
        claimants=(BEA, BEN, PersonId("kim@kestrel")),
        joint_instruction=quorum({"k": 2, "of": ["dora@nordwind", "bea@halden", "kim@kestrel"]}),
    )
    return World(agreement=replace(AGREEMENT, parties=parties, authorities=authorities))


def test_claimant_of_another_beneficiary_touches_no_claim_but_their_own() -> None:
    world = two_banks()
    world.files()
    world.accepts()
    world.approves("ana@harbour", stages=["provisional"])
    world.approves("tom@marlowe", stages=["provisional"])
    code = "not-authorised-to-state"
    refused(code, world, lambda: world.withdraws("kim@kestrel"))
    refused(
        code,
        world,
        lambda: world.reports("provisional", ReceiptOutcome.FAILED, person="kim@kestrel"),
    )
    refused(code, world, lambda: world.instructs("dora@nordwind", "kim@kestrel"))
    world.withdraws()
    refused(code, world, lambda: world.gives_back("docs", person="kim@kestrel"))


def test_a_hold_that_does_not_stand_is_not_lifted() -> None:
    world = accepted()
    hold = world.holds().signed.id
    other = world.holds().signed.id
    world.lifts(hold=hold)
    nothing = refused("nothing-to-lift", world, lambda: world.lifts(hold=hold))
    assert nothing.facts == {"standing": [other]}


def test_claimants_side_neither_rules_nor_lifts_holds_on_its_own_claim() -> None:
    powers = replace(
        AGREEMENT.authorities,
        arbitration=quorum({"any": ["ben@halden", "kim@kestrel"]}),
        hold_lift=quorum({"k": 2, "of": ["ana@harbour", "ben@halden", "tom@marlowe"]}),
    )
    world = World(agreement=replace(AGREEMENT, authorities=powers))
    world.files()
    world.accepts()
    world.objects()
    world.holds()
    refused("self-serving", world, lambda: world.rules("ben@halden", outcome=Outcome.RELEASE))
    refused("self-serving", world, lambda: world.lifts("ana@harbour", "ben@halden"))
    world.lifts("ana@harbour", "tom@marlowe")
    world.rules("ben@halden", outcome=Outcome.REFUSE)
    assert world.claim.state is ClaimState.REFUSED


def test_claimant_never_counts_even_if_a_quorum_names_them_and_the_party_is_not_excluded() -> None:
    stage = replace(AGREEMENT.stages[0], quorum=quorum({"k": 2, "of": ["bea@halden", "ben@halden"]}))
    world = World(
        agreement=replace(AGREEMENT, stages=(stage, *AGREEMENT.stages[1:]), excludes_claimant_party=False)
    )
    world.files()
    world.accepts()
    refused("self-serving", world, lambda: world.approves("bea@halden", stages=["provisional"]))
    world.approves("ben@halden", stages=["provisional"])


def test_joint_instruction_needs_both_sides_whatever_its_quorum_says() -> None:
    powers = replace(
        AGREEMENT.authorities, joint_instruction=quorum({"k": 2, "of": ["bea@halden", "ben@halden"]})
    )
    world = World(agreement=replace(AGREEMENT, authorities=powers))
    world.files()
    world.accepts()
    refused("not-authorised-to-state", world, lambda: world.instructs("bea@halden", "ben@halden"))


def test_agreement_without_an_authority_lets_nobody_use_it() -> None:
    powers = replace(AGREEMENT.authorities, arbitration=None, court_order=None, joint_instruction=None)
    world = World(agreement=replace(AGREEMENT, authorities=powers))
    world.files()
    world.accepts()
    code = "not-authorised-to-state"
    refused(code, world, lambda: world.rules("kim@kestrel", outcome=Outcome.RELEASE))
    order = Authority.COURT_ORDER
    refused(
        code,
        world,
        lambda: world.rules("ana@harbour", "tom@marlowe", outcome=Outcome.RELEASE, authority=order),
    )
    refused(code, world, lambda: world.instructs("dora@nordwind", "bea@halden"))


# ------------------------------------------------------------------------------- it is in time


def test_statement_from_the_future_or_from_long_ago_is_refused() -> None:
    world = accepted()
    for issued_at in (
        world.now + CLOCK_SKEW_MAX + timedelta(seconds=1),
        world.now - STATEMENT_LIFETIME_MAX - timedelta(seconds=1),
        datetime(1, 1, 1, tzinfo=UTC),  # no time zone in the west can show an earlier moment
    ):
        refused(
            "bad-timing",
            world,
            lambda at=issued_at: world.approves("kim@kestrel", stages=["provisional"], issued_at=at),  # type: ignore[misc]
        )
    world.approves("kim@kestrel", stages=["provisional"], issued_at=world.now + CLOCK_SKEW_MAX)
    world.says(Kind.DENIAL, "tom@marlowe", reason="no", issued_at=world.now - STATEMENT_LIFETIME_MAX)


def test_approval_is_refused_once_expired() -> None:
    world = accepted()
    refused(
        "bad-timing",
        world,
        lambda: world.approves("kim@kestrel", stages=["provisional"], expires_at=world.now),
    )


def test_approval_in_its_last_second_counts_and_may_be_renewed() -> None:
    world = accepted()
    ends = world.now + timedelta(hours=1)
    world.approves("kim@kestrel", stages=["provisional"], expires_at=ends)

    def agreeing(at: datetime) -> set[PersonId]:
        return set(tally_approvals(AGREEMENT, world.claim, StageId("provisional"), at=at).agreeing)

    world.now = ends - timedelta(seconds=1)
    refused("already-stated", world, lambda: world.approves("kim@kestrel", stages=["provisional"]))
    world.now = ends
    assert agreeing(ends) == {PersonId("kim@kestrel")}
    assert not agreeing(ends + timedelta(seconds=1))
    world.approves("kim@kestrel", stages=["provisional"])
    assert agreeing(ends) == agreeing(ends + timedelta(seconds=1)) == {PersonId("kim@kestrel")}


def test_revocation_kept_in_a_safe_for_years_still_revokes() -> None:
    world = accepted()
    old = world.body(
        Kind.KEY_REVOCATION, "kim@kestrel", key=key_of("kim@kestrel"), reason="in case", issued_at=BEGIN
    )
    world.at(BEGIN + timedelta(days=700))
    check_times(old, at=world.now)  # the door of the agreement asks this
    world.submits(sign(Kind.KEY_REVOCATION.value, encode_object(old), [KIM]))
    assert world.claim.revoked_at(key_of("kim@kestrel")) == world.now


# ------------------------------------------------------------------------------- nobody's room


def test_quota_counts_what_a_person_signs_together_with_others() -> None:
    world = accepted()
    orders = partial(world.rules, outcome=Outcome.RELEASE, authority=Authority.COURT_ORDER)
    for _ in range(ACTS_PER_PERSON_MAX - 1):  # the intake was Ana's first
        orders("ana@harbour", "tom@marlowe")
    refused("quota-exceeded", world, lambda: orders("tom@marlowe", "ana@harbour"))
    refused("quota-exceeded", world, lambda: world.denies("ana@harbour"))
    world.denies("tom@marlowe")


def test_quota_used_up_neither_blocks_others_nor_a_revocation() -> None:
    world = accepted()
    for _ in range(ACTS_PER_PERSON_MAX // 2):
        world.retracts("kim@kestrel", world.denies("kim@kestrel").signed.id)
    refused("quota-exceeded", world, lambda: world.denies("kim@kestrel"))
    world.revokes("kim@kestrel")
    world.denies("tom@marlowe")
    assert world.refolded() == world.claim


def test_a_hold_counts_for_its_lift_too_so_that_all_acts_stay_within_the_limit_of_a_claim() -> None:
    world = accepted()
    filed = len(world.entries)
    for _ in range(ACTS_PER_PERSON_MAX // 2):
        hold = world.holds("kim@kestrel")
        world.lifts("ana@harbour", "tom@marlowe", hold=hold.signed.id)
    for act in (world.holds, world.denies):
        refused("quota-exceeded", world, partial(act, "kim@kestrel"))
    assert len(world.entries) - filed == ACTS_PER_PERSON_MAX
    assert PERSONS_MAX * ACTS_PER_PERSON_MAX < UPDATES_PER_WORKFLOW_MAX
    world.denies("ana@harbour")
    assert world.refolded() == world.claim


def test_bytes_of_one_person_are_limited_and_count_against_nobody_else() -> None:
    world, long = accepted(), TEXT_LENGTH_MAX * "\N{SCROLL}"  # of four bytes each
    hold = world.says(Kind.HOLD, "kim@kestrel", reason=long)
    for _ in range(4):
        denial = world.says(Kind.DENIAL, "kim@kestrel", reason=long)
        world.says(Kind.RETRACTION, "kim@kestrel", of=denial.signed.id, reason=long)
    refused("quota-exceeded", world, lambda: world.says(Kind.DENIAL, "kim@kestrel", reason=long))
    world.says(Kind.DENIAL, "tom@marlowe", reason=long)
    lifts = partial(world.says, Kind.HOLD_LIFT, "ana@harbour", "tom@marlowe", hold=hold.signed.id)
    refused("quota-exceeded", world, partial(lifts, reason=long))
    lifts(reason="It is lifted.")
    assert world.refolded() == world.claim


def test_revocation_by_a_revoked_key_revokes_nothing_and_breaks_no_record() -> None:
    world = accepted()
    world.revokes("kim@kestrel")
    body = world.body(Kind.KEY_REVOCATION, "ana@harbour", key=key_of("tom@marlowe"), reason="a lie")
    keys = [PEOPLE[PersonId("ana@harbour")].signing_key, KIM]
    envelope = sign(Kind.KEY_REVOCATION.value, encode_object(body), keys)
    refused("key-revoked", world, lambda: world.submits(envelope))
    entry = Entry(
        index=len(world.record), accepted_at=world.now, signed=read_signed(envelope, world.agreement)
    )
    assert fold(world.terms, (*world.entries, entry)) == world.claim


def test_void_revocation_does_not_hide_a_sound_one_that_comes_later() -> None:
    world = accepted()
    raw = [
        RecordedStatement(index=e.index, accepted_at=e.accepted_at, envelope=sent) for sent, e in world.record
    ]
    signers = (("kim@kestrel",), ("ana@harbour", "kim@kestrel"), ("ana@harbour", "tom@marlowe"))
    owners = ("kim@kestrel", "dora@nordwind", "dora@nordwind")
    for by, owner in zip(signers, owners, strict=True):
        body = world.body(Kind.KEY_REVOCATION, by[0], key=key_of(owner), reason="stolen")
        envelope = sign(
            Kind.KEY_REVOCATION.value,
            encode_object(body),
            [PEOPLE[PersonId(person)].signing_key for person in by],
        )
        raw.append(RecordedStatement(index=len(raw), accepted_at=world.now, envelope=envelope))
    void, sound = raw[:-1], raw
    claim = fold(world.terms, verified(void, world.terms))
    assert claim.revoked_at(key_of("dora@nordwind")) is None
    claim = fold(world.terms, verified(sound, world.terms))
    assert claim.revoked_at(key_of("dora@nordwind")) == world.now


# ------------------------------------------------------------------------------- the engine's word


@pytest.mark.parametrize("happening", Happening)
def test_nothing_is_recorded_that_is_not_due(happening: Happening) -> None:
    world = accepted()
    if happening is Happening.REPLICA_REPAIRED:
        return
    for stage in (None, StageId("provisional")):
        until = world.now + timedelta(days=1)
        refused(
            "not-due",
            world,
            lambda stage=stage, until=until: world.records(  # type: ignore[misc]
                Kind.EVENT, happening=happening, stage=stage, until=until
            ),
        )


def test_window_with_a_shorter_deadline_than_the_agreements_is_not_recorded() -> None:
    world = World(engine_runs=False)
    world.files()
    world.accepts()
    world.acknowledges()
    due = world.now + timedelta(days=3)
    refused("not-due", world, lambda: world.records(Kind.EVENT, happening=Happening.WINDOW_OPENED, until=due))


def test_notice_to_another_party_or_on_strange_channels_proves_nothing() -> None:
    two = replace(AGREEMENT.notice, channels_required=2, own_channels=OwnChannels.PROVE)
    world = World(agreement=replace(AGREEMENT, notice=two), channels_take=False)
    world.files()
    world.accepts()
    refused("not-due", world, lambda: world.gives_notice(party=PartyId("halden")))
    own = ChannelResult(kind=ChannelKind.OUTBOX, address="nordwind", taken=True, own=False, detail="")
    world.gives_notice(channels=(own, own))
    strange = Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example.evil.example")
    world.gives_notice(
        channels=(
            own,
            ChannelResult(kind=strange.kind, address=strange.address, taken=True, own=False, detail=""),
        )
    )
    world.passes(timedelta(days=5))
    assert world.claim.state is ClaimState.ACCEPTED
    email = ChannelResult(
        kind=ChannelKind.EMAIL, address="legal@nordwind.example", taken=True, own=False, detail=""
    )
    world.gives_notice(channels=(own, email))
    world.passes(timedelta(days=5))
    assert world.refolded().state is ClaimState.WINDOW


# ------------------------------------------------------------------------------- the gate's word


def forged(world: World, **members: object) -> Callable[[], object]:
    return lambda: world.decides("provisional", **members)


ALL_HOLD: Final = tuple(
    PremiseVerdict(premise=name, holds=True, found="so it is") for name in GENERATION_1.premises
)


@pytest.mark.parametrize(
    "premises",
    [
        (),
        ALL_HOLD[:1],
        ALL_HOLD[:-1],
        (*ALL_HOLD[:-1], replace(ALL_HOLD[-1], premise="all-is-well")),
        (*ALL_HOLD[:-1], ALL_HOLD[0]),
        (*ALL_HOLD, ALL_HOLD[0]),
        (*ALL_HOLD[:-1], replace(ALL_HOLD[-1], holds=False)),
    ],
    ids=["none", "one", "one-less", "another", "one-twice", "one-more", "one-unmet"],
)
def test_release_on_a_forged_list_of_premises_is_refused(premises: tuple[PremiseVerdict, ...]) -> None:
    world = quorate()
    refused("not-due", world, forged(world, premises=premises))


def test_release_that_the_record_does_not_confirm_is_refused() -> None:
    world = quorate()
    world.retracts("tom@marlowe", world.claim.approvals[-1][0].signed.id)
    shares = (Contribution(component=ComponentId("docs"), leaf="gate", sealed_digest=some_digest(1)),)
    refusal = refused("not-due", world, forged(world, released=True, premises=ALL_HOLD, contributions=shares))
    assert refusal.facts["unmet"] == ["quorum-reached"]


def test_release_decided_at_another_time_than_it_is_recorded_must_hold_at_both() -> None:
    world = quorate()
    long_ago = world.now - timedelta(days=1)  # before the claim was accepted
    later = world.now + timedelta(days=31)
    refused("not-due", world, forged(world, decided_at=long_ago))
    refused("not-due", world, forged(world, decided_at=later))
    world.engine_runs = False
    world.at(later)  # every approval has expired
    share = Contribution(component=ComponentId("docs"), leaf="gate", sealed_digest=some_digest(1))
    made = {"released": True, "premises": ALL_HOLD, "contributions": (share,)}
    refusal = refused("not-due", world, forged(world, decided_at=BEGIN, **made))
    assert refusal.facts["unmet"] == ["quorum-reached"]


def test_release_decided_in_the_future_is_refused_even_if_everything_still_holds_then() -> None:
    world = quorate()
    refused("not-due", world, forged(world, decided_at=world.now + CLOCK_SKEW_MAX + timedelta(seconds=1)))
    world.decides("provisional", decided_at=world.now + CLOCK_SKEW_MAX)


def test_release_contributes_a_share_of_each_component_and_of_no_other() -> None:
    world = quorate()
    share = Contribution(component=ComponentId("docs"), leaf="gate", sealed_digest=some_digest(1))
    astray = replace(share, component=ComponentId("source"))
    at_another_leaf = replace(share, leaf="kim")
    for shares in ((), (astray,), (share, astray), (share, share), (at_another_leaf,)):
        refused("not-due", world, forged(world, contributions=shares))


def test_refusal_names_what_it_lacks_and_contributes_nothing() -> None:
    world = quorate()
    share = Contribution(component=ComponentId("docs"), leaf="gate", sealed_digest=some_digest(1))
    unmet = (replace(ALL_HOLD[0], holds=False),)
    refused("not-due", world, forged(world, released=False, premises=ALL_HOLD, contributions=()))
    refused("not-due", world, forged(world, released=False, premises=(), contributions=()))
    refused("not-due", world, forged(world, released=False, premises=unmet, contributions=(share,)))
    world.decides("provisional", released=False, premises=unmet, contributions=())
    assert world.claim.progress(StageId("provisional")).state is StageState.WAITING


def test_stage_is_decided_once_for_ever() -> None:
    world = quorate()
    world.decides("provisional")
    share = Contribution(component=ComponentId("docs"), leaf="gate", sealed_digest=some_digest(1))
    refused(
        "not-due",
        world,
        forged(world, released=True, premises=ALL_HOLD, contributions=(share,)),
    )


def test_another_stage_than_the_quorate_one_is_not_decided() -> None:
    world = quorate()
    shares = tuple(
        Contribution(component=ComponentId(c), leaf="gate", sealed_digest=some_digest(1))
        for c in ("licence-keys", "activation-rules")
    )
    refused(
        "not-due",
        world,
        lambda: world.decides("critical", released=True, premises=ALL_HOLD, contributions=shares),
    )


@pytest.mark.parametrize("component", ["docs", "source", "licence-keys"])
def test_share_is_refused_where_the_gate_alone_holds_the_key(component: str) -> None:
    """Were it recorded, one person could name a share that does not exist, and the stage would never open."""
    world = accepted()
    share = (Contribution(component=ComponentId(component), leaf="gate", sealed_digest=some_digest(1)),)
    refused(
        "misdirected",
        world,
        lambda: world.approves("kim@kestrel", stages=["provisional"], contributions=share),
    )


def test_share_of_a_component_that_does_not_exist_is_refused() -> None:
    world = accepted()
    astray = (Contribution(component=ComponentId("nothing"), leaf="kim", sealed_digest=some_digest(1)),)
    refused(
        "misdirected",
        world,
        lambda: world.approves("kim@kestrel", stages=["provisional"], contributions=astray),
    )


# ------------------------------------------------------------------------------- what is admitted folds


def test_receipt_for_a_waiting_stage_is_refused() -> None:
    """Were it admitted and recorded, the claim's record could never be folded again."""
    world = accepted()
    receipt = world.body(
        Kind.RECEIPT,
        "bea@halden",
        stage=StageId("critical"),
        outcome=ReceiptOutcome.FAILED,
        components=(),
        detail="",
    )
    envelope = sign(Kind.RECEIPT.value, encode_object(receipt), [PEOPLE[BEA].signing_key])
    signed = read_signed(envelope, world.agreement)
    with pytest.raises(TallystickError) as refusal:
        admit(world.agreement, world.claim, signed, at=world.now)
    assert refusal.value.code == "claim-wrong-state"
    assert refusal.value.facts["current"] == StageState.WAITING


def test_activation_reports_every_component_of_its_stage() -> None:
    world = accepted()
    world.approves("kim@kestrel", stages=["provisional"])
    world.approves("tom@marlowe", stages=["provisional"])
    refused(
        "misdirected",
        world,
        lambda: world.says(
            Kind.RECEIPT,
            "bea@halden",
            stage=StageId("provisional"),
            outcome=ReceiptOutcome.ACTIVATED,
            components=(),
            detail="",
        ),
    )
