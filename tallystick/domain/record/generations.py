"""The generations of rules: the rules by which a claim is folded, falls due and is decided.

A filing names its generation, and only the newest can be filed. The claim keeps that generation to its end,
and after it: anyone who verifies its evidence in twenty years folds and decides it by the same rules.

A generation contains everything that could make an old record fold, fall due or be decided differently: the
members of `Rules`, and every function and limit they use. From version 1.0 on these do not change. To change
a rule, or a limit on statements, write a new function next to the old one and a new generation that uses it.

Not part of a generation, because nobody applies them to an old record, or because they cannot change:

- the checks of a filing (`filing.check_filing`), of agreements and of deposits;
- who may see what, what waits for whom, and when notice and the gate are tried again;
- formats: the bodies of statements and their one form, the names of states and events, envelopes, the
  ledger, and that a statement counts only by the keys of the agreement. They grow by optional members.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from tallystick.domain.acts.all import RULES, TOGETHER
from tallystick.domain.authorship.quotas import check_bounds
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.evolve import EFFECTS
from tallystick.domain.claim.rules import Rules
from tallystick.domain.claim.state import STAGE_TRANSITIONS, TRANSITIONS
from tallystick.domain.errors import TallystickError
from tallystick.domain.progress.due import LOOKS
from tallystick.domain.progress.moments import moments
from tallystick.domain.release.recorded import RECORDED
from tallystick.domain.release.seen import SEEN

GENERATION_1: Final[Rules[Claim]] = Rules(
    generation=1,
    transitions=TRANSITIONS,
    stage_transitions=STAGE_TRANSITIONS,
    effects=EFFECTS,
    bounds=check_bounds,
    acts=RULES,
    together=TOGETHER,
    looks=LOOKS,
    moments=moments,
    recorded=RECORDED,
    seen=SEEN,
)

_GENERATIONS: Final = [GENERATION_1]  # the newest last; nothing but `rehearsed` changes it


class UnknownGenerationError(TallystickError):
    """A claim under rules that this version of Tallystick does not have."""

    code = "unknown-generation"
    why = "A claim is decided by the rules it was filed under, and a newer version introduced these."
    advice = "Use a newer version of Tallystick; the facts name the generations that this one knows."


class OldGenerationError(TallystickError):
    """A claim is filed under rules that newer ones have replaced."""

    code = "generation-replaced"
    why = "A new claim names the newest rules; claims that were filed under older rules keep those."
    advice = "Draft the claim again with a client at least as new as the server, and sign the new draft."


def newest_generation() -> int:
    """Return the generation that a claim must name to be filed now."""
    return _GENERATIONS[-1].generation


def rules_of(generation: int) -> Rules[Claim]:
    """Return the rules of `generation`.

    Raises:
        UnknownGenerationError: This version does not have them.
    """
    for rules in _GENERATIONS:
        if rules.generation == generation:
            return rules
    known = [rules.generation for rules in _GENERATIONS]
    raise UnknownGenerationError(
        "this version does not have that generation of rules", given=generation, known=known
    )


def check_newest(generation: int) -> None:
    """Refuse to file a claim under any rules but the newest.

    Raises:
        OldGenerationError: Newer ones have replaced them.
        UnknownGenerationError: This version does not have them.
    """
    if rules_of(generation).generation != newest_generation():
        raise OldGenerationError("newer rules are in force", given=generation, expected=newest_generation())


@contextmanager
def rehearsed(rules: Rules[Claim]) -> Generator[None]:
    """Make `rules` the newest generation inside the block, as the next version will have it.

    Only for tests of that version: a check of the build refuses it in the product. It adds a generation,
    and cannot change an existing one.
    """
    assert rules.generation == newest_generation() + 1, "generations have no gap"
    _GENERATIONS.append(rules)
    try:
        yield
    finally:
        _GENERATIONS.pop()
