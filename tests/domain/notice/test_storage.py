"""Which letters about damaged copies are owed: to whom, of what, and from when."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tallystick.domain.agreement.parties import ChannelKind
from tallystick.domain.ids import Digest, PartyId
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.notice.storage import OwedLetter, owed_letters, still_needed, storage_letter
from tallystick.domain.statements.engine import ChannelResult, Event, StorageNotice
from tallystick.domain.statements.signed import Body, Entry, Signed
from tallystick.limits.notices import STORAGE_NOTICE_FINDINGS_MAX, STORAGE_NOTICE_RETRY_MAX
from tallystick.limits.steps import NOTICE_RETRY_MIN
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.groundwork import BEGIN, NO_DIGEST, key_of, some_digest
from tests.support.worlds.world import World

DEPOSITOR = PartyId("nordwind")


def recorded(place: int, body: Body, at: datetime) -> Entry:
    kind = Kind.EVENT if isinstance(body, Event) else Kind.STORAGE_NOTICE
    signed = Signed(kind=kind, id=some_digest(place), signers=frozenset({key_of("kim@kestrel")}), body=body)
    return Entry(index=place, accepted_at=at, signed=signed)


def finding(
    place: int,
    happening: Happening = Happening.REPLICA_LOST,
    *,
    at: datetime = BEGIN,
    claim: Digest | None = None,
) -> Entry:
    because = (f"blob {place}", "north missing")
    event = World().body(Kind.EVENT, "engine@test", happening=happening, claim=claim, because=because)
    return recorded(place, event, at)


def notice(place: int, *findings: int, at: datetime, taken: bool = True, attempt: int = 1) -> Entry:
    how = ChannelResult(kind=ChannelKind.OUTBOX, address="nordwind", taken=taken, own=True, detail="")
    sent = World().body(
        Kind.STORAGE_NOTICE,
        "engine@test",
        party=DEPOSITOR,
        attempt=attempt,
        findings=tuple(map(some_digest, findings)),
        text_digest=NO_DIGEST,
        channels=(how,),
    )
    assert isinstance(sent, StorageNotice)
    return recorded(place, sent, at)


ONLY_THE_DEPOSITOR: Final = replace(
    AGREEMENT,
    parties=tuple(
        party if party.id == DEPOSITOR else replace(party, channels=()) for party in AGREEMENT.parties
    ),
)


def to_depositor(*entries: Entry) -> OwedLetter | None:
    return next((one for one in owed_letters(AGREEMENT, entries) if one.party.id == DEPOSITOR), None)


def test_depositor_beneficiary_and_agent_get_letters_and_nobody_without_a_channel() -> None:
    assert [one.party.id for one in owed_letters(AGREEMENT, [finding(1)])] == [
        "nordwind",
        "halden",
        "harbour",
    ]
    deaf = replace(AGREEMENT, parties=tuple(replace(party, channels=()) for party in AGREEMENT.parties))
    assert owed_letters(deaf, [finding(1)]) == ()


def test_other_events_are_not_reported() -> None:
    verified = finding(1, Happening.DEPOSIT_VERIFIED)
    of_a_claim = finding(2, Happening.REPLICA_REPAIRED, claim=NO_DIGEST)
    assert owed_letters(AGREEMENT, [verified, of_a_claim]) == ()


def test_what_was_reported_is_not_reported_again_and_later_findings_are() -> None:
    first, second = finding(1), finding(3, Happening.REPLICA_REPAIRED, at=BEGIN + timedelta(days=1))
    sent = notice(2, 1, at=BEGIN)
    assert to_depositor(first, sent) is None
    due = to_depositor(first, sent, second)
    assert due is not None
    assert [place for place, _ in due.findings] == [some_digest(3)]
    assert (due.attempt, due.due_at) == (2, BEGIN + timedelta(days=1))


def test_letter_that_no_channel_accepted_is_owed_again_ever_later_but_daily() -> None:
    entries = [finding(1)]
    for attempt in range(1, 30):
        entries.append(notice(attempt + 1, 1, at=BEGIN, taken=False, attempt=attempt))
        due = to_depositor(*entries)
        assert due is not None
        assert due.attempt == attempt + 1
        wait = min(NOTICE_RETRY_MIN * 2 ** (attempt - 1), STORAGE_NOTICE_RETRY_MAX)
        assert due.due_at == BEGIN + wait


def test_failures_before_an_accepted_letter_are_forgotten() -> None:
    failed, taken = notice(2, 1, at=BEGIN, taken=False), notice(3, 1, at=BEGIN, attempt=2)
    due = to_depositor(finding(1), failed, taken, finding(4))
    assert due is not None
    assert due.due_at == BEGIN


def test_a_lost_disk_does_not_send_one_letter_per_file() -> None:
    findings = [finding(place) for place in range(STORAGE_NOTICE_FINDINGS_MAX + 1)]
    first = to_depositor(*findings)
    assert first is not None
    assert len(first.findings) == STORAGE_NOTICE_FINDINGS_MAX
    sent = notice(1000, *range(STORAGE_NOTICE_FINDINGS_MAX), at=BEGIN)
    rest = to_depositor(*findings, sent)
    assert rest is not None
    assert [place for place, _ in rest.findings] == [some_digest(STORAGE_NOTICE_FINDINGS_MAX)]


def test_the_letter_says_which_copies_and_whether_they_were_replaced() -> None:
    due = to_depositor(finding(1), finding(2, Happening.REPLICA_REPAIRED))
    assert due is not None
    text = storage_letter(AGREEMENT, due)
    assert [line.split()[-1] for line in text.splitlines() if line.endswith("eplaced")] == ["replaced"]
    assert text.count("NOT REPLACED") == 1
    assert "    blob 2" in text
    assert AGREEMENT.communications.support in text


def test_what_may_be_forgotten_changes_no_letter_whenever_it_is_forgotten() -> None:
    day = timedelta(days=1)
    record = [
        finding(1),
        finding(2, Happening.REPLICA_REPAIRED),
        notice(3, 1, at=BEGIN, taken=False),
        notice(4, 1, 2, at=BEGIN + day, attempt=2),
        finding(5),
        notice(6, 5, at=BEGIN + 2 * day, taken=False, attempt=3),
        finding(7),
        notice(8, 5, 7, at=BEGIN + 3 * day, attempt=4),
        finding(9),
    ]
    kept: tuple[Entry, ...] = ()
    for size in range(1, len(record) + 1):
        kept = still_needed(ONLY_THE_DEPOSITOR, (*kept, record[size - 1]))
        assert owed_letters(ONLY_THE_DEPOSITOR, kept) == owed_letters(ONLY_THE_DEPOSITOR, record[:size])
    assert [entry.index for entry in kept] == [8, 9]


def test_what_one_party_was_not_told_is_remembered_whatever_the_others_were_told() -> None:
    record = [finding(1), notice(2, 1, at=BEGIN)]
    assert [entry.index for entry in still_needed(AGREEMENT, record)] == [1, 2]
