"""What the classifier costs people, set by set, beside an earlier commit.

    .venv/bin/python benchmarks/people.py --data openrepair.csv.gz [--set NAME=FILE.csv ...] [--before REV]
        [--only NAME ...] [--quick] [--processes 2] [--json PATH]

Sets: an Open Repair Alliance export whole and by country, a thousand and 300 rows of one, one with a fifth of
its training labels shuffled, one where a single code has 95 % of the rows; and each `--set`, a CSV with the
columns title and label (benchmarks/_sets.py makes some). With `--before` the same is measured in a work tree
of that commit, and each set has two lines.

Of each set, texts are split at random (identical ones on one side): four fifths learn, one fifth tests, five
times (fewer for large sets). The search is part of what is measured: its trials are drawn by the local
stack's own sampler from the ranges of the compiled machine. Accuracy, macro-F1, ECE (calibration error) and
`by chance` (the ECE of exact confidences on the same rows) are means of these splits; `calibrated` is the
share of them whose ECE is at most .02 or what exact confidences rarely exceed. For the rest margins of all
rows are taken out of fold once, and 20 random splits of their texts made: confidence and thresholds are
learned on four fifths and measured on one.

    auto P      share of the items without a person where P % of these are promised to be right
    right 98    what is right among them at 98 %, all splits together
    short       splits of 20 in which less than 98 % of them were right, which chance alone can show
    refuted     those of them that are no chance (bound of 5 %)
    codes kept  splits of 20 in which no code's were right in less than its floor, beyond chance
    below       codes with at least 20 such items of all splits together, right in less than the floor
    see, rest   smallest share to look at, least sure first, for 98 % of the other items to be right
    see, month  the same for 98 % of all items, those looked at being right

The 20 splits are of the same rows; the interval below the table takes them for independent.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import _people
import numpy as np
import pandas as pd
from _items import note
from _report import arguments, show
from scipy.stats import beta

ROOT = Path(__file__).parents[1]
COUNTRIES = 8
SKEWED = 6000  # rows of the set with one large code


def main() -> int:
    parser = arguments(__doc__)
    add_sets(parser)
    parser.add_argument("--before", metavar="REV", help="also measure this commit")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these sets alone")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--measure", help="measure one set and print JSON: what the processes do")
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(_people.measure(sets(args)[args.measure], quick=args.quick)))
        return 0
    names = args.only or list(sets(args))
    with _trees(args.before) as trees, ThreadPoolExecutor(args.processes) as pool:
        asked = [
            (name, code, pool.submit(_measured, args, name, tree)) for name in names for code, tree in trees
        ]
        rows = [{"set": name, "code": code, **future.result()} for name, code, future in asked]
    show("People's share of the work", rows, args.json)
    for code in dict.fromkeys(row["code"] for row in rows):
        for counted in ("short", "refuted", "codes kept"):
            found = sum(row[counted] for row in rows if row["code"] == code)
            print(f"{code}: {counted} in {_interval(found, _people.SPLITS * len(names))}")
    return 0


def add_sets(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="an Open Repair Alliance export, CSV or CSV.gz")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=FILE", help="a CSV: title, label")
    parser.add_argument("--quick", action="store_true", help="2,500 rows a set and one split that is tested")


def sets(args: Namespace) -> dict[str, pd.DataFrame]:
    """Rows of each set: title, brand, label and truth, which is the label before any were shuffled."""
    found = {}
    if args.data:
        found |= open_repair(args.data)
    for given in args.set:
        name, _, file = given.partition("=")
        found[name] = pd.read_csv(file, dtype=str, keep_default_na=False)
    return {name: _complete(rows) for name, rows in found.items()}


def open_repair(path: Path) -> dict[str, pd.DataFrame]:
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = rows[rows["item_is_label"] != "1"]
    rows = rows.assign(
        title=rows["item_text"].str.cat(rows["problem"], sep=" ").str.strip(), label=rows["product_category"]
    )
    large = rows["country"].value_counts().index[:COUNTRIES]
    by_country = {name: rows[rows["country"] == name] for name in large}
    middle = by_country[large[3]]
    return {
        "Open Repair": rows,
        **by_country,
        f"{large[3]}, 1,000": _some(middle, 1000),
        f"{large[3]}, 300": _some(middle, 300),
        f"{large[3]}, a fifth shuffled": _shuffled(middle),
        "one code of 95 %": _skewed(rows),
    }


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    given = {"brand": "", "truth": rows["label"]}
    rows = rows.assign(**{name: value for name, value in given.items() if name not in rows})
    return rows[["title", "brand", "label", "truth"]].reset_index(drop=True)


def _some(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    return rows.iloc[np.random.default_rng(0).permutation(len(rows))[:n]]


def _shuffled(rows: pd.DataFrame) -> pd.DataFrame:
    """A fifth of the rows exchange their labels."""
    rng = np.random.default_rng(0)
    among = rng.permutation(len(rows))[: len(rows) // 5]
    labels = rows["label"].to_numpy(copy=True)
    labels[among] = labels[rng.permutation(among)]
    return rows.assign(truth=rows["label"], label=labels)


def _skewed(rows: pd.DataFrame) -> pd.DataFrame:
    """The largest code has 19 of 20 rows, the others keep their proportions."""
    large = rows["label"] == rows["label"].mode()[0]
    parts = [_some(rows[large], SKEWED * 19 // 20), _some(rows[~large], SKEWED // 20)]
    return pd.concat(parts)


@contextmanager
def _trees(before: str | None) -> Iterator[list[tuple[str, Path]]]:
    """Names and folders of the code to measure."""
    if not before:
        yield [("now", ROOT)]
        return
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "before"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", tree, before], check=True, capture_output=True)
        try:
            yield [("before", tree), ("now", ROOT)]
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


def _measured(args: Namespace, name: str, tree: Path) -> dict[str, float]:
    """What `--measure` prints, run with the packages in the folder `tree`."""
    words = [sys.executable, __file__, "--measure", name, *(["--quick"] if args.quick else [])]
    words += ["--data", args.data.absolute()] if args.data else []
    for given in args.set:
        set_name, _, file = given.partition("=")
        words += ["--set", f"{set_name}={Path(file).absolute()}"]
    done = subprocess.run(
        words,
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
        check=True,
        capture_output=True,
        text=True,
    )
    note(f"{name}, {tree.name}: {done.stdout.strip()}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _interval(found: int, splits: int) -> str:
    """With a 95 % interval (Clopper and Pearson)."""
    low = beta.ppf(0.025, found, splits - found + 1) if found else 0.0
    high = beta.ppf(0.975, found + 1, splits - found) if found < splits else 1.0
    return f"{found} of {splits} splits ({100 * low:.0f} to {100 * high:.0f} %)"


if __name__ == "__main__":
    sys.exit(main())
