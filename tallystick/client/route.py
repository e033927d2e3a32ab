"""The path of every request, built from its parts in one place, so that no name leads elsewhere."""

import re
from typing import Final

from tallystick.domain.errors import MalformedNameError
from tallystick.limits.documents import PERSON_ID_LENGTH_MAX

_PART: Final = re.compile(rf"[a-z0-9][a-z0-9.:@-]{{0,{PERSON_ID_LENGTH_MAX - 1}}}")
"""Every id, digest and word in the paths of the API; none of its characters means anything to RFC 3986."""


def route(*parts: str | int) -> str:
    """Return the path of the API that `parts` name: `route("claims", "clm-…")` is `/v1/claims/clm-…`.

    Raises:
        MalformedNameError: A part is no name, number or digest, so nothing on any server has this name.
    """
    return "/".join(["/v1", *(_part(str(part)) for part in parts)])


def _part(text: str) -> str:
    if _PART.fullmatch(text) is None:
        raise MalformedNameError(
            f"{text[:80]!a} is no name, number or digest", given=text[:80], form=_PART.pattern
        )
    return text
