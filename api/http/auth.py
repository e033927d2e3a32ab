"""Who asks: a bearer JWT signed by a person's own key. It lets them read and send; it decides nothing.

The token is opened with PyJWT, its signature is verified by libsodium like every other
signature, and its members are read with the strict JSON reader.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NoReturn, cast

import jwt
from fastapi import Depends, Request
from jwt.algorithms import Algorithm
from sqlmodel import Session

from api.backend.backend import Backend, OpenBackend
from api.http.problems import UnauthenticatedError
from api.http.turns import in_turn
from tallystick.crypto.json.canonical import parse
from tallystick.crypto.keys import key_id, verifies
from tallystick.domain import ids
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, DeploymentId, Digest, PersonId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.periods import whole_seconds
from tallystick.limits.api import BEARER_LEEWAY, BEARER_SIZE_BYTES_MAX
from tallystick.limits.client import BEARER_LIFETIME
from tallystick.store.cases import revocations
from tallystick.store.damage import unless_damaged
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements
from tallystick.store.registers.agreements import PersonKey

_SCHEME: Final = "bearer "
_ALGORITHM: Final = "EdDSA"
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_CLAIMS: Final = frozenset({"sub", "aud", "iat", "exp", "nbf", "jti"})
"""What is read here, and what restricts nothing; anything else may be meant to restrict, so it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The person who asks.

    Attributes:
        fingerprint: SHA-256 of the key, `sub` in the token.
        persons: Whose the key is, under each agreement whose newest version lists it and under which
            nobody revoked it: the agreements that the caller may see.
        former: The same of agreements whose newest version leaves the key out: of these the caller sees
            only what concerns claims under the versions that list it.
    """

    key: PublicKey
    fingerprint: Digest
    persons: Mapping[AgreementId, PersonId]
    former: Mapping[AgreementId, "FormerSeat"]

    @property
    def seats(self) -> Mapping[AgreementId, PersonId]:
        """Whose the key is or was, under each agreement of which the caller sees anything."""
        return {**self.persons, **{name: seat.person for name, seat in self.former.items()}}

    def person_under(self, agreement: Agreement) -> PersonId | None:
        """Return whose the key is in one version of an agreement, or None.

        Another version may name it otherwise: about a claim, the caller is who its own version says.
        """
        return next((one.id for one in agreement.persons if one.signing_key == self.key), None)

    def sees(self, agreement_id: AgreementId, version: Digest) -> bool:
        """Return whether the caller sees claims under the version of an agreement that has this digest."""
        former = self.former.get(agreement_id)
        return agreement_id in self.persons or (former is not None and version in former.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerSeat:
    """Whose a key was, and the digests of the versions in which it was."""

    person: PersonId
    versions: frozenset[Digest]


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
        raise _unverified()
    _check_claims(_opened(token, key), deployment, now)
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who a request's token says is asking, before anything is looked up for them.

    Attributes:
        counted_as: Their key's fingerprint; without a good token, the address of their connection.
        key: Whose signature is on the token; None if there is none.
        refusal: Why there is none.
    """

    counted_as: str
    key: PublicKey | None
    refusal: UnauthenticatedError | None


def subject_of(request: Request) -> Digest:
    """Return the fingerprint that a request's token names: nobody has verified it yet.

    Raises:
        UnauthenticatedError: There is no token, or it names none.
    """
    return _subject(_opened(bearer_of(request), None))


def identified(request: Request, backend: Backend) -> PublicKey:
    """Return the remembered key that signed a request's token; the database is not asked.

    Raises:
        UnauthenticatedError: No such key signed it, or it is not good now.
    """
    return authenticate(
        bearer_of(request),
        deployment=backend.settings.deployment,
        now=int(backend.now().timestamp()),
        key_of=backend.keys.get,
    )


async def caller(request: Request, backend: OpenBackend) -> Caller:
    """Return who asks.

    Raises:
        UnauthenticatedError: The token does not say so, or the key was revoked everywhere.
    """
    asker = request.state.asker
    assert isinstance(asker, Asker), "every route with a caller is bounded by caller"
    if asker.refusal is not None:
        raise asker.refusal
    assert asker.key is not None, "who is not refused has signed the token"
    return await in_turn(_looked_up, backend, asker.key, key_id(asker.key))


def looked_up_again(backend: Backend, caller: Caller) -> Caller:
    """Return what the caller may see now: for answers that last longer than a token.

    Raises:
        UnauthenticatedError: The key was revoked everywhere meanwhile.
    """
    return _looked_up(backend, caller.key, caller.fingerprint)


Known = Annotated[Caller, Depends(caller)]
"""In a route's signature: the route is only for people whom an agreement names."""


def known_or(backend: Backend, others: Callable[[], list[PublicKey]]) -> Callable[[Digest], PublicKey | None]:
    """Return a look-up of known keys that also knows `others`, for those who register a first agreement."""

    def find(fingerprint: Digest) -> PublicKey | None:
        with reading(backend.database) as session:
            known = _known_key(session, fingerprint)
        return known or next((key for key in others() if key_id(key) == fingerprint), None)

    return find


def _looked_up(backend: Backend, key: PublicKey, fingerprint: Digest) -> Caller:
    with reading(backend.database) as session:
        return _caller(session, key, agreements.person_keys(session, fingerprint))


def _known_key(session: Session, fingerprint: Digest) -> PublicKey | None:
    return next((known.public_key for known in agreements.person_keys(session, fingerprint)), None)


def _caller(session: Session, key: PublicKey, known: Sequence[PersonKey]) -> Caller:
    if not known:  # a root key that no agreement lists yet: it may register the first
        raise _unverified()
    persons = _persons(session, key, known)
    if not persons:
        raise UnauthenticatedError("the key was revoked, or the record of what was revoked is damaged")
    newest = agreements.newest_versions(session, persons)
    current = {one.agreement_id for one in known if one.version == newest.get(one.agreement_id)}
    return Caller(
        key=key,
        fingerprint=key_id(key),
        persons={name: person for name, person in persons.items() if name in current},
        former={
            name: FormerSeat(
                person=person,
                versions=frozenset(one.agreement_digest for one in known if one.agreement_id == name),
            )
            for name, person in persons.items()
            if name not in current
        },
    )


def _persons(session: Session, key: PublicKey, known: Sequence[PersonKey]) -> Mapping[AgreementId, PersonId]:
    persons: dict[AgreementId, PersonId] = {}
    for one in known:  # newest versions first
        persons.setdefault(one.agreement_id, one.person)
    doubtful = ledger.agreements_with(session, Kind.KEY_REVOCATION, persons)
    for agreement_id in doubtful:
        person = persons.pop(agreement_id)
        # If it cannot be read who was revoked, the key sees nothing of this agreement, and all of the others.
        with unless_damaged("an agreement's revocations are unreadable", agreement=agreement_id):
            if key not in revocations.revoked_keys(session, agreement_id):
                persons[agreement_id] = person
    return persons


def _opened(token: str, key: PublicKey | None) -> bytes:
    """Return the payload; verified if there is a key to verify it with."""
    try:
        if key is None:
            opened = _READER.decode_complete(token, options={"verify_signature": False})
        else:
            opened = _READER.decode_complete(token, key, algorithms=[_ALGORITHM])
    except (jwt.InvalidTokenError, ValueError) as error:
        raise _unverified() from error
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


def _unverified() -> UnauthenticatedError:
    """Return one answer for both: someone without the key must not learn whether an agreement lists it."""
    return UnauthenticatedError("the token is not signed by a key that an agreement here lists")


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
