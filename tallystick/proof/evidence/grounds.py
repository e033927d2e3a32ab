"""From an evidence file to what a report may rest on: everything in it holds, or there is no report."""

from tallystick.domain.ids import sha256_digest
from tallystick.domain.report.grounds import Checked, Grounds, Log
from tallystick.proof.evidence.established import Established, EvidenceBrokenError
from tallystick.proof.evidence.verify import examined


def grounds_of(data: bytes, *, trust: str | None = None) -> Grounds:
    """Verify an evidence file, and return what it establishes.

    Args:
        data: The file.
        trust: As for `verify`.

    Raises:
        EvidenceBrokenError: A check fails; the file proves nothing.
        UnknownGenerationError: As for `verify`.
    """
    known = Established(data=data, trust=trust)
    report = examined(known)
    if (broken := report.broken) is not None:
        raise EvidenceBrokenError(
            f"check {broken.number}, {broken.premise}, fails: {broken.found}", premise=broken.premise
        )
    checks = tuple(Checked(premise=check.premise, found=check.found) for check in report.steps)
    return _grounds(known, data, checks, anchored=trust is not None)


def _grounds(known: Established, data: bytes, checks: tuple[Checked, ...], *, anchored: bool) -> Grounds:
    assert known.case is not None
    assert known.deposit is not None
    assert known.sealed_at is not None
    return Grounds(
        agreement=known.case.agreement,
        claim=known.case.claim,
        before={one.decision: one.before for one in known.decided if one.before is not None},
        deposit=known.deposit.body,
        checks=checks,
        log=_log(known),
        anchored=anchored,
        file_digest=sha256_digest(data),
        file_size_bytes=len(data),
        made_at=known.sealed_at,
    )


def _log(known: Established) -> Log:
    assert known.checkpoint is not None
    return Log(origin=known.checkpoint.origin, size=known.checkpoint.size, root=known.checkpoint.root.hex())
