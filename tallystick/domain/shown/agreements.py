"""An agreement as its signers read it: every term, what changes in a new version, and what is unwise."""

from collections.abc import Iterator
from datetime import datetime
from difflib import SequenceMatcher

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.comparison_words import in_words
from tallystick.domain.ids import Digest
from tallystick.domain.quoting import quoted
from tallystick.domain.shown.summary import summarise
from tallystick.domain.soundness.check import Finding, examine, lint


def agreement_to_sign(
    agreement: Agreement, digest: Digest, *, previous: Agreement | None, at: datetime | None
) -> Iterator[str]:
    """Yield what a signer reads of an agreement with that digest.

    Args:
        previous: The version that it takes the place of, verified, if it takes the place of one.
        at: The present, from which claims are played; without it, only the rules are asked.
    """
    yield from summarise(agreement)
    yield from _against(agreement, previous)
    found = lint(agreement) if at is None else examine(agreement, at=at)
    yield from (_warning(one) for one in found)
    if not found:
        yield "the checks of `agreement check` find nothing wrong or unwise"
    yield f"agreement digest {digest}: {in_words(digest)}"


def changes(before: Agreement, after: Agreement) -> Iterator[str]:
    """Yield each sentence that a new version takes out or puts in; one that moves is both."""
    old, new = summarise(before), summarise(after)
    for what, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if what != "equal":
            yield from (f"was: {sentence}" for sentence in old[i:j])
            yield from (f"now: {sentence}" for sentence in new[k:m])


def _against(agreement: Agreement, previous: Agreement | None) -> Iterator[str]:
    if previous is not None:
        yield f"what changes against version {previous.version}, sentence by sentence:"
        yield from changes(previous, agreement)
    elif agreement.supersedes is not None:
        yield "WARNING: the version before is not at hand, so what changes is not shown"


def _warning(finding: Finding) -> str:
    told = finding.severity.value.upper()
    return f"{told} {finding.code} at {quoted(finding.where)}: {quoted(finding.message)}; {finding.advice}"
