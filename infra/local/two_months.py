"""What happens in the demo: two months for three model groups, and a change of codes between them."""

import pyarrow as pa

from infra.local import reviewer
from infra.local.samples import generate
from infra.local.samples.deliver import deliver, publish

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
FORMATS = {"DE-weee": "csv.gz", "IT-weee": "parquet", "FR-packaging": "jsonl"}


def two_months(stack, follower, say) -> bool:
    """Drop the datasets of both months and follow what comes of them; True when every run succeeded."""
    others = [group for group in MONTHS if group != CHANGING]
    statuses = []

    def follow(goals: dict[str, str]) -> None:
        statuses.extend(follower.until_ended(goals).values())

    say("\n2026-09: datasets for training arrive")
    for group in MONTHS:
        publish(stack, generate.codebook(group, "2026-09"))
        _deliver(stack, "training", group, "2026-09")
    follow({CHANGING: "comparison"})
    say(f"\n2026-09: new items of {CHANGING} arrive, to be labelled by its winner")
    _deliver(stack, "inference", CHANGING, "2026-09")
    follow(dict.fromkeys(others, "comparison") | {CHANGING: "inference"})

    say(f"\n2026-10: the codes of {CHANGING} change: one is renamed, one is split")
    publish(stack, generate.changed_codebook(CHANGING, "2026-10", "2026-10-01"))
    say(f"its new items arrive first, datasets for training of {' and '.join(others)} with them")
    _deliver(stack, "inference", CHANGING, "2026-10")
    for group in others:
        _deliver(stack, "training", group, "2026-10")
    follow({CHANGING: "inference"})
    say(f"\n2026-10: {CHANGING}: a synthetic reviewer decides on {DECISIONS} items of the review sheet")
    say(_review(stack))
    follow({CHANGING: "review"})
    say(f"\n2026-10: the dataset for training of {CHANGING} arrives; the decisions are training rows as well")
    _deliver(stack, "training", CHANGING, "2026-10")
    follow(dict.fromkeys(MONTHS, "comparison"))

    say("\n2026-10: new items of the others arrive, to be labelled by the winners")
    for group in others:
        _deliver(stack, "inference", group, "2026-10")
    follow(dict.fromkeys(others, "inference"))
    stack.wait_until_quiet(timeout_seconds=60)
    return set(statuses) == {"SUCCEEDED"}


def _deliver(stack, purpose: str, group: str, month: str) -> None:
    """The one way a dataset of the demo comes in."""
    training = purpose == "training"
    start, count = (0, MONTHS[group][month]) if training else NEW_ITEMS[group][month]
    table = pa.Table.from_pylist(generate.items(group, start, count, labelled=training))
    deliver(stack, f"{purpose}/{group}/{month}/d1/", table, FORMATS[group])


def _review(stack) -> str:
    """Export the month's review sheet, fill in the true codes of its first items, import it."""
    start, count = NEW_ITEMS[CHANGING]["2026-10"]
    items = generate.items(CHANGING, start, count, labelled=True, changed=True)
    codes = {item["item_id"]: item["label"] for item in items}
    sheet = stack.folder / f"review-{CHANGING}-2026-10.csv"
    return reviewer.review(stack, CHANGING, "2026-10", sheet, codes, DECISIONS)
