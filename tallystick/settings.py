"""What differs between deployments, read once from the environment and passed on.

Every setting is a `TALLYSTICK_*` variable; most have defaults in the data folder. No
setting is key material: settings name the files that have it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

from tallystick.domain import ids
from tallystick.domain.agreement.hosts import host_name
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import DeploymentId, PublicKey
from tallystick.domain.periods import whole_seconds
from tallystick.locations import BlobLocation, absolute, blob_locations, default_locations, some_only_read
from tallystick.placeholders import is_example, is_known_password

T = TypeVar("T")

_PREFIX: Final = "TALLYSTICK_"
_OF_CLIENTS: Final = frozenset({"TALLYSTICK_API", "TALLYSTICK_KEY"})
"""The command line reads these; they are not settings of a server."""
_PORT_MAX: Final = 65_535
_SECONDS_DIGITS_MAX: Final = 9  # thirty years
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}", re.ASCII)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class BadSettingError(MalformedError):
    """A setting is missing, unknown or malformed."""

    code = "bad-setting"
    why = "A `TALLYSTICK_*` variable is missing, misspelt or malformed, and nothing guesses its value."
    advice = "Correct the variable that `setting` names; docs/runbook.md lists them all."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one deployment.

    Attributes:
        deployment: Its name: every statement and every log's origin has it, and bearer tokens are for it.
        data_dir: The folder for everything that has no setting of its own.
        database_url: An SQLAlchemy URL; it may contain a password, so it is never shown.
        blob_locations: Two or more different places; at least one of them may be written.
        uploads_dir: The folder for blobs that are still arriving.
        root_keys: The escrow agent's keys; every agreement needs a signature by one of them.
        metrics_address: Where the API serves its figures, as host:port; absent: nowhere.
        log_key_file: The key that signs checkpoints and notices; only the worker can read it.
        letter_key_file: The key that signs letters and webhooks; its publication is the .pub beside it.
        gate_key_file: The gate's keys; only the gate can read them.
        smtp_url: `smtp://` or `smtps://`, with user and password if any; without it no e-mail is sent.
        mail_from: The address that e-mail comes from; a mail server elsewhere needs one.
        mail_caught: Whether the mail server keeps all mail to itself, so that none of it proves notice.
        outbox_dir: The folder for notices of the embedded stack.
        webhook_hosts: The only hosts to which webhooks go.
        loopback_webhooks: Whether webhooks may go to this machine, for tests and demonstrations.
        halt_file: While this file exists, the gate releases nothing.
        reconcile_every: How often the worker looks for lost workflow runs.
        checkpoint_every: How often it signs logs that have grown.
        scrub_every: How often it reads every copy of every blob again.
        poll_every: How often an open event stream looks for new entries of its claim.
    """

    deployment: DeploymentId
    data_dir: Path
    database_url: str = field(repr=False)
    blob_locations: tuple[BlobLocation, ...]
    uploads_dir: Path
    root_keys: tuple[PublicKey, ...]
    temporal_address: str
    temporal_namespace: str
    api_host: str
    api_port: int
    metrics_address: str | None
    log_key_file: Path
    letter_key_file: Path
    gate_key_file: Path
    smtp_url: str | None = field(repr=False)
    mail_from: str | None
    mail_caught: bool
    outbox_dir: Path
    webhook_hosts: tuple[str, ...]
    loopback_webhooks: bool
    halt_file: Path
    reconcile_every: timedelta
    checkpoint_every: timedelta
    scrub_every: timedelta
    poll_every: timedelta

    @property
    def halted(self) -> bool:
        """Whether releases are halted now: yes, unless it is certain that the file does not exist."""
        try:
            self.halt_file.lstat()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`, which must have `TALLYSTICK_DEPLOYMENT` and `TALLYSTICK_DATA`.

    Raises:
        BadSettingError: A setting is missing, unknown or malformed.
    """
    read = _Reader(environment)
    data = read.required("DATA", absolute)
    settings = Settings(
        deployment=read.required("DEPLOYMENT", lambda text: DeploymentId(_own(ids.name(text)))),
        data_dir=data,
        database_url=read.get("DATABASE_URL", _url, _database_in(data)),
        blob_locations=_stores(read, data),
        uploads_dir=read.get("UPLOADS_DIR", absolute, data / "uploads"),
        root_keys=read.get("ROOT_KEYS", _keys, ()),
        temporal_address=read.get("TEMPORAL_ADDRESS", _address, "127.0.0.1:7233"),
        temporal_namespace=read.get("TEMPORAL_NAMESPACE", str, "default"),
        api_host=read.get("API_HOST", str, "127.0.0.1"),
        api_port=read.get("API_PORT", _port, 8080),
        metrics_address=read.get("METRICS_ADDRESS", _address, "") or None,
        log_key_file=read.get("LOG_KEY_FILE", absolute, data / "keys" / "log.key"),
        letter_key_file=read.get("LETTER_KEY_FILE", absolute, data / "keys" / "letter.key"),
        gate_key_file=read.get("GATE_KEY_FILE", absolute, data / "keys" / "gate.key"),
        smtp_url=read.get("SMTP_URL", _smtp, None),
        mail_from=read.get("MAIL_FROM", _mailbox, None),
        mail_caught=read.get("MAIL_CAUGHT", _yes_or_no, default=False),
        outbox_dir=read.get("OUTBOX_DIR", absolute, data / "outbox"),
        webhook_hosts=read.get("WEBHOOK_HOSTS", _hosts, ()),
        loopback_webhooks=read.get("LOOPBACK_WEBHOOKS", _yes_or_no, default=False),
        halt_file=read.get("HALT_FILE", absolute, data / "HALT"),
        reconcile_every=read.get("RECONCILE_SECONDS", _seconds, timedelta(seconds=30)),
        checkpoint_every=read.get("CHECKPOINT_SECONDS", _seconds, timedelta(seconds=5)),
        scrub_every=read.get("SCRUB_SECONDS", _seconds, timedelta(days=1)),
        poll_every=read.get("POLL_SECONDS", _seconds, timedelta(seconds=2)),
    )
    return read.finished(_with_sender(settings))


def environment_of(settings: Settings) -> Mapping[str, str]:
    """Return the variables from which `read_settings` makes `settings`, for child processes.

    They may contain the passwords of the database and of the mail server.
    """
    texts = {
        "DEPLOYMENT": settings.deployment,
        "DATA": settings.data_dir,
        "DATABASE_URL": settings.database_url,
        "BLOBS": " ".join(location.url for location in settings.blob_locations),
        "BLOBS_READ_ONLY": " ".join(one.url for one in settings.blob_locations if not one.writable),
        "UPLOADS_DIR": settings.uploads_dir,
        "ROOT_KEYS": " ".join(settings.root_keys),
        "TEMPORAL_ADDRESS": settings.temporal_address,
        "TEMPORAL_NAMESPACE": settings.temporal_namespace,
        "API_HOST": settings.api_host,
        "API_PORT": settings.api_port,
        "LOG_KEY_FILE": settings.log_key_file,
        "LETTER_KEY_FILE": settings.letter_key_file,
        "GATE_KEY_FILE": settings.gate_key_file,
        "OUTBOX_DIR": settings.outbox_dir,
        "MAIL_CAUGHT": "yes" if settings.mail_caught else "no",
        "WEBHOOK_HOSTS": " ".join(settings.webhook_hosts),
        "LOOPBACK_WEBHOOKS": "yes" if settings.loopback_webhooks else "no",
        "HALT_FILE": settings.halt_file,
        "RECONCILE_SECONDS": whole_seconds(settings.reconcile_every),
        "CHECKPOINT_SECONDS": whole_seconds(settings.checkpoint_every),
        "SCRUB_SECONDS": whole_seconds(settings.scrub_every),
        "POLL_SECONDS": whole_seconds(settings.poll_every),
        **{name: value for name, value in _optional(settings).items() if value is not None},
    }
    return {_PREFIX + name: str(value) for name, value in texts.items() if value != ""}


def _optional(settings: Settings) -> Mapping[str, object]:
    return {
        "SMTP_URL": settings.smtp_url,
        "MAIL_FROM": settings.mail_from,
        "METRICS_ADDRESS": settings.metrics_address,
    }


class _Reader:
    """Reads variables by name, and remembers which names are settings."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._given = {name: text for name, text in environment.items() if name.startswith(_PREFIX)}
        self._known: set[str] = set(_OF_CLIENTS)

    def required(self, name: str, parse: Callable[[str], T]) -> T:
        if _PREFIX + name not in self._given:
            raise BadSettingError(f"{_PREFIX + name} is not set", setting=_PREFIX + name)
        self._known.add(_PREFIX + name)
        try:
            return parse(self._given[_PREFIX + name])
        except (MalformedError, ValueError) as error:
            # Neither the value nor a library's words are shown: a URL may contain a password.
            why = error.message if isinstance(error, MalformedError) else "malformed"
            raise BadSettingError(why, setting=_PREFIX + name) from None

    def get(self, name: str, parse: Callable[[str], T], default: T) -> T:
        self._known.add(_PREFIX + name)
        return self.required(name, parse) if _PREFIX + name in self._given else default

    def finished(self, settings: Settings) -> Settings:
        if unknown := sorted(self._given.keys() - self._known):
            raise BadSettingError(f"there is no setting {unknown[0]}", setting=unknown[0])
        return settings


def _bad(message: str) -> MalformedError:
    return MalformedError(message)


def _url(text: str) -> str:
    if "://" not in text:
        raise _bad("not a database URL like sqlite:////path/file.db")
    return _without_placeholder(text)


def _without_placeholder(url: str) -> str:
    """Refuse a URL whose password or host stands in an example."""
    password = unquote(url.partition("://")[2].rpartition("@")[0].partition(":")[2])
    if is_known_password(password) or is_example(urlsplit(url).hostname or ""):
        raise _bad("its password or host is a placeholder of an example; choose one of your own")
    return url


def _own(text: str) -> str:
    """Return a name that somebody chose for this deployment; one that stands in an example starts nothing."""
    if is_example(text):
        raise _bad("a placeholder of an example; choose a name of your own")
    return text


def _database_in(data: Path) -> str:
    """Return the URL of the ledger in a data folder: a `?` in the folder's name begins no query."""
    return "sqlite:///" + quote(str(data / "tallystick.db"))


def _stores(read: "_Reader", data: Path) -> tuple[BlobLocation, ...]:
    known = read.get("BLOBS", blob_locations, default_locations(data))
    return read.get("BLOBS_READ_ONLY", partial(some_only_read, known), known)


def _keys(text: str) -> tuple[PublicKey, ...]:
    return tuple(ids.public_key(key) for key in text.split())


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not host or not colon or (":" in host and (host[0], host[-1]) != ("[", "]")):
        raise _bad("not an address like 127.0.0.1:7233")
    host_name(host)
    _port(port)
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= _PORT_MAX:
        raise _bad("not a port")
    return int(text)


def _smtp(text: str) -> str | None:
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise _bad("not a mail server like smtp://host:587")
    return _without_placeholder(text)


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(_own(host_name(host)) for host in text.split())


def _mailbox(text: str) -> str | None:
    mailbox, _, host = text.rpartition("@")
    if _LOCAL_PART.fullmatch(mailbox) is None:
        raise _bad("not an e-mail address like escrow@example.com")
    return f"{mailbox}@{_own(host_name(host))}"


def _with_sender(settings: Settings) -> Settings:
    """Refuse a mail server elsewhere without a sender: it would refuse mail from an address that is none.

    Raises:
        BadSettingError: There is no sender.
    """
    elsewhere = settings.smtp_url is not None and urlsplit(settings.smtp_url).hostname not in _LOOPBACK
    if elsewhere and settings.mail_from is None:
        raise BadSettingError(
            "it says from whom e-mail comes, and TALLYSTICK_SMTP_URL names a mail server",
            setting=_PREFIX + "MAIL_FROM",
        )
    return settings


def _yes_or_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise _bad("neither yes nor no")
    return text == "yes"


def _seconds(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit()) or len(text) > _SECONDS_DIGITS_MAX or int(text) == 0:
        raise _bad("not a number of whole seconds")
    return timedelta(seconds=int(text))
