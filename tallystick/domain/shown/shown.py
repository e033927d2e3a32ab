"""Lines made from the very body that will be signed, for every statement that a person signs.

They come from the body, the claim it names and the agreement it is under, never from what went
into a draft: what is shown is what is signed. The first signer and those who sign after them read
the same lines. Every program that shows them is tested against `tests/domain/shown/vectors`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from tallystick.domain.acts.all import ACTS, BY_KIND
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.quoting import one_line, quoted
from tallystick.domain.shown.agreements import agreement_to_sign
from tallystick.domain.shown.claims import FiledClaim, agreement_lines, claim_lines
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import ActBody, Header, LedgerSeen
from tallystick.domain.statements.keys import KeyRevocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a signer has, in addition to the body.

    Attributes:
        statement: The id of the statement to be signed: the digest over its kind and body.
        agreement: The version that the body is under, or that it is.
        claim: The claim that an act is about.
        previous: The version that an agreement takes the place of.
        at: The present, for an agreement: claims are played from there.
    """

    statement: Digest
    agreement: Agreement
    claim: FiledClaim | None = None
    previous: Agreement | None = None
    at: datetime | None = None


def shows(body: Header | Agreement, context: Context) -> Iterator[str]:
    """Yield the lines that a signer reads: what signing does, about what, on what grounds.

    Each is one line on any screen, and what somebody else wrote stands in it between quotes (`quoting`).
    What others have stated about one claim may be megabytes, so no more than one line is made at a time.

    Args:
        body: A body of one of the kinds that persons sign (`SIGNED_BY_PERSONS`).
        context: What the body refers to. For an act, that is the claim it is sent to; if the body names
            another claim, the lines warn about it.
    """
    return map(one_line, _LINES[type(body)](body, context))


def _agreement(body: Agreement, context: Context) -> Iterator[str]:
    return agreement_to_sign(body, context.statement, previous=context.previous, at=context.at)


def _claim(body: ClaimFiling, context: Context) -> Iterator[str]:
    yield f"{body.person} files this claim: it asks for the stages below, on the condition below."
    yield from agreement_lines(context.agreement, body)
    yield from claim_lines(context.agreement, context.statement, body)
    yield from (f"sealed evidence {one.item} {one.sealed_digest}" for one in body.evidence)
    yield from _verified(body.ledger_seen)


def _deposit(body: Deposit, context: Context) -> Iterator[str]:
    yield f"{body.person} makes deposit {body.number}: a claim may ask for what is in it."
    yield f"content as of {instant_text(body.watermark)}"
    yield f"follows the deposit {body.previous}" if body.previous else "the first deposit"
    for one in body.components:
        yield f"component {one.component}: {one.files} files, {one.payload_bytes} bytes"
        yield f"  manifest {one.manifest_digest}"
        yield f"  sealed file {one.sealed_digest}, {one.sealed_bytes} bytes"
        yield f"  sealed to custody {one.custody}"
    if body.tree is not None:
        yield f"with the names, links, modes and times of all files, in form {body.tree}"
    yield from _verified(body.ledger_seen)
    yield from _identity(body, context)


def _revocation(body: KeyRevocation, context: Context) -> Iterator[str]:
    owner = context.agreement.person_with(body.key).id
    yield f"{body.person} revokes the key of {owner}; what it signed no longer counts for anything undecided."
    yield f"key {body.key}"
    yield f"reason: {quoted(body.reason)}"
    yield from _verified(body.ledger_seen)
    yield from _identity(body, context)


def _act(body: ActBody, context: Context) -> Iterator[str]:
    act, claim, agreement = BY_KIND[body.KIND], context.claim, context.agreement
    assert claim is not None, "an act is about a claim"
    yield f"{body.person} {act.does(body)}."
    if body.claim != claim.digest:
        yield f"WARNING: the statement names another claim, {body.claim}"
        return
    yield from act.particulars(body, agreement)
    yield from _verified(body.ledger_seen)
    yield from _identity(body, context)
    yield from claim_lines(agreement, claim.digest, claim.filing)
    yield from _record(claim, agreement)
    yield f"its record says: state {claim.state}, filed at {instant_text(claim.filed_at)}"


def _record(claim: FiledClaim, agreement: Agreement) -> Iterator[str]:
    """Yield what persons have stated about the claim so far, each as its own signer read it."""
    yield f"what persons have stated about this claim: {counted(len(claim.stated), 'statement')}"
    for body, statement in claim.stated:
        does, particulars = stated(body, agreement)
        yield f"- {instant_text(body.issued_at)}: {body.person} {does}"
        yield f"  statement {statement}"
        yield from (f"  {line}" for line in particulars)


def stated(body: ActBody | KeyRevocation, agreement: Agreement) -> tuple[str, Iterable[str]]:
    """Return what a statement does, and its particulars; of a revoked key, whose votes no longer count."""
    if not isinstance(body, KeyRevocation):
        act = BY_KIND[body.KIND]
        return act.does(body), act.particulars(body, agreement)
    owners = [person.id for person in agreement.persons if person.signing_key == body.key]
    does = f"revokes the key of {owners[0] if owners else 'nobody in this version'}"
    return does, (f"key {body.key}", f"reason: {quoted(body.reason)}")


def _verified(seen: LedgerSeen | None) -> Iterator[str]:
    if seen is not None:
        entries = counted(seen.size, "entry", "entries")
        yield f"having verified the ledger: {entries}, root {seen.root}"


def _identity(body: Header, context: Context) -> Iterator[str]:
    yield f"issued {instant_text(body.issued_at)}"
    yield f"statement {context.statement}"
    yield from agreement_lines(context.agreement, body)


# Each takes the body of its own kind; the type of a table cannot express that.
_LINES: Final[Mapping[type[Header | Agreement], Callable[[Any, Context], Iterator[str]]]] = MappingProxyType(
    {
        Agreement: _agreement,
        ClaimFiling: _claim,
        Deposit: _deposit,
        KeyRevocation: _revocation,
        **{act.body: _act for act in ACTS},
    }
)

SIGNED_BY_PERSONS: Final = frozenset(
    {Kind.AGREEMENT, *(body.KIND for body in _LINES if issubclass(body, Header))}
)
"""The kinds for which a person reads these lines; an enrolment says nothing but its own key."""
