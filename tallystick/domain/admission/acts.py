"""Acts: what a person states about one claim, as against what the engine states or what founds a claim."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.ids import PersonId
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.header import OnClaim
from tallystick.domain.statements.signed import BY_ENGINE, Body, Signed

Rule = Callable[[Agreement, Claim, Any, frozenset[PersonId], datetime], EventType]
"""Says as what event a body by these persons may be recorded at a moment, or refuses it.

The third is the body; it is `Any` because each rule takes its own kind, and a table by kind joins them.
"""


def check_is_act(signed: Signed[Body]) -> None:
    """Refuse what is no person's statement about a claim.

    Raises:
        MisdirectedError: A filing, a deposit, a revocation …, or a statement of the engine's.
    """
    if not isinstance(signed.body, OnClaim) or signed.kind in BY_ENGINE:
        raise MisdirectedError("not a person's statement about a claim", kind=signed.kind.value)
