"""The statements that the deployment itself signs."""

import hashlib
from datetime import datetime
from typing import Final

from tallystick.crypto.envelope import Envelope, sign
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.crypto.keys import SigningKey
from tallystick.domain.agreement.terms import HeaderMembers, Terms
from tallystick.domain.ids import engine_person
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.signed import Body, write_body

_NONCE_HEX_DIGITS: Final = 32


def nonce_of(members: JsonObject) -> str:
    """Return the nonce of the engine's statement for a request with these members: always the same one."""
    return hashlib.sha256(canonical_bytes(members)).hexdigest()[:_NONCE_HEX_DIGITS]


def engine_header(terms: Terms, at: datetime, request: JsonObject) -> HeaderMembers:
    """Return the header of the deployment's statement for a request: always the same one."""
    return terms.header(engine_person(terms.agreement.deployment), at, nonce_of(request))


def signed_by_engine(body: Body, log_key: SigningKey) -> Envelope:
    """Return a statement of the deployment's own, signed with the log key."""
    return sign(body.KIND, write_body(body), [log_key])
