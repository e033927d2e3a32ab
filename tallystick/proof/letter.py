"""Letters as files: a mail's attachment, a webhook's body, a file in an outbox, and how one is verified.

1. The file is strict JSON with exactly its members, or a saved mail with one such attachment.
2. The log key that the trusted agreement names published the letter key.
3. The letter key signed the letter, which names that agreement; no key signs once it was replaced.
4. The text is the one that was signed; a mail shows no other.
5. The letter is addressed to the party that reads it.
"""

from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from typing import Final

from tallystick.crypto.envelope import (
    Envelope,
    body_of,
    envelope_from_json,
    envelope_json,
    kind_of,
    verified_signers,
)
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import members_of, text_of
from tallystick.crypto.letter_key import read_published
from tallystick.domain.codec import decode, instant_text
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import PartyId, engine_person, nonce, sha256_digest
from tallystick.domain.statements.letters import LetterKeyStatement, LetterStatement
from tallystick.limits.notices import LETTER_FILE_SIZE_BYTES_MAX, MAIL_FIELD_LENGTH_MAX, MAIL_PARTS_MAX
from tallystick.proof.reading import SignedAgreement

LETTER_FORMAT: Final = "tallystick.letter/v1"
LETTER_FILE_NAME: Final = "letter.json"
_MEMBERS: Final = frozenset({"format", "letter", "letter_key", "text"})


class MalformedLetterError(MalformedError):
    """A file that is no letter of a deployment."""

    code = "malformed-letter"
    why = "A letter is the `letter.json` that the deployment sent, alone or attached to a saved mail."
    advice = (
        "Save the whole mail, or the body of the webhook, unchanged. If a gateway added words of its own to "
        "the mail, save the attachment `letter.json` and check that."
    )


class LetterForgedError(TallystickError):
    """A letter that the deployment did not write so."""

    code = "letter-forged"
    why = "What the letter says is not what the deployment signed."
    advice = "Do not act on it; look at the claim with `tallystick claim show`, and tell the escrow agent."


class LetterNotYoursError(TallystickError):
    """A letter that was written to another party."""

    code = "letter-not-yours"
    why = "The deployment signed this letter for another party; passed on, it may be meant to mislead."
    advice = "Name the party that you check it for with `--to`, if you know why you have it."


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFile:
    """A letter as it was sent.

    Attributes:
        letter: The statement, signed by the letter key.
        letter_key: The log key's statement that publishes the letter key.
        shown: The text that the mail around it shows, if it lies in a mail.
    """

    letter: Envelope
    letter_key: Envelope
    text: str
    shown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLetter:
    """A letter that the deployment wrote, and the publication of the key that signed it."""

    letter: LetterStatement
    key: LetterKeyStatement
    text: str


def letter_bytes(file: LetterFile) -> bytes:
    """Return the file of a letter: canonical JSON and a newline."""
    return (
        canonical_bytes(
            {
                "format": LETTER_FORMAT,
                "letter": envelope_json(file.letter),
                "letter_key": envelope_json(file.letter_key),
                "text": file.text,
            }
        )
        + b"\n"
    )


def read_letter(data: bytes) -> LetterFile:
    """Return the letter in a file of its own or in a saved mail; no signature is verified.

    Raises:
        MalformedError: It is neither.
    """
    if data.lstrip()[:1] == b"{":
        return _read_file(data)
    return _read_mail(data)


def named_agreement(file: LetterFile) -> LetterStatement:
    """Return what a letter says of itself, before anybody has verified it: to find what verifies it.

    Raises:
        MalformedError: It has not the form of a letter.
    """
    if kind_of(file.letter) != LetterStatement.KIND:
        raise MalformedLetterError("another kind of statement", kind=kind_of(file.letter))
    letter = decode(LetterStatement, body_of(file.letter))
    nonce(letter.nonce)
    return letter


def verify_letter(
    file: LetterFile, signed: SignedAgreement, *, to: PartyId, current: Envelope | None
) -> VerifiedLetter:
    """Return the letter in `file`, once all that the module names is verified.

    Args:
        signed: The trusted agreement.
        to: Whom it must be addressed to.
        current: The publication of the deployment's letter key of today, if it shows one.

    Raises:
        LetterForgedError: Text, agreement, author or key are not what was signed.
        LetterNotYoursError: It is addressed to another party.
        TallystickError: A signature is wrong, or the file malformed.
    """
    agreement = signed.agreement
    log_key = agreement.engine.log_key
    key = read_published(file.letter_key, deployment=agreement.deployment, log_key=log_key)
    verified_signers(file.letter, [key.letter_key])
    letter = named_agreement(file)
    if (letter.agreement_digest, letter.agreement) != (signed.terms.digest, agreement.id):
        raise LetterForgedError("it names another agreement", found=letter.agreement_digest)
    if (letter.deployment, letter.person) != (agreement.deployment, engine_person(agreement.deployment)):
        raise LetterForgedError("not by this deployment's engine", found=letter.person)
    if current is not None:
        newest = read_published(current, deployment=agreement.deployment, log_key=log_key)
        _check_not_replaced(letter, key, newest)
    _check_text(file, letter)
    if letter.party != to:
        raise LetterNotYoursError(f"the letter is addressed to {letter.party}", found=letter.party, wanted=to)
    return VerifiedLetter(letter=letter, key=key, text=file.text)


def _check_not_replaced(letter: LetterStatement, key: LetterKeyStatement, newest: LetterKeyStatement) -> None:
    if key.letter_key != newest.letter_key and letter.issued_at >= newest.issued_at:
        raise LetterForgedError(
            "signed with a letter key that had been replaced",
            issued_at=instant_text(letter.issued_at),
            replaced_at=instant_text(newest.issued_at),
        )


def _check_text(file: LetterFile, letter: LetterStatement) -> None:
    if sha256_digest(file.text.encode()) != letter.text_digest:
        raise LetterForgedError("its text is not the one that was signed", found=letter.text_digest)
    if file.shown is not None and _lines(file.shown) != _lines(file.text):
        raise LetterForgedError("the mail shows another text than the one that was signed")


def _lines(text: str) -> list[str]:
    """Return the lines of a text as a mail may show them: how lines and the text end is the mail's own."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _read_file(data: bytes) -> LetterFile:
    members = members_of(parse(data, size_bytes_max=LETTER_FILE_SIZE_BYTES_MAX), where="", required=_MEMBERS)
    if members["format"] != LETTER_FORMAT:
        raise MalformedLetterError("unknown format", expected=LETTER_FORMAT)
    return LetterFile(
        letter=envelope_from_json(members["letter"]),
        letter_key=envelope_from_json(members["letter_key"]),
        text=text_of(members, "text", where=""),
    )


def _read_mail(data: bytes) -> LetterFile:
    try:
        shown, content = _parts_of(data)
    except (LookupError, RecursionError, ValueError) as error:
        # An encoding that does not exist, or does not hold; comments within comments.
        raise MalformedLetterError("the mail cannot be decoded") from error
    if not isinstance(shown, str) or not isinstance(content, bytes):
        raise MalformedLetterError("the mail cannot be decoded")
    return replace(_read_file(content), shown=shown)


def _parts_of(data: bytes) -> tuple[object, object]:
    """Return the text that a mail shows, and the bytes of its attachment."""
    bounded = _Bounded(message_factory=_Parts())  # pyright: ignore[reportArgumentType] - the stub asks for a generic function
    mail = message_from_bytes(data, policy=bounded)
    assert isinstance(mail, EmailMessage), "as the policy says"
    parts = [part for part in mail.walk() if not part.is_multipart()]
    named = [part.get_filename() for part in parts]
    if named != [None, LETTER_FILE_NAME] or parts[0].get_content_type() != "text/plain":
        # A second text, HTML or an image could show what nobody signed.
        raise MalformedLetterError("the mail is not one plain text and letter.json", parts=len(parts))
    return parts[0].get_content(), parts[1].get_payload(decode=True)


class _Bounded(EmailPolicy):
    """How a mail is read that anybody may have written: the library's time grows with a field's square."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return a field as it was written; refuse one that says too much about what its part is."""
        name, value = super().header_source_parse(sourcelines)
        if name.lower().startswith("content-") and len(value) > MAIL_FIELD_LENGTH_MAX:
            raise MalformedLetterError(
                f"the mail's field {name[:40]!a} is too long", limit=MAIL_FIELD_LENGTH_MAX
            )
        return name, value


class _Parts:
    """Makes the parts of one mail, those that hold others included, but not too many."""

    def __init__(self) -> None:
        self._made = 0

    def __call__(self, policy: Policy) -> EmailMessage:
        self._made += 1
        if self._made > MAIL_PARTS_MAX:
            raise MalformedLetterError("the mail has too many parts", limit=MAIL_PARTS_MAX)
        return EmailMessage(policy)
