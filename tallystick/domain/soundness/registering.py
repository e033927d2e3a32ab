"""What makes a version of an agreement registrable in a deployment."""

from collections.abc import Collection
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import Deployment, root_fault
from tallystick.domain.agreement.versions import check_predecessors, only_lengthens_calendars
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PublicKey
from tallystick.domain.refusals import KeyRevokedError, MisdirectedError, NotYoursError
from tallystick.domain.soundness.check import examine, refuse_unsound


class OtherEngineError(TallystickError):
    """An agreement that pins another deployment's keys."""

    code = "other-engine"
    why = "An agreement must pin the keys of the deployment that carries its claims."
    advice = "Copy `log_key`, `decision_key` and `gate_recipient` from `GET /v1/deployment`, and sign again."


def check_registration(
    deployment: Deployment,
    agreement: Agreement,
    signers: Collection[PublicKey],
    *,
    previous: Agreement | None,
    revoked: Collection[PublicKey] = (),
) -> None:
    """Refuse a version that is not for this deployment, or that not every party has agreed to.

    Whether claims under it could end well is asked by `check_soundness`, which takes long.

    Args:
        deployment: The one that would register it.
        signers: The keys that signed it, already verified: at least one of every party.
        previous: The version that is registered now, if any; its parties must have signed too.
        revoked: The keys that were revoked under this agreement.

    Raises:
        TallystickError: A subclass says which rule refuses it.
    """
    if agreement.deployment != deployment.id:
        raise MisdirectedError(
            "the agreement names another deployment", expected=deployment.id, given=agreement.deployment
        )
    if agreement.engine != deployment.engine:
        raise OtherEngineError(
            "the agreement pins other engine keys", expected_log_key=deployment.engine.log_key
        )
    if gone := sorted(set(signers) & set(revoked)):
        raise KeyRevokedError("the agreement is signed with a revoked key", key=gone[0])
    if gone := sorted({person.signing_key for person in agreement.persons} & set(revoked)):
        raise KeyRevokedError("the agreement lists a revoked key", key=gone[0])
    if (fault := root_fault(signers, deployment.root_keys)) is not None:
        raise NotYoursError(fault, allowed=[])
    if previous is not None:
        check_predecessors(previous, signers)


def check_soundness(agreement: Agreement, *, at: datetime, previous: Agreement | None) -> None:
    """Refuse a version under which a claim that is filed at `at` could not end well: claims are played.

    It follows from the documents alone and may take a second, so nobody calls it while others wait to write.

    Raises:
        UnsoundAgreementError: It has errors; the facts list them.
    """
    lengthened = previous is not None and only_lengthens_calendars(previous, agreement)
    # What only lets running claims go on is not refused for what their version has as well.
    known = examine(previous, at=at) if previous is not None and lengthened else ()
    refuse_unsound(agreement, at=at, known=known)
