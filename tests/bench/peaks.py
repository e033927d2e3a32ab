"""The most memory that one step takes, each step in a process of its own, at two sizes.

`python -m tests.bench.peaks STEP FOLDER [API AGREEMENT]` runs one step and prints its peak.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from tallystick.bag.write import write_bag
from tallystick.client.blobs import get_blob, put_blob
from tallystick.client.http import Client
from tallystick.crypto import age
from tallystick.domain.codec import instant, instant_text
from tallystick.domain.ids import AgreementId, Digest
from tallystick.receiver.delivery import read_delivery
from tallystick.receiver.opening import Opener
from tests.bench.site import ROOT, BenchSite
from tests.support.stories.releases import Release
from tests.support.worlds import deliveries
from tests.support.worlds.agreements import BEA, DOCS, DORA, PROVISIONAL, keys_of
from tests.support.worlds.escrows import FolderEscrow

SIZES_BYTES: Final = (16 << 20, 256 << 20)
TARGET_MIB: Final = 128
_LETTERS: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The peak of one step, in MiB, at each size."""

    what: str
    mib: tuple[float, ...]


def measure_peaks(site: BenchSite, agreement: Release) -> list[Peak]:
    """Return the peaks of sealing, of both sides of an upload, and of receiving."""
    found: dict[str, list[float]] = {}
    for size_bytes in SIZES_BYTES:
        folder = site.folder / f"peaks-{size_bytes}"
        _step("prepare", folder, str(size_bytes))
        found.setdefault("sealing (bag → tar → age)", []).append(_step("seal", folder))
        told = (site.api, agreement.agreement.id)
        for step, what in (("upload", "upload"), ("receive", "receiving (fetch, open, unpack)")):
            resident = _begin_anew(site)
            found.setdefault(f"{what}, the client", []).append(_step(step, folder, *told))
            grown = peak_mib(site.stack.pids()["api"]) - resident
            found.setdefault(f"{what}, what it added to the API", []).append(grown)
        shutil.rmtree(folder)
    return [Peak(what=what, mib=tuple(mib)) for what, mib in found.items()]


def _begin_anew(site: BenchSite) -> float:
    """Reset the API's peak; return its new value in MiB."""
    api = site.stack.pids()["api"]
    Path(f"/proc/{api}/clear_refs").write_text("5")
    return peak_mib(api)


def peak_mib(process: int | str) -> float:
    """Return the most memory that a process has had resident; unlike `ru_maxrss`, not its parent's."""
    status = Path(f"/proc/{process}/status").read_text()
    match = _LETTERS.search(status)
    assert match is not None, "Linux says VmHWM"
    return int(match[1]) / 1024


def _step(step: str, folder: Path, *more: str) -> float:
    command = [sys.executable, "-m", "tests.bench.peaks", step, str(folder), *more]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


class _Escrow(FolderEscrow):
    """Fetches what is large from the site, as a receiver does; the rest lies in the folder."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.folder, self._client = folder, client

    def fetch(self, wanted: Digest, into: Path, *, size_bytes: int) -> None:
        get_blob(self._client, wanted, into, size_bytes=size_bytes)


def _prepare(folder: Path, size: str) -> None:
    """Make a claim that is decided, whose documentation has this size."""
    folder.mkdir()
    content = {**deliveries.CONTENT, DOCS: {"big.bin": os.urandom(int(size))}}
    release = deliveries.Release(scratch=folder, content=content)
    escrow = FolderEscrow(folder / "escrow", release, stages=(PROVISIONAL,))
    (folder / "delivery.json").write_text(json.dumps(escrow.delivery(release.claim)))
    known = {
        "claim": release.claim,
        "digest": release.sealed[DOCS].deposited.sealed_digest,
        "at": instant_text(escrow.now),
    }
    (folder / "known.json").write_text(json.dumps(known))


def _seal(folder: Path) -> None:
    recipient = age.new_identity().recipient()
    with (folder / "again.age").open("wb") as out:
        writer = age.SealingWriter(out, [recipient])
        source = folder / "source-1" / DOCS
        write_bag(source, writer, name="docs", external_identifier="bench", bagged_on=date(2026, 1, 1))
        writer.finish()


def _upload(folder: Path, api: str, agreement: str) -> None:
    with Client(api, keys_of(DORA), now=lambda: datetime.now(UTC)) as client:
        put_blob(
            client,
            folder / f"{DOCS}-1.age",
            Digest(_known(folder)["digest"]),
            agreement=AgreementId(agreement),
            purpose="deposit",
        )


def _receive(folder: Path, api: str, _: str) -> None:
    claim = _known(folder)["claim"]
    with Client(api, keys_of(DORA), now=lambda: datetime.now(UTC)) as client:
        escrow = _Escrow(folder / "escrow", client)
        shown = json.loads((folder / "delivery.json").read_text())
        delivery = read_delivery(
            shown,
            shown["record"],
            claim=claim,
            keys=keys_of(BEA),
            trust=lambda _agreement, _digest: None,
            at=instant(_known(folder)["at"]),
        )
        (stage,) = delivery.offered
        opener = Opener(escrow=escrow, keys=keys_of(BEA), work=folder / "work", token="one")
        (folder / "work").mkdir()
        opened, _received = opener.open_components(stage.components, delivery)
        assert any(opened.rglob("big.bin")), "what was sealed came out"


def _known(folder: Path) -> Mapping[str, str]:
    found: dict[str, str] = json.loads((folder / "known.json").read_text())
    return found


STEPS: Final[Mapping[str, Callable[..., None]]] = {
    "prepare": _prepare,
    "seal": _seal,
    "upload": _upload,
    "receive": _receive,
}

if __name__ == "__main__":
    STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
    print(peak_mib("self"))  # noqa: T201 - the process that started it reads this line
