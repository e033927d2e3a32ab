"""A site's data folder: what lies where, made once and found again.

The folder holds the deployment's own keys, its databases, both blob stores and its
logs. What is public of it stands in `deployment.json`, which agreements refer to.
"""

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.crypto.age import new_identity, parse_identity
from tallystick.crypto.enrolment import read_public_file
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.keyfile import PrivateKeys, read_key_file, write_key_file
from tallystick.crypto.keys import SigningKey
from tallystick.domain.agreement.deployment import (
    Deployment,
    EngineKeys,
    read_deployment,
    write_deployment,
)
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import DeploymentId, PersonId, PublicKey, engine_person, gate_person, name
from tallystick.durable import Fsync, make_private, write_durably
from tallystick.limits import LOGS_KEPT_MAX
from tallystick.settings import Settings, read_settings

_PUBLIC: Final = 0o644  # worker and gate may run as other users


class OtherDeploymentError(TallystickError):
    """The data folder belongs to a deployment of another name."""

    code = "other-deployment"
    why = "Every statement names its deployment; a data folder is of one deployment for ever."
    advice = "Leave out `--deployment`, or choose another folder with `--data`."


class RootFileError(TallystickError):
    """A root key's file that is no public file."""

    code = "root-file"
    why = "A root key is read from a person's .pub file; this is none, or the system doesn't let it be read."
    advice = "Name the .pub file that `tallystick key new` made for a person of the escrow agent."


class DataFolderError(TallystickError):
    """A data folder that can't be used."""

    code = "data-folder"
    why = "The system doesn't let a folder be made or used there."
    advice = "Choose a folder of your own with `--data`; `reason` is the system's."


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The places in one data folder."""

    root: Path

    @property
    def public_file(self) -> Path:
        """What is public of the deployment."""
        return self.root / "deployment.json"

    @property
    def log_key_file(self) -> Path:
        """The worker's key."""
        return self.root / "keys" / "log.key"

    @property
    def gate_key_file(self) -> Path:
        """The gate's keys."""
        return self.root / "gate" / "gate.key"

    @property
    def temporal_database(self) -> Path:
        """The Temporal server's SQLite file."""
        return self.root / "temporal.db"

    @property
    def logs(self) -> Path:
        """What the processes write, a file each."""
        return self.root / "logs"

    def new_log(self, process: str) -> Path:
        """Return the log file for a process that is about to start; earlier ones are kept, numbered."""
        current = self.logs / f"{process}.log"
        for number in reversed(range(LOGS_KEPT_MAX)):
            older = self.logs / f"{process}.log.{number}" if number else current
            if older.exists():
                older.replace(self.logs / f"{process}.log.{number + 1}")
        return current

    def deployment(self) -> Deployment:
        """Return what is public of the deployment.

        Raises:
            MalformedError: The file was altered.
        """
        return read_deployment(parse(self.public_file.read_bytes()))


def prepare(root: Path, *, deployment: str, root_files: Iterable[Path] = (), fsync: Fsync = os.fsync) -> Site:
    """Make the data folder, or find it again, and add root keys to what is public of it.

    Args:
        root: The folder; made with mode 0700.
        deployment: Its name, for a new folder.
        root_files: `.pub` files of the escrow agent's persons.
        fsync: What makes an open file durable.

    Raises:
        OtherDeploymentError: The folder belongs to another deployment.
        RootFileError: A file of `root_files` is no public file.
        DataFolderError: The folder can't be made.
        TallystickError: A key in the folder is not what it must be.
    """
    new = tuple(_root_key(path) for path in root_files)
    site = Site(root=root.absolute())
    _make_folders(site)
    standing = _standing(site, deployment)
    keys = tuple(dict.fromkeys((*standing.root_keys, *new)))
    _write_public(site, dataclasses.replace(standing, root_keys=keys), fsync)
    return site


def settings_of(
    site: Site, *, api_port: int, temporal_port: int, database_url: str | None = None
) -> Settings:
    """Return the settings with which the stack's processes run over `site`.

    Args:
        database_url: Where the ledger is kept, if not in a file of the data folder.

    Raises:
        BadSettingError: The URL is malformed.
    """
    public = site.deployment()
    return read_settings(
        {
            **({} if database_url is None else {"TALLYSTICK_DATABASE_URL": database_url}),
            "TALLYSTICK_DATA": str(site.root),
            "TALLYSTICK_DEPLOYMENT": public.id,
            "TALLYSTICK_ROOT_KEYS": " ".join(public.root_keys),
            "TALLYSTICK_LOG_KEY_FILE": str(site.log_key_file),
            "TALLYSTICK_GATE_KEY_FILE": str(site.gate_key_file),
            "TALLYSTICK_API_PORT": str(api_port),
            "TALLYSTICK_TEMPORAL_ADDRESS": f"127.0.0.1:{temporal_port}",
            "TALLYSTICK_CHECKPOINT_SECONDS": "2",
            "TALLYSTICK_RECONCILE_SECONDS": "5",
        }
    )


def _root_key(file: Path) -> PublicKey:
    try:
        return read_public_file(file.read_bytes()).signing_key
    except OSError as error:
        raise RootFileError("not read", file=str(file), reason=error.strerror) from error
    except TallystickError as error:
        raise RootFileError("not a public file", file=str(file), reason=error.message) from error


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
        raise DataFolderError("not made", data=str(site.root), reason=error.strerror) from error


def _standing(site: Site, deployment: str) -> Deployment:
    if site.public_file.exists():
        found = site.deployment()
        if found.id != deployment:
            raise OtherDeploymentError("another deployment's folder", found=found.id, wanted=deployment)
        return found
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
    # A start that was cut short has left the key; it is used, never replaced.
    if not path.exists():
        keys = PrivateKeys(
            person=person, signing_key=SigningKey.generate(), age_identity=new_identity().secret_text()
        )
        write_key_file(path, keys)
    return read_key_file(path)


def _write_public(site: Site, deployment: Deployment, fsync: Fsync) -> None:
    content = canonical_bytes(write_deployment(deployment)) + b"\n"
    write_durably(site.public_file, content, mode=_PUBLIC, fsync=fsync)
