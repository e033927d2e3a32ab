"""Who asks, and what they are in which agreement: found by the key that signed their token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from api.backend.backend import Backend, OpenBackend
from api.http.problems import UnauthenticatedError
from api.http.tokens import bearer_of, not_by_a_known_key, signer_of
from api.http.turns import in_turn
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.ids import AgreementId, Digest, PersonId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.store.cases import revocations
from tallystick.store.cases.revocations import RevocationsUnreadableError
from tallystick.store.damage import unless_damaged
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements
from tallystick.store.registers.agreements import PersonKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The person who asks.

    Attributes:
        fingerprint: SHA-256 of the key, `sub` in the token.
        persons: Whose the key is, under each agreement whose newest version lists it and under which
            nobody revoked it: the agreements that the caller may see.
        former: The same of agreements whose newest version leaves the key out: of these the caller sees
            only what concerns claims under the versions that list it.
        doubtful: The agreements that list the key, and of which nobody can say whose keys were revoked.
    """

    key: PublicKey
    fingerprint: Digest
    persons: Mapping[AgreementId, PersonId]
    former: Mapping[AgreementId, "FormerSeat"]
    doubtful: frozenset[AgreementId] = frozenset()

    @property
    def seats(self) -> Mapping[AgreementId, PersonId]:
        """Whose the key is or was, under each agreement of which the caller sees anything."""
        return {**self.persons, **{name: seat.person for name, seat in self.former.items()}}

    def person_under(self, agreement: Agreement) -> PersonId | None:
        """Return whose the key is in one version of an agreement, or None.

        Another version may name it otherwise: about a claim, the caller is who its own version says.
        """
        return next((one.id for one in agreement.persons if one.signing_key == self.key), None)

    def check_undoubted(self, agreement_id: AgreementId) -> None:
        """Refuse as our own fault what nobody can say whether the caller may see.

        Raises:
            RevocationsUnreadableError: The key may be revoked under this agreement.
        """
        if agreement_id in self.doubtful:
            raise RevocationsUnreadableError("whose keys are revoked is unreadable", agreement=agreement_id)

    def sees(self, agreement_id: AgreementId, version: Digest) -> bool:
        """Return whether the caller sees claims under the version of an agreement that has this digest."""
        former = self.former.get(agreement_id)
        return agreement_id in self.persons or (former is not None and version in former.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerSeat:
    """Whose a key was, and the digests of the versions in which it was."""

    person: PersonId
    versions: frozenset[Digest]


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


def identified(request: Request, backend: Backend) -> PublicKey:
    """Return the remembered key that signed a request's token; the database is not asked.

    Raises:
        UnauthenticatedError: No such key signed it, or it is not good now.
    """
    return signer_of(bearer_of(request), backend, backend.keys.get)


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
        raise not_by_a_known_key()
    persons, doubtful = _persons(session, key, known)
    if not persons and not doubtful:
        raise UnauthenticatedError("the key was revoked")
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
        doubtful=doubtful,
    )


def _persons(
    session: Session, key: PublicKey, known: Sequence[PersonKey]
) -> tuple[Mapping[AgreementId, PersonId], frozenset[AgreementId]]:
    """Return whose a key is, and under which agreements that is in doubt."""
    newest: dict[AgreementId, PersonKey] = {}
    for one in known:  # newest versions first
        newest.setdefault(one.agreement_id, one)
    persons = {agreement_id: one.person for agreement_id, one in newest.items()}
    doubtful = set[AgreementId]()
    for agreement_id in ledger.agreements_with(session, Kind.KEY_REVOCATION, persons):
        person = persons.pop(agreement_id)
        # If it cannot be read who was revoked, the key sees nothing of this agreement, and all of the others.
        with unless_damaged("an agreement's revocations are unreadable", agreement=agreement_id) as look:
            listing = newest[agreement_id].agreement_digest
            if not revocations.is_revoked(session, agreement_id, key, listing):
                persons[agreement_id] = person
        if look.damaged:
            doubtful.add(agreement_id)
    return persons, frozenset(doubtful)
