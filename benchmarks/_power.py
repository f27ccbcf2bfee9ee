"""The power of the verdict as a picture: one panel for each discordance, gain against rows."""


def picture(cells: list[dict]) -> str:
    """An SVG of `cells`, with `discordant %`, `gain, points`, `rows` and `promoted %` each."""
    panels = sorted({cell["discordant %"] for cell in cells})
    rows = sorted({cell["rows"] for cell in cells})
    gains = sorted({cell["gain, points"] for cell in cells})
    wide, high, left, top, gap = 62, 40, 104, 78, 34
    panel_width = wide * len(rows) + gap
    width, height = left + panel_width * len(panels), top + high * len(gains) + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="Share of challengers promoted, by true gain, test rows and discordant rows">',
        "<style>:root{--ink:#1f2933;--paper:#ffffff}"
        "@media (prefers-color-scheme:dark){:root{--ink:#e4e7eb;--paper:#111820}}"
        "text{font-family:system-ui,sans-serif;font-size:13px;fill:var(--ink);text-anchor:middle}"
        ".paper{fill:var(--paper)}.t{font-size:15px;font-weight:600;text-anchor:start}.y{text-anchor:end}"
        ".cell{fill:#1c7c54}.on{fill:#ffffff}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="t" x="{left}" y="24">Promoted, in % of comparisons</text>',
    ]
    for panel, discordant in enumerate(panels):
        x0 = left + panel * panel_width
        parts.append(
            f'<text x="{x0 + wide * len(rows) / 2}" y="{top - 14}">{discordant:g} % of rows discordant</text>'
        )
        for cell in (cell for cell in cells if cell["discordant %"] == discordant):
            x = x0 + wide * rows.index(cell["rows"])
            y = top + high * (len(gains) - 1 - gains.index(cell["gain, points"]))
            share = cell["promoted %"] / 100
            shade = "on" if share > 0.8 else "off"
            parts += [
                f'<rect class="cell" fill-opacity="{0.06 + 0.94 * share:.2f}" x="{x}" y="{y}" '
                f'width="{wide - 3}" height="{high - 3}" rx="4"/>',
                f'<text class="{shade}" x="{x + wide / 2 - 1}" y="{y + high / 2 + 3}">'
                f"{100 * share:.0f}</text>",
            ]
        for at, count in enumerate(rows):
            parts.append(
                f'<text x="{x0 + wide * (at + 0.5) - 1}" y="{top + high * len(gains) + 16}">{count:,}</text>'
            )
    for at, gain in enumerate(reversed(gains)):
        parts.append(f'<text class="y" x="{left - 8}" y="{top + high * (at + 0.5) + 3}">{gain:+g}</text>')
    parts += [
        f'<text class="y" x="{left - 8}" y="{top - 14}">gain, points</text>',
        f'<text x="{width / 2}" y="{height - 14}">test rows (distinct texts)</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
