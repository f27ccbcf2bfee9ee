"""Plays histories of the simulation (tests/simulation/histories.py) by the thousand, and counts.

    python -m benchmarks.histories --first 0 --count 10000

Every broken one is printed with its seed. The tests play a few hundred of them. What has been played is kept
in a file, so that a run that was stopped goes on where it was. The table is for docs/faults.md.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.simulation.histories import history, play

AT_ONCE = 50


def played(first: int) -> dict[str, list[object]]:
    """What AT_ONCE histories from the seed `first` on met, as lists of words, and the broken ones."""
    met: dict[str, list[object]] = {"broken": [], "faults": [], "actions": [], "ends": []}
    for seed in range(first, first + AT_ONCE):
        told = play(history(seed))
        met["faults"] += [kind for _, _, kind in told.faults_met]
        met["actions"] += [action.name for action in told.plan]
        met["ends"] += [line.split(" ends: ")[1].split()[0] for line in told.happened if " ends: " in line]
        if told.broken:
            met["broken"].append([seed, told.broken[0]])
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=10_000, help="how many")
    parser.add_argument("--kept", type=Path, default=Path("build/histories.jsonl"), help="what was played")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    args = parser.parse_args()
    args.kept.parent.mkdir(parents=True, exist_ok=True)
    kept = dict(_kept(args.kept))
    wanted = range(args.first, args.first + args.count, AT_ONCE)
    left = [first for first in wanted if first not in kept]
    with ProcessPoolExecutor(args.processes) as processes, args.kept.open("a", encoding="utf-8") as file:
        for first, met in zip(left, processes.map(played, left), strict=True):
            kept[first] = met
            print(json.dumps([first, met]), file=file, flush=True)
            for broken in met["broken"]:
                print(broken, flush=True)
    _table(args.first, [kept[first] for first in wanted])


def _kept(path: Path) -> Iterator[tuple[int, dict[str, list[object]]]]:
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            first, met = json.loads(line)
            yield first, met


def _table(first: int, met: list[dict[str, list[object]]]) -> None:
    last = (len(met) * AT_ONCE) + first - 1
    print(f"| seeds {first} to {last} | |\n| --- | --- |")
    print(f"| histories | {len(met) * AT_ONCE} |")
    print(f"| with a broken invariant | {sum(len(each['broken']) for each in met)} |")
    for name, title in {"ends": "executions", "faults": "faults", "actions": "actions"}.items():
        counts = Counter(word for each in met for word in each[name])
        listed = ", ".join(f"{word} {count}" for word, count in counts.most_common())
        print(f"| {title}: {sum(counts.values())} | {listed} |")


if __name__ == "__main__":
    main()
