"""Labels of a month with all that is hard on a spreadsheet among their ids, codes and texts."""

from datetime import UTC, datetime

import pyarrow as pa

from pipelines.report.label_workbook import TEXTS, Labels
from processing.labels import label_table

GROUP, PERIOD = "DE-weee", "2026-10"
RUN = f"{GROUP}-inference-{PERIOD}-0f3a9c21d4e5"
MANIFEST = {
    **{"group": GROUP, "period": PERIOD, "model": "DE-weee-2026-10-1a2b3c4d", "codebook_version": "2026-10"},
    **{"run": RUN, "dataset": "s3://landing/inference/DE-weee/2026-10/d1/"},
    "labelled_at": "2026-10-03T04:05:06+00:00",
}
HARD = """=1+1 +49 -1 @SUM(A1:A9) ="0" {=1} 007 1e5 4006381333931 12345678901234567890 1-2 3/4 2.10 0.997 1,5
.5 12% €5 10:30 2026-10-01 01.10.2026 TRUE false WAHR vrai MARCH1 SEP-2 'x '007 '=1 a"b a,b a;b a;=1+1;b
a;"=1+1;b ß😀 \u202e\u05d0\u05d1 =cmd|'/C'!A1 =HYPERLINK("https://example.com") https://example.com/a
mailto:a@example.com #N/A _x0041_ <r>x</r>"""
IDS = HARD.split()
STATUSES = ("labelled", "review", "none")


def table(ids: list[str] | None = None, rejected: int = 1) -> pa.Table:
    """Labels of `ids` (by default IDS), then rows that were rejected, all as they are published."""
    ids = IDS if ids is None else ids
    places = range(len(ids))
    status = [STATUSES[place % 3] for place in places]
    rows = pa.table(
        {
            "item_id": ids,
            "code": ["007" if each != "none" else None for each in status],
            "description": ["Geräte, groß; =1+1"] * len(ids),
            "confidence": [0.5 + place / 1000 for place in places],
            "second_code": ["1e5"] * len(ids),
            "short_list": ["007 | 1e5" if each == "review" else None for each in status],
            "status": status,
            "reason": [label_table.UNSURE if each == "review" else None for each in status],
            "text_key": [f"{place:016x}" for place in places],
        }
    )
    aside = pa.table({"item_id": ids[:rejected], "status": ["rejected"] * rejected})
    constants = {"model": MANIFEST["model"], "model_group": GROUP, "period": PERIOD, "run": RUN}
    constants["labelled_at"] = datetime(2026, 10, 3, 4, 5, 6, tzinfo=UTC)
    return label_table.assemble([rows, aside], constants, test_set=False)


def texts(ids: list[str] | None = None) -> pa.Table:
    """The items' texts, in another order than their labels."""
    ids = list(reversed(IDS if ids is None else ids))
    return pa.table(
        {
            "item_id": pa.array(ids, pa.string()),
            **{name: pa.array([f"{item} {name}" for item in ids], pa.string()) for name in TEXTS},
        }
    )


def labels(folder, ids: list[str] | None = None, **manifest) -> Labels:
    """What the workbook is made of; its file is written into `folder`."""
    path = folder / "labels.parquet"
    label_table.write_parquet(table(ids), path)
    address = f"s3://labelled/labels/{GROUP}/{PERIOD}/{RUN}/"
    return Labels(address, MANIFEST | manifest, path, texts(ids))
