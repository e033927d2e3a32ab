"""Files that another implementation sealed (npm `age-encryption` 0.3.1) open here.

They must open with every later version of ours; tests/interop goes both ways, with files
made while it runs.
"""

from pathlib import Path

import pytest

from tallystick.crypto import age

DATA = Path(__file__).parents[1] / "data"
IDENTITIES = {
    "pq": "AGE-SECRET-KEY-PQ-1KUZZQCW9KNY82FK2FXR39PYCRGDLGYY85MUZ77D7UZVRP5CFUXEQGZMZY2",
    "x": "AGE-SECRET-KEY-1KUZZQCW9KNY82FK2FXR39PYCRGDLGYY85MUZ77D7UZVRP5CFUXEQJVMR2Z",
}


@pytest.mark.parametrize("kind", IDENTITIES)
def test_file_sealed_by_age_encryption_opens(kind: str) -> None:
    sealed = bytes.fromhex((DATA / f"age-encryption-{kind}.age.hex").read_text())
    identity = age.parse_identity(IDENTITIES[kind])
    assert age.open_bytes(sealed, [identity]) == b"sealed by age-encryption\n" * 3
