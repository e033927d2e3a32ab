"""`tallystick evidence`: fetch a claim's evidence file, and verify one offline."""

from pathlib import Path
from typing import Annotated, Final

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted
from tallystick.cli.output import print_result
from tallystick.client.route import route
from tallystick.desk.files import read_file, write_file
from tallystick.desk.papers.html import page_of
from tallystick.desk.papers.pdf import pdf_of
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import sha256_digest
from tallystick.domain.json import JsonObject
from tallystick.domain.report.whole import report
from tallystick.limits.logs import EVIDENCE_SIZE_BYTES_MAX
from tallystick.proof.evidence.grounds import grounds_of
from tallystick.proof.evidence.report import Report
from tallystick.proof.evidence.verify import verify

EXIT_REFUSED: Final = 1
EXIT_UNANCHORED: Final = 4
"""Every check passed, and nothing says whether it is the agreement that its reader trusts."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Export a claim's evidence, and verify it offline."
)


@app.command()
def export(
    context: typer.Context,
    claim: ClaimName,
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    api: Api,
    key: Key,
    as_json: Json = False,
) -> None:
    """Write a claim's whole record to one file, for anyone who wants to verify it."""
    with opened(context, api, key) as desk:
        path = route("claims", claim, "evidence")
        data = desk.client.get_bytes(path, size_bytes_max=EVIDENCE_SIZE_BYTES_MAX)
    write_file(out, data)
    written = sha256_digest(data)
    document: JsonObject = {"file": str(out), "size_bytes": len(data), "digest": written}
    lines = [
        f"{out}  {len(data)} bytes  {written}",
        f"verify with: tallystick evidence verify {out}",
    ]
    print_result(document, lines, as_json=as_json)


@app.command("verify")
def verify_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The evidence file.")],
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Verify an evidence file, check by check, without a network.

    Exit code 1 if a check fails; 4 if all hold, but without --trust nothing says whose agreement it is.
    """
    found = verify(read_file(file, size_bytes_max=EVIDENCE_SIZE_BYTES_MAX), trust=trust)
    anchored = trust is not None
    document: JsonObject = {**encode_object(found), "holds": found.holds, "anchored": anchored}
    print_result(document, _lines(found, anchored=anchored), as_json=as_json)
    if not found.holds:
        raise typer.Exit(EXIT_REFUSED)
    _end_unless(anchored)


@app.command("report")
def report_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The evidence file.")],
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    html: Annotated[bool, typer.Option("--html", help="Write a web page instead of a PDF.")] = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Tell in words what an evidence file proves, as a PDF with the file inside or as a web page.

    The file is verified first: if a check fails, there is no report, and the exit code is 1. It is 4 if all
    hold, but without --trust nothing says whose agreement it is; then the report says so as well.
    """
    data = read_file(file, size_bytes_max=EVIDENCE_SIZE_BYTES_MAX)
    grounds = grounds_of(data, trust=trust)
    paper = report(grounds)
    made = page_of(paper) if html else pdf_of(paper, data, made_at=grounds.made_at)
    write_file(out, made)
    document: JsonObject = {
        "file": str(out),
        "size_bytes": len(made),
        "digest": sha256_digest(made),
        "claim": grounds.claim.digest,
        "state": grounds.claim.state.value,
        "anchored": grounds.anchored,
    }
    verdict = "for the agreement that you trust" if grounds.anchored else paper.warning or ""
    lines = [f"{out}  {len(made)} bytes  {sha256_digest(made)}", f"every check passed: {verdict}"]
    print_result(document, lines, as_json=as_json)
    _end_unless(grounds.anchored)


def _end_unless(anchored: bool) -> None:
    if not anchored:
        raise typer.Exit(EXIT_UNANCHORED)


def _lines(report: Report, *, anchored: bool) -> list[str]:
    lines = [
        f"{check.number:>2}  {'passed' if check.holds else 'FAILED'}  {check.premise:<18}  {check.found}"
        for check in report.steps
    ]
    if (failed := report.broken) is not None:
        return [*lines, f"check {failed.number} ({failed.premise}) failed; later checks were not run"]
    if not anchored:
        return [*lines, "every check passed; compare the agreement with yours, or pass it as --trust"]
    return [*lines, "every check passed"]
