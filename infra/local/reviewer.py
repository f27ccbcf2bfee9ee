"""A synthetic reviewer: takes the sheet of a month, writes in the codes of its first items, hands it back.

Uses what `labelmill review export` and `labelmill review import` use, as a person would.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from infra.local.stack import LocalStack
from pipelines.commands.review_in import import_sheet
from pipelines.commands.review_out import export_sheet
from pipelines.review import sheet as sheet_format
from pipelines.review.published import Places
from processing.labels.csv_guard import plain

NAME = "Synthetic Reviewer"


def review(
    stack: LocalStack, group: str, period: str, sheet: Path, codes: Mapping[str, str], items: int
) -> str:
    """Decide on the `items` most valuable items of a month; `codes` are the true ones by item id.

    The CSV `sheet` is written and left as it was handed in. Returns what the import says.
    """
    places = Places.of(stack.client, stack.names)
    export_sheet(places, group, period, sheet)
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:items]:
        row[sheet_format.TITLES["code"]] = codes[plain(row["item_id"])]
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        filled = csv.DictWriter(file, list(rows[0]))
        filled.writeheader()
        filled.writerows(rows)
    return import_sheet(places, sheet, NAME)
