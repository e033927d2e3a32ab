"""Claims whose course a seed chooses, while processes are killed as it chooses."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Authority, Outcome, ReceiptOutcome, WithdrawalReason
from tallystick.domain.statements.acts import Hold, HoldLift, Objection, Withdrawal
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import Ruling
from tests.support.judges.history import Told
from tests.support.sites.faulty_site import PROCESSES, FaultySite
from tests.support.stories.releases import PATIENCE_SECONDS, Release
from tests.support.worlds.agreements import ABE, ANA, BEA, CRITICAL, DORA, KIM, PEOPLE, TOM

SPREAD_SECONDS: Final = 15.0
FREEZE_SHARE: Final = 0.2
SOMETHING: Final = Digest("sha256:" + 64 * "7")


@dataclass(kw_only=True)
class Story:
    """One claim, and what its people do."""

    name: str
    release: Release
    ends: frozenset[str]

    def run(self) -> None:
        try:
            self.release.agree()
            self.release.deposit()
            self.release.file()
            self.release.accept()
            PLOTS[self.name](self)
        except AssertionError as error:
            raise AssertionError(f"{self.release.agreement.id}, {self.name}: {error}") from error
        finally:
            self.release.close()

    def says(self, path: str, envelope: Envelope, person: PersonId) -> Told:
        """Repeat until the answer is known; a refusal is an answer."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (made := self.release.send(path, envelope, person)).told is Told.UNKNOWN:
            assert time.monotonic() < give_up, f"{path}: {made.code} for too long"
            time.sleep(0.1)
        assert made.code != "defect", path
        return made.told

    def approve(self, *persons: PersonId) -> None:
        for person in persons:
            self.says("approvals", self.release.approval(person), person)

    def objects(self) -> Told:
        envelope = self.release.act(Objection, DORA, ground="cured", explanation="It was cured.")
        return self.says("objections", envelope, DORA)

    def receive_all(self) -> None:
        for stage in self.release.agreement.stages:
            self.release.receive(stage.id)
        self.release.recorded("release-completed")
        self.release.check_evidence("RELEASED")


def _released(story: Story) -> None:
    story.approve(ANA, KIM, TOM)
    story.receive_all()


def _objected_and_refused(story: Story) -> None:
    story.approve(ANA)
    assert story.objects() is Told.OK
    story.approve(KIM, TOM)
    ruling = story.release.act(
        Ruling,
        KIM,
        authority=Authority.ARBITRATION,
        outcome=Outcome.REFUSE,
        documents=(Document(name="award", plain_digest=SOMETHING, sealed_digest=SOMETHING),),
        reason="The condition has not come true.",
    )
    assert story.says("rulings", ruling, KIM) is Told.OK
    story.release.until("the claim is refused", lambda: story.release.state() == "REFUSED")


def _objected_in_a_race(story: Story) -> None:
    """The objection and the vote that completes the quorum, as close together as possible."""
    story.approve(ANA, KIM)
    story.release.recorded("window-ended")
    story.approve(TOM)
    story.objects()
    if story.release.state() == "PROVISIONING":
        story.release.receive(CRITICAL)


def _revoked_in_a_race(story: Story) -> None:
    """A key that has voted is revoked by its owner while the vote arrives that completes the quorum."""
    story.approve(ANA, KIM)
    story.release.recorded("window-ended")
    key = PEOPLE[KIM].signing_key.public_key
    revocation = story.release.signed(
        story.release.body(KeyRevocation, KIM, key=key, reason="It was stolen."), KIM
    )
    path = f"/v1/agreements/{story.release.agreement.id}/revocations"
    with ThreadPoolExecutor(2) as both:
        voted = both.submit(story.approve, TOM)
        assert both.submit(story.says, path, revocation, KIM).result() is Told.OK
        voted.result()
    story.approve(DORA)  # takes the place of the vote that may not count any more
    story.receive_all()


def _withdrawn(story: Story) -> None:
    story.approve(ANA, KIM)
    body = {"reason": WithdrawalReason.SETTLED, "explanation": "We have come to terms."}
    told = story.says("withdrawals", story.release.act(Withdrawal, BEA, **body), BEA)
    assert told is Told.OK
    story.approve(TOM)
    assert story.release.state() == "WITHDRAWN"


def _held_and_released(story: Story) -> None:
    hold = story.release.act(Hold, KIM, reason="A court asks us to wait.")
    assert story.says("holds", hold, KIM) is Told.OK
    story.approve(ANA, KIM, TOM)
    story.release.recorded("window-ended")
    body = story.release.body(
        HoldLift, ANA, claim=story.release.claim, hold=statement_id(hold), reason="The court has decided."
    )
    assert story.says("hold-lifts", story.release.signed(body, ANA, TOM), ANA) is Told.OK
    story.receive_all()


def _failed_and_rolled_back(story: Story) -> None:
    story.approve(ABE, KIM, TOM)
    story.release.receive(CRITICAL, ReceiptOutcome.FAILED)
    story.release.until("it rolls back", lambda: story.release.state() in {"ROLLING_BACK", "ROLLED_BACK"})


PLOTS: Final[Mapping[str, Callable[[Story], None]]] = {
    "released": _released,
    "objected and refused": _objected_and_refused,
    "objected in a race": _objected_in_a_race,
    "revoked in a race": _revoked_in_a_race,
    "withdrawn": _withdrawn,
    "held and released": _held_and_released,
    "failed and rolled back": _failed_and_rolled_back,
}
ENDS: Final[Mapping[str, frozenset[str]]] = {
    "released": frozenset({"RELEASED"}),
    "objected and refused": frozenset({"REFUSED"}),
    "objected in a race": frozenset({"CONTESTED", "RELEASED"}),
    "revoked in a race": frozenset({"RELEASED"}),
    "withdrawn": frozenset({"WITHDRAWN"}),
    "held and released": frozenset({"RELEASED"}),
    "failed and rolled back": frozenset({"ROLLING_BACK", "ROLLED_BACK"}),
}


@dataclass(kw_only=True)
class Nemesis:
    """What one seed does to the site."""

    seed: int
    site: FaultySite
    kills: int = 2
    done: list[str] = field(default_factory=list[str])

    def run(self, began: float, releases: Sequence[Release]) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - repeatable on purpose
        for moment in sorted(chance.uniform(0, SPREAD_SECONDS) for _ in range(self.kills)):
            process, freeze = chance.choice(PROCESSES), chance.random() < FREEZE_SHARE
            time.sleep(max(0.0, began + moment - time.monotonic()))
            fault = self.site.freeze(process) if freeze else self.site.kill(process)
            self.done.append(process)
            for release in releases:
                release.history.hurt(fault.at)
