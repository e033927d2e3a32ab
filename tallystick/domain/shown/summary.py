"""An agreement in plain language: one sentence a line, made from the signed data alone, and from all of it.

Two agreements that differ in a term differ in a sentence here, so that a new version can be compared with
the one before. People are named by their id (`ana@harbour`), and introduced once. What the drafter wrote
freely stands in quotes.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Component, Licence, LicenceModel, Tier
from tallystick.domain.agreement.conditions import Expression
from tallystick.domain.agreement.parties import Party, Role, sealed_to
from tallystick.domain.agreement.plan import OnFailure, Opens, Stage
from tallystick.domain.agreement.windows import Calendar, HoldEnd, IntakeEnd, UnprovenNoticeEnd
from tallystick.domain.amounts import all_of, any_of, counted, joined
from tallystick.domain.claim.receivers import may_receive
from tallystick.domain.codec import instant_text
from tallystick.domain.quoting import quoted
from tallystick.domain.shown.wording import every, listed


def summarise(agreement: Agreement) -> tuple[str, ...]:
    """Return what the agreement says, for people who will not read its data."""
    return tuple(sentence for part in _PARTS for sentence in part(agreement))


def _heading(agreement: Agreement) -> Iterator[str]:
    force, governance = instant_text(agreement.effective_from), agreement.governance
    yield (
        f"{quoted(agreement.title)} is the agreement {agreement.id}, version {agreement.version}, "
        f"in force from {force}."
    )
    yield f"The deployment {agreement.deployment} carries it; its form is {quoted(agreement.schema)}."
    law = quoted(governance.governing_law)
    yield f"It supplements {quoted(governance.supplementary_to)}, under the law of {law}."
    if agreement.supersedes is not None:
        yield f"It takes the place of the version {agreement.supersedes}."


def _parties(agreement: Agreement) -> Iterator[str]:
    for party in agreement.parties:
        people = [person.id for person in agreement.acting_for(party.id)]
        act = "act" if len(people) > 1 else "acts"
        role = party.role.replace("_", " ")
        yield f"{quoted(party.name)} ({party.id}) is the {role}; {joined(people, 'and')} {act} for it."
        yield _reached(party)


def _reached(party: Party) -> str:
    channels = [f"{channel.kind} {quoted(channel.address)}" for channel in party.channels]
    to = ", ".join(channels) or "nobody"
    days = f"its days are those of the calendar {party.calendar}, in the time zone {quoted(party.time_zone)}"
    return f"Notices to {party.id} go to {to}; {days}."


def _persons(agreement: Agreement) -> Iterator[str]:
    for person in agreement.persons:
        yield f"{person.id} is {quoted(person.name)}, who signs with the key {person.signing_key}."
        yield f"What is sealed to {person.id} is sealed to {sealed_to(person.age_recipient)}."


def _calendars(agreement: Agreement) -> Iterator[str]:
    for calendar in agreement.calendars:
        yield from _calendar(calendar)


def _calendar(calendar: Calendar) -> Iterator[str]:
    weekend = joined(calendar.weekend, "and") if calendar.weekend else "no day of the week"
    until = calendar.covers_until.isoformat()
    yield f"The calendar {calendar.id} has no business day on {weekend}; it ends with {until}."
    days = ", ".join(day.isoformat() for day in calendar.holidays)
    yield f"The calendar {calendar.id} has {counted(len(calendar.holidays), 'holiday')}: {days or 'none'}."


def _components(agreement: Agreement) -> Iterator[str]:
    for component in agreement.components:
        tier = "critical" if component.tier is Tier.CRITICAL else "not critical"
        yield f"{component.id} is {quoted(component.kind)} and {tier}; {_licence(component.licence)}."
        yield from _deposits(component)


def _deposits(component: Component) -> Iterator[str]:
    often = every(component.cadence) if component.cadence else "as often as the depositor likes"
    yield f"{component.id} is deposited {often}; a claim may ask for a deposit of any age."
    if component.max_age is not None:
        oldest = component.max_age.words
        yield f"A deposit of {component.id} older than {oldest} is reported as too old, and no more."
    if component.required_entries:
        yield (
            f"Each deposit of {component.id} must have {listed(component.required_entries)}; "
            "only a person who opens it can see whether it does."
        )
    if component.prerequisites:
        yield f"To use {component.id}, the beneficiary needs {listed(component.prerequisites)}."


def _licence(licence: Licence) -> str:
    seats = f" for {counted(licence.seats, 'seat')}" if licence.seats is not None else ""
    ends = f" until {licence.ends_on.isoformat()}" if licence.ends_on is not None else ""
    match licence.model:
        case LicenceModel.PERPETUAL:
            return f"its licence is perpetual{seats}{ends}"
        case LicenceModel.TERM:
            return f"its licence runs{seats}{ends or ' for its term'}"
        case LicenceModel.SUBSCRIPTION:
            return f"its licence is a subscription{seats}{ends}"


def _evidence(agreement: Agreement) -> Iterator[str]:
    for item in agreement.evidence:
        age = f"at most {item.max_age.words} old" if item.max_age else "of any age"
        yield (
            f"The evidence {item.id} is {quoted(item.what)}, issued by {quoted(item.issuer)}, "
            f"in the form {quoted(item.form)}, {age}."
        )
    readers = joined(agreement.evidence_readers, "and")
    yield f"Evidence is sealed to {readers}; nobody else can read it."


def _conditions(agreement: Agreement) -> Iterator[str]:
    for condition in agreement.conditions:
        unless = f", but not if it also brings {_proof(condition.not_if)}" if condition.not_if else ""
        way = "a stressed exit" if condition.stressed else "an orderly exit"
        yield (
            f"A claim may be filed on the condition {condition.id}, {quoted(condition.title)} ({way}), "
            f"with {_proof(condition.when)}{unless}."
        )


def _proof(expression: Expression) -> str:
    if expression.word == "item":
        return f"the evidence {expression.item}"
    parts = [_proof(part) for part in expression.parts]
    if len(parts) == 1:
        return parts[0]
    many = all_of if expression.word == "all_of" else any_of
    return f"{many(len(parts))}: [{'; '.join(parts)}]"


def _course(agreement: Agreement) -> Iterator[str]:
    windows, notice, powers = agreement.windows, agreement.notice, agreement.authorities
    yield f"{joined(powers.claimants, 'or')} may file a claim."
    yield from _filing_for(agreement)
    yield from _receivers(agreement)
    intake = joined(powers.intake, "or")
    yield f"{intake} may accept or refuse a claim for its form within {windows.intake.words}."
    deemed = f"or {notice.deemed_after.words} after that" if notice.deemed_after else "and not before"
    yield (
        f"Notice goes to the depositor until {counted(notice.channels_required, 'channel')} took the letter; "
        f"it counts as received when acknowledged, {deemed}."
    )
    yield (
        "Notice also counts as received once two persons of the escrow agent, who neither filed the claim "
        "nor took it in, have proven by a paper that it was served."
    )
    own = "count" if notice.own_channels is not None else "do not count"
    yield f"Channels of the deployment's own, such as its folder or a mail catcher, {own} for that."
    late, resumes = f"{notice.cutoff:%H:%M}", f"{notice.resumes:%H:%M}"
    yield f"Notice after {late} in the depositor's time zone counts from {resumes} on the next business day."
    objectors, grounds = joined(agreement.objection.objectors, "or"), listed(agreement.objection.grounds)
    yield f"{objectors} may object within {windows.objection.words}, on one of these grounds: {grounds}."
    yield (
        "An objection stops every stage that is not decided yet, whenever it comes."
        if agreement.objection.after_window is None
        else "An objection after the recorded end of the window stops nothing, unless it tells of a cure, is "
        "to a stage without a window, or is by a party that had not itself said that it has notice."
    )
    yield f"An approval counts for at most {windows.approval_lifetime.words}."
    yield f"A released stage must be reported within {windows.provisioning.words}, or it is rolled back."
    yield f"What must be returned or destroyed is due within {windows.returning.words}."


def _filing_for(agreement: Agreement) -> Iterator[str]:
    filing, period = agreement.authorities.filing, agreement.windows.confirmation
    if not filing:
        yield "Nobody may file a claim for another party."
        return
    until = f"within {period.words}; otherwise the claim lapses" if period else "and no end is agreed"
    yield (
        f"{joined(filing, 'or')} may file a claim for a beneficiary, which a claimant of that party "
        f"confirms {until}; then somebody else than its filer accepts or refuses it."
    )


def _receivers(agreement: Agreement) -> Iterator[str]:
    for party in agreement.parties_in(Role.BENEFICIARY):
        people, listed_too = may_receive(agreement, party.id), agreement.authorities.receivers
        names = "; a draft names all of them" if set(people) & set(listed_too) else ""
        yield f"A claim of {party.id} may be sealed to {joined(people, 'or')}, whom it names{names}."
    yield (
        "A beneficiary names the receivers of its claim anew by two of its persons, or by one of them "
        "together with one who may accept claims; earlier approvals then no longer count."
    )


def _stages(agreement: Agreement) -> Iterator[str]:
    for stage in agreement.stages:
        kept = "kept" if stage.on_failure is OnFailure.KEEP else "rolled back"
        yield (
            f"Stage {stage.id} releases {joined(stage.components, 'and')} {_opening(stage)}, "
            f"if approved within {agreement.windows.approval.words} by {stage.quorum.words}; "
            f"if it fails, earlier stages are {kept}."
        )
        if stage.custody == "gate":
            yield f"The escrow agent's gate alone holds the key to stage {stage.id}."


def _opening(stage: Stage) -> str:
    delay = f"{stage.opens.delay.words} " if stage.opens.delay else ""
    match stage.opens.when:
        case Opens.ON_ACCEPTANCE:
            return f"provisionally, {delay}after the claim is accepted"
        case Opens.AFTER_WINDOW:
            return f"{delay}after the objection window"
        case Opens.AFTER_STAGE:
            return f"{delay}after stage {stage.opens.stage}"


def _authorities(agreement: Agreement) -> Iterator[str]:
    powers = agreement.authorities
    yield f"A claim is denied by {powers.denial.words}."
    for act, quorum in (
        ("A dispute is ruled on by", powers.arbitration),
        ("A final court order is attested by", powers.court_order),
        ("A joint instruction is given by", powers.joint_instruction),
    ):
        yield f"{act} {quorum.words if quorum is not None else 'nobody'}."
    if powers.court_order is not None or powers.joint_instruction is not None:
        yield (
            "A joint instruction or a final court order to release needs neither notice nor objection "
            "window, but always the approvals and the gate."
        )
    yield (
        f"{joined(powers.hold, 'or')} may place a hold, under which nothing is decided or undone; "
        f"it is lifted by {powers.hold_lift.words}."
    )
    yield f"A key can revoke itself, or be revoked by {powers.revocation.words}."
    yield (
        "Votes by the claimant's own party do not count."
        if agreement.excludes_claimant_party
        else "Votes by the claimant's own party count; only the claimant's own does not."
    )


def _ends(agreement: Agreement) -> Iterator[str]:
    """Yield how each wait ends if nobody acts; where nothing is agreed, say so."""
    ends, unagreed = agreement.ends, "it waits: no end is agreed"
    intake = _INTAKE[ends.intake.then] if ends.intake else unagreed
    yield f"If nobody checks the form of a claim in time, {intake}."
    dispute = f"within {ends.dispute.after.words}, it lapses" if ends.dispute else f"in time, {unagreed}"
    yield f"If a contested claim is not settled {dispute}."
    if (ruling := ends.ruling) is not None:
        substitutes = ruling.substitutes.words
        yield f"After {ruling.after.words} of a dispute, it may be ruled on by these as well: {substitutes}."
    hold = f"within {ends.hold.after.words}, {_HOLD[ends.hold.then]}" if ends.hold else f"in time, {unagreed}"
    yield f"If a hold is not lifted {hold}."
    late = ends.unproven_notice
    notice = f"within {late.after.words}, {_UNPROVEN[late.then]}" if late else f"in time, {unagreed}"
    yield f"If notice of a claim is not proven {notice}."


_INTAKE: Final = MappingProxyType(
    {IntakeEnd.LAPSE: "the claim lapses", IntakeEnd.GO_ON: "the claim is taken in unchecked"}
)
_HOLD: Final = MappingProxyType(
    {
        HoldEnd.GO_ON: "it ends by itself",
        HoldEnd.LAPSE: "the claim lapses",
        HoldEnd.ARBITRATOR: "those who rule on disputes may lift it as well",
    }
)
_UNPROVEN: Final = MappingProxyType(
    {
        UnprovenNoticeEnd.LAPSE: "the claim lapses",
        UnprovenNoticeEnd.ARBITRATOR: "those who rule on disputes may rule that it was given",
    }
)


def _afterwards(agreement: Agreement) -> Iterator[str]:
    plan, governance = agreement.communications, agreement.governance
    yield (
        f"{plan.announcer} announces a release, and then gives news of it {every(plan.cadence)}, "
        f"through {listed(plan.channels)}."
    )
    yield f"Support: {quoted(plan.support)}."
    yield f"{governance.risk_owner} owns the risk, which is reviewed {every(governance.review_every)}."
    yield f"Records are kept for {governance.retention.words}."


def _engine(agreement: Agreement) -> Iterator[str]:
    engine = agreement.engine
    yield f"The engine signs its log and its notices with the key {engine.log_key}."
    yield f"The gate signs its decisions with the key {engine.decision_key}."
    yield f"The gate's shares are sealed to {sealed_to(engine.gate_recipient)}."


_PARTS: Final = (
    _heading,
    _parties,
    _persons,
    _calendars,
    _components,
    _evidence,
    _conditions,
    _course,
    _stages,
    _authorities,
    _ends,
    _afterwards,
    _engine,
)
