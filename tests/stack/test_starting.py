"""A process that cannot start ends with a line of its log that says why, and what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

API = ("uvicorn", "api.app:create_app", "--factory", "--port", "0")
PROCESSES = {"worker": ("workflows.worker",), "gate": ("workflows.worker", "--gate"), "api": API}


NONSENSE = {"nonsense:canary": "bad-setting", "postgresql://u:canary@127.0.0.1:port/x": "database-setup"}


@pytest.mark.parametrize("url", NONSENSE)
@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_whose_database_url_is_nonsense_ends_with_a_sentence(
    process: str, url: str, tmp_path: Path
) -> None:
    settings = {
        "TALLYSTICK_DATA": str(tmp_path),
        "TALLYSTICK_DEPLOYMENT": "harbour",
        "TALLYSTICK_DATABASE_URL": url,
    }
    ran = subprocess.run(
        [sys.executable, "-m", *PROCESSES[process]],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 1
    said = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [(line["event"], line["code"]) for line in said] == [("could not start", NONSENSE[url])]
    assert "TALLYSTICK_DATABASE_URL" in ran.stderr
    assert "canary" not in ran.stderr
