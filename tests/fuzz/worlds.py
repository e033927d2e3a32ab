"""What the seeds are taken from: one claim that was decided, with its evidence, and one delivery."""

import json
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

from tallystick.domain.json import JsonObject
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tests.support.worlds.agreements import LOG_KEY
from tests.support.worlds.deliveries import Release
from tests.support.worlds.escrows import FolderEscrow
from tests.support.worlds.gate_worlds import READY, ROOT_KEYS
from tests.support.worlds.prepared_worlds import ready_world


@cache
def evidence() -> bytes:
    """Return the evidence file of a claim with one stage released."""
    with tempfile.TemporaryDirectory() as folder:
        world = ready_world(Path(folder) / "world")
        at = READY + timedelta(hours=8)
        world.settle(at)
        world.decide(world.gate(at=at))
        with transaction(world.database) as session:
            return export(session, world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=at)


@cache
def delivery() -> bytes:
    """Return the answer that a claim's receiver gets when two stages are decided."""
    with tempfile.TemporaryDirectory() as folder:
        release = Release(scratch=Path(folder))
        document: JsonObject = FolderEscrow(Path(folder) / "escrow", release).delivery(release.claim)
        return json.dumps(document).encode()
