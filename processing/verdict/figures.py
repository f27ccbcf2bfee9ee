"""Figures in a verdict's questions (rule.py), and on the report's pages (pipelines/report/formats.py)."""

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def signed(value: float | None) -> str:
    """A difference of two shares in points, with its sign: 0.0049 is +0.5."""
    if value is None:
        return NOTHING
    rounded = round(100 * value, 1)
    return "0.0" if rounded == 0 else f"{'+' if rounded > 0 else MINUS}{abs(rounded):.1f}"


def probability(value: float) -> str:
    """A p-value in words: two digits, and none that pretends to be zero."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
