"""How messages are written for Temporal: as JSON, by Pydantic; what reads a type of message is built once.

Temporal makes a converter of its own for each workflow, and several for each task; Pydantic's builds its
readers anew in each. A reader knows nothing but its type, so all of a process share them.
"""

from typing import Final

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter

_SHARED: Final = tuple(PydanticPayloadConverter().converters.values())


class MessageConverter(CompositePayloadConverter):
    """Pydantic's converter, however many are made of it."""

    def __init__(self) -> None:
        """Take the converters that all share."""
        super().__init__(*_SHARED)


MESSAGE_CONVERTER: Final = DataConverter(payload_converter_class=MessageConverter)
"""For every client, worker and replayer of the deployment."""
