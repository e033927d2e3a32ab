"""Answers about a claim, each computed from its case file and the moment: nothing is decided here."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from api.answers.claims import (
    ClaimView,
    DeadlineList,
    DeadlineView,
    DenialTally,
    Explanation,
    PremiseView,
    StageTally,
    StageView,
    TallyView,
    Timeline,
    TimelineEntry,
    VoteView,
    WaitingView,
    WindowView,
)
from api.answers.shapes import Json
from tallystick.crypto.envelope import Envelope, envelope_json
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.receivers import receivers_of
from tallystick.domain.claim.returns import return_is_due
from tallystick.domain.claim.tally import Tally, tally_approvals, tally_denials
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.inbox.deadlines import known_deadlines
from tallystick.domain.inbox.waiting import Waiting, waiting
from tallystick.domain.release.decision import premises_to_tell
from tallystick.domain.statements.engine import PremiseVerdict
from tallystick.domain.statements.signed import Entry, write_body
from tallystick.store.cases.casefile import CaseFile

_FILED = "filed"


def claim_view(case: CaseFile, at: datetime) -> ClaimView:
    """Return the claim as it stands, and what it waits for at `at`."""
    claim, filing = case.claim, case.claim.filing
    return ClaimView(
        claim=claim.id,
        digest=claim.digest,
        agreement=case.agreement.id,
        agreement_digest=filing.agreement_digest,
        state=claim.state.value,
        frozen=claim.frozen,
        since=claim.since,
        filed_at=claim.filed_at,
        filed_by=filing.person,
        claimant=claim.claimant_party,
        confirmed_by=None if claim.confirmation is None else claim.confirmation[1].person,
        condition=filing.condition,
        deposit=filing.deposit,
        purpose=filing.purpose.value,
        receivers=[one.person for one in receivers_of(case.agreement, claim)],
        stages=[_stage(case, place) for place in range(len(claim.stages))],
        window=_window(claim),
        return_due=return_is_due(case.agreement, claim),
        waiting=[waiting_view(item) for item in waiting(case.agreement, claim, at)],
    )


def waiting_view(item: Waiting) -> WaitingView:
    """Return one thing that a claim waits for."""
    return WaitingView(what=item.what.value, on=item.on, until=item.until, why=item.why)


def timeline(case: CaseFile, *, start: int, limit: int) -> Timeline:
    """Return `limit` entries of the record from number `start` on, and the event that each counted as."""
    end = start + limit
    return Timeline(
        entries=[
            _timeline_entry(case.claim.entries[place], event_name(case.claim, place))
            for place in range(start, min(end, len(case.claim.entries)))
        ],
        next=str(end) if end < len(case.claim.entries) else None,
    )


def event_name(claim: Claim, place: int) -> str:
    """Return the event that an entry of the record, counted from 0, counted as, in the words of the API."""
    return claim.steps[place - 1].event.value if place else _FILED


def tallies(case: CaseFile, at: datetime, unextended: frozenset[Digest]) -> TallyView:
    """Return every count at the moment `at`, without what rests on another log than this one."""
    counts = [
        (p.stage, tally_approvals(case.agreement, case.claim, p.stage, at=at, unextended=unextended))
        for p in case.claim.stages
    ]
    denials = tally_denials(case.agreement, case.claim)
    return TallyView(
        stages=[
            StageTally(
                stage=stage,
                needs=tally.quorum.words,
                reached=tally.reached,
                reachable=tally.reachable,
                denied=tally_denials(case.agreement, case.claim, stage).reached,
                outstanding=tally.outstanding,
                votes=_votes(tally),
            )
            for stage, tally in counts
        ],
        denials=DenialTally(
            needs=denials.quorum.words,
            reached=denials.reached,
            reachable=denials.reachable,
            outstanding=denials.outstanding,
            votes=_votes(denials),
        ),
    )


def deadline_list(case: CaseFile, at: datetime) -> DeadlineList:
    """Return the claim's deadlines, each with the days that were counted."""
    known, beyond = known_deadlines(case.agreement, case.claim, at)
    return DeadlineList(
        deadlines=[DeadlineView(what=one.what, at=one.at, explanation=one.explanation) for one in known],
        beyond_calendars=[error.message for error in beyond],
    )


def explanation(
    case: CaseFile, stage: StageId | None, at: datetime, unextended: frozenset[Digest]
) -> Explanation:
    """Return why `stage`, or the next one, can or cannot be released, as far as record and log decide it."""
    following = case.claim.next_stage
    asked = stage or (following.stage if following is not None else None)
    premises = (
        ()
        if asked is None
        else premises_to_tell(case.agreement, case.claim, asked, at=at, unextended=unextended)
    )
    waits = waiting(case.agreement, case.claim, at)
    return Explanation(
        stage=asked,
        premises=[PremiseView(premise=v.premise, holds=v.holds, found=v.found) for v in premises],
        waiting=[waiting_view(item) for item in waits],
        lines=[*_state_lines(case.claim), *_premise_lines(asked, premises), *map(_waiting_line, waits)],
    )


def envelope(statement: Envelope) -> Json:
    """Return an envelope as a JSON object, for the caller to verify."""
    return cast("Json", envelope_json(statement))


def _stage(case: CaseFile, place: int) -> StageView:
    progress = case.claim.stages[place]
    return StageView(
        stage=progress.stage,
        state=progress.state.value,
        since=progress.since,
        decision=progress.decision,
        components=case.agreement.stage(progress.stage).components,
    )


def _window(claim: Claim) -> WindowView | None:
    if claim.window_opened_at is None or claim.window_until is None:
        return None
    return WindowView(
        opened_at=claim.window_opened_at, until=claim.window_until, ended_at=claim.window_ended_at
    )


def _timeline_entry(entry: Entry, event: str) -> TimelineEntry:
    return TimelineEntry(
        index=entry.index,
        accepted_at=entry.accepted_at,
        kind=entry.signed.kind.value,
        event=event,
        statement=entry.signed.id,
        person=entry.signed.body.person,
        says=cast("Json", write_body(entry.signed.body)),
    )


def _votes(tally: Tally) -> list[VoteView]:
    return [
        VoteView(statement=vote.statement, person=vote.person, counts=vote.counts, why=vote.why)
        for vote in tally.votes
    ]


def _state_lines(claim: Claim) -> Iterable[str]:
    frozen = ", and frozen by a hold" if claim.frozen else ""
    yield f"{claim.id} is {claim.state} since {instant_text(claim.since)}{frozen}"


def _premise_lines(stage: StageId | None, premises: Iterable[PremiseVerdict]) -> Iterable[str]:
    if stage is None:
        yield "every stage is decided"
        return
    unmet = [verdict for verdict in premises if not verdict.holds]
    if not unmet:
        yield f"the record allows the release of stage {stage}; the gate also makes its own check"
    for verdict in unmet:
        yield f"stage {stage} cannot be released yet: {verdict.found} ({verdict.premise})"


def _waiting_line(item: Waiting) -> str:
    on = f" on {', '.join(item.on)}" if item.on else ""
    until = f", until {instant_text(item.until)}" if item.until is not None else ""
    return f"waiting for {item.what}{on}{until}: {item.why}"
