"""What a server shows a receiver. The twin: the raw document, each signature in it verified by PyNaCl."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from tallystick.client.answers import answer, objects, text
from tallystick.crypto.keys import public_key_bytes
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.receiver.delivery import OfferedStage, VerifiedDelivery, read_delivery
from tests.fuzz.target import Target
from tests.fuzz.worlds import delivery
from tests.support.worlds.agreements import BEA, DECISION_KEY, DORA, PEOPLE
from tests.support.worlds.deliveries import AT, keys_of

_LATER: Final = AT + timedelta(days=60)
_DEPOSITOR: Final = PEOPLE[DORA].signing_key.public_key


def _anything(agreement: AgreementId, digest: Digest) -> None:
    """Trust any agreement: it is the signatures under it that are tested here."""


def _read(data: bytes) -> VerifiedDelivery:
    document = answer(data)
    record = objects(document, "record")
    return read_delivery(
        document, record, claim=text(document, "digest"), keys=keys_of(BEA), trust=_anything, at=_LATER
    )


def judge_delivery(data: bytes) -> bool:
    """Whatever a server changes, only what the gate decided is opened, from what the depositor deposited."""
    try:
        read = _read(data)
    except TallystickError:
        return False
    document = json.loads(data)
    decided = [
        _said(entry["envelope"], Kind.DECISION, DECISION_KEY.public_key) for entry in document["record"]
    ]
    (deposited,) = _said(document["deposit_envelope"], Kind.DEPOSIT, _DEPOSITOR)
    for stage in read.offered:
        assert any(_releases(body, read.claim, stage) for found in decided for body in found)
        sealed = {component["sealed_digest"] for component in deposited["components"]}
        assert {component.deposited.sealed_digest for component in stage.components} <= sealed
    return True


def _releases(body: Mapping[str, Any], claim: Digest, offered: OfferedStage) -> bool:
    return (body["claim"], body["stage"], body["released"]) == (claim, offered.stage, True)


def _said(envelope: Mapping[str, Any], kind: Kind, key: PublicKey) -> Iterator[Mapping[str, Any]]:
    """Yield the body, if the envelope is of this kind and this key has signed it."""
    form, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 %d %b %d %b" % (len(form), form, len(payload), payload)
    if form.decode() != f"application/vnd.tallystick.{kind}.v1+json":
        return
    for signature in envelope["signatures"]:
        try:
            VerifyKey(public_key_bytes(key)).verify(signed, base64.b64decode(signature["sig"]))
        except BadSignatureError:
            continue
        yield json.loads(payload)
        return


TARGETS: Final = (
    Target(name="delivery", judge=judge_delivery, seeds=lambda: [delivery()], size_bytes_max=512 * 1024),
)
