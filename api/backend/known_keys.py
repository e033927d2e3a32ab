"""Keys that some agreement lists, by fingerprint: whose key it is never changes, so it is looked up once."""

from collections import OrderedDict
from threading import Lock

from tallystick.domain.ids import Digest, PublicKey
from tallystick.limits import KEYS_REMEMBERED_MAX


class KnownKeys:
    """The keys of those who asked last. What a key may see is looked up anew for each request."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys = OrderedDict[Digest, PublicKey]()
        self._lock = Lock()

    def __contains__(self, fingerprint: Digest) -> bool:
        """Return whether the key with a fingerprint is remembered."""
        return fingerprint in self._keys

    def get(self, fingerprint: Digest) -> PublicKey | None:
        """Return the key with a fingerprint, if it is remembered."""
        with self._lock:
            if (key := self._keys.get(fingerprint)) is not None:
                self._keys.move_to_end(fingerprint)
            return key

    def remember(self, fingerprint: Digest, key: PublicKey) -> None:
        """Remember a key that is on record, in place of the one that asked longest ago."""
        with self._lock:
            self._keys[fingerprint] = key
            self._keys.move_to_end(fingerprint)
            while len(self._keys) > KEYS_REMEMBERED_MAX:
                self._keys.popitem(last=False)
