"""Decisions taken back from a filled sheet: checked, and given to the run that amends the labels.

A reviewer saw one version of the labels, the sheet is checked against those that are the month's now. The
inference workflow (purpose `review`) amends those that are the month's when it gets there, and keeps the
decisions as training rows once that is recorded. What a row of a sheet may say is in sheet.py.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import names, runs
from pipelines.review import families
from pipelines.review.published import Output, Places, ReviewError, items
from pipelines.review.sheet import PICKED, Number
from processing.codes.codebook import Codebook
from processing.labels.label_table import DECIDED
from processing.policy import DECIDE, SUGGEST

#: What a person says of an item (processing/dataset/decisions.py), and the code where one is said.
Answer = tuple[str | None, str | None]

#: In the name of a blind sample or of a second reviewer's sheet, where a run's name has what it is for.
SAMPLE, SECOND = "sample", "second"
#: What says in the column `none` that no code fits; anything else may be somebody's "no".
MARKS = ("x", "1", "yes", "true")
SHOWN = 20
MOST_LETTERS = 300
#: The answers that a sheet writes as words.
ANSWERS = {"NONE": "none", "SKIP": "skip", "WITHDRAW": "withdrawn"}
WORD_OF = {answer: word for word, answer in ANSWERS.items()}


def group_and_period(rows: Sequence[tuple[int, Mapping[str, str]]], file: str) -> tuple[str, str]:
    """The model group and month that a filled sheet is of. Raises ReviewError."""
    runs_named = {row["run"]: number for number, row in reversed(rows)}
    if not runs_named:
        raise ReviewError(f"{file} has no rows. Fix: import the sheet that was exported and filled in")
    if len(runs_named) > 1:
        second = max(runs_named.values())
        raise ReviewError(
            f"{file}, row {second}: not the run of the rows above. Fix: import each sheet separately"
        )
    (run,) = runs_named
    named = names.parse_run(run)
    if not named or named.purpose not in ("inference", "review", "training", SAMPLE, SECOND):
        raise ReviewError(
            f"{file}, row 2: {run!r} is not a run. Fix: leave the column `run` as it was exported"
        )
    return named.group, named.period


@dataclass(frozen=True)
class Sheet:
    """What a filled sheet says.

    Attributes:
        decisions: to be put into the labels, each with `item_id`, `text_key`, `answer`, `label`, `suggested`
            and `why` (processing/dataset/decisions.py).
        answers: the answer and the code of every filled row, by its item.
        known: how many rows say what the labels have already.
        of_family: how many of the decisions are on items that are decided as another of their family.
        not_for_family: a sentence for each family whose other items are not decided.
        overtaken: a sentence for each row that the newest labels left behind: its item's text has changed, it
            is gone, or somebody has decided since. Nothing is wrong with such a row; it is not taken.
    """

    decisions: list[dict[str, Any]]
    answers: dict[str, Answer]
    known: int
    overtaken: list[str]
    of_family: int = 0
    not_for_family: Sequence[str] = ()


def read_sheet(
    rows: Sequence[tuple[int, Mapping[str, str]]],
    seen: Output,
    newest: Output,
    book: Codebook,
    file: str,
    drawn: Collection[str] | None = None,
    family: str = SUGGEST,
) -> Sheet:
    """What the rows of a sheet say; a row without code says nothing.

    `seen` are the labels that the sheet is of, `newest` those of the month now, maybe the same. `drawn` are
    the items drawn for the sheet of a blind sample or of a second reviewer: SKIP decides nothing there.
    `family` is of the policy. What is said of an item reaches those that were decided as it before.
    Raises ReviewError naming file, row and fix of all that is wrong: then nothing is taken.
    """
    filled = [(number, row) for number, row in rows if row["code"]]
    if not filled:
        raise ReviewError(f"{file}: the column `code` is empty in every row. Fix: fill in the codes")
    before, now = (_labels(output, (row["item_id"] for _, row in filled)) for output in (seen, newest))
    in_force = book.in_force(newest.manifest["period"])
    wrong, overtaken, known = [], [], 0
    taken: dict[str, dict[str, Any]] = {}
    answers: dict[str, Answer] = {}
    listed: set[str] = set()
    ids = [row["item_id"] for _, row in filled]
    twins = _twins(seen, [item for item in ids if isinstance(item, Number)])
    for number, row in filled:
        item, code = row["item_id"], _codes_meant(row["code"], in_force)
        answer = _answer(code[0], in_force)
        problem = _unclear(row, code, twins) or _problem(
            row, answer, before.get(item), in_force, listed, drawn
        )
        listed.add(item)
        if problem or answer is None:
            wrong.append(f"{file}, row {number}: {problem}")
            continue
        answers[item] = answer
        if drawn is not None and answer[0] == "skip":
            continue
        if since := _since(before[item], now.get(item), answer):
            overtaken.append(f"{file}, row {number}: the item {item!r} {since}")
        elif _says(now[item]) == answer:
            known += 1
        else:
            taken[item] = _decision(row, now[item], answer)
    if wrong:
        raise ReviewError(first(wrong))
    if drawn is not None:
        return Sheet(list(taken.values()), answers, known, overtaken)
    more: dict[str, list[str]] = {}
    problems: list[str] = []
    if family == DECIDE:
        marks = {row["item_id"]: row.get("family", "").strip() for _, row in filled}
        waiting = {each.mark: each for each in families.waiting(seen.labels, in_force)}
        more, problems = families.decisions(waiting, marks, answers)
    others = _as_heads(more, families.decided_as(newest.labels), taken, answers, seen, newest)
    return Sheet([*taken.values(), *others], answers, known, overtaken, len(others), problems)


def _as_heads(
    more: Mapping[str, Sequence[str]],
    before: Mapping[str, Sequence[str]],
    taken: Mapping[str, dict[str, Any]],
    answers: Mapping[str, Answer],
    seen: Output,
    newest: Output,
) -> list[dict[str, Any]]:
    """The decisions on items that are decided as another of their family.

    `more` are those that a sheet's families decide now, `before` those that were decided so in the newest
    labels: both by the head's id. What somebody has said of an item itself stays, as does an item whose text
    is another now.
    """
    old = _labels(seen, (item for items in more.values() for item in items))
    reached = [(head, item) for head, items in more.items() for item in items]
    reached += [(head, item) for head in before if head in taken for item in before[head]]
    labels = _labels(newest, (item for _, item in reached))
    found: dict[str, dict[str, Any]] = {}
    for head, item in reached:
        label, answer = labels.get(item), answers[head]
        if label is None or item in taken or answer[0] not in (*families.DECIDES, "withdrawn"):
            continue
        as_head = label["decided_on"] == head and _says(label) != answer
        waits = label["status"] == "review" and label["answer"] is None
        if as_head or (waits and item in old and old[item]["text_key"] == label["text_key"]):
            row = {"item_id": item, "why": ""}
            found[item] = _decision(row, label, answer) | {"decided_on": head}
    return list(found.values())


def first(sentences: Sequence[str]) -> str:
    """The first sentences, a line each, and how many more there are."""
    more = [f"... and {len(sentences) - SHOWN} more"] if len(sentences) > SHOWN else []
    return "\n".join([*sentences[:SHOWN], *more])


def send(
    places: Places,
    output: Output,
    decided: list[dict[str, Any]],
    by: str,
    now: datetime,
    beside: tuple[str, Mapping[str, Any]] | None = None,
) -> tuple[str, bool]:
    """Hand the decisions over, and start the run that amends the labels.

    `beside` is a file that goes with the decisions: what the sheet of a blind sample says (processing/labels/
    audit.py), or a second reviewer's (agreement.py there).

    Returns:
        The run's name and whether it is new: the same decisions on the same labels are one run.
    """
    made = sorted([row["item_id"], row["answer"], row["label"], row["why"]] for row in decided)
    sent = [made, by, *((beside[0], beside[1]["said"]) if beside else ())]
    digest = hashlib.sha256(json.dumps(sent).encode()).hexdigest()
    group, period = output.manifest["group"], output.manifest["period"]
    run = runs.review(group, period, output.address, digest)
    heads = {row["decided_on"] for row in decided if "decided_on" in row}
    known = items(places, output, heads.union(row["item_id"] for row in decided))
    for row in decided:
        if head := row.get("decided_on"):
            texts = (known[item]["title"] for item in (row["item_id"], head))
            row["why"] = f"differs from it only in {families.difference(*texts)}"[:MOST_LETTERS]
    who = {"decided_by": by, "decided_at": now.isoformat(timespec="milliseconds")}
    lines = [json.dumps({**known[row["item_id"]], **row, **who}, ensure_ascii=False) for row in decided]
    folder = names.SHEET.format(group=group, sheet=run["sheet"])
    if beside:
        put_once(places, folder + beside[0], json.dumps(beside[1], ensure_ascii=False))
    put_once(places, folder + "decisions.jsonl", "".join(f"{line}\n" for line in lines))
    try:
        places.states.start_execution(
            stateMachineArn=places.machine_arn, name=run["run"], input=json.dumps(run)
        )
    except places.states.exceptions.ExecutionAlreadyExists:
        return run["run"], False
    return run["run"], True


def put_once(places: Places, key: str, text: str) -> bool:
    """Write an object to the work bucket, unless it is there; whether it is new."""
    try:
        places.s3.put_object(Bucket=places.work_bucket, Key=key, Body=text.encode(), IfNoneMatch="*")
    except places.s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return False
    return True


def _decision(row: Mapping[str, str], label: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        **{"item_id": row["item_id"], "text_key": label["text_key"]},
        **{"answer": answer[0], "label": answer[1]},
        "suggested": label["suggested"] or label["code"],
        "why": " ".join(row["why"].split()) or None,
    }


def _labels(output: Output, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The labels of some items, by id; rejected rows have none."""
    wanted = pc.is_in(output.labels["item_id"], value_set=pa.array(list(ids), pa.string()))
    usable = pc.not_equal(output.labels["status"], "rejected")
    return {row["item_id"]: row for row in output.labels.filter(pc.and_(wanted, usable)).to_pylist()}


def _codes_meant(code: str, in_force: Sequence[str]) -> list[str]:
    """The code of a sheet, or all codes in force that it can be where it is a Number: `1.1` and `1.10`.

    What was picked from the list is the code, or the word, and what it stands for.
    """
    if not isinstance(code, Number):
        picked = [known for known in (*in_force, *ANSWERS) if code.startswith(known + PICKED)]
        return [max(picked, key=len)] if picked and code not in in_force else [code]
    return [known for known in in_force if _value(known) == _value(code)] or [str(code)]


def _twins(output: Output, numbers: Sequence[str]) -> set[float]:
    """Of Numbers, the values that several items have as their ids: `7` and `007`."""
    if not numbers:
        return set()
    values = Counter(map(_value, output.labels["item_id"].to_pylist()))
    return {value for number in numbers if (value := _value(number)) is not None and values[value] > 1}


def _value(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None


def _unclear(row: Mapping[str, str], codes: Sequence[str], twins: Collection[float]) -> str | None:
    """What is wrong with a row in which a number stands for several texts, and the fix."""
    item = row["item_id"]
    if len(codes) > 1:
        return (
            f"the code is the number {row['code']}, which can be {' or '.join(codes)}. "
            "Fix: pick the code from the list, or format the cell as text and write it again"
        )
    if isinstance(item, Number) and _value(item) in twins:
        return (
            f"the item_id is the number {item}, and several items have it, with other zeros. "
            "Fix: leave the column `item_id` as exported"
        )
    return None


def _answer(code: str, in_force: Sequence[str]) -> Answer | None:
    """The answer and the label that the column `code` stands for; None where it is neither code nor word."""
    if code in in_force:
        return "code", code
    answer = ANSWERS.get(code.upper())
    return (answer, None) if answer else None


def _says(label: Mapping[str, Any]) -> Answer:
    """What a person has answered on a label, in the form of `_answer`."""
    return label["answer"], label["code"] if label["answer"] == "code" else None


def _problem(
    row: Mapping[str, str],
    answer: Answer | None,
    label: Mapping[str, Any] | None,
    in_force: Sequence[str],
    listed: Collection[str],
    drawn: Collection[str] | None,
) -> str | None:
    """What is wrong with one filled row, and the fix; `label` is the one that the reviewer saw."""
    item, why = row["item_id"], row["why"].strip()
    if label is None:
        return f"the item {item!r} is not in the labels. Fix: leave the column `item_id` as exported"
    if drawn is not None and item not in drawn:
        return f"the item {item!r} is not in the sample. Fix: keep the rows that were exported"
    if answer is None:
        choice = ", ".join((*in_force, *ANSWERS))
        return f"{row['code']!r} is not a code in force. Fix: use one of {choice}"
    if row["none"] and row["none"].lower() not in MARKS:
        return f"`none` says {row['none']!r}, which is no mark. Fix: write x into it, or clear it"
    if row["none"] and answer[0] != "none":
        return "it has a code and a mark in `none` as well. Fix: clear one of the two"
    if item in listed:
        return f"the item {item!r} is listed twice. Fix: keep one of its rows"
    if answer[0] == "skip" and drawn is None and label["status"] != "review":
        return f"the item {item!r} does not wait for review, so it cannot be skipped. Fix: clear its `code`"
    if answer[0] == "withdrawn" and label["answer"] not in (*DECIDED, "withdrawn"):
        return f"nobody has decided on the item {item!r}, so nothing can be withdrawn. Fix: clear its `code`"
    if len(why) > MOST_LETTERS or not why.isprintable():
        return f"its `why` is unprintable, or longer than {MOST_LETTERS} letters. Fix: shorten it"
    return None


def _since(old: Mapping[str, Any], new: Mapping[str, Any] | None, answer: Answer) -> str | None:
    """Why an answer on the label `old` is none on the `new` one of the same item; None where it is."""
    if new is None:
        return "is not in the newest labels"
    if old["text_key"] != new["text_key"]:
        return "has another text now"
    if _says(old) != _says(new) != answer and new["answer"] in ("code", "none", "withdrawn"):
        said = new["code"] if new["answer"] == "code" else WORD_OF[new["answer"]]
        return f"has got the answer {said} by {new['decided_by']} since"
    return None
