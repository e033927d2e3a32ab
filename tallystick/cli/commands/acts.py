"""What one person says about a claim: approve it, deny it, object to it, and the like."""

from typing import Annotated

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted, Yes
from tallystick.cli.signing import Manner, state
from tallystick.client.answers import objects, text, texts
from tallystick.desk.claims import Case, open_case
from tallystick.desk.desk import Desk
from tallystick.domain.agreement.agreement import voted_on
from tallystick.domain.claim.state import UNDECIDED_STAGE
from tallystick.domain.codec import instant
from tallystick.domain.drafts.drafts import Choices
from tallystick.domain.ids import ComponentId, StageId, digest
from tallystick.domain.kinds import Kind, WithdrawalReason
from tallystick.domain.record.filing import stages_asked
from tallystick.domain.refusals import NotYoursError

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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        choices = Choices(accepted=not refuse, reasons=tuple(reason or ()))
        state(desk, case, Kind.INTAKE, choices, Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        state(desk, case, Kind.NOTICE_ACKNOWLEDGEMENT, Choices(), Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        choices = Choices(
            stages=_named(stage) or _own_stages(desk, case),
            expires_at=None if expires is None else instant(expires),
            reason=reason,
        )
        state(desk, case, Kind.APPROVAL, choices, Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        state(desk, case, Kind.DENIAL, Choices(reason=reason), Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        choices = Choices(ground=ground, explanation=explanation, stages=_named(stage))
        state(desk, case, Kind.OBJECTION, choices, Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        choices = Choices(of=digest(statement), reason=reason)
        state(desk, case, Kind.RETRACTION, choices, Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        choices = Choices(reason=reason, explanation=explanation)
        state(desk, case, Kind.WITHDRAWAL, choices, Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        choices = Choices(reason=reason, stages=_named(stage))
        state(desk, case, Kind.HOLD, choices, Manner(yes=yes, as_json=as_json))


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
    with opened(context, api, key) as desk:
        case = open_case(desk, claim, trusted=trust)
        returned = tuple(ComponentId(name) for name in component or _released(case))
        choices = Choices(returned=returned, method=method, certificate=certificate)
        state(desk, case, Kind.RETURN, choices, Manner(yes=yes, as_json=as_json))


def _named(stages: list[str] | None) -> tuple[StageId, ...] | None:
    return tuple(StageId(stage) for stage in stages) if stages else None


def _own_stages(desk: Desk, case: Case) -> tuple[StageId, ...]:
    """Return the stages of the claim in whose quorum the person has a place."""
    person = desk.person_in(case.agreement).id
    own = voted_on(case.agreement, stages_asked(case.agreement, case.filing), person)
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
