"""A receiver as the beneficiary sets it up, and what a user of its folder then sees."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tallystick.receiver.commands import Commands
from tallystick.receiver.receiver import receive
from tallystick.receiver.setting import Pass, Reported, Setting
from tests.support.worlds.agreements import ACTIVATION_RULES, BEA, CRITICAL, DOCS, LICENCE_KEYS, PROVISIONAL
from tests.support.worlds.deliveries import CONTENT, keys_of
from tests.support.worlds.escrows import FolderEscrow

FAILS: Final = ("sh", "-c", "echo secret; exit 3")
PASSES: Final = ("sh", "-c", "test -d .")
LOOKS_MAX: Final = 8
ALL: Final = {
    f"{stage}/{component}/data/{path}": content
    for stage, components in ((PROVISIONAL, (DOCS,)), (CRITICAL, (LICENCE_KEYS, ACTIVATION_RULES)))
    for component in components
    for path, content in CONTENT[component].items()
}


def setting(escrow: FolderEscrow, into: Path, **changes: object) -> Setting:
    """A receiver of Bea's whose commands pass, at the escrow's time."""
    plain = Setting(
        escrow=escrow,
        keys=keys_of(BEA),
        into=into,
        commands=Commands(activate=PASSES, health=PASSES),
        trust=lambda _agreement, _found: None,
        now=lambda: escrow.now,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def receive_all(work: Setting, claim: str) -> list[Reported]:
    """Look until there is nothing to do, and return all that was reported."""
    reported: list[Reported] = []
    for _ in range(LOOKS_MAX):
        done: Pass = receive(work, claim)
        if not done.reported:
            return reported
        reported += done.reported
    raise AssertionError("the receiver never comes to rest")


def active(into: Path) -> Mapping[str, str]:
    """What a user of the folder sees: each active stage's files, with what is in them."""
    found: dict[str, str] = {}
    for link in sorted(into.glob("stages/*/current")):
        for file in sorted(path for path in link.resolve().rglob("*") if path.is_file()):
            found[f"{link.parent.name}/{file.relative_to(link.resolve())}"] = file.read_text()
    return found


def payloads(into: Path) -> Mapping[str, bytes]:
    """The payload files among them."""
    return {name: text.encode() for name, text in active(into).items() if "/data/" in name}


def killed_at(step: str, work: Setting, claim: str) -> bool:
    """Run a receiver in a child process that dies without a word when it has reached `step`."""
    child = os.fork()
    if child == 0:  # pragma: no cover - ends here, without any clean-up

        def reached(found: str) -> None:
            if found == step:
                os._exit(9)

        try:
            receive(replace(work, reached=reached), claim)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
