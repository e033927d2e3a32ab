"""A person at their desk: their key, the server, and what they trust.

Trust is kept beside the key, in `NAME.key.trust`: the digest of each agreement, pinned
when it is first used (and said so), and the last ledger checkpoint that was verified.
"""

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer

from tallystick.cli.output import say
from tallystick.client import Client
from tallystick.client.answers import digest_in, envelope_in
from tallystick.crypto.canonical import canonical_bytes, parse
from tallystick.crypto.keyfile import PassphraseNeededError, PrivateKeys, read_key_file
from tallystick.crypto.reading import SignedAgreement, read_agreement
from tallystick.crypto.shape import members_of
from tallystick.domain.agreement import Agreement
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, digest, name
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.domain.party import Person
from tallystick.domain.words import six_words
from tallystick.limits import PASSPHRASE_BYTES_MAX
from tallystick.receiver.durable import write_durably

_TRUST_FORMAT: Final = "tallystick.trust/v1"


class AgreementNotTrustedError(TallystickError):
    """The server shows another agreement than the one that was trusted before."""

    code = "agreement-not-trusted"
    why = "The agreement's digest isn't the one that is pinned beside your key."
    advice = (
        "Compare the digest with the other parties; if all have signed that version, pass `--trust DIGEST`."
    )


class PublicFileGivenError(TallystickError):
    """A public file where a private key is needed."""

    code = "public-file-given"
    why = "Signing needs the private key; a .pub file holds only what everybody may know."
    advice = "Name the .key file that lies beside it."


class UnexpectedAgreementError(TallystickError):
    """The server's agreement is not the one that was asked for."""

    code = "unexpected-agreement"
    why = "The signed bytes that the server gave are of another agreement or version than was asked for."
    advice = "Ask again; if it stays so, the server or its storage was altered."


class PassphraseFileError(TallystickError):
    """A passphrase file that can't be used."""

    code = "passphrase-file"
    why = "The file can't be read, is empty or too long; its first line is the passphrase."
    advice = "Write the passphrase on the first line, in UTF-8."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What is trusted: agreement digests by agreement id, and log sizes with their roots."""

    agreements: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    checkpoints: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One person's means to read and to act."""

    client: Client
    keys: PrivateKeys
    trust_file: Path

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
            say(f"trusting agreement {agreement} from now on: {found} ({' '.join(six_words(found))})")
            write_pins(self.trust_file, replace(pins, agreements={**pins.agreements, agreement: found}))

    def person_in(self, agreement: Agreement) -> Person:
        """Return who the holder of the key is in an agreement.

        Raises:
            NotInAgreementError: Nobody.
        """
        return agreement.person_with(self.keys.signing_key.public_key)


def now() -> datetime:
    """Return the time by this machine's clock: aware UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@contextlib.contextmanager
def desk(context: typer.Context, api: str, key: Path) -> Generator[Desk]:
    """Open a desk with the person's key and the server.

    Raises:
        TallystickError: The key file can't be used.
    """
    keys = private_keys(context, key)
    with Client(api, keys, now=now) as client:
        yield Desk(client=client, keys=keys, trust_file=key.with_name(key.name + ".trust"))


def private_keys(context: typer.Context, key: Path) -> PrivateKeys:
    """Return the keys in a key file; asks for its passphrase if none is given in a file.

    Raises:
        PublicFileGivenError: It is called like a public file.
        TallystickError: The key file can't be used, or the passphrase is wrong.
    """
    if key.suffix == ".pub":
        raise PublicFileGivenError("a public file", file=key.name)
    root = context.find_root().obj
    passphrase = read_passphrase(root) if isinstance(root, Path) else None
    try:
        return read_key_file(key, passphrase=passphrase)
    except PassphraseNeededError:
        return read_key_file(key, passphrase=typer.prompt("Passphrase", hide_input=True, err=True))


def read_passphrase(file: Path) -> str:
    """Return the first line of a passphrase file.

    Raises:
        PassphraseFileError: Not there, empty, too long or not UTF-8.
    """
    try:
        with file.open("rb") as source:
            line = source.readline(PASSPHRASE_BYTES_MAX + 1).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise PassphraseFileError("not read", file=file.name) from None
    if not 0 < len(line.encode()) < PASSPHRASE_BYTES_MAX:
        raise PassphraseFileError("empty or too long", file=file.name, limit=PASSPHRASE_BYTES_MAX)
    return line


def read_pins(file: Path) -> Pins:
    """Return what a trust file holds; nothing if it isn't there.

    Raises:
        MalformedError: Not a trust file.
    """
    if not file.exists():
        return Pins()
    members = members_of(parse(file.read_bytes()), at="", required={"agreements", "checkpoints", "format"})
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
