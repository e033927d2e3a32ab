"""What a verification has established so far, premise by premise; every later premise builds on it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from tallystick.crypto.envelope import kind_of, statement_id
from tallystick.crypto.log.note import Checkpoint
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import Body, Signed, says
from tallystick.proof.case import Case
from tallystick.proof.evidence.file import EvidenceFile, FiledEntry
from tallystick.proof.reading import SignedAgreement

_F = TypeVar("_F", bound=Body)


class EvidenceBrokenError(TallystickError):
    """An evidence file with a broken premise."""

    code = "evidence-broken"
    why = "An evidence file proves something only if every premise of its verification holds."
    advice = "Keep the file as it is, ask for another export, and compare both with the other parties'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A recorded decision that was made again.

    Attributes:
        before: The claim as it stood before the decision, if a stage was released.
        differs: In what it differs from what its record calls for, or None.
        fault: What kept it from being made again, or None.
    """

    index: int
    decision: Digest
    before: Claim | None
    differs: str | None = None
    fault: Exception | None = None


@dataclass(kw_only=True)
class Established:
    """What has been established so far.

    It is no `Case`: it has one only when the record has folded, and the premises before and after need more.

    Attributes:
        sealed_at: When the log key sealed the file.
        naming: The places of the entries whose authors named a checkpoint that they had verified.
        astray: The entries whose authors had verified another log, by their places.
        unextended: The statements of such authors that help a release.
        unshown: What is wrong with the file's proof for such a checkpoint, or None.
    """

    data: bytes
    trust: str | None
    file: EvidenceFile | None = None
    sealed_at: datetime | None = None
    versions: list[SignedAgreement] = field(default_factory=list[SignedAgreement])
    checkpoint: Checkpoint | None = None
    signed: dict[int, Signed[Body]] = field(default_factory=dict[int, Signed[Body]])
    deposit: Signed[Deposit] | None = None
    custody: dict[ComponentId, Custody] = field(default_factory=dict[ComponentId, Custody])
    case: Case | None = None
    naming: set[int] = field(default_factory=set[int])
    astray: list[tuple[int, Signed[Body]]] = field(default_factory=list[tuple[int, Signed[Body]]])
    unextended: frozenset[Digest] = frozenset()
    unshown: TallystickError | None = None
    decided: list[Decided] = field(default_factory=list[Decided])

    @property
    def document(self) -> EvidenceFile:
        """The file, once its form was read."""
        assert self.file is not None, "read by the first premise"
        return self.file

    @property
    def pinned(self) -> SignedAgreement:
        """The version of the agreement that the claim pins."""
        (version,) = (v for v in self.versions if v.terms.digest == self.document.exported.agreement_digest)
        return version

    def of_kind(self, kind: Kind) -> list[FiledEntry]:
        """Return the entries of one kind, in ledger order."""
        return [entry for entry in self.document.exported.entries if kind_of(entry.envelope) == kind]


def filed_entry(known: Established) -> FiledEntry:
    """Return the entry of the claim's own statement."""
    claim = known.document.exported.claim
    filed = [entry for entry in known.document.exported.entries if statement_id(entry.envelope) == claim]
    if len(filed) != 1:
        raise EvidenceBrokenError("the claim's own statement is not in the file, once", found=len(filed))
    return filed[0]


def filing_of(known: Established) -> ClaimFiling:
    """Return what the claim says."""
    body = known.signed[filed_entry(known).index].body
    if not isinstance(body, ClaimFiling):
        raise EvidenceBrokenError("the statement that is named as the claim is not one")
    return body


def statements_of(known: Established, form: type[_F]) -> list[tuple[int, Signed[_F]]]:
    """Return the verified statements of one form, in ledger order."""
    return [(index, signed) for index, signed in known.signed.items() if says(signed, form)]


def version_of(known: Established, signed: Signed[Body]) -> Agreement:
    """Return the version of the agreement that a statement names."""
    (agreement,) = (v.agreement for v in known.versions if v.terms.digest == signed.body.agreement_digest)
    return agreement
