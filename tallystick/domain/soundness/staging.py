"""Rules for stages, components and conditions: everything opens once, in an order that works."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Tier
from tallystick.domain.agreement.plan import CustodyRule, Opens, Stage
from tallystick.domain.ids import ComponentId
from tallystick.domain.soundness.finding import Finding, Rule, error, warning


def lists_filled(agreement: Agreement) -> Iterator[Finding]:
    """Require components, stages that hold some, conditions and evidence."""
    lists = [
        ("/components", len(agreement.components)),
        ("/stages", len(agreement.stages)),
        ("/conditions", len(agreement.conditions)),
        ("/evidence", len(agreement.evidence)),
        ("/communications/channels", len(agreement.communications.channels)),
        *(
            (f"/stages/{place}/components", len(stage.components))
            for place, stage in enumerate(agreement.stages)
        ),
    ]
    for where, count in lists:
        if count == 0:
            yield error("nothing-named", where, "it is empty", "Name at least one.")


def components_open_once(agreement: Agreement) -> Iterator[Finding]:
    """Require that exactly one stage opens each component."""
    opened = Counter(component for stage in agreement.stages for component in stage.components)
    for place, component in enumerate(agreement.components):
        where = f"/components/{place}"
        if opened[component.id] == 0:
            message = f"no stage opens {component.id}"
            yield error("component-never-opened", where, message, "Add it to a stage.")
        if opened[component.id] > 1:
            message = f"{opened[component.id]} stages open {component.id}"
            yield error("component-opened-twice", where, message, "Keep it in one stage.")


def custody_opens_stages(agreement: Agreement) -> Iterator[Finding]:
    """Require that someone holds the key to each stage: the gate needs a recipient for it."""
    for place, stage in enumerate(agreement.stages):
        if stage.custody is CustodyRule.GATE and not agreement.engine.gate_recipient.startswith("age1"):
            message = f"the gate has no age recipient, so no custody opens {stage.id}"
            yield error(
                "stage-without-custody", f"/stages/{place}/custody", message, "Pin `engine.gate_recipient`."
            )


def stages_follow_earlier(agreement: Agreement) -> Iterator[Finding]:
    """Require that a stage follows an earlier one, so that no stages wait for each other."""
    for place, stage in enumerate(agreement.stages):
        where = f"/stages/{place}/opens"
        earlier = {other.id: other for other in agreement.stages[:place]}
        after = stage.opens.stage
        if stage.opens.when is not Opens.AFTER_STAGE:
            if after is not None:
                message = f"a stage that opens {stage.opens.when.value} follows no other"
                yield error(
                    "opening-names-stage", f"{where}/stage", message, "Remove `stage`, or use `after_stage`."
                )
        elif after is None:
            yield error("after-no-stage", where, f"{stage.id} follows no stage", "Name an earlier stage.")
        elif after not in earlier:
            message = f"{after} does not come before {stage.id}"
            yield error(
                "after-later-stage",
                f"{where}/stage",
                message,
                "Stages are decided in order: name an earlier one.",
            )
        elif earlier[after].opens.when is Opens.ON_ACCEPTANCE:
            message = f"{after} is provisional: {stage.id} would open within the objection window"
            yield error("after-provisional-stage", f"{where}/stage", message, "Use `after_window`.")


def provisional_is_harmless(agreement: Agreement) -> Iterator[Finding]:
    """Require that what opens before the window ends comes first, and is not critical."""
    critical = {component.id for component in agreement.components if component.tier is Tier.CRITICAL}
    later_seen = False
    for place, stage in enumerate(agreement.stages):
        if stage.opens.when is not Opens.ON_ACCEPTANCE:
            later_seen = True
            continue
        if later_seen:
            message = f"{stage.id} would wait for stages that open later"
            yield error("provisional-not-first", f"/stages/{place}/opens", message, "Put it first.")
        yield from _critical_in(stage, f"/stages/{place}", critical)


def _critical_in(stage: Stage, where: str, critical: set[ComponentId]) -> Iterator[Finding]:
    for item, component in enumerate(stage.components):
        if component in critical:
            message = f"{component} is critical, and {stage.id} opens before the window ends"
            yield error(
                "provisional-critical", f"{where}/components/{item}", message, "Move it to a later stage."
            )


def conditions_need_evidence(agreement: Agreement) -> Iterator[Finding]:
    """Require that each condition names evidence, and that all it names is described."""
    known = {item.id for item in agreement.evidence}
    for place, condition in enumerate(agreement.conditions):
        where = f"/conditions/{place}"
        if not condition.when.items:
            message = f"{condition.id} needs no evidence"
            yield error("condition-without-evidence", f"{where}/when", message, "Add some.")
        for item in sorted(condition.when.items - known):
            yield error(
                "unknown-evidence",
                f"{where}/when",
                f"there is no evidence item {item}",
                "Describe it in `evidence`.",
            )
        if condition.not_if is not None and not condition.not_if.items:
            yield error(
                "not-if-names-nothing", f"{where}/not_if", "it names no evidence", "Add some, or remove it."
            )
        for item in sorted(condition.not_if.items - known) if condition.not_if else ():
            message = f"there is no evidence item {item}: it could never stop a claim"
            yield error("not-if-names-nothing", f"{where}/not_if", message, "Describe it in `evidence`.")


def conditions_can_be_met(agreement: Agreement) -> Iterator[Finding]:
    """Require that the evidence that a condition needs does not rule it out."""
    for place, condition in enumerate(agreement.conditions):
        needed = frozenset(
            i for i in condition.when.items if not condition.when.met_by(condition.when.items - {i})
        )
        if condition.not_if is not None and condition.not_if.met_by(needed):
            message = f"the evidence that {condition.id} needs also rules it out"
            yield error(
                "condition-contradicts",
                f"/conditions/{place}/not_if",
                message,
                "Name other evidence in `not_if`.",
            )


def evidence_used(agreement: Agreement) -> Iterator[Finding]:
    """Advise against evidence that no condition asks for."""
    used: set[str] = set()
    for condition in agreement.conditions:
        used |= condition.when.items
        used |= condition.not_if.items if condition.not_if else frozenset()
    for place, item in enumerate(agreement.evidence):
        if item.id not in used:
            yield warning(
                "evidence-unused",
                f"/evidence/{place}",
                f"no condition names {item.id}",
                "Use it, or remove it.",
            )


RULES: Final[tuple[Rule, ...]] = (
    lists_filled,
    components_open_once,
    custody_opens_stages,
    stages_follow_earlier,
    provisional_is_harmless,
    conditions_need_evidence,
    conditions_can_be_met,
    evidence_used,
)
