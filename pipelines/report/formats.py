"""Numbers as the pages show them."""

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def count(value: int | None) -> str:
    """A whole number: 12,345."""
    return NOTHING if value is None else f"{value:,}"


def change(value: int) -> str:
    """A difference of two numbers with its sign: +1,234."""
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{abs(value):,}"


def points(value: float | None) -> str:
    """A share in [0, 1] as points out of 100: 0.98765 is 98.8."""
    return NOTHING if value is None else f"{100 * value:.1f}"


def signed(value: float | None) -> str:
    """A difference of two shares in points, with its sign: 0.0049 is +0.5."""
    if value is None:
        return NOTHING
    rounded = round(100 * value, 1)
    return "0.0" if rounded == 0 else f"{'+' if rounded > 0 else MINUS}{abs(rounded):.1f}"


def tone(value: float | None) -> str:
    """The CSS class of a difference: `up`, `down`, or neither where it is shown as 0.0."""
    return {"+": "up", MINUS: "down"}.get(signed(value)[0], "")


def probability(value: float) -> str:
    """A p-value in words: two digits, and none that pretends to be zero."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def time(value: str) -> str:
    """A moment to the minute: `2026-10-03T04:05:06.789Z` is 2026-10-03 04:05 UTC."""
    return f"{value[:10]} {value[11:16]} UTC"
