"""Logs: one JSON object per line on standard error, without anything that looks like a secret.

No code logs a secret on purpose; the redaction here is the second line of defence, for
what libraries and tracebacks might carry.
"""

import logging
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from tallystick.domain.errors import TallystickError

WITHHELD: Final = "[withheld]"
_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|secret|token|authori[sz]ation|cookie|seed|private|identity|share|signing_key|api_?key",
    re.IGNORECASE,
)
_SECRET_TEXT: Final[Sequence[tuple[re.Pattern[str], str]]] = (
    (re.compile(r"AGE-SECRET-KEY-[A-Z0-9-]+", re.IGNORECASE), WITHHELD),
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), WITHHELD),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+"), WITHHELD),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), WITHHELD),  # a JWT
    (re.compile(r"(?<=://)[^\s\"']*@"), WITHHELD + "@"),  # user and password of a URL
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
        WITHHELD,
    ),
    (re.compile(r"""\bb(?P<q>['"])(?:\\.|(?!(?P=q)).){8,}(?P=q)"""), WITHHELD),  # the repr of bytes
    # A member of a larger value that was logged as text: {'password': 'x'}, token=x
    (
        re.compile(
            rf"""((?:{_SECRET_NAME.pattern})\w{{0,32}}['"]?[ ]?[=:][ ]?)"""
            r"""(?!\[withheld)(?:'[^']*'|"[^"]*"|[^\s'",;&)\]}]+)""",
            re.IGNORECASE,
        ),
        rf"\1{WITHHELD}",
    ),
)
_TEXT_LENGTH_MAX: Final = 16 * 1024
_BYTES: Final = bytes | bytearray | memoryview


def configure(process: str, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send every log of this process, ours and the libraries', to `stream` as JSON lines."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _named(process),
            redact,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs the URL of every request


def logger(name: str) -> FilteringBoundLogger:
    """Return the logger called `name`; `configure` decides where its entries go."""
    return cast("FilteringBoundLogger", structlog.stdlib.get_logger(name))


@contextmanager
def ending_in_words() -> Generator[None]:
    """End this process with 1 if the block raises an error of ours, and log what, why and what to do."""
    try:
        yield
    except TallystickError as error:
        logger(__name__).error("could not start", code=error.code, why=str(error), advice=error.advice)
        raise SystemExit(1) from error


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Return the log entry with everything that looks like a secret withheld."""
    return {name: _safe(name, value) for name, value in event.items()}


def _safe(name: str, value: object) -> object:
    if _SECRET_NAME.search(name) is not None:
        return WITHHELD
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return {str(key): _safe(str(key), member) for key, member in members.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = cast("Sequence[object]", value)
        return [_safe("", item) for item in items]
    if isinstance(value, _BYTES):
        return WITHHELD  # nothing that is logged is bytes, but keys are
    if isinstance(value, bool | int) or value is None:
        return value
    return _safe_text(value if isinstance(value, str) else repr(value))


def _safe_text(text: str) -> str:
    if len(text) > _TEXT_LENGTH_MAX:
        text = text[:_TEXT_LENGTH_MAX] + f" ... {len(text) - _TEXT_LENGTH_MAX} more"
    for pattern, instead in _SECRET_TEXT:
        text = pattern.sub(instead, text)
    return text


def _named(process: str) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {"process": process, **event}

    return add
