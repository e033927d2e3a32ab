"""A report as one web page, which loads nothing and runs nothing."""

from collections.abc import Iterator
from html import escape
from typing import Final

from tallystick.domain.report.layout import Block, Cell, Paper, Table

_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 Georgia, serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #111 }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: .9rem }}
th, td {{ border: 1px solid #999; padding: .3rem .5rem; text-align: left; vertical-align: top }}
td, p {{ overflow-wrap: anywhere }}
.warning {{ border: 3px solid #a00; padding: .5rem 1rem }}
@media print {{ body {{ margin: 0; max-width: none }} tr {{ break-inside: avoid }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
"""
_FOOT: Final = "</main>\n</body>\n</html>\n"


def page_of(paper: Paper) -> bytes:
    """Return the report as a web page, UTF-8; the same report gives the same bytes."""
    return "".join(_parts(paper)).encode()


def _parts(paper: Paper) -> Iterator[str]:
    yield _HEAD.format(title=escape(paper.title))
    if paper.warning is not None:
        yield f'<p class="warning">{escape(paper.warning)}</p>\n'
    for section in paper.sections:
        yield f"<h2>{escape(section.title)}</h2>\n"
        yield from map(_block, section.blocks)
    yield _FOOT


def _block(block: Block) -> str:
    return _table(block) if isinstance(block, Table) else f"<p>{escape(block)}</p>\n"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in table.headings)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in table.rows)
    named = f"<thead><tr>{head}</tr></thead>\n" if any(table.headings) else ""
    return f"<table>\n{named}<tbody>\n{rows}</tbody>\n</table>\n"


def _cell(lines: Cell) -> str:
    return f"<td>{'<br>'.join(map(escape, lines))}</td>"
