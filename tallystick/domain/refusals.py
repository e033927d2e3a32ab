"""Why a statement is not recorded: one class a reason, each with what to do about it."""

from tallystick.domain.errors import TallystickError


class MisdirectedError(TallystickError):
    """The statement is about something else than what it was sent to."""

    code = "misdirected"
    why = "A statement names its deployment, agreement with digest, and claim; it counts for nothing else."
    advice = "Sign a new statement from a fresh draft for the claim you mean."


class NotYoursError(TallystickError):
    """The statement was not signed by the person it names, or by anyone who may make it."""

    code = "not-authorised-to-state"
    why = "The agreement says who may make this statement, and it must be signed by that person's key."
    advice = "Ask a person whom the agreement names (the facts list them) to sign it."


class SelfServingError(TallystickError):
    """The claimant, or somebody of the claimant's party, tries to help the claim along."""

    code = "self-serving"
    why = "The claimant never counts for the claim, nor does its party where the agreement excludes it."
    advice = "Ask a person of another party who has a leaf in the stage's quorum."


class KeyRevokedError(TallystickError):
    """The signing key was revoked."""

    code = "key-revoked"
    why = "A revoked key signs nothing more, and what it signed stops counting for what is undecided."
    advice = "Use a key that the agreement lists and nobody revoked."


class BadTimingError(TallystickError):
    """The statement's own times do not fit."""

    code = "bad-timing"
    why = "`issued_at` must lie in the past year (five minutes of clock skew allowed), `expires_at` ahead."
    advice = "Set the clock of the signing machine, draft the statement again, and sign that."


class SupersededError(TallystickError):
    """A claim under a version of an agreement that a newer one has replaced."""

    code = "agreement-superseded"
    why = "A claim is carried by the people and rules in force when it is filed; it keeps them while it runs."
    advice = "Read the version in force, draft the claim again under its digest, and sign that."


class UnknownStageError(TallystickError):
    """The claim does not ask for this stage."""

    code = "unknown-stage"
    why = "A statement about stages must name stages that the claim asks for."
    advice = "Name stages of the claim; the facts list them."


class AlreadyStatedError(TallystickError):
    """The same person has said this already, and it stands."""

    code = "already-stated"
    why = (
        "A person approves a stage, denies a claim or objects to it once; a second time would change nothing."
    )
    advice = "Nothing to do. To change your mind, retract the earlier statement first."


class RetractionIsFinalError(TallystickError):
    """An objection that was retracted cannot be made again."""

    code = "retraction-is-final"
    why = "A party that retracted its objection to a claim cannot object to the same claim again."
    advice = "Bring new facts before the arbitrator whom the agreement names, or ask for a hold."


class DisputeSettledError(TallystickError):
    """An objection that was ruled on is made again."""

    code = "dispute-settled"
    why = "What an arbitrator or an order has settled cannot be contested again by the same party."
    advice = "Bring new facts before the arbitrator whom the agreement names, or ask for a hold."


class NothingDueError(TallystickError):
    """A return is certified that nobody owes."""

    code = "nothing-due"
    why = "A return falls due when a release is ordered back, or a claim ends that had provisional access."
    advice = "Nothing to do; read the claim to see its state."


class NothingToRetractError(TallystickError):
    """There is no such statement of this person, or it is past retracting."""

    code = "nothing-to-retract"
    why = "One can take back one's own approval, denial or objection, while it stands."
    advice = "Name the id of your own statement, as the timeline shows it."


class UnknownGroundError(TallystickError):
    """The agreement does not know this ground for an objection."""

    code = "unknown-ground"
    why = "A contrary instruction needs one of the agreement's grounds, and an explanation."
    advice = "Choose one of the grounds in the facts, and say in a sentence what it rests on."


class ConditionNotMetError(TallystickError):
    """The claim's evidence does not make its release condition true."""

    code = "condition-not-met"
    why = "A claim brings what its release condition asks for, young enough, and no counter-evidence."
    advice = "Add the missing documents; the facts name them."


class RulingIncompleteError(TallystickError):
    """A ruling without the papers that make it final."""

    code = "ruling-incomplete"
    why = "A court order counts only with its finality certificate; an arbitral ruling needs the award."
    advice = "Attach the papers that the facts name."


class QuotaExceededError(TallystickError):
    """Somebody has sent as much as they may: of one claim, or claims under one agreement."""

    code = "quota-exceeded"
    why = "How much a person sends and how many claims a party files is bounded: nobody takes another's room."
    advice = "Nothing more of this can be recorded for you here; `limit` says how much may. Others go on."


class DepositNotUsableError(TallystickError):
    """The deposit cannot serve this claim."""

    code = "deposit-not-usable"
    why = "A claim pins one verified deposit that holds every component of the stages it asks for."
    advice = "Name a verified deposit; `tallystick deposit list` shows them."


class DuplicateClaimError(TallystickError):
    """The same party already has an open claim on this condition and deposit."""

    code = "duplicate-claim"
    why = "One open claim for each party, condition and deposit; a second would only split the approvals."
    advice = "Follow the claim in the facts, or withdraw it first."


class NotDueError(TallystickError):
    """The engine tried to record what is not so; nothing was changed."""

    code = "not-due"
    why = "Windows end, quorums are reached and claims lapse only when the recorded facts say so."
    advice = (
        "This is a defect or an attack on the engine: keep the ledger, and tell whoever runs the deployment."
    )
