"""How the processes of a site are started: each with what it may do, and no more."""

from pathlib import Path

from tallystick.settings import read_settings
from tallystick.site import prepare, settings_of
from tallystick.stack.processes import processes


def test_only_the_worker_of_a_site_writes_both_stores(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    settings = settings_of(site, api_port=1, temporal_port=2)
    writes = {
        process.name: [
            one.path.name for one in read_settings(process.environment).blob_locations if one.writable
        ]
        for process in processes(site, settings)
        if process.name != "temporal"
    }
    north, south = (location.path.name for location in settings.blob_locations)
    assert writes == {"worker": [north, south], "gate": [south], "api": [north]}
