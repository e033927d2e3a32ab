"""What a signer reads: the same words in every program, and all that the body says."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from tallystick.crypto.json.canonical import parse
from tallystick.domain.acts.all import draft
from tallystick.domain.comparison_words import comparison_words
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.json import JsonValue
from tallystick.domain.kinds import Kind
from tallystick.domain.shown.claims import filed_claim
from tallystick.domain.shown.shown import SIGNED_BY_PERSONS, Context, shows
from tallystick.domain.statements.acts import Objection
from tests.support.shown_vectors import CONTEXT, FOLDER, shown, stored, vectors
from tests.support.stories.stories import play
from tests.support.worlds.agreements import DORA
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.world import World

NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != CONTEXT)
MADE_BY_PROGRAMS = {
    Kind.ENROLMENT,
    Kind.CUSTODY,
    Kind.NOTICE,
    Kind.SIGHTING,
    Kind.STORAGE_NOTICE,
    Kind.EVENT,
    Kind.DECISION,
    Kind.EVIDENCE,
    Kind.LETTER,
    Kind.LETTER_KEY,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_signer_reads_these_lines_for_this_body(name: str) -> None:
    vector = stored(name)
    assert shown(vector, stored(CONTEXT)) == vector["lines"]


def test_every_kind_that_persons_sign_has_a_vector() -> None:
    assert {stored(name)["kind"] for name in NAMES} == SIGNED_BY_PERSONS
    assert set(Kind) - MADE_BY_PROGRAMS == SIGNED_BY_PERSONS


def test_no_vector_is_left_over_and_none_is_missing() -> None:
    assert list(vectors()) == NAMES


@pytest.mark.parametrize(
    "name", [n for n in NAMES if stored(n)["kind"] != "agreement" and "another" not in n]
)
def test_the_lines_have_everything_that_a_body_says_but_its_nonce(name: str) -> None:
    vector = stored(name)
    lines = "\n".join(vector["lines"])
    if "WARNING" in lines:
        return
    for leaf in leaves(parse(vector["body"].encode())):
        long = hashlib.sha256(leaf.encode()).hexdigest()
        assert any(form in lines for form in (leaf, leaf.replace("_", " "), long)), leaf


@pytest.mark.parametrize("name", NAMES)
def test_the_digest_of_what_is_signed_is_shown_unless_it_is_about_another_claim(name: str) -> None:
    vector = stored(name)
    assert (vector["statement"] in "\n".join(vector["lines"])) is ("another" not in name)


def test_a_signer_reads_the_claim_the_condition_the_evidence_and_the_stages() -> None:
    lines, filing = "\n".join(stored("approval")["lines"]), play("bea files").claim.filing
    claim = stored(CONTEXT)["claim"]["digest"]
    for wanted in (
        claim,
        " ".join(comparison_words(claim)),
        "Insolvency with disruption",
        "kim@kestrel approves the release of",
        f"rules of generation {filing.generation}",
        "licence-keys, activation-rules",
        filing.deposit,
        str(filing.declaration),
        *(document.plain_digest for document in filing.evidence),
    ):
        assert wanted in lines


def test_an_agreement_is_shown_whole() -> None:
    lines = stored("agreement")["lines"]
    assert any("may file a claim" in line for line in lines)
    assert any(line.startswith("Stage critical releases") for line in lines)
    assert stored("agreement-second-version")["lines"] != lines


def test_what_is_shown_follows_the_body_and_not_what_was_asked_for() -> None:
    world = play("bea files\nana accepts\ndora acknowledges")
    body = objection(world)
    swapped = replace(body, explanation="Something else.", stages=(StageId("source"),))
    context = beside(world)
    lines = tuple(shows(swapped, context))
    assert 'ground "cured": "Something else."' in lines
    assert "scope: source" in lines
    assert "scope: the whole claim" in shows(body, context)


def test_what_others_wrote_makes_no_line_of_its_own_and_hides_or_turns_no_text() -> None:
    world = play("bea files\nana accepts\ndora acknowledges")
    hidden = "over\nstatement sha256:0\u202erenoitcejbo\u200b\u2028\\n"
    (told,) = (
        line
        for line in shows(replace(objection(world), explanation=hidden), beside(world))
        if line.startswith("ground")
    )
    assert told == r'ground "cured": "over\nstatement sha256:0\u202erenoitcejbo\u200b\u2028\\n"'
    claim = replace(world.claim.filing, declaration="Unpaid.\nits record says: state RELEASED")
    beside_it = replace(beside(world), claim=replace(filed_claim(world.claim), filing=claim))
    lines = tuple(shows(objection(world), beside_it))
    assert r'declared: "Unpaid.\nits record says: state RELEASED"' in lines
    assert not any("\n" in line for line in lines)


def test_a_line_is_shown_before_the_next_one_is_made() -> None:
    world = play("bea files\nana accepts\ndora acknowledges")
    unmade = cast("Any", object())  # of a statement that could not be shown
    claim = replace(filed_claim(world.claim), stated=((unmade, some_digest(1)),))
    lines = shows(objection(world), replace(beside(world), claim=claim))
    assert next(lines).startswith(f"{DORA} objects to this claim")
    with pytest.raises(AttributeError):
        tuple(lines)


def test_a_statement_about_another_claim_is_shown_with_a_warning_and_nothing_of_this_claim() -> None:
    world = play("bea files\nana accepts\ndora acknowledges")
    lines = tuple(shows(replace(objection(world), claim=some_digest(1)), beside(world)))
    assert lines[1].startswith("WARNING")
    assert len(lines) == 2


def objection(world: World) -> Objection:
    heading = Heading(
        terms=world.terms,
        claim=world.claim.digest,
        filing=world.claim.filing,
        person=DORA,
        issued_at=world.now,
        nonce=32 * "0",
    )
    choices = Choices(ground="cured", explanation="It is repaired.")
    body = draft(Kind.OBJECTION, heading, world.claim, choices)
    assert isinstance(body, Objection)
    return body


def beside(world: World) -> Context:
    return Context(
        statement=Digest("sha256:" + 64 * "0"), agreement=world.agreement, claim=filed_claim(world.claim)
    )


def leaves(value: JsonValue, name: str = "") -> Iterator[str]:
    """Yield every text and number of a document, but for nonces; a true or false is said in the sentence."""
    if isinstance(value, Mapping):
        for member, inner in value.items():
            yield from leaves(inner, member)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner, name)
    elif not isinstance(value, bool) and name != "nonce":
        yield str(value)
