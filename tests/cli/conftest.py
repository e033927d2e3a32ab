"""People with key files, a server that shows what they signed, and the command line as they run it."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tallystick.cli.main import main
from tallystick.crypto.envelope import Envelope, envelope_json, statement_id
from tallystick.crypto.keyfile import write_key_file
from tallystick.desk.kept.pins import PinnedLog, changing_pins
from tallystick.domain.ids import PersonId, as_digest, claim_id
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.header import LedgerSeen
from tests.support.sites.fake_api import FakeApi, serving
from tests.support.worlds.agreements import AGREEMENT, ANA, KIM, PROVISIONAL
from tests.support.worlds.deliveries import CONTENT, Release, digest_of, keys_of
from tests.support.worlds.escrows import ReleaseWorld

URL = f"/v1/agreements/{AGREEMENT.id}"
LOG_REMEMBERED = PinnedLog(
    size=7, edge=3 * (64 * "7",), note="a note\n", verified_at=datetime(2026, 11, 24, tzinfo=UTC)
)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        return json.loads(self.out)

    @property
    def problem(self) -> Any:  # noqa: ANN401 - as above
        return json.loads(self.err[self.err.index("{\n") :])


class Terminal(io.StringIO):
    """A terminal at which a person has typed."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where commands are typed.

    Attributes:
        world: Of the claim that is shown.
        pauses: For how many seconds commands would have waited, each time.
    """

    api: FakeApi
    folder: Path
    world: ReleaseWorld
    captured: pytest.CaptureFixture[str]
    pauses: list[float] = field(default_factory=list[float])

    def run(self, *words: str, person: PersonId | None = None, answer: str = "") -> Ran:
        """Run a command, as `person` if one is given, who answers what it asks; without an answer,
        there is no terminal to ask at."""
        acting = ("--api", self.api.url, "--key", str(self.key(person))) if person else ()
        keyboard, sys.stdin = sys.stdin, Terminal(answer) if answer else io.StringIO()
        with pytest.raises(SystemExit) as ended:
            main([*words, *acting], pause=self.pauses.append)
        sys.stdin = keyboard
        out, err = self.captured.readouterr()
        code = ended.value.code
        return Ran(code=code if isinstance(code, int) else 0, out=out, err=err)

    def key(self, person: PersonId) -> Path:
        path = self.folder / f"{person}.key"
        if not path.exists():
            write_key_file(path, keys_of(person))
        return path

    def remembers_log(self, person: PersonId) -> LedgerSeen:
        """Let `person` have verified the agreement's log; return what their machine remembers of it."""
        with changing_pins(self.key(person).with_name(f"{person}.key.trust")) as pins:
            pins.pin_log(AGREEMENT.id, LOG_REMEMBERED)
        return LedgerSeen(size=7, root=as_digest(LOG_REMEMBERED.tree.root()))

    def sent(self) -> list[Envelope]:
        return [envelope for _, envelope in self.api.posted]


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return Release(scratch=tmp_path_factory.mktemp("release"))


@pytest.fixture
def office(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, release: Release
) -> Iterator[Office]:
    for name in ("TALLYSTICK_API", "TALLYSTICK_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with serving(FakeApi()) as api:
        show_agreement(api, release)
        world = show_claim(api, release)
        yield Office(api=api, folder=tmp_path, world=world, captured=capfd)


def show_agreement(api: FakeApi, release: Release) -> None:
    """Show the agreement, its custody epochs, and its ledger with their statements."""
    custody = [
        {"component": name, "epoch": 1, "custody": sealed.deposited.custody, "recipient": "age1"}
        for name, sealed in release.sealed.items()
    ]
    api.shows[URL] = {"envelope": envelope_json(release.agreement), "custody": custody}
    api.shows[f"{URL}/deposits"] = {"deposits": []}
    statements = [release.agreement, *(release.sealed[name].custody for name in CONTENT)]
    show_ledger(api, statements)


def show_ledger(api: FakeApi, statements: list[Envelope]) -> None:
    """Show these statements as the ledger's entries."""
    entries = [
        {"index": index, "statement": statement_id(envelope), "envelope": envelope_json(envelope)}
        for index, envelope in enumerate(statements)
    ]
    api.shows[f"{URL}/ledger/entries"] = {"entries": entries}
    api.shows[f"{URL}/ledger/entries?after={len(entries) - 1}"] = {"entries": []}
    api.shows |= {f"{URL}/ledger/entries/{entry['statement']}": entry for entry in entries}


def show_claim(api: FakeApi, release: Release) -> ReleaseWorld:
    """Show the claim by its digest and by its short form; what happens in its world is shown as well."""
    world = claim_in_use(release)
    show_world(api, world)
    return world


def show_world(api: FakeApi, world: ReleaseWorld) -> None:
    """Show the claim of a world, and whatever happens in it."""
    release = world.release
    view = {"claim": claim_id(release.claim), "digest": release.claim, "state": "ACCEPTED"}
    for name in (release.claim, claim_id(release.claim)):
        api.shows[f"/v1/claims/{name}/record"] = lambda: {"entries": world.shown, "next": None}
        api.shows[f"/v1/claims/{name}"] = view


def claim_in_use(release: Release) -> ReleaseWorld:
    """The claim of a release whose first stage is in use, and whose second one waits."""
    components = release.terms.stage(PROVISIONAL).components
    shares = {component: digest_of(component.encode()) for component in components}
    world = ReleaseWorld(agreement=release.terms, now=release.at, release=release, shares=shares)
    world.files_the_release()
    world.accepts()
    for person in (ANA, KIM):
        world.approves(person, stages=[PROVISIONAL])
    world.reports(PROVISIONAL, ReceiptOutcome.ACTIVATED)
    return world


def show_deposit(api: FakeApi, release: Release, *, state: str = "verified") -> None:
    """Show the release's deposit as number 1."""
    view = {
        "number": 1,
        "deposit": statement_id(release.deposit),
        "accepted_at": "2026-11-24T09:00:00Z",
        "envelope": envelope_json(release.deposit),
        "verdict": {"state": state, "at": None, "because": ["so it was"]},
    }
    api.shows[f"{URL}/deposits"] = {"deposits": [view]}
    api.shows[f"{URL}/deposits/1"] = view
