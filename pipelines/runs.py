"""Name and input of every execution, made of what starts it: a dataset, a new model, a labelled test set.

An execution is named by what it processes, so whatever starts it twice meets the first one. All functions
here are pure; addresses and inputs are those of docs/contracts.md.
"""

import re
from collections.abc import Mapping
from typing import Any

from pipelines import names

#: The parts of a dataset's address below its purpose: how each looks, in words and as a pattern.
PARTS = (
    ("model group", "like DE-weee: country in capitals, dash, scheme", names.GROUP_PATTERN),
    ("period", "like 2026-10: year, dash, month", names.PERIOD_PATTERN),
    (
        "delivery",
        "1 to 64 letters, digits, dots, dashes, underscores, but not . or ..",
        names.DELIVERY_PATTERN,
    ),
)


#: Of our events' form; raised with every change that an older reader would misread.
EVENT_VERSION = "1"


class CannotStart(Exception):
    """Something arrived from which no run can be started; the message says what, where, and the fix.

    CannotStart
    +-- BadKey           an object whose key is not a dataset's manifest
    +-- BadNotification  a message that is not an S3 notification
    +-- Replaced         a dataset with a file that is newer than its manifest
    +-- BadEvent         an event that lacks a field, or of another version
    """


class BadKey(CannotStart):
    """An object arrived whose key is not a dataset's manifest."""


class BadNotification(CannotStart):
    """A message arrived that is not an S3 notification."""


class Replaced(CannotStart):
    """A dataset arrived with a file that was replaced after its manifest."""


class BadEvent(CannotStart):
    """An event arrived that lacks a field, or of another version."""


def landed(purpose: str, bucket: str, key: str, version: str, time: str) -> dict[str, Any]:
    """The input of the run that takes the dataset whose manifest is `key`.

    Args:
        purpose: `training` or `inference`.
        bucket: where the manifest is.
        key: its key.
        version: the object's version.
        time: when S3 took it, `2026-11-01T02:00:00.123Z`. With the version it is the delivery's place among
            those of its month (`delivered`): always as wide, so that texts compare as times do.

    Raises:
        BadKey: the key is not that of a dataset's manifest.
    """
    where = names.address(bucket, key)
    folder, _, file = key.rpartition("/")
    dataset = names.parse_dataset(f"{folder}/")
    if dataset is None or dataset.purpose != purpose or file != "manifest":
        right = names.DATASET.format(
            purpose=purpose, group="<model group>", period="<period>", delivery="<delivery>"
        )
        example = names.DATASET.format(purpose=purpose, group="DE-weee", period="2026-10", delivery="d1")
        raise BadKey(
            f"{where} is not the manifest of a dataset for {purpose}. "
            f"Fix: put the data files and, last, `manifest` under {right}, like {example}"
        )
    for (part, form, pattern), value in zip(PARTS, dataset[1:], strict=True):
        if not re.fullmatch(pattern, value):
            raise BadKey(f"{where}: {value!r} is not a {part}. Fix: name that folder {form}")
    return {
        "run": names.run_name(dataset.group, purpose, dataset.period, bucket, key, version),
        "group": dataset.group,
        "period": dataset.period,
        "purpose": purpose,
        "dataset": names.address(bucket, f"{folder}/"),
        "delivered": f"{time}#{version}",
    }


def test(detail: Mapping[str, str], model: str, challenger: str, test_set: str) -> dict[str, Any]:
    """The input of the run in which `model` labels the test set at `detail["dataset"]`."""
    group, period, dataset = fields(detail, "group", "period", "dataset")
    bucket, folder = names.split_address(dataset)
    return {
        "run": names.run_name(group, "test", period, bucket, f"{folder}manifest", model),
        "group": group,
        "period": period,
        "purpose": "test",
        "dataset": dataset,
        "model": model,
        "challenger": challenger,
        "test_set": test_set,
    }


def review(group: str, period: str, labels: str, decisions: str) -> dict[str, Any]:
    """The input of the run that puts a sheet of decisions into the month's labels.

    `labels` is the address of those that the sheet was checked against, `decisions` a digest of what is on
    it. The run amends what is the month's when it gets there.
    """
    run = names.run_name(group, "review", period, labels, decisions)
    return {"run": run, "group": group, "period": period, "purpose": "review", "sheet": run}


def comparison(
    detail: Mapping[str, str],
    challenger: Mapping[str, str],
    winner: Mapping[str, str],
    decision: str,
    published_at: str,
    undecided: list[str],
) -> dict[str, Any]:
    """The input of the run that compares two models, each given by `model`, `predictions`, `digest`.

    `decision` is the one that made the winner, `published_at` when the group's codebook and policy were
    published: whichever of them is new, the same two models are compared anew. `undecided` are the periods in
    which comparisons with this winner have just ended undecided.
    """
    group, period, test_set = fields(detail, "group", "period", "test_set")
    return {
        "run": names.run_name(
            *(group, "comparison", period, test_set),
            *(challenger["model"], winner["model"], decision, published_at),
        ),
        "group": group,
        "period": period,
        "test_set": test_set,
        "challenger": dict(challenger),
        "winner": dict(winner),
        "undecided": ",".join(undecided),
    }


def again(run: Mapping[str, Any]) -> dict[str, Any]:
    """The input of the run that does what `run` did not bring to an end.

    Only the name is new, and it is made of the old one: whoever starts the same run again twice meets the
    first one. What the new run writes is under its own name, beside what is left of the old one.

    Raises:
        ValueError: the input names no run.
    """
    named = names.parse_run(run["run"])
    if named is None:
        raise ValueError(f"{run['run']!r} is not a run's name. Fix: take the input of an execution of ours")
    return {**run, "run": names.run_name(*named, run["run"])}


def fields(detail: Mapping[str, str], *names: str) -> list[str]:
    """The values of `names` in an event's detail. Raises BadEvent: one missing or empty, another version."""
    # Runs that began before events had a version announce themselves without one, in the form of the first.
    if (version := detail.get("version", "1")) != EVENT_VERSION:
        raise BadEvent(
            f"the event has version {version}, this function reads {EVENT_VERSION}. "
            "Fix: deploy the functions and the state machines from one commit"
        )
    missing = [name for name in names if not detail.get(name)]
    if missing:
        raise BadEvent(
            f"the event lacks {', '.join(missing)}; it has {dict(detail)}. "
            "Fix: send the fields that docs/contracts.md lists"
        )
    return [detail[name] for name in names]
