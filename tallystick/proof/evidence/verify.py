"""Verifying an evidence file offline: it needs the file, and neither a database nor a network.

1.  canonical-form: one canonical document of the schema.
2.  evidence-signed: sealed by the log key of the pinned agreement, every byte before it.
3.  agreement-chain: each version is signed by a root key, by all its parties and by all parties to the
    version it supersedes; none of these keys had been revoked.
4.  trust-anchor: the pinned version is the one that the verifier trusts, if they named one.
5.  checkpoint-signed: the log's checkpoint, by the log key.
6.  entries-included: every entry is in that log, by its proof.
7.  statements-signed: every signature of every statement.
8.  order-possible: each statement once, after what it names, and not before it was issued; times grow.
9.  version-in-force: at filing the pinned version was in force, and no later one in the file was.
10. deposit-pinned: the depositor signed the deposit that the claim pins, it was whole before the claim, and
    nothing else is reported as active.
11. custody-known: the gate dealt the custody epochs to which the pinned deposit was sealed.
12. record-folds: every entry about the claim is admitted again, in order, by the rules it was filed under.
13. ledger-extends-seen: the log extends each checkpoint that an author had verified, or it is named.
14. decisions-hold: every recorded decision is decided again, without what rests on another log.
15. outcome: where the claim stands, and which stages were released.

The report names the first broken premise; later ones are not checked.
"""

from collections.abc import Callable, Iterator
from typing import Final

from tallystick.domain.amounts import counted
from tallystick.domain.errors import TallystickError
from tallystick.domain.record.generations import UnknownGenerationError
from tallystick.proof.evidence.agreements import (
    agreement_chain,
    evidence_signed,
    trust_anchor,
    version_in_force,
)
from tallystick.proof.evidence.deposits import custody_known, deposit_pinned
from tallystick.proof.evidence.established import Established
from tallystick.proof.evidence.extension import ledger_extends_seen
from tallystick.proof.evidence.file import read_evidence_file
from tallystick.proof.evidence.order import order_possible
from tallystick.proof.evidence.record import (
    checkpoint_signed,
    decisions_hold,
    entries_included,
    outcome,
    record_folds,
    statements_signed,
)
from tallystick.proof.evidence.report import Check, Report


def verify(data: bytes, *, trust: str | None = None) -> Report:
    """Verify an evidence file, premise by premise; a bad file gives a report, not an error.

    Args:
        data: The file.
        trust: The digest of the agreement version that the verifier knows to be the right one, or its
            comparison words.

    Raises:
        UnknownGenerationError: A newer release filed the claim; this one can neither prove nor break it.
    """
    known = Established(data=data, trust=trust)
    del data  # `canonical_form` lets go of it once it is read
    return examined(known)


def examined(known: Established) -> Report:
    """Verify the file that `known` begins with, as `verify` does; what holds is then in `known`."""
    return _report(known, tuple(_checks(known)))


def _checks(known: Established) -> Iterator[Check]:
    """Yield the outcome of each premise, up to the first that does not hold."""
    for number, (premise, look) in enumerate(_LOOKS, start=1):
        holds, found = _outcome(look, known)
        yield Check(number=number, premise=premise, holds=holds, found=found)
        if not holds:
            return


def _outcome(look: Callable[[Established], str], known: Established) -> tuple[bool, str]:
    try:
        return True, look(known)
    except UnknownGenerationError:
        raise
    except TallystickError as error:
        return False, str(error)
    except (AssertionError, LookupError, ValueError) as error:
        # The log key can seal nonsense that no engine of ours writes: that proves nothing either.
        return False, f"not as any engine writes it ({type(error).__name__})"


def canonical_form(known: Established) -> str:
    """Establish that the bytes are one canonical document of the schema."""
    known.file, size_bytes = read_evidence_file(known.data), len(known.data)
    known.data = b""
    return f"{size_bytes} bytes, {counted(len(known.file.exported.entries), 'entry', 'entries')}"


_LOOKS: Final[tuple[tuple[str, Callable[[Established], str]], ...]] = (
    ("canonical-form", canonical_form),
    ("evidence-signed", evidence_signed),
    ("agreement-chain", agreement_chain),
    ("trust-anchor", trust_anchor),
    ("checkpoint-signed", checkpoint_signed),
    ("entries-included", entries_included),
    ("statements-signed", statements_signed),
    ("order-possible", order_possible),
    ("version-in-force", version_in_force),
    ("deposit-pinned", deposit_pinned),
    ("custody-known", custody_known),
    ("record-folds", record_folds),
    ("ledger-extends-seen", ledger_extends_seen),
    ("decisions-hold", decisions_hold),
    ("outcome", outcome),
)
PREMISES: Final = tuple(premise for premise, _ in _LOOKS)
"""The premises of a verification, in order."""


def _report(known: Established, steps: tuple[Check, ...]) -> Report:
    exported = None if known.file is None else known.file.exported
    whole = all(step.holds for step in steps) and tuple(step.premise for step in steps) == PREMISES
    claim = known.case.claim if whole and known.case is not None else None
    return Report(
        steps=steps,
        agreement=known.versions[-1].agreement.id if known.versions else None,
        agreement_digest=None if exported is None else exported.agreement_digest,
        claim=None if exported is None else exported.claim,
        state=None if claim is None else claim.state.value,
        released=() if claim is None else claim.decided_stages,
    )
