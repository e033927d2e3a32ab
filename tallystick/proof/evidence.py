"""Verifying an evidence file: no database, no network, nothing but the file and doubt.

1.  canonical-form: one canonical document of the schema.
2.  evidence-signed: sealed by the log key of the pinned agreement, every byte before it.
3.  agreement-chain: every version signed by a root key and all parties, also of the last, which it names,
    with no key that was revoked before.
4.  trust-anchor: the pinned version is the one that the verifier trusts, if they named one.
5.  checkpoint-signed: the log's checkpoint, by the log key.
6.  entries-included: every entry is in that log, by its proof.
7.  statements-signed: every signature of every statement.
8.  version-in-force: the pinned version was in force at filing, and none in the file that came after it.
9.  deposit-chain: the depositor's deposits without a gap; the pinned one found whole before the claim.
10. custody-known: the custody epochs that the pinned deposit was sealed to, dealt by the gate.
11. record-folds: every entry about the claim is admitted again, in order.
12. decisions-hold: every recorded decision is decided again.
13. outcome: where the claim stands, and which stages were released.

The first broken premise is named, and none after it is looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeVar

from tallystick.crypto.envelope import body_of, kind_of, statement_id, verified_signers
from tallystick.crypto.keys import key_id
from tallystick.crypto.log.merkle import verify_inclusion
from tallystick.crypto.log.note import Checkpoint, open_checkpoint
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import root_fault
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.agreement.versions import check_in_force, check_predecessors
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import decode, instant_text
from tallystick.domain.deposit.provenance import chain_fault, custody_fault, deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.record.fold import fold, steps
from tallystick.domain.release.review import Surroundings, disagreement
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Body, Entry, Signed, says
from tallystick.proof.entries import verified, with_successors
from tallystick.proof.evidence_file import EvidenceFile, FiledEntry, read_evidence_file
from tallystick.proof.reading import SignedAgreement, read_agreement, read_signed
from tallystick.proof.report import Report, Step

_F = TypeVar("_F", bound=Body)


class EvidenceBrokenError(TallystickError):
    """An evidence file of which a premise does not hold."""

    code = "evidence-broken"
    why = "A premise of the verification does not hold, so the file proves nothing."
    advice = "Keep the file as it is, ask for another export, and compare both with the other parties'."


def verify(data: bytes, *, trust: Digest | None = None) -> Report:
    """Verify an evidence file, premise by premise; a bad file is a report, never an error.

    Args:
        data: The file.
        trust: The digest of the agreement version that the verifier knows to be the right one.
    """
    work = _Work(data=data, trust=trust)
    steps: list[Step] = []
    for number, (premise, look) in enumerate(_LOOKS, start=1):
        holds, found = _outcome(look, work)
        steps.append(Step(number=number, premise=premise, holds=holds, found=found))
        if not holds:
            break
    return _report(work, tuple(steps))


@dataclass(kw_only=True)
class _Work:
    """What has been established so far."""

    data: bytes
    trust: Digest | None
    file: EvidenceFile | None = None
    versions: list[SignedAgreement] = field(default_factory=list[SignedAgreement])
    checkpoint: Checkpoint | None = None
    signed: dict[int, Signed[Body]] = field(default_factory=dict[int, Signed[Body]])
    deposit: Signed[Deposit] | None = None
    custody: dict[ComponentId, Custody] = field(default_factory=dict[ComponentId, Custody])
    entries: Sequence[Entry] = ()
    claim: Claim | None = None

    @property
    def known(self) -> EvidenceFile:
        assert self.file is not None, "read by the first premise"
        return self.file

    @property
    def pinned(self) -> SignedAgreement:
        (found,) = (v for v in self.versions if v.terms.digest == self.known.case.agreement_digest)
        return found

    @property
    def terms(self) -> Terms:
        """The pinned version with those that followed it."""
        versions = (entry.recorded() for entry in self.of_kind(Kind.AGREEMENT))
        return with_successors(self.pinned.terms, versions)

    def of_kind(self, kind: Kind) -> list[FiledEntry]:
        return [entry for entry in self.known.case.entries if kind_of(entry.envelope) == kind]


def _outcome(look: Callable[[_Work], str], work: _Work) -> tuple[bool, str]:
    try:
        return True, look(work)
    except TallystickError as error:
        return False, str(error)
    except (AssertionError, LookupError, ValueError) as error:
        # A seal by the log key can cover nonsense that no engine of ours writes: it is no proof either.
        return False, f"not as any engine writes it ({type(error).__name__})"


def _canonical(work: _Work) -> str:
    work.file = read_evidence_file(work.data)
    return f"{len(work.data)} bytes, {len(work.file.case.entries)} entries"


def _sealed(work: _Work) -> str:
    case, seal = work.known.case, work.known.seal
    if kind_of(seal) != Kind.EVIDENCE:
        raise EvidenceBrokenError("the last statement is no evidence statement", kind=kind_of(seal))
    body = decode(EvidenceSeal, body_of(seal))
    if body.content != work.known.content:
        raise EvidenceBrokenError("not the bytes that were sealed", signed=body.content)
    engine = _claimed_agreement(work).engine
    facts = case.deployment
    verified_signers(seal, [engine.log_key])
    # Nothing is left that the signature doesn't cover: one signature, and its hint is the signer's.
    if [signature.keyid for signature in seal.signatures] != [key_id(engine.log_key)]:
        raise EvidenceBrokenError("not one signature, by the log key", signatures=len(seal.signatures))
    named = (body.claim, body.agreement_digest, body.deployment, body.entries)
    if named != (case.claim, case.agreement_digest, facts.deployment, len(case.entries)):
        raise EvidenceBrokenError("sealed for another claim, agreement or deployment")
    told = (facts.log_key, facts.decision_key, facts.gate_recipient)
    if told != (engine.log_key, engine.decision_key, engine.gate_recipient):
        raise EvidenceBrokenError("the deployment's keys aren't those of the agreement")
    return f"by {engine.log_key}"


def _claimed_agreement(work: _Work) -> Agreement:
    """Return the pinned agreement, of which nothing is verified yet but its digest."""
    for entry in work.of_kind(Kind.AGREEMENT):
        if statement_id(entry.envelope) == work.known.case.agreement_digest:
            return decode(Agreement, body_of(entry.envelope))
    raise EvidenceBrokenError("the pinned agreement is not in the file")


def _agreements(work: _Work) -> str:
    roots = frozenset(work.known.case.deployment.root_keys)
    before: SignedAgreement | None = None
    for number, entry in enumerate(work.of_kind(Kind.AGREEMENT), start=1):
        version = read_agreement(entry.envelope)
        found = version.agreement
        expected = None if before is None else before.terms.digest
        if (found.version, found.supersedes) != (number, expected):
            raise EvidenceBrokenError("not the next version", version=found.version, expected=number)
        if before is not None:
            last = before.agreement
            if (found.id, found.deployment) != (last.id, last.deployment):
                raise EvidenceBrokenError("of another agreement", version=number)
            check_predecessors(last, version.signers)
            _check_unrevoked(work, before, entry.index, version)
        if (fault := root_fault(version.signers, roots)) is not None:
            raise EvidenceBrokenError(fault, version=number)
        work.versions.append(version)
        before = version
    pinned = work.pinned
    return f"{pinned.agreement.id} version {pinned.agreement.version}, signed by all its parties"


def _check_unrevoked(work: _Work, before: SignedAgreement, index: int, version: SignedAgreement) -> None:
    """Refuse a version that a key signed after it was revoked by the rules of the one before."""
    earlier = [entry.recorded() for entry in work.of_kind(Kind.KEY_REVOCATION) if entry.index < index]
    bodies = [entry.signed.body for entry in verified(earlier, before.terms)]
    gone = {body.key for body in bodies if isinstance(body, KeyRevocation)}
    if found := sorted(gone & version.signers):
        raise EvidenceBrokenError(
            "signed with a revoked key", version=version.agreement.version, key=found[0]
        )


def _trusted(work: _Work) -> str:
    pinned = work.pinned.terms.digest
    if work.trust is None:
        return f"none given: compare {pinned} with the agreement you signed"
    if work.trust != pinned:
        raise EvidenceBrokenError("not the agreement that you trust", trusted=work.trust, found=pinned)
    return pinned


def _checkpoint(work: _Work) -> str:
    agreement = work.pinned.agreement
    origin = f"{agreement.deployment}/{agreement.id}"  # one log an agreement (C2SP tlog-checkpoint)
    work.checkpoint = open_checkpoint(
        work.known.case.checkpoint, origin=origin, public_key=agreement.engine.log_key
    )
    return f"{origin}, {work.checkpoint.size} entries"


def _included(work: _Work) -> str:
    entries, checkpoint = work.known.case.entries, work.checkpoint
    assert checkpoint is not None
    if any(later.index <= earlier.index for earlier, later in pairwise(entries)):
        raise EvidenceBrokenError("the entries aren't in the order of the log")
    for entry in entries:
        verify_inclusion(
            leaf=entry.leaf(),
            index=entry.index,
            size=checkpoint.size,
            proof=entry.proof,
            root=checkpoint.root,
        )
    return f"{len(entries)} entries, each by its proof"


def _statements(work: _Work) -> str:
    by_digest = {version.terms.digest: version.agreement for version in work.versions}
    for entry in work.known.case.entries:
        if kind_of(entry.envelope) == Kind.AGREEMENT:
            continue
        named = body_of(entry.envelope).get("agreement_digest")
        if not isinstance(named, str) or Digest(named) not in by_digest:
            raise EvidenceBrokenError("a statement under no version in the file", index=entry.index)
        work.signed[entry.index] = read_signed(entry.envelope, by_digest[Digest(named)])
    return f"{len(work.signed)} statements, and {len(work.versions)} agreements"


def _in_force(work: _Work) -> str:
    """Check the version as filing did. Of a version that the file leaves out, nothing can be seen."""
    pinned, filed = work.pinned.agreement, _filed(work)
    registered = zip(work.of_kind(Kind.AGREEMENT), work.versions, strict=True)
    there = [version.agreement for entry, version in registered if entry.index < filed.index]
    newer = [version for version in there if version.version > pinned.version]
    if pinned not in there:
        raise EvidenceBrokenError("the pinned version was registered after the claim", index=filed.index)
    check_in_force(pinned, newer, at=filed.accepted_at)
    return f"version {pinned.version} at {instant_text(filed.accepted_at)}; {len(newer)} newer in the file"


def _filed(work: _Work) -> FiledEntry:
    claim = work.known.case.claim
    filed = [entry for entry in work.known.case.entries if statement_id(entry.envelope) == claim]
    if len(filed) != 1:
        raise EvidenceBrokenError("the claim's own statement is not in the file, once", found=len(filed))
    return filed[0]


def _deposits(work: _Work) -> str:
    filing = _filing(work)
    last: Signed[Deposit] | None = None
    for _, signed in _of(work, Deposit):
        before = None if last is None else (last.id, last.body)
        fault = chain_fault(signed.body, before) or deposit_fault(_version_of(work, signed), signed)
        if fault is not None:
            raise EvidenceBrokenError(fault, number=signed.body.number)
        last = signed
    if last is None or last.id != filing.deposit:
        raise EvidenceBrokenError("the pinned deposit isn't the last one in the file", pinned=filing.deposit)
    _check_found_whole(work, last.id)
    work.deposit = last
    return f"{last.id}, found whole before the claim was filed"


def _check_found_whole(work: _Work, deposit: Digest) -> None:
    filed_at = _filed(work).index
    for index, signed in _of(work, Event):
        body = signed.body
        if (body.cause, body.claim) != (deposit, None):
            continue
        by_log_key = signed.signers == frozenset({_version_of(work, signed).engine.log_key})
        if body.happening is Happening.DEPOSIT_VERIFIED and by_log_key and index < filed_at:
            return
    raise EvidenceBrokenError("nothing says that the deposit was whole before the claim", deposit=deposit)


def _custody(work: _Work) -> str:
    assert work.deposit is not None
    dealt = {signed.id: signed for _, signed in _of(work, Custody)}
    for component in work.deposit.body.components:
        signed = dealt.get(component.custody)
        if signed is None:
            raise EvidenceBrokenError("no custody of this component", component=component.component)
        fault = custody_fault(_version_of(work, signed), signed, component.component)
        if fault is not None:
            raise EvidenceBrokenError(fault, component=component.component)
        work.custody[component.component] = signed.body
    return f"{len(work.custody)} components, each sealed to an epoch that the gate dealt"


def _folds(work: _Work) -> str:
    about = [
        entry
        for entry in work.known.case.entries
        if _concerns(entry, work.known.case.claim)
        or kind_of(entry.envelope) in {Kind.AGREEMENT, Kind.KEY_REVOCATION}
    ]
    # Revocations from before the filing belong to the claim too; it still begins with its filing.
    ordered = sorted(about, key=lambda entry: (kind_of(entry.envelope) != Kind.CLAIM, entry.index))
    work.entries = verified([entry.recorded() for entry in ordered], work.terms)
    work.claim = fold(work.terms, work.entries)
    if work.claim.digest != work.known.case.claim:
        raise EvidenceBrokenError("the record is of another claim", found=work.claim.digest)
    return f"{len(work.entries)} entries, each admitted again"


def _concerns(entry: FiledEntry, claim: Digest) -> bool:
    return statement_id(entry.envelope) == claim or body_of(entry.envelope).get("claim") == claim


def _decisions(work: _Work) -> str:
    assert work.deposit is not None
    around = Surroundings(
        agreement_digest=work.pinned.terms.digest,
        agreement_signers=work.pinned.signers,
        root_keys=frozenset(work.known.case.deployment.root_keys),
        deposit=work.deposit,
        custody=work.custody,
    )
    made = 0
    for before, one in pairwise(steps(work.terms, work.entries)):
        decision = one.entry.signed.body
        if not isinstance(decision, DecisionStatement):
            continue
        differs = disagreement(work.pinned.agreement, before.claim, decision, around)
        if differs is not None:
            raise EvidenceBrokenError("a decision doesn't hold", index=one.entry.index, differs=differs)
        made += 1
    return f"{made} decisions, each decided again"


def _ends(work: _Work) -> str:
    assert work.claim is not None
    released = ", ".join(work.claim.decided_stages) or "none"
    return f"{work.claim.id} is {work.claim.state}; released: {released}"


_LOOKS: Final[tuple[tuple[str, Callable[[_Work], str]], ...]] = (
    ("canonical-form", _canonical),
    ("evidence-signed", _sealed),
    ("agreement-chain", _agreements),
    ("trust-anchor", _trusted),
    ("checkpoint-signed", _checkpoint),
    ("entries-included", _included),
    ("statements-signed", _statements),
    ("version-in-force", _in_force),
    ("deposit-chain", _deposits),
    ("custody-known", _custody),
    ("record-folds", _folds),
    ("decisions-hold", _decisions),
    ("outcome", _ends),
)
STEPS: Final = tuple(premise for premise, _ in _LOOKS)
"""The premises of a verification, in order."""


def _report(work: _Work, steps: tuple[Step, ...]) -> Report:
    case = None if work.file is None else work.file.case
    claim = work.claim if len(steps) == len(_LOOKS) and steps[-1].holds else None
    return Report(
        steps=steps,
        agreement=work.versions[-1].agreement.id if work.versions else None,
        agreement_digest=None if case is None else case.agreement_digest,
        claim=None if case is None else case.claim,
        state=None if claim is None else claim.state.value,
        released=() if claim is None else claim.decided_stages,
    )


def _filing(work: _Work) -> ClaimFiling:
    body = work.signed[_filed(work).index].body
    if not isinstance(body, ClaimFiling):
        raise EvidenceBrokenError("what is named as the claim is none")
    return body


def _of(work: _Work, form: type[_F]) -> list[tuple[int, Signed[_F]]]:
    """Return the verified statements of one form, in ledger order."""
    return [(index, signed) for index, signed in work.signed.items() if says(signed, form)]


def _version_of(work: _Work, signed: Signed[Body]) -> Agreement:
    (found,) = (v.agreement for v in work.versions if v.terms.digest == signed.body.agreement_digest)
    return found
