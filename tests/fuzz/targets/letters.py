"""Letters, alone or in a mail that somebody else wrote. The twin: PyNaCl over what the letter key signed."""

import base64
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from nacl.signing import VerifyKey

from tallystick.crypto.keys import public_key_bytes
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.proof.letter import LetterFile, letter_bytes, read_letter, verify_letter
from tests.fuzz.target import Target
from tests.support.worlds.agreements import LETTER_KEY
from tests.support.worlds.letters import NORDWIND, SIGNED, TEXT, letter, mail

_KEY: Final = VerifyKey(public_key_bytes(LETTER_KEY.signing_key.public_key))


def judge_letter(data: bytes) -> bool:
    """A letter that is read is written again and reads the same; what is verified is what was signed."""
    try:
        file = read_letter(data)
    except MalformedError:
        return False
    written = letter_bytes(file)
    assert read_letter(written) == replace(file, shown=None)
    try:
        found = verify_letter(file, SIGNED, to=NORDWIND, current=None)
    except TallystickError:
        return True
    assert found.text == TEXT, "a signature was taken for another text"
    assert file.shown is None or file.shown.split() == TEXT.split(), "a mail shows another text"
    _check_signed(written)
    return True


def _check_signed(data: bytes) -> None:
    sealed = json.loads(data)["letter"]
    payload, form = base64.b64decode(sealed["payload"]), sealed["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(form), form, len(payload), payload)
    assert form == b"application/vnd.tallystick.letter.v1+json"
    _KEY.verify(signed, base64.b64decode(sealed["signatures"][0]["sig"]))


def _letters() -> Iterable[bytes]:
    file: LetterFile = letter()
    yield letter_bytes(file)
    yield mail(file).as_bytes()
    yield mail(file, "Pay here.\n").as_bytes()
    html = mail(file)
    html.add_attachment("<p>Pay here</p>", subtype="html")
    yield html.as_bytes()


TARGETS: Final = (Target(name="letter", judge=judge_letter, seeds=_letters),)
