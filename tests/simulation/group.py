"""A model group of the simulation and the people around it: what they do, by the real commands.

Details are drawn where a method has no arguments. The order of things is in histories.py and faults.py.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from pipelines import names
from pipelines.codebooks.publish import publish
from pipelines.commands import approval, review_in, review_out
from pipelines.failures import listing
from pipelines.failures.failure import Failure, Stack
from pipelines.handlers import check_month
from pipelines.ledger import changing, keys, reading
from pipelines.review import sheet
from pipelines.review.published import Places
from processing.labels.label_table import DECIDED
from tests import invariants
from tests.pipelines.machines.definition_examples import MACHINES, definition_of
from tests.simulation import jobs
from tests.simulation import world as worlds
from tests.simulation.interpreter import Call
from tests.simulation.world import LABELLED, LANDING, OUTPUTS, WORK, Running, World

GROUP = "DE-weee"
PERIODS = ("2026-09", "2026-10")
#: So many different things are sold, so that some items have the same text.
TEXTS = 4
#: Every state that calls something, with its machine.
CALLED = {
    (machine, name)
    for machine in MACHINES
    for name, state in definition_of(machine)["States"].items()
    if state["Type"] == "Task"
}
#: So long people wait for what is under way: not for an approval, or for a machine.
PATIENCE = timedelta(hours=1)
#: So often everything that failed is started again before that is itself a failure.
ROUNDS = 8


class Group:
    """One model group, the people around it, and what they have been told.

    Attributes:
        random: takes the choices of people; the world and the faults have their own.
        folder: where sheets are.
    """

    folder: Path

    def __init__(self, seed: int, faults: int, definitions: dict[str, dict[str, Any]] | None = None):
        self.random = Random(seed)
        self.world = World(Random(seed + 1), definitions)
        self.world.fault = self.fault
        self.world.function_fails = self.function_fails
        self.world.watch = self.watch
        self.faults_met: list[tuple[str, str, str]] = []
        self.faults_left, self.down = faults, dict[tuple[str, str], str]()
        self.chance = Random(seed + 2)
        self.versions = 0
        self.deliveries = 0
        self.landed: list[tuple[str, str, str, str]] = []
        self.bad: set[str] = set()
        self.sheets: list[Path] = []
        self.published: list[tuple[str, str]] = []
        self.untold: set[str] = set()
        self.seen: dict[str, str] = {}
        self.wrong: list[str] = []
        self.targets = self.chance.sample(sorted(CALLED), 8)
        self.world.stalls = set(self.chance.sample(sorted(CALLED), 12))

    # Faults.

    def fault(self, running: Running, call: Call) -> str | None:
        at = running.name, call.state
        if at in self.down:
            return self.down[at]
        likely = 0.4 if (running.machine, call.state) in self.targets else 0.01
        if not self.faults_left or self.chance.random() > likely:
            return None
        self.faults_left -= 1
        kind = self.chance.choice(worlds.faults_of(call))
        if kind in ("down", worlds.CONFLICT) and self.chance.random() < 0.7:
            self.down[at] = kind
        self.faults_met.append((running.machine, call.state, kind))
        if call.state in ("QueueFailure", "NotifyOperators"):
            self.untold.add(running.name)
        return kind

    def function_fails(self) -> bool:
        if not self.faults_left or self.chance.random() > 0.03:
            return False
        self.faults_left -= 1
        return True

    def watch(self) -> None:
        """What must hold at the moment at which labels become a month's: later nobody could tell."""
        items = self.world.table.items
        for period in PERIODS:
            month = items.get((GROUP, keys.MONTH.format(period=period)))
            if month is None or self.seen.get(period) == month["run"]["S"]:
                continue
            run = self.seen[period] = month["run"]["S"]
            manifest = json.loads(self.world.buckets.get(f"{month['labels']['S']}manifest.json"))
            group = items[GROUP, keys.GROUP]
            if manifest["codebook_version"] != group["codebook_version"]["S"]:
                self.wrong.append(f"{run} recorded labels by a codebook that was replaced")
            named = names.parse_run(run)
            if named and named.purpose == "inference":
                winner = items[GROUP, keys.WINNER]["model"]["S"]
                if {month["model"]["S"], manifest["model"]} != {winner}:
                    self.wrong.append(f"{run} recorded labels of a model that was not the winner")

    # What people do.

    def publish(self) -> None:
        """A codebook or a policy; a new version may lack a code that was in force."""
        self.publish_codes(
            3 if self.versions == 0 else self.random.choice((2, 3)), self.random.random() < 0.25
        )

    def publish_codes(self, codes: int, approval: bool) -> None:
        """Publish a new version in which so many codes are in force; whether a person must approve."""
        self.versions += 1
        book = {
            **{"group": GROUP, "version": str(self.versions), "language": "de", "source": "synthetic"},
            "attributes": [],
            "codes": [
                {
                    **{"code": code, "description": f"Code {code}", "critical": False},
                    **{"valid_from": "2020-01-01", "valid_to": None},
                }
                for code in ("1", "2", "3")
            ],
        }
        for code in book["codes"]:
            if int(code["code"]) > codes:
                code["valid_to"] = "2026-08-31"
        publish(
            book,
            s3=self.world.client("s3"),
            dynamodb=self.world.client("dynamodb"),
            work_bucket=WORK,
            table="ledger",
            policy={"approval": approval, "same_text": "decide" if self.versions % 2 else "suggest"},
            now=self._now(),
        )

    def _now(self) -> datetime:
        self.world.now += timedelta(seconds=2)
        return self.world.now

    def _rows(self, labelled: bool) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        if not labelled and self.random.random() < 0.1:
            return rows  # nothing was sold
        for number in range(self.random.randint(1, 6)):
            thing = f"thing {number % TEXTS}"
            title = (
                f"{thing} {self.random.choice('aab')}" if not number or self.random.random() < 0.95 else ""
            )
            row = {"item_id": f"i{number}", "title": title}
            if labelled:
                row |= {"title": f"{thing} a", "label": self.random.choice("123")}
            rows.append(row)
        return rows

    def land(self, purpose: str, period: str, rows: list[dict[str, str]], cut: bool = False) -> str:
        """Deliver a dataset; the answer is its address."""
        self.deliveries += 1
        address = self.world.land(purpose, GROUP, period, f"d{self.deliveries}", rows, cut)
        self.landed.append((purpose, period, address, self.world.landed_at))
        return address

    def _land(self, purpose: str, rows: list[dict[str, str]]) -> None:
        wrong = self.random.choices((None, "cut", "replaced"), (20, 1, 1))[0]
        period = self.random.choices(PERIODS, (1, 4))[0]
        address = self.land(purpose, period, rows, cut=wrong == "cut")
        if wrong:
            self.bad.add(address)
        if wrong == "replaced":
            self.world.now += timedelta(seconds=2)
            self.world.buckets.put(f"{address}rows.json", b"something else")

    def train(self) -> None:
        self._land("training", self._rows(labelled=True))

    def deliver(self) -> None:
        self._land("inference", self._rows(labelled=False))

    def doubled(self) -> None:
        """S3 tells of a manifest twice."""
        if self.landed:
            purpose, _, address, at = self.random.choice(self.landed)
            time, _, version = at.partition("#")
            self.world.notify(purpose, f"{names.split_address(address)[1]}manifest", version, time)

    def uploaded_again(self) -> None:
        """A client uploads the same manifest once more."""
        if self.landed:
            purpose, period, address, _ = self.random.choice(self.landed)
            self.world.land_again(purpose, address)
            self.landed.append((purpose, period, address, self.world.landed_at))

    def export(self) -> None:
        """A sheet, which a person fills in; it may be imported much later."""
        period = self.random.choices(PERIODS, (1, 4))[0]
        month = keys.MONTH.format(period=period)
        there = self.world.table.items.get((GROUP, month))
        if not there:
            return
        labels = {
            row["item_id"]: row
            for row in self.stored().labels({"labels": there["labels"]["S"]})
            if row["status"] != "rejected"
        }
        wanted = sorted(labels) if self.random.random() < 0.6 else None
        self.fill(period, lambda row: self._said(labels[row["item_id"]]), wanted)

    def _said(self, label: dict[str, Any]) -> str:
        """What a person writes beside an item; hardly ever something that cannot be said of it."""
        answers = {"1": 4, "2": 4, "3": 2, "NONE": 2, "": 3}
        anything = self.random.random() < 0.02
        if anything or label["status"] == "review":
            answers["SKIP"] = 2
        if anything or label["answer"] in DECIDED:
            answers["WITHDRAW"] = 4
        return self.random.choices(list(answers), list(answers.values()))[0]

    def fill(
        self, period: str, say: Callable[[dict[str, str]], str], wanted: list[str] | None = None
    ) -> None:
        """Export a month's sheet, if it has rows, and fill in what `say` says of each."""
        path = self.folder / f"sheet{len(self.sheets)}.csv"
        review_out.export_sheet(self._places(), GROUP, period, path, wanted=wanted)
        if path.exists():
            _write(path, [{**row, "code": say(row), "confidence": None} for _, row in sheet.read(path)])
            self.sheets.append(path)

    def import_(self) -> None:
        """Import a sheet, maybe one of long ago."""
        if not self.sheets or self.random.random() < 0.3:
            self.export()
        if self.sheets:
            self.import_sheet(self.random.choice(self.sheets), self.random.choice(("Anna", "Ben")))

    def import_sheet(self, path: Path, by: str) -> None:
        """`labelmill review import`."""
        now = self._now()
        with mock.patch.object(review_in, "datetime", mock.Mock(now=lambda zone: now)):
            said = review_in.import_sheet(self._places(), path, by)
        self.world.note("  " + said.replace("\n", "; "))
        self.published += [
            (key, body.decode()) for key, body in self.world.buckets.below(f"s3://{WORK}/sheets/").items()
        ]

    def _places(self) -> Places:
        return Places.of(self.world.client, OUTPUTS)

    def rollback(self) -> None:
        self._by_hand("ROLLBACK")

    def promote(self) -> None:
        self._by_hand("PROMOTE")

    def release(self) -> None:
        """`labelmill models release`."""
        changing.release(
            self.world.client("dynamodb"), "ledger", self.ledger(), "Anna", "it may go", self._now()
        )

    def _by_hand(self, verdict: str) -> None:
        if models := sorted(self.ledger().models):
            day = self.world.now.date() + timedelta(days=1)
            until = day if verdict == "ROLLBACK" and self.random.random() < 0.3 else None
            self.decide(verdict, self.random.choice(models), until)

    def ledger(self) -> reading.GroupLedger:
        return reading.read(self.world.client("dynamodb"), "ledger", GROUP)

    def decide(self, verdict: str, model: str, until: date | None = None) -> None:
        """`labelmill models rollback` or `promote`."""
        decision = changing.change(self.ledger(), verdict, model, "because", "Anna", self._now(), until)
        changing.record(self.world.client("dynamodb"), "ledger", decision)

    def answer(self) -> None:
        """Somebody answers a comparison; two may do so at once, and differ."""
        if asked := sorted(self.ledger().approvals):
            self.approve(self.random.choice(asked), self.random.choice(("approved", "rejected")))

    def approve(self, run: str, word: str) -> None:
        """`labelmill approve`, or with the word `rejected` `labelmill reject`."""
        table, asked = self.world.client("dynamodb"), self.ledger().approvals[run]
        approval.send(changing.answer(table, "ledger", asked, word, "Anna", "seen", self._now()))

    def wait(self) -> None:
        self.world.now += timedelta(hours=self.random.randint(1, 60))

    def check(self) -> None:
        """The hourly check."""
        check_month.handler({"scheduled_time": self._now().isoformat(), "overdue": False})

    def retry(self) -> None:
        """`labelmill retry --all`."""
        with listing.opened(Stack(OUTPUTS, self.world.client), self._now()) as failures:
            for failure in failures:
                self.world.note(f"  {failure.name}: {failure.retry()}")

    def retire(self) -> None:
        """The group ends, or is taken up again."""
        ledger, table = self.ledger(), self.world.client("dynamodb")
        change = changing.revive if "retired_at" in ledger.registered else changing.retire
        change(table, "ledger", ledger, "Anna", "so it is", self._now())

    def kill(self) -> None:
        """Somebody stops an execution."""
        running = [run for run in self.world.runs.values() if run.status == "RUNNING"]
        if running:
            self.world.stop(self.random.choice(running))

    # What must hold in the end.

    def repair(self) -> list[str]:
        """What the runbook says, until nothing is left to do; else what is."""
        left: list[str] = []
        if "retired_at" in self.ledger().registered:
            self.retire()
        for _ in range(ROUNDS):
            self.check()
            self.world.settle()
            with listing.opened(Stack(OUTPUTS, self.world.client), self._now()) as failures:
                hopeful = [failure for failure in failures if not self._hopeless(failure)]
                left = [f"{failure.name}: {failure.error} {failure.sentence}" for failure in hopeful]
                for failure in hopeful:
                    self.world.note(f"retry {failure.name}: {failure.retry()}")
            if not left:
                return []
            self.world.settle()
        return left

    def _hopeless(self, failure: Failure) -> bool:
        """What fails as often as it is started: a bad dataset, one of which no row is left, or no winner."""
        run = self.world.runs.get(failure.name)
        if run is None:
            return any(address in failure.sentence for address in self.bad)
        if run.given.get("dataset") in self.bad or jobs.NO_ROWS in failure.sentence:
            return True
        no_winner = (GROUP, keys.WINNER) not in self.world.table.items
        return no_winner and run.given.get("purpose") in ("inference", "review")

    def stored(self, failures: frozenset[str] = frozenset()) -> invariants.Stored:
        objects = self.world.buckets.objects
        work, labelled, landing = (
            {key: item.body for key, item in objects[bucket].items()} for bucket in (WORK, LABELLED, LANDING)
        )
        return invariants.Stored(self.world.table.plain(), work, labelled, landing, failures)

    def problems(self, left: list[str]) -> Iterator[str]:
        """Everything that does not hold."""
        yield from self.wrong
        yield from (f"it cannot be retried: {each}" for each in left)
        stored = self.stored()
        yield from invariants.broken(stored)
        yield from self._newest_deliveries(stored)
        yield from self._decisions(stored)
        yield from (f"{item['entry']} was never sent" for item in stored.items(keys.NOTICE))
        yield from self._told()

    def _newest_deliveries(self, stored: invariants.Stored) -> Iterator[str]:
        if not [*stored.items(keys.WINNER)]:
            return
        good = [each for each in self.landed if each[0] == "inference" and each[2] not in self.bad]
        for period in {period for _, period, _, _ in good}:
            newest = max(at for _, of, _, at in good if of == period)
            month = stored.months.get((GROUP, period), {"delivered": "nothing"})
            if month["delivered"] != newest:
                yield f"{period}: delivered was {newest}, the month is {month['delivered']}"

    def _decisions(self, stored: invariants.Stored) -> Iterator[str]:
        for key, body in self.published:
            if stored.work.get(f"reviewed/{key}") != body.encode():
                yield f"the decisions of sheet {key} are not kept"
        kept = [
            (item.modified, json.loads(line))
            for key, item in self.world.buckets.objects[WORK].items()
            if key.startswith("reviewed/") and key.endswith(".jsonl")
            for line in item.body.decode().splitlines()
        ]
        for versions in stored.versions.values():
            for version in versions:
                run = self.world.runs[version["run"]]
                if run.given["purpose"] == "inference":
                    known = [line for at, line in kept if at < run.began]
                    later = [line for at, line in kept if at >= run.began]
                    yield from invariants.decisions_last(stored, version, known, later)

    def _told(self) -> Iterator[str]:
        """Every failure is told once, but where the telling itself failed."""
        for run in self.world.runs.values():
            if run.status == "FAILED" and run.name not in self.untold:
                told = [
                    each
                    for each in self.world.notices
                    if each[1].endswith(run.name) and each[0] == "Operators"
                ]
                if len(told) != 1:
                    yield f"the failure of {run.name} was told {len(told)} times"


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)
