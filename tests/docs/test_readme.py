"""What the documents tell people to type exists, and their links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from typer.main import get_command

from tallystick.cli.main import app
from tallystick.domain.claim.state import TRANSITIONS, ClaimState
from tests.support.docs import ROOT

README: Final = ROOT / "README.md"
PAGES: Final = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")],
    key=str,
)
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
INLINE: Final = re.compile(r"`tallystick ([^`]+)`")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> Iterator[str]:
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def typed(text: str, program: str) -> Iterator[list[str]]:
    """Yield the words after each call of `program` in shell lines."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        words.whitespace_split = True
        command: list[str] = []
        for word in (*words, ";"):
            if not set(word) <= set("();<>|&"):
                command = [] if word == "do" else [*command, word]
                continue
            if command[:1] == [program]:
                yield command[1:]
            command = []


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that the words call, and its arguments."""
    command: Any = get_command(app)
    while hasattr(command, "get_command") and words[:1] != ["--version"]:
        context = command.make_context("tallystick", [], resilient_parsing=True)
        found = command.get_command(context, words[0]) if words else None
        assert found is not None, f"no command: {words}"
        command, words = found, words[1:]
    return command, words


def options_of(command: Any) -> set[str]:  # noqa: ANN401 - Typer vendors click, whose types are not ours to name
    return {"--help", *(option for parameter in command.params for option in parameter.opts)}


IN_BLOCKS: Final = [
    (name_of(page), words)
    for page in PAGES
    for text in blocks(page, "", "sh", "console")
    for words in typed(text, "tallystick")
]
IN_SENTENCES: Final = [
    (name_of(page), inline.split())
    for page in PAGES
    for inline in INLINE.findall(page.read_text(encoding="utf-8"))
]
LINKS: Final = [
    (name_of(page), link)
    for page in PAGES
    for link in LINK.findall(page.read_text(encoding="utf-8"))
    if not link.startswith(("https://", "http://", "mailto:"))
]


@pytest.mark.parametrize(("page", "words"), IN_BLOCKS, ids=str)
def test_command_to_paste_parses(page: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_API", "http://127.0.0.1:8080")
    command, rest = command_of(words)
    assert command.make_context(page, list(rest)).args == []


@pytest.mark.parametrize(("page", "words"), IN_SENTENCES, ids=str)
def test_command_in_a_sentence_exists_with_its_options(page: str, words: list[str]) -> None:
    command, rest = command_of(words)
    given = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert given <= options_of(command), page


def test_readme_walks_through_the_whole_of_a_release() -> None:
    walked = {tuple(words[:2]) for page, words in IN_BLOCKS if page == "README.md"}
    firsts = {words[0] for words in walked}
    assert {("agreement", "register"), ("deposit", "make"), ("claim", "file")} <= walked
    assert {"up", "intake", "approve", "receive", "evidence"} <= firsts


@pytest.mark.parametrize("text", list(blocks(README, "sh")))
def test_readmes_shell_blocks_hold_no_prompt_and_no_placeholder(text: str) -> None:
    assert not re.search(r"^\s*[$>] |…|<[a-z]", text, re.MULTILINE)


@pytest.mark.parametrize(("page", "link"), LINKS, ids=str)
def test_link_resolves(page: str, link: str) -> None:
    path, _, heading = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    if heading:
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}


def test_readmes_picture_draws_only_steps_of_the_table() -> None:
    (picture,) = blocks(README, "mermaid")
    arrows = re.findall(r"^ +(\S+) --> (\w+)", picture, re.MULTILINE)
    drawn = {(a, b) for a, b in arrows if a != "[*]"}
    assert drawn <= {(a.value, b.value) for (a, _), b in TRANSITIONS.items()}
    assert {state for arrow in drawn for state in arrow} <= {state.value for state in ClaimState}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_make_has_every_target_that_people_are_told_to_call(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = {words[0] for text in blocks(ROOT / page, "", "sh") for words in typed(text, "make")}
    assert told
    assert told <= targets


def test_readmes_two_commands_are_demo_and_test() -> None:
    first = next(blocks(README, "sh"))
    assert [words[0] for words in typed(first, "make")] == ["demo", "test"]
