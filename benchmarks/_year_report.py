"""What was seen of a year, judged against the true codes, as tables in Markdown; year.py drives it.

A row is a group and a month, as year.py keeps it: its `items`, how many are `automatic` (labelled without a
person), of those `right`, in `review` and `decided`; the `model` that labelled them, the sentences of its
`alarms`, what `sets_in`, its `verdicts` with their `evidence`, and the model that a `rollback` went back to.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from scipy.stats import binom

from benchmarks._year_items import PROMISE

#: A broken promise is one that chance explains less often than this (exact binomial test).
BY_CHANCE = 0.01
#: Too little is labelled without a person: less than this share of the group's best month.
FALLEN = 0.5
#: A challenger is plainly better where exact McNemar is at most this.
BETTER = 0.02
SMALL = 300
#: Alarms that tell of something else than how good labels are: decisions, rows, announced changes of codes.
ELSE = re.compile(
    "a person had decided|decisions? on this month|arrived; in|is empty|not be used|cannot predict"
)
VERDICTS = ("FIRST", "PROMOTE", "KEEP", "UNDECIDED", "REJECT")


def report(seen: list[dict[str, Any]]) -> Iterator[str]:
    """The tables and what they should show, as Markdown."""
    judged = judge(seen)
    months = sorted({row["month"] for row in judged})
    yield _table([_month(month, [row for row in judged if row["month"] == month]) for month in months])
    names = list(dict.fromkeys(row["group"] for row in judged))
    yield _table(
        [_group(name, [row for row in judged if row["group"] == name], months[-1]) for name in names]
    )
    yield _table(list(_checks(judged)))


def judge(seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with what is to be said of each.

    `broken`: the promise is broken, by more than chance explains.
    `due`: an alarm is, as the promise is broken, or as nothing is labelled without a person, or less than
    half of what was in the group's best month.
    `missed`: it is due, and no alarm has told of it since it is.
    `for nothing`: there is an alarm, none is due, and nothing has happened to the group yet.
    `again`: there are alarms, and all of them, numbers aside, were there last month.
    """
    best, happened, told = Counter[str](), set[str](), set[str]()
    said: dict[str, set[str]] = {}
    judged = []
    for row in seen:
        name, wrong = row["group"], row["automatic"] - row["right"]
        share = row["automatic"] / row["items"]
        if row["sets_in"]:
            happened.add(name)
        broken = bool(binom.sf(wrong - 1, row["automatic"], 1 - PROMISE) < BY_CHANCE)
        due = broken or not row["automatic"] or share < FALLEN * best[name]
        best[name] = max(best[name], share)
        if not due:
            told.discard(name)
        elif any(not ELSE.search(alarm) for alarm in row["alarms"]):
            told.add(name)
        now = {re.sub(r"[\d.,]+", "", alarm) for alarm in row["alarms"]}
        judged.append(
            row
            | {
                "broken": broken,
                "due": due,
                "missed": due and name not in told,
                "for nothing": bool(now) and not due and name not in happened,
                "again": bool(now) and now <= said.get(name, set()),
            }
        )
        said[name] = now
    return judged


def _month(month: int, rows: list[dict[str, Any]]) -> dict[str, str]:
    counts = Counter(verdict for row in rows for verdict in row["verdicts"])
    return {
        "month": str(month),
        "groups": str(len(rows)),
        **{name: str(counts[name]) for name in VERDICTS},
        **_labelled(rows),
        **{
            name: str(sum(bool(row[name]) for row in rows))
            for name in ("due", "missed", "alarms", "for nothing", "again")
        },
    }


def _group(name: str, rows: list[dict[str, Any]], last: int) -> dict[str, str]:
    happened = [f"{event} from {row['month']}" for row in rows for event in row["sets_in"]]
    happened += [f"ends after {rows[-1]['month']}"] * (rows[-1]["month"] < last)
    counts = Counter(verdict for row in rows for verdict in row["verdicts"])
    texts = [one["distinct_texts"] for row in rows for one in row["evidence"]]
    ends = f"{100 * _share(rows[:1]):.0f} to {100 * _share(rows[-1:]):.0f}"
    return {
        "group": name,
        "what happens": ", ".join(happened) or "nothing",
        "test texts": f"{texts[0]} to {texts[-1]}" if texts else "",
        "verdicts": ", ".join(f"{count} {word}" for word, count in counts.items()),
        **_labelled(rows),
        "first to last %": ends,
        "broken in": _months(rows, "broken"),
        "due in": _months(rows, "due"),
        "alarms in": _months(rows, "alarms"),
    }


def _labelled(rows: list[dict[str, Any]]) -> dict[str, str]:
    automatic, right = (sum(row[name] for row in rows) for name in ("automatic", "right"))
    return {
        "without a person %": f"{100 * _share(rows):.1f}",
        "of these right %": f"{100 * right / automatic:.1f}" if automatic else "",
        "broken": str(sum(row["broken"] for row in rows)),
        "to review": str(sum(row["review"] for row in rows)),
        "decided": str(sum(row["decided"] for row in rows)),
    }


def _share(rows: list[dict[str, Any]]) -> float:
    return sum(row["automatic"] for row in rows) / sum(row["items"] for row in rows)


def _months(rows: list[dict[str, Any]], name: str) -> str:
    return _ranges([row["month"] for row in rows if row[name]])


def _ranges(months: list[int]) -> str:
    """Such as `2, 4-7`."""
    ranges: list[list[int]] = []
    for month in months:
        if ranges and month == ranges[-1][-1] + 1:
            ranges[-1].append(month)
        else:
            ranges.append([month])
    return ", ".join(f"{each[0]}-{each[-1]}" if len(each) > 1 else f"{each[0]}" for each in ranges)


def _checks(rows: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """What the year is for, each with what was found."""
    broken = [row for row in rows if row["broken"] and not row["sets_in"]]
    yield _check("promise broken other than in the month drift sets in", "none", broken)
    for small in (True, False):
        better = [
            (row, verdict)
            for row in rows
            for one, verdict in zip(row["evidence"], row["verdicts"], strict=True)
            if _plainly_better(one) and (one["distinct_texts"] < SMALL) == small
        ]
        size = f"{'under' if small else 'from'} {SMALL} test texts"
        what = f"of {len(better)} plainly better challengers ({size}) not promoted"
        yield _check(what, "none without a reason", [row for row, verdict in better if verdict != "PROMOTE"])
    yield _check("alarms due that nobody got", "none", [row for row in rows if row["missed"]])
    yield _check("alarms for nothing", "at most one", [row for row in rows if row["for nothing"]])
    yield _check("only what was told last month", "none", [row for row in rows if row["again"]])
    yield _check("rollbacks that the next training undid", "none", _undone(rows))


def _undone(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a rollback whose model does not label the month after."""
    models = {(row["group"], row["month"]): row["model"] for row in rows}
    back = [row for row in rows if row.get("rollback")]
    return [
        row for row in back if models.get((row["group"], row["month"] + 1)) not in (row["rollback"], None)
    ]


def _plainly_better(evidence: dict[str, Any]) -> bool:
    p_value = evidence["p_value"]
    return p_value is not None and p_value <= BETTER and evidence["better_texts"] > evidence["worse_texts"]


def _check(what: str, wanted: str, found: list[dict[str, Any]]) -> dict[str, str]:
    """How many rows were found, and their months by group."""
    months: dict[str, list[int]] = {}
    for row in found:
        months.setdefault(row["group"], []).append(row["month"])
    places = "; ".join(f"{group} {_ranges(each)}" for group, each in months.items())
    return {"check": what, "wanted": wanted, "found": f"{len(found)}: {places}" if found else "none"}


def _table(rows: list[dict[str, str]]) -> str:
    head = f"| {' | '.join(rows[0])} |\n|{' --- |' * len(rows[0])}\n"
    return head + "\n".join(f"| {' | '.join(row.values())} |" for row in rows)
