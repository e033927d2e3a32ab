"""Letters under the sound agreement, alone and in a mail, as the deployment sends them."""

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final

from tallystick.crypto.envelope import sign
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.letter_key import LetterKey
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import Digest, PartyId, engine_person, sha256_digest
from tallystick.domain.statements.letters import LetterStatement
from tallystick.proof.letter import LETTER_FILE_NAME, LetterFile, letter_bytes
from tallystick.proof.reading import SignedAgreement
from tests.support.worlds.agreements import AGREEMENT, LETTER_KEY

AT: Final = datetime(2026, 11, 1, 9, tzinfo=UTC)
TEXT: Final = 'To "Nordwind".\n\nYou may object.\n'
NORDWIND: Final = PartyId("nordwind")
HERE: Final = AGREEMENT.deployment
SIGNED: Final = SignedAgreement(
    terms=Terms(agreement=AGREEMENT, digest=Digest("sha256:" + 64 * "a")), signers=frozenset()
)


def said(**changes: object) -> LetterStatement:
    letter = LetterStatement(
        **SIGNED.terms.header(engine_person(HERE), AT, 32 * "0"),
        letter="notice-1",
        party=NORDWIND,
        channel=Channel(kind=ChannelKind.EMAIL, address="legal@nordwind.example"),
        subject="Notice of release claim clm-1",
        text_digest=sha256_digest(TEXT.encode()),
    )
    return replace(letter, **changes)  # type: ignore[arg-type]


def letter(
    statement: LetterStatement | None = None,
    *,
    key: LetterKey = LETTER_KEY,
    signer: SigningKey | None = None,
    kind: str = "letter",
) -> LetterFile:
    envelope = sign(kind, encode_object(statement or said()), [signer or key.signing_key])
    return LetterFile(letter=envelope, letter_key=key.published, text=TEXT)


def mail(file: LetterFile, text: str = TEXT) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Notice"
    message.set_content(text)
    message.add_attachment(
        letter_bytes(file), maintype="application", subtype="json", filename=LETTER_FILE_NAME
    )
    return message
