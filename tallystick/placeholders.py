"""What stands in examples, and so belongs to nobody, or is known to everybody."""

import re
from typing import Final

_PASSWORD: Final = re.compile(
    r"(change.?(me|this)|example|password|placeholder|secret|todo).*", re.IGNORECASE
)
_NAME: Final = re.compile(
    r"(.*\.)?(example\.(com|net|org)|(example|my)-(site|deployment|escrow)|(change-?me|placeholder)([.-].*)?)",
    re.IGNORECASE,
)


def is_known_password(password: str) -> bool:
    """Whether a password is one that examples have in its place, such as `change-me`."""
    return _PASSWORD.fullmatch(password) is not None


def is_example(name: str) -> bool:
    """Whether a host (RFC 2606 section 3) or a name is one that examples have in its place."""
    return _NAME.fullmatch(name) is not None
