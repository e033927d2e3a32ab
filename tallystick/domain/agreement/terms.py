"""An agreement with its digest: what a claim pins."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.ids import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """An agreement as a claim pins it: its content and its digest.

    Attributes:
        later: The versions that followed it, by digest, as far as they are known; each signed by all
            parties to the one before it. They change no rule of the claim's, but their quorum, too, may
            say that a key was stolen.
    """

    agreement: Agreement
    digest: Digest
    later: Mapping[Digest, Agreement] = field(default_factory=dict[Digest, Agreement], hash=False)
