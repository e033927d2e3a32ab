"""Acts: what a person states about one claim, as against what the engine states or what founds a claim."""

from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements import BY_ENGINE, OnClaim, Signed


def check_is_act(signed: Signed) -> None:
    """Refuse what is no person's statement about a claim.

    Raises:
        MisdirectedError: A filing, a deposit, a revocation …, or a statement of the engine's.
    """
    if not isinstance(signed.body, OnClaim) or signed.kind in BY_ENGINE:
        raise MisdirectedError("not a person's statement about a claim", kind=signed.kind.value)
