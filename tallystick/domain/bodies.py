"""The body of every kind of statement that is made under an agreement."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tallystick.domain.acts.all import ACTS
from tallystick.domain.codec import MalformedDocumentError, decode
from tallystick.domain.ids import nonce
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import DecisionStatement, Event, Notice, Sighting, StorageNotice
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Body

_OTHER_BODIES: Final[tuple[type[Body], ...]] = (
    KeyRevocation,
    Custody,
    Deposit,
    ClaimFiling,
    Notice,
    StorageNotice,
    Event,
    DecisionStatement,
    Sighting,
)

BODIES: Final[Mapping[Kind, type[Body]]] = MappingProxyType(
    {body.KIND: body for body in (*_OTHER_BODIES, *(act.body for act in ACTS))}
)
"""The bodies under an agreement; agreements, enrolments, letters and their keys have readers of their own."""


def read_body(kind: Kind, body: JsonObject) -> Body:
    """Return the body of a statement of `kind`.

    Raises:
        MalformedDocumentError: Not the members of that kind, or a kind that is not made under an agreement.
        MalformedNameError: Its nonce is malformed.
    """
    if kind not in BODIES:
        raise MalformedDocumentError(
            "statements of this kind are not made under an agreement", kind=kind.value
        )
    statement = decode(BODIES[kind], body)
    nonce(statement.nonce)
    return statement
