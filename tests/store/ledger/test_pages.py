"""A page of a log has as many entries as fit in an answer, and at least one, whatever its size."""

import pytest
from sqlalchemy import Engine

from tallystick.limits.logs import LEDGER_PAGE_BYTES_MAX, LEDGER_PAGE_ENTRIES_MAX
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger.pages import fitting, page
from tests.support.worlds.ledgers import LOG, add, said


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [([], 0), ([9], 1), ([9, 1], 1), ([4, 1], 2), ([4, 1, 1], 2), ([2, 9], 1), ([5, 0, 0], 3)],
)
def test_as_many_fit_as_have_room_together_and_the_first_one_always(sizes: list[int], fits: int) -> None:
    assert fitting(sizes, 5) == fits


def test_a_page_ends_before_the_entry_that_it_has_no_room_for(database: Engine) -> None:
    tenth = 3 * "a" * (LEDGER_PAGE_BYTES_MAX // 42)  # a third more as base64
    with transaction(database) as session:
        for number in range(12):
            add(session, said("hold", number, reason=tenth))
    with reading(database) as session:
        pages = [[entry.index for entry in page(session, LOG, after=after)] for after in (-1, 9, 11)]
    assert pages == [list(range(10)), [10, 11], []]


def test_a_page_has_no_more_entries_than_it_may_have(database: Engine) -> None:
    with transaction(database) as session:
        for number in range(LEDGER_PAGE_ENTRIES_MAX + 2):
            add(session, said("hold", number))
    with reading(database) as session:
        assert len(page(session, LOG, after=-1)) == LEDGER_PAGE_ENTRIES_MAX
        assert [entry.index for entry in page(session, LOG, after=LEDGER_PAGE_ENTRIES_MAX - 1)] == [256, 257]
