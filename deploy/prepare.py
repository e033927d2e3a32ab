# ruff: noqa: INP001 - a program of its own, copied into the image
"""Make a site's keys so that each process can read only its own. Run it once, as root, before all else.

    python prepare.py ROOT DEPLOYMENT

ROOT/deployment.json is public and for the API. ROOT/keys/ belongs to the worker, ROOT/gate/ to the gate; each
folder may be a volume of its own. Running it again is harmless: it keeps keys that exist.
"""

import os
import sys
from pathlib import Path

from tallystick.site import prepare

GROUP = 10000
WORKER, GATE, API = 10001, 10002, 10003
SHARED = ("blobs-north", "blobs-south")  # all three write them
OWNERS = {"keys": WORKER, "outbox": WORKER, "gate": GATE, "uploads": API}


def main(root: Path, deployment: str) -> None:
    """Make the keys and the folders below `root`, and give each to its owner."""
    site = prepare(root, deployment=deployment)
    for name in (*OWNERS, *SHARED):
        (root / name).mkdir(exist_ok=True)
    for name, owner in OWNERS.items():
        _give(root / name, owner)
        for path in (root / name).rglob("*"):
            os.chown(path, owner, GROUP)
    for name in SHARED:
        os.chown(root / name, 0, GROUP)
        (root / name).chmod(0o2770)  # what is made in it belongs to the group as well
    root.chmod(0o755)
    site.public_file.chmod(0o644)


def _give(folder: Path, owner: int) -> None:
    os.chown(folder, owner, GROUP)
    folder.chmod(0o700)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
