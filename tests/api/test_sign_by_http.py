"""The program in docs/sign-by-http.md signs an act over HTTP, with public libraries only."""

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tallystick.crypto.keyfile import write_key_file
from tallystick.domain.ids import claim_id
from tallystick.domain.statements.acts import Intake
from tests.support.docs import ROOT
from tests.support.sites.served import served
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ANA, CRITICAL, KIM
from tests.support.worlds.deliveries import keys_of

PAGE: Final = (ROOT / "docs" / "sign-by-http.md").read_text(encoding="utf-8")
PROGRAM: Final = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0]
OTHER_CLAIM: Final = "clm-" + 16 * "a"


@dataclass(frozen=True, kw_only=True)
class Ran:
    code: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class ShowsAnother:
    """A server that answers for a claim with another one."""

    app: ASGIApp
    shown: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = {**scope, "path": scope["path"].replace(OTHER_CLAIM, self.shown)}
        await self.app(asked, receive, send)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody who has copied the program from the page, into a folder with their key."""

    folder: Path
    service: Service

    async def runs(self, app: ASGIApp, claim: str, *, types: str = "y\n") -> Ran:
        async with served(app) as port:
            program = await asyncio.create_subprocess_exec(
                *(sys.executable, "sign.py", "kim.key", f"http://127.0.0.1:{port}", "test", claim),
                *("approval", f"stage={CRITICAL}", "reason=It is in the register."),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.folder,
                env={"PYTHONPATH": str(self.folder)},
            )
            out, err = await asyncio.wait_for(program.communicate(types.encode()), 60)
        assert program.returncode is not None
        return Ran(code=program.returncode, out=out.decode(), err=err.decode())

    async def approvals(self) -> list[str]:
        answer = await self.service.get(f"/claims/{self.service.world.claim}/timeline")
        return [entry["says"]["reason"] for entry in answer.json()["entries"] if entry["kind"] == "approval"]


@pytest.fixture
async def reader(claimed: Service, tmp_path: Path) -> Reader:
    taken_in = await claimed.says("intakes", Intake, ANA, accepted=True)
    assert taken_in.status_code == 201, taken_in.text
    folder = tmp_path / "kim"
    folder.mkdir()
    (folder / "sign.py").write_text(PROGRAM)
    write_key_file(folder / "kim.key", keys_of(KIM))
    # The moment at which the world of these tests stands still.
    (folder / "sitecustomize.py").write_text(
        f"import time; time.time = lambda: {claimed.clock.now.timestamp()}"
    )
    return Reader(folder=folder, service=claimed)


async def test_the_program_gets_an_approval_on_record(reader: Reader) -> None:
    assert reader.service.world.claim is not None
    ran = await reader.runs(reader.service.app, claim_id(reader.service.world.claim))
    assert ran.code == 0, ran.err
    assert await reader.approvals() == ["It is in the register."]


async def test_what_the_program_signs_was_shown_before(reader: Reader) -> None:
    assert reader.service.world.claim is not None
    ran = await reader.runs(reader.service.app, claim_id(reader.service.world.claim), types="n\n")
    assert ran.code == 1
    assert f'"stages": [\n    "{CRITICAL}"\n  ]' in ran.out
    assert "Nothing was signed." in ran.err
    assert await reader.approvals() == []


async def test_the_program_signs_nothing_about_another_claim(reader: Reader) -> None:
    assert reader.service.world.claim is not None
    lying = ShowsAnother(app=reader.service.app, shown=claim_id(reader.service.world.claim))
    ran = await reader.runs(lying, OTHER_CLAIM)
    assert ran.code == 1
    assert "another claim" in ran.err
    assert await reader.approvals() == []


def test_the_program_needs_thirty_lines_and_nothing_of_ours() -> None:
    assert len([line for line in PROGRAM.splitlines() if line.strip()]) <= 30
    assert not re.search(r"^\s*(import|from) .*\btallystick\b", PROGRAM, re.MULTILINE)
