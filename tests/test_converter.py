"""How messages are written for Temporal."""

from datetime import UTC, datetime

from temporalio.contrib.pydantic import pydantic_data_converter

from tallystick.converter import MESSAGE_CONVERTER, MessageConverter
from tallystick.domain.ids import AgreementId, Digest
from tallystick.messages import ClaimStart, NewEntries, RawEntry

START = ClaimStart(claim=Digest("sha256:" + 64 * "0"), agreement=AgreementId("nordwind"), envelope="{}")
ENTRY = RawEntry(index=7, accepted_at=datetime(2027, 3, 1, 9, 0, tzinfo=UTC), envelope="{}")
ANSWER = NewEntries(recorded=True, entries=(ENTRY,))


def test_messages_are_written_as_pydantic_writes_them_and_read_back_as_they_were() -> None:
    written = MESSAGE_CONVERTER.payload_converter.to_payloads([START, ANSWER])
    assert written == pydantic_data_converter.payload_converter.to_payloads([START, ANSWER])
    read = MESSAGE_CONVERTER.payload_converter.from_payloads(written, [ClaimStart, NewEntries])
    assert read == [START, ANSWER]


def test_readers_are_built_once_however_many_converters_there_are() -> None:
    one, another = MessageConverter(), MessageConverter()
    assert list(one.converters.values()) == list(another.converters.values())
