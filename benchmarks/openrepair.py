"""Real items through the whole local stack: Open Repair Alliance data, five countries, two months.

    .venv/bin/python benchmarks/openrepair.py --data openrepair.csv.gz [--json PATH] [--dir FOLDER]

The data is the Open Repair Alliance's aggregate of repair events (CC BY-SA 4.0). Get an export at
https://openrepair.org/open-data/downloads/ ; this script reads the columns item_id, country, event_date,
item_text, item_is_label, brand, problem, product_category. Rows with item_is_label = 1 hold the label in
their text and are left out.

For each country the labelled rows up to 60 % of the events are the first month's dataset, those up to 85 %
the second's; the rest are the second month's new items. Datasets are dropped in the landing bucket like any
client's. Of one country the review sheet is exported, its first items get their true codes, it is imported.

The second table is about the labels: columns up to `then right %` on the winner's published test rows, see
benchmarks/_labels.py; the others on the new items, whose true codes the system is not given. With --json it
goes beside PATH, with `-labels` in its name.
"""

import sys
import tempfile
from pathlib import Path

import _labels
import pandas as pd
import pyarrow as pa
from _clock import ALL, JobClock
from _report import arguments, show

from infra import results
from infra.local import reviewer
from infra.local.follow import Follower
from infra.local.progress import Progress
from infra.local.stack import LocalStack
from infra.samples.deliver import deliver, publish

COUNTRIES = {"DEU": "DE", "DNK": "DK", "NLD": "NL", "GBR": "GB", "BEL": "BE"}
MONTHS = {"2026-09": 0.60, "2026-10": 0.85}
REVIEWED, DECISIONS = "GB-repair", 50
NO_DATA = (
    "{} is not there. Get an Open Repair Alliance export "
    "(https://openrepair.org/open-data/downloads/) and name it with --data."
)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="an Open Repair Alliance export, CSV or CSV.gz"
    )
    parser.add_argument(
        "--dir", type=Path, help="keep runs and results here (default: a folder that is removed)"
    )
    args = parser.parse_args()
    if not args.data.exists():
        print(NO_DATA.format(args.data), file=sys.stderr)
        return 2
    groups = datasets(args.data)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Progress() as progress,
        LocalStack(args.dir or Path(scratch)) as stack,
    ):
        publish_codebooks(stack, groups)
        clock = JobClock(groups, progress.show)
        follower = Follower(stack, clock.show)
        for month in MONTHS:
            for group, parts in groups.items():
                drop(stack, "training", group, month, parts[month])
            follower.until_ended(dict.fromkeys(groups, "comparison"))
        for group, parts in groups.items():
            drop(stack, "inference", group, max(MONTHS), parts["new"].drop(columns="label"))
        follower.until_ended(dict.fromkeys(groups, "inference"))
        stack.wait_until_quiet(timeout_seconds=60)
        labels = [
            labels_row(stack, group, parts, results.published(stack, group)[-1])
            for group, parts in groups.items()
        ]
        truth = groups[REVIEWED]["new"].set_index("item_id")["label"]
        sheet = stack.folder / "review.csv"
        print(reviewer.review(stack, REVIEWED, max(MONTHS), sheet, truth, DECISIONS))
        follower.until_ended({REVIEWED: "review"})
        rows = [result(stack, group, parts, clock) for group, parts in groups.items()]
        total = {"group": ALL, "s in jobs": clock.inside[ALL], "s outside": clock.outside[ALL]}
        rows.append({name: "" for name in rows[0]} | total)
        amended = results.published(stack, REVIEWED)[-1]
    show("Open Repair Alliance data through the local stack", rows, args.json)
    beside = args.json and args.json.with_stem(f"{args.json.stem}-labels")
    show("Its labels", labels, beside)
    print(
        f"{REVIEWED}: {amended['decided']} of the items decided, {amended['review']} left, {amended['run']}"
    )
    return 0


def datasets(path: Path) -> dict[str, dict[str, pd.DataFrame]]:
    """For each model group: the labelled rows known in each month, and the `new` ones."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table = table[table["item_is_label"] != "1"].sort_values(["event_date", "item_id"], kind="stable")
    groups = {}
    for country, code in COUNTRIES.items():
        rows = table[table["country"] == country]
        frame = pd.DataFrame(
            {
                "item_id": rows["item_id"],
                "title": rows["item_text"].str.cat(rows["problem"], sep=" ").str.strip(),
                "brand": rows["brand"],
                "product_type": "",
                "label": rows["product_category"],
            }
        )
        ends = {month: int(len(frame) * share) for month, share in MONTHS.items()}
        parts = {month: frame.iloc[:end] for month, end in ends.items()}
        groups[f"{code}-repair"] = parts | {"new": frame.iloc[max(ends.values()) :]}
    return groups


def publish_codebooks(stack: LocalStack, groups: dict) -> None:
    for group, parts in groups.items():
        labels = sorted(set(parts["2026-10"]["label"]))
        always = {"valid_from": "2020-01-01", "valid_to": None, "critical": False}
        publish(
            stack,
            {
                "group": group,
                "version": "1",
                "language": "en",
                "source": "Open Repair Data Standard, product categories",
                "attributes": [],
                "codes": [{"code": label, "description": label, **always} for label in labels],
            },
        )


def drop(stack: LocalStack, purpose: str, group: str, month: str, frame: pd.DataFrame) -> None:
    deliver(stack, f"{purpose}/{group}/{month}/d1/", pa.Table.from_pandas(frame, preserve_index=False))


def result(stack: LocalStack, group: str, parts: dict, clock: JobClock) -> dict:
    """One line of the table."""
    decided, labels = results.decisions(stack, group), results.published(stack, group)[-1]
    scores = results.read_json(stack, decided[-1]["evidence"])["challenger"]
    return {
        "group": group,
        "rows in": len(parts["2026-10"]) + labels["rows"],
        "labelled": labels["labelled"],
        "to review": labels["review"],
        "rejected": labels["rejected"],
        "test accuracy": scores["accuracy"],
        "macro-F1": scores["macro_f1"],
        "verdicts": ", ".join(decision["verdict"] for decision in decided),
        "s in jobs": clock.inside[group],
        "s outside": clock.outside[group],
    }


def labels_row(stack: LocalStack, group: str, parts: dict, manifest: dict) -> dict:
    """One line of the second table; `manifest` is that of the group's new labels."""
    test = results.test_labels(stack, group, manifest["model"])
    folder = manifest["address"].removesuffix("manifest.json")
    truth = parts["new"].set_index("item_id")["label"]
    return {
        "group": group,
        **_labels.test_rows(test),
        **_labels.new_items(results.labels(stack, folder), truth),
        "attention": " ".join(results.read_json(stack, f"{folder}summary.json")["attention"]) or "nothing",
    }


if __name__ == "__main__":
    sys.exit(main())
