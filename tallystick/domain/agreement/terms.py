"""An agreement with its digest: what a claim pins, and what every statement under it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.ids import AgreementId, DeploymentId, Digest, PersonId


class HeaderMembers(TypedDict):
    """The members that every statement under an agreement has."""

    deployment: DeploymentId
    agreement: AgreementId
    agreement_digest: Digest
    person: PersonId
    issued_at: datetime
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """An agreement as a claim pins it: its content and its digest.

    Attributes:
        agreement: Its content, with the calendars of `later` versions that do nothing but lengthen them.
        later: The known versions that followed it, by digest, each signed by all parties to the version
            before it. They change no rule of the claim, but their quorum may also revoke a stolen key.
    """

    agreement: Agreement
    digest: Digest
    later: Mapping[Digest, Agreement] = field(default_factory=dict[Digest, Agreement], hash=False)

    def header(self, person: PersonId, at: datetime, nonce: str) -> HeaderMembers:
        """Return what a statement by `person` at `at` begins with.

        Args:
            nonce: 32 hexadecimal digits: someone who says the same thing twice makes two statements.
        """
        return HeaderMembers(
            deployment=self.agreement.deployment,
            agreement=self.agreement.id,
            agreement_digest=self.digest,
            person=person,
            issued_at=at,
            nonce=nonce,
        )
