"""Two models' published test sets, as Compare reads them, and running it on them."""

import json
from datetime import UTC, datetime

import pyarrow as pa

from processing import compare
from processing.digests import sha256
from processing.labels import label_table
from tests.processing.job_folders import GROUP, PERIOD

CHALLENGER, WINNER = "DE-weee-2026-10-1a2b3c4d", "DE-weee-2026-09-5e6f7a8b"
BEFORE = "2026-09"
CODES = ("1", "2", "3a")
POLICY = '{"min_rows": 300, "precision": 0.85}'


def rows_of_a_test(count: int = 900) -> dict[str, list]:
    """Truth of a synthetic test set; every key lies in the lowest fifth, as a test row's does."""
    keys = [f"{number * (2**64 // 5) // count:016x}" for number in range(count)]
    ids = [f"{number:06d}" for number in range(count)]
    return {"item_id": ids, "text_key": keys, "truth": [CODES[number % 3] for number in range(count)]}


def publish(
    job,
    role: str,
    model: str,
    rows: dict,
    wrong: range | None = None,
    rejected: int = 0,
    unsure: int = 9,
) -> None:
    """Write what Publish writes for a test set.

    The rows numbered in `wrong` got another code, the last `unsure` ones are for review. The challenger was
    trained this month, the winner last month.
    """
    count = len(rows["item_id"])
    codes = [
        CODES[(CODES.index(truth) + 1) % 3] if n in (wrong or ()) else truth
        for n, truth in enumerate(rows["truth"])
    ]
    labels = pa.table(
        rows
        | {
            "code": codes,
            "confidence": [0.9] * count,
            "status": ["labelled"] * (count - unsure) + ["review"] * unsure,
        }
    )
    aside = pa.table({"item_id": [f"r{n}" for n in range(rejected)], "status": ["rejected"] * rejected})
    constants = {"model": model, "run": "r1", "labelled_at": datetime(2026, 10, 2, tzinfo=UTC)}
    table = label_table.assemble([labels, aside], constants, test_set=True)
    folder = job.input(role)
    label_table.write_parquet(table, folder / "labels.parquet")
    files = [{"name": "labels.parquet", "sha256": sha256(folder / "labels.parquet")}]
    (folder / "manifest.json").write_text(json.dumps({"run": "r1", "files": files}))
    job.trained(PERIOD if role == "challenger" else BEFORE, name=f"{role}-trained")


def run_compare(
    job,
    winner: str = WINNER,
    policy: str = POLICY,
    winner_digest: str | None = None,
    undecided: str = "",
) -> dict:
    return job.run(
        compare.main,
        group=GROUP,
        period=PERIOD,
        run="c1",
        challenger=CHALLENGER,
        challenger_digest=job.labels_digest("challenger"),
        winner=winner,
        winner_digest=job.labels_digest("winner") if winner_digest is None else winner_digest,
        policy=policy,
        undecided=undecided,
    )


def evidence(job) -> dict:
    return json.loads((job.output("evidence") / "comparison.json").read_text(encoding="utf-8"))
