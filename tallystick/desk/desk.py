"""A person's desk: key, server, and which agreements are trusted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallystick.client.answers import envelope_in
from tallystick.client.http import Client
from tallystick.client.route import route
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.desk.kept.documents import KeptDocuments
from tallystick.desk.kept.opened import OpenedDocuments
from tallystick.desk.kept.pins import OpenPins, changing_pins, read_pins
from tallystick.desk.kept.unsent import Unsent
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Person
from tallystick.domain.comparison_words import in_words, names
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, as_digest, name
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.header import LedgerSeen
from tallystick.proof.reading import SignedAgreement, read_agreement


class AgreementNotTrustedError(TallystickError):
    """The server shows another agreement than the one that was trusted before."""

    code = "agreement-not-trusted"
    why = "The agreement's digest is not the one that is pinned next to your key."
    advice = (
        "Compare the twelve words or the digest with the other parties; if all have signed that version, "
        "pass them with `--trust`."
    )


class UnexpectedAgreementError(TallystickError):
    """The server's agreement is not the one that was asked for."""

    code = "unexpected-agreement"
    why = "The server gave the signed bytes of another agreement or version than was asked for."
    advice = "Ask again; if it happens again, the server or its storage was altered."


def not_trusted(agreement: AgreementId, shown: Digest, trusted: str) -> AgreementNotTrustedError:
    """Return the error to raise about an agreement that is not the trusted one."""
    return AgreementNotTrustedError(
        f"agreement {agreement} is not the one that you trust",
        agreement=agreement,
        found=shown,
        trusted=trusted,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One person's means to read and to act.

    Attributes:
        trust_file: Has the digest of each agreement, pinned when it is first used, and the last
            checkpoint of each log that was verified; it lies next to the key.
        unsent: What was signed and not answered yet; its folder lies next to the key, too.
        documents: The sealed documents of the claims that were filed with it; they lie next to it as well.
        opened: Which documents the person has opened with it.
        tell: Shows a line to the person.
    """

    client: Client
    keys: PrivateKeys
    trust_file: Path
    unsent: Unsent
    documents: KeptDocuments
    opened: OpenedDocuments
    tell: Callable[[str], None]

    def agreement(
        self, agreement: str, *, version: Digest | None = None, trusted: str | None = None
    ) -> SignedAgreement:
        """Return an agreement, its signatures verified and its digest trusted.

        Raises:
            AgreementNotTrustedError: Another digest is pinned.
            UnexpectedAgreementError: Not the agreement or version that was asked for.
            TallystickError: A signature is wrong, or the server refused or did not answer.
        """
        return self.checked_agreement(
            self.agreement_view(agreement, version=version), agreement, version=version, trusted=trusted
        )

    def agreement_view(self, agreement: str, *, version: Digest | None = None) -> JsonObject:
        """Return what the server says about an agreement; nothing is verified."""
        return self.client.get(route("agreements", name(agreement)), digest=version)

    def checked_agreement(
        self, view: JsonObject, agreement: str, *, version: Digest | None = None, trusted: str | None = None
    ) -> SignedAgreement:
        """Return the agreement in the server's answer, verified and trusted, as `agreement` does.

        Raises:
            TallystickError: As `agreement`.
        """
        signed = read_agreement(envelope_in(view, "envelope"))
        if signed.agreement.id != agreement or version not in {None, signed.terms.digest}:
            raise UnexpectedAgreementError("the server showed another agreement", found=signed.terms.digest)
        self.trust(signed.agreement.id, signed.terms.digest, trusted)
        return signed

    def trust(self, agreement: AgreementId, shown: Digest, trusted: str | None = None) -> None:
        """Let a trusted agreement pass; pin the first one of its name, and say so.

        Args:
            shown: The digest of the agreement that is at hand.
            trusted: The digest or the comparison words of the one that the person trusts.

        Raises:
            MalformedAnchorError: `trusted` is neither.
            AgreementNotTrustedError: Another digest is pinned or named.
        """
        with changing_pins(self.trust_file) as pins:
            self._trust(pins, agreement, shown, trusted)

    def _trust(self, pins: OpenPins, agreement: AgreementId, shown: Digest, trusted: str | None) -> None:
        pinned = [pins.pins.agreements[agreement]] if agreement in pins.pins.agreements else []
        expected = [trusted] if trusted is not None else [str(pin) for pin in pinned]
        if expected and not names(expected[0], shown):
            raise not_trusted(agreement, shown, expected[0])
        if shown not in pinned:
            self.tell(f"trusting agreement {agreement} from now on: {shown} ({in_words(shown)})")
            pins.pin_agreement(agreement, shown)

    def ledger_seen(self, agreement: AgreementId) -> LedgerSeen | None:
        """Return the longest checkpoint of an agreement's log that was verified with this key, if one was.

        Raises:
            TrustFileExposedError: Others may change the file that remembers it.
            MalformedError: It is not a trust file.
        """
        seen = read_pins(self.trust_file).logs.get(agreement)
        return None if seen is None else LedgerSeen(size=seen.size, root=as_digest(seen.tree.root()))

    def person_in(self, agreement: Agreement) -> Person:
        """Return the person of an agreement who holds this desk's key.

        Raises:
            NotInAgreementError: The agreement names nobody with this key.
        """
        return agreement.person_with(self.keys.signing_key.public_key)
