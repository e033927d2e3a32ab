"""Rules for parties and persons: every side takes part, and nobody decides alone or for themselves."""

from collections.abc import Iterator
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.agreement.plan import CustodyRule, Opens, Stage
from tallystick.domain.agreement.powers import CURED
from tallystick.domain.ids import PartyId, PersonId
from tallystick.domain.quorum import Quorum
from tallystick.domain.soundness.finding import (
    Finding,
    Rule,
    error,
    person_lists,
    persons_of,
    quorums,
    warning,
)


def sides_present(agreement: Agreement) -> Iterator[Finding]:
    """Require one depositor, and at least one beneficiary and one escrow agent."""
    depositors = len(agreement.parties_in(Role.DEPOSITOR))
    if depositors != 1:
        yield error(
            "not-one-depositor",
            "/parties",
            f"there are {depositors} depositors",
            "Name exactly one depositor.",
        )
    if not agreement.parties_in(Role.BENEFICIARY):
        yield error("no-beneficiary", "/parties", "there is no beneficiary", "Name at least one beneficiary.")
    if not agreement.parties_in(Role.ESCROW_AGENT):
        yield error(
            "no-escrow-agent", "/parties", "there is no escrow agent", "Name at least one escrow agent."
        )


def parties_have_persons(agreement: Agreement) -> Iterator[Finding]:
    """Require someone who can sign for each party."""
    represented = {person.party for person in agreement.persons}
    for place, party in enumerate(agreement.parties):
        if party.id not in represented:
            message = f"nobody acts for {party.id}"
            yield error("party-without-person", f"/parties/{place}", message, "Add a person of this party.")


def lists_not_empty(agreement: Agreement) -> Iterator[Finding]:
    """Require that no list of persons is empty: empty never means allowed."""
    for where, persons in person_lists(agreement):
        if not persons:
            yield error("nobody-named", where, "nobody is named", "Name at least one person.")


def acts_for_own_side(agreement: Agreement) -> Iterator[Finding]:
    """Require that depositors object, beneficiaries claim and the escrow agent checks claims."""
    powers, objectors = agreement.authorities, agreement.objection.objectors
    sides = (
        ("objector-not-depositor", "/objection/objectors", objectors, Role.DEPOSITOR),
        ("claimant-not-beneficiary", "/authorities/claimants", powers.claimants, Role.BENEFICIARY),
        ("receiver-not-beneficiary", "/authorities/receivers", powers.receivers, Role.BENEFICIARY),
        ("filing-not-agent", "/authorities/filing", powers.filing, Role.ESCROW_AGENT),
        ("intake-not-agent", "/authorities/intake", powers.intake, Role.ESCROW_AGENT),
    )
    for code, where, persons, role in sides:
        for place, person in enumerate(persons):
            if person not in persons_of(agreement, role):
                message = f"{person} does not act for a party that is {role.value.replace('_', ' ')}"
                yield error(code, f"{where}/{place}", message, "Name a person of that side.")


def grounds_include_cure(agreement: Agreement) -> Iterator[Finding]:
    """Require the ground on which a depositor objects after curing the default."""
    if CURED not in agreement.objection.grounds:
        yield error(
            "no-ground-cured", "/objection/grounds", "a cure is not among the grounds", f"Add `{CURED}`."
        )


def quorums_reachable(agreement: Agreement) -> Iterator[Finding]:
    """Require that each stage can still be approved once those who may not count are left out."""
    everyone = frozenset(person.id for person in agreement.persons)
    for place, stage in enumerate(agreement.stages):
        for claimant in agreement.authorities.claimants:
            if not stage.quorum.satisfied_by(everyone - _conflicted(agreement, claimant)):
                message = f"it can never be met for a claim by {claimant}: too few others are left"
                yield error(
                    "quorum-unreachable",
                    f"/stages/{place}/quorum",
                    message,
                    "Lower k, or add neutral persons.",
                )
                break


def filers_leave_enough(agreement: Agreement) -> Iterator[Finding]:
    """Require that others can accept and approve what one person of the agent files for a beneficiary."""
    everyone = frozenset(person.id for person in agreement.persons)
    for place, filer in enumerate(agreement.authorities.filing):
        where = f"/authorities/filing/{place}"
        if not set(agreement.authorities.intake) - {filer}:
            message = f"nobody else than {filer} could accept what they file"
            yield error("filer-alone-at-intake", where, message, "Name another person for intake.")
        for stage in agreement.stages:
            for claimant in agreement.authorities.claimants:
                if not stage.quorum.satisfied_by(everyone - _conflicted(agreement, claimant) - {filer}):
                    message = f"{stage.id} can never be approved if {filer} files and {claimant} confirms"
                    advice = "Lower k, add neutral persons, or let somebody else file."
                    yield error("quorum-unreachable-for-filer", where, message, advice)
                    break


def confirmations_end(agreement: Agreement) -> Iterator[Finding]:
    """Advise an end for claims that nobody confirms."""
    if agreement.authorities.filing and agreement.windows.confirmation is None:
        message = "no end is agreed for claims that are filed for a beneficiary and never confirmed"
        yield warning(
            "confirmation-without-end", "/windows", message, "Add `confirmation`, such as `10 business days`."
        )


def quorums_shared(agreement: Agreement) -> Iterator[Finding]:
    """Require that no party alone can approve a stage; of the escrow agent, advise it where two must sign."""
    for place, stage in enumerate(agreement.stages):
        for party in agreement.parties:
            own = _acting_for(agreement, party.id)
            if not stage.quorum.satisfied_by(own):
                continue
            early = ", before the depositor can object" if stage.opens.when is Opens.ON_ACCEPTANCE else ""
            where, message = f"/stages/{place}/quorum", f"{party.id} alone can approve {stage.id}{early}"
            if party.role is not Role.ESCROW_AGENT:
                yield error("one-party-quorum", where, message, "Require persons of another party too.")
            elif _four_eyes(stage, own):
                advice = "Weigh whether persons of another party should have to approve as well."
                yield warning("agent-alone", where, message, advice)
            else:
                advice = "Require at least two persons of the escrow agent, or persons of another party too."
                yield error("agent-alone", where, f"{message}, by one person", advice)


def _four_eyes(stage: Stage, own: frozenset[PersonId]) -> bool:
    """Return whether two persons of the escrow agent must approve, and the key is with the agent anyway."""
    by_one = any(stage.quorum.satisfied_by(frozenset({person})) for person in own)
    return stage.custody is CustodyRule.GATE and not by_one


def claimants_without_seat(agreement: Agreement) -> Iterator[Finding]:
    """Require that nobody who may claim can also approve."""
    for place, stage in enumerate(agreement.stages):
        for person in sorted(stage.quorum.persons & set(agreement.authorities.claimants)):
            message = f"{person} may claim, and is in the quorum of {stage.id}"
            yield error(
                "claimant-in-quorum", f"/stages/{place}/quorum", message, "Take the person out of the quorum."
            )


def vetoes_shared(agreement: Agreement) -> Iterator[Finding]:
    """Advise against one party that can end claims, or revoke keys, by itself."""
    authorities = agreement.authorities
    for name, quorum in (("denial", authorities.denial), ("revocation", authorities.revocation)):
        for party in agreement.parties:
            if quorum.satisfied_by(_acting_for(agreement, party.id)):
                message = f"{party.id} alone suffices for {name}"
                yield warning(
                    "one-party-veto", f"/authorities/{name}", message, "Require persons of another party too."
                )


def rulings_neutral(agreement: Agreement) -> Iterator[Finding]:
    """Require that neither side rules on its own dispute, or attests the court order that ends it."""
    partial = persons_of(agreement, Role.DEPOSITOR, Role.BENEFICIARY)
    powers, ruling = agreement.authorities, agreement.ends.ruling
    bodies = (
        ("arbitration-not-neutral", "/authorities/arbitration", powers.arbitration),
        ("court-order-not-neutral", "/authorities/court_order", powers.court_order),
        ("arbitration-not-neutral", "/waits/ruling/substitutes", ruling.substitutes if ruling else None),
    )
    for code, where, quorum in bodies:
        for person in sorted(quorum.persons & partial) if quorum else ():
            message = f"{person} acts for the depositor or a beneficiary"
            yield error(code, where, message, "Name persons of neutral parties only.")


def orders_shared(agreement: Agreement) -> Iterator[Finding]:
    """Advise against one party that can attest a court order by itself: no window is waited for then."""
    quorum = agreement.authorities.court_order
    for party in agreement.parties if quorum else ():
        if quorum is not None and quorum.satisfied_by(_acting_for(agreement, party.id)):
            message = f"{party.id} alone can attest a court order, and so skip the objection window"
            yield warning(
                "court-order-one-party",
                "/authorities/court_order",
                message,
                "Require persons of another party too.",
            )


def holds_neutral(agreement: Agreement) -> Iterator[Finding]:
    """Advise against a depositor who may hold a claim against itself, again after each lift."""
    own = persons_of(agreement, Role.DEPOSITOR)
    for place, person in enumerate(agreement.authorities.hold):
        if person in own:
            message = f"{person} acts for the depositor, and may hold a claim again after each lift"
            yield warning(
                "hold-by-depositor",
                f"/authorities/hold/{place}",
                message,
                "Name persons of neutral parties; the depositor can object.",
            )


def joint_means_both(agreement: Agreement) -> Iterator[Finding]:
    """Require that a joint instruction needs someone of each side."""
    quorum = agreement.authorities.joint_instruction
    for role in (Role.DEPOSITOR, Role.BENEFICIARY) if quorum else ():
        if quorum is not None and _met_without(quorum, persons_of(agreement, role)):
            message = f"it can be given without anyone of the {role.value}"
            advice = "Use `{all: [{any: […depositor]}, {any: […beneficiary]}]}`."
            yield error("joint-instruction-one-sided", "/authorities/joint_instruction", message, advice)


def approvers_can_read(agreement: Agreement) -> Iterator[Finding]:
    """Advise that approvers can open the evidence that they judge."""
    readers = set(agreement.evidence_readers)
    for place, stage in enumerate(agreement.stages):
        for person in sorted(stage.quorum.persons - readers):
            message = f"{person} may approve, but cannot read the evidence"
            yield warning(
                "approver-cannot-read", f"/stages/{place}/quorum", message, "Add them to `evidence_readers`."
            )


def seats_count(agreement: Agreement) -> Iterator[Finding]:
    """Advise against persons in a quorum who never count for any claim: they only look like a safeguard."""
    if not agreement.excludes_claimant_party or len(agreement.parties_in(Role.BENEFICIARY)) != 1:
        return
    never = persons_of(agreement, Role.BENEFICIARY) - set(agreement.authorities.claimants)
    for where, quorum in quorums(agreement):
        for person in sorted(quorum.persons & never) if where.startswith("/stages/") else ():
            message = f"{person} acts for the claimant's party and never counts"
            yield warning(
                "vote-never-counts", where, message, "Take the person out, or name a neutral person instead."
            )


def _conflicted(agreement: Agreement, claimant: PersonId) -> frozenset[PersonId]:
    """Return who does not count for a claim by `claimant`: they, and their party if it is excluded."""
    if not agreement.excludes_claimant_party:
        return frozenset({claimant})
    return frozenset({claimant}) | _acting_for(agreement, PartyId(claimant.partition("@")[2]))


def _acting_for(agreement: Agreement, party: PartyId) -> frozenset[PersonId]:
    return frozenset(person.id for person in agreement.acting_for(party))


def _met_without(quorum: Quorum, absent: frozenset[PersonId]) -> bool:
    return quorum.satisfied_by(quorum.persons - absent)


RULES: Final[tuple[Rule, ...]] = (
    sides_present,
    parties_have_persons,
    lists_not_empty,
    acts_for_own_side,
    grounds_include_cure,
    quorums_reachable,
    filers_leave_enough,
    confirmations_end,
    quorums_shared,
    claimants_without_seat,
    vetoes_shared,
    rulings_neutral,
    orders_shared,
    holds_neutral,
    joint_means_both,
    approvers_can_read,
    seats_count,
)
