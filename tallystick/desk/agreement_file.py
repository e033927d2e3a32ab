"""Agreements as people write them: YAML or JSON, with keys and defaults filled in.

For convenience a person may be written as `{pub: keys/ana@harbour.pub, name: Ana Prieto}`
and the engine as `{file: deployment.json}`; both paths are relative to the agreement's
folder. What comes out is complete: its canonical bytes are what the parties sign.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tallystick.crypto.enrolment import read_public_file
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.desk.files import naming
from tallystick.desk.strict_yaml import Located, at_line, read_yaml, suggested
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import decode_with_defaults, encode
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.limits.sealing import KEY_FILE_SIZE_BYTES_MAX
from tallystick.regular import read_regular

_ENGINE_MEMBERS: Final = ("log_key", "decision_key", "gate_recipient")
_FACT_NAMES: Final = {"file": "named_file"}  # `file` is the agreement's own
_DEPLOYMENT_FILE_MEMBERS: Final = frozenset({"deployment", "root_keys", "letter_key", *_ENGINE_MEMBERS})


class AgreementFileUnreadableError(TallystickError):
    """An agreement file, or a file that it names, cannot be read."""

    code = "agreement-file-unreadable"
    why = "The agreement, or a file that it names, cannot be opened or is too large."
    advice = "Check the path; a path in an agreement is relative to the agreement's folder."


class AgreementFileMistakeError(MalformedError):
    """An agreement file has a mistake; the facts say on which line."""

    code = "agreement-file-mistake"
    why = "The file is not an agreement: a member is unknown, missing or malformed."
    advice = "Correct the line that `line` names; `at` points to the member (RFC 6901)."


def read_agreement_file(path: Path) -> Agreement:
    """Return the agreement in a YAML or JSON file, with defaults and the files that it names filled in.

    Raises:
        AgreementFileUnreadableError: The file, or one that it names, cannot be read.
        AgreementFileMistakeError: Not an agreement; the facts say which line and why.
        StrictYamlError: YAML that could be misread; the facts say which line.
        MalformedError: A `.json` file that is not strict JSON.
    """
    located = _read_located(path)
    where = ""
    try:
        document = _whole(located.value, path.parent)
        return decode_with_defaults(Agreement, document)
    except _NamedFileError as error:
        where, cause = error.where, error.cause
    except MalformedError as error:
        pointer = error.facts.get("at")
        where, cause = pointer if isinstance(pointer, str) else "", error
    raise _mistake(path, located, where, cause) from cause


def canonical_agreement(agreement: Agreement) -> bytes:
    """Return the bytes that the parties sign: RFC 8785, every default written out.

    Raises:
        MalformedError: Nested deeper than a document may be.
    """
    return canonical_bytes(encode(agreement))


class _NamedFileError(Exception):
    """Carries the refusal of a file that the agreement names to where the line that names it is known."""

    def __init__(self, where: str, cause: TallystickError) -> None:
        super().__init__(where)
        self.where = where
        self.cause = cause


def _read_located(path: Path) -> Located:
    data = _contents(path, AGREEMENT_SIZE_BYTES_MAX)
    if path.suffix == ".json":
        return Located(value=parse(data, size_bytes_max=AGREEMENT_SIZE_BYTES_MAX), lines={})
    return read_yaml(data, file=path.name, size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)


def _contents(path: Path, size_bytes_max: int) -> bytes:
    try:
        data = read_regular(path, size_bytes_max)
    except OSError as error:
        raise AgreementFileUnreadableError(
            f"cannot read {path}: {error.strerror}", file=path.name, reason=error.strerror
        ) from error
    if len(data) > size_bytes_max:
        raise AgreementFileUnreadableError(
            f"{path} is larger than {size_bytes_max} bytes", file=path.name, limit=size_bytes_max
        )
    return data


def _mistake(path: Path, located: Located, where: str, cause: TallystickError) -> AgreementFileMistakeError:
    member = cause.facts.get("member")
    facts = {_FACT_NAMES.get(key, key): fact for key, fact in cause.facts.items() if key != "at"}
    line = located.line_of_mistake(where, member) if located.lines else None
    if line is not None:
        facts["line"] = line
    named = "" if member is None else f" `{member}`"
    message = f"{at_line(path.name, line)}: {cause.message}{named}{suggested(cause)}"
    return AgreementFileMistakeError(message, at=where, file=path.name, **facts)


def _whole(value: JsonValue, folder: Path) -> JsonValue:
    """Return the document with the content of the files that it names filled in."""
    if not isinstance(value, Mapping):
        return value
    document = dict(value)
    persons = document.get("persons")
    if isinstance(persons, Sequence) and not isinstance(persons, str):
        document["persons"] = [_person(person, folder, place) for place, person in enumerate(persons)]
    engine = document.get("engine")
    if isinstance(engine, Mapping) and set(engine) == {"file"}:
        deployment = _from_file(engine["file"], folder, "/engine/file", _deployment_file)
        document["engine"] = {member: deployment[member] for member in _ENGINE_MEMBERS}
        if document.setdefault("deployment", deployment["deployment"]) != deployment["deployment"]:
            mismatch = AgreementFileMistakeError("the engine's file belongs to another deployment")
            raise _NamedFileError("/deployment", mismatch)
    return document


def _person(person: JsonValue, folder: Path, place: int) -> JsonValue:
    if not isinstance(person, Mapping) or "pub" not in person:
        return person
    written = {member: value for member, value in person.items() if member != "pub"}
    proven = _from_file(person["pub"], folder, f"/persons/{place}/pub", _public_file)
    for member in sorted(written.keys() & proven.keys()):
        if written[member] != proven[member]:
            mismatch = AgreementFileMistakeError("the public file contradicts the member", member=member)
            raise _NamedFileError(f"/persons/{place}", mismatch)
    return {**written, **proven}


def _from_file(name: JsonValue, folder: Path, where: str, read: Callable[[bytes], JsonObject]) -> JsonObject:
    try:
        if not isinstance(name, str) or "\x00" in name:
            raise AgreementFileMistakeError("not the name of a file")
        content = _contents(folder / name, KEY_FILE_SIZE_BYTES_MAX)
        with naming(folder / name):
            return read(content)
    except TallystickError as error:
        raise _NamedFileError(where, error) from error


def _public_file(data: bytes) -> JsonObject:
    enrolment = read_public_file(data)
    return {
        "id": enrolment.person,
        "signing_key": enrolment.signing_key,
        "age_recipient": enrolment.age_recipient,
    }


def _deployment_file(data: bytes) -> JsonObject:
    deployment = parse(data, size_bytes_max=KEY_FILE_SIZE_BYTES_MAX)
    if not isinstance(deployment, Mapping):
        raise AgreementFileMistakeError("the file is not a deployment's public file")
    needed = _DEPLOYMENT_FILE_MEMBERS - {"root_keys", "letter_key"}
    if missing := sorted(needed - deployment.keys()):
        raise AgreementFileMistakeError("the deployment's file lacks the member", member=missing[0])
    if unknown := sorted(deployment.keys() - _DEPLOYMENT_FILE_MEMBERS):
        raise AgreementFileMistakeError(
            "the deployment's file has the unknown member", member=unknown[0][:64]
        )
    return deployment
