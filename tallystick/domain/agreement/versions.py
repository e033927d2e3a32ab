"""The versions of an agreement: which may follow which, and which one was in force when."""

from collections.abc import Collection, Iterable
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import PublicKey
from tallystick.domain.refusals import BadTimingError, NotYoursError, SupersededError


def check_predecessors(previous: Agreement, signers: Collection[PublicKey]) -> None:
    """Refuse a version without the parties of `previous`: nobody is dropped from an agreement by others.

    Raises:
        NotYoursError: A party to the previous version has not signed.
    """
    signed = {person.party for person in previous.persons if person.signing_key in signers}
    if missing := sorted(party.id for party in previous.parties if party.id not in signed):
        raise NotYoursError("not signed by every party to the previous version", missing=list(missing))


def check_in_force(agreement: Agreement, later: Iterable[Agreement], *, at: datetime) -> None:
    """Refuse a claim under any version but the one in force: nobody picks the rules that suit them best.

    Args:
        later: The versions after `agreement` that were registered when the claim was filed.
        at: When it was filed.

    Raises:
        BadTimingError: The version was not yet in force.
        SupersededError: A newer version was in force.
    """
    if at < agreement.effective_from:
        raise BadTimingError("not in force yet", effective_from=instant_text(agreement.effective_from))
    for newer in later:
        if newer.effective_from <= at:
            raise SupersededError(
                "a newer version is in force",
                version=newer.version,
                effective_from=instant_text(newer.effective_from),
            )
