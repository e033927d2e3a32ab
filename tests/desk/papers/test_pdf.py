"""A report as PDF: an archive format, the evidence inside, and every letter readable."""

import io
import sys
from datetime import UTC, datetime
from typing import Final

import pytest
from pypdf import PdfReader

from tallystick.desk.papers.pdf import COVERED, ReportTooLargeError, ReportToolMissingError, pdf_of
from tallystick.domain.report.layout import Paper, section, table
from tallystick.limits.logs import REPORT_TEXT_BYTES_MAX

MADE_AT: Final = datetime(2026, 10, 30, 9, tzinfo=UTC)
DIGEST: Final = "sha256:" + 4 * "0123456789abcdef"
EVIDENCE: Final = b'{"case":1}'


def paper(*texts: str) -> Paper:
    rows = table(("Text", "Digest"), (1, 3), [(text, (DIGEST, "second line")) for text in texts])
    return Paper(title="Report", warning=None, sections=(section("Texts", *texts, rows),))


def made(*texts: str) -> PdfReader:
    return PdfReader(io.BytesIO(pdf_of(paper(*texts), EVIDENCE, made_at=MADE_AT)))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def test_the_evidence_file_is_inside_byte_for_byte() -> None:
    assert made("one").attachments == {"evidence.json": [EVIDENCE]}


def test_it_says_that_it_is_pdf_a_3() -> None:
    made_of = pdf_of(paper("one"), EVIDENCE, made_at=MADE_AT)
    metadata = made_of[made_of.index(b"<x:xmpmeta") : made_of.index(b"</x:xmpmeta")]
    assert b"<pdfaid:part>3</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in metadata


def test_the_same_report_gives_the_same_bytes() -> None:
    first, second = (pdf_of(paper("one"), EVIDENCE, made_at=MADE_AT) for _ in range(2))
    assert first == second


def test_no_text_is_read_as_typst() -> None:
    hostile = '#panic("x") $x$ *bold* \\ #read("/etc/passwd") ]'
    assert hostile in text_of(made(hostile)).replace("\n", " ")


def test_a_digest_can_be_copied_whole() -> None:
    assert DIGEST in text_of(made("one")).replace("\n", "")


@pytest.mark.parametrize(("first", "last"), COVERED)
def test_its_fonts_have_what_they_are_said_to_have(first: int, last: int) -> None:
    assert made("".join(map(chr, range(first, last + 1)))).pages  # PDF/A refuses what has no glyph


def test_what_no_font_has_is_written_in_numbers() -> None:
    assert "\\u{6f22}\\u{5b57} \\u{1f600}" in text_of(made("漢字 😀"))


def test_a_report_that_would_take_gigabytes_is_refused() -> None:
    with pytest.raises(ReportTooLargeError):
        made(*(REPORT_TEXT_BYTES_MAX // 1000 + 1) * [1000 * "a"])


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(ReportToolMissingError):
        made("one")
