"""What a fuzzer is given: a parser of bytes that others wrote, and a judge of what it accepts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

SIZE_BYTES_MAX: Final = 64 * 1024
"""Mutations grow no longer, unless a target says so: what a parser bounds, its own tests hold."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One parser under attack.

    Attributes:
        judge: Returns whether the parser accepts these bytes. It raises `AssertionError` if the parser takes
            what its strict twin refuses or reads otherwise. Any other exception is a crash of the parser.
        seeds: Inputs to begin with; at least one of them is accepted.
    """

    name: str
    judge: Callable[[bytes], bool]
    seeds: Callable[[], Iterable[bytes]]
    size_bytes_max: int = SIZE_BYTES_MAX
