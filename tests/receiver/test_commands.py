"""The beneficiary's commands, and how they are ended."""

import signal

import pytest

from tallystick.receiver.commands import signals_held_back


def test_a_signal_that_comes_while_a_command_starts_is_raised_once_it_is_known() -> None:
    usual, known = signal.getsignal(signal.SIGINT), list[str]()

    def start() -> None:
        with signals_held_back():
            signal.raise_signal(signal.SIGINT)
            known.append("the command")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert known == ["the command"]
    assert signal.getsignal(signal.SIGINT) is usual
