"""The npm packages that we are compared with are pinned by hash, from whichever registry there is."""

import json
from pathlib import Path
from typing import cast

HERE = Path(__file__).parent / "node"
LOCK = cast("dict[str, dict[str, dict[str, str]]]", json.loads((HERE / "package-lock.json").read_text()))
WANTED = cast("dict[str, dict[str, str]]", json.loads((HERE / "package.json").read_text()))


def test_every_package_is_pinned_by_hash_and_names_no_registry() -> None:
    packages = {path: facts for path, facts in LOCK["packages"].items() if path}
    assert all(facts["integrity"].startswith("sha512-") for facts in packages.values())
    assert not any("resolved" in facts for facts in packages.values())


def test_lock_has_the_very_releases_that_are_wanted() -> None:
    for name, version in WANTED["dependencies"].items():
        assert LOCK["packages"][f"node_modules/{name}"]["version"] == version
