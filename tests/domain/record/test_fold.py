"""Folding a record takes memory for the record, not for what it was after each of its entries."""

import tracemalloc

from tallystick.domain.kinds import Happening, Kind
from tests.support.worlds.world import World

ENTRIES = 700
BYTES_MAX = 400_000


def test_a_fold_keeps_one_turn_at_a_time() -> None:
    world = World(engine_runs=False)
    world.files()
    for _ in range(ENTRIES):
        world.records(Kind.EVENT, happening=Happening.REPLICA_REPAIRED)
    entries = world.entries

    tracemalloc.start()
    claim = world.refolded()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert claim.entries == entries
    assert most < BYTES_MAX
