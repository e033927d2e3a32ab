"""A person's desk: key, server, and which agreements are trusted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tallystick.client.answers import digest_in, envelope_in
from tallystick.client.http import Client
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import members_of
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Person
from tallystick.domain.comparison_words import six_words
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, digest, name
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.durable import write_durably
from tallystick.proof.reading import SignedAgreement, read_agreement

_TRUST_FORMAT: Final = "tallystick.trust/v1"


class AgreementNotTrustedError(TallystickError):
    """The server shows another agreement than the one that was trusted before."""

    code = "agreement-not-trusted"
    why = "The agreement's digest isn't the one that is pinned beside your key."
    advice = (
        "Compare the digest with the other parties; if all have signed that version, pass `--trust DIGEST`."
    )


class UnexpectedAgreementError(TallystickError):
    """The server's agreement is not the one that was asked for."""

    code = "unexpected-agreement"
    why = "The signed bytes that the server gave are of another agreement or version than was asked for."
    advice = "Ask again; if it stays so, the server or its storage was altered."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What is trusted: agreement digests by agreement id, and log sizes with their roots."""

    agreements: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    checkpoints: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One person's means to read and to act.

    Attributes:
        trust_file: Beside the key: the digest of each agreement, pinned when it is first used, and the
            last checkpoint of each log that was verified.
        tell: Takes a line for the person to read.
    """

    client: Client
    keys: PrivateKeys
    trust_file: Path
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
        """Return what the server says of an agreement; nothing is verified."""
        return self.client.get(f"/v1/agreements/{name(agreement)}", digest=version)

    def checked_agreement(
        self, view: JsonObject, agreement: str, *, version: Digest | None = None, trusted: str | None = None
    ) -> SignedAgreement:
        """Return the agreement in the server's answer, verified and trusted, as `agreement` does.

        Raises:
            TallystickError: As `agreement`.
        """
        signed = read_agreement(envelope_in(view, "envelope"))
        if signed.agreement.id != agreement or version not in {None, signed.terms.digest}:
            raise UnexpectedAgreementError("not what was asked for", found=signed.terms.digest)
        self.trust(signed.agreement.id, signed.terms.digest, trusted)
        return signed

    def trust(self, agreement: AgreementId, found: Digest, trusted: str | None = None) -> None:
        """Let a trusted agreement pass; the first of its name is pinned, and that is said.

        Raises:
            AgreementNotTrustedError: Another digest is pinned or named.
        """
        pins = read_pins(self.trust_file)
        pinned = [pins.agreements[agreement]] if agreement in pins.agreements else []
        expected = [digest(trusted)] if trusted is not None else pinned
        if expected and found not in expected:
            raise AgreementNotTrustedError(
                "another agreement than trusted", agreement=agreement, found=found, trusted=str(expected[0])
            )
        if found not in pinned:
            self.tell(f"trusting agreement {agreement} from now on: {found} ({' '.join(six_words(found))})")
            write_pins(self.trust_file, replace(pins, agreements={**pins.agreements, agreement: found}))

    def person_in(self, agreement: Agreement) -> Person:
        """Return who the holder of the key is in an agreement.

        Raises:
            NotInAgreementError: Nobody.
        """
        return agreement.person_with(self.keys.signing_key.public_key)


def read_pins(file: Path) -> Pins:
    """Return what a trust file holds; nothing if it isn't there.

    Raises:
        MalformedError: Not a trust file.
    """
    if not file.exists():
        return Pins()
    members = members_of(parse(file.read_bytes()), where="", required={"agreements", "checkpoints", "format"})
    found = [members[part] for part in ("agreements", "checkpoints")]
    agreements, checkpoints = (dict(part) if isinstance(part, Mapping) else {} for part in found)
    for agreement in agreements:
        digest_in(agreements, agreement)
    return Pins(agreements=agreements, checkpoints=checkpoints)


def write_pins(file: Path, pins: Pins) -> None:
    """Replace a trust file."""
    document: JsonObject = {
        "agreements": pins.agreements,
        "checkpoints": pins.checkpoints,
        "format": _TRUST_FORMAT,
    }
    write_durably(file, canonical_bytes(document) + b"\n")
