"""What a document may have in it: names, text, lists, JSON, and the signatures and times of a statement."""

from datetime import timedelta
from typing import Final

# Names and text.
NAME_LENGTH_MAX: Final = 63
PERSON_ID_LENGTH_MAX: Final = 2 * NAME_LENGTH_MAX + 1
TEXT_LENGTH_MAX: Final = 4096  # characters of any free text in a statement
FACT_LENGTH_MAX: Final = 256  # characters of one fact in the sentence of an error
MARKS_IN_A_ROW_MAX: Final = 4  # combining marks on one letter; more would cover the lines around
COMPARISON_WORDS_KEPT_MAX: Final = 512  # digests whose words a process remembers: 0.1 s each

LIST_LENGTH_MAX: Final = 1024  # items of any list in a document

# JSON at the door.
JSON_SIZE_BYTES_MAX: Final = 64 * 1024  # an ordinary statement
AGREEMENT_SIZE_BYTES_MAX: Final = 512 * 1024
JSON_DEPTH_MAX: Final = 16
JSON_NODES_MAX: Final = 20_000  # in an agreement, which may have many holidays,
STATEMENT_NODES_MAX: Final = 4_096  # and in any other statement: whoever sends one has it read at once
INTEGER_MAX: Final = 2**53 - 1  # RFC 8785 numbers are IEEE 754 doubles

# Statements.
KEYS_KEPT_MAX: Final = 4096  # of which a process knows that they are sound
SIGNATURES_PER_ENVELOPE_MAX: Final = 16
ENVELOPE_NODES_MAX: Final = 2 * (4 + 3 * SIGNATURES_PER_ENVELOPE_MAX)  # twice of what one has, to say why
KEYID_LENGTH_MAX: Final = 128
ENVELOPE_OVERHEAD_BYTES_MAX: Final = 8 * 1024  # what is not the body: signatures, names, spaces
STATEMENT_LIFETIME_MAX: Final = timedelta(days=366)
SIGHTING_TOLERANCE: Final = timedelta(hours=1)  # how much later than the notice the gate may see it
CLOCK_SKEW_MAX: Final = timedelta(minutes=5)  # how far ahead `issued_at` may lie
STATEMENTS_REMEMBERED_BYTES_MAX: Final = 8 << 20  # of verified envelopes that need not be verified again,
STATEMENT_CHARGE_BYTES_MIN: Final = 2 * 1024  # and what the smallest counts as
