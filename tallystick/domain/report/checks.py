"""How the facts of a report were verified, and what nothing vouches for."""

from tallystick.domain.report.grounds import Grounds
from tallystick.domain.report.layout import Section, section, table
from tallystick.domain.report.words import CHECKS

UNANCHORED = (
    "Nothing says that the agreement in this report is the true one: whoever made the report named none. "
    "Before you rely on anything, compare the twelve words of the agreement with those that the parties "
    "wrote down when they signed it."
)


def checks(grounds: Grounds) -> Section:
    """Return every check that was made of the file, and in what its reader still has to believe somebody."""
    log = grounds.log
    return section(
        "How this was verified",
        table(
            ("", "What was verified", "What was found"),
            (1, 7, 6),
            (
                (f"{number}", CHECKS[check.premise], f"{check.premise}: {check.found}")
                for number, check in enumerate(grounds.checks, start=1)
            ),
        ),
        f"The log is {log.origin}. Its signed state has {log.size} entries and the root {log.root}. Anyone "
        "who verified the log at another time can compare the two; a log that was rewritten does not fit.",
        "Anchored: the agreement is the one that the reader named." if grounds.anchored else UNANCHORED,
        "No file can show whether documents that are named by their digests say what the claimant says, "
        "whether the deposit works when somebody builds it, or whether the clock of the escrow service was "
        "right. What never reached the log is not in this report.",
    )
