"""Where a channel leads, spelt one way: one mailbox under two spellings is one mailbox."""

from typing import Final
from urllib.parse import urlsplit

from tallystick.domain.agreement.hosts import host_name
from tallystick.domain.agreement.parties import ChannelKind
from tallystick.domain.errors import MalformedError

_HTTPS_PORT: Final = 443


def destination(kind: ChannelKind, address: str) -> tuple[ChannelKind, str]:
    """Return where a channel leads; an address that cannot be read counts letter by letter."""
    try:
        match kind:
            case ChannelKind.EMAIL:
                mailbox, _, host = address.rpartition("@")
                return kind, f"{mailbox.lower()}@{host_name(host)}"
            case ChannelKind.WEBHOOK:
                url = urlsplit(address)
                host = host_name(url.hostname or "")
                port = url.port or (443 if url.scheme == "https" else 80)
                return kind, f"{url.scheme}://{host}:{port}{url.path or '/'}?{url.query}"
            case ChannelKind.OUTBOX:
                return kind, address
    except (MalformedError, ValueError):
        return kind, address
