"""Writes docs/synthetic-items.csv: synthetic items as a shop's own file might have them, not as we would.

python -m infra.samples.own_items

Other columns' names, semicolons, decimal commas, two countries, and a column that says the code in words.
"""

import csv
from pathlib import Path

from infra.samples import generate

FILE = Path(__file__).parents[2] / "docs" / "synthetic-items.csv"
ROWS = {"Deutschland": ("DE-weee", 700), "Österreich": ("AT-weee", 300)}
COLUMNS = ("Art.-Nr.", "Bezeichnung", "Marke", "Warengruppe", "Gewicht (kg)", "Land", "Kategorie", "Code")


def rows() -> list[dict[str, str]]:
    """The file's rows, by its own names of columns."""
    made = []
    for country, (group, count) in ROWS.items():
        words = {each["code"]: each["description"] for each in generate.codebook(group, "1")["codes"]}
        for item in generate.items(group, 0, count, labelled=True):
            weight = item["weight_kg"]
            values = (
                item["item_id"],
                item["title"],
                item["brand"] or "",
                item["product_type"] or "",
                "" if weight is None else f"{weight:.3f}".replace(".", ","),
                country,
                words[item["label"]],
                item["label"],
            )
            made.append(dict(zip(COLUMNS, values, strict=True)))
    return made


def main() -> None:
    """Write the file."""
    with FILE.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, COLUMNS, delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows())


if __name__ == "__main__":
    main()
