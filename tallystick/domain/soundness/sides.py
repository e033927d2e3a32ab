"""Rules for terms that favour one side: each is lawful, and easily signed without being seen."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.components import Tier
from tallystick.domain.agreement.parties import Role
from tallystick.domain.agreement.plan import Opens
from tallystick.domain.agreement.powers import CURED
from tallystick.domain.amounts import joined
from tallystick.domain.ids import PersonId, party_of
from tallystick.domain.soundness.finding import Finding, Rule, persons_of, quorums, warning

_GUARDED: Final = frozenset({"activation", "key", "keys", "source", "sources"})
"""Words for what no depositor gives away before it could object."""
_LOOK_ALIKE: Final = {
    **str.maketrans("\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441", "abekmhopc"),  # Cyrillic
    **str.maketrans("\u0442\u0443\u0445\u0455\u0456\u0458\u0501\u04bb", "tyxsijdh"),  # Cyrillic
    **str.maketrans(
        "\u03b1\u03b2\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7", "abeikvoptux"
    ),  # Greek
    **str.maketrans("\u0131l10", "iiio"),  # a capital I is an l in many fonts
}
"""Letters that pass for others, small or capital."""


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


def rivals_read_nothing(agreement: Agreement) -> Iterator[Finding]:
    """Advise against a reader of evidence who acts for another beneficiary, and decides nothing about it."""
    if len(agreement.parties_in(Role.BENEFICIARY)) == 1:
        return  # it would only read its own
    deciding = frozenset[PersonId]().union(*(stage.quorum.persons for stage in agreement.stages))
    rivals = persons_of(agreement, Role.BENEFICIARY) - deciding
    for place, person in enumerate(agreement.evidence_readers):
        if person in rivals:
            message = f"evidence of another beneficiary is sealed to {person}, who decides none of its claims"
            where, advice = (
                f"/evidence_readers/{place}",
                "Leave them out: each claimant has its own documents.",
            )
            yield warning("evidence-read-by-rival", where, message, advice)


def names_told_apart(agreement: Agreement) -> Iterator[Finding]:
    """Advise against parties of one name, and against one who acts for two: they look like two.

    Names are compared as they look: a letter of another alphabet may pass for a Latin one (UTS #39).
    """
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
    """Advise that the objection window protects what is critical, whatever its drafter calls it."""
    early = [place for place, one in enumerate(agreement.stages) if one.opens.when is Opens.ON_ACCEPTANCE]
    if not early:
        return
    if len(early) == len(agreement.stages):
        message = "every stage opens on acceptance, so all is released before the depositor can object"
        yield warning("nothing-after-window", "/stages", message, "Let a stage open `after_window`.")
        return
    if all(one.tier is not Tier.CRITICAL for one in agreement.components):
        message = "nothing is called critical, so no rule keeps any of it from opening before the window ends"
        yield warning(
            "nothing-critical", "/components", message, "Call `critical` what the depositor guards."
        )
    for place in early:
        yield from _opens_early(agreement, place)


def _opens_early(agreement: Agreement, place: int) -> Iterator[Finding]:
    """Yield what a stage opens before the depositor can object, though its kind says that it matters."""
    stage = agreement.stages[place]
    for item, component in enumerate(stage.components):
        kinds = [one.kind for one in agreement.components if one.id == component]
        if _GUARDED & set(" ".join(kinds).casefold().replace("-", " ").split()):
            message = f"{component} is {kinds[0]!r}, and {stage.id} opens before the window ends"
            advice = "Call it `critical`, and let it open `after_window`."
            yield warning("provisional-by-kind", f"/stages/{place}/components/{item}", message, advice)


def _plain(name: str) -> str:
    """Return a name as it looks, whatever letters and spaces it is written with."""
    shown = unicodedata.normalize("NFKC", name).casefold().translate(_LOOK_ALIKE)
    return " ".join(shown.split())


RULES: Final[tuple[Rule, ...]] = (
    grounds_beyond_cure,
    judges_can_read,
    claimants_party_stays_out,
    agent_does_not_rule,
    rivals_hold_nothing,
    rivals_read_nothing,
    names_told_apart,
    window_protects_something,
)
