"""The form in which people write a claim."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tallystick.desk.files import read_file
from tallystick.desk.strict_yaml import read_yaml
from tallystick.domain.codec import decode_with_defaults
from tallystick.domain.ids import AgreementId, StageId
from tallystick.limits import JSON_SIZE_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A document that supports the claim, as a file next to the form."""

    item: str
    file: str
    issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimForm:
    """A claim as people write it.

    Attributes:
        deposit: The number of the deposit that is claimed.
    """

    agreement: AgreementId
    deposit: int
    condition: str
    stages: tuple[StageId, ...]
    declaration: str
    evidence: tuple[AttachedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormInPlace:
    """A form, and the folder that its files are in."""

    form: ClaimForm
    folder: Path


def read_claim_form(file: Path) -> FormInPlace:
    """Return the claim in a YAML file.

    Raises:
        FileUnusableError: The file can't be read, or is too large.
        MalformedError: Not a claim form; the facts say where.
    """
    content = read_file(file, size_bytes_max=JSON_SIZE_BYTES_MAX)
    located = read_yaml(content, size_bytes_max=JSON_SIZE_BYTES_MAX)
    return FormInPlace(form=decode_with_defaults(ClaimForm, located.value), folder=file.parent)
