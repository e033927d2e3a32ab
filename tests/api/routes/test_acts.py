"""Acts on a claim: one handler, the rules at the door, and an answer only for what is on record."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi.routing import iter_route_contexts

from api.backend.backend import EngineUnreachableError
from api.routes.acts import handler_of
from tallystick.crypto.envelope import cosign, statement_id
from tallystick.domain.acts.all import ACTS
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.kinds import Kind, Purpose, WithdrawalReason
from tallystick.domain.statements.acts import (
    Approval,
    Denial,
    Hold,
    Intake,
    NoticeAcknowledgement,
    Objection,
    Withdrawal,
)
from tallystick.domain.statements.signed import Body
from tests.support.sites.service import STRANGER, Service
from tests.support.worlds.agreements import ANA, BEA, BEN, DORA, KIM, PEOPLE
from tests.support.worlds.prepared_worlds import unreadable_claim

CRITICAL = StageId("critical")


def approval(service: Service, **changes: object) -> dict[str, object]:
    return {
        "stages": (CRITICAL,),
        "purpose": Purpose.RELEASE,
        "expires_at": service.clock.now + timedelta(days=25),
        "reason": "The papers are in order.",
        **changes,
    }


def objection(**changes: object) -> dict[str, object]:
    return {"ground": "not-insolvent", "explanation": "The petition was dismissed.", **changes}


async def accepted(service: Service) -> None:
    answer = await service.says("intakes", Intake, ANA, accepted=True)
    assert answer.status_code == 201, answer.text


async def test_every_post_about_a_claim_goes_through_the_one_handler(service: Service) -> None:
    posts = [
        route
        for route in iter_route_contexts(service.app.routes)
        if "POST" in (route.methods or ()) and (route.path or "").startswith("/v1/claims/{claim}")
    ]
    assert {route.path for route in posts} == {f"/v1/claims/{{claim}}/{act.noun}" for act in ACTS}
    assert {route.endpoint.__code__ for route in posts if route.endpoint} == {handler_of(Kind.HOLD).__code__}


def test_every_kind_of_act_has_its_noun() -> None:
    made_elsewhere = {
        Kind.AGREEMENT,
        Kind.ENROLMENT,
        Kind.KEY_REVOCATION,
        Kind.CUSTODY,
        Kind.DEPOSIT,
        Kind.CLAIM,
        Kind.NOTICE,
        Kind.STORAGE_NOTICE,
        Kind.LETTER,
        Kind.LETTER_KEY,
        Kind.EVENT,
        Kind.DECISION,
        Kind.SIGHTING,
        Kind.EVIDENCE,
    }
    assert {act.kind for act in ACTS} == set(Kind) - made_elsewhere


async def test_an_act_is_answered_with_its_place_in_the_ledger(claimed: Service) -> None:
    answer = await claimed.says("intakes", Intake, ANA, accepted=True)
    assert answer.status_code == 201
    told = answer.json()
    case = claimed.world.case()
    assert told["index"] == case.claim.entries[1].index
    assert told["statement"] == case.claim.entries[1].signed.id
    assert (told["claim"], told["digest"], told["state"]) == (case.claim.id, case.claim.digest, "ACCEPTED")


async def test_the_same_statement_again_gets_the_same_answer_whatever_came_after(claimed: Service) -> None:
    act = claimed.act(Intake, ANA, accepted=True)
    path = f"/claims/{claimed.world.claim}/intakes"
    first = await claimed.post(path, act)
    await claimed.says("holds", Hold, KIM, reason="wait")
    claimed.clock.passes(timedelta(hours=1))
    asked_before = len(claimed.engine.asked)
    assert (await claimed.post(path, act)).content == first.content
    assert len(claimed.engine.asked) == asked_before, "what is on record is not asked for again"


async def test_a_signature_that_came_too_late_is_not_acknowledged(claimed: Service) -> None:
    act = claimed.act(Intake, ANA, accepted=True)
    path = f"/claims/{claimed.world.claim}/intakes"
    first = await claimed.post(path, act)
    later = await claimed.post(path, cosign(act, PEOPLE[KIM].signing_key))
    assert (later.status_code, later.json()["code"]) == (409, "signature-not-recorded")
    assert (await claimed.post(path, act)).content == first.content


async def test_the_claims_own_filing_again_gets_the_same_answer(service: Service) -> None:
    filing = service.filing()
    first = await service.post("/claims", filing, BEA)
    again = await service.post("/claims", filing, BEA)
    assert (first.status_code, again.content) == (201, first.content)


async def test_a_filing_whose_workflow_has_ended_is_answered_from_the_record(service: Service) -> None:
    service.engine.ended = True
    filing = service.filing()
    told = await service.post("/claims", filing)
    assert (told.status_code, told.json()["state"]) == (201, "FILED")
    assert (await service.post("/claims", filing)).content == told.content


async def test_filing_reads_the_claims_of_its_own_party_and_no_others(service: Service) -> None:
    unreadable_claim(service.world, DORA)
    assert (await service.post("/claims", service.filing(), BEA)).status_code == 201
    unreadable_claim(service.world, BEN)
    refused = await service.post("/claims", service.filing(), BEA)
    assert refused.json()["code"] == "record-unreadable"


async def test_the_short_form_names_the_same_claim(claimed: Service) -> None:
    short = claimed.world.case().claim.id
    by_short, by_digest = (
        await claimed.get(f"/claims/{short}"),
        await claimed.get(f"/claims/{claimed.world.claim}"),
    )
    assert by_short.json() == by_digest.json()


async def test_an_act_sent_under_another_noun_is_refused(claimed: Service) -> None:
    await accepted(claimed)
    for act in ACTS:
        noun = act.noun
        if act.kind is Kind.DENIAL:
            answer = await claimed.says(noun, Approval, KIM, **approval(claimed))
        else:
            answer = await claimed.says(noun, Denial, KIM, reason="no")
        assert (answer.status_code, answer.json()["code"]) == (422, "misdirected"), noun
        assert answer.json()["facts"]["expected"] == act.kind.value


Refusal = tuple[str, type[Body], PersonId, dict[str, object], int, str]

REFUSED: Sequence[Refusal] = (
    ("intakes", Intake, KIM, {"accepted": True}, 403, "not-authorised-to-state"),
    ("acknowledgements", NoticeAcknowledgement, BEA, {}, 403, "not-authorised-to-state"),
    ("denials", Denial, BEA, {"reason": "no"}, 403, "not-authorised-to-state"),
    ("objections", Objection, DORA, objection(ground="bad-weather"), 422, "unknown-ground"),
    ("objections", Objection, DORA, objection(stages=(StageId("other"),)), 422, "unknown-stage"),
    ("holds", Hold, DORA, {"reason": "wait"}, 403, "not-authorised-to-state"),
    (
        "withdrawals",
        Withdrawal,
        ANA,
        {"reason": WithdrawalReason.OTHER, "explanation": "x"},
        403,
        "not-authorised-to-state",
    ),
)


async def test_a_refusal_at_the_door_says_by_which_rule(claimed: Service) -> None:
    await accepted(claimed)
    before = claimed.world.case().claim
    for noun, kind, person, members, status, code in REFUSED:
        answer = await claimed.says(noun, kind, person, **members)
        assert (answer.status_code, answer.json()["code"]) == (status, code), f"{person} {noun}"
        assert answer.headers["content-type"] == "application/problem+json"
    assert claimed.world.case().claim == before, "a refusal changes nothing"


async def test_an_act_in_the_wrong_state_names_the_states_that_allow_it(claimed: Service) -> None:
    answer = await claimed.says("approvals", Approval, KIM, **approval(claimed))
    assert (answer.status_code, answer.json()["code"]) == (409, "claim-wrong-state")
    assert "ACCEPTED" in answer.json()["facts"]["expected"]


async def test_an_act_about_another_claim_is_refused_even_if_its_author_may_make_it(claimed: Service) -> None:
    body = claimed.world.body(
        Intake, ANA, claimed.clock.now, claim=Digest("sha256:" + 64 * "1"), accepted=True
    )
    answer = await claimed.post(
        f"/claims/{claimed.world.claim}/intakes", claimed.world.signed(body, PEOPLE[ANA].signing_key)
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "misdirected")


async def test_a_signature_by_nobody_of_the_agreement_is_refused(claimed: Service) -> None:
    body = claimed.world.body(Intake, ANA, claimed.clock.now, claim=claimed.world.claim, accepted=True)
    answer = await claimed.post(
        f"/claims/{claimed.world.claim}/intakes", claimed.world.signed(body, STRANGER)
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "signature-invalid")


async def test_an_engine_that_does_not_answer_means_repeat_it(claimed: Service) -> None:
    claimed.engine.away = True
    act = claimed.act(Intake, ANA, accepted=True)
    path = f"/claims/{claimed.world.claim}/intakes"
    doubt = await claimed.post(path, act)
    assert (doubt.status_code, doubt.json()["code"]) == (503, EngineUnreachableError.code)
    assert int(doubt.headers["retry-after"]) > 0
    assert doubt.json()["retryable"] is True
    claimed.engine.away = False
    assert (await claimed.post(path, act)).status_code == 201


async def test_a_lost_workflow_of_an_open_claim_means_repeat_it(claimed: Service) -> None:
    claimed.engine.ended = True
    answer = await claimed.says("intakes", Intake, ANA, accepted=True)
    assert (answer.status_code, answer.json()["code"]) == (503, "claim-not-carried")
    assert len(claimed.world.case().claim.entries) == 1


async def test_an_objection_after_the_end_is_still_recorded_as_late(claimed: Service) -> None:
    await accepted(claimed)
    answer = await claimed.says(
        "withdrawals", Withdrawal, BEA, reason=WithdrawalReason.SETTLED, explanation="They paid."
    )
    assert answer.json()["state"] == "WITHDRAWN"
    claimed.engine.ended = True
    late = claimed.act(Objection, DORA, **objection())
    path = f"/claims/{claimed.world.claim}/objections"
    told = await claimed.post(path, late, DORA)
    assert (told.status_code, told.json()["state"]) == (201, "WITHDRAWN")
    assert (await claimed.post(path, late, DORA)).content == told.content
    claim = claimed.world.case().claim
    assert [entry.signed.id for entry, _ in claim.entries_of(Objection)] == [statement_id(late)]
    assert not claim.open_objections
