"""The premises of a release that need more than the record: what the one who decides has read itself."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import root_fault
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.rules import PremiseAnswer, SeenPremise
from tallystick.domain.claim.sight import Sight
from tallystick.domain.claim.tally import tally_approvals
from tallystick.domain.deposit.provenance import deposit_fault
from tallystick.domain.deposit.received import received_fault
from tallystick.domain.ids import StageId
from tallystick.domain.statements.header import Header
from tallystick.domain.statements.receipts import Receipt
from tallystick.domain.statements.seen import ledger_seen
from tallystick.domain.statements.signed import Body, Signed
from tallystick.limits.logs import ASTRAY_TOLD_MAX

EXTENDED: Final = "ledger-extends-seen"
"""The premise that the log alone decides."""


def _agreement_pinned(_: Agreement, claim: Claim, __: StageId, sight: Sight) -> PremiseAnswer:
    same = claim.filing.agreement_digest == sight.agreement_digest
    return PremiseAnswer(holds=same, found=f"claim pins {claim.filing.agreement_digest}")


def _agreement_signed(agreement: Agreement, _: Claim, __: StageId, sight: Sight) -> PremiseAnswer:
    parties = {person.party for person in agreement.persons if person.signing_key in sight.agreement_signers}
    missing = sorted(party.id for party in agreement.parties if party.id not in parties)
    fault = root_fault(sight.agreement_signers, sight.root_keys)
    signatures = f"not signed by {', '.join(missing)}" if missing else "signed by every party"
    return PremiseAnswer(
        holds=not missing and fault is None,
        found=signatures if fault is None else f"{signatures}; {fault}",
    )


def _deposit(agreement: Agreement, claim: Claim, _: StageId, sight: Sight) -> PremiseAnswer:
    deposit = sight.deposit
    if deposit is None or deposit.id != claim.filing.deposit:
        return PremiseAnswer(holds=False, found="the pinned deposit was not found")
    receipts = [receipt for _, receipt in claim.entries_of(Receipt)]
    fault = deposit_fault(agreement, deposit) or received_fault(deposit.body, receipts)
    if fault is not None:
        return PremiseAnswer(holds=False, found=f"{deposit.id}: {fault}")
    return PremiseAnswer(holds=True, found=f"{deposit.id} signed by {deposit.body.person}")


def _custody(agreement: Agreement, _: Claim, stage: StageId, sight: Sight) -> PremiseAnswer:
    missing = [component for component in agreement.stage(stage).components if component not in sight.custody]
    astray = [
        component
        for component, custody in sight.custody.items()
        if custody.component != component or not _is_here(agreement, custody)
    ]
    if astray:
        return PremiseAnswer(
            holds=False, found=f"not the custody of {', '.join(astray)} under this agreement"
        )
    if missing:
        return PremiseAnswer(holds=False, found=f"no custody of {', '.join(missing)}")
    return PremiseAnswer(holds=True, found="every component has its custody epoch")


def _is_here(agreement: Agreement, body: Header) -> bool:
    return (body.deployment, body.agreement) == (agreement.deployment, agreement.id)


def _sealed_bytes(agreement: Agreement, _: Claim, stage: StageId, sight: Sight) -> PremiseAnswer:
    deposited = [c.component for c in sight.deposit.body.components] if sight.deposit is not None else []
    wrong: list[str] = []
    for component in agreement.stage(stage).components:
        if component not in deposited:
            wrong.append(f"{component} is not in the deposit")
        elif component not in sight.sealed:
            wrong.append(f"{component} was not read")
        elif (fault := sight.sealed[component]) is not None:
            wrong.append(f"{component}: {fault}")
    return PremiseAnswer(
        holds=not wrong,
        found="; ".join(wrong) or "every byte is as the depositor signed it",
    )


def _ledger(_: Agreement, __: Claim, ___: StageId, sight: Sight) -> PremiseAnswer:
    return PremiseAnswer(
        holds=sight.ledger is None, found=sight.ledger or "entries, proofs and checkpoint agree"
    )


def _extended(agreement: Agreement, claim: Claim, stage: StageId, sight: Sight) -> PremiseAnswer:
    """Leave out of the count who had verified another log; whatever else rests on another log refuses."""
    found = (claim.entry_of(statement) for statement in sight.unextended)
    acted = [entry.signed for entry in sorted(filter(None, found), key=lambda entry: entry.index)]
    deposited = [claim.filing.deposit] if claim.filing.deposit in sight.unextended else []
    if not acted and not deposited:
        return PremiseAnswer(holds=True, found="the log extends every log that those who helped had verified")
    others = {signed.id for signed in acted} - {entry.signed.id for entry, _ in claim.approvals}
    tally = tally_approvals(agreement, claim, stage, at=sight.at, unextended=sight.unextended)
    return PremiseAnswer(
        holds=not others and not deposited and tally.reached,
        found=_who_had_seen([*map(_had_seen, acted), *(f"deposit {one}" for one in deposited)]),
    )


def _had_seen(signed: Signed[Body]) -> str:
    seen = ledger_seen(signed.body)
    what = "another log" if seen is None else seen.words
    return f"{signed.kind} {signed.id} by {signed.body.person}, who had verified {what}"


def _who_had_seen(statements: Sequence[str]) -> str:
    """Name the first of them, as many as fit into a premise, and say how many more there are."""
    told, more = statements[:ASTRAY_TOLD_MAX], len(statements) - ASTRAY_TOLD_MAX
    rest = [f"and {more} more"] if more > 0 else []
    return f"this log does not extend what their authors had verified: {'; '.join([*told, *rest])}"


def _halt(_: Agreement, __: Claim, ___: StageId, sight: Sight) -> PremiseAnswer:
    return PremiseAnswer(holds=not sight.halted, found="releases are halted" if sight.halted else "no halt")


SEEN: Final[Mapping[str, SeenPremise[Claim]]] = MappingProxyType(
    {
        "agreement-pinned": _agreement_pinned,
        "agreement-signed": _agreement_signed,
        "deposit-pinned": _deposit,
        "custody-known": _custody,
        "sealed-bytes-match": _sealed_bytes,
        "ledger-whole": _ledger,
        EXTENDED: _extended,
        "not-halted": _halt,
    }
)
