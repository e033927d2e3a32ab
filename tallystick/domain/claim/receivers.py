"""To whom a claim is sealed: who may be named, who was named last, and to whom a stage was sealed."""

from collections.abc import Iterable

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import Digest, PartyId, PersonId, StageId, party_of
from tallystick.domain.refusals import ReceiversRefusedError
from tallystick.domain.statements.acts import Confirmation, ReceiversNamed
from tallystick.domain.statements.filing import Receiver
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Entry
from tallystick.limits.claims import RECEIVERS_MAX


def may_receive(agreement: Agreement, party: PartyId) -> tuple[PersonId, ...]:
    """Return the persons of a beneficiary to whom a claim may be sealed."""
    listed = tuple(one for one in agreement.authorities.receivers if party_of(one) == party)
    return listed or tuple(person.id for person in agreement.acting_for(party))


def by_default(agreement: Agreement, author: PersonId) -> tuple[PersonId, ...]:
    """Return whom a draft names: all of the author's party whom the agreement lists, else the author."""
    party = party_of(author)
    return tuple(one for one in agreement.authorities.receivers if party_of(one) == party) or (author,)


def as_receivers(agreement: Agreement, persons: Iterable[PersonId]) -> tuple[Receiver, ...]:
    """Return persons with the recipients that the agreement lists for them.

    Raises:
        NotInAgreementError: It does not have one of them.
    """
    return tuple(
        Receiver(person=person, recipient=agreement.person(person).age_recipient) for person in persons
    )


def check_receivers(agreement: Agreement, party: PartyId, named: tuple[Receiver, ...]) -> None:
    """Refuse to seal a claim of `party` to anybody but whom the agreement lets receive for it.

    Raises:
        ReceiversRefusedError: Nobody, too many, somebody twice, another party's, or another recipient.
    """
    fault = _fault(agreement, party, named)
    if fault is not None:
        raise ReceiversRefusedError(fault, limit=RECEIVERS_MAX, allowed=sorted(may_receive(agreement, party)))


def _fault(agreement: Agreement, party: PartyId, named: tuple[Receiver, ...]) -> str | None:
    persons = [one.person for one in named]
    if not 0 < len(persons) <= RECEIVERS_MAX or len(set(persons)) != len(persons):
        return f"name one to {RECEIVERS_MAX} receivers, each once"
    if others := sorted(set(persons) - set(may_receive(agreement, party))):
        return f"{others[0]} may not receive for {party}"
    for one in named:
        if one.recipient != agreement.person(one.person).age_recipient:
            return f"the agreement lists another recipient for {one.person}"
        if not one.recipient.startswith("age1pq1"):
            return f"the recipient of {one.person} is not post-quantum"
    return None


def naming(claim: Claim, stage: StageId | None = None) -> tuple[Entry, tuple[Receiver, ...]]:
    """Return the statement that says to whom `stage` is sealed, and whom it names.

    The latest one counts; of a stage that is decided, the latest before its decision. So the decision itself
    changes nothing, and every approval of a long record can be compared with what was found once.
    """
    return claim.once(("naming", stage), lambda: _naming(claim, stage))


def _naming(claim: Claim, stage: StageId | None) -> tuple[Entry, tuple[Receiver, ...]]:
    before = _decided_at(claim, stage)
    later = [(e, body.receivers) for e, body in claim.entries_of(ReceiversNamed) if e.index < before]
    if later:
        return later[-1]
    confirmed = [(e, body.receivers) for e, body in claim.entries_of(Confirmation) if e.index < before]
    if confirmed:
        return confirmed[-1]
    return claim.entries[0], claim.filing.receivers


def named_anew_by(claim: Claim, stage: StageId | None = None) -> Digest | None:
    """Return the statement that replaced the receivers of `stage`, which approvals of it name, or None."""
    entry, _ = naming(claim, stage)
    return entry.signed.id if isinstance(entry.signed.body, ReceiversNamed) else None


def receivers_of(agreement: Agreement, claim: Claim, stage: StageId | None = None) -> tuple[Receiver, ...]:
    """Return to whom `stage` is sealed, or what is decided next: those named whose keys are not revoked."""
    before = _decided_at(claim, stage)
    gone = {body.key for entry, body in claim.entries_of(KeyRevocation) if entry.index < before}
    _, named = naming(claim, stage)
    return tuple(one for one in named if agreement.person(one.person).signing_key not in gone)


def _decided_at(claim: Claim, stage: StageId | None) -> float:
    decision = None if stage is None else claim.progress(stage).decision
    entry = None if decision is None else claim.entry_of(decision)
    return float("inf") if entry is None else entry.index
