"""The table of what is played has each finding of the plays once, with its severity."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PLAYS: Final = ROOT / "tallystick" / "domain" / "soundness" / "simulation"


def test_every_finding_of_a_play_is_in_the_table() -> None:
    text = (ROOT / "docs" / "agreement-checks.md").read_text(encoding="utf-8")
    told = re.findall(r"^\|.*\| `([a-z-]+)` \| (error|warning) \|$", text, re.MULTILINE)
    sources = "".join(module.read_text(encoding="utf-8") for module in PLAYS.glob("*.py"))
    found = [(code, word) for word, code in re.findall(r"\b(error|warning)\(\s*\"([a-z-]+)\"", sources)]
    assert sorted(told) == sorted(found)
