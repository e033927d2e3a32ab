"""A report as PDF/A-3 (ISO 19005-3), with the evidence file inside."""

import json
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, cast

from tallystick.domain.errors import TallystickError
from tallystick.domain.json import JsonObject
from tallystick.domain.report.layout import Block, Paper, Table
from tallystick.limits.logs import REPORT_TEXT_BYTES_MAX

_STANDARD: Final = "a-3a"
COVERED: Final = (
    (0x0020, 0x007E),
    (0x00A0, 0x017F),  # Latin
    (0x0386, 0x0386),
    (0x0388, 0x038A),
    (0x038C, 0x038C),
    (0x038E, 0x03A1),
    (0x03A3, 0x03CE),  # Greek
    (0x0400, 0x045F),  # Cyrillic
    (0x2010, 0x2022),
    (0x2026, 0x2026),
    (0x20AC, 0x20AC),
    (0x2713, 0x2713),
)
"""What the fonts have that come with Typst; PDF/A forbids a character without a glyph."""


class _Compile(Protocol):
    """`typst.compile` with several files, which its own types leave out."""

    def __call__(
        self,
        files: Mapping[str, bytes],
        *,
        format: str,  # noqa: A002 - its own name
        pdf_standards: Sequence[str],
        ignore_system_fonts: bool,
    ) -> bytes: ...


class ReportToolMissingError(TallystickError):
    """A PDF is asked for, and what makes it is not installed."""

    code = "report-tool-missing"
    why = "A PDF is made by Typst, which Tallystick installs only on request."
    advice = "Run `pip install 'tallystick[report]'`, or make a web page with `--html`."


class ReportTooLargeError(TallystickError):
    """A report that no PDF is made of."""

    code = "report-too-large"
    why = "A claim's record is so long that setting its report as a PDF would take gigabytes of memory."
    advice = "Make a web page with `--html`; it has the same text, however long."


def pdf_of(paper: Paper, evidence: bytes, *, made_at: datetime) -> bytes:
    r"""Return the report as PDF/A-3a; the same report and release of Typst give the same bytes.

    Letters that its fonts lack are written as `\u{6f22}`; the web page has them.

    Args:
        paper: The report.
        evidence: The evidence file that it was made from; it is attached.
        made_at: The date of the document.

    Raises:
        ReportToolMissingError: Typst is not installed.
        ReportTooLargeError: It has too much text.
    """
    try:
        import typst  # noqa: PLC0415 - optional, and large
    except ImportError:
        raise ReportToolMissingError("typst is not installed") from None
    template = pkgutil.get_data("tallystick.desk.papers", "report.typ")
    assert template is not None, "it is in the package"
    document = json.dumps(_document(paper, made_at)).encode()
    if len(document) > REPORT_TEXT_BYTES_MAX:
        raise ReportTooLargeError(
            "the report is too long for a PDF", size_bytes=len(document), limit=REPORT_TEXT_BYTES_MAX
        )
    sources = {"main.typ": template, "report.json": document, "evidence.json": evidence}
    # No font of this machine: the report must be the same on each.
    return cast("_Compile", typst.compile)(
        sources, format="pdf", pdf_standards=[_STANDARD], ignore_system_fonts=True
    )


def _document(paper: Paper, made_at: datetime) -> JsonObject:
    return {
        "title": _printable(paper.title),
        "made": {"year": made_at.year, "month": made_at.month, "day": made_at.day},
        "warning": None if paper.warning is None else _printable(paper.warning),
        "sections": [
            {"title": _printable(section.title), "blocks": [_block(block) for block in section.blocks]}
            for section in paper.sections
        ],
    }


def _block(block: Block) -> str | JsonObject:
    if not isinstance(block, Table):
        return _printable(block)
    return {
        "headings": [_printable(heading) for heading in block.headings],
        "widths": list(block.widths),
        "rows": [[[_printable(line) for line in cell] for cell in row] for row in block.rows],
    }


def _printable(text: str) -> str:
    return "".join(_letters(text))


def _letters(text: str) -> Iterator[str]:
    for letter in text:
        code = ord(letter)
        covered = any(first <= code <= last for first, last in COVERED)
        yield letter if covered else f"\\u{{{code:x}}}"
