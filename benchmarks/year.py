"""A year of ten model groups with drift in it: is what is labelled without a person as right as promised?

    python -m benchmarks.year [--data openrepair.csv.gz] [--drift none] [--json PATH]

Texts are the generator's or, with --data, those of an Open Repair Alliance export (see openrepair.py). The
drift is synthetic in both (_year_items.py has it, and the true codes); --drift says which kinds of it there
are. Each month the items sold are labelled, a reviewer who is never wrong decides on the first tenth of each
review sheet, and every group trains on all rows that are labelled by then.

Driven are the real definitions, handlers, commands and job scripts, in one process, on the simulation's
services and virtual clock (tests/simulation/). On the local stack, whose jobs are processes and whose clock
is the wall's, a year would take hours. `_year_jobs.py` puts the real jobs in the place of the simulation's;
only the search for hyperparameters is left out.
"""

import io
import json
import sys
import tempfile
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import _year_items
from benchmarks._year_items import KINDS, Group, groups, period
from benchmarks._year_jobs import RealJobs
from benchmarks._year_report import FALLEN, report
from infra.local import reviewer
from pipelines import names
from pipelines.codebooks.publish import publish
from pipelines.commands import approval, review_in
from pipelines.ledger import changing, reading
from processing.dataset import manifest
from tests.simulation.world import LANDING, OUTPUTS, WORK, World

#: People look at this share of a month's items.
REVIEWED = 0.1
#: What is kept of a comparison's evidence.
EVIDENCE = ("distinct_texts", "score", "winner_score", "better_texts", "worse_texts", "p_value", "reason")
#: So long people wait for what is under way, not for an approval.
PATIENCE = timedelta(hours=1)


def main() -> int:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an Open Repair Alliance export; else generated items")
    parser.add_argument("--groups", type=int, default=len(_year_items.PLANS), help="how many, the first ones")
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument(
        "--drift", nargs="+", choices=("all", "none", *KINDS), default=["all"], help="kinds (default: all)"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write what was seen, a row a group-month")
    args = parser.parse_args()
    kinds = set(KINDS if "all" in args.drift else args.drift) - {"none"}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        year = Year(groups(args.groups, kinds, args.data), Path(folder))
        with year.world.entered():
            year.begin()
            for month in range(1, args.months + 1):
                year.month(month)
                if args.json:
                    args.json.write_text(json.dumps(year.seen, indent=1), encoding="utf-8")
                seconds = time.monotonic() - started
                print(f"month {month} after {seconds:.0f} s", file=sys.stderr, flush=True)
    print("\n\n".join(report(year.seen)))
    return 0


class Stack(NamedTuple):
    """The simulation as commands see a stack."""

    names: dict[str, str]
    client: Any


class Year:
    """The groups, the account they live in, and `seen`: a row for each group and month."""

    def __init__(self, of: list[Group], folder: Path):
        self.groups, self.folder = of, folder
        self.world = World(Random(1))
        self.world.sagemaker = RealJobs(self.world.buckets, lambda: self.world.now)
        self.seen: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Every group has its codebook and its first winner."""
        for group in self.groups:
            self._publish(group, 1)
            self._deliver("training", group, 0, group.labelled(0))
        self._settle()

    def month(self, month: int) -> None:
        """The items of a month are labelled and reviewed, then the groups train."""
        self.world.now = _first_of(month + 1)
        there = [group for group in self.groups if not group.ended(month)]
        for group in self.groups:
            if group.ended(month) and not self._ledger(group).is_retired:
                self._retire(group)
        for group in there:
            self._publish(group, month)
            items = group.sell(month)
            self._deliver("inference", group, month, [item.row() for item in items])
        self._settle()
        rows = {group.name: self._labels(group, month) for group in there}
        for group in there:
            self._review(group, month, rows[group.name])
            if group.from_month("rollback") == month:
                rows[group.name]["rollback"] = self._roll_back(group)
        self._settle()
        self.world.now = _first_of(month + 1) + timedelta(days=2)
        decided = {group.name: len(self._ledger(group).decisions) for group in there}
        for group in there:
            self._deliver("training", group, month, group.labelled(month))
        self._settle()
        for group in there:
            self._decisions(group, rows[group.name], decided[group.name])
        self.seen += rows.values()
        # What nobody reads again: a year of features would not fit into memory.
        for key in [key for key in self.world.buckets.objects[WORK] if "/features/" in key]:
            del self.world.buckets.objects[WORK][key]

    def _ledger(self, group: Group) -> reading.GroupLedger:
        return reading.read(self.world.client("dynamodb"), "ledger", group.name)

    def _publish(self, group: Group, month: int) -> None:
        publish(
            group.codebook(month),
            s3=self.world.client("s3"),
            dynamodb=self.world.client("dynamodb"),
            work_bucket=WORK,
            table="ledger",
            now=self.world.now,
        )

    def _deliver(self, purpose: str, group: Group, month: int, rows: list[dict[str, str]]) -> None:
        """Put a dataset into the landing bucket; month 0 is the one before the year."""
        folder = names.DATASET.format(purpose=purpose, group=group.name, period=period(month), delivery="d1")
        address = names.address(LANDING, folder)
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "part-000.parquet"
            table = pa.Table.from_pylist(rows)
            pq.write_table(table, file)
            columns = dict.fromkeys(table.column_names, "text")
            listed = manifest.write(Path(name), address, {file.name: table.num_rows}, columns)
            for path in (file, listed):
                self.world.buckets.put(f"{address}{path.name}", path.read_bytes())
        self.world.land_again(purpose, address)

    def _settle(self) -> None:
        """Until nothing is left to happen; who is asked for approval answers. Raises AssertionError."""
        while True:
            while self.world.turn(PATIENCE):
                pass
            failed = [run for run in self.world.runs.values() if run.status not in ("RUNNING", "SUCCEEDED")]
            assert not failed, f"{failed[0].name}: {failed[0].end}"
            if not any(self._answer(group) for group in self.groups):
                return

    def _answer(self, group: Group) -> bool:
        """Approve what is asked for, but not a model that labels less than half of what the winner does."""
        ledger = self._ledger(group)
        decided = {decision["run"] for decision in ledger.decisions}
        open_ = [
            asked
            for run, asked in ledger.approvals.items()
            if run not in decided and self.world.runs[run].status == "RUNNING" and "answer" not in asked
        ]
        for asked in open_:
            evidence = json.loads(self.world.buckets.get(asked["evidence"]))
            winner, challenger = evidence["winner"], evidence["challenger"]
            silent = winner and challenger["coverage"] < FALLEN * winner["coverage"]
            word = "rejected" if silent else "approved"
            table = self.world.client("dynamodb")
            said = changing.answer(table, "ledger", asked, word, "Anna", "seen", self._later())
            approval.send(said)
        return bool(open_)

    def _later(self) -> datetime:
        self.world.now += timedelta(seconds=2)
        return self.world.now

    def _labels(self, group: Group, month: int) -> dict[str, Any]:
        """The month's labels, before people decide, against the true codes."""
        ledger = self._ledger(group)
        where = ledger.months[period(month)]["labels"]
        rows = pq.read_table(io.BytesIO(self.world.buckets.get(f"{where}labels.parquet"))).to_pylist()
        summary = json.loads(self.world.buckets.get(f"{where}summary.json"))
        truth = group.truth(month)
        automatic = [row for row in rows if row["status"] == "labelled" and row["answer"] is None]
        return {
            "group": group.name,
            "month": month,
            "sets_in": group.events_of(month),
            "model": ledger.winner["model"],
            "items": len(rows),
            "automatic": len(automatic),
            "right": sum(row["code"] == truth[row["item_id"]] for row in automatic),
            "review": sum(row["status"] == "review" for row in rows),
            "decided": sum(row["answer"] is not None for row in rows),
            "expected": summary["review"]["expected_precision"],
            "alarms": summary["attention"],
        }

    def _review(self, group: Group, month: int, row: dict[str, Any]) -> None:
        if not row["review"]:
            return
        truth = group.truth(month)
        count = round(REVIEWED * row["items"])
        stack, now = Stack(OUTPUTS, self.world.client), self._later()
        with mock.patch.object(review_in, "datetime", mock.Mock(now=lambda zone: now)):
            sheet = self.folder / f"{group.name}-{period(month)}.csv"  # one that is there is not written over
            reviewer.review(stack, group.name, period(month), sheet, truth, count)

    def _roll_back(self, group: Group) -> str | None:
        """Make the winner before this one the winner again; None where there is none."""
        ledger = self._ledger(group)
        won = [one["model"] for one in ledger.decisions if one["verdict"] in reading.MAKES_WINNER]
        before = [model for model in won if model != ledger.winner["model"]]
        if not before:
            return None
        decision = changing.change(ledger, "ROLLBACK", before[-1], "for a trial", "Anna", self._later())
        changing.record(self.world.client("dynamodb"), "ledger", decision)
        return before[-1]

    def _retire(self, group: Group) -> None:
        table = self.world.client("dynamodb")
        changing.retire(table, "ledger", self._ledger(group), "Anna", "no longer sold", self._later())

    def _decisions(self, group: Group, row: dict[str, Any], known: int) -> None:
        """What was decided on the models since so many decisions were known."""
        new = self._ledger(group).decisions[known:]
        row["verdicts"] = [decision["verdict"] for decision in new]
        row["evidence"] = []
        for decision in new:
            found = json.loads(self.world.buckets.get(decision["evidence"]))
            names = (
                "distinct_texts",
                "score",
                "winner_score",
                "better_texts",
                "worse_texts",
                "p_value",
                "reason",
            )
            row["evidence"].append({name: found[name] for name in names})


def _first_of(month: int) -> datetime:
    return datetime.fromisoformat(f"{period(month)}-01T02:00:00+00:00").astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
