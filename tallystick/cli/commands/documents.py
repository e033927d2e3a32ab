"""`tallystick claim documents`: which documents a claim has, and one of them opened."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted
from tallystick.cli.output import print_result
from tallystick.desk.claims import open_claim
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.documents.reading import (
    ListedDocument,
    document_lines,
    listed_documents,
    open_document,
)
from tallystick.domain.codec import encode_object
from tallystick.domain.json import JsonObject
from tallystick.domain.quoting import quoted
from tallystick.proof.case import Case


def documents(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    open_: Annotated[
        int | None, typer.Option("--open", metavar="N", help="Fetch document N, and open it with your key.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The new file into which document N is written.")
    ] = None,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """List a claim's documents, from the record as verified here; open one of them with your key."""
    if (open_ is None) is not (out is None):
        raise typer.BadParameter("--open N and --out FILE go together")
    with opened(context, api, key) as desk:
        case = open_claim(desk, claim, at=now(), trusted=trust)
        if open_ is not None and out is not None:
            found = open_document(desk, case, open_, out)
            print_result(_document(found), _opened(found, out), as_json=as_json)
        elif as_json:
            print_result(_listing(desk, case), (), as_json=True)
        else:
            print_result({}, document_lines(desk, case), as_json=False)


def _opened(found: ListedDocument, out: Path) -> Iterator[str]:
    named = found.named
    yield f"document {named.number}, {quoted(named.document.name)} by {named.person}, is in {out}"
    yield "its digests are those that the statement names; what it says is its author's word"


def _listing(desk: Desk, case: Case) -> JsonObject:
    readers = list(case.agreement.evidence_readers)
    return {
        "documents": [_document(one) for one in listed_documents(desk, case)],
        "readers": readers,
        "you_read": desk.person_in(case.agreement).id in readers,
    }


def _document(one: ListedDocument) -> JsonObject:
    return {**encode_object(one.named), "size_bytes": one.size_bytes, "opened": one.opened}
