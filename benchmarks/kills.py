"""Kills processes of the demo at random moments, and looks at what becomes of the months.

    python -m benchmarks.kills --seed 1 --times 10 --groups 1

The story is the demo's (infra/local/two_months.py), with real jobs but fewer rows. Nobody is killed in the
first one: it says how the others must end. In each of the others KILLS processes get a SIGKILL: that of a
job, the warm process that all jobs are forked from, or that of a function. The seed says which, such as
that of the second job that publishes, and when, as a share of the time it took when nobody was killed; so
it hits about the same in another run. Before each step of the story what `labelmill failures` lists is
started again as by `labelmill retry`, until nothing is listed. At the end the invariants must hold
(tests/invariants.py), no run failed but those whose jobs were killed, people were told of each once, by a
sentence that names the job, and labels, decisions, models and winners are those of the story in which
nobody was killed. Only where a trial of a search was killed may models be others: the search goes on
without it, as SageMaker's does.

The server itself is not killed: it holds all that AWS keeps in services, and nothing of AWS dies like that.
Messages that a function did not take come back after seconds, not after the minutes of the template. The
table is for docs/faults.md. Linux only, as processes are looked for in /proc.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from infra.local.delivery import LONG_POLL_SECONDS
from infra.local.executions import failed_job
from infra.local.stack import LocalStack
from infra.local.two_months import CHANGING, MONTHS, two_months
from pipelines.failures import listing
from pipelines.failures.failure import Stack
from pipelines.ledger import keys
from pipelines.names import parse_run
from tests import invariants

#: Labelled rows by the end of each month. With much fewer, the first model sends nearly every item to review.
ROWS = {"2026-09": 1500, "2026-10": 2200}
#: How long a step of the story may take before something is held to hang.
PATIENCE_SECONDS = 300
#: Processes killed in each story.
KILLS = 5
VISIBILITY_SECONDS = 5
LOOK_EVERY_SECONDS = 0.005
#: A function takes about so long for an event.
EVENT_SECONDS = 0.2
WARM, FUNCTION = "warm process", "function"
#: Of ten kills so many are of a job, the warm process, a function.
WEIGHTS = (6, 1, 3)
#: Columns of labels that are of a run, not of an item.
OF_RUN = ("run", "model", "dataset", "labelled_at", "decided_at")


@dataclass(frozen=True)
class Kill:
    """What is killed, and when.

    Attributes:
        what: a step, for the process of such a job; WARM or FUNCTION.
        number: when the so-many-th such job begins, any job for WARM, or so many events have been taken.
        share: of the usual time of that job or event, in [0, 1); so long after its beginning.
    """

    what: str
    number: int
    share: float


@dataclass
class Seen:
    """Processes that worked: seconds that jobs took, by name, and how many events reached functions.

    `killed` has the name of what was killed (a job, WARM or a function), and the jobs that died of it.
    """

    jobs: dict[str, float] = field(default_factory=dict)
    events: int = 0
    killed: list[tuple[str, list[str]]] = field(default_factory=list)


@dataclass
class Told:
    """One story: what was killed, with how the work went on, and what does not hold."""

    seed: int
    killed: list[tuple[str, str]]
    broken: list[str]
    seconds: float


class Watcher(threading.Thread):
    """Sees the processes of a stack begin and end, and kills some of them; `usual` seconds are by step."""

    def __init__(self, server: int, kills: Iterable[Kill], usual: Mapping[str, float]):
        super().__init__(daemon=True)
        self.seen = Seen()
        self._server, self._kills, self._usual = server, list(kills), usual
        self._left = threading.Event()
        self._warm = 0
        self._functions: dict[int, str] = {}
        self._began: dict[int, tuple[str, float]] = {}
        self._read: dict[int, tuple[int, float]] = {}
        self._due: list[tuple[float, str]] = []

    def stop(self) -> None:
        self._left.set()
        self.join()

    def run(self) -> None:
        found = 0.0
        while not self._left.wait(LOOK_EVERY_SECONDS):
            if time.monotonic() > found + 0.1:
                self._find()
                found = time.monotonic()
            self._look_at_jobs()
            self._look_at_functions()
            for due in [due for due in self._due if time.monotonic() >= due[0]]:
                if self._shoot(due[1]):
                    self._due.remove(due)

    def _find(self) -> None:
        """The warm process and those of functions, which may be others than before."""
        commands = {pid: _text(pid, "cmdline") for pid in children(self._server)}
        self._warm = next((pid for pid in commands if "sagemaker.forkserver" in commands[pid]), 0)
        self._functions = {
            pid: command.strip("\0").split("\0")[-1].split(".")[-2]
            for pid, command in commands.items()
            if "function_worker.py" in command
        }

    def _look_at_jobs(self) -> None:
        now, running = time.monotonic(), children(self._warm)
        for pid in self._began.keys() - running:
            name, began = self._began.pop(pid)
            self.seen.jobs[name] = now - began
        for pid in sorted(running - self._began.keys()):
            if name := _job_of(pid):
                self._began[pid] = name, now
                self.seen.jobs[name] = 0.0
                doing, usual = step(name), self._usual.get(step(name), 1.0)
                self._begins(doing, sum(step(job) == doing for job in self.seen.jobs), usual)
                self._begins(WARM, len(self.seen.jobs), usual)

    def _look_at_functions(self) -> None:
        """Bytes that a process reads, of its code or an event, are the sign that it works."""
        now = time.monotonic()
        for pid in self._functions:
            count = int((re.findall(r"rchar: (\d+)", _text(pid, "io")) or ["0"])[0])
            before, last = self._read.get(pid, (0, 0.0))
            if count > before:
                self._read[pid] = count, now
                if now - last > 2 * EVENT_SECONDS:
                    self.seen.events += 1
                    self._begins(FUNCTION, self.seen.events, EVENT_SECONDS)

    def _begins(self, what: str, number: int, seconds: float) -> None:
        self._due += [
            (time.monotonic() + kill.share * seconds, kill.what)
            for kill in self._kills
            if (kill.what, kill.number) == (what, number)
        ]

    def _shoot(self, what: str) -> bool:
        """Kill the process of that kind that began last; False where there is none at this moment."""
        jobs = {pid: name for pid, (name, _) in self._began.items()}
        if what == FUNCTION:
            pid = max(self._functions, key=lambda pid: self._read.get(pid, (0, 0.0))[1], default=0)
            name, lost = self._functions.get(pid, ""), list[str]()
        elif what == WARM:
            pid, name, lost = self._warm if jobs else 0, WARM, list(jobs.values())
        else:
            pid = next((pid for pid in reversed(jobs) if step(jobs[pid]) == what), 0)
            name = jobs.get(pid, "")
            lost = [name]
        if not pid:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.seen.killed.append((name, lost))
        return True


def children(pid: int) -> set[int]:
    """The processes that a process has started and that have not ended."""
    found = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found |= {int(child) for child in path.read_text().split()}
    return found


def step(job: str) -> str:
    """What a job does, by its name: `prepare`, `transform`, ..., `trial` (of a search) or `train`."""
    state = job.split("-")[-2]  # or the trial's number, or the month
    if state.isalpha():
        return state
    return "trial" if len(state) == len("001") else "train"


def _job_of(pid: int) -> str:
    """The job whose log a process writes; empty as long as it has not become one."""
    with suppress(OSError):
        log = Path(os.readlink(f"/proc/{pid}/fd/1"))
        return log.parent.name if log.name == "log.txt" else ""
    return ""


def _text(pid: int, name: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text()
    return ""


def tell(
    folder: Path, groups: list[str], kills: Iterable[Kill] = (), usual: Mapping[str, float] | None = None
) -> tuple[Seen, dict[str, object], list[str]]:
    """The story once: what was seen, how it ended (empty where it did not), what does not hold."""
    end: dict[str, object] = {}
    broken: list[str] = []
    shutil.rmtree(folder, ignore_errors=True)
    with LocalStack(folder) as stack:
        _hasten(stack)
        watcher = Watcher(stack.pid, kills, usual or {})
        watcher.start()
        try:
            two_months(stack, lambda _: by_the_runbook(stack), lambda _: None, dict.fromkeys(groups, ROWS))
            stored = invariants.of_stack(stack.client, stack.names)
        except Exception as error:
            broken.append(f"{type(error).__name__}: {error}")
        else:
            broken += invariants.broken(stored)
            broken += [f"still listed: {name}" for name in stored.failures]
            end = end_of(stored)
        watcher.stop()
    broken += not_told(folder, failed_runs(folder), watcher.seen.killed)
    return watcher.seen, end, broken


def _hasten(stack: LocalStack) -> None:
    """Let messages that a function did not take come back soon."""
    sqs = stack.client("sqs")
    for name in ("TrainingQueueUrl", "InferenceQueueUrl", "UnloadQueueUrl"):
        sqs.set_queue_attributes(
            QueueUrl=stack.names[name], Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        )
    # Who waits for messages already would give them the old timeout, of up to 15 minutes.
    time.sleep(LONG_POLL_SECONDS)


def by_the_runbook(stack: LocalStack) -> None:
    """Start again what is listed as not done, until nothing is."""
    for _ in range(KILLS + 1):  # each of them may hit what was started again
        stack.wait_until_quiet(PATIENCE_SECONDS)
        with listing.opened(Stack(stack.names, stack.client), datetime.now(UTC)) as found:
            for failure in found:
                if not parse_run(failure.name):
                    raise AssertionError(f"no run, but listed: {failure}")
                failure.retry()
        if not found:
            return
    raise AssertionError(f"fails for ever: {found}")


def end_of(stored: invariants.Stored) -> dict[str, object]:
    """What people file in the end, without names and times of runs, as JSON would have it."""
    end = {
        f"labels of {group} {period}": [
            {name: value for name, value in row.items() if name not in OF_RUN} for row in stored.labels(month)
        ]
        for (group, period), month in stored.months.items()
    }
    digests = {item["model"]: item["artefact_digest"] for item in stored.items(keys.MODEL)}
    end["models"] = sorted(digests.values())
    end["winners"] = {item["group"]: digests[item["model"]] for item in stored.items(keys.WINNER)}
    decisions = stored.items(keys.DECISION)
    end["decisions"] = sorted([item["group"], item["verdict"], item["score"]] for item in decisions)
    return json.loads(json.dumps(end))


def failed_runs(folder: Path) -> dict[str, str]:
    """The runs that did not succeed, each with the job it failed with, if any."""
    records = [json.loads(path.read_text()) for path in (folder / "executions").glob("*/*.json")]
    return {
        record["name"]: failed_job(record["history"]) or ""
        for record in records
        if record["status"] != "SUCCEEDED"
    }


def not_told(folder: Path, failed: Mapping[str, str], killed: Sequence[tuple[str, list[str]]]) -> list[str]:
    """What failed without a kill, and what people were not told of once, with the job and what ended it."""
    mails = [path.read_text() for path in (folder / "mailbox").glob("*-labelmill-operators-*.txt")]
    shot = {name for name, _ in killed}
    lost = {job for _, jobs in killed for job in jobs}
    missing = []
    for run, job in failed.items():
        if job not in lost:
            missing.append(f"{run} failed, but nothing of {job} was killed")
        about = [mail for mail in mails if re.search(rf"^Subject: \w+ failed: {run}$", mail, re.MULTILINE)]
        if len(about) != 1:
            missing.append(f"{run}: told {len(about)} times that it failed")
        elif job not in about[0]:
            missing.append(f"{run}: the notice does not name the job {job}")
        elif job in shot and step(job) != "transform" and f"Job {job} was killed" not in about[0]:
            missing.append(f"{run}: the notice does not say that {job} was killed")
    if len(mails) > len(failed):
        missing.append(f"operators got {len(mails)} messages about {len(failed)} failed runs")
    return missing


def differences(
    end: Mapping[str, object], plain: Mapping[str, object], killed: Sequence[tuple[str, list[str]]]
) -> list[str]:
    """What has ended otherwise than when nobody was killed, and may not."""
    if any(step(job) == "trial" for _, jobs in killed for job in jobs):
        end, plain = ({name: _size(value) for name, value in each.items()} for each in (end, plain))
    return [f"other {name}" for name in sorted(plain.keys() | end.keys()) if end.get(name) != plain.get(name)]


def _size(value: object) -> int:
    return len(value) if isinstance(value, list | dict) else 1


def plan(seed: int, plain: Seen) -> list[Kill]:
    """What a seed kills."""
    chance = random.Random(seed)
    doing = Counter(step(job) for job in plain.jobs)
    counts = doing | {WARM: len(plain.jobs), FUNCTION: plain.events}
    kills = []
    for _ in range(KILLS):
        kinds = [chance.choice(sorted(doing)), WARM, FUNCTION]
        [what] = chance.choices(kinds, WEIGHTS)
        kills.append(Kill(what, chance.randint(1, counts[what]), chance.random()))
    return kills


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--times", type=int, default=10, help=f"how many stories, each with {KILLS} kills")
    parser.add_argument("--groups", type=int, default=1, choices=range(1, len(MONTHS) + 1), help="how many")
    parser.add_argument(
        "--kept", type=Path, default=Path("build/kills"), help="where broken stories are kept"
    )
    args = parser.parse_args()
    groups = sorted(MONTHS, key=lambda group: group != CHANGING)[: args.groups]
    plain, plain_end, broken = tell(args.kept / "nobody", groups)
    print(f"nobody is killed: {len(plain.jobs)} jobs, {plain.events} events", flush=True)
    if broken:
        raise SystemExit(f"a story in which nobody was killed does not hold: {broken}")
    usual = {step(name): seconds for name, seconds in plain.jobs.items()}
    told = []
    for seed in range(args.seed, args.seed + args.times):
        started, folder = time.monotonic(), args.kept / str(seed)
        seen, end, broken = tell(folder, groups, plan(seed, plain), usual)
        broken += differences(end, plain_end, seen.killed)
        failed = set(failed_runs(folder).values())
        killed = [(name, "fails" if failed & set(jobs) else "goes on") for name, jobs in seen.killed]
        told.append(Told(seed, killed, broken, time.monotonic() - started))
        print(json.dumps(asdict(told[-1])), flush=True)
        if not broken:
            shutil.rmtree(folder)
    print(table(told))


def table(told: list[Told]) -> str:
    """How often each was killed, and what became of its run."""
    counts = Counter((_kind(name), became) for one in told for name, became in one.killed)
    broken = sum(bool(one.broken) for one in told)
    lines = [f"{len(told)} stories, {counts.total()} kills; {broken} stories do not end as they should.", ""]
    lines += ["| killed | times | goes on | fails |", "| --- | --- | --- | --- |"]
    for kind in sorted({kind for kind, _ in counts}):
        goes_on, fails = counts[kind, "goes on"], counts[kind, "fails"]
        lines.append(f"| {kind} | {goes_on + fails} | {goes_on} | {fails} |")
    return "\n".join(lines)


def _kind(killed: str) -> str:
    if killed == WARM:
        return killed
    return f"job: {step(killed)}" if "-" in killed else f"function: {killed}"


if __name__ == "__main__":
    main()
