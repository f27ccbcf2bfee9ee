"""Whole months through the local stack: time, CPU and memory of each stage, and whether every group is right.

    .venv/bin/python benchmarks/month.py [--groups 4] [--items 20000] [--months 2] [--data openrepair.csv.gz]
    .venv/bin/python benchmarks/month.py --groups 1 4 16 60 --items 100000
    .venv/bin/python benchmarks/month.py --burst 200
    .venv/bin/python benchmarks/month.py --groups 60 --items 3300000 --months 2 [--share]

The last is the month of a large user, and a second one, whose searches start warm and whose models are
compared with winners.

A month is dropped in the landing bucket as a client does it: labelled rows of all groups, to be trained and
compared; then the items to be labelled by the winners. The largest group has twice as many items as the
second, three times as many as the third, and so on; there is one labelled row to 16 items, but 600 in each
group, and a tenth more in each later month, half of whose items are new. With --share generated groups of one
scheme share their rows, so that each learns from all. With several numbers of groups or items each pair gets
a stack of its own. Texts are the generator's or, with --data, those of an Open Repair Alliance export (see
openrepair.py), again and again where it has too few.

Where a comparison asks a person the answer is yes. After the months, `--burst N` drops N manifests of 300
items at once.

CPU is that of the server, of the jobs and of the functions; memory the largest sum of their proportional set
sizes, looked at each second. A group is wrong where an item is lost or there twice, where it has not one
output, one decision and one notice of each, where its ledger names another output, or where it shares but has
learned from nobody in a later month. Linux only. Exit code 1 where one is wrong.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openrepair
import pandas as pd
import pyarrow as pa
from _report import arguments, show
from demo import Memory, children, family

from infra import results
from infra.local.follow import Follower
from infra.local.stack import LocalStack
from infra.samples import generate
from infra.samples.deliver import deliver, publish
from pipelines.ledger import reading
from pipelines.messages import APPROVAL_WANTED, DECISION, LABELS_READY
from pipelines.names import DATASET, parse_dataset, parse_run
from processing.codes.codebook import scheme_of

SCHEMES = ("weee", "packaging", "batteries")
#: The groups of this scheme learn from each other's rows, by a list that has its codes.
SHARING, LIST = "weee", "kind"
#: Those for whose language the generator has the words of each scheme.
COUNTRIES = (
    *("GB", "ES", "PL", "NL", "BE", "SE", "CZ", "PT", "DK", "FI"),
    *("IE", "GR", "HU", "RO", "BG", "SK", "HR", "SI", "LT", "LV"),
)
ITEMS_A_ROW, LEAST_ROWS, LEAST_ITEMS, MORE_ROWS = 16, 600, 100, 0.1
FIRST_ITEM = 10_000_000
BURST_ITEMS, BURST_MONTH = 300, "2026-01"
CHUNK = 100_000
ASKS = APPROVAL_WANTED.subject.partition(" ")[0]
LABELMILL = (sys.executable, "-m", "pipelines.cli")


def main() -> int:
    options = arguments(__doc__)
    options.add_argument("--groups", type=int, nargs="+", default=[4], help="how many (default: 4)")
    options.add_argument("--items", type=int, nargs="+", default=[20_000], help="to label, of all groups")
    options.add_argument("--months", type=int, default=2, help="default: %(default)s")
    options.add_argument("--data", type=Path, help="an Open Repair Alliance export; else generated items")
    options.add_argument("--share", action="store_true", help=f"groups of the scheme {SHARING} share rows")
    options.add_argument("--burst", type=int, default=0, metavar="N", help="manifests at once, at the end")
    args = options.parse_args()
    real = openrepair.datasets(args.data) if args.data else None
    rows: list[dict[str, Any]] = []
    wrong: list[str] = []
    for groups, items in itertools.product(args.groups, args.items):
        texts = Texts(groups, real, share=args.share)
        with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder) / "stack") as stack:
            run = Run(stack, texts, items)
            run.begin()
            for number in range(1, args.months + 1):
                run.month(number)
            if args.burst:
                run.burst(args.burst)
        rows += run.rows
        wrong += run.wrong
    show("Months through the local stack", rows, args.json)
    print("\n".join(wrong) or "every group is right: no item lost or twice, one output, decision and notice")
    return bool(wrong)


class Texts:
    """Items of some groups, numbered; the same number is always the same item."""

    def __init__(self, groups: int, real: dict[str, dict[str, pd.DataFrame]] | None, *, share: bool):
        self._share = share
        self._real: dict[str, list[dict[str, Any]]] = {}
        if not real:
            names = (f"{country}-{scheme}" for country in COUNTRIES for scheme in SCHEMES)
            self.groups = list(itertools.islice(names, groups))
            return
        for number in range(groups):
            name = list(real)[number % len(real)]
            rows = pd.concat([real[name]["2026-10"], real[name]["new"]])
            self._real[f"{name}{number // len(real) or ''}"] = rows.to_dict("records")
        self.groups = list(self._real)

    def codebook(self, group: str) -> dict[str, Any]:
        """The codebook of all its codes."""
        if not self._real:
            book = generate.codebook(group, "1")
            return self._sharing(book) if self.shares(group) else book
        always = {"valid_from": "2020-01-01", "valid_to": None, "critical": False}
        codes = sorted({row["label"] for row in self._real[group]})
        book = {"group": group, "version": "1", "language": "en", "source": "Open Repair Data Standard"}
        return book | {"attributes": [], "codes": [{"code": c, "description": c, **always} for c in codes]}

    def shares(self, group: str) -> bool:
        """Whether it learns from rows of others."""
        return self._share and not self._real and scheme_of(group) == SHARING

    def _sharing(self, book: dict[str, Any]) -> dict[str, Any]:
        codes = [{**entry, "references": {LIST: [entry["code"]]}} for entry in book["codes"]]
        return book | {"codes": codes, "policy": {"share_by": LIST}}

    def table(self, group: str, start: int, count: int, labelled: bool) -> pa.Table:
        """`count` items from number `start` on."""
        ends = [*range(start, start + count, CHUNK), start + count]
        parts = [self._part(group, first, end, labelled) for first, end in itertools.pairwise(ends)]
        return pa.concat_tables(parts, promote_options="permissive")

    def _part(self, group: str, start: int, end: int, labelled: bool) -> pa.Table:
        if not self._real:
            return pa.Table.from_pylist(generate.items(group, start, end - start, labelled))
        rows, left_out = self._real[group], () if labelled else ("label",)
        return pa.Table.from_pylist(
            [
                {name: value for name, value in rows[number % len(rows)].items() if name not in left_out}
                | {"item_id": f"{group}-{number:08}"}
                for number in range(start, end)
            ]
        )


class Run:
    """Months on one stack: `rows` of the table, and sentences on what is `wrong`."""

    def __init__(self, stack: LocalStack, texts: Texts, items: int):
        self._stack, self._texts, self._total = stack, texts, items
        shares = [1 / rank for rank in range(1, len(texts.groups) + 1)]
        self._items = {
            group: max(LEAST_ITEMS, round(items * share / sum(shares)))
            for group, share in zip(texts.groups, shares, strict=True)
        }
        self._ended: list[tuple[float, str]] = []
        self._follower = Follower(stack, self._show)
        self.rows: list[dict[str, Any]] = []
        self.wrong: list[str] = []

    def begin(self) -> None:
        """Publish the codebooks."""
        for group in self._texts.groups:
            publish(self._stack, self._texts.codebook(group))

    def month(self, number: int) -> None:
        """One month of all groups."""
        period = f"2025-{number:02}"
        training = {
            group: round(max(LEAST_ROWS, items // ITEMS_A_ROW) * (1 + MORE_ROWS * (number - 1)))
            for group, items in self._items.items()
        }
        first = {group: FIRST_ITEM + (number - 1) * items // 2 for group, items in self._items.items()}
        tables = {
            folder("training", group, period): self._texts.table(group, 0, rows, labelled=True)
            for group, rows in training.items()
        }
        self._stage(f"{number} training", tables, "comparison")
        self._judge(self._wrong_decision(group, period) for group in training)
        learned = {group: self._rows_of_others(group, period) for group in training}
        self.rows[-1]["rows of others"] = sum(learned.values())
        sharing = [group for group in training if self._texts.shares(group)]
        if number > 1 and len(sharing) > 1:
            self._judge(f"{group} {period}: no rows of others" for group in sharing if not learned[group])
        tables = {
            folder("inference", group, period): self._texts.table(group, first[group], items, labelled=False)
            for group, items in self._items.items()
        }
        self._stage(f"{number} inference", tables, "inference")
        self._judge(
            self._wrong_labels(group, period, first[group], items) for group, items in self._items.items()
        )

    def burst(self, count: int) -> None:
        """`count` manifests at once, each of a month of its group that has no other."""
        groups = self._texts.groups
        periods = [f"{2020 + place // 12}-{place % 12 + 1:02}" for place in range(-(-count // len(groups)))]
        dropped = list(itertools.product(periods, groups))[:count]
        table = {group: self._texts.table(group, FIRST_ITEM, BURST_ITEMS, labelled=False) for group in groups}
        tables = {folder("inference", group, period): table[group] for period, group in dropped}
        self._stage(f"burst of {count}", tables, "inference")
        self._judge(self._wrong_labels(g, p, FIRST_ITEM, BURST_ITEMS) for p, g in dropped)

    def _show(self, event: dict[str, Any]) -> None:
        """Keep when what run ended; approve what a person is asked to."""
        if event["kind"] == "execution" and event["status"] == "SUCCEEDED":
            self._ended.append((time.monotonic(), event["machine"]))
        if event["kind"] == "message" and (event["subject"] or "").startswith(ASKS):
            self._approve(event["subject"].split()[-2])

    def _approve(self, group: str) -> None:
        asked: set[str] = set()
        while not asked:  # the message is there before the ledger has what waits
            ledger = self._ledger(group)
            asked = ledger.approvals.keys() - {one["run"] for one in ledger.decisions}
            time.sleep(0.1)
        for run in asked:
            of_stack = ("local", "run", "--dir", self._stack.folder)
            subprocess.run([*LABELMILL, *of_stack, "approve", run], check=True)

    def _stage(self, name: str, tables: dict[str, pa.Table], purpose: str) -> None:
        """Drop datasets by their folders, wait for the run of each that ends the stage, and add its row."""
        self._ended = []
        before, began = cpu_seconds(self._stack.pid), time.monotonic()
        with Memory(self._stack.pid, every_seconds=1) as memory:
            for place, table in tables.items():
                deliver(self._stack, place, table)
            for dataset in filter(None, map(parse_dataset, tables)):
                self._follower.until_ended({dataset.group: purpose})
            self._stack.wait_until_quiet(timeout_seconds=120)
        ended = [moment - began for moment, machine in self._ended if machine.endswith(purpose)]
        spent = cpu_seconds(self._stack.pid) - before
        self.rows.append(
            {
                "groups": len(self._texts.groups),
                "stage": name,
                "rows": sum(table.num_rows for table in tables.values()),
                "s": time.monotonic() - began,
                "first after s": min(ended),
                "CPU s of jobs": spent["jobs"],
                "of server": spent["server"],
                "of functions": spent["functions"],
                "peak MB": memory.peak / 1e6,
                "MB of jobs' files": size(self._stack.folder / "jobs") / 1e6,
            }
        )

    def _judge(self, found: Iterator[str]) -> None:
        wrong = [sentence for sentence in found if sentence]
        self.rows[-1]["wrong"] = self.rows[-1].get("wrong", 0) + len(wrong)
        self.wrong += wrong

    def _wrong_decision(self, group: str, period: str) -> str:
        """What is wrong with the decision on the month's model; empty where nothing is."""
        decisions = self._ledger(group).decisions
        made = [one for one in decisions if (run := parse_run(one["run"])) and run.period == period]
        if len(made) != 1:
            return f"{group} {period}: {len(made)} decisions"
        notice = DECISION.subject.format(verdict=made[0]["verdict"], group=group, period=period)
        return self._wrong_notices(notice)

    def _rows_of_others(self, group: str, period: str) -> int:
        """How many rows of other groups its models of a month were trained on."""
        models = self._ledger(group).models.values()
        return sum(int(model["shared_rows"]) for model in models if model["period"] == period)

    def _wrong_labels(self, group: str, period: str, first: int, count: int) -> str:
        """What is wrong with the month's labels; empty where nothing is."""
        made = [each for each in results.published(self._stack, group) if each["period"] == period]
        if len(made) != 1:
            return f"{group} {period}: {len(made)} outputs"
        place = made[0]["address"].removesuffix("manifest.json")
        if self._ledger(group).months[period]["labels"] != place:
            return f"{group} {period}: the ledger does not name {place}"
        ids = Counter(results.labels(self._stack, place)["item_id"].to_pylist())
        wanted = self._texts.table(group, first, count, labelled=False)["item_id"].to_pylist()
        if ids != Counter(wanted):
            lost, more = len(set(wanted) - ids.keys()), ids.total() - count
            return f"{group} {period}: {lost} of {count} items lost, {more} more than there were"
        return self._wrong_notices(LABELS_READY.subject.format(group=group, period=period))

    def _wrong_notices(self, subject: str) -> str:
        mail = (self._stack.folder / "mailbox").iterdir()
        sent = sum(f"Subject: {subject}\n" in path.read_text(encoding="utf-8") for path in mail)
        return "" if sent == 1 else f"{sent} notices: {subject}"

    def _ledger(self, group: str) -> reading.GroupLedger:
        return reading.read(self._stack.client("dynamodb"), self._stack.names["LedgerTable"], group)


def folder(purpose: str, group: str, period: str) -> str:
    """Where a dataset is dropped."""
    return DATASET.format(purpose=purpose, group=group, period=period, delivery="d1")


def size(place: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in place.rglob("*") if not path.is_dir())


def cpu_seconds(server: int) -> Counter[str]:
    """CPU seconds so far of the server's process, of its jobs and of its functions, ended ones included."""
    spent: Counter[str] = Counter(server=sum(_times(server)[:2]))
    for child in children(server):
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        kind = "jobs" if b"infra.local.sagemaker.forkserver" in words else "functions"
        spent[kind] += sum(sum(_times(pid)) for pid in family(child))
    return spent


def _times(pid: int) -> list[float]:
    """Seconds in user and system mode: of the process, and of those that it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # it has just ended
        return [0.0]
    return [int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:15]]


if __name__ == "__main__":
    sys.exit(main())
