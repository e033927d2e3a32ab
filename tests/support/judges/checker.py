"""Compares what clients were told with what the ledger holds, and the ledger with the rules.

The ledger is the total order. Where a rule can be said in a few lines it is said here
again, over the entries alone, so that a defect in the domain does not hide itself.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from tallystick.crypto.envelope import statement_id
from tallystick.crypto.keyfile import read_key_file
from tallystick.crypto.log.merkle import root_of, verify_consistency
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, origin_of
from tallystick.domain.claim.state import StageState
from tallystick.domain.ids import PersonId, StageId, sha256_digest
from tallystick.domain.inbox.waiting import waiting
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.acts import Approval, Hold, HoldLift, Objection, Retraction, Withdrawal
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import BY_ENGINE, Entry
from tallystick.proof.evidence.verify import verify
from tallystick.site import Site
from tallystick.store.cases.casefile import CaseFile, load
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import reading, transaction
from tallystick.store.database.tables import DecisionRow
from tallystick.store.ledger import ledger
from tallystick.store.ledger.checkpoints import LogSigner, checkpoints, verify_log
from tallystick.store.ledger.entry import LedgerEntry
from tests.support.judges.history import Attempt, History, Told
from tests.support.stories.releases import Release
from tests.support.trees import consistency_proof

_BY_PERSONS = frozenset(kind.value for kind in Kind) - {
    Kind.CUSTODY.value,
    *(kind.value for kind in BY_ENGINE),
}


def check(release: Release, *, site: Site, database: Engine, ends: Iterable[str] = ("RELEASED",)) -> None:
    """Raise AssertionError at the first promise that was not kept to the clients of `release`."""
    with reading(database) as session:
        log = ledger.entries(session, release.agreement.id)
        _check_log(session, release, log, site)
    check_answers(release.history, log)
    if not any(entry.claim == release.claim for entry in log):
        return
    with reading(database) as session:
        case = load(session, release.claim)
        decided = session.exec(select(DecisionRow).where(DecisionRow.claim == release.claim)).all()
    at = max(entry.accepted_at for entry in log)
    assert case.claim.state.value in set(ends) or waiting(case.agreement, case.claim, at), case.claim.state
    assert len(decided) == len(_released(case)), "a row for each decision, and a decision for each row"
    check_decisions(case)
    check_stages_follow_each_other(case)
    _check_contributions(case, site)
    _check_evidence(release, site, database)


def check_answers(history: History, log: Sequence[LedgerEntry]) -> None:
    """I-7, I-8: acknowledged is there once and as sent, refused is not, unknown is there at most once."""
    places: dict[str, list[int]] = {}
    for entry in log:
        places.setdefault(entry.statement_id, []).append(entry.index)
    by_statement: dict[str, list[Attempt]] = {}
    for attempt in history.attempts:
        by_statement.setdefault(attempt.statement, []).append(attempt)
    for statement, attempts in by_statement.items():
        indexes = places.get(statement, [])
        acknowledged = [one for one in attempts if one.told is Told.OK]
        assert len(indexes) <= 1, f"{attempts[0].what} is on record {len(indexes)} times"
        if acknowledged:
            assert indexes, f"{attempts[0].what} was acknowledged and is not on record"
            assert {one.index for one in acknowledged} == set(indexes), "one answer, for ever"
            assert log[indexes[0]].statement() == attempts[0].envelope, "as it was sent, byte for byte"
        elif attempts[-1].told is Told.REFUSED:
            assert not indexes, f"{attempts[0].what} was refused ({attempts[-1].code}) and is on record"
    strangers = {one.statement_id for one in log if one.kind in _BY_PERSONS} - set(by_statement)
    assert not strangers, "what nobody sent is on record"
    _check_order(by_statement, places)


def _check_order(by_statement: dict[str, list[Attempt]], places: dict[str, list[int]]) -> None:
    """What was acknowledged before something else was begun comes before it in the ledger."""
    spans = [
        (min(one.began for one in attempts), min(answered), places[statement][0])
        for statement, attempts in by_statement.items()
        if (answered := [one.ended for one in attempts if one.told is Told.OK])
    ]
    for (began, ended, place), (other_began, other_ended, other) in combinations(spans, 2):
        assert not (ended < other_began and place > other), "acknowledged first, recorded second"
        assert not (other_ended < began and other > place), "acknowledged first, recorded second"


def _check_log(session: Session, release: Release, log: Sequence[LedgerEntry], site: Site) -> None:
    """I-14: gapless, a claim in order of time, leaf and row together, and any two checkpoints consistent."""
    agreement, public = release.agreement, site.deployment()
    assert [entry.index for entry in log] == list(range(len(log)))
    # Whoever first accepts an entry dates it. One that a crash held up may come after a younger one
    # about something else, but none about a claim is older than what its asker knew of the claim.
    times = [entry.accepted_at for entry in log if entry.claim is not None]
    assert all(later >= earlier - timedelta(seconds=2) for earlier, later in pairwise(times))
    origin = origin_of(agreement.deployment, agreement.id)
    verify_log(session, agreement.id, signer=LogSigner(origin=origin, public_keys=[public.engine.log_key]))
    leaves = [entry.leaf() for entry in log]
    signed = [
        open_checkpoint(note, origin=origin, public_key=public.engine.log_key)
        for note in (*checkpoints(session, agreement.id), *release.checkpoints_seen)
    ]
    for one in signed:
        assert one.root == root_of(leaves[: one.size])
    for old, new in combinations(sorted(signed, key=lambda one: one.size), 2):
        _check_consistent(leaves, old, new)


def _check_consistent(leaves: Sequence[bytes], old: Checkpoint, new: Checkpoint) -> None:
    verify_consistency(
        old_size=old.size,
        new_size=new.size,
        old_root=old.root,
        new_root=new.root,
        proof=consistency_proof(leaves[: new.size], old.size),
    )


def _released(case: CaseFile) -> list[tuple[Entry, DecisionStatement]]:
    return [(entry, body) for entry, body in case.claim.entries_of(DecisionStatement) if body.released]


def check_decisions(case: CaseFile) -> None:
    """I-1, I-3, I-5, I-6, checked over the entries alone: what the record held before each release."""
    released = _released(case)
    stages = [body.stage for _, body in released]
    assert len(stages) == len(set(stages)), "one decision a stage, for ever"
    for entry, body in released:
        before = [one for one in case.claim.entries if one.index < entry.index]
        _check_nothing_stands_against(before, body.stage)
        _check_window(before, entry, body)
        persons = _approvers(before, body.stage, min(body.decided_at, entry.accepted_at))
        assert case.agreement.stage(body.stage).quorum.satisfied_by(persons), "the quorum"
        assert not any(one.endswith("@halden") for one in persons), "the claimant does not count"


def _check_nothing_stands_against(before: Sequence[Entry], stage: StageId) -> None:
    retracted = {one.signed.body.of for one in before if isinstance(one.signed.body, Retraction)}
    lifted = {one.signed.body.hold for one in before if isinstance(one.signed.body, HoldLift)}
    settled_at = max(
        (one.index for one in before if isinstance(one.signed.body, Ruling | JointInstruction)), default=-1
    )
    for one in before:
        body = one.signed.body
        assert not isinstance(body, Withdrawal), "released after it was withdrawn"
        if isinstance(body, Objection) and (body.stages is None or stage in body.stages):
            assert one.signed.id in retracted or one.index < settled_at, "released over an objection"
        if isinstance(body, Hold) and (body.stages is None or stage in body.stages):
            assert one.signed.id in lifted, "released under a hold"


def _check_window(before: Sequence[Entry], decision: Entry, body: DecisionStatement) -> None:
    events = {one.signed.body.happening: one for one in before if isinstance(one.signed.body, Event)}
    assert any(one.signed.kind is Kind.NOTICE for one in before), "released without notice"
    opened = events[Happening.WINDOW_OPENED].signed.body
    assert isinstance(opened, Event)
    assert opened.until is not None
    assert events[Happening.WINDOW_ENDED].accepted_at > opened.until, "the window ended early"
    assert min(decision.accepted_at, body.decided_at) > opened.until, "released in the window"


def _approvers(before: Sequence[Entry], stage: StageId, at: datetime) -> frozenset[PersonId]:
    retracted = {one.signed.body.of for one in before if isinstance(one.signed.body, Retraction)}
    return frozenset(
        one.signed.body.person
        for one in before
        if isinstance(one.signed.body, Approval)
        and stage in one.signed.body.stages
        and one.signed.id not in retracted
        and one.signed.body.expires_at >= at
    )


def check_stages_follow_each_other(case: CaseFile) -> None:
    """I-10: stages are an activated prefix, then at most one under way or failed, then none."""
    states = [progress.state for progress in case.claim.stages]
    rest = states[next((n for n, one in enumerate(states) if one is not StageState.ACTIVATED), len(states)) :]
    if StageState.ROLLED_BACK in states:
        return  # undone last first: their receipts are in the ledger, and the fold admitted each
    assert all(one in {StageState.WAITING, StageState.QUORATE} for one in rest[1:]), states


def _check_contributions(case: CaseFile, site: Site) -> None:
    """I-9: what a decision names is in every store, byte for byte."""
    stores = sorted(site.root.glob("blobs*"))
    assert stores, "a site has its stores"
    for _, body in _released(case):
        for one in body.contributions:
            assert _copies(site.root, one.sealed_digest) >= 2, "the contribution is in both stores"


def _copies(root: Path, digest: str) -> int:
    copies = root.glob(f"blobs*/**/{digest.removeprefix('sha256:')}")
    return sum(sha256_digest(path.read_bytes()) == digest for path in copies)


def _check_evidence(release: Release, site: Site, database: Engine) -> None:
    keys, public = read_key_file(site.log_key_file), site.deployment()
    with transaction(database) as session:
        data = export(session, release.claim, keys.signing_key, root_keys=public.root_keys)
    report = verify(data, trust=statement_id(release.agreement_statement))
    assert report.holds, report.broken
