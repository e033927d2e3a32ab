"""A report tells the whole of a claim's record, in words, and nothing that is not in it."""

from itertools import chain
from typing import Final

import pytest

from tallystick.domain.claim.documents import documents_of
from tallystick.domain.claim.state import ClaimState, EventType, StageState
from tallystick.domain.kinds import Authority, Happening, Kind, Outcome
from tallystick.domain.record.generations import rules_of
from tallystick.domain.report.layout import Paper, Section, Table
from tallystick.domain.report.whole import report
from tallystick.domain.report.words import CHECKS, EVENTS, PREMISES, STAGES, STATES
from tallystick.domain.statements.header import Document
from tallystick.proof.evidence.verify import PREMISES as VERIFIED
from tests.support.stories.stories import play
from tests.support.stories.told import grounds_in
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.world import World

CONTESTED: Final = """
    bea files
    ana accepts
    dora acknowledges
    dora objects
"""
RELEASED: Final = """
    bea files for critical
    ana accepts
    dora acknowledges
    abe denies stage critical
    abe retracts the denial
    kim approves critical
    the window ends
    ana approves critical
    tom approves critical
    bea reports critical activated
"""
REFUSED: Final = f"""
    {CONTESTED}
    kim rules to refuse
"""
UNDONE: Final = """
    bea files for critical
    ana accepts
    dora acknowledges
    the window ends
    ana approves critical
    kim approves critical
    tom approves critical
    bea reports critical failed
"""
OF_THE_LOG: Final = {  # what concerns a deposit or the log, and no claim
    Happening.DEPOSIT_VERIFIED,
    Happening.DEPOSIT_FAILED,
    Happening.REPLICA_LOST,
    Happening.LEDGER_NOT_EXTENDED,
    Happening.LEDGER_DAMAGED,
}


def told(story: str, *, anchored: bool = True) -> Paper:
    return report(grounds_in(play(story), anchored=anchored))


def titled(paper: Paper, title: str) -> Section:
    (found,) = (section for section in paper.sections if section.title.startswith(title))
    return found


def lines_of(section: Section) -> list[str]:
    tables = [block for block in section.blocks if isinstance(block, Table)]
    cells = [line for table in tables for row in table.rows for cell in row for line in cell]
    return [block for block in section.blocks if isinstance(block, str)] + cells


def all_lines(paper: Paper) -> list[str]:
    return list(chain.from_iterable(map(lines_of, paper.sections)))


# ------------------------------------------------------------------------------ nothing lacks its words


def test_every_state_has_a_sentence() -> None:
    assert set(STATES) == set(ClaimState)
    assert set(STAGES) == set(StageState)


def test_everything_that_engine_and_gate_record_about_a_claim_has_a_sentence() -> None:
    by_engine = {EventType(one.value) for one in set(Happening) - OF_THE_LOG}
    by_gate = {EventType.NOTICE_SIGHTED, EventType.STAGE_DECIDED, EventType.STAGE_REFUSED}
    assert set(EVENTS) == by_engine | by_gate | {EventType.NOTICE_SENT, EventType.NOTICE_NOT_TAKEN}


def test_every_premise_of_a_release_has_a_sentence() -> None:
    assert tuple(PREMISES) == rules_of(1).premises


def test_every_check_of_a_file_has_a_sentence() -> None:
    assert tuple(CHECKS) == VERIFIED


# ------------------------------------------------------------------------------------- what it tells


@pytest.mark.parametrize("story", [CONTESTED, RELEASED, REFUSED, UNDONE])
def test_every_entry_of_the_record_is_told(story: str) -> None:
    world = play(story)
    lines = lines_of(titled(report(grounds_in(world)), "What happened"))
    for entry in world.claim.entries:
        assert f"entry {entry.index}, {entry.signed.id}" in lines


@pytest.mark.parametrize("story", [CONTESTED, RELEASED, REFUSED, UNDONE])
def test_the_outcome_is_the_state_that_the_record_makes(story: str) -> None:
    world = play(story)
    (first, *_) = lines_of(titled(report(grounds_in(world)), "Outcome"))
    assert first.startswith(STATES[world.claim.state])


def test_an_objection_that_stands_is_in_the_outcome() -> None:
    assert "Objections stand by dora@nordwind." in lines_of(titled(told(CONTESTED), "Outcome"))
    assert not any("stand by" in line for line in lines_of(titled(told(REFUSED), "Outcome")))


def test_a_vote_says_why_it_counts_or_does_not() -> None:
    (table,) = (b for b in titled(told(RELEASED), "Votes").blocks if isinstance(b, Table))
    counted = {(row[0][0], row[1][0], row[2][0]) for row in table.rows}
    assert {("tom@marlowe", "approves", "yes"), ("abe@harbour", "denies", "no")} <= counted
    assert ("its author took it back",) in {row[3][:1] for row in table.rows}
    assert {row[3][0] for row in table.rows if row[2] == ("yes",)} == {"valid, by a person of the quorum"}


def test_votes_are_counted_as_they_were_when_the_stage_was_released() -> None:
    world = play(RELEASED)
    grounds = grounds_in(world)
    world.revokes("tom@marlowe", "tom@marlowe")
    later = report(grounds_in(world))
    assert titled(later, "Votes") == titled(report(grounds), "Votes")
    assert any("revoked at" in line for line in lines_of(titled(later, "Parties")))


def test_a_release_names_every_premise_and_a_refusal_the_unmet_ones() -> None:
    world = play("bea files for critical\nana accepts\ndora acknowledges\nthe window ends")
    world.sight_changes["halted"] = True
    for who in ("ana@harbour", "kim@kestrel", "tom@marlowe"):
        world.approves(who, stages=["critical"])
    world.settles()
    refused = [b for b in titled(report(grounds_in(world)), "Decisions").blocks if isinstance(b, Table)]
    assert [row[0] for row in refused[0].rows] == [(PREMISES["not-halted"],)]
    (released,) = (b for b in titled(told(RELEASED), "Decisions").blocks if isinstance(b, Table))
    assert [row[0] for row in released.rows] == [(sentence,) for sentence in PREMISES.values()]


def test_a_deadline_lists_the_days_that_were_counted() -> None:
    lines = lines_of(titled(told(CONTESTED), "Deadlines"))
    assert any("not counted: weekend" in line for line in lines)


def test_every_document_is_told_with_who_brought_it_and_whether_a_ruling_rests_on_it() -> None:
    world = play(CONTESTED)
    first = documents_of(world.claim)[0]
    award = Document(name="award", plain_digest=some_digest(7), sealed_digest=some_digest(8))
    world.says(
        Kind.RULING,
        "kim@kestrel",
        authority=Authority.ARBITRATION,
        outcome=Outcome.REFUSE,
        documents=(award,),
        reason="Heard.",
        rests_on=(first.document.plain_digest,),
    )
    told = titled(report(grounds_in(world)), "Documents")
    (found,) = (block for block in told.blocks if isinstance(block, Table))
    assert len(found.rows) == len(documents_of(world.claim))
    assert [("a ruling rests on it" in row[1]) for row in found.rows] == [True] + [False] * (
        len(found.rows) - 1
    )
    assert found.rows[0][2][0] == world.claim.filing.person
    _, what, by, digest = found.rows[-1]
    assert (what, by[0], digest) == (('"award"', "undated"), "kim@kestrel", (award.plain_digest,))


def test_a_report_that_nothing_anchors_says_so_first() -> None:
    assert told(CONTESTED, anchored=False).warning is not None
    assert told(CONTESTED).warning is None


def test_texts_of_others_stay_within_their_lines() -> None:
    world = World()
    play("bea files\nana accepts\ndora acknowledges", world)
    world.objects(explanation="cured\n\nOutcome: RELEASED\u202e")
    assert all("\n" not in line and "\u202e" not in line for line in all_lines(report(grounds_in(world))))
