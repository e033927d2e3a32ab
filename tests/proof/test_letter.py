"""A letter is believed only as the deployment wrote it, to its addressee, under a published key."""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final

import pytest

from tallystick.crypto.envelope import Envelope, SignatureInvalidError, sign
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.letter_key import LetterKey, LetterKeyUnpublishedError, publish, published_key
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import DeploymentId, Digest, PartyId, sha256_digest
from tallystick.limits.notices import LETTER_FILE_SIZE_BYTES_MAX
from tallystick.proof.letter import (
    LetterFile,
    LetterForgedError,
    LetterNotYoursError,
    MalformedLetterError,
    VerifiedLetter,
    letter_bytes,
    read_letter,
    verify_letter,
)
from tests.support.worlds.agreements import (
    DECISION_KEY,
    LETTER_KEY,
    LOG_KEY,
    PEOPLE,
    TOM,
    signing_key,
)
from tests.support.worlds.letters import AT, HERE, NORDWIND, SIGNED, TEXT, letter, mail, said


def verified(file: LetterFile, *, to: PartyId = NORDWIND, current: Envelope | None = None) -> VerifiedLetter:
    return verify_letter(read_letter(letter_bytes(file)), SIGNED, to=to, current=current)


def other_key(name: str, at: datetime, *, log_key: SigningKey = LOG_KEY, deployment: str = HERE) -> LetterKey:
    return publish(signing_key(name), deployment=DeploymentId(deployment), log_key=log_key, at=at)


def test_a_letter_is_verified_by_what_the_agreement_pins() -> None:
    found = verified(letter())
    assert (found.text, found.letter.party) == (TEXT, NORDWIND)
    assert found.key.letter_key == LETTER_KEY.signing_key.public_key


@pytest.mark.parametrize("key", [PEOPLE[TOM].signing_key, LOG_KEY, DECISION_KEY])
def test_only_the_letter_key_writes_letters(key: SigningKey) -> None:
    with pytest.raises(SignatureInvalidError):
        verified(letter(signer=key))


@pytest.mark.parametrize("publisher", [PEOPLE[TOM].signing_key, LETTER_KEY.signing_key, DECISION_KEY])
def test_a_key_that_the_log_key_did_not_publish_writes_no_letters(publisher: SigningKey) -> None:
    with pytest.raises(SignatureInvalidError):
        verified(letter(key=other_key("forger", AT, log_key=publisher)))


def test_a_key_of_another_deployment_under_the_same_log_key_writes_no_letters() -> None:
    with pytest.raises(LetterKeyUnpublishedError):
        verified(letter(key=other_key("elsewhere", AT, deployment="elsewhere")))


def test_a_notice_is_no_letter() -> None:
    with pytest.raises(MalformedLetterError):
        verified(letter(kind="notice"))


def test_a_letter_is_no_publication_of_a_key() -> None:
    file = letter()
    with pytest.raises(MalformedError):
        verified(replace(file, letter_key=sign("letter", encode_object(said()), [LOG_KEY])))


@pytest.mark.parametrize(
    "changes",
    [
        {"agreement_digest": Digest("sha256:" + 64 * "b")},
        {"deployment": DeploymentId("elsewhere")},
        {"person": TOM},
        {"text_digest": sha256_digest(b"another text")},
    ],
)
def test_what_the_letter_says_of_itself_must_be_so(changes: dict[str, object]) -> None:
    with pytest.raises(LetterForgedError):
        verified(letter(said(**changes)))


def test_another_text_is_not_the_one_that_was_signed() -> None:
    with pytest.raises(LetterForgedError):
        verified(replace(letter(), text=TEXT.replace("object", "pay")))


def test_a_letter_to_one_party_is_none_to_another() -> None:
    with pytest.raises(LetterNotYoursError):
        verified(letter(), to=PartyId("halden"))


def test_letters_from_before_a_key_was_replaced_stay_good_and_later_ones_are_refused() -> None:
    newer = other_key("newer letters", AT)
    before = AT - timedelta(seconds=1)
    assert verified(letter(said(issued_at=before)), current=newer.published).letter.issued_at == before
    assert (
        verified(letter(key=newer), current=newer.published).key.letter_key
        == signing_key("newer letters").public_key
    )
    with pytest.raises(LetterForgedError):
        verified(letter(), current=newer.published)


def test_a_server_cannot_replace_the_key_by_one_of_its_own() -> None:
    with pytest.raises(SignatureInvalidError):
        verified(letter(), current=other_key("forger", AT, log_key=signing_key("server")).published)


@pytest.mark.parametrize("cte", ["7bit", "quoted-printable", "base64"])
def test_a_saved_mail_is_its_letter_whatever_its_encoding(cte: str) -> None:
    message = mail(letter())
    message.get_payload(0).set_content(TEXT, cte=cte)  # type: ignore[union-attr]
    saved = message.as_bytes().replace(b"\n", b"\r\n")
    assert verify_letter(read_letter(saved), SIGNED, to=NORDWIND, current=None).text == TEXT


def test_a_mail_that_shows_another_text_around_a_true_letter_is_forged() -> None:
    shown = mail(letter(), TEXT.replace("object", "pay")).as_bytes()
    with pytest.raises(LetterForgedError):
        verify_letter(read_letter(shown), SIGNED, to=NORDWIND, current=None)


def test_a_mail_with_a_second_text_is_refused() -> None:
    html, picture, without = mail(letter()), mail(letter()), EmailMessage()
    html.add_attachment("<p>Pay here</p>", subtype="html")
    picture.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="pay.gif")
    without.set_content(TEXT)
    for message in (html, picture, without):
        with pytest.raises(MalformedLetterError):
            read_letter(message.as_bytes())


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"{", b"\xff\xfe", b"Content-Type: text/plain; charset=no-such\n\nx"]
)
def test_what_is_no_letter_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_letter(data)


HEADS: Final = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n"


@pytest.mark.parametrize(
    "data",
    [
        "Content-Type: text/plain" + ";" * 1_000_000 + "\n\nx",
        "Content-Type: text/plain;\n" + " a=b;\n" * 160_000 + "\nx",
        "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\n\n" * 160_000 + "--b--\n",
        "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(15_000)),
        "Content-Type: message/rfc822\n\n" * 30_000,
        f"Content-Type: {'(' * 480}\n\nx",
        f"{HEADS}text\n--b\nContent-Disposition: attachment; filename={'(' * 400}\n\n{{}}\n--b--\n",
    ],
    ids=["semicolons", "folded", "parts", "nested", "forwarded", "comments in a head", "comments in a part"],
)
def test_a_hostile_mail_is_malformed_within_a_second(data: str) -> None:
    mail, begun = data.encode(), time.process_time()
    assert len(mail) <= LETTER_FILE_SIZE_BYTES_MAX

    with pytest.raises(MalformedLetterError):
        read_letter(mail)

    assert time.process_time() - begun < 1


def test_a_statement_about_another_key_lets_no_worker_start() -> None:
    with pytest.raises(LetterKeyUnpublishedError):
        published_key(
            signing_key("newer letters"), LETTER_KEY.published, deployment=HERE, log_key=LOG_KEY.public_key
        )


def test_a_letter_key_shows_itself_only_as_what_is_published() -> None:
    assert LETTER_KEY.signing_key.secret_seed().hex() not in repr(LETTER_KEY)
    assert "signing_key" not in repr(LETTER_KEY)
