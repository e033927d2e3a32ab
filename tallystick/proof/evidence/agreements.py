"""The premises about the agreement: sealed under it, its chain of versions, trusted, and in force."""

from tallystick.crypto.envelope import body_of, kind_of, statement_id, verified_signers
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import root_fault
from tallystick.domain.agreement.versions import check_in_force, check_predecessors
from tallystick.domain.codec import decode, instant_text
from tallystick.domain.comparison_words import in_words, names
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.proof.entries import verified
from tallystick.proof.evidence.established import Established, EvidenceBrokenError, filed_entry
from tallystick.proof.reading import SignedAgreement, read_agreement


def evidence_signed(known: Established) -> str:
    """Establish that the log key of the pinned agreement sealed every byte before the seal."""
    case, seal = known.document.exported, known.document.seal
    if kind_of(seal) != Kind.EVIDENCE:
        raise EvidenceBrokenError("the last statement is not an evidence statement", kind=kind_of(seal))
    body = decode(EvidenceSeal, body_of(seal))
    if body.content != known.document.content:
        raise EvidenceBrokenError("the file has other bytes than those that were sealed", signed=body.content)
    engine = _claimed_agreement(known).engine
    verified_signers(seal, [engine.log_key])
    # One signature, with its signer's hint: so no byte is left that the signature does not cover.
    if [signature.keyid for signature in seal.signatures] != [key_id(engine.log_key)]:
        raise EvidenceBrokenError(
            "the seal does not have one signature, made by the log key", signatures=len(seal.signatures)
        )
    named = (body.claim, body.agreement_digest, body.deployment, body.entries)
    if named != (case.claim, case.agreement_digest, case.deployment.id, len(case.entries)):
        raise EvidenceBrokenError("sealed for another claim, agreement or deployment")
    if case.deployment.engine != engine:
        raise EvidenceBrokenError("the deployment's keys are not those of the agreement")
    known.sealed_at = body.issued_at
    return f"by {engine.log_key}"


def _claimed_agreement(known: Established) -> Agreement:
    """Return the pinned agreement; only its digest is verified yet."""
    for entry in known.of_kind(Kind.AGREEMENT):
        if statement_id(entry.envelope) == known.document.exported.agreement_digest:
            return decode(Agreement, body_of(entry.envelope))
    raise EvidenceBrokenError("the pinned agreement is not in the file")


def agreement_chain(known: Established) -> str:
    """Establish that a root key and all parties signed every version, with no key that was revoked before."""
    roots = frozenset(known.document.exported.deployment.root_keys)
    before: SignedAgreement | None = None
    for number, entry in enumerate(known.of_kind(Kind.AGREEMENT), start=1):
        version = read_agreement(entry.envelope)
        agreement = version.agreement
        expected = None if before is None else before.terms.digest
        if (agreement.version, agreement.supersedes) != (number, expected):
            raise EvidenceBrokenError(
                "an agreement in the file is not the next version", version=agreement.version, expected=number
            )
        if before is not None:
            last = before.agreement
            if (agreement.id, agreement.deployment) != (last.id, last.deployment):
                raise EvidenceBrokenError(
                    "a version in the file belongs to another agreement", version=number
                )
            check_predecessors(last, version.signers)
            _check_unrevoked(known, before, entry.index, version)
        if (fault := root_fault(version.signers, roots)) is not None:
            raise EvidenceBrokenError(fault, version=number)
        known.versions.append(version)
        before = version
    pinned = known.pinned
    return f"{pinned.agreement.id} version {pinned.agreement.version}, signed by all its parties"


def _check_unrevoked(
    known: Established, before: SignedAgreement, index: int, version: SignedAgreement
) -> None:
    """Refuse a version that a key signed after it was revoked by the rules of the one before."""
    earlier = [entry.recorded() for entry in known.of_kind(Kind.KEY_REVOCATION) if entry.index < index]
    bodies = [entry.signed.body for entry in verified(earlier, before.terms)]
    gone = {body.key for body in bodies if isinstance(body, KeyRevocation)}
    if used := sorted(gone & version.signers):
        raise EvidenceBrokenError(
            "a version of the agreement was signed with a revoked key",
            version=version.agreement.version,
            key=used[0],
        )


def trust_anchor(known: Established) -> str:
    """Establish that the pinned version is the one that the verifier trusts, if they named one."""
    pinned = known.pinned.terms.digest
    if known.trust is None:
        return f"none given: compare {pinned} with the agreement you signed: {in_words(pinned)}"
    if not names(known.trust, pinned):
        raise EvidenceBrokenError(
            "the file's agreement is not the one that you trust", trusted=known.trust, found=pinned
        )
    return f"{pinned}: {in_words(pinned)}"


def version_in_force(known: Established) -> str:
    """Establish what filing checked; a version that the file leaves out is not noticed."""
    pinned, filed = known.pinned.agreement, filed_entry(known)
    registered = zip(known.of_kind(Kind.AGREEMENT), known.versions, strict=True)
    there = [version.agreement for entry, version in registered if entry.index < filed.index]
    newer = [version for version in there if version.version > pinned.version]
    if pinned not in there:
        raise EvidenceBrokenError("the pinned version was registered after the claim", index=filed.index)
    check_in_force(pinned, newer, at=filed.accepted_at)
    return f"version {pinned.version} at {instant_text(filed.accepted_at)}; newer in the file: {len(newer)}"
