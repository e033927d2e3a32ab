"""One fuzzing process: `python -m tests.fuzz.attack PROGRAM TARGET`, and then libFuzzer's own options.

Atheris counts the branches that an input reaches in `tallystick`, so our modules must be imported under it.
PROGRAM is what libFuzzer starts again when it merges inputs in a process of its own.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, cast

from tests.fuzz.target import Target

_atheris: Final[Any] = import_module("atheris")  # it has no types


def main() -> None:
    """Feed the target until libFuzzer's own limits end it, or until an input is a finding."""
    _, program, name, *told = sys.argv
    with _atheris.instrument_imports(include=["tallystick"]):
        targets = cast("Mapping[str, Target]", import_module("tests.fuzz.targets.together").BY_NAME)
    target = targets[name]

    def feed(data: bytes) -> None:
        target.judge(data)

    list(target.seeds())  # before the count begins: their world is made in this process, and remembered
    _atheris.Setup([program, f"-max_len={target.size_bytes_max}", *told], feed)
    _atheris.Fuzz()


if __name__ == "__main__":
    main()
