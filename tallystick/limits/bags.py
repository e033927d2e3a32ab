"""How much a bag (RFC 8493) in one tar may hold."""

from typing import Final

BAG_FILES_MAX: Final = 200_000
BAG_ENTRIES_MAX: Final = 250_000  # files, directories and links of a component
BAG_REFUSALS_NAMED_MAX: Final = 1000  # of what cannot be deposited, in one refusal
BAG_PAYLOAD_BYTES_MAX: Final = 1 << 40
BAG_PATH_BYTES_MAX: Final = 1024
BAG_NAME_BYTES_MAX: Final = 255  # of one segment: what common file systems hold
BAG_DEPTH_MAX: Final = 48
BAG_TAG_FILES_MAX: Final = 64
BAG_PATHS_MAX: Final = BAG_ENTRIES_MAX + BAG_TAG_FILES_MAX * BAG_DEPTH_MAX  # with directories that none lists
BAG_TAG_FILE_BYTES_MAX: Final = 64 * 1024 * 1024  # the manifest is the largest
TAR_EXTENSION_BYTES_MAX: Final = 8 * 1024  # one PAX extended header
TAR_PADDING_BYTES_MAX: Final = 1024 * 1024  # zeros after the end marker
