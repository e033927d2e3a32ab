"""A whole site, as `tallystick up` starts it: killed piece by piece while a claim runs, stopped by Ctrl-C."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from temporalio.client import Client

from tallystick.cli.demo.narrator import AGREEMENT, DemonstrationFailedError, Narrator
from tallystick.client.bearer import bearer_token
from tallystick.converter import MESSAGE_CONVERTER
from tallystick.crypto.keyfile import read_key_file
from tallystick.desk.clock import now
from tallystick.domain.ids import Digest
from tallystick.messages import claim_workflow_id
from tallystick.stack.processes import free_port
from tests.support.docs import ROOT
from tests.support.waits import wait_for
from workflows.claim.release import ReleaseWorkflow

FILES = ROOT / "deploy" / "demo"
PEOPLE = (
    *("dora@nordwind", "dirk@nordwind", "bea@halden", "ben@halden"),
    *("ana@harbour", "abe@harbour", "kim@kestrel", "tom@marlowe"),
)
APPROVERS = ("ana@harbour", "kim@kestrel", "tom@marlowe")
QUICK = {
    "objection: PT20S": "objection: PT4S",
    "deemed_after: PT5S": "deemed_after: PT1S",
    "delay: PT5S": "delay: PT1S",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A running `tallystick up`, and the folder in which people type their commands."""

    process: subprocess.Popen[str]
    told: Path
    desk: Narrator

    def pid_of(self, name: str) -> int:
        """Return the process id of one of its children, as the system lists it."""
        patterns = {
            "temporal": "server start-dev",
            "worker": "workflows.worker$",
            "gate": "workflows.worker --gate$",
            "api": "api.app:create_app",
        }
        for pid, command in self.children().items():
            if re.search(patterns[name], command):
                return pid
        raise AssertionError(f"no {name} among {self.children()}")

    def temporal_address(self) -> str:
        """Return where its Temporal server listens, read from its command line."""
        command = self.children()[self.pid_of("temporal")]
        found = re.search(r" --port (\d+)", command)
        assert found is not None, command
        return f"127.0.0.1:{found[1]}"

    def children(self) -> Mapping[int, str]:
        """Return the command lines of the children that are alive."""
        found: dict[int, str] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
                if int(parent) == self.process.pid and state != "Z":
                    words = (stat.parent / "cmdline").read_text().split("\0")
                    found[int(stat.parent.name)] = " ".join(words).strip()
        return found


def make_keys(desk: Path) -> None:
    """Have each person make their keys, all by one program: each process of its own would import all anew."""
    lines = [["key", "new", person, "--out", "keys"] for person in PEOPLE]
    (desk / "lines.json").write_text(json.dumps(lines))
    program = [sys.executable, "-m", "tests.support.every_command", "lines.json", "2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(program, cwd=desk, env=env, capture_output=True, check=True)
    assert [json.loads(line)["code"] for line in run.stderr.splitlines()] == [0] * len(PEOPLE)


@contextmanager
def going_up(tmp_path: Path, *options: str) -> Generator[Up, None, None]:
    """Run `tallystick up` for the block, over folders in `tmp_path`, with windows of seconds."""
    desk = tmp_path / "desk"
    shutil.copytree(FILES, desk)
    agreement = (desk / "agreement.yaml").read_text()
    for slow, quick in QUICK.items():
        assert slow in agreement
        agreement = agreement.replace(slow, quick)
    (desk / "agreement.yaml").write_text(agreement)
    port, told = free_port(), tmp_path / "told.txt"
    people = Narrator(console=Console(quiet=True), desk=desk, api=f"http://127.0.0.1:{port}")
    make_keys(desk)
    command = [sys.executable, "-m", "tallystick.cli.main", "up", "--data", str(tmp_path / "site")]
    command += ["--api-port", str(port), "--root", "keys/ana@harbour.pub", *options]
    with told.open("w") as out:
        process = subprocess.Popen(command, cwd=desk, stdout=out, stderr=out, text=True)
    running = Up(process=process, told=told, desk=people)
    try:
        wait_for(lambda: "openapi.json" in told.read_text() or process.poll() is not None)
        assert process.poll() is None, told.read_text()
        shutil.copy(tmp_path / "site" / "deployment.json", desk / "deployment.json")
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


@pytest.fixture
def up(tmp_path: Path) -> Generator[Up, None, None]:
    with going_up(tmp_path) as running:
        yield running


def agree_and_deposit(desk: Narrator) -> None:
    document = "agreement.yaml"
    for person in ("dora@nordwind", "bea@halden", "kim@kestrel", "tom@marlowe", "ana@harbour"):
        desk.types(person, "agreement", "sign", document, "--out", "signed.json", "--yes")
        document = "signed.json"
    desk.types("ana@harbour", "agreement", "register", document)
    wait_for(lambda: len(desk.shows(f"/v1/agreements/{AGREEMENT}")["custody"]) == 4)
    desk.types("dora@nordwind", "deposit", "make", "deposit", "--agreement", AGREEMENT, "--yes")


def approves(desk: Narrator, person: str, claim: str) -> bool:
    """Try as a person would: repeat if the server does not answer or the outcome is unknown."""
    try:
        desk.types(person, "approve", claim, "--stage", "critical", "--yes")
    except DemonstrationFailedError as error:
        said = str(error.facts["said"])
        if "already-stated" in said:
            return True
        assert '"retryable": true' in said, said
        return False
    return True


async def state_by_its_workflow(address: str, claim: Digest) -> str:
    """Ask as operators who look at Temporal do."""
    client = await Client.connect(address, data_converter=MESSAGE_CONVERTER)
    handle = client.get_workflow_handle_for(ReleaseWorkflow.run, claim_workflow_id(claim))
    return await handle.query(ReleaseWorkflow.state)


@pytest.mark.timeout(240)
def test_a_claim_resumes_where_it_was_when_every_process_is_killed(up: Up) -> None:
    desk = up.desk
    agree_and_deposit(desk)
    claim = desk.files(deposit=1, stages="[critical]")
    os.kill(up.pid_of("temporal"), signal.SIGKILL)
    os.kill(up.pid_of("worker"), signal.SIGKILL)
    for person in APPROVERS[:2]:
        wait_for(partial(approves, desk, person, claim))
    os.kill(up.pid_of("gate"), signal.SIGKILL)
    os.kill(up.pid_of("api"), signal.SIGKILL)
    wait_for(lambda: approves(desk, APPROVERS[2], claim))

    def state() -> str:
        return str(desk.shows(f"/v1/claims/{claim}")["stages"][0]["state"])

    wait_for(lambda: state() == "DECIDED", 90)
    scripts = desk.desk / "receiver"
    health = ("--activate", f"sh {scripts}/activate.sh", "--health", f"sh {scripts}/health.sh")
    desk.types("bea@halden", "receive", claim, "--into", "bank", "--once", *health)
    wait_for(lambda: desk.shows(f"/v1/claims/{claim}")["state"] == "RELEASED")
    votes = desk.shows(f"/v1/claims/{claim}/tally")["stages"][0]["votes"]
    assert sorted(vote["person"] for vote in votes if vote["counts"]) == sorted(APPROVERS)
    digest = Digest(str(desk.shows(f"/v1/claims/{claim}")["digest"]))
    assert asyncio.run(state_by_its_workflow(up.temporal_address(), digest)) == "RELEASED"
    desk.types("bea@halden", "evidence", "export", claim, "--out", "evidence.json")
    agreed = desk.shows(f"/v1/agreements/{AGREEMENT}")["digest"]
    desk.types(None, "evidence", "verify", "evidence.json", "--trust", agreed)
    children = up.children()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(timeout=60) == 0
    assert len(children) == 4
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


STOPS_WITHIN_SECONDS = 15
SITE_STOPS_WITHIN_SECONDS = 30  # they end one after the other; Kubernetes waits so long


def seconds_until_gone(pid: int) -> float:
    """End a process as a service manager does, and return how long it took."""
    begun = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not is_running(pid))
    return time.monotonic() - begun


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def half_an_upload(desk: Narrator) -> Generator[socket.socket]:
    """A request whose body never ends, on a connection that stays open."""
    host, port = desk.api.removeprefix("http://").split(":")
    keys = read_key_file(desk.desk / "keys" / "dora@nordwind.key")
    token = bearer_token(keys, deployment=str(desk.shows("/v1/deployment")["deployment"]), at=now())
    head = (
        f"PUT /v1/blobs/sha256:{64 * '0'}?agreement={AGREEMENT}&purpose=deposit HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/octet-stream\r\n"
        "Content-Length: 1000000\r\nUpload-Length: 1000000\r\nUpload-Offset: 0\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as sender:
        sender.sendall(f"{head}begun".encode())
        sender.settimeout(2)
        with pytest.raises(TimeoutError):  # so it was not refused: the server waits for the rest
            sender.recv(1)
        yield sender


@contextmanager
def watching(desk: Narrator, claim: str) -> Generator[subprocess.Popen[str]]:
    """Somebody who follows a claim, with an event stream that stays open."""
    command = [sys.executable, "-m", "tallystick.cli.main", "claim", "watch", claim]
    command += ["--api", desk.api, "--key", "keys/ana@harbour.key"]
    with subprocess.Popen(command, cwd=desk.desk, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        assert "filed" in watch.stdout.readline()
        yield watch
        watch.terminate()


@pytest.mark.timeout(480)
def test_every_process_ends_soon_when_it_is_told_to_with_work_under_way_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    with going_up(tmp_path) as up:
        agree_and_deposit(up.desk)
        claim = up.desk.files(deposit=1, stages="[critical]")
        wait_for(lambda: approves(up.desk, APPROVERS[1], claim))
        with watching(up.desk, claim), half_an_upload(up.desk):
            taken = {name: seconds_until_gone(up.pid_of(name)) for name in ("gate", "worker", "api")}
            wait_for(lambda: approves(up.desk, APPROVERS[0], claim))
        votes = up.desk.shows(f"/v1/claims/{claim}/tally")["stages"][0]["votes"]
        assert {vote["person"] for vote in votes} == set(APPROVERS[:2])
        with watching(up.desk, claim), half_an_upload(up.desk):
            taken["up"] = seconds_until_gone(up.process.pid)
        told = up.told.read_text()
        assert up.process.wait(timeout=1) == 0
    ends = {"gate": 0, "worker": 0, "api": -signal.SIGTERM}  # uvicorn ends by the signal, once all is done
    assert [f"{name} ended with {code:d}" in told for name, code in ends.items()] == [True] * 3, told
    assert taken.pop("up") < SITE_STOPS_WITHIN_SECONDS, taken
    assert max(taken.values()) < STOPS_WITHIN_SECONDS, taken
