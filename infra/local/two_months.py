"""What happens in the demo: two months for three model groups, and a change of codes between them."""

from datetime import UTC, datetime

from infra.local import reviewer
from infra.local.samples import generate
from infra.local.samples.deliver import publish
from infra.local.samples.warehouse import load, order
from infra.local.schedules import fire

#: Labelled rows that have arrived by the end of each month.
MONTHS = {
    "DE-weee": {"2026-09": 1200, "2026-10": 5000},
    "IT-weee": {"2026-09": 4000, "2026-10": 4200},
    "FR-packaging": {"2026-09": 1500, "2026-10": 5000},
}
#: Items to label in a month: the number of the first, and how many.
NEW_ITEMS = {
    "DE-weee": {"2026-10": (5000, 3000)},
    "IT-weee": {"2026-10": (4200, 3000)},
    "FR-packaging": {"2026-09": (5000, 2000), "2026-10": (5000, 2400)},
}
#: The group whose codes change on the first day of the second month, and how many items a person decides on.
CHANGING, DECISIONS = "FR-packaging", 60


def two_months(stack, follower, say) -> bool:
    """Order the datasets of both months and follow what comes of them; True when every run succeeded."""
    others = [group for group in MONTHS if group != CHANGING]
    statuses = []

    def follow(goals: dict[str, str]) -> None:
        statuses.extend(follower.until_ended(goals).values())

    for group in MONTHS:
        publish(stack, generate.codebook(group, "2026-09"))
        _label(stack, group, "2026-09")
    say("\n2026-09: the month is over; the schedule orders datasets for training from the warehouse")
    fire(stack.client, "labelmill-training", datetime(2026, 10, 1, 2, tzinfo=UTC))
    for group in MONTHS:  # while the jobs run; statements ask for a month
        _label(stack, group, "2026-10")
        for month, (start, count) in NEW_ITEMS[group].items():
            load(stack, group, month, start, count, labelled=False)
    follow({CHANGING: "comparison"})
    say(f"\n2026-09: somebody orders the new items of {CHANGING}, to be labelled by its winner")
    order(stack, "inference", "2026-09", [CHANGING])
    follow(dict.fromkeys(others, "comparison") | {CHANGING: "inference"})

    say(f"\n2026-10: the codes of {CHANGING} change: one is renamed, one is split")
    publish(stack, generate.changed_codebook(CHANGING, "2026-10", "2026-10-01"))
    say(f"its new items are ordered first, datasets for training of {' and '.join(others)} with them")
    order(stack, "inference", "2026-10", [CHANGING])
    order(stack, "training", "2026-10", others)
    follow({CHANGING: "inference"})
    say(f"\n2026-10: {CHANGING}: a synthetic reviewer decides on {DECISIONS} items of the review sheet")
    say(_review(stack))
    follow({CHANGING: "review"})
    say(f"\n2026-10: the dataset for training of {CHANGING} follows; the decisions are training rows as well")
    order(stack, "training", "2026-10", [CHANGING])
    follow(dict.fromkeys(MONTHS, "comparison"))

    say("\n2026-10: new items of the others are ordered, to be labelled by the winners")
    order(stack, "inference", "2026-10", others)
    follow(dict.fromkeys(others, "inference"))
    stack.wait_until_quiet(timeout_seconds=60)
    return set(statuses) == {"SUCCEEDED"}


def _label(stack, group: str, month: str) -> None:
    """Let the warehouse know the codes that have become known in the month."""
    known = [count for period, count in MONTHS[group].items() if period <= month]
    start = known[-2] if len(known) > 1 else 0
    load(stack, group, month, start, known[-1] - start, labelled=True)


def _review(stack) -> str:
    """Export the month's review sheet, fill in the true codes of its first items, import it."""
    start, count = NEW_ITEMS[CHANGING]["2026-10"]
    items = generate.items(CHANGING, start, count, labelled=True, changed=True)
    codes = {item["item_id"]: item["label"] for item in items}
    sheet = stack.folder / f"review-{CHANGING}-2026-10.csv"
    return reviewer.review(stack, CHANGING, "2026-10", sheet, codes, DECISIONS)
