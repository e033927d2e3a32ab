"""How large a log, its proofs and an evidence file may be."""

from typing import Final

from tallystick.limits.claims import HOLDS_PER_CLAIM_MAX
from tallystick.limits.documents import (
    AGREEMENT_SIZE_BYTES_MAX,
    ENVELOPE_OVERHEAD_BYTES_MAX,
    SIGNATURES_PER_ENVELOPE_MAX,
)

# Logs and their proofs.
NOTE_SIZE_BYTES_MAX: Final = 64 * 1024
CHECKPOINT_KEPT_BYTES_MAX: Final = 4096  # of a note next to a key; sixteen witnesses fit
NOTE_SIGNATURES_MAX: Final = 64  # C2SP signed-note: at least 16
NOTE_NAME_LENGTH_MAX: Final = 255
TREE_SIZE_MAX: Final = 2**63 - 1
PROOF_HASHES_MAX: Final = 64  # an inclusion path in the largest tree has 63
ASTRAY_TOLD_MAX: Final = 8  # statements by authors of another log that a premise names; the rest are counted
LEDGER_NODES_READ_MAX: Final = 512  # rows of a stored tree in one question to the database
CHECKPOINTS_READ_MAX: Final = 256  # rows of checkpoints in one question to the database
LEDGER_PIECE_ENTRIES_MAX: Final = 1024  # of a stored log that is hashed again, in one transaction
LEDGER_PAGES_MAX: Final = 10_000
LEDGER_PAGE_ENTRIES_MAX: Final = 256
LEDGER_PAGE_BYTES_MAX: Final = 4 << 20  # of the envelopes of a page, but for its first one
LEDGER_PAGE_FULL_BYTES: Final = 3 << 20  # so that a page with fewer entries and bytes is the last one
_ENVELOPE_BYTES_MAX: Final = 4 * (AGREEMENT_SIZE_BYTES_MAX // 3 + 1) + ENVELOPE_OVERHEAD_BYTES_MAX
assert LEDGER_PAGE_FULL_BYTES + _ENVELOPE_BYTES_MAX <= LEDGER_PAGE_BYTES_MAX
LEDGER_READ_ENTRIES_MAX: Final = LEDGER_PAGE_ENTRIES_MAX * LEDGER_PAGES_MAX  # that a verifier reads
CONTRADICTION_SIZE_BYTES_MAX: Final = 48 * LEDGER_READ_ENTRIES_MAX  # a leaf's hash is 43 characters of it

# Evidence files.
EVIDENCE_SIZE_BYTES_MAX: Final = 40 * 1024 * 1024
EVIDENCE_FRAME_BYTES_MAX: Final = 256 * 1024  # of what is not an entry
EVIDENCE_ENTRY_BYTES_MAX: Final = 1024 * 1024
EVIDENCE_SIGNATURES_MAX: Final = 25 * 1024  # of all entries together, each as often as it is verified,
EVIDENCE_SIGNATURES_AGAIN_MAX: Final = 4 * 1024  # of revocations, for all later versions together,
EVIDENCE_KEYS_MAX: Final = 256  # which list so many keys, each revoked by as many as may sign together
EVIDENCE_UNNAMED_SIGNATURES_MAX: Final = 256  # that name no key: each may be anybody's; the ledger takes none
EVIDENCE_ENTRIES_MAX: Final = 6 * 1024
EVIDENCE_VERSIONS_MAX: Final = 128  # of the agreement,
EVIDENCE_VERSIONS_BYTES_MAX: Final = 4 << 20  # together,
EVIDENCE_VALUES_MAX: Final = 512 * 1024  # and values in all other statements
assert AGREEMENT_SIZE_BYTES_MAX < EVIDENCE_VERSIONS_BYTES_MAX <= EVIDENCE_SIZE_BYTES_MAX
EVIDENCE_ROOT_KEYS_MAX: Final = 64
# Whatever is recorded can be verified: an entry has one signature, or it counts as an act of each of its
# signers, but for lifts, of which there is one for each hold, for versions, and for revocations.
_BY_MANY: Final = HOLDS_PER_CLAIM_MAX + EVIDENCE_VERSIONS_MAX + EVIDENCE_KEYS_MAX
_SIGNED: Final = EVIDENCE_ENTRIES_MAX + _BY_MANY * (SIGNATURES_PER_ENVELOPE_MAX - 1)
assert _SIGNED + EVIDENCE_SIGNATURES_AGAIN_MAX <= EVIDENCE_SIGNATURES_MAX

REPORT_TEXT_BYTES_MAX: Final = 512 * 1024
"""A report's text, as JSON, of which a PDF is made: Typst takes some 400 MiB for so much of it in tables."""
