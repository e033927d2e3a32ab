"""What a process remembers is bounded by bytes, whatever the size of each thing."""

from hypothesis import given
from hypothesis import strategies as st

from tallystick.proof.memory import Memory


def memory() -> Memory[int, str]:
    return Memory(bytes_max=100, bytes_min=10)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 120)), max_size=60))
def test_all_that_is_kept_never_weighs_more_than_the_bound(kept: list[tuple[int, int]]) -> None:
    held, sizes = memory(), dict[int, int]()
    for key, size_bytes in kept:
        assert held.keep(key, str(size_bytes), size_bytes=size_bytes) == str(size_bytes)
        sizes[key] = max(size_bytes, 10)
        found = [one for one in range(10) if held.get(one) is not None]
        assert sum(sizes[one] for one in found) <= 100
        assert (held.get(key) is not None) == (size_bytes <= 100), "the newest is there, if it fits at all"


def test_the_least_recently_used_makes_room() -> None:
    held = memory()
    for key in range(5):
        held.keep(key, "", size_bytes=20)
    assert held.get(0) == ""
    held.keep(5, "", size_bytes=30)
    assert [key for key in range(6) if held.get(key) is not None] == [0, 3, 4, 5]


def test_the_smallest_weighs_something_so_that_their_number_is_bounded() -> None:
    held = memory()
    for key in range(1000):
        held.keep(key, "", size_bytes=0)
    assert sum(held.get(key) is not None for key in range(1000)) == 10


def test_what_is_kept_again_weighs_once() -> None:
    held = memory()
    held.keep(1, "", size_bytes=40)
    for _ in range(9):
        held.keep(2, "", size_bytes=50)
    assert held.get(1) == ""
    held.clear()
    assert held.get(1) is None
    held.keep(3, "", size_bytes=100)
    assert held.get(3) == "", "what is forgotten weighs nothing"
