"""The HTTP client of the command line and of the receiver."""

from tallystick.client.http import BlobAlteredError, Client, UploadStalledError
from tallystick.client.problems import RefusedRemotelyError, UnexpectedAnswerError, UnreachableError

__all__ = [
    "BlobAlteredError",
    "Client",
    "RefusedRemotelyError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "UploadStalledError",
]
