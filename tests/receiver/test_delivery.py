"""What the server shows is believed only as far as signatures prove it; its word alone does nothing."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tallystick.bag.tree import TREE_FILE
from tallystick.bag.write import BagSummary, write_bag
from tallystick.crypto.age import SealingWriter
from tallystick.crypto.envelope import Envelope, body_of, envelope_json, sign
from tallystick.crypto.keys import SigningKey
from tallystick.domain.codec import encode_object, instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Authority, Happening, Kind, Outcome
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.limits.agreements import COMPONENTS_MAX
from tallystick.proof.case import RecordRefusedError
from tallystick.receiver.delivery import DeliveryRefusedError, TreeUnknownError
from tallystick.receiver.receiver import receive
from tests.support.receivers import ALL, active, payloads, receive_all, setting
from tests.support.worlds.agreements import (
    BEA,
    BEN,
    CRITICAL,
    DECISION_KEY,
    DOCS,
    DORA,
    LICENCE_KEYS,
    LOG_KEY,
    PEOPLE,
    PROVISIONAL,
)
from tests.support.worlds.deliveries import AT, Release, keys_of
from tests.support.worlds.escrows import FolderEscrow

Change = Callable[[dict[str, Any]], object]


class Liar(FolderEscrow):
    """An escrow agent's server that shows something else than it has on record."""

    def __init__(self, honest: FolderEscrow, change: Change) -> None:
        self.folder, self.release, self._change = honest.folder, honest.release, change

    def delivery(self, claim: str) -> JsonObject:
        document: dict[str, Any] = json.loads(json.dumps(super().delivery(claim)))
        self._change(document)
        return document


def alter(*path: str | int) -> Change:
    """Flip one byte of the base64 text that stands at `path` of the delivery."""

    def change(document: dict[str, Any]) -> None:
        *above, last = path
        found: Any = document
        for step in above:
            found = found[step]
        text = found[last]
        found[last] = text[:100] + ("A" if text[100] != "A" else "B") + text[101:]

    return change


def custody_of_another(document: dict[str, Any]) -> None:
    document["custody"] = [one for one in document["custody"] if one["component"] != DOCS]


def no_record(document: dict[str, Any]) -> None:
    document["record"].clear()


def test_more_custody_epochs_than_components_are_not_read(escrow: FolderEscrow, tmp_path: Path) -> None:
    liar = Liar(escrow, lambda document: document["custody"].extend([{}] * COMPONENTS_MAX))
    with pytest.raises(DeliveryRefusedError, match="more custody epochs than components"):
        receive(setting(liar, tmp_path / "bank"), escrow.release.claim)


@pytest.mark.parametrize(
    "change",
    [
        alter("agreement_envelope", "payload"),
        alter("deposit_envelope", "payload"),
        alter("custody", 0, "envelope", "payload"),
        custody_of_another,
        no_record,
    ],
    ids=["agreement-altered", "deposit-altered", "custody-altered", "custody-missing", "no-record"],
)
def test_delivery_that_does_not_follow_from_signatures_opens_nothing(
    change: Change, escrow: FolderEscrow, tmp_path: Path
) -> None:
    with pytest.raises(TallystickError) as refused:
        receive(setting(Liar(escrow, change), tmp_path / "bank"), escrow.release.claim)
    assert refused.value.message
    assert (active(tmp_path / "bank"), escrow.receipts()) == ({}, [])


def test_record_with_any_entry_altered_opens_nothing(escrow: FolderEscrow, tmp_path: Path) -> None:
    for place in range(len(escrow.world().record)):
        liar = Liar(escrow, alter("record", place, "envelope", "payload"))
        with pytest.raises(TallystickError):
            receive(setting(liar, tmp_path / "bank"), escrow.release.claim)
    assert (active(tmp_path / "bank"), escrow.receipts()) == ({}, [])


def test_record_that_leaves_out_any_entry_opens_nothing(escrow: FolderEscrow, tmp_path: Path) -> None:
    *before, decision = escrow.world().entries
    assert isinstance(decision.signed.body, DecisionStatement)
    for place in range(len(before)):
        liar = Liar(escrow, lambda document, place=place: document["record"].pop(place))  # type: ignore[misc]
        with pytest.raises(TallystickError):
            receive(setting(liar, tmp_path / "bank"), escrow.release.claim)
    without_decision = Liar(escrow, lambda document: document["record"].pop())
    assert receive(setting(without_decision, tmp_path / "bank"), escrow.release.claim).reported == ()
    assert (active(tmp_path / "bank"), escrow.receipts()) == ({}, [])


@pytest.mark.parametrize("key", [LOG_KEY, PEOPLE[BEA].signing_key], ids=["log-key", "beneficiary"])
def test_decision_by_another_key_than_the_gates_opens_nothing(
    key: SigningKey, escrow: FolderEscrow, tmp_path: Path
) -> None:
    body = body_of(escrow.world().record[-1][0])
    forged = dict(envelope_json(sign(Kind.DECISION, body, [key])))
    liar = Liar(escrow, lambda document: document["record"][-1].update(envelope=forged))
    with pytest.raises(TallystickError, match="not signed by the engine's key"):
        receive(setting(liar, tmp_path / "bank"), escrow.release.claim)


def test_refusal_of_the_gate_is_no_release(escrow: FolderEscrow, tmp_path: Path) -> None:
    body = body_of(escrow.world().record[-1][0])
    premises: Any = body["premises"]
    unmet = [{**premises[0], "holds": False}, *premises[1:]]
    refusal = {**body, "released": False, "premises": unmet}
    del refusal["contributions"]
    forged = dict(envelope_json(sign(Kind.DECISION, refusal, [DECISION_KEY])))
    liar = Liar(escrow, lambda document: document["record"][-1].update(envelope=forged))
    assert receive(setting(liar, tmp_path / "bank"), escrow.release.claim).reported == ()
    assert active(tmp_path / "bank") == {}


# Orders to undo.


def test_word_of_the_server_undoes_nothing(escrow: FolderEscrow, tmp_path: Path) -> None:
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    before = active(tmp_path / "bank")

    def order(document: dict[str, Any]) -> None:
        stages = [{"stage": PROVISIONAL, "state": "FAILED"}]
        document.update(undo=[PROVISIONAL], state="ROLLING_BACK", stages=stages)

    done = receive(setting(Liar(escrow, order), tmp_path / "bank"), escrow.release.claim)
    assert (done.reported, active(tmp_path / "bank")) == ((), before)


def test_order_to_return_by_someone_who_may_not_rule_undoes_nothing(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    before, world = active(tmp_path / "bank"), escrow.world()
    members = {"authority": Authority.ARBITRATION, "outcome": Outcome.RETURN, "documents": (), "reason": "no"}
    forged, _ = world.signs(Kind.RULING, [PEOPLE[DORA].signing_key], world.body(Kind.RULING, DORA, **members))
    with pytest.raises(TallystickError):
        receive(setting(showing(escrow, forged, world.now), tmp_path / "bank"), escrow.release.claim)
    assert active(tmp_path / "bank") == before


def showing(escrow: FolderEscrow, forged: Envelope, at: datetime) -> Liar:
    """A server whose record has one entry more than it should."""
    entry = {"index": 10_000, "accepted_at": instant_text(at), "envelope": dict(envelope_json(forged))}
    return Liar(escrow, lambda document: document["record"].append(entry))


def timed_out(escrow: FolderEscrow) -> Envelope:
    """The log key's word that the provisional stage was not reported in time."""
    world = escrow.world()
    body = world.body(
        Kind.EVENT, "engine@test", happening=Happening.STAGE_TIMED_OUT, stage=PROVISIONAL, because=("so",)
    )
    assert isinstance(body, Event)
    return sign(Kind.EVENT, encode_object(body), [LOG_KEY])


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=49)], ids=["too-early", "in-the-future"])
def test_log_key_lets_no_stage_time_out_before_its_window_is_over_by_this_machines_clock(
    ahead: timedelta, escrow: FolderEscrow, tmp_path: Path
) -> None:
    work = setting(escrow, tmp_path / "bank", reached=_stop_before_the_receipt)
    with pytest.raises(_StoppedError):
        receive(work, escrow.release.claim)
    before = active(tmp_path / "bank")
    assert before
    liar = showing(escrow, timed_out(escrow), escrow.now + ahead)
    with pytest.raises(TallystickError):
        receive(setting(liar, tmp_path / "bank"), escrow.release.claim)
    assert active(tmp_path / "bank") == before


class _StoppedError(Exception):
    pass


def _stop_before_the_receipt(step: str) -> None:
    if step == "active":
        raise _StoppedError


def test_record_that_lacks_an_acknowledged_receipt_undoes_nothing(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    forked = escrow.record_file.read_text()
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    before = active(tmp_path / "bank")
    escrow.record_file.write_text(forked)
    escrow.happens(lambda world: world.passes(timedelta(days=3)))
    assert escrow.world().claim.progress(PROVISIONAL).state == "FAILED", "by that record, nobody reported it"
    with pytest.raises(DeliveryRefusedError, match="lacks statements that it had"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert active(tmp_path / "bank") == before


@pytest.mark.parametrize("held", [False, True])
def test_record_that_lacks_a_withdrawal_that_was_seen_activates_nothing(
    held: bool, escrow: FolderEscrow, tmp_path: Path
) -> None:
    older = escrow.record_file.read_text()
    escrow.undo_all()
    if held:
        escrow.happens(lambda world: world.holds())
    look = receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert look.state == "CURED"
    escrow.record_file.write_text(older)
    with pytest.raises(DeliveryRefusedError, match="lacks statements that it had"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert active(tmp_path / "bank") == {}


def test_times_of_the_record_may_lie_ahead_by_the_tolerance_of_clocks(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    behind = escrow.now - timedelta(minutes=5)
    receive(setting(escrow, tmp_path / "bank", now=lambda: behind), escrow.release.claim)
    assert [stage for stage, _ in escrow.outcomes()] == [PROVISIONAL]
    earlier = behind - timedelta(minutes=1)
    with pytest.raises(RecordRefusedError, match="entries from the future"):
        receive(setting(escrow, tmp_path / "other", now=lambda: earlier), escrow.release.claim)


# What is sealed.


@pytest.mark.parametrize("component", [DOCS, LICENCE_KEYS])
def test_altered_sealed_byte_is_refused_and_nothing_of_it_stays(
    component: ComponentId, escrow: FolderEscrow, tmp_path: Path
) -> None:
    blob = escrow.blob(escrow.release.sealed[component].deposited.sealed_digest)
    raw = bytearray(blob.read_bytes())
    raw[-5] ^= 1
    blob.write_bytes(raw)
    with pytest.raises(DeliveryRefusedError, match="not the one that the depositor signed"):
        receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    stage = PROVISIONAL if component == DOCS else CRITICAL
    assert not any(name.startswith(stage) for name in active(tmp_path / "bank"))
    assert not list((tmp_path / "bank").rglob("*opened*"))
    assert stage not in [receipt.stage for receipt in escrow.receipts()]


def test_every_altered_byte_of_a_contribution_is_refused(escrow: FolderEscrow, tmp_path: Path) -> None:
    blob = escrow.blob(escrow.world().shares[DOCS])
    good = blob.read_bytes()
    for place in range(0, len(good), 97):
        blob.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(TallystickError):
            receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    blob.write_bytes(good)
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert payloads(tmp_path / "bank") == ALL


def test_component_that_is_not_the_bag_the_depositor_signed_fails_its_stage(
    release: Release, tmp_path: Path
) -> None:
    bad = Release(scratch=tmp_path / "bad", number=7)
    docs = bad.sealed[DOCS]
    false = replace(docs.deposited, manifest_digest=docs.deposited.sealed_digest)
    others = tuple(s.deposited for name, s in bad.sealed.items() if name != DOCS)
    body = Deposit(**bad.header(DORA, "deposit"), number=1, watermark=AT, components=(false, *others))
    bad.__dict__["deposit"] = sign(Kind.DEPOSIT, encode_object(body), [PEOPLE[DORA].signing_key])
    escrow = FolderEscrow(tmp_path / "escrow", bad, stages=(PROVISIONAL,))
    receive(setting(escrow, tmp_path / "bank"), bad.claim)
    (receipt,) = escrow.receipts()
    assert (receipt.outcome, active(tmp_path / "bank")) == ("failed", {})
    assert "does not contain the bag that the depositor signed" in receipt.detail


def test_claim_of_another_person_is_not_received(escrow: FolderEscrow, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match="not sealed to this key"):
        receive(setting(escrow, tmp_path / "bank", keys=keys_of(BEN)), escrow.release.claim)


def test_other_claim_than_asked_for_is_not_received(escrow: FolderEscrow, tmp_path: Path) -> None:
    trusted: list[str] = []

    def trust(agreement: str, _found: str) -> None:
        trusted.append(agreement)

    work = setting(escrow, tmp_path / "bank", trust=trust)
    with pytest.raises(DeliveryRefusedError, match="another claim"):
        receive(work, "clm-aaaaaaaaaaaaaaaa")
    assert trusted == [], "nor is its agreement, which the server chose"


def test_agreement_that_is_not_trusted_is_not_received(escrow: FolderEscrow, tmp_path: Path) -> None:
    def trust(_agreement: str, found: str) -> None:
        raise DeliveryRefusedError("not trusted", found=found)

    with pytest.raises(DeliveryRefusedError, match="not trusted"):
        receive(setting(escrow, tmp_path / "bank", trust=trust), escrow.release.claim)


def test_same_content_sealed_anew_is_not_what_the_depositor_signed(
    escrow: FolderEscrow, release: Release, tmp_path: Path
) -> None:
    sealed = release.sealed[DOCS]
    again = Release(scratch=tmp_path / "again")
    _, raw = again.seal_bag(DOCS, sealed.body.recipient, sealed.deposited.custody)
    assert len(raw) == sealed.deposited.sealed_bytes
    escrow.blob(sealed.deposited.sealed_digest).write_bytes(raw)
    with pytest.raises(DeliveryRefusedError, match="not the one that the depositor signed"):
        receive(setting(escrow, tmp_path / "bank"), release.claim)
    assert active(tmp_path / "bank") == {}


def test_deposit_by_someone_else_is_not_received_even_if_the_claim_pins_it(tmp_path: Path) -> None:
    own = Release(scratch=tmp_path / "own", number=8)
    components = tuple(sealed.deposited for sealed in own.sealed.values())
    body = Deposit(**own.header(BEA, "deposit"), number=1, watermark=AT, components=components)
    own.__dict__["deposit"] = sign(Kind.DEPOSIT, encode_object(body), [PEOPLE[BEA].signing_key])
    escrow = FolderEscrow(tmp_path / "escrow", own)
    with pytest.raises(DeliveryRefusedError, match="only persons of the depositor may deposit"):
        receive(setting(escrow, tmp_path / "bank"), own.claim)


def deposited_in_form(release: Release, tree: int | None) -> None:
    """Let the depositor say that the bags of a release, which has no claim yet, are in form `tree`."""
    components = tuple(sealed.deposited for sealed in release.sealed.values())
    header = release.header(DORA, "deposit")
    body = Deposit(**header, number=1, watermark=AT, components=components, tree=tree)
    release.__dict__["deposit"] = sign(Kind.DEPOSIT, encode_object(body), [PEOPLE[DORA].signing_key])


def test_deposit_in_a_form_that_is_not_known_is_not_fetched(tmp_path: Path) -> None:
    own = Release(scratch=tmp_path / "own", number=11)
    deposited_in_form(own, 3)
    escrow = FolderEscrow(tmp_path / "escrow", own)
    for blob in (escrow.folder / "blobs").iterdir():
        blob.unlink()  # asking for one would fail otherwise
    with pytest.raises(TreeUnknownError):
        receive(setting(escrow, tmp_path / "bank"), own.claim)
    assert escrow.receipts() == []


@pytest.mark.parametrize(("tree", "outcome"), [(None, "activated"), (2, "failed")])
def test_bag_without_a_tree_file_opens_only_if_the_deposit_promises_none(
    tree: int | None, outcome: str, tmp_path: Path
) -> None:
    own = PlainBags(scratch=tmp_path / "own", number=12)
    deposited_in_form(own, tree)
    escrow = FolderEscrow(tmp_path / "escrow", own)
    receive(setting(escrow, tmp_path / "bank"), own.claim)
    assert escrow.outcomes() == [(PROVISIONAL, outcome)]


class PlainBags(Release):
    """A release whose bags were made by another program: they are no more than BagIt says."""

    def bag(self, folder: Path, out: SealingWriter, component: ComponentId) -> BagSummary:
        whole = io.BytesIO()
        made = write_bag(folder, whole, name=component, external_identifier="x", bagged_on=AT.date())
        out.write(without_tree(whole.getvalue()))
        return made


def without_tree(raw: bytes) -> bytes:
    """Return a bag's archive without its tree file, and without the line of the tag manifest for it."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(raw)) as old,
        tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old.getmembers():
            content = old.extractfile(member)
            data = b"" if content is None else content.read()
            if member.name.endswith("tagmanifest-sha256.txt"):
                data = b"".join(line for line in data.splitlines(True) if TREE_FILE.encode() not in line)
            if not member.name.endswith(TREE_FILE):
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    return out.getvalue()
