"""Someone with Temporal's address sends anything to a running site, and nothing is released."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallystick.crypto.envelope import Envelope, body_of, envelope_bytes, sign
from tallystick.domain.ids import PersonId
from tallystick.messages import CLAIMS_QUEUE, claim_workflow_id
from tallystick.store.database.session import open_database
from tests.support.judges.checker import check
from tests.support.sites.faulty_site import FaultySite, faulty, new_site
from tests.support.stories.releases import Point, Release
from tests.support.worlds.agreements import ANA, CRITICAL, KIM, TOM, signing_key
from tests.support.worlds.quick_agreements import quick_agreement


@dataclass(frozen=True, kw_only=True)
class Intruder:
    """The `temporal` command line, pointed at the site's server."""

    site: FaultySite
    release: Release

    @property
    def workflow(self) -> str:
        return claim_workflow_id(self.release.claim)

    def types(self, *words: str) -> int:
        """Run a command against the server; return its exit code."""
        program = str(Path(sys.executable).with_name("temporal"))
        address = self.site.settings.temporal_address
        ran = subprocess.run(
            [program, "--address", address, "--command-timeout", "20s", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode

    def submits(self, envelope: Envelope | str) -> int:
        text = envelope if isinstance(envelope, str) else envelope_bytes(envelope).decode()
        said = json.dumps({"envelope": text})
        return self.types(
            *("workflow", "update", "execute", "--workflow-id", self.workflow),
            *("--name", "submit", "--input", said),
        )

    def forged(self, person: PersonId, **members: object) -> Envelope:
        """An approval in the name of `person`, signed by nobody of the agreement."""
        sound = self.release.approval(person, **members)
        return sign("approval", body_of(sound), [signing_key("nobody of the agreement")])


def attacked(intruder: Intruder) -> None:
    release = intruder.release
    release.agree()
    release.deposit()
    release.file()
    release.accept()
    release.approve(ANA)
    release.recorded("window-ended")
    for person in (KIM, TOM):
        assert intruder.submits(intruder.forged(person)) != 0, "an approval that nobody signed"
        elsewhere = release.approval(person, claim="sha256:" + 64 * "5")
        assert intruder.submits(elsewhere) != 0, "an approval of another claim"
    assert intruder.submits("mallory") != 0
    own = ("workflow", "signal", "--workflow-id", intruder.workflow, "--name", "look")
    assert intruder.types(*own, "--input", '{"reason":"because I say so"}') == 0
    assert intruder.types(*own[:-1], "approve", "--input", '"mallory"') == 0
    again = json.dumps({"claim": release.claim, "agreement": release.agreement.id, "envelope": "{}"})
    started = ("workflow", "start", "--type", "ReleaseWorkflow", "--task-queue", CLAIMS_QUEUE)
    assert intruder.types(*started, "--workflow-id", "another-one", "--input", again) == 0
    reset = ("workflow", "reset", "--workflow-id", intruder.workflow, "--reason", "forged")
    assert intruder.types(*reset, "--type", "FirstWorkflowTask") == 0
    assert release.state() == "APPROVAL"
    assert intruder.types("workflow", "terminate", "--workflow-id", intruder.workflow) == 0
    assert not [one for one in release.happened() if one.startswith("released")]
    # The reconciler resumes what was ended by force; what is sound is then released, once.
    release.approve(KIM)
    release.insist("approvals", release.approval(TOM), TOM, Point.QUORUM)
    release.receive(CRITICAL)
    release.recorded("release-completed")
    release.check_evidence("RELEASED")


@pytest.mark.timeout(300)
def test_updates_signals_resets_and_force_release_nothing_and_stop_nothing(tmp_path: Path) -> None:
    site = new_site(tmp_path)
    with faulty(site) as running, ThreadPoolExecutor(1) as pool:
        terms = quick_agreement("forged", site.deployment())
        release = Release(api=running.api, database=running.database, agreement=terms, scratch=tmp_path)
        with closing(release):
            running.gather([pool.submit(attacked, Intruder(site=running, release=release))], seconds=240)
    database = open_database(running.settings.database_url)
    check(release, site=site, database=database)
    database.dispose()
