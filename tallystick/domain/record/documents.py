"""Whether a claim's evidence documents are where its readers find them, sealed to all of them.

What can be seen without a key is checked: that a document is there, and to how many recipients it is
sealed. That each recipient is a reader, only the readers themselves can see.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.domain.agreement.agreement import Agreement, readers
from tallystick.domain.amounts import counted, joined
from tallystick.domain.ids import Digest, PartyId, party_of
from tallystick.domain.json import JsonObject
from tallystick.domain.refusals import DocumentsMissingError, DocumentsSealedOtherwiseError
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument

_POST_QUANTUM: Final = "mlkem768x25519"
_CLASSIC: Final = "X25519"
_TYPE_LENGTH_SHOWN: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document as the stores show it to anyone who has no key.

    Attributes:
        senders: The parties that sent it as evidence under the agreement; empty if nobody did.
        recipients: The type of each of its recipients (C2SP age.md); empty if it is no age file that opens.
        fault: In words, why it is none.
    """

    senders: frozenset[PartyId]
    recipients: tuple[str, ...]
    fault: str = ""


def check_documents(
    agreement: Agreement, filing: ClaimFiling, stored: Mapping[Digest, StoredDocument]
) -> None:
    """Refuse a claim unless every document that it names is there, and sealed to as many as may read it.

    Args:
        agreement: The version that the claim is under, which names the readers.
        stored: What is in the stores under the sealed digests; whatever is left out is not there.

    Raises:
        DocumentsMissingError: Some are not there, or another party sent them.
        DocumentsSealedOtherwiseError: Some have more or fewer recipients than readers, or of other types.
    """
    if missing := list(_missing(filing, stored)):
        raise DocumentsMissingError("documents that the claim names are not in the stores", missing=missing)
    if otherwise := list(_sealed_otherwise(filing, stored, _types(agreement))):
        raise DocumentsSealedOtherwiseError(
            f"documents that the claim names are not sealed to {_words(_types(agreement))}",
            documents=otherwise,
            readers=[reader.id for reader in readers(agreement)],
        )


def _missing(filing: ClaimFiling, stored: Mapping[Digest, StoredDocument]) -> Iterator[JsonObject]:
    for document in filing.evidence:
        seen = stored.get(document.sealed_digest)
        if seen is None or party_of(filing.person) not in seen.senders:
            yield _named(document)


def _sealed_otherwise(
    filing: ClaimFiling, stored: Mapping[Digest, StoredDocument], wanted: tuple[str, ...]
) -> Iterator[JsonObject]:
    for document in filing.evidence:
        seen = stored[document.sealed_digest]
        if sorted(seen.recipients) != sorted(wanted):
            yield {**_named(document), "found": seen.fault or f"sealed to {_words(seen.recipients)}"}


def _types(agreement: Agreement) -> tuple[str, ...]:
    """Return the type of each reader's recipient: nothing is sealed to recipients of both types."""
    return tuple(
        _POST_QUANTUM if reader.age_recipient.startswith("age1pq1") else _CLASSIC
        for reader in readers(agreement)
    )


def _words(types: tuple[str, ...]) -> str:
    """Return how many there are of each type; its name may be the sealer's invention."""
    counts = sorted(Counter(one[:_TYPE_LENGTH_SHOWN] for one in types).items())
    of_each = [f"{counted(count, 'recipient')} of type {one}" for one, count in counts]
    return joined(of_each, "and")


def _named(document: EvidenceDocument) -> JsonObject:
    return {"item": document.item, "sealed_digest": document.sealed_digest}
