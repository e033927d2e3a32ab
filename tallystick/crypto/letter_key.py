"""The letter key, which the log key publishes, so that it can be exchanged without new agreements.

Agreements pin the log key. Each letter carries the statement that publishes the key it is signed with, so
that a letter can be checked for ever, also after the key was replaced.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tallystick.crypto.envelope import Envelope, body_of, kind_of, new_nonce, sign, verified_signers
from tallystick.crypto.json.base64 import base64_text
from tallystick.crypto.keys import SigningKey, check_point
from tallystick.domain.codec import MalformedDocumentError, decode, encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import DeploymentId, PublicKey, nonce
from tallystick.domain.statements.letters import LetterKeyStatement


class LetterKeyUnpublishedError(TallystickError):
    """A letter key that the log key has not published."""

    code = "letter-key-unpublished"
    why = "Letters count only under a key that a statement by the deployment's log key names."
    advice = "Operators: run `prepare` again with log key and letter key at hand, and restart the worker."


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterKey:
    """The key that signs letters and webhooks, and the statement that publishes it."""

    signing_key: SigningKey = field(repr=False)
    published: Envelope


def webhook_key(letter_key: PublicKey) -> str:
    """Return a letter key as those who verify webhooks expect a public key (Standard Webhooks 1.0.0)."""
    return "whpk_" + base64_text(bytes.fromhex(letter_key.removeprefix("ed25519:")))


def publish(
    letter_key: SigningKey, *, deployment: DeploymentId, log_key: SigningKey, at: datetime
) -> LetterKey:
    """Return `letter_key` with the log key's statement that publishes it."""
    statement = LetterKeyStatement(
        deployment=deployment, letter_key=letter_key.public_key, issued_at=at, nonce=new_nonce()
    )
    published = sign(LetterKeyStatement.KIND, encode_object(statement), [log_key])
    return LetterKey(signing_key=letter_key, published=published)


def read_published(envelope: Envelope, *, deployment: DeploymentId, log_key: PublicKey) -> LetterKeyStatement:
    """Return what a statement says that publishes a letter key, having verified that the log key signed it.

    Raises:
        MalformedError: Not the form of such a statement.
        SignatureInvalidError: The log key did not sign it.
        LetterKeyUnpublishedError: It is about another deployment's.
        InvalidPointError: Signatures under the key would prove nothing.
    """
    if kind_of(envelope) != LetterKeyStatement.KIND:
        raise MalformedDocumentError("the statement does not publish a letter key", kind=kind_of(envelope))
    verified_signers(envelope, [log_key])
    statement = decode(LetterKeyStatement, body_of(envelope))
    nonce(statement.nonce)
    if statement.deployment != deployment:
        raise LetterKeyUnpublishedError("published by another deployment", found=statement.deployment)
    check_point(statement.letter_key)
    return statement


def published_key(
    letter_key: SigningKey, published: Envelope, *, deployment: DeploymentId, log_key: PublicKey
) -> LetterKey:
    """Return `letter_key` with the statement that publishes it, checked before any letter is sent.

    Raises:
        LetterKeyUnpublishedError: The statement is about another key or deployment.
        TallystickError: It is no such statement, or the log key did not sign it.
    """
    statement = read_published(published, deployment=deployment, log_key=log_key)
    if statement.letter_key != letter_key.public_key:
        raise LetterKeyUnpublishedError("the statement publishes another key", found=statement.letter_key)
    return LetterKey(signing_key=letter_key, published=published)
