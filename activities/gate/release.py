"""Releasing a stage: what the gate contributes to it, and the decision that names exactly these bytes.

The order of the writes is the order of safety: see `activities.gate.decide`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from activities.gate.gate import check_gate
from activities.gate.journal import GateJournal, KeptContribution, Receivers
from activities.gate.publish import Publisher, as_named
from activities.gate.sight import Surroundings
from tallystick.crypto import age
from tallystick.crypto.custody import gate
from tallystick.crypto.envelope import Envelope, new_nonce, sign, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.admission.door import admit
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.receivers import receivers_of
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PublicKey, gate_person
from tallystick.domain.kinds import Kind
from tallystick.domain.quoting import shortened
from tallystick.domain.release.decision import Decision
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.engine import DecisionStatement, PremiseVerdict
from tallystick.domain.statements.signed import expect, write_body
from tallystick.proof.reading import read_signed
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.cases.casefile import CaseFile, check_head
from tallystick.store.database.session import transaction
from tallystick.store.ledger import ledger

SEALED_BYTES: Final = "sealed-bytes-match"


class GateShareUnusableError(TallystickError):
    """The gate cannot open its own share of a component, or the share is not the one that was dealt."""

    code = "gate-share-unusable"
    why = "With the share that the gate has, the component would not open, so nothing was decided."
    advice = "Restore the gate's key file or the stored share from a backup, then ask again."


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedDecision:
    """The decision, and its moments.

    Attributes:
        decided_at: The moment that the premises were judged by.
        own: The time by the gate's own clock.
        accepted_at: The time of the entry: never before the decision was asked for, or made.
        repaired: A line for each copy of the sealed bytes that was bad, and was replaced.
    """

    decision: Decision
    decided_at: datetime
    own: datetime
    accepted_at: datetime
    repaired: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Releaser:
    """Records what the gate decided, and contributes to what it released.

    Attributes:
        root_keys: The escrow agent's keys, from the gate's own settings.
        tell: Called with each step that is done; a crash between any two is harmless.
    """

    database: Engine
    blobs: ReplicatedBlobs
    keys: PrivateKeys = field(repr=False)
    journal: GateJournal
    publisher: Publisher
    root_keys: frozenset[PublicKey]
    tell: Callable[[str], None]

    def release(self, case: CaseFile, ruling: TimedDecision, record: Surroundings) -> Envelope:
        """Contribute, record the decision, publish; return the decision.

        Raises:
            NotThisGateError: The agreement pins another gate.
            GateShareUnusableError: The gate's share does not open what was sealed.
            ClaimMovedOnError, DecisionExistsError: Something was recorded first.
        """
        check_gate(case.signed, self.keys, self.root_keys)
        claim, stage = case.claim, ruling.decision.stage
        receivers = receivers_of(case.agreement, claim, stage)
        made = self.journal.contributions(claim.digest, stage, receivers)
        if made is None:
            made = tuple(self._contribute(claim, body, receivers) for body in record.custody.values())
            self.tell("contributions made")
        # Kept again even if it is there: a run that was stopped may not have made it durable.
        kept = self.journal.keep_contributions(claim.digest, stage, receivers, made)
        self.tell("contributions kept")
        envelope = self._statement(case, ruling, kept)
        self._append(case, envelope, ruling.accepted_at)
        self.tell("decision recorded")
        self.publisher.publish(case, stage, statement_id(envelope), kept)
        return envelope

    def refuse(self, case: CaseFile, ruling: TimedDecision) -> Envelope:
        """Record that the stage is not released, and why; return that decision.

        Raises:
            ClaimMovedOnError: Something was recorded first.
        """
        envelope = self._statement(case, ruling, ())
        self._append(case, envelope, ruling.accepted_at)
        self.tell("refusal recorded")
        return envelope

    def _contribute(self, claim: Claim, body: Custody, receivers: Receivers) -> KeptContribution:
        (stored,) = (share for share in body.shares if share.leaf == GATE_LEAF)
        try:
            sealed = b"".join(self.blobs.open_verified(stored.sealed_digest).chunks)
            share = gate.gate_share(body, sealed, age.parse_identity(self.keys.age_identity))
        except TallystickError as error:
            raise GateShareUnusableError(
                "the gate's share cannot be used",
                component=body.component,
                epoch=body.epoch,
                found=error.code,
            ) from error
        recipients = [age.parse_recipient(one.recipient) for one in receivers]
        made = gate.contribute(share, body, claim=claim.digest, recipients=recipients)
        return KeptContribution(component=body.component, leaf=GATE_LEAF, sealed=made)

    def _statement(self, case: CaseFile, ruling: TimedDecision, kept: Sequence[KeptContribution]) -> Envelope:
        by = gate_person(case.agreement.deployment)
        body = DecisionStatement(
            **case.signed.terms.header(by, ruling.own, new_nonce()),
            claim=case.claim.digest,
            stage=ruling.decision.stage,
            released=ruling.decision.released,
            decided_at=ruling.decided_at,
            record=case.claim.record_digest,
            premises=tuple(_recorded(verdict, ruling.repaired) for verdict in ruling.decision.premises),
            contributions=as_named(kept),
        )
        return sign(Kind.DECISION, write_body(body), [self.keys.signing_key])

    def _append(self, case: CaseFile, envelope: Envelope, at: datetime) -> None:
        """Record a decision if the record is still the one it was made on.

        Raises:
            ClaimMovedOnError: It has grown.
            DecisionExistsError: The stage was decided meanwhile.
        """
        agreement, claim = case.agreement, case.claim
        signed = expect(read_signed(envelope, agreement), DecisionStatement)
        admit(agreement, claim, signed, at=at)
        decided = (claim.digest, signed.body.stage) if signed.body.released else None
        known = max(entry.index for entry in case.raw)
        with transaction(self.database) as session:
            check_head(session, agreement.id, claim.digest, after=known)
            ledger.append(session, agreement.id, envelope, at, claim=claim.digest, decision=decided)


def _recorded(verdict: PremiseVerdict, repaired: Sequence[str]) -> PremiseVerdict:
    """Return a verdict as it is recorded: short enough, and with the copies that were replaced."""
    more = repaired if verdict.premise == SEALED_BYTES else ()
    return replace(verdict, found=shortened("; ".join([verdict.found, *more])))
