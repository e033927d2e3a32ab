"""The letter that gives notice of a claim: who claims what from whom, and how and until when to object."""

from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, deadline, received
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.quoting import quoted


def claim_subject(agreement: Agreement, claim: Claim) -> str:
    """Return the letter's subject, on one line."""
    return f"Notice of release claim {claim.id} under {agreement.id}"


def claim_letter(agreement: Agreement, claim: Claim, *, at: datetime) -> str:
    """Return the notice as plain text; the same claim at the same moment gives the same letter.

    If a calendar ends before the last moment to object, the letter says so: notice is never kept back.

    Args:
        at: When it is sent.
    """
    party, claimant = depositor(agreement), agreement.party(claim.claimant_party)
    condition = agreement.condition(claim.filing.condition)
    lines = (
        f"To {quoted(party.name)}.",
        "",
        f"{quoted(claimant.name)} claims the release of what you deposited under",
        f"{quoted(agreement.title)} ({agreement.id}, version {agreement.version}).",
        "",
        f"Claim      {claim.id}",
        f"           {claim.digest}",
        f"Deposit    {claim.filing.deposit}",
        f"Filed      {instant_text(claim.filed_at)} by {claim.filing.person}",
        *_confirmed(claim),
        f"Condition  {quoted(condition.title)} ({condition.id})",
        f"Declared   {quoted(claim.declaration or '')}",
        *(f"Stage      {line}" for line in _stages(agreement, claim)),
        "",
        *(_time_to_object(agreement, at) if claim.window_until is None else _open_window(claim.window_until)),
        "",
        f"To object: tallystick object {claim.id} --key YOUR.key",
        f"An objection names one of these grounds: {', '.join(map(quoted, agreement.objection.grounds))};",
        f"it explains in a sentence why, and is signed by one of {', '.join(agreement.objection.objectors)}.",
        f"To confirm receipt: tallystick acknowledge {claim.id} --key YOUR.key",
        "",
        f"Questions: {quoted(agreement.communications.support)}",
        "The escrow engine sent this letter. Only signed statements are binding; the signed notice has this",
        "text's digest.",
    )
    return "\n".join(lines) + "\n"


def _confirmed(claim: Claim) -> tuple[str, ...]:
    if claim.confirmation is None:
        return ()
    entry, body = claim.confirmation
    return (f"Confirmed  {instant_text(entry.accepted_at)} by {body.person}",)


def _stages(agreement: Agreement, claim: Claim) -> tuple[str, ...]:
    return tuple(f"{p.stage}: {', '.join(agreement.stage(p.stage).components)}" for p in claim.stages)


def _open_window(until: datetime) -> tuple[str, ...]:
    """Tell of a window that the word of others has opened before any letter arrived."""
    return (
        "By the signed word of others you have had notice already: the claim's record says how.",
        f"The last moment to object by that is {instant_text(until)}.",
        "An objection after it still stops whatever is not decided when it comes.",
    )


def _time_to_object(agreement: Agreement, at: datetime) -> tuple[str, ...]:
    party, window = depositor(agreement), agreement.windows.objection
    begins = (
        f"You may object within {window.text} of receiving this notice, by the clock of {party.time_zone}."
    )
    if agreement.notice.deemed_after is None:
        return (begins, "The time runs only from your confirmation of receipt.")
    try:
        passed = deadline(at, agreement.notice.deemed_after, recipient=party, agreement=agreement)
        deemed = received(passed.at, recipient=party, agreement=agreement)
        ends = deadline(deemed.at, window, recipient=party, agreement=agreement)
    except CalendarExhaustedError as beyond:
        return (
            begins,
            f"The last moment to object is not known yet: {beyond.message}.",
            "You may object now. The time ends only after the parties have signed longer calendars.",
        )
    return (
        begins,
        f"Without a confirmation it counts as received at {instant_text(deemed.at)};",
        f"then the last moment to object is {instant_text(ends.at)}.",
    )
