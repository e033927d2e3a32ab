"""What a sealed file and a key file may ask of their reader: neither may make it spend memory or hours."""

from typing import Final

from tallystick.limits.agreements import PERSONS_MAX

# Sealed files (C2SP age.md) and custody shares.
AGE_STANZAS_MAX: Final = 64
AGE_LINE_BYTES_MAX: Final = 4096  # an mlkem768x25519 argument line has 1,512
AGE_STANZA_LINES_MAX: Final = 64
AGE_STANZA_BYTES_MAX: Final = 1600  # an mlkem768x25519 stanza has 1,557
AGE_HEADER_BYTES_MAX: Final = 128 * 1024  # read to see how a file is sealed
assert PERSONS_MAX <= AGE_STANZAS_MAX  # an evidence document has every reader of an agreement as recipient
AGE_KEY_LENGTH_MAX: Final = 4096  # characters; an age1pq1 recipient has 1,959
SEALED_BYTES_MAX: Final = 64 * 1024  # of what is sealed or opened in memory

# Key files.
KEY_FILE_SIZE_BYTES_MAX: Final = 32 * 1024
ARGON2_OPERATIONS_MAX: Final = 8
ARGON2_MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024  # what `key new` chooses
