"""The premise about what authors had verified: the log extends it, or what they signed helps no release."""

from collections.abc import Container, Iterable, Iterator

from tallystick.crypto.log.merkle import verify_consistency
from tallystick.domain.admission.extension import LogFound, contradiction, helps_release
from tallystick.domain.amounts import counted
from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, as_digest
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.seen import ledger_seen
from tallystick.domain.statements.signed import Body, Signed
from tallystick.proof.evidence.established import Established, EvidenceBrokenError
from tallystick.proof.evidence.file import FiledEntry


def see(known: Established, claim: Claim | None, filed: FiledEntry, signed: Signed[Body]) -> None:
    """Look, along the fold, at the log that the author of an entry had verified.

    Args:
        known: Gets what was found, for the premise that reports it.
        claim: As the entry leaves it; None if it is the deposit.
        filed: The entry as the file has it.
        signed: What it says, verified.
    """
    if (seen := ledger_seen(signed.body)) is None:
        return
    known.naming.add(filed.index)
    try:
        fits = _fits(known, filed, seen)
    except TallystickError as error:
        known.unshown = known.unshown or error
        return
    if not fits:
        known.astray.append((filed.index, signed))
        if helps_release(claim, signed.body):
            known.unextended |= {signed.id}


def ledger_extends_seen(known: Established) -> str:
    """Establish which authors had verified another log than this one.

    What they signed to help a release counts for no decision, as the next premise asks; what only stops one
    counts, and the finding names it.
    """
    _check_asked_for(known.document.exported.entries, known.naming)
    if known.unshown is not None:
        raise known.unshown
    checkpoints = counted(len(known.naming), "checkpoint")
    told = _told(known.astray, known.unextended)
    return "; ".join([f"{checkpoints} that authors had verified", *told])


def _check_asked_for(filed: Iterable[FiledEntry], named: Container[int]) -> None:
    idle = [one.index for one in filed if one.seen is not None and one.index not in named]
    if idle:
        raise EvidenceBrokenError("an earlier log that no statement names", index=idle[0])


def _fits(known: Established, filed: FiledEntry, seen: LedgerSeen) -> bool:
    """Return whether the log begins with what an author had verified, by the file's own proof.

    Raises:
        EvidenceBrokenError: The file does not say what the log was then.
        LogRangeError, ConsistencyInvalidError: What it says does not begin the log.
    """
    if not 0 <= seen.size <= filed.index:
        return False
    if filed.seen is None:
        raise EvidenceBrokenError(
            "the log at the size that an author had verified is missing", index=filed.index
        )
    assert known.checkpoint is not None
    verify_consistency(
        old_size=seen.size,
        new_size=known.checkpoint.size,
        old_root=filed.seen.root,
        new_root=known.checkpoint.root,
        proof=filed.seen.proof,
    )
    root = as_digest(filed.seen.root)
    return contradiction(seen, LogFound(size=filed.index, root=root)) is None


def _told(astray: Iterable[tuple[int, Signed[Body]]], helping: frozenset[Digest]) -> Iterator[str]:
    for index, signed in astray:
        what = "counts for no release" if signed.id in helping else "counts all the same"
        who = f"{signed.kind} by {signed.body.person}"
        yield f"WARNING: entry {index}, {who}, who had verified another log, {what}"
