"""Matplotlib figures as inline SVG that follows the page's colours and is announced as one picture."""

import io
import re
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure

#: Drawn in colours that stand for the page's own, which differ between light, dark and print.
COLOURS = {
    "ink": "#00000a",
    "muted": "#00000b",
    "line": "#00000c",
    "paper": "#00000d",
    "new": "#00000e",
    "old": "#00000f",
}
#: The keys are matplotlib's; its stubs want each as a literal.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # two dollar signs in a code are two dollar signs
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.unicode_minus": True,
    "xtick.color": COLOURS["line"],
    "ytick.color": COLOURS["line"],
    "xtick.labelcolor": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["muted"],
    "text.color": COLOURS["ink"],
    "legend.frameon": False,
}


def figure(height: float) -> Figure:
    """A figure as wide as a phone, `height` in the same unit (1/72 of the width of 5 inches)."""
    return Figure(figsize=(5, height / 72), layout="constrained")


def inline(drawn: Figure, label: str, salt: str) -> Markup:
    """The figure as an `<svg>` element; `label` says in words what it shows, `salt` makes its ids its own."""
    file = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        drawn.savefig(
            file,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    text = file.getvalue()
    view_box = re.findall(r'viewBox="[^"]*"', text)[0]
    body = text[text.index(">", text.index("<svg")) + 1 :]
    # Only what is referred to keeps its id: two pictures on one page must not share any.
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    for name, colour in COLOURS.items():
        body = body.replace(colour, f"var(--{name})")
    return Markup(f'<svg class="plot" {view_box} role="img" aria-label="{escape(label)}">{body}')
