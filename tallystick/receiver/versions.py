"""The beneficiary's folder: versions that were opened, and which of them is active.

    versions/critical-3f2a…-91c0…/licence-keys/data/…     one folder for each stage of a claim
    stages/critical/current -> ../../versions/critical-…  switched by one rename

A stage id begins with a letter or digit and has no slash, so none leads out of the folder.
"""

from pathlib import Path
from typing import Final

from tallystick.domain.ids import Digest, StageId, digits_of
from tallystick.durable import make_private
from tallystick.receiver.fence import Fence

_SHORT: Final = 16  # hexadecimal digits of a digest in a name; the content of the folder was verified


def version_name(stage: StageId, *, claim: Digest, deposit: Digest) -> str:
    """Return the name of the folder in which a claim's stage is opened."""
    shorts = (digits_of(digest)[:_SHORT] for digest in (deposit, claim))
    return "-".join((stage, *shorts))


class Versions:
    """The versions in one folder; changes them as long as `fence` allows it."""

    def __init__(self, folder: Path, fence: Fence) -> None:
        """Work in `folder`, which is made private."""
        self._folder, self._fence = make_private(folder), fence
        make_private(folder / "versions")
        make_private(folder / "stages")

    def path(self, version: str) -> Path:
        """Return the folder of a version, which may not exist."""
        return self._folder / "versions" / version

    def active(self, stage: StageId) -> str | None:
        """Return the name of the version that is active for `stage`, or None."""
        try:
            return self._link(stage).readlink().name
        except FileNotFoundError:
            return None

    def adopt(self, opened: Path, version: str) -> None:
        """Rename the folder `opened`, on the same file system, to a version.

        Raises:
            ReceiverOvertakenError: A later receiver has begun.
        """
        self.remove(version)  # left by a run that was cut short: it was not recorded, so it was never active
        self._fence.move(opened, self.path(version))

    def switch(self, stage: StageId, version: str | None) -> None:
        """Make `version` the active one, or none active, in one step that readers see whole or not at all.

        Raises:
            ReceiverOvertakenError: A later receiver has begun.
        """
        link = self._link(stage)
        make_private(link.parent)
        if version is None:
            self._fence.remove(link)
        else:
            self._fence.link(link, Path("..", "..", "versions", version))

    def remove(self, version: str) -> None:
        """Delete a version that is not active.

        Raises:
            ReceiverOvertakenError: A later receiver has begun.
        """
        self._fence.remove(self.path(version))

    def _link(self, stage: StageId) -> Path:
        return self._folder / "stages" / stage / "current"
