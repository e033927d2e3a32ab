"""The words of statements: their kinds, and what may be chosen in them."""

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of statement; each is its own payload type, so none can pass for another."""

    AGREEMENT = "agreement"
    ENROLMENT = "enrolment"
    KEY_REVOCATION = "key-revocation"
    CUSTODY = "custody"
    DEPOSIT = "deposit"
    CLAIM = "claim"
    CONFIRMATION = "confirmation"
    INTAKE = "intake"
    NOTICE = "notice"
    NOTICE_ACKNOWLEDGEMENT = "notice-acknowledgement"
    PROOF_OF_SERVICE = "proof-of-service"
    OBJECTION = "objection"
    RETRACTION = "retraction"
    RULING = "ruling"
    JOINT_INSTRUCTION = "joint-instruction"
    APPROVAL = "approval"
    DENIAL = "denial"
    WITHDRAWAL = "withdrawal"
    HOLD = "hold"
    HOLD_LIFT = "hold-lift"
    RECEIVERS = "receivers"
    RECEIPT = "receipt"
    RETURN = "return"
    STORAGE_NOTICE = "storage-notice"
    LETTER = "letter"
    LETTER_KEY = "letter-key"
    EVENT = "event"
    DECISION = "decision"
    SIGHTING = "sighting"
    EVIDENCE = "evidence"


class Purpose(StrEnum):
    """What a claim is for; part of what is signed, so that a drill is never replayed as a release."""

    RELEASE = "release"
    DRILL = "drill"
    VERIFICATION = "verification"


class Outcome(StrEnum):
    """What an authority outside the quorum orders."""

    RELEASE = "release"
    REFUSE = "refuse"
    RETURN = "return"
    """What was released must be given back: the petition was dismissed, or the default cured."""
    NOTICE_GIVEN = "notice_given"
    """An arbitrator's leave: notice counts as given, though nothing proves it."""

    @property
    def helps(self) -> bool:
        """Whether it helps a release along; the others stop one, or take one back."""
        return self in {Outcome.RELEASE, Outcome.NOTICE_GIVEN}


class ServiceMethod(StrEnum):
    """How the escrow agent had notice of a claim served on the depositor."""

    COURIER = "courier"
    PROCESS_SERVER = "process_server"
    REGISTERED_POST = "registered_post"
    IN_PERSON = "in_person"


class Authority(StrEnum):
    """Who made a ruling: an arbitrator or a court."""

    ARBITRATION = "arbitration"
    COURT_ORDER = "court_order"


class WithdrawalReason(StrEnum):
    """Why a claimant gives up a claim."""

    CURED = "cured"
    SETTLED = "settled"
    OTHER = "other"


class ReceiptOutcome(StrEnum):
    """What the receiver did with a stage."""

    ACTIVATED = "activated"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class Happening(StrEnum):
    """What the engine records: facts that only time or a count brings about."""

    DEPOSIT_VERIFIED = "deposit-verified"
    DEPOSIT_FAILED = "deposit-failed"
    REPLICA_REPAIRED = "replica-repaired"
    REPLICA_LOST = "replica-lost"
    """A copy of a blob is bad or gone, and could not be replaced; it concerns an agreement, not one claim."""
    LEDGER_NOT_EXTENDED = "ledger-not-extended"
    """Somebody who stops a release had verified another log than this one; it concerns the agreement."""
    LEDGER_DAMAGED = "ledger-damaged"
    """The stored log is not what was signed; it concerns the agreement."""
    WINDOW_OPENED = "window-opened"
    WINDOW_ENDED = "window-ended"
    STAGE_CONTESTED = "stage-contested"
    SETTLED_BEFORE_WINDOW = "settled-before-window"
    SETTLED_IN_WINDOW = "settled-in-window"
    SETTLED_AFTER_WINDOW = "settled-after-window"
    QUORUM_REACHED = "quorum-reached"
    DENIAL_QUORUM_REACHED = "denial-quorum-reached"
    LAPSED = "lapsed"
    TAKEN_IN_UNCHECKED = "taken-in-unchecked"
    """The escrow agent did not check the claim's form in time, and the agreement says that it goes on."""
    INTAKE_LAPSED = "intake-lapsed"
    NOTICE_LAPSED = "notice-lapsed"
    DISPUTE_LAPSED = "dispute-lapsed"
    HOLD_ENDED = "hold-ended"
    HOLD_LAPSED = "hold-lapsed"
    STAGE_TIMED_OUT = "stage-timed-out"
    RELEASE_COMPLETED = "release-completed"
    ROLLBACK_COMPLETED = "rollback-completed"
