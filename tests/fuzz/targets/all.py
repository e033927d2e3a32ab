"""Every target, by its name."""

from collections.abc import Mapping
from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    answers,
    bags,
    deliveries,
    documents,
    letters,
    logs,
    own_files,
    sealed,
    statements,
)

_MODULES: Final = (documents, statements, sealed, logs, bags, deliveries, letters, own_files, answers)
TARGETS: Final[Mapping[str, Target]] = {
    target.name: target for module in _MODULES for target in module.TARGETS
}
