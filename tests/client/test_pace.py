"""What a transport costs to make; how it paces an answer is tried in `test_http`."""

from tallystick.client.pace import Pace, paced_transport


def test_the_certificates_that_this_machine_trusts_are_read_once() -> None:
    first, second = (paced_transport(Pace(seconds=1, bytes_max=1), None) for _ in range(2))
    read = (one._pool._ssl_context for one in (first, second))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert len({id(context) for context in read}) == 1
