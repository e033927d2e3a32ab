"""What comes page after page, counted as it comes: no server fills its client's memory with a long list."""

from dataclasses import dataclass

from tallystick.client.problems import UnexpectedAnswerError


@dataclass(slots=True, kw_only=True)
class Counted:
    """What the pages of one list may have together, and have had so far.

    Attributes:
        size_bytes_max: How many bytes all of them may have.
        values_max: How many JSON values, each of which takes a hundred bytes to hold.
    """

    size_bytes_max: int
    values_max: int
    size_bytes: int = 0
    values: int = 0

    def add(self, raw: bytes) -> None:
        """Count one page more, before it is read.

        Each value stands after a bracket or a comma; those within texts are counted as well.

        Raises:
            UnexpectedAnswerError: The pages have more together than any list of ours.
        """
        self.size_bytes += len(raw)
        self.values += raw.count(b",") + raw.count(b"[") + raw.count(b"{")
        if self.size_bytes > self.size_bytes_max or self.values > self.values_max:
            raise UnexpectedAnswerError(
                "the list is too long", limit=self.size_bytes_max, values_limit=self.values_max
            )
