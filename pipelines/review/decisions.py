"""Decisions taken back from a filled sheet: checked, and given to the run that amends the labels.

They are checked against the labels that are the month's now; the inference workflow (purpose `review`) amends
those that are the month's when it gets there, and keeps the decisions as training rows once that is recorded.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines import names, runs
from pipelines.review.published import Output, Places, ReviewError, items
from processing.codes.codebook import Codebook

SHOWN = 20


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
    if not named or named.purpose not in ("inference", "review"):
        raise ReviewError(
            f"{file}, row 2: {run!r} is not a run. Fix: leave the column `run` as it was exported"
        )
    return named.group, named.period


def decisions(
    rows: Sequence[tuple[int, Mapping[str, str]]], output: Output, book: Codebook, file: str
) -> list[dict[str, str]]:
    """The decisions on a filled sheet, each `item_id`, `label`, `suggested`; a row without code is none.

    Raises ReviewError naming file, row and fix of all that cannot be taken: then nothing is.
    """
    run = rows[0][1]["run"]
    if run not in output.runs:
        raise ReviewError(
            f"{file}, row 2: this sheet is of run {run}, but the newest labels are of "
            f"{output.manifest['run']}. Fix: export a sheet of those"
        )
    labels = {row["item_id"]: row for row in output.labels.to_pylist()}
    in_force = book.in_force(output.manifest["period"])
    taken: dict[str, dict[str, str]] = {}
    problems = []
    for number, row in rows:
        if not row["code"]:
            continue
        problem = _problem(row, labels.get(row["item_id"]), in_force, taken)
        if problem:
            problems.append(f"{file}, row {number}: {problem}")
        else:
            suggested = labels[row["item_id"]]["code"]
            taken[row["item_id"]] = {
                "item_id": row["item_id"],
                "label": row["code"],
                "suggested": suggested,
            }
    if problems:
        more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise ReviewError("\n".join(problems[:SHOWN] + more))
    if not taken:
        raise ReviewError(f"{file}: the column `code` is empty in every row. Fix: fill in the codes")
    return list(taken.values())


def send(
    places: Places, output: Output, decided: list[dict[str, str]], by: str, now: datetime
) -> tuple[str, bool]:
    """Hand the decisions over, and start the run that amends the labels.

    Returns:
        The run's name and whether it is new: the same decisions on the same labels are one run.
    """
    made = sorted((row["item_id"], row["label"]) for row in decided)
    digest = hashlib.sha256(json.dumps([made, by]).encode()).hexdigest()
    group, period = output.manifest["group"], output.manifest["period"]
    run = runs.review(group, period, output.address, digest)
    known = items(places, output, (row["item_id"] for row in decided))
    who = {"decided_by": by, "decided_at": now.isoformat(timespec="seconds")}
    lines = [json.dumps({**known[row["item_id"]], **row, **who}, ensure_ascii=False) for row in decided]
    key = names.SHEET.format(group=group, sheet=run["sheet"]) + "decisions.jsonl"
    body = ("\n".join(lines) + "\n").encode()
    try:
        places.s3.put_object(Bucket=places.work_bucket, Key=key, Body=body, IfNoneMatch="*")
    except places.s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
    try:
        places.states.start_execution(
            stateMachineArn=places.machine_arn, name=run["run"], input=json.dumps(run)
        )
    except places.states.exceptions.ExecutionAlreadyExists:
        return run["run"], False
    return run["run"], True


def _problem(
    row: Mapping[str, str], label: dict[str, Any] | None, in_force: list[str], taken: dict[str, Any]
) -> str | None:
    """What is wrong with one filled row, and the fix."""
    if label is None:
        return (
            f"the item {row['item_id']!r} is not in the labels. Fix: leave the column `item_id` as exported"
        )
    if label["status"] != "review":
        by = f", by {label['decided_by']}" if label["decided_by"] else ""
        return f"the item {row['item_id']!r} is already decided{by}. Fix: clear its `code`, or export again"
    if row["code"] not in in_force:
        return f"{row['code']!r} is not a code in force. Fix: use one of {', '.join(in_force)}"
    if row["item_id"] in taken:
        return f"the item {row['item_id']!r} is listed twice. Fix: keep one of its rows"
    return None
