"""A custody share on its way: sealed to its person, or to a claim's receivers, and bound to what it is for.

The age file says who can open it; the context inside says what it may be used for,
so that a share that was moved elsewhere is refused when it is opened. A context is
RFC 8785 JSON; nothing in it is secret.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import rfc8785

from tallystick.crypto import age
from tallystick.crypto.custody.sharing import Share, parse_share
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest

_LABEL: Final = b"tallystick/v1/share\n"
_CONTEXT_BYTES: Final = 32
_SIZE_BYTES: Final = len(_LABEL) + _CONTEXT_BYTES + Share.SIZE_BYTES


class ShareMisplacedError(TallystickError):
    """What was opened is not a share, or is a share for something else."""

    code = "share-misplaced"
    why = "A sealed share names the component, epoch and custodian it was sealed for, and serves no other."
    advice = "Use the sealed share that the custody statement or the approval names for this custodian."


def custody_context(
    *, deployment: DeploymentId, agreement: AgreementId, component: ComponentId, epoch: int
) -> bytes:
    """Return the context that binds a custody identity's seed: one epoch of one component."""
    return _context("custody", deployment=deployment, agreement=agreement, component=component, epoch=epoch)


def share_context(
    *, deployment: DeploymentId, agreement: AgreementId, component: ComponentId, epoch: int, leaf: str
) -> bytes:
    """Return the context that binds a share dealt to a custodian."""
    return _context(
        "share", deployment=deployment, agreement=agreement, component=component, epoch=epoch, leaf=leaf
    )


def contribution_context(
    *, deployment: DeploymentId, claim: Digest, component: ComponentId, epoch: int, leaf: str
) -> bytes:
    """Return the context that binds a share that a custodian re-seals for a claim."""
    return _context(
        "contribution", deployment=deployment, claim=claim, component=component, epoch=epoch, leaf=leaf
    )


def seal_share(share: Share, recipients: Sequence[age.Recipient], context: bytes) -> bytes:
    """Return `share` for `context`, sealed to all `recipients` in one file: one size for every share."""
    plain = _LABEL + hashlib.sha256(context).digest() + share.encode()
    return age.seal_bytes(plain, recipients)


def open_share(sealed: bytes, identity: age.Identity, context: bytes) -> Share:
    """Return the share in `sealed`, if it was sealed for `context`.

    Raises:
        AgeError: It does not open with `identity`.
        ShareMisplacedError: It is not a share, or was sealed for something else.
        MalformedGroupElementError: Its scalars are not reduced.
    """
    plain = age.open_bytes(sealed, [identity])
    expected = _LABEL + hashlib.sha256(context).digest()
    if len(plain) != _SIZE_BYTES or not plain.startswith(expected):
        raise ShareMisplacedError("the share is for another purpose")
    return parse_share(plain[len(expected) :])


def _context(kind: str, **facts: str | int) -> bytes:
    return rfc8785.dumps({"kind": f"tallystick/v1/{kind}", **facts})
