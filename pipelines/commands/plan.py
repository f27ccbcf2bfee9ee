"""`labelmill plan`: what a month will cost and when it will be done, before it runs."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.display import lines
from pipelines.commands.shared import Subparsers, print_table
from pipelines.plan.quotas import PLANNED
from processing.policy import MOST_TRIALS
from processing.words import counted

if TYPE_CHECKING:
    from pipelines.plan.groups import ModelGroup
    from pipelines.plan.month import Part, Plan
    from pipelines.plan.prices import Prices
    from pipelines.plan.usage import Settings

#: What the system was asked to stay under, at full scale.
AIMS = {"inference": "2.00 USD/M items", "retraining": "25.00 USD/month"}
EPILOG = """\
Without --groups it plans the full scale: 38 countries, 60 model groups, 3.3 million items a month, of
synthetic sizes. Jobs are read from the state machines' definitions, instance types from the template, prices
from pipelines/plan/prices.json (docs/cost.md says how sure they are).

Examples:
  labelmill plan
  labelmill plan --groups groups.csv --instance ml.m5.large --spot --quota 20
  labelmill plan --against .labelmill/demo
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `plan` to the command line."""
    parser = subparsers.add_parser(
        "plan",
        description="Compute a month's jobs, hours, cost and end before it runs. Calls no service.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--groups", type=Path, metavar="FILE", help="CSV: group, items, training_rows and, if set, trials"
    )
    parser.add_argument("--rows", type=_count, metavar="N", help="items a month, over all groups")
    parser.add_argument(
        "--quota",
        type=_count,
        default=PLANNED,
        metavar="N",
        help="jobs of each kind at once (default: %(default)s)",
    )
    parser.add_argument(
        "--spot", action=argparse.BooleanOptionalAction, help="tune on Spot (default: as the definitions say)"
    )
    parser.add_argument(
        "--trials",
        type=_trials,
        default=0,
        metavar="N",
        help="of every search (default: as each policy has it)",
    )
    parser.add_argument("--instance", metavar="TYPE", help="for all jobs (default: as the template says)")
    parser.add_argument("--region", default="eu-central-1", help="(default: %(default)s)")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FOLDER",
        help="instead, a finished local run beside what is planned of it",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=_run)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**12:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0. Fix: write one like 20")
    return int(text)


def _trials(text: str) -> int:
    if _count(text) > MOST_TRIALS:
        raise argparse.ArgumentTypeError(
            f"{text} are more than a policy may ask for. Fix: write at most {MOST_TRIALS}"
        )
    return int(text)


def _run(args: argparse.Namespace) -> int:
    from pipelines.plan import groups as model_groups
    from pipelines.plan import prices as price_file
    from pipelines.plan.errors import PlanError
    from pipelines.plan.month import plan
    from pipelines.plan.standing import default_instances
    from pipelines.plan.usage import Settings

    try:
        groups = model_groups.read(args.groups) if args.groups else model_groups.full_scale()
        groups = model_groups.scaled(groups, args.rows) if args.rows else groups
        prices = price_file.load(args.region)
        instances = default_instances()
        if args.instance:
            instances = dict.fromkeys(instances, args.instance)
        settings = Settings(instances, args.spot, args.trials)
        if args.against:
            return _show_against(args.against, settings, args.json)
        made = plan(groups, settings, prices, args.quota)
    except PlanError as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(_as_json(args, groups, settings, prices, made), indent=2))
    else:
        _show(args, groups, settings, prices, made)
    return 1 if made.failed else 0


def _show_against(folder: Path, settings: Settings, as_json: bool) -> int:
    """Print a finished run beside its plan. Raises PlanError."""
    from pipelines.plan.measured import against

    figures = against(folder, settings)
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures], indent=2))
        return 0
    cells = [
        (
            figure.what,
            f"{figure.measured:,.10g}",
            f"{figure.planned:,.10g}",
            _ratio(figure.measured, figure.planned),
        )
        for figure in figures
    ]
    print_table(("of the runs that succeeded", "measured", "planned", "ratio"), cells)
    print()
    print(
        lines(
            "Seconds are by this run's clock; planned ones are one core's for the rows alone. Each job also "
            "takes about a second to start here, most of it in a small run; that AWS starts a machine for "
            "each, only the plan of a month counts."
        )
    )
    return 0


def _ratio(measured: float, planned: float) -> str:
    return f"{measured / planned:.2f}" if planned else ""


def _as_json(
    args: argparse.Namespace, groups: list[ModelGroup], settings: Settings, prices: Prices, made: Plan
) -> dict[str, Any]:
    from pipelines.plan.definitions import capacity_wait
    from pipelines.plan.samples import samples

    items = sum(group.items for group in groups)
    return {
        "groups": len(groups),
        "items": items,
        "synthetic_sizes": not args.groups,
        "region": prices.region,
        "quota": args.quota,
        "instances": settings.instances,
        **asdict(made),
        "dollars": made.dollars,
        "year_dollars": made.year_dollars,
        "dollars_per_million_items": {name: _per_million(part, items) for name, part in made.parts.items()},
        "samples": [asdict(sample) for sample in samples(groups)],
        "waits_for_machines": asdict(capacity_wait("training")),
        "prices_as_of": prices.as_of,
        "sources": prices.sources,
    }


def _people(groups: list[ModelGroup]) -> str:
    """What it takes to look at a blind sample of each group."""
    from pipelines.plan.samples import SECONDS_AN_ITEM, samples
    from processing.labels.audit import EACH, WIDTH

    drawn = samples(groups)
    most = max(drawn, key=lambda sample: sample.rows)
    return (
        f"To know within {100 * WIDTH:g} points how many labels of each group are right (labelmill review "
        f"sample): {counted(sum(sample.rows for sample in drawn), 'item')} a month, "
        f"{sum(sample.minutes for sample in drawn) / 60:.1f} hours at {SECONDS_AN_ITEM} seconds an item; of "
        f"{most.group} {counted(most.rows, 'item')}, {most.minutes:.0f} minutes. Rare codes add up to {EACH} "
        "items each."
    )


def _per_million(part: Part, items: int) -> float:
    return part.dollars * 1e6 / items


def _show(
    args: argparse.Namespace, groups: list[ModelGroup], settings: Settings, prices: Prices, made: Plan
) -> None:
    from pipelines.plan.definitions import capacity_wait

    items = sum(group.items for group in groups)
    sizes = f"sizes from {args.groups}" if args.groups else "synthetic sizes"
    print(
        lines(
            f"{counted(len(groups), 'model group')}, {counted(items, 'item')} a month ({sizes}), "
            f"{prices.region}"
        )
    )
    machines = ", ".join(
        f"{name.removesuffix('InstanceType')} {kind}" for name, kind in settings.instances.items()
    )
    print(lines(f"{machines}; at most {args.quota} instances at once for each kind of job"))
    print()

    cells = []
    for name, part in made.parts.items():
        done = f"{part.finished_hours:.1f} h ({part.last_group})" if part.last_group else "never"
        hours, dollars = f"{part.instance_hours:.1f}", f"{part.dollars:.2f}"
        per_million = f"{_per_million(part, items):.2f}"
        cells.append((name, f"{part.jobs:,}", hours, dollars, per_million, AIMS[name], done))
    cells.append(("standing", "", "", f"{made.standing_dollars:.2f}", "", "", ""))
    refusals = f"{made.refusals:,} requests refused"
    cells.append(("waiting for quotas", "", "", f"{made.waiting_dollars:.2f}", "", "", refusals))
    cells.append(("all", "", "", f"{made.dollars:.2f}", "", "", ""))
    print_table(("part", "jobs", "hours", "USD/month", "USD/M items", "target", "done after"), cells)
    print()
    print(
        lines(
            f"A year of such months: {made.year_dollars:.2f} USD. Each adds {made.stored_gb:.1f} GB that "
            f"stay ({made.storage_dollars:.2f} USD a month)."
        )
    )
    if made.alone_hours is not None:
        print(
            lines(
                "Where both want the same quota, labels ask for it more often. Without any retraining, "
                f"inference would be done after {made.alone_hours:.1f} h."
            )
        )
    lacking = capacity_wait("training")
    print(
        lines(
            f"When SageMaker has no machine for a job, a run waits {lacking.shortest_seconds // 60} to "
            f"{lacking.longest_seconds // 60} minutes and tries again, {lacking.tries} times in all and at "
            f"most {lacking.longest_hours:.0f} hours; that is not in the hours above."
        )
    )
    print(lines(_people(groups)))
    for name, reason in made.failed.items():
        print(lines(f"NOT DONE: {name}: {reason}"))

    levers = [
        (
            lever.name,
            f"{lever.costs_without:.2f} in use" if lever.saves is None else f"{lever.saves:.2f}",
            lever.note,
        )
        for lever in made.levers
    ]
    print()
    print_table(("lever", "saves USD/month", "note"), levers)
    print()
    print(
        lines(
            f"Prices as of {prices.as_of}, copied by hand; not verified: {prices.unverified} of them. "
            "Sources:"
        )
    )
    for name, source in prices.sources.items():
        print(lines(f"  {name} ({source['date']}): {source['where']}"))
