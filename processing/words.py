"""Words that messages share. The messages themselves are written where their facts are."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 item`, `12,345 items`. The plural is formed with an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
