"""Changes the code in one place at a time, at random from a seed, and says which change no test notices.

    nice -n 19 .venv/bin/python -m benchmarks.mutants handlers ledger --most 30 --seed 1

Each mutant is planted in a copy of the tree; the tests of its area run until one fails, in a process of their
own. State builders are compiled and the definitions tested; what compiles to the same bytes is no mutant.
`definitions` changes retries, Catches, timeouts and consistent reads in what is compiled. A test that hangs
notices. The table is in CONTRIBUTING.md.
"""

import argparse
import contextlib
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.code_mutants import mutants_of_code, mutants_of_definition

ROOT = Path(__file__).parents[1]
#: What a process of tests would import first; most of a short test's time.
IMPORTED = (
    *(
        "pytest",
        "hypothesis",
        "pandas",
        "pyarrow.parquet",
        "sklearn.linear_model",
        "scipy.stats",
        "boto3",
        "openpyxl",
    ),
    *(
        "jsonschema",
        "moto",
        "moto.dynamodb",
        "moto.s3",
        "moto.sns",
        "moto.sqs",
        "moto.events",
        "rich.console",
    ),
    *("moto.stepfunctions.parser.asl.parse.asl_parser", "moto.stepfunctions.parser.models", "moto.server"),
)
LONGEST_SECONDS = 900
#: What notices a state builder that fails.
COMPILING = "compiling"

FLOWS = "tests/pipelines/machines/test_"
#: The tests that judge any definition, then those of one machine.
OF_DEFINITIONS = [f"{FLOWS}{name}.py" for name in ("tries_and_catches", "requests", "graph_checks")]
OF_MACHINES = {
    "training": ["training_machine", "kept_notices", "capacity", "tampering"],
    "inference": ["inference_machine", "one_month_many_runs", "kept_notices", "capacity", "tampering"],
    "comparison": [
        "comparison_machine",
        "approval",
        "switching_winners",
        "kept_notices",
        "capacity",
        "tampering",
    ],
}


@dataclass(frozen=True)
class Area:
    """Files that are changed, and the test files that should notice."""

    files: tuple[str, ...]
    tests: tuple[str, ...] = ()


AREAS = {
    "definitions": Area(("pipelines/definitions/*.asl.json",)),
    "state builders": Area(("pipelines/machines/*.py",)),
    "handlers": Area(
        ("pipelines/handlers/*.py", "pipelines/executions.py", "pipelines/runs.py"),
        (
            *("tests/pipelines/handlers", "tests/pipelines/test_executions.py"),
            *("tests/pipelines/test_consistent_reads.py", "tests/pipelines/review/test_review.py"),
        ),
    ),
    "ledger": Area(
        (
            *("pipelines/ledger/*.py", "pipelines/commands/models.py"),
            *("pipelines/commands/approval.py", "pipelines/commands/groups.py"),
        ),
        (
            *(
                f"tests/pipelines/ledger/test_{name}.py"
                for name in ("keys", "models_command", "groups_command")
            ),
            *(f"{FLOWS}{name}.py" for name in ("approval", "switching_winners")),
            *("tests/pipelines/test_consistent_reads.py", "tests/pipelines/failures"),
            *("tests/test_undecided_models.py", "tests/pipelines/report/test_pages.py"),
            *("tests/pipelines/machines/test_compiled.py", "tests/inference/test_explain_command.py"),
        ),
    ),
    "failures": Area(
        ("pipelines/failures/*.py", "pipelines/commands/retry.py"), ("tests/pipelines/failures",)
    ),
    "review": Area(("pipelines/review/*.py", "pipelines/commands/review*.py"), ("tests/pipelines/review",)),
    "reconciliation and verdict": Area(
        ("processing/labels/*.py", "processing/verdict/*.py", "processing/amend.py", "processing/policy.py"),
        (
            *(
                "tests/processing/test_publish_labels.py",
                "tests/processing/test_amend.py",
                "tests/processing/test_decisions_last.py",
                "tests/processing/test_rows_set_aside.py",
                "tests/processing/test_empty_month.py",
            ),
            *("tests/processing/labels", "tests/processing/verdict", "tests/processing/month"),
            *("tests/processing/test_compare_models.py", "tests/pipelines/report/test_pages.py"),
        ),
    ),
    "processing": Area(
        ("processing/*.py", "processing/codes/*.py", "processing/dataset/*.py", "processing/month/*.py"),
        ("tests/processing",),
    ),
    "training and inference": Area(
        ("training/**/*.py", "inference/*.py"), ("tests/training", "tests/inference")
    ),
    "stand-ins": Area(("infra/local/**/*.py",), ("tests/infra/local",)),
}


@dataclass(frozen=True)
class Planted:
    """A file of the copy with another text."""

    name: str
    path: str
    text: str


def candidates(area: str) -> Iterator[Planted]:
    """Every mutant of the area's files."""
    paths = sorted({path for pattern in AREAS[area].files for path in ROOT.glob(pattern)})
    for path in paths:
        where = str(path.relative_to(ROOT))
        if path.suffix == ".json":
            for name, changed in mutants_of_definition(json.loads(path.read_text())):
                yield Planted(f"{where} {name}", where, json.dumps(changed))
        else:
            for mutant in mutants_of_code(path.read_text()):
                yield Planted(f"{where}:{mutant.name}", where, mutant.text)


class Copy:
    """The tree in a folder of its own, in which one file at a time is another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(lambda name: (ROOT / name).exists(), listed.stdout.splitlines()):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self._ages = itertools.count(1)  # Python takes bytecode for fresh by the source's time and size

    @contextlib.contextmanager
    def changed(self, path: str, text: str) -> Iterator[None]:
        file = self.folder / path
        as_it_was = file.with_name(f"{file.name}.kept")
        shutil.copy2(file, as_it_was)
        file.write_text(text)
        age = next(self._ages)
        os.utime(file, (age, age))
        try:
            yield
        finally:
            as_it_was.replace(file)

    def fails(self, test: str) -> bool:
        """Whether a test file or folder fails in a process that has imported what others have written."""
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                self._run(test)
            except BaseException:
                traceback.print_exc()
            finally:  # the parent's clean-up is not the child's
                os._exit(1)
        until = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < until:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status != 0
            time.sleep(0.05)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return True

    def _run(self, test: str) -> None:
        os.chdir(self.folder)
        os.environ |= {"PYTHONPATH": str(self.folder), "CI": "1"}
        sys.path[:] = [str(self.folder), *(each for each in sys.path if each not in ("", str(ROOT)))]
        for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "benchmarks")]:
            del sys.modules[name]
        output = os.open(self.folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        imported_before = "-Wignore::pytest.PytestAssertRewriteWarning"
        options = ["-x", "-q", "-p", "no:cacheprovider", imported_before]
        code = importlib.import_module("pytest").main([*options, test])
        sys.stdout.flush()
        os._exit(int(code))

    def compiled(self) -> dict[str, str] | None:
        """The definitions by machine as the copy's builders make them; None where they fail."""
        with tempfile.TemporaryDirectory() as made:
            done = subprocess.run(
                [ROOT / ".venv/sdk/bin/python", "-B", "-m", "pipelines.machines.compile", made],
                **{"cwd": self.folder, "capture_output": True},
            )
            files = {path.name.partition(".")[0]: path.read_text() for path in Path(made).iterdir()}
        return files if done.returncode == 0 else None


class Tests:
    """Runs test files until one fails: first those that noticed changes of the module, or name it most."""

    def __init__(self, copy: Copy) -> None:
        self.copy, self._noticed, self._whole = copy, Counter(), set()

    def first_to_fail(self, path: str, tests: list[str]) -> str | None:
        """The test file that fails now that a module, `path`, is changed."""
        stem = Path(path).stem

        def likely(test: str) -> tuple[int, int]:
            return self._noticed[path, test], (ROOT / test).read_text().count(stem)

        for test in sorted(tests, key=likely, reverse=True):
            if self.copy.fails(test):
                self._noticed[path, test] += 1
                return test
        return None

    def check(self, test: str) -> None:
        """Exit where a test file fails without a mutant as well."""
        if test not in self._whole and self.copy.fails(test):
            text = (self.copy.folder / "output.txt").read_text()
            raise SystemExit(f"{text}\n{test} fails without a mutant. Fix: mend it first.")
        self._whole.add(test)


def tests_of(area: str, machines: set[str]) -> list[str]:
    """An area's test files; of state builders, those of the machines whose definition is another."""
    if area == "definitions":
        return OF_DEFINITIONS
    if area == "state builders":
        flows = dict.fromkeys(name for machine in sorted(machines) for name in OF_MACHINES[machine])
        return [
            *OF_DEFINITIONS,
            *(f"{FLOWS}{name}.py" for name in flows),
            "tests/infra/test_template.py",
            "tests/test_training_flow.py",
        ]
    return [
        str(path.relative_to(ROOT))
        for test in AREAS[area].tests
        for path in ([ROOT / test] if test.endswith(".py") else sorted((ROOT / test).rglob("test_*.py")))
    ]


def noticed_by(area: str, mutant: Planted, copy: Copy, tests: Tests) -> str | None:
    """The test file that notices; None where none does, "" where the change is none: the same is compiled."""
    with copy.changed(mutant.path, mutant.text):
        if area != "state builders":
            return tests.first_to_fail(mutant.path, tests_of(area, set()))
        made = copy.compiled()
    if made is None:
        return COMPILING
    paths = {machine: f"pipelines/definitions/{machine}.asl.json" for machine in OF_MACHINES}
    others = {machine for machine, path in paths.items() if made[machine] != (ROOT / path).read_text()}
    if not others:
        return ""
    with contextlib.ExitStack() as stack:
        for machine in others:
            stack.enter_context(copy.changed(paths[machine], made[machine]))
        return tests.first_to_fail(mutant.path, tests_of(area, others))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)} (all)")
    parser.add_argument("--most", type=int, default=30, help="mutants an area (30)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if unknown := set(args.areas) - set(AREAS):
        parser.error(f"no such area: {', '.join(sorted(unknown))}. Fix: choose of {', '.join(AREAS)}.")
    for name in IMPORTED:
        importlib.import_module(name)
    print("| area | mutants | noticed |\n| --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        tests = Tests(copy)
        for area in args.areas or AREAS:
            _report(area, args, copy, tests)


def _report(area: str, args: argparse.Namespace, copy: Copy, tests: Tests) -> None:
    shuffled = list(candidates(area))
    random.Random(args.seed).shuffle(shuffled)
    tried, alive = 0, []
    for mutant in shuffled:
        if tried == args.most:
            break
        test = noticed_by(area, mutant, copy, tests)
        print(tried, mutant.name, "->", test, file=sys.stderr, flush=True)
        if test is None:
            alive.append(mutant.name)
            print(f"<!-- alive: {area}: {mutant.name} -->", flush=True)
        elif test not in ("", COMPILING):
            tests.check(test)
        tried += test != ""
    noticed = tried - len(alive)
    print(f"| {area} | {tried} | {noticed} ({noticed / tried:.1%}) |", flush=True)


if __name__ == "__main__":
    main()
