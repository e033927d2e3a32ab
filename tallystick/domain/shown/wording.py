"""How sentences about an agreement say numbers, lists, periods and quorums: one way for each."""

import hashlib
from collections.abc import Sequence
from typing import Final

from tallystick.domain.periods import Period
from tallystick.domain.quorum import Group, Quorum
from tallystick.domain.quoting import quoted

_TWO: Final = 2


def joined(names: Sequence[str], word: str) -> str:
    """Return names as a sentence lists them: `a, b and c`."""
    *first, last = names or ("nobody",)
    return f"{', '.join(first)} {word} {last}" if first else last


def listed(texts: Sequence[str]) -> str:
    """Return texts that others wrote, each quoted."""
    return ", ".join(map(quoted, texts))


def every(period: Period) -> str:
    """Return how often something happens: `every 7 days`, `every day`."""
    return f"every {period.words.removeprefix('1 ')}"


def sealed_to(recipient: str) -> str:
    """Return the SHA-256 of an age recipient, which is too long to compare letter by letter."""
    return f"the recipient whose SHA-256 is {hashlib.sha256(recipient.encode()).hexdigest()}"


def all_of(count: int) -> str:
    """Return that each of so many is needed."""
    return "both of these" if count == _TWO else f"all of these {count}"


def any_of(count: int) -> str:
    """Return that one of so many suffices."""
    return "either of these" if count == _TWO else f"any one of these {count}"


def quorum_words(quorum: Quorum) -> str:
    """Return who must agree, so that it reads in one way only: what belongs together stands in brackets."""
    return _group_words(quorum.root)


def _group_words(group: Group) -> str:
    members = [_group_words(one) if isinstance(one, Group) else one for one in group.members]
    count = len(members)
    if count == 1:
        return members[0]
    nested = any(isinstance(one, Group) for one in group.members)
    if group.threshold in {1, count} and not nested:
        return joined(members, "or" if group.threshold == 1 else "and")
    return f"{_how_many(group.threshold, count)}: [{'; '.join(members)}]"


def _how_many(threshold: int, count: int) -> str:
    if threshold == count:
        return all_of(count)
    return any_of(count) if threshold == 1 else f"at least {threshold} of these {count}"
