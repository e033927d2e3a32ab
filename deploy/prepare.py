# ruff: noqa: INP001 - a program of its own, copied into the image
"""Make a site's keys so that each process can read only its own. Run it once, as root, before all else.

    python prepare.py ROOT DEPLOYMENT

ROOT/deployment.json is public and for the API. ROOT/keys/ belongs to the worker, ROOT/gate/ to the gate; each
folder may be a volume of its own. Running it again is harmless: it keeps keys that exist.
"""

import os
import sys
from pathlib import Path

from tallystick.placeholders import is_example
from tallystick.site import prepare

GROUP = 10000
WORKER, GATE, API = 10001, 10002, 10003
SHARED = ("blobs-north", "blobs-south")  # the worker writes both, API and gate one each
_KEPT = -1  # leaves an owner or a group as it is (chown(2))
OWNERS = {"keys": WORKER, "outbox": WORKER, "gate": GATE, "uploads": API}


def main(root: Path, deployment: str) -> None:
    """Make the keys and the folders below `root`, and give each to its owner; follow no link."""
    for name in ("", *OWNERS, *SHARED):
        _refuse_link(root / name)
    if is_example(deployment):
        raise SystemExit(f"{deployment} stands in an example: choose a name of your own")
    site = prepare(root, deployment=deployment)
    for name in (*OWNERS, *SHARED):
        (root / name).mkdir(exist_ok=True)
    for name, owner in OWNERS.items():
        _give(root / name, owner)
        for folder, folders, files in os.walk(root / name):  # which enters no link
            for entry in (*folders, *files):
                os.chown(Path(folder) / entry, owner, GROUP, follow_symlinks=False)
    for name in SHARED:
        _give(root / name, 0, mode=0o2770)  # what is made in it belongs to the group as well
    _give(root, _KEPT, mode=0o755, group=_KEPT)
    _give(site.public_file, _KEPT, mode=0o644, group=_KEPT)


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise SystemExit(f"{path} is a link: name the folder itself")


def _give(path: Path, owner: int, *, mode: int = 0o700, group: int = GROUP) -> None:
    """Give away the very file or folder that was opened; a link in its place is an error."""
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.fchown(opened, owner, group)
        os.fchmod(opened, mode)
    finally:
        os.close(opened)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
