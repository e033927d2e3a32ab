"""How much anyone may say about a claim, how many claims there may be, and what carrying one takes."""

from typing import Final

from tallystick.limits.agreements import PERSONS_MAX

# Temporal allows 2,000 updates a workflow and 10 in flight; what one
# person may send is bounded so that nobody can use up another's.
ACTS_PER_PERSON_MAX: Final = 20  # a hold counts twice, its lift not at all
ACTS_PER_CLAIM_MAX: Final = PERSONS_MAX * ACTS_PER_PERSON_MAX  # all people together
HOLDS_PER_CLAIM_MAX: Final = ACTS_PER_CLAIM_MAX // 2
ACT_BYTES_PER_PERSON_MAX: Final = 208 * 1024  # of all envelopes that one person sends about a claim
HOLD_LIFT_BYTES_MAX: Final = 12 * 1024  # counted for no person: there are never more lifts than holds
CLAIMS_PER_PERSON_MAX: Final = 100  # that one key may ever file under an agreement
UNCONFIRMED_PER_PERSON_MAX: Final = 20  # that one person of the escrow agent has filed, and nobody confirmed
CLAIMS_PER_PARTY_MAX: Final = 200  # of all its keys together; each filing reads its own party's claims
assert CLAIMS_PER_PERSON_MAX < CLAIMS_PER_PARTY_MAX  # so that no one key uses up its party's
EVIDENCE_DOCUMENTS_MAX: Final = 32
DOCUMENTS_PER_ACT_MAX: Final = 8  # that one objection or hold brings
RECEIVERS_MAX: Final = 8  # of one claim; each share is sealed to every one of them
SUBMISSIONS_REMEMBERED_MAX: Final = 64  # between the validator of an update and its handler

UPDATES_PER_WORKFLOW_MAX: Final = 2_000  # Temporal's
assert ACTS_PER_CLAIM_MAX < UPDATES_PER_WORKFLOW_MAX

# A run's history, which Temporal ends at 50 MiB: it begins with the envelopes of the claim's record.
HISTORY_BYTES_MAX: Final = 50 * 1024 * 1024
HISTORY_GROWTH_BYTES_MAX: Final = 4 * 1024 * 1024  # since the record was read; then a fresh run takes over
HISTORY_GROWTH_EVENTS_MAX: Final = 1024
_SAID_BYTES_MAX: Final = PERSONS_MAX * ACT_BYTES_PER_PERSON_MAX + ACTS_PER_CLAIM_MAX * HOLD_LIFT_BYTES_MAX
assert _SAID_BYTES_MAX + HISTORY_GROWTH_BYTES_MAX < HISTORY_BYTES_MAX

# Case files that are kept until their record changes, by the size of the envelopes that they are made of.
CASES_KEPT_BYTES_MAX: Final = 64 << 20
CASE_CHARGE_BYTES_MIN: Final = 64 * 1024
assert _SAID_BYTES_MAX < CASES_KEPT_BYTES_MAX  # so that the largest claim is not read anew at each look
