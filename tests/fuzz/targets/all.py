"""Every target, by its name."""

from collections.abc import Mapping
from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import bags, deliveries, documents, letters, logs, sealed, statements

_MODULES: Final = (documents, statements, sealed, logs, bags, deliveries, letters)
TARGETS: Final[Mapping[str, Target]] = {
    target.name: target for module in _MODULES for target in module.TARGETS
}
