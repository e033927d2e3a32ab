"""What a log says about the letters on damage: read once, and then only what is newer.

Which letters are owed follows from the record alone. Most of a long record matters no more: it was reported,
and taken. So what still matters is remembered with the place up to which the log was read. A process that
begins anew reads from the beginning, once; so does one that finds another version of the agreement, or a
shorter log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sqlmodel import Session

from tallystick.crypto.envelope import Envelope, body_of
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_engine
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.notice.storage import OwedLetter, owed_letters, still_needed
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.signed import Body, Entry, Signed
from tallystick.limits.notices import LETTER_ENTRIES_REMEMBERED_MAX
from tallystick.proof.reading import SignedAgreement, read_signed
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements

_KINDS: Final = (Kind.EVENT, Kind.STORAGE_NOTICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What matters of a log's first `size` entries, under the newest version of its agreement."""

    version: Digest
    size: int
    needed: tuple[Entry, ...]


class LetterRecords:
    """What the logs say about letters, as far as they were read."""

    def __init__(self, *, entries_max: int = LETTER_ENTRIES_REMEMBERED_MAX) -> None:
        """Begin with nothing read; remember at most `entries_max` entries, of all logs together."""
        self._entries_max = entries_max
        self._kept: dict[AgreementId, _Kept] = {}
        self._lock = Lock()

    def owed(
        self, session: Session, agreement_id: AgreementId
    ) -> tuple[SignedAgreement, tuple[OwedLetter, ...]]:
        """Return the newest version of an agreement, and the letters that are owed under it.

        Raises:
            TallystickError: An entry is not what it must be.
        """
        registered = agreements.latest(session, agreement_id)
        assert registered is not None, "only registered agreements are looked at"
        signed = registered.signed()
        return signed, owed_letters(signed.agreement, self._record(session, signed))

    def _record(self, session: Session, signed: SignedAgreement) -> tuple[Entry, ...]:
        agreement, version = signed.agreement, signed.terms.digest
        size = ledger.frontier_of(session, agreement.id).size
        kept = self._kept.get(agreement.id)
        if kept is None or kept.version != version or kept.size > size:
            kept = _Kept(version=version, size=0, needed=())
        newer = _read_on(session, agreement.id, after=kept.size - 1)
        needed = still_needed(agreement, (*kept.needed, *newer))
        self._keep(agreement.id, _Kept(version=version, size=size, needed=needed))
        return needed

    def _keep(self, agreement_id: AgreementId, kept: _Kept) -> None:
        """Remember what matters, unless it is much: of what no channel takes there is no end."""
        with self._lock:
            self._kept.pop(agreement_id, None)
            held = sum(len(one.needed) for one in self._kept.values())
            if held + len(kept.needed) <= self._entries_max:
                self._kept[agreement_id] = kept


def _read_on(session: Session, agreement_id: AgreementId, *, after: int) -> Iterator[Entry]:
    """Yield the later entries about no claim, each read under the version that it names: keys change."""
    versions: dict[str, Agreement] = {}
    for entry in ledger.entries(session, agreement_id, unclaimed=True, kinds=_KINDS, after=after):
        read = _read(session, agreement_id, entry.statement(), versions)
        yield Entry(index=entry.index, accepted_at=entry.accepted_at, signed=read)


def _read(
    session: Session, agreement_id: AgreementId, envelope: Envelope, versions: dict[str, Agreement]
) -> Signed[Body]:
    named = str(body_of(envelope).get("agreement_digest"))
    if named not in versions:
        registered = agreements.by_digest(session, Digest(named))
        if registered is None or registered.agreement_id != agreement_id:
            raise MisdirectedError("no version of the agreement has the digest", digest=named)
        versions[named] = registered.signed().agreement
    read = read_signed(envelope, versions[named])
    check_engine(versions[named], read)
    return read
