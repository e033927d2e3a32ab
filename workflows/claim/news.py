"""Reading what is new in a claim's record: what its workflow recorded, and what others recorded."""

from activities.ledger import LedgerActivities
from tallystick.limits.steps import PAGES_IN_A_TASK_BYTES_MAX
from tallystick.messages import NewEntries, ReadSince
from workflows import steps
from workflows.claim.casebook import Casebook


async def take_in(case: Casebook, answer: NewEntries) -> bool:
    """Take in an answer, and the entries that did not fit into it; return whether anything was new."""
    known = case.last_index
    case.learn(answer.entries)
    if len(answer.entries) > 1:
        await catch_up(case)
    return case.last_index > known


async def catch_up(case: Casebook) -> bool:
    """Read until the ledger has nothing more about the claim; return whether anything was new."""
    known, read = case.last_index, steps.on_ledger
    while True:
        request = ReadSince(claim=case.claim.digest, agreement=case.agreement.id, after=case.last_index)
        page = await read(LedgerActivities.read_since, request)
        case.learn(page.entries)
        if not page.entries:
            return case.last_index > known
        if sum(len(entry.envelope) for entry in page.entries) > PAGES_IN_A_TASK_BYTES_MAX:
            read = steps.queued  # a task's answers go to Temporal in one message, of 4 MB at most
