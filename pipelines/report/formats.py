"""Numbers as the pages show them. What a verdict's questions need as well: processing/verdict/figures.py."""

from processing.verdict.figures import MINUS, NOTHING, signed


def count(value: int | None) -> str:
    """A whole number: 12,345."""
    return NOTHING if value is None else f"{value:,}"


def change(value: int) -> str:
    """A difference of two numbers with its sign: +1,234."""
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{abs(value):,}"


def points(value: float | None) -> str:
    """A share in [0, 1] as points out of 100: 0.98765 is 98.8."""
    return NOTHING if value is None else f"{100 * value:.1f}"


def tone(value: float | None) -> str:
    """The CSS class of a difference: `up`, `down`, or neither where it is shown as 0.0."""
    return {"+": "up", MINUS: "down"}.get(signed(value)[0], "")


def time(value: str) -> str:
    """A moment to the minute: `2026-10-03T04:05:06.789Z` is 2026-10-03 04:05 UTC."""
    return f"{value[:10]} {value[11:16]} UTC"
