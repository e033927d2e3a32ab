"""Names of hosts, spelt one way, so that they can be compared (RFC 4343, RFC 3986)."""

import ipaddress
import re
from contextlib import suppress
from typing import Final

from tallystick.domain.errors import MalformedError

_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
"""A name that ends like this is an IP address for some programs and none for others (URL Standard, 3.5)."""


class NoHostNameError(MalformedError):
    """Text that names no host."""

    code = "no-host-name"
    why = "A host is a name as DNS has it, or an IP address, without a scheme, a port or a path."
    advice = "Write it as hooks.example.com."


def host_name(text: str) -> str:
    """Return the host that `text` names: in lower case, as IDNA has it, without the root's dot.

    Raises:
        NoHostNameError: It names no host.
    """
    bare = text.removeprefix("[").removesuffix("]")
    with suppress(ValueError):
        return str(ipaddress.ip_address(bare))
    try:
        name = text.removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise NoHostNameError("the text is not the name of a host") from None
    if _NAME.fullmatch(name) is None or ".." in name or _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise NoHostNameError("the text is not the name of a host")
    return name
