"""Publish: bring items and predictions together and write the labelled files, or fail and write nothing.

Every row of the dataset is in the files once: labelled, for review, or rejected with the reason.
"""

import argparse
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing import container
from processing import policy as policies
from processing.arrays import Floats
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset import decisions, jsonlines, training_report
from processing.dataset.findings import FINDINGS
from processing.dataset.rows import REJECTED
from processing.digests import check
from processing.errors import NotReconciled
from processing.labels import families, kept_decisions, label_table, output, published, standing_decisions
from processing.labels.published import Published
from processing.labels.reconcile import START_AGAIN, read_items, read_predictions, reconcile
from processing.labels.reliability import Record
from processing.month import month_changes, summary


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the inputs, write the outputs, return the job's message (docs/contracts.md)."""
    options = _options(arguments)
    book = codebook.load(container.input_folder("codebook"), options.codebook_digest)
    test_set = options.purpose == "test"
    items = read_items(container.input_folder("items"))
    matched = reconcile(items["item_id"], read_predictions(container.input_folder("predictions")))
    rejected = jsonlines.read((container.input_folder("truth") / "rejected.jsonl").read_bytes(), REJECTED)
    # A test set is the model's exam: nothing but its own threshold decides there.
    policy = policies.Policy(precision=0.0) if test_set else policies.of_group(options.policy)
    matched = _with_keys(matched, test_set=test_set)
    replaced = published.read(
        container.input_folder("replaced"), options.replaced_digest, kept_decisions.COLUMNS
    )
    made = decisions.read_rows(container.input_folder("reviewed"), standing_decisions.ITEM, options.group)
    if test_set:
        made = made.slice(0, 0)
    said = standing_decisions.standing(matched, made, replaced, book, options.period, policy.same_text)
    evidence = _compared(options)
    record = _record(evidence, options.model)
    labels, plan = label_table.label(matched, said, book, options.period, policy, record)
    for name in ("text_key", *label_table.TEST_ONLY) if test_set else ("text_key",):
        labels = labels.append_column(name, matched[name])
    labels, on_replaced = kept_decisions.keep(labels, said, replaced, book, options.period)
    if not test_set:
        labels = labels.append_column("family", families.keys(items, labels["code"]))
    now = datetime.now(UTC).replace(microsecond=0)
    constants = {
        "model_group": options.group,
        **{name: getattr(options, name) for name in ("period", "run", "model")},
        "codebook_version": book.version,
        "dataset": options.dataset_uri,
        "labelled_at": now,
    }
    table = label_table.assemble([labels, label_table.rejected_rows(rejected)], constants, test_set=test_set)
    _check_rows(table, options.rows, len(items), rejected.num_rows)

    about = {
        "group": options.group,
        "purpose": options.purpose,
        **{name: value for name, value in constants.items() if name != "model_group"},
        "labelled_at": now.isoformat(),
        "codebook_digest": options.codebook_digest,
        "rows": table.num_rows,
        **output.by_status(table),
        "reasons": dict(Counter(_kinds(table, rejected)).most_common()),
        "findings": _findings(),
        "unseen_words": _unseen_words(matched),
    }
    message = {name: about[name] for name in ("rows", *output.STATUSES)}
    rows: dict[str, int] = {}
    if not test_set:
        plan |= {"items": about["review"]}
        about_people = {
            **kept_decisions.in_labels(table),
            **kept_decisions.from_before(said),
            "not_kept": kept_decisions.not_kept(on_replaced),
        }
        before = published.read(
            container.input_folder("earlier"), options.earlier_digest, month_changes.COLUMNS
        )
        confidence = matched["confidence"].to_numpy()
        test = summary.tested(evidence, options.model)
        found, rows = _summarise(table, about, plan, confidence, before, about_people, book, test)
        if on_replaced is not None and len(on_replaced):
            label_table.write_csv(on_replaced, container.output_folder("files") / "decisions.csv")
            rows["decisions.csv"] = len(on_replaced)
        if replaced is not None:
            left = kept_decisions.overtaken(table, kept_decisions.given(replaced), replaced.overtaken)
            rows |= output.write_beside(left, published.OVERTAKEN)
        message |= summary.message(found)
    return message | {"manifest_digest": output.write(table, about, options.destination, rows)}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="processing.publish", description=__doc__.splitlines()[0])
    for name in (
        "group",
        "period",
        "run",
        "dataset-uri",
        "model",
        "codebook-digest",
        "earlier-digest",
        "replaced-digest",
        "compared-digest",
        "policy",
        "destination",
    ):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--purpose", required=True, choices=("inference", "test"))
    parser.add_argument(
        "--rows", required=True, type=int, help="rows of the dataset, as Prepare's message says"
    )
    return parser.parse_args(arguments)


def _compared(options: argparse.Namespace) -> dict[str, Any]:
    """The evidence of the group's last comparison; of none, one without models."""
    if not options.compared_digest:
        return {"winner": None, "challenger": None}
    file = container.input_folder("compared") / "comparison.json"
    check(file, options.compared_digest, f"{file.name} of the input `compared`", published.RESTORE)
    evidence: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return evidence


def _record(evidence: dict[str, Any], model: str) -> Record | None:
    """What became of the model's labels in a comparison; None if it was not part of it."""
    before = None
    for scored in filter(None, (evidence["winner"], evidence["challenger"])):
        if "tested" in scored:
            record = Record.parse(scored["tested"], before)
            if scored["model"] == model:
                return record
            before = record
    return None


def _with_keys(matched: pa.Table, *, test_set: bool) -> pa.Table:
    """The predictions with the `text_key` of the same ids, and for a test set `truth`, `title`, `since`."""
    columns = {"text_key": "text_key"}
    if test_set:
        columns |= {"truth": "label", "title": "title", "since": "since"}
    known = pq.read_table(
        container.input_folder("truth") / "truth.parquet", columns=["item_id", *columns.values()]
    )
    at = pc.index_in(matched["item_id"], value_set=known["item_id"].combine_chunks())
    if at.null_count or known.num_rows != matched.num_rows:
        raise NotReconciled(
            f"There are {known.num_rows} text keys for {matched.num_rows} items; nothing is published.",
            START_AGAIN,
        )
    found = known.take(at)
    if test_set and found["label"].null_count:
        raise NotReconciled(
            f"{found['label'].null_count} of {len(found)} test items have no label; nothing is published.",
            START_AGAIN,
        )
    for name, column in columns.items():
        matched = matched.append_column(name, found[column])
    return matched


def _check_rows(table: pa.Table, delivered: int, items: int, rejected: int) -> None:
    """Raise NotReconciled unless every row that was delivered is there once.

    `delivered` does not come with the data: Prepare counted the rows it read and said so to the service.
    """
    if not delivered == items + rejected == table.num_rows:
        raise NotReconciled(
            f"{delivered} rows were delivered, {items} became items and {rejected} were set aside, "
            f"{table.num_rows} came out; nothing is published.",
            START_AGAIN,
        )


def _summarise(
    table: pa.Table,
    about: dict[str, Any],
    plan: dict[str, Any],
    confidence: Floats,
    before: Published | None,
    about_people: dict[str, int],
    book: Codebook,
    test: dict[str, Any] | None,
) -> tuple[dict[str, Any], dict[str, int]]:
    """Write the summary and the changed items next to the labels; return the summary, and rows by file."""
    report = training_report.read_report(container.input_folder("trained"))
    handed_on = summary.read(container.input_folder("earlier")) if before else None
    found, changed = summary.summarise(
        table,
        about,
        plan,
        confidence,
        before,
        book,
        report,
        about["unseen_words"],
        about_people,
        handed_on,
        test,
    )
    folder = container.output_folder("files")
    summary.write(found, folder)
    if changed is None:
        return found, {}
    label_table.write_csv(changed, folder / "changes.csv")
    return found, {"changes.csv": changed.num_rows}


def _unseen_words(matched: pa.Table) -> float | None:
    """Mean share of each text that the model has never seen; None where the model does not say."""
    share = pc.mean(matched["known_share"]).as_py()
    return None if share is None else round(1 - share, 4)


def _findings() -> dict[str, Any]:
    """What Prepare found in the dataset; nothing where it ran before it wrote that down."""
    file = container.input_folder("truth") / FINDINGS
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def _kinds(table: pa.Table, rejected: pa.Table) -> Counter[str]:
    """How many rows have each reason; rejected ones by the kind of problem."""
    review = table["reason"].filter(pc.equal(table["status"], "review"))
    kinds = Counter({row["values"]: row["counts"] for row in review.value_counts().to_pylist()})
    kinds.update(rejected["problem"].to_pylist())
    return kinds


if __name__ == "__main__":
    container.run(main)
