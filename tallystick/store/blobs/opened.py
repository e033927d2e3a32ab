"""The deployment's stores, as the settings of one process name them."""

from tallystick.settings import Settings
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs


def open_blobs(settings: Settings) -> ReplicatedBlobs:
    """Return the stores as one; a store that is away is used as soon as it is there."""
    return ReplicatedBlobs(
        [
            FileBlobStore(location.path, name=location.url, writable=location.writable)
            for location in settings.blob_locations
        ]
    )
