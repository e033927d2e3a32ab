"""How a submission is read before it is decided."""

import pytest

from tallystick.crypto.envelope import envelope_bytes
from tallystick.domain.errors import MalformedError
from tallystick.messages import Submission
from tests.support.worlds.ledgers import said
from workflows.claim.acts import envelope_in


def test_validator_and_handler_read_one_envelope() -> None:
    text = envelope_bytes(said("event", 1)).decode()
    # Temporal makes the message anew for each of them.
    assert envelope_in(Submission(envelope=text)) is envelope_in(Submission(envelope=text))
    assert envelope_in(Submission(envelope=text)) == said("event", 1)


def test_what_was_refused_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(MalformedError):
            envelope_in(Submission(envelope="{}"))
