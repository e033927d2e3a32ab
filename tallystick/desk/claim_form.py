"""The form in which people write a claim."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tallystick.desk.files import read_file
from tallystick.desk.strict_yaml import Located, at_line, read_yaml, suggested
from tallystick.domain.codec import Prose, decode_with_defaults
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, PartyId, PersonId, StageId, name
from tallystick.limits.documents import JSON_SIZE_BYTES_MAX


class ClaimFileMistakeError(MalformedError):
    """A claim file has a mistake; the facts say on which line."""

    code = "claim-file-mistake"
    why = "The file is not a claim: a member is unknown, missing or malformed."
    advice = "Correct the line that `line` names; `deploy/demo/claim.yaml` is an example of a claim."


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
        for_: The beneficiary for whom a person of the escrow agent files; it declares and names receivers.
        receivers: To whom everything is sealed; by default, whom the agreement lists, or else the author.
    """

    agreement: AgreementId
    deposit: int
    condition: str
    stages: tuple[StageId, ...]
    declaration: Prose | None = None
    for_: PartyId | None = None
    evidence: tuple[AttachedFile, ...] = ()
    receivers: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormInPlace:
    """A form, and the folder that its files are in."""

    form: ClaimForm
    folder: Path


def read_claim_form(file: Path, *, for_: str | None = None) -> FormInPlace:
    """Return the claim in a YAML file.

    Args:
        for_: The beneficiary for whom it is filed, in place of the form's own word.

    Raises:
        FileUnusableError: The file cannot be read, or is too large.
        StrictYamlError: YAML that could be misread; the facts say which line.
        ClaimFileMistakeError: Not a claim form; the facts say which line and why.
    """
    content = read_file(file, size_bytes_max=JSON_SIZE_BYTES_MAX)
    located = read_yaml(content, file=file.name, size_bytes_max=JSON_SIZE_BYTES_MAX)
    try:
        form = decode_with_defaults(ClaimForm, located.value)
    except MalformedError as error:
        raise _mistake(file.name, located, error) from error
    if for_ is not None:
        form = replace(form, for_=PartyId(name(for_)))
    return FormInPlace(form=form, folder=file.parent)


def _mistake(file: str, located: Located, cause: MalformedError) -> ClaimFileMistakeError:
    where, member = str(cause.facts.get("at", "")), cause.facts.get("member")
    line = located.line_of_mistake(where, member)
    named = "" if member is None else f" `{member}`"
    facts = {**cause.facts, "file": file, "line": line}
    return ClaimFileMistakeError(f"{at_line(file, line)}: {cause.message}{named}{suggested(cause)}", **facts)
