"""What happens in the demo: two months for three model groups, and a change of codes between them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from infra.local import reviewer
from infra.local.schedules import fire
from infra.local.stack import LocalStack
from infra.local.warehouse_samples import load
from infra.samples import generate
from infra.samples.deliver import publish

#: Labelled rows that have arrived by the end of each month, by group.
Rows = Mapping[str, Mapping[str, int]]
MONTHS: Rows = {
    "DE-weee": {"2026-09": 1800, "2026-10": 5000},
    "IT-weee": {"2026-09": 4000, "2026-10": 4200},
    "FR-packaging": {"2026-09": 1500, "2026-10": 5000},
}
#: Items to label in a month: how many, and how far behind the labelled rows they start. Most come twice.
NEW_ITEMS = 2000
FIRST_NEW_ITEM = {"2026-09": 0, "2026-10": 400}
#: The group whose codes change on the first day of the second month, and how many items a person decides on.
CHANGING, DECISIONS = "FR-packaging", 60
#: Runs of a group in both months together; the second month tests the winner beside the challenger.
RUNS = {"training": 2, "test": 3, "comparison": 2, "inference": 2}
#: A group that changes its model for a whole point only.
POLICIES = {"IT-weee": {"min_gain": 0.01}}
#: The split code's rows, one in fifteen, are set aside as expected: nobody is there to be asked about them.
SPLIT_POLICY = {"set_aside": 0.1}


def two_months(
    stack: LocalStack,
    until_ended: Callable[[Mapping[str, str]], None],
    say: Callable[[str], None],
    months: Rows = MONTHS,
) -> None:
    """Fire the schedules of both months, and wait for what comes of them before the next step.

    `until_ended` waits: it is given the purpose of a run for each group, as `Follower.until_ended` is. The
    groups of `months` take part; CHANGING is one of them.
    """

    def follow(purpose: str, groups: Iterable[str] = months) -> None:
        until_ended(dict.fromkeys(groups, purpose))

    for group in months:
        publish(stack, generate.codebook(group, "2026-09") | {"policy": POLICIES.get(group, {})})
        _label(stack, group, "2026-09", months[group])
    say("\n2026-09 is over: its schedule orders datasets for training from the warehouse")
    fire(stack.client, "labelmill-training", datetime(2026, 10, 1, 4, tzinfo=UTC))
    for group in months:  # while the jobs run; statements ask for a month
        _label(stack, group, "2026-10", months[group])
        for month in FIRST_NEW_ITEM:
            load(stack, group, month, _first_new(months[group], month), NEW_ITEMS, labelled=False)
    follow("comparison")
    say("\n2026-09: the other schedule orders the items sold, to be labelled by the winners")
    fire(stack.client, "labelmill-inference", datetime(2026, 10, 3, 4, tzinfo=UTC))
    follow("inference")

    publish(stack, generate.changed_codebook(CHANGING, "2026-10", "2026-10-01") | {"policy": SPLIT_POLICY})
    say(f"\n2026-10 is over; a code of {CHANGING} was renamed, one was split; the items sold are ordered")
    fire(stack.client, "labelmill-inference", datetime(2026, 11, 1, 4, tzinfo=UTC))
    follow("inference")
    say(f"\n2026-10: {CHANGING}: a synthetic reviewer decides on {DECISIONS} items of the review sheet")
    say(_review(stack, months[CHANGING]))
    follow("review", [CHANGING])
    say("\n2026-10: training datasets are ordered; the reviewer's decisions are learned from as well")
    fire(stack.client, "labelmill-training", datetime(2026, 11, 3, 4, tzinfo=UTC))
    follow("comparison")
    stack.wait_until_quiet(timeout_seconds=60)


def planned(months: Rows = MONTHS) -> dict[str, dict[str, int]]:
    """How many runs of each purpose each group will have."""
    return {group: RUNS | ({"review": 1} if group == CHANGING else {}) for group in months}


def _label(stack: LocalStack, group: str, month: str, rows: Mapping[str, int]) -> None:
    """Let the warehouse know the codes that have become known in the month."""
    known = [count for period, count in rows.items() if period <= month]
    start = known[-2] if len(known) > 1 else 0
    load(stack, group, month, start, known[-1] - start, labelled=True)


def _first_new(rows: Mapping[str, int], month: str) -> int:
    return rows["2026-10"] + FIRST_NEW_ITEM[month]


def _review(stack: LocalStack, rows: Mapping[str, int]) -> str:
    """Export the month's review sheet, fill in the true codes of its first items, import it."""
    start = _first_new(rows, "2026-10")
    items = generate.items(CHANGING, start, NEW_ITEMS, labelled=True, changed=True)
    codes = {item["item_id"]: item["label"] for item in items}
    sheet = stack.folder / f"review-{CHANGING}-2026-10.csv"
    return reviewer.review(stack, CHANGING, "2026-10", sheet, codes, DECISIONS)
