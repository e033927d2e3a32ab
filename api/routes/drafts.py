"""Drafts: the statement that the caller would sign, for them to check before they sign it."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Path, Query

from api.answers.claims import DraftView
from api.answers.shapes import Json
from api.backend.backend import OpenBackend
from api.http.auth import Known
from api.http.routing import strict_router
from api.http.visibility import DIGEST_PATTERN, NAME_PATTERN, ClaimName, seen_case
from tallystick.crypto.envelope import new_nonce, statement_id, unsigned
from tallystick.domain.acts.all import draft
from tallystick.domain.codec import instant
from tallystick.domain.comparison_words import comparison_words
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.kinds import Authority, Kind
from tallystick.domain.shown.claims import filed_claim
from tallystick.domain.shown.shown import Context, shows
from tallystick.domain.statements.signed import write_body
from tallystick.limits.agreements import STAGES_MAX
from tallystick.limits.claims import DOCUMENTS_PER_ACT_MAX, RECEIVERS_MAX
from tallystick.limits.documents import PERSON_ID_LENGTH_MAX, TEXT_LENGTH_MAX

router = strict_router("claims")

_Text = Annotated[str | None, Query(max_length=TEXT_LENGTH_MAX)]
_Stages = Annotated[
    list[Annotated[str, Query(pattern=NAME_PATTERN)]] | None,
    Query(max_length=STAGES_MAX, description="Once for each stage."),
]
_Reasons = Annotated[
    list[Annotated[str, Query(max_length=TEXT_LENGTH_MAX)]] | None,
    Query(max_length=32, description="Why; an intake may give several reasons."),
]
_Receivers = Annotated[
    list[Annotated[str, Query(max_length=PERSON_ID_LENGTH_MAX)]] | None,
    Query(max_length=RECEIVERS_MAX, description="A person to whom is sealed; once for each."),
]


def _choices(
    *,
    stage: _Stages = None,
    reason: _Reasons = None,
    ground: _Text = None,
    explanation: _Text = None,
    of: Annotated[
        str | None,
        Query(
            pattern=DIGEST_PATTERN,
            description="The digest of the statement to retract, or of the hold to lift.",
        ),
    ] = None,
    accepted: Annotated[bool | None, Query()] = None,
    authority: Annotated[Authority | None, Query()] = None,
    outcome: Annotated[str | None, Query(max_length=32)] = None,
    expires_at: Annotated[str | None, Query(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")] = None,
    method: _Text = None,
    certificate: _Text = None,
    receiver: _Receivers = None,
    declaration: _Text = None,
    rests_on: Annotated[
        list[Annotated[str, Query(max_length=8)]] | None,
        Query(max_length=DOCUMENTS_PER_ACT_MAX, description="A document's number; once for each."),
    ] = None,
) -> Choices:
    return Choices(
        stage=None if stage is None else tuple(stage),
        reason=None if reason is None else tuple(reason),
        ground=ground,
        explanation=explanation,
        of=of,
        accepted=accepted,
        authority=authority,
        outcome=outcome,
        expires_at=_moment(expires_at),
        method=method,
        certificate=certificate,
        declaration=declaration,
        receiver=None if receiver is None else tuple(receiver),
        rests_on=None if rests_on is None else tuple(rests_on),
    )


@router.get("/claims/{claim}/draft/{kind}")
def make_draft(
    claim: ClaimName,
    kind: Annotated[Kind, Path(description="A kind of act.")],
    caller: Known,
    backend: OpenBackend,
    choices: Annotated[Choices, Depends(_choices)],
) -> DraftView:
    """Return the statement that the caller would sign: its body, and lines that say what that body means."""
    case = seen_case(backend, caller, claim)
    person = case.agreement.person_with(caller.key).id
    heading = Heading(
        terms=case.terms,
        claim=case.claim.digest,
        filing=case.claim.filing,
        person=person,
        issued_at=backend.now(),
        nonce=new_nonce(),
    )
    body = draft(kind, heading, case.claim, choices)
    said = write_body(body)
    about = Context(
        statement=statement_id(unsigned(kind, said)), agreement=case.agreement, claim=filed_claim(case.claim)
    )
    return DraftView(
        kind=kind.value,
        body=cast("Json", said),
        words=comparison_words(case.claim.digest),
        shows=tuple(shows(body, about)),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else instant(text, where="expires_at")
