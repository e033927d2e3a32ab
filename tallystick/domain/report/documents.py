"""The documents of a claim: who brought each, when it is dated, and by which digest to know it."""

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.documents import NamedDocument, documents_of
from tallystick.domain.codec import instant_text
from tallystick.domain.quoting import quoted
from tallystick.domain.report.grounds import Grounds
from tallystick.domain.report.layout import Section, section, table
from tallystick.domain.statements.orders import Ruling


def brought(grounds: Grounds) -> Section:
    """Return which documents were named in the claim's record, and which of them a ruling rests on."""
    named = documents_of(grounds.claim)
    relied_on = _relied_on(grounds.claim)
    rows = (_row(one, relied=one.document.plain_digest in relied_on) for one in named)
    columns = ("No.", "Document", "Brought by", "SHA-256 of the document")
    return section("Documents", table(columns, (1, 3, 4, 6), rows) if named else "No document was named.")


def _row(named: NamedDocument, *, relied: bool) -> tuple[str | tuple[str, ...], ...]:
    document = named.document
    dated = "undated" if document.issued_at is None else f"dated {instant_text(document.issued_at)}"
    rests = ("a ruling rests on it",) if relied else ()
    return (
        str(named.number),
        (quoted(document.name), dated, *rests),
        (named.person, f"in the {named.kind.value.replace('-', ' ')}", named.statement),
        document.plain_digest,
    )


def _relied_on(claim: Claim) -> frozenset[str]:
    return frozenset(one for _, ruling in claim.entries_of(Ruling) for one in ruling.rests_on)
