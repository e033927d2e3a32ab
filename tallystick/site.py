"""A site's data folder: which file is where; made once, and used again by every start.

The folder has the deployment's own keys, its databases, both blob stores and its
logs. Its public facts are in `deployment.json`, which agreements refer to.
"""

import dataclasses
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tallystick.crypto.age import new_identity, parse_identity
from tallystick.crypto.enrolment import read_public_file
from tallystick.crypto.envelope import envelope_bytes, envelope_json, parse_envelope
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.keyfile import PrivateKeys, read_key_file, write_key_file
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.letter_key import LetterKey, LetterKeyUnpublishedError, publish, published_key
from tallystick.domain.agreement.deployment import (
    Deployment,
    EngineKeys,
    Publication,
    read_deployment,
    write_deployment,
)
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import DeploymentId, PersonId, PublicKey, engine_person, gate_person, name
from tallystick.domain.json import JsonObject
from tallystick.durable import Fsync, make_private, write_durably
from tallystick.limits.documents import JSON_SIZE_BYTES_MAX
from tallystick.limits.processes import LOGS_KEPT_MAX
from tallystick.limits.sealing import KEY_FILE_SIZE_BYTES_MAX
from tallystick.regular import OTHERS_WRITE, place_fault, read_regular, read_with_facts
from tallystick.settings import Settings, read_settings

_PUBLICATION: Final = ".pub"
_PUBLIC: Final = 0o644  # worker and gate may run as other users


class OtherDeploymentError(TallystickError):
    """The data folder belongs to a deployment of another name."""

    code = "other-deployment"
    why = "Every statement names its deployment, so a data folder belongs to one deployment for ever."
    advice = "Give the folder's own name with `--deployment`, or choose another folder with `--data`."


class RootFileError(TallystickError):
    """A file given for a root key is not a public file."""

    code = "root-file"
    why = "A root key is read from a person's .pub file; this is not one, or it cannot be read."
    advice = "Name the .pub file that `tallystick key new` made for a person of the escrow agent."


class DataFolderError(TallystickError):
    """The data folder cannot be used."""

    code = "data-folder"
    why = "The system does not let you make or use a folder there; `reason` says why."
    advice = "Choose a folder of your own with `--data`."


class DeploymentUnreadableError(TallystickError):
    """The file in the data folder that says what is public of the deployment cannot be read."""

    code = "deployment-unreadable"
    why = "The data folder's `deployment.json` was damaged or altered, so the deployment's keys are unknown."
    advice = (
        "Operators: restore the file from a backup; agreements pin what it says, so never write it by hand."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The files and folders in one data folder."""

    root: Path

    @property
    def public_file(self) -> Path:
        """The file of the deployment's public facts."""
        return self.root / "deployment.json"

    @property
    def log_key_file(self) -> Path:
        """The file of the worker's key."""
        return self.root / "keys" / "log.key"

    @property
    def letter_key_file(self) -> Path:
        """The file of the key that signs letters; its publication lies beside it as `letter.pub`."""
        return self.root / "keys" / "letter.key"

    @property
    def gate_key_file(self) -> Path:
        """The file of the gate's keys."""
        return self.root / "gate" / "gate.key"

    @property
    def temporal_database(self) -> Path:
        """The Temporal server's SQLite file."""
        return self.root / "temporal.db"

    @property
    def logs(self) -> Path:
        """The folder of the logs, one file per process."""
        return self.root / "logs"

    def new_log(self, process: str) -> Path:
        """Return the log file for a process that is about to start; keep earlier ones that say anything."""
        current = self.logs / f"{process}.log"
        if current.exists() and not current.stat().st_size:
            return current
        for number in reversed(range(LOGS_KEPT_MAX)):
            older = self.logs / f"{process}.log.{number}" if number else current
            if older.exists():
                older.replace(self.logs / f"{process}.log.{number + 1}")
        return current

    def deployment(self) -> Deployment:
        """Return the public facts of the deployment.

        Raises:
            DataFolderError: Others may change the file, or put another in its place.
            DeploymentUnreadableError: The file was altered.
        """
        if (fault := place_fault(self.public_file)) is not None:
            raise DataFolderError(f"{self.public_file} {fault}", data=str(self.root), reason=fault)
        facts, content = read_with_facts(self.public_file, JSON_SIZE_BYTES_MAX)
        if facts.st_mode & OTHERS_WRITE:
            found = f"{stat.S_IMODE(facts.st_mode):04o}"
            raise DataFolderError(f"others may change {self.public_file}", data=str(self.root), reason=found)
        try:
            return read_deployment(parse(content))
        except MalformedError as error:
            raise DeploymentUnreadableError(
                "the deployment's public facts are damaged",
                file=self.public_file.name,
                broken_by=error.code,
            ) from error


def read_letter_key(file: Path, *, deployment: DeploymentId, log_key: PublicKey) -> LetterKey:
    """Return the key that signs letters, with the statement beside it by which the log key published it.

    Raises:
        LetterKeyUnpublishedError: There is no such statement, or it publishes another key.
        TallystickError: The key file is not what it must be, or the log key did not sign the statement.
    """
    keys = read_key_file(file)
    try:
        published = parse_envelope(read_regular(file.with_suffix(_PUBLICATION), JSON_SIZE_BYTES_MAX))
    except OSError as error:
        raise LetterKeyUnpublishedError(
            f"cannot read {file.with_suffix(_PUBLICATION)}: {error.strerror}", reason=error.strerror
        ) from error
    return published_key(keys.signing_key, published, deployment=deployment, log_key=log_key)


def prepare(root: Path, *, deployment: str, root_files: Iterable[Path] = (), fsync: Fsync = os.fsync) -> Site:
    """Make the data folder, or use one that is there, and add root keys to its public facts.

    Args:
        root: The folder; made with mode 0700.
        deployment: Its name, for a new folder.
        root_files: `.pub` files of the escrow agent's persons.
        fsync: What makes an open file durable.

    Raises:
        OtherDeploymentError: The folder belongs to another deployment.
        RootFileError: A file in `root_files` is not a public file.
        DataFolderError: The folder cannot be made.
        TallystickError: A key in the folder is not what it must be.
    """
    new = tuple(_root_key(path) for path in root_files)
    site = Site(root=root.absolute())
    _make_folders(site)
    public = _public(site, deployment)
    keys = tuple(dict.fromkeys((*public.root_keys, *new)))
    letter_key = Publication(envelope=_published_letter_key(site, public.id, fsync))
    _write_public(site, dataclasses.replace(public, root_keys=keys, letter_key=letter_key), fsync)
    return site


def settings_of(
    site: Site,
    *,
    api_port: int,
    temporal_port: int,
    metrics_port: int | None = None,
    database_url: str | None = None,
) -> Settings:
    """Return the settings with which the stack's processes run on `site`.

    Args:
        metrics_port: Where the API serves its figures on this machine; absent: nowhere.
        database_url: The database of the ledger, if it is not a file in the data folder.

    Raises:
        BadSettingError: The URL is malformed.
    """
    public = site.deployment()
    return read_settings(
        {
            **({} if database_url is None else {"TALLYSTICK_DATABASE_URL": database_url}),
            **({} if metrics_port is None else {"TALLYSTICK_METRICS_ADDRESS": f"127.0.0.1:{metrics_port}"}),
            "TALLYSTICK_DATA": str(site.root),
            "TALLYSTICK_DEPLOYMENT": public.id,
            "TALLYSTICK_ROOT_KEYS": " ".join(public.root_keys),
            "TALLYSTICK_LOG_KEY_FILE": str(site.log_key_file),
            "TALLYSTICK_LETTER_KEY_FILE": str(site.letter_key_file),
            "TALLYSTICK_GATE_KEY_FILE": str(site.gate_key_file),
            "TALLYSTICK_API_PORT": str(api_port),
            "TALLYSTICK_TEMPORAL_ADDRESS": f"127.0.0.1:{temporal_port}",
            "TALLYSTICK_CHECKPOINT_SECONDS": "2",
            "TALLYSTICK_RECONCILE_SECONDS": "5",
        }
    )


def _root_key(file: Path) -> PublicKey:
    try:
        return read_public_file(read_regular(file, KEY_FILE_SIZE_BYTES_MAX)).signing_key
    except OSError as error:
        raise RootFileError(
            f"cannot read {file}: {error.strerror}", file=str(file), reason=error.strerror
        ) from error
    except TallystickError as error:
        raise RootFileError(
            f"{file} is not a public file: {error.message}", file=str(file), reason=error.message
        ) from error


def _make_folders(site: Site) -> None:
    try:
        for folder in (
            site.root,
            site.logs,
            site.log_key_file.parent,
            site.gate_key_file.parent,
            site.root / "outbox",
        ):
            make_private(folder)
    except OSError as error:
        raise DataFolderError(
            f"cannot make {site.root}: {error.strerror}", data=str(site.root), reason=error.strerror
        ) from error


def _public(site: Site, deployment: str) -> Deployment:
    if site.public_file.exists():
        public = site.deployment()
        if public.id != deployment:
            why = f"the folder belongs to {public.id}, not to {deployment}"
            raise OtherDeploymentError(why, found=public.id, wanted=deployment)
        return public
    named = DeploymentId(name(deployment))
    log = _service_keys(site.log_key_file, engine_person(named))
    gate = _service_keys(site.gate_key_file, gate_person(named))
    engine = EngineKeys(
        log_key=log.signing_key.public_key,
        decision_key=gate.signing_key.public_key,
        gate_recipient=str(parse_identity(gate.age_identity).recipient()),
    )
    return Deployment(id=named, engine=engine)


def _service_keys(path: Path, person: PersonId) -> PrivateKeys:
    # An earlier start that was cut short may have left the key; use it, never replace it.
    if not path.exists():
        keys = PrivateKeys(
            person=person, signing_key=SigningKey.generate(), age_identity=new_identity().secret_text()
        )
        write_key_file(path, keys)
    return read_key_file(path)


def _published_letter_key(site: Site, deployment: DeploymentId, fsync: Fsync) -> JsonObject:
    """Return the publication of the letter key; one that was taken away is made anew, and so replaced."""
    log = read_key_file(site.log_key_file).signing_key
    key = _service_keys(site.letter_key_file, engine_person(deployment)).signing_key
    try:
        known = read_letter_key(site.letter_key_file, deployment=deployment, log_key=log.public_key)
    except LetterKeyUnpublishedError:
        known = publish(key, deployment=deployment, log_key=log, at=datetime.now(UTC).replace(microsecond=0))
        file = site.letter_key_file.with_suffix(_PUBLICATION)
        write_durably(file, envelope_bytes(known.published) + b"\n", fsync=fsync)
    return envelope_json(known.published)


def _write_public(site: Site, deployment: Deployment, fsync: Fsync) -> None:
    content = canonical_bytes(write_deployment(deployment)) + b"\n"
    write_durably(site.public_file, content, mode=_PUBLIC, fsync=fsync)
