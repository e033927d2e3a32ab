"""What one person says about a claim: approve it, deny it, object to it, and the like."""

from typing import Annotated

import typer

from tallystick.cli.cases import Case, open_case
from tallystick.cli.desk import Desk, desk
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted, Yes
from tallystick.cli.signing import Manner, heading, state
from tallystick.client.answers import objects, text, texts
from tallystick.domain.calendar import deadline
from tallystick.domain.codec import instant
from tallystick.domain.filing import stages_asked
from tallystick.domain.ids import ComponentId, StageId, digest
from tallystick.domain.kinds import Kind, WithdrawalReason
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.stages import depositor
from tallystick.domain.state import UNDECIDED_STAGE
from tallystick.domain.statements import (
    Approval,
    Denial,
    Hold,
    Intake,
    NoticeAcknowledgement,
    Objection,
    Retraction,
    Return,
    Withdrawal,
)

app = typer.Typer(add_completion=False)

Stages = Annotated[list[str] | None, typer.Option("--stage", help="Only this stage; repeatable.")]
Reason = Annotated[str, typer.Option(help="Why, in words that go on record.")]


@app.command()
def intake(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    refuse: Annotated[bool, typer.Option("--refuse", help="The form is not in order.")] = False,
    reason: Annotated[list[str] | None, typer.Option(help="What is not in order; repeatable.")] = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Accept the form of a claim, or refuse it with reasons."""
    if refuse and not reason:
        raise typer.BadParameter("a refusal needs a --reason")
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        body = Intake(**heading(at, case), accepted=not refuse, reasons=tuple(reason or ()))
        state(at, case, Kind.INTAKE, body, Manner(yes=yes, as_json=as_json))


@app.command()
def acknowledge(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Confirm that the notice of a claim has arrived."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        body = NoticeAcknowledgement(**heading(at, case))
        state(at, case, Kind.NOTICE_ACKNOWLEDGEMENT, body, Manner(yes=yes, as_json=as_json))


@app.command()
def approve(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    stage: Stages = None,
    reason: Reason = "approved",
    expires: Annotated[
        str | None, typer.Option(help="Until when it counts; as long as the agreement allows if absent.")
    ] = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Approve stages of a claim: those named, or all in whose quorum you have a place."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        members = heading(at, case)
        longest = deadline(
            members["issued_at"],
            case.agreement.windows.approval_lifetime,
            recipient=depositor(case.agreement),
            agreement=case.agreement,
        )
        body = Approval(
            **members,
            stages=_named(stage) or _own_stages(at, case),
            purpose=case.filing.purpose,
            expires_at=longest.at if expires is None else instant(expires),
            reason=reason,
        )
        state(at, case, Kind.APPROVAL, body, Manner(yes=yes, as_json=as_json))


@app.command()
def deny(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    reason: Reason,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Deny a claim; enough denials end it."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        body = Denial(**heading(at, case), reason=reason)
        state(at, case, Kind.DENIAL, body, Manner(yes=yes, as_json=as_json))


@app.command("object")
def object_(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    ground: Annotated[str, typer.Option(help="One of the agreement's grounds.")],
    explanation: Annotated[str, typer.Option(help="What it rests on, in a sentence.")],
    stage: Stages = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Object to a claim, or to some of its stages: what is undecided waits until it is settled."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        body = Objection(
            **heading(at, case), ground=ground, explanation=explanation, stages=_named(stage) or None
        )
        state(at, case, Kind.OBJECTION, body, Manner(yes=yes, as_json=as_json))


@app.command()
def retract(
    context: typer.Context,
    claim: ClaimName,
    statement: Annotated[str, typer.Argument(help="The digest of your own approval, denial or objection.")],
    api: Api,
    key: Key,
    *,
    reason: Reason,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Take back your own approval, denial or objection."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        body = Retraction(**heading(at, case), of=digest(statement), reason=reason)
        state(at, case, Kind.RETRACTION, body, Manner(yes=yes, as_json=as_json))


@app.command()
def withdraw(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    reason: Annotated[WithdrawalReason, typer.Option(help="Why the claim is given up.")],
    explanation: Annotated[str, typer.Option(help="More about it, in a sentence.")],
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Give up your claim."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        body = Withdrawal(**heading(at, case), reason=reason, explanation=explanation)
        state(at, case, Kind.WITHDRAWAL, body, Manner(yes=yes, as_json=as_json))


@app.command()
def hold(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    reason: Reason,
    stage: Stages = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Freeze a claim, or some of its stages: nothing is decided until the hold is lifted."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        body = Hold(**heading(at, case), reason=reason, stages=_named(stage) or None)
        state(at, case, Kind.HOLD, body, Manner(yes=yes, as_json=as_json))


@app.command("return")
def return_(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    method: Annotated[str, typer.Option(help="How it was returned or destroyed.")],
    certificate: Annotated[str, typer.Option(help="Who certifies it, and where that stands.")],
    component: Annotated[
        list[str] | None, typer.Option(help="A component; all that were released if absent.")
    ] = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Certify that what was released is returned or destroyed."""
    with desk(context, api, key) as at:
        case = open_case(at, claim, trusted=trust)
        components = tuple(ComponentId(name) for name in component or _released(case))
        body = Return(**heading(at, case), components=components, method=method, certificate=certificate)
        state(at, case, Kind.RETURN, body, Manner(yes=yes, as_json=as_json))


def _named(stages: list[str] | None) -> tuple[StageId, ...]:
    return tuple(StageId(stage) for stage in stages or ())


def _own_stages(at: Desk, case: Case) -> tuple[StageId, ...]:
    """Return the stages of the claim in whose quorum the person has a place."""
    person = at.person_in(case.agreement).id
    asked = stages_asked(case.agreement, case.filing)
    own = tuple(stage for stage in asked if person in case.agreement.stage(stage).quorum.persons)
    if not own:
        raise NotYoursError("no stage of this claim has you in its quorum", person=person)
    return own


def _released(case: Case) -> list[str]:
    return [
        component
        for stage in objects(case.view, "stages")
        if text(stage, "state") not in UNDECIDED_STAGE
        for component in texts(stage, "components")
    ]
