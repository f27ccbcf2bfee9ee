"""Trend lines so small that a table has one in each cell: inline SVG that the page's style colours.

Matplotlib (svg.py) takes 50 ms for a picture; the index has hundreds of these.
"""

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, EDGE = 72, 24, 3


def trend(values: Sequence[float | None], label: str, least_span: float = 0.0) -> Markup:
    """A line through the values, the oldest first, with a dot on the newest; broken where one is None.

    Args:
        values: of consecutive months.
        label: says in words what is shown.
        least_span: smaller changes than this do not fill the height; 0 for a line that stands on zero.
    """
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    if least_span:
        missing = max(least_span - (high - low), 0) / 2
        low, high = low - missing, high + missing
    else:
        low = 0.0
    step = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    stretch = (HEIGHT - 2 * EDGE) / ((high - low) or 1)
    points = [
        None if value is None else f"{EDGE + at * step:.1f},{HEIGHT - EDGE - (value - low) * stretch:.1f}"
        for at, value in enumerate(values)
    ]
    path = " ".join(
        f"{'L' if at and points[at - 1] else 'M'}{point}" for at, point in enumerate(points) if point
    )
    x, _, y = (next((point for point in reversed(points) if point), "")).partition(",")
    dot = f'<circle cx="{x}" cy="{y}" r="2"/>' if x else ""
    return Markup(
        f'<svg class="trend" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<path d="{path}"/>{dot}</svg>'
    )
