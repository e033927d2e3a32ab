"""The API over HTTP, for the command line and the receiver.

To talk to a server, open a `Client` with a person's keys: it signs in, repeats requests that may be
repeated, and raises a refusal as the error with the same code (`problems.refusal`). `answers` reads
members of the JSON that comes back; `ledgers` and `records` read what has pages. Nothing here trusts what
a server says; `tallystick.proof` verifies it.
"""

from tallystick.client.blobs import BlobAlteredError, UploadStalledError, get_blob, get_small_blob, put_blob
from tallystick.client.http import Client
from tallystick.client.problems import (
    ForeignAnswerError,
    RefusedRemotelyError,
    UnexpectedAnswerError,
    UnreachableError,
)

__all__ = [
    "BlobAlteredError",
    "Client",
    "ForeignAnswerError",
    "RefusedRemotelyError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "UploadStalledError",
    "get_blob",
    "get_small_blob",
    "put_blob",
]
