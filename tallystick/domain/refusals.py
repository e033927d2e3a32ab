"""Why a statement is not recorded: one class per reason, each with what to do about it."""

from tallystick.domain.errors import TallystickError


class MisdirectedError(TallystickError):
    """The statement is about something other than what it was sent to."""

    code = "misdirected"
    why = (
        "A statement names its deployment, agreement, agreement digest and claim, and counts only for those."
    )
    advice = "Draft the statement again for the claim that you mean, and sign the new draft."


class NotYoursError(TallystickError):
    """The statement was not signed by the person it names, or by anyone who may make it."""

    code = "not-authorised-to-state"
    why = (
        "Only persons whom the agreement names may make this statement, and they sign it with their own keys."
    )
    advice = "Ask a person whom the agreement names (the facts list them) to sign it."


class SelfServingError(TallystickError):
    """The claimant, or someone of the claimant's party, tries to help the claim along."""

    code = "self-serving"
    why = "Claimants never count for their own claim, nor does their party if the agreement excludes it."
    advice = "Ask a person of another party whom the stage's quorum names."


class KeyRevokedError(TallystickError):
    """The signing key was revoked."""

    code = "key-revoked"
    why = "A revoked key can sign nothing more, and what it signed no longer counts for undecided stages."
    advice = "Use a key that the agreement lists and that was not revoked."


class BadTimingError(TallystickError):
    """The statement's own times do not fit."""

    code = "bad-timing"
    why = "`issued_at` lies in the past year, or at most five minutes ahead; `expires_at` lies in the future."
    advice = "Correct the clock of the signing machine, draft the statement again, and sign the new draft."


class SupersededError(TallystickError):
    """A claim under a version of an agreement that a newer one has replaced."""

    code = "agreement-superseded"
    why = "A claim names the version that is in force when it is filed, and keeps it as long as it runs."
    advice = "Read the version in force, draft the claim again under its digest, and sign the new draft."


class UnknownStageError(TallystickError):
    """The claim does not ask for this stage."""

    code = "unknown-stage"
    why = "A statement about stages must name stages that the claim asks for."
    advice = "Name stages of the claim; the facts list them."


class DenialStandsError(TallystickError):
    """The person has denied what they now approve."""

    code = "denial-stands"
    why = "A person who has denied a claim or a stage cannot approve it until they retract the denial."
    advice = "Retract the denial that the facts name (`tallystick retract`), then approve."


class AlreadyStatedError(TallystickError):
    """The same person has already said this, and it still counts."""

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
    why = "A party cannot contest again what an arbitrator or an order has settled."
    advice = "Bring new facts before the arbitrator whom the agreement names, or ask for a hold."


class NothingDueError(TallystickError):
    """Someone certifies a return that nobody owes."""

    code = "nothing-due"
    why = "A return falls due when a release is ordered back, or when a claim with provisional access ends."
    advice = "Nothing to do; read the claim to see its state."


class NothingToRetractError(TallystickError):
    """The person made no such statement, or it no longer counts."""

    code = "nothing-to-retract"
    why = "You can retract your own approval, denial or objection only while it still counts."
    advice = "Name the statement by its digest, as the claim's timeline shows it."


class NothingToLiftError(TallystickError):
    """The hold that should be lifted is not open."""

    code = "nothing-to-lift"
    why = "A hold can be lifted only once, and this one is not open."
    advice = "Name one of the holds that the facts list; if they list none, no hold is open."


class UnknownGroundError(TallystickError):
    """The agreement does not have this ground for an objection."""

    code = "unknown-ground"
    why = "An objection needs one of the agreement's grounds, and an explanation."
    advice = "Choose one of the grounds in the facts, and explain in a sentence why it applies."


class ConditionNotMetError(TallystickError):
    """The claim's evidence does not make its release condition true."""

    code = "condition-not-met"
    why = "A claim needs the documents that its condition asks for, none too old, and no counter-evidence."
    advice = "Add the documents that are missing and replace those that are too old; the facts name them."


class DocumentsUnclearError(TallystickError):
    """A statement names its documents so that nobody could say which of them is meant."""

    code = "documents-unclear"
    why = "A statement brings at most `limit` documents, and each has a name of its own."
    advice = "Name each document, leave some out, or bring them with another statement."


class DocumentsMissingError(ConditionNotMetError):
    """A claim names evidence documents that its party has not sent, or that no store has."""

    code = "documents-missing"
    why = "A claim is taken only while the stores have every document that it names, sent by its own party."
    advice = (
        "Upload what `missing` names with the purpose `evidence`, then send the same claim again; "
        "`tallystick claim file` does both."
    )


class DocumentsSealedOtherwiseError(ConditionNotMetError):
    """A claim names evidence documents that are not sealed as the agreement says."""

    code = "documents-sealed-otherwise"
    why = (
        "Each document has to be one age file, sealed to every person in `evidence_readers` and nobody else."
    )
    advice = (
        "Seal what `documents` names to the recipients of all `readers`, upload it, and file a "
        "claim that names the new digests; `tallystick claim file` does all of that."
    )


class FilingIncompleteError(TallystickError):
    """A claim that says too little or too much for whom it is filed."""

    code = "filing-incomplete"
    why = (
        "A claim has its party's declaration and receivers. One that the escrow agent files `for` a "
        "beneficiary has neither: that beneficiary states both when it confirms the claim."
    )
    advice = "Correct the claim's form as the message says, and file it again."


class ConfirmationAwaitedError(TallystickError):
    """A claim that its beneficiary has not confirmed yet."""

    code = "confirmation-awaited"
    why = "What the escrow agent files for a beneficiary goes no further before that beneficiary confirms it."
    advice = "Ask a person in the facts to read the claim and run `tallystick claim confirm`."


class ConfirmationLateError(TallystickError):
    """A confirmation that comes after the agreement's time for it."""

    code = "confirmation-late"
    why = "The agreement says how long a claim that was filed for a beneficiary waits for its confirmation."
    advice = "File the claim anew, if it is still wanted."


class ReceiversRefusedError(TallystickError):
    """A claim cannot be sealed to those who are named."""

    code = "receivers-refused"
    why = (
        "A claim is sealed to persons of its beneficiary whom the agreement lets receive, each once, each "
        "with the post-quantum recipient that the agreement lists."
    )
    advice = "Name persons whom the facts list, draft the statement again, and sign the new draft."


class RulingIncompleteError(TallystickError):
    """A ruling without the papers that make it final."""

    code = "ruling-incomplete"
    why = "A court order counts only with its finality certificate; an arbitral ruling needs the award."
    advice = "Attach the papers that the facts name."


class PapersMissingError(RulingIncompleteError):
    """A statement that helps a release names papers that no store has from its author's party."""

    code = "papers-missing"
    why = "Such a statement is taken only while the stores have its papers, for its readers to open."
    advice = (
        "Upload what `missing` names with the purpose `evidence`, then send the same statement again; "
        "`tallystick rule` and `tallystick prove-service` do both."
    )


class ServiceDayError(TallystickError):
    """A day on which notice of the claim cannot have been served."""

    code = "service-day"
    why = "Notice is served after the escrow agent has accepted the claim, and proven once it was served."
    advice = "Write the day that the paper names; the facts give the first and the last one possible."


class LeaveNotOpenError(TallystickError):
    """A ruling that notice was given, where the agreement does not leave that to an arbitrator now."""

    code = "leave-not-open"
    why = (
        "An arbitrator may rule that notice was given only where the agreement says so, after the time that "
        "it gives for proof of notice, and while notice is not proven."
    )
    advice = "Wait for that time (`tallystick claim deadlines`), or prove notice in another way."


class RulingTakenError(TallystickError):
    """The other of two quorums has ruled on this dispute already."""

    code = "ruling-taken"
    why = "Once the time of the arbitrators is over, their substitutes may rule too; the first ruling counts."
    advice = "Read the ruling that is on record; nothing more is needed from you on this dispute."


class QuotaExceededError(TallystickError):
    """Someone has sent all that they may about one claim, or filed all the claims that they may."""

    code = "quota-exceeded"
    why = "Each person's statements and each party's claims are limited, so that nobody can crowd others out."
    advice = (
        "You have reached the limit that the facts name: ask another person who may act to do it instead."
    )


class DepositNotClaimableError(TallystickError):
    """The deposit cannot serve this claim."""

    code = "deposit-not-claimable"
    why = "A claim names one verified deposit, which contains every component of the stages it asks for."
    advice = "Run `tallystick deposit list AGREEMENT`, and name a verified deposit with those components."


class DuplicateClaimError(TallystickError):
    """The same party already has an open claim on this condition and deposit."""

    code = "duplicate-claim"
    why = "A party has one open claim per condition and deposit; a second would only split the approvals."
    advice = "Continue with the claim that the facts name, or withdraw it first."


class NotDueError(TallystickError):
    """The engine tried to record something that is not true; nothing was changed."""

    code = "not-due"
    why = "Windows end, quorums are reached and claims lapse only when the recorded facts say so."
    advice = (
        "This is a defect, or an attack on the engine. Keep the ledger, and tell the deployment's operator."
    )
