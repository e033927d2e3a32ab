"""Tokens: bearer JWTs signed by a person's own key. They let them read and send, and decide nothing.

A token is opened with PyJWT, its signature is verified by libsodium like every other signature, and its
members are read with the strict JSON reader.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NoReturn, cast

import jwt
from fastapi import Request
from jwt.algorithms import Algorithm

from api.backend.backend import Backend
from api.http.problems import UnauthenticatedError
from tallystick.crypto.json.canonical import parse
from tallystick.crypto.keys import verifies
from tallystick.domain import ids
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import DeploymentId, Digest, PublicKey
from tallystick.domain.periods import whole_seconds
from tallystick.limits.api import BEARER_LEEWAY, BEARER_SIZE_BYTES_MAX
from tallystick.limits.client import BEARER_LIFETIME

_SCHEME: Final = "bearer "
_ALGORITHM: Final = "EdDSA"
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_CLAIMS: Final = frozenset({"sub", "aud", "iat", "exp", "nbf", "jti"})
"""What is read here, and what restricts nothing; anything else may be meant to restrict, so it is refused."""


class Libsodium(Algorithm):
    """Ed25519 for PyJWT (RFC 8037), verified by libsodium; nothing is signed or exported here."""

    def prepare_key(self, key: Any) -> Any:  # noqa: ANN401 - PyJWT's signature
        """Return the key, which is one of our own `PublicKey`s."""
        return key

    def sign(self, msg: bytes, key: Any) -> NoReturn:  # noqa: ANN401
        """Refuse: the API signs nothing."""
        raise NotImplementedError

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:  # noqa: ANN401
        """Return whether `sig` is a signature of `msg` by `key`."""
        return verifies(PublicKey(key), msg, sig)

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: Literal[True, False] = False) -> NoReturn:  # noqa: ANN401, FBT002
        """Refuse: keys are listed in agreements."""
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: Any) -> NoReturn:  # noqa: ANN401
        """Refuse: keys are listed in agreements."""
        raise NotImplementedError


def _token_reader() -> jwt.PyJWS:
    reader = jwt.PyJWS(algorithms=[])
    reader.register_algorithm(_ALGORITHM, Libsodium())
    return reader


_READER: Final = _token_reader()


def bearer_of(request: Request) -> str:
    """Return the request's token.

    Raises:
        UnauthenticatedError: There is none, or it has another scheme.
    """
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(_SCHEME) or len(header) > BEARER_SIZE_BYTES_MAX:
        raise UnauthenticatedError("no bearer token")
    return header[len(_SCHEME) :].strip()


def signer_of(token: str, backend: Backend, key_of: Callable[[Digest], PublicKey | None]) -> PublicKey:
    """Return the key that signed a token for this deployment, if the token is good now.

    Raises:
        UnauthenticatedError: As `authenticate`.
    """
    now = int(backend.now().timestamp())
    return authenticate(token, deployment=backend.settings.deployment, now=now, key_of=key_of)


def authenticate(
    token: str, *, deployment: DeploymentId, now: int, key_of: Callable[[Digest], PublicKey | None]
) -> PublicKey:
    """Return the key that signed `token`, found by the fingerprint that it names.

    Args:
        now: Seconds since the epoch.
        key_of: Returns the known key with a fingerprint.

    Raises:
        UnauthenticatedError: It is malformed, expired, for another audience, or by an unknown key.
    """
    if (key := key_of(_subject(_opened(token, None)))) is None:
        raise not_by_a_known_key()
    _check_claims(_opened(token, key), deployment, now)
    return key


def subject_of(request: Request) -> Digest:
    """Return the fingerprint that a request's token names: nobody has verified it yet.

    Raises:
        UnauthenticatedError: There is no token, or it names none.
    """
    return _subject(_opened(bearer_of(request), None))


def not_by_a_known_key() -> UnauthenticatedError:
    """Return one answer for both: someone without the key must not learn whether an agreement lists it."""
    return UnauthenticatedError("the token is not signed by a key that an agreement here lists")


def _opened(token: str, key: PublicKey | None) -> bytes:
    """Return the payload; verified if there is a key to verify it with."""
    try:
        if key is None:
            opened = _READER.decode_complete(token, options={"verify_signature": False})
        else:
            opened = _READER.decode_complete(token, key, algorithms=[_ALGORITHM])
    except (jwt.InvalidTokenError, ValueError) as error:
        raise not_by_a_known_key() from error
    header = cast("Mapping[str, object]", opened["header"])
    _check_known("header parameter", header, _HEADER)
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise UnauthenticatedError("`typ` is not `JWT`: the token is meant for something else")
    payload = opened["payload"]
    assert isinstance(payload, bytes)
    return payload


def _check_known(what: str, given: Iterable[str], known: frozenset[str]) -> None:
    if unknown := sorted(set(given) - known):
        raise UnauthenticatedError(
            f"the token has a {what} that is not known here", unknown=unknown[0][:64], known=sorted(known)
        )


def _claims(payload: bytes) -> Mapping[str, object]:
    try:
        claims = parse(payload, size_bytes_max=BEARER_SIZE_BYTES_MAX)
    except MalformedError as error:
        raise UnauthenticatedError("the token's claims are not strict JSON") from error
    if not isinstance(claims, Mapping):
        raise UnauthenticatedError("the token's claims are not a JSON object")
    return claims


def _subject(payload: bytes) -> Digest:
    subject = _claims(payload).get("sub")
    try:
        return ids.digest(subject if isinstance(subject, str) else "")
    except MalformedError as error:
        raise UnauthenticatedError("`sub` is not a key's fingerprint") from error


def _check_claims(payload: bytes, deployment: DeploymentId, now: int) -> None:
    claims = _claims(payload)
    _check_known("claim", claims, _CLAIMS)
    if claims.get("aud") != deployment:
        raise UnauthenticatedError("the token is for another audience", expected=deployment)
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    leeway = whole_seconds(BEARER_LEEWAY)
    if not 0 < expires - issued <= whole_seconds(BEARER_LIFETIME):
        raise UnauthenticatedError("`exp` is not 1 to 300 s after `iat`")
    if issued > now + leeway:
        raise UnauthenticatedError("the token was issued in the future; set the clock")
    if "nbf" in claims and _moment(claims, "nbf") > now + leeway:
        raise UnauthenticatedError("the token is not valid yet (`nbf`)")
    if expires <= now - leeway:
        raise UnauthenticatedError("the token has expired")


def _moment(claims: Mapping[str, object], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnauthenticatedError(f"`{name}` is not a whole number of seconds")
    return value
