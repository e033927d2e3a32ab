"""What the record says in names, in plain language: states, events of the engine, premises and checks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tallystick.domain.claim.state import ClaimState, EventType, StageState

STATES: Final[Mapping[ClaimState, str]] = MappingProxyType(
    {
        ClaimState.FILED: "The claim is filed; its confirmation, if it needs one, and its check are to come.",
        ClaimState.NOT_ACCEPTED: "The escrow agent did not accept the claim.",
        ClaimState.ACCEPTED: "The claim is accepted; notice to the depositor is not proven yet.",
        ClaimState.WINDOW: "The depositor has notice, and may object until the window ends.",
        ClaimState.CONTESTED: "An objection stands; nothing is released until it is settled.",
        ClaimState.APPROVAL: "The claim waits for the approvals that its next stage needs.",
        ClaimState.VALIDATING: "The approvals are there; the gate is checking whether it may release.",
        ClaimState.PROVISIONING: "A stage is released; the beneficiary has yet to report that it is in use.",
        ClaimState.RELEASED: "Everything that was approved is released and in use.",
        ClaimState.ROLLING_BACK: "A stage could not be put to use, and what is active is being undone.",
        ClaimState.ROLLED_BACK: "A stage could not be put to use, and what was active is undone.",
        ClaimState.RETURN_DUE: "What was released must be returned or destroyed.",
        ClaimState.RETURNED: "What was released was returned or destroyed, by the beneficiary's word.",
        ClaimState.DENIED: "Those who decide on the claim have denied it.",
        ClaimState.LAPSED: "A time that the agreement gives was over, and the claim ended without a release.",
        ClaimState.REFUSED: "A ruling or an order refused the claim.",
        ClaimState.CURED: "The claimant withdrew the claim because the depositor had cured its ground.",
        ClaimState.WITHDRAWN: "The claimant withdrew the claim.",
    }
)

STAGES: Final[Mapping[StageState, str]] = MappingProxyType(
    {
        StageState.WAITING: "not released",
        StageState.QUORATE: "approved, and not released yet",
        StageState.DECIDED: "released, and not reported on yet",
        StageState.ACTIVATED: "released, and in use by the beneficiary's report",
        StageState.FAILED: "released, and could not be put to use",
        StageState.ROLLED_BACK: "released, and undone afterwards",
    }
)

EVENTS: Final[Mapping[EventType, str]] = MappingProxyType(
    {
        EventType.NOTICE_SIGHTED: "signs that it has seen the proof of notice, by its own clock",
        EventType.STAGE_DECIDED: "releases {stage}",
        EventType.STAGE_REFUSED: "refuses to release {stage}",
        EventType.NOTICE_SENT: "has sent notice of the claim to the depositor",
        EventType.NOTICE_NOT_TAKEN: "could not deliver notice of the claim to the depositor",
        EventType.REPLICA_REPAIRED: "replaced a damaged copy of a stored file by a good one",
        EventType.WINDOW_OPENED: "records that notice is proven: the time to object begins",
        EventType.WINDOW_ENDED: "records that the time to object is over",
        EventType.STAGE_CONTESTED: "records that {stage} is contested",
        EventType.SETTLED_BEFORE_WINDOW: "records that the dispute is settled",
        EventType.SETTLED_IN_WINDOW: "records that the dispute is settled",
        EventType.SETTLED_AFTER_WINDOW: "records that the dispute is settled",
        EventType.QUORUM_REACHED: "records that the approvals for {stage} suffice",
        EventType.DENIAL_QUORUM_REACHED: "records that the denials suffice",
        EventType.LAPSED: "records that what the claim waited for did not come in time",
        EventType.TAKEN_IN_UNCHECKED: "takes the claim in, because its form was not checked in time",
        EventType.INTAKE_LAPSED: "ends the claim, because its form was not checked in time",
        EventType.NOTICE_LAPSED: "ends the claim, because notice was not proven in time",
        EventType.DISPUTE_LAPSED: "ends the claim, because the dispute was not settled in time",
        EventType.HOLD_ENDED: "records that a hold has ended, because nobody lifted it in time",
        EventType.HOLD_LAPSED: "ends the claim, because a hold was not lifted in time",
        EventType.STAGE_TIMED_OUT: "records that nobody reported on {stage} in time",
        EventType.RELEASE_COMPLETED: "records that the release is complete",
        EventType.ROLLBACK_COMPLETED: "records that everything active is undone",
    }
)
"""What engine and gate do at each event of theirs, about `{stage}`; persons' acts have words of their own."""

PREMISES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "purpose-is-release": "The claim asks for a release; it is neither a drill nor a verification.",
        "claimant-entitled": "Whoever filed the claim may file claims, and their key is not revoked.",
        "claim-confirmed": "The beneficiary filed the claim itself, or has confirmed it.",
        "receivers-named": "The beneficiary has named to whom the stage is sealed, and someone's key stands.",
        "condition-met": "The evidence named by the claim meets the release condition.",
        "intake-accepted": "The escrow agent accepted the form of the claim, or let the time for that pass.",
        "notice-proven": "The depositor has received notice, as the agreement defines it.",
        "window-over": "The time to object is over.",
        "window-sighted": "The time to object is over by the gate's own clock as well.",
        "no-objection": "No objection stands.",
        "no-hold": "No hold stands.",
        "no-denial-quorum": "Not enough persons have denied the stage to end it.",
        "stage-in-order": "The stage is the next one, and the stages before it are settled.",
        "stage-open": "The moment from which the stage may be released has come.",
        "not-decided-before": "Nobody has decided on this stage before.",
        "quorum-reached": "Everyone whose approval the stage needs has approved it.",
        "agreement-pinned": "The agreement applied is the one that the claim names.",
        "agreement-signed": "All parties have signed that agreement.",
        "deposit-pinned": "The deposit is the one that the claim names.",
        "custody-known": "The keys to which the deposit was sealed are on record.",
        "sealed-bytes-match": "Every stored file has exactly the bytes that the depositor signed.",
        "ledger-whole": "The log is complete and unaltered.",
        "ledger-extends-seen": "The log contains everything that the signers had seen of it.",
        "not-halted": "The operator had not halted the gate.",
    }
)
"""What each premise of a release says, as a sentence that is true if it is met."""

CHECKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "canonical-form": "The file is well formed: it can be read in only one way.",
        "evidence-signed": "The escrow service signed the file; no byte of it was altered afterwards.",
        "agreement-chain": "Every version of the agreement was signed by those who had to sign it.",
        "trust-anchor": "The agreement is the one that the reader of this report knows.",
        "checkpoint-signed": "The escrow service signed the state of its log.",
        "entries-included": "Every entry in this report stands in that log.",
        "statements-signed": "Every statement bears valid signatures of those who made it.",
        "order-possible": "The entries could have come about in this order and at these times.",
        "version-in-force": "The version of the agreement applied was in force when the claim was filed.",
        "deposit-pinned": "The depositor signed the deposit, which was whole before the claim.",
        "custody-known": "The keys to which the deposit was sealed are on record.",
        "record-folds": "Every act was allowed by the agreement when it was made.",
        "ledger-extends-seen": "The log contains what the signers had seen of it.",
        "decisions-hold": "Every decision was made again from the record, with the same result.",
        "outcome": "The outcome follows from the record.",
    }
)
"""What each check of an evidence file establishes, as a sentence that is true if it holds."""
