"""The web page of a report loads nothing and runs nothing, whoever wrote the texts in it."""

from html.parser import HTMLParser

from tallystick.desk.papers.html import page_of
from tallystick.domain.report.layout import Paper, section, table

HOSTILE = '</td><script>alert(1)</script><img src="https://evil.example/x" onerror="alert(2)">'
PAPER = Paper(
    title=HOSTILE,
    warning=HOSTILE,
    sections=(
        section(HOSTILE, HOSTILE, table(("A", "B"), (1, 2), [(HOSTILE, ("one", "two"))])),
        section("Empty", table(("", ""), (1, 1), [])),
    ),
)


class Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: bytes) -> Reading:
    reading = Reading()
    reading.feed(page.decode())
    return reading


def test_texts_of_others_are_texts_on_the_page() -> None:
    reading = read(page_of(PAPER))
    assert not reading.tags & {"script", "img", "a", "link", "iframe", "form"}
    assert not {name for name in reading.attributes if name.startswith("on") or name in {"src", "href"}}
    assert reading.texts.count(HOSTILE) == 6  # the title twice, warning, heading, paragraph, cell


def test_the_page_forbids_itself_to_load_anything() -> None:
    assert b"""content="default-src 'none'; style-src 'unsafe-inline'\"""" in page_of(PAPER)


def test_every_line_of_a_cell_is_there() -> None:
    texts = read(page_of(PAPER)).texts
    assert {"A", "B", "one", "two"} <= set(texts)


def test_the_same_report_gives_the_same_page() -> None:
    assert page_of(PAPER) == page_of(PAPER)
