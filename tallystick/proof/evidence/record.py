"""The premises about the record: in the log, signed, admitted again, decided again, and how it ends."""

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import pairwise

from tallystick.crypto.envelope import Envelope, body_of, kind_of, statement_id
from tallystick.crypto.log.merkle import verify_inclusion
from tallystick.crypto.log.note import open_checkpoint, origin_of
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.record.fold import Turn
from tallystick.domain.release.review import DecisionBasis, disagreement
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.signed import Body, Entry, Signed
from tallystick.proof.case import folded
from tallystick.proof.entries import Reader, filing_first
from tallystick.proof.evidence.established import Decided, Established, EvidenceBrokenError
from tallystick.proof.evidence.extension import see
from tallystick.proof.evidence.file import FiledEntry
from tallystick.proof.reading import keys_of, read_signed


def checkpoint_signed(known: Established) -> str:
    """Establish that the log key signed the log's checkpoint."""
    agreement = known.pinned.agreement
    origin = origin_of(agreement.deployment, agreement.id)
    known.checkpoint = open_checkpoint(
        known.document.exported.checkpoint, origin=origin, public_key=agreement.engine.log_key
    )
    return f"{origin}, {counted(known.checkpoint.size, 'entry', 'entries')}"


def entries_included(known: Established) -> str:
    """Establish that every entry is in that log, by its proof."""
    entries, checkpoint = known.document.exported.entries, known.checkpoint
    assert checkpoint is not None
    if any(later.index <= earlier.index for earlier, later in pairwise(entries)):
        raise EvidenceBrokenError("the entries are not in the order of the log")
    for entry, leaf in zip(entries, known.document.leaves, strict=True):
        verify_inclusion(
            leaf=leaf,
            index=entry.index,
            size=checkpoint.size,
            proof=entry.proof,
            root=checkpoint.root,
        )
    return f"{counted(len(entries), 'entry', 'entries')}, each by its proof"


def statements_signed(known: Established) -> str:
    """Establish that every signature of every statement verifies."""
    by_digest = {version.terms.digest: version.agreement for version in known.versions}
    for entry in known.document.exported.entries:
        if kind_of(entry.envelope) == Kind.AGREEMENT:
            continue
        named = body_of(entry.envelope).get("agreement_digest")
        if not isinstance(named, str) or Digest(named) not in by_digest:
            raise EvidenceBrokenError("a statement under no version in the file", index=entry.index)
        known.signed[entry.index] = read_signed(entry.envelope, by_digest[Digest(named)])
    versions = counted(len(known.versions), "version")
    return f"{counted(len(known.signed), 'statement')} under {versions} of the agreement"


def record_folds(known: Established) -> str:
    """Establish that every entry about the claim is admitted again, in order."""
    exported, always = known.document.exported, {Kind.AGREEMENT, Kind.KEY_REVOCATION}
    about = [
        entry
        for entry in exported.entries
        if _concerns(entry, exported.claim) or kind_of(entry.envelope) in always
    ]
    _check_nothing_else(known, about)
    ordered = sorted(about, key=lambda entry: filing_first(kind_of(entry.envelope), entry.index))
    record = [entry.recorded() for entry in ordered]
    known.case = folded(known.pinned, record, read=_verified_before(known), look=_looks_along(known))
    claim = known.case.claim
    if claim.digest != exported.claim:
        raise EvidenceBrokenError("the record is of another claim", found=claim.digest)
    entries = counted(len(claim.entries), "entry", "entries")
    return f"{entries}, each admitted again by generation {claim.rules.generation} of the rules"


def _verified_before(known: Established) -> Reader:
    """Return a reader that verifies no signature again that it has verified under the same keys."""
    signed = {one.id: one for one in known.signed.values()}
    keys = {version.terms.digest: keys_of(version.agreement) for version in known.versions}

    def read(envelope: Envelope, agreement: Agreement) -> Signed[Body]:
        before = signed.get(statement_id(envelope))
        same = before is not None and keys.get(before.body.agreement_digest) == keys_of(agreement)
        return before if before is not None and same else read_signed(envelope, agreement)

    return read


def _check_nothing_else(known: Established, about: Collection[FiledEntry]) -> None:
    """Refuse what is neither about the claim nor about what it rests on: nothing later would look at it."""
    assert known.deposit is not None
    rests_on = {str(known.deposit.id), *(str(one.custody) for one in known.deposit.body.components)}
    places = {entry.index for entry in about}
    for entry in known.document.exported.entries:
        named = {str(statement_id(entry.envelope)), str(body_of(entry.envelope).get("cause"))}
        if entry.index not in places and not named & rests_on:
            raise EvidenceBrokenError(
                "an entry has nothing to do with the claim", index=entry.index, kind=kind_of(entry.envelope)
            )


def _concerns(entry: FiledEntry, claim: Digest) -> bool:
    return statement_id(entry.envelope) == claim or body_of(entry.envelope).get("claim") == claim


def _looks_along(known: Established) -> Callable[[Claim | None, Turn], None]:
    """Return what looks at each turn for the premises that come after: so the record is folded once."""
    assert known.deposit is not None
    filed = {entry.index: entry for entry in known.document.exported.entries}
    (pinned,) = (index for index, signed in known.signed.items() if signed.id == known.deposit.id)
    see(known, None, filed[pinned], known.deposit)
    basis = DecisionBasis(
        agreement_digest=known.pinned.terms.digest,
        agreement_signers=known.pinned.signers,
        root_keys=frozenset(known.document.exported.deployment.root_keys),
        deposit=known.deposit,
        custody=known.custody,
        unextended=frozenset(),
    )

    def look(before: Claim | None, turn: Turn) -> None:
        see(known, turn.claim, filed[turn.entry.index], turn.entry.signed)
        decision = turn.entry.signed.body
        if before is not None and isinstance(decision, DecisionStatement):
            again = replace(basis, unextended=known.unextended)
            known.decided.append(_decided(known.pinned.agreement, before, turn.entry, decision, again))

    return look


def _decided(
    agreement: Agreement, before: Claim, entry: Entry, decision: DecisionStatement, basis: DecisionBasis
) -> Decided:
    # Of refusals there may be thousands, and each claim has a list of its own of all its entries.
    made = Decided(index=entry.index, decision=entry.signed.id, before=before if decision.released else None)
    try:
        return replace(made, differs=disagreement(agreement, before, decision, basis))
    except (TallystickError, AssertionError, LookupError, ValueError) as fault:
        return replace(made, fault=fault)  # raised where decisions are reported


def decisions_hold(known: Established) -> str:
    """Establish that every recorded decision is decided again."""
    for one in known.decided:
        if one.fault is not None:
            raise one.fault
        if one.differs is not None:
            raise EvidenceBrokenError("a decision does not hold", index=one.index, differs=one.differs)
    return f"{counted(len(known.decided), 'decision')}, each decided again"


def outcome(known: Established) -> str:
    """Establish where the claim stands, and which stages were released."""
    assert known.case is not None
    claim = known.case.claim
    released = ", ".join(claim.decided_stages) or "none"
    return f"{claim.id} is {claim.state}; released: {released}"
