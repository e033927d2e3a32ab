"""An agreement in plain language: one sentence per line, made from the signed data alone."""

from collections.abc import Iterator, Sequence

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Licence, LicenceModel, Tier
from tallystick.domain.agreement.conditions import Expression
from tallystick.domain.agreement.plan import Opens, Stage
from tallystick.domain.codec import instant_text
from tallystick.domain.quorum import Group


def summarise(agreement: Agreement) -> tuple[str, ...]:
    """Return what the agreement says, for people who will not read its data."""
    return tuple(
        line
        for part in (
            _heading,
            _parties,
            _components,
            _conditions,
            _course,
            _stages,
            _authorities,
            _afterwards,
        )
        for line in part(agreement)
    )


def _heading(agreement: Agreement) -> Iterator[str]:
    force, governance = instant_text(agreement.effective_from), agreement.governance
    yield f"{agreement.title} ({agreement.id}, version {agreement.version}), in force from {force}."
    yield f"It supplements {governance.supplementary_to}, under the law of {governance.governing_law}."


def _parties(agreement: Agreement) -> Iterator[str]:
    for party in agreement.parties:
        people = [person.name for person in agreement.acting_for(party.id)]
        act = "act" if len(people) > 1 else "acts"
        role = party.role.replace("_", " ")
        yield f"{party.name} is the {role}; {_joined(people, 'and') or 'nobody'} {act} for it."


def _components(agreement: Agreement) -> Iterator[str]:
    for component in agreement.components:
        often = f" and is deposited every {component.cadence.words}" if component.cadence else ""
        tier = "critical" if component.tier is Tier.CRITICAL else "not critical"
        yield f"{component.id} ({component.kind}) is {tier}{often}; {_licence(component.licence)}."


def _licence(licence: Licence) -> str:
    seats = f" for {licence.seats} seats" if licence.seats is not None else ""
    ends = f" until {licence.ends_on.isoformat()}" if licence.ends_on is not None else ""
    perpetual = licence.model is LicenceModel.PERPETUAL
    return (
        f"its licence is perpetual{seats}"
        if perpetual
        else f"its licence runs{seats}{ends or ' for its term'}"
    )


def _conditions(agreement: Agreement) -> Iterator[str]:
    for condition in agreement.conditions:
        unless = f", unless there is {_words(agreement, condition.not_if)}" if condition.not_if else ""
        proof = _words(agreement, condition.when)
        yield f"A claim may be filed for '{condition.title}' with {proof}{unless}."


def _words(agreement: Agreement, expression: Expression) -> str:
    if expression.word == "item":
        return f"a {agreement.evidence_item(expression.item).what}"
    joint = " and " if expression.word == "all_of" else " or "
    return "(" + joint.join(_words(agreement, part) for part in expression.parts) + ")"


def _course(agreement: Agreement) -> Iterator[str]:
    windows, notice, powers = agreement.windows, agreement.notice, agreement.authorities
    yield f"{_people(powers.claimants)} may file a claim."
    yield f"{_people(powers.intake)} may accept or refuse a claim for its form within {windows.intake.words}."
    deemed = f", or {notice.deemed_after.words} after sending" if notice.deemed_after else ""
    yield f"The depositor gets notice; it counts as received when acknowledged{deemed}."
    late = f"after {notice.cutoff:%H:%M} in the depositor's time zone"
    yield f"Notice {late} counts from the next business day."
    grounds = ", ".join(agreement.objection.grounds)
    objectors = _people(agreement.objection.objectors)
    yield f"{objectors} may object within {windows.objection.words}, on one of these grounds: {grounds}."


def _stages(agreement: Agreement) -> Iterator[str]:
    for stage in agreement.stages:
        yield (
            f"Stage {stage.id} releases {_joined(stage.components, 'and')} {_opening(stage)}, "
            f"if approved by {_quorum(stage.quorum.root)} within {agreement.windows.approval.words}; "
            f"if it fails, earlier stages are {'kept' if stage.on_failure == 'keep' else 'rolled back'}."
        )
        if stage.custody == "gate":
            yield f"The escrow agent's gate alone holds the key to stage {stage.id}."


def _opening(stage: Stage) -> str:
    delay = f"{stage.opens.delay.words} " if stage.opens.delay else ""
    match stage.opens.when:
        case Opens.ON_ACCEPTANCE:
            return "provisionally, once the claim is accepted"
        case Opens.AFTER_WINDOW:
            return f"{delay}after the objection window"
        case Opens.AFTER_STAGE:
            return f"{delay}after stage {stage.opens.stage}"


def _authorities(agreement: Agreement) -> Iterator[str]:
    powers = agreement.authorities
    yield f"A claim is denied by {_quorum(powers.denial.root)}."
    if powers.arbitration is not None:
        yield f"A dispute is ruled on by {_quorum(powers.arbitration.root)}."
    if powers.court_order is not None:
        yield f"A final court order is attested by {_quorum(powers.court_order.root)}."
    if powers.joint_instruction is not None:
        yield f"A joint instruction is given by {_quorum(powers.joint_instruction.root)}."
    yield f"{_people(powers.hold)} may place a hold; {_quorum(powers.hold_lift.root)} may lift it."
    yield f"A key can revoke itself, or be revoked by {_quorum(powers.revocation.root)}."
    if agreement.excludes_claimant_party:
        yield "Votes by the claimant's own party do not count."


def _afterwards(agreement: Agreement) -> Iterator[str]:
    plan, governance = agreement.communications, agreement.governance
    yield f"{plan.announcer} announces a release every {plan.cadence.words}, on: {', '.join(plan.channels)}."
    yield f"Support: {plan.support}."
    yield f"{governance.risk_owner} owns the risk; it is reviewed every {governance.review_every.words}."


def _people(persons: tuple[str, ...]) -> str:
    return _joined(persons, "or")


def _joined(names: Sequence[str], word: str) -> str:
    *first, last = names or ("",)
    return f"{', '.join(first)} {word} {last}" if first else last


def _quorum(group: Group) -> str:
    members = [f"({_quorum(one)})" if isinstance(one, Group) else str(one) for one in group.members]
    if len(members) == 1:
        return members[0].strip("()")
    if group.threshold == len(members):
        return " and ".join(members)
    if group.threshold == 1:
        return " or ".join(members)
    return f"{group.threshold} of {', '.join(members)}"
