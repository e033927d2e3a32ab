"""How many of something, in English: `1 entry`, `2 entries`."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return `count` with its noun; `many` is the plural where it is not `one` with an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"
