"""Rules for terms that favour one side: each is lawful, and easily signed without being seen."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.agreement.plan import Opens
from tallystick.domain.agreement.powers import CURED
from tallystick.domain.amounts import joined
from tallystick.domain.ids import PersonId, party_of
from tallystick.domain.soundness.finding import Finding, Rule, persons_of, quorums, warning


def grounds_beyond_cure(agreement: Agreement) -> Iterator[Finding]:
    """Advise a ground on which a depositor can say that the condition is not true."""
    grounds = set(agreement.objection.grounds)
    if grounds and grounds == {CURED}:
        message = "a depositor that has nothing to cure has no ground to object: `cured` is the only one"
        yield warning("grounds-only-cured", "/objection/grounds", message, "Add a ground such as `not-true`.")


def judges_can_read(agreement: Agreement) -> Iterator[Finding]:
    """Advise that whoever may object, rule or attest can open the evidence that it is about."""
    readers, powers = set(agreement.evidence_readers), agreement.authorities
    objectors = agreement.objection.objectors
    if objectors and not readers & set(objectors):
        message = f"{joined(objectors, 'and')} may object, but cannot read the evidence"
        advice = "Add an objector to `evidence_readers`."
        yield warning("objectors-cannot-read", "/objection/objectors", message, advice)
    ruling = agreement.ends.ruling
    judges = (
        ("/authorities/arbitration", powers.arbitration),
        ("/authorities/court_order", powers.court_order),
        ("/waits/ruling/substitutes", ruling.substitutes if ruling else None),
    )
    for where, quorum in judges:
        if quorum is not None and (blind := sorted(quorum.persons - readers)):
            message = f"{joined(blind, 'and')} may settle a dispute, but cannot read the evidence"
            advice = "Add them to `evidence_readers`."
            yield warning("judge-cannot-read", where, message, advice)


def claimants_party_stays_out(agreement: Agreement) -> Iterator[Finding]:
    """Advise against votes of the claimant's own party on its claim."""
    if agreement.excludes_claimant_party:
        return
    own = persons_of(agreement, Role.BENEFICIARY) - set(agreement.authorities.claimants)
    for where, quorum in quorums(agreement):
        if where.startswith("/stages/") and (partial := sorted(quorum.persons & own)):
            message = f"{joined(partial, 'and')} may approve a claim of their own party"
            advice = "Leave out `excludes_claimant_party: false`, or take them out of the quorum."
            yield warning("claimants-party-counts", where, message, advice)


def agent_does_not_rule(agreement: Agreement) -> Iterator[Finding]:
    """Advise against an escrow agent that alone rules on disputes about what it has admitted."""
    arbitration, ruling = agreement.authorities.arbitration, agreement.ends.ruling
    bodies = (
        ("/authorities/arbitration", arbitration),
        ("/waits/ruling/substitutes", ruling.substitutes if ruling else None),
    )
    for party in agreement.parties_in(Role.ESCROW_AGENT):
        own = frozenset(person.id for person in agreement.acting_for(party.id))
        for where, quorum in bodies:
            if quorum is not None and quorum.satisfied_by(own):
                message = f"{party.id} alone rules on disputes about claims that it has accepted itself"
                yield warning("arbitration-by-agent", where, message, "Name persons of other parties.")


def rivals_hold_nothing(agreement: Agreement) -> Iterator[Finding]:
    """Advise against one beneficiary that may hold the claim of another, again after each lift."""
    if len(agreement.parties_in(Role.BENEFICIARY)) == 1:
        return  # it would only hold its own claim
    own = persons_of(agreement, Role.BENEFICIARY)
    for place, person in enumerate(agreement.authorities.hold):
        if person in own:
            message = f"{person} may hold another beneficiary's claim, again after each lift"
            where, advice = f"/authorities/hold/{place}", "Name persons of neutral parties."
            yield warning("hold-by-beneficiary", where, message, advice)


def names_told_apart(agreement: Agreement) -> Iterator[Finding]:
    """Advise against parties of one name, and against one who acts for two: they look like two."""
    for place, party in enumerate(agreement.parties):
        same = [one.id for one in agreement.parties[:place] if _plain(one.name) == _plain(party.name)]
        if same:
            message = f"{same[0]} and {party.id} have the same name, so a second party may be none"
            yield warning("name-shared", f"/parties/{place}/name", message, "Name two different parties.")
    acting: dict[str, list[PersonId]] = defaultdict(list)
    for place, person in enumerate(agreement.persons):
        others = [one for one in acting[_plain(person.name)] if party_of(one) != person.party]
        acting[_plain(person.name)].append(person.id)
        if others:
            message = f"{others[0]} and {person.id} have the same name: one person may be counted for two"
            advice = "Name two different persons, or tell them apart by name."
            yield warning("name-shared", f"/persons/{place}/name", message, advice)


def window_protects_something(agreement: Agreement) -> Iterator[Finding]:
    """Advise that at least one stage waits for the objection window."""
    if agreement.stages and all(one.opens.when is Opens.ON_ACCEPTANCE for one in agreement.stages):
        message = "every stage opens on acceptance, so all is released before the depositor can object"
        yield warning("nothing-after-window", "/stages", message, "Let a stage open `after_window`.")


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


RULES: Final[tuple[Rule, ...]] = (
    grounds_beyond_cure,
    judges_can_read,
    claimants_party_stays_out,
    agent_does_not_rule,
    rivals_hold_nothing,
    names_told_apart,
    window_protects_something,
)
