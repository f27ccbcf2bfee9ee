"""Publish: bring items and predictions together and write the labelled files, or fail and write nothing.

Every row of the dataset is in the files once: labelled, for review, or rejected with the reason.
"""

import argparse
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing import container
from processing import policy as policies
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset import decisions, jsonlines, training_report
from processing.dataset.findings import FINDINGS
from processing.dataset.rows import REJECTED
from processing.digests import check
from processing.errors import NotReconciled
from processing.labels import kept_decisions, label_table, output, published, standing_decisions
from processing.labels.labelling import Labelling
from processing.labels.published import Published
from processing.labels.reconcile import START_AGAIN
from processing.labels.reliability import Record
from processing.month import month_changes, summary


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the inputs, write the outputs, return the job's message (docs/contracts.md)."""
    options = _options(arguments)
    with container.scratch_folder() as scratch:
        return _publish(options, Path(scratch))


def _publish(options: argparse.Namespace, scratch: Path) -> dict[str, object]:
    book = codebook.load(container.input_folder("codebook"), options.codebook_digest)
    test_set = options.purpose == "test"
    rejected = jsonlines.read((container.input_folder("truth") / "rejected.jsonl").read_bytes(), REJECTED)
    # A test set is the model's exam: nothing but its own threshold decides there.
    policy = policies.Policy(precision=0.0) if test_set else policies.of_group(options.policy)
    replaced = published.read(
        container.input_folder("replaced"),
        options.replaced_digest,
        kept_decisions.COLUMNS,
        kept_decisions.answered,
    )
    made = decisions.read_rows(container.input_folder("reviewed"), standing_decisions.ITEM, options.group)
    if test_set:
        made = made.slice(0, 0)
    said = standing_decisions.said(made, replaced, book, options.period)
    evidence = _compared(options)

    month = Labelling(said, book, options.period, policy, scratch, test_set=test_set)
    month.match()
    _check_rows(options.rows, month.items, rejected.num_rows)
    plan = month.review(_record(evidence, options.model))
    month.label(replaced)
    before, before_summary, changes = _earlier(options, book) if not test_set else (None, None, None)
    report = None if test_set else training_report.read_report(container.input_folder("trained"))
    now = datetime.now(UTC).replace(microsecond=0)
    constants = {
        "model_group": options.group,
        **{name: getattr(options, name) for name in ("period", "run", "model")},
        "codebook_version": book.version,
        "dataset": options.dataset_uri,
        "labelled_at": now,
    }
    files, counted = _write(month, rejected, constants, changes, test_set=test_set)

    about = {
        "group": options.group,
        "purpose": options.purpose,
        **{name: value for name, value in constants.items() if name != "model_group"},
        "labelled_at": now.isoformat(),
        "codebook_digest": options.codebook_digest,
        "rows": files.rows,
        **output.by_status(counted.rows()),
        "rejected": rejected.num_rows,
        "reasons": dict((counted.reasons + Counter(rejected["problem"].to_pylist())).most_common()),
        "findings": _findings(),
        "unseen_words": month.unseen_words,
    }
    message = {name: about[name] for name in ("rows", *output.STATUSES)}
    rows: dict[str, int] = {}
    if not test_set:
        about_people = {
            **kept_decisions.in_labels(counted.rows()),
            **month.from_before,
            "not_kept": kept_decisions.not_kept(month.on_replaced),
        }
        found = summary.summarise(
            counted.rows(),
            about,
            plan | {"items": about["review"]},
            month.confidence(),
            before,
            book,
            report,
            about["unseen_words"],
            about_people,
            before_summary,
            summary.tested(evidence, options.model),
            changes.figures() if changes else None,
        )
        summary.write(found, container.output_folder("files"))
        rows = _write_beside(month, replaced, changes, counted)
        message |= summary.message(found)
    return message | {"manifest_digest": output.write_manifest(files, about, options.destination, rows)}


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


def _earlier(
    options: argparse.Namespace, book: Codebook
) -> tuple[Published | None, dict[str, Any] | None, month_changes.Changes | None]:
    """The latest earlier month, its summary, and who compares items with it; None where there is none."""
    folder = container.input_folder("earlier")
    before = published.read(folder, options.earlier_digest, month_changes.COLUMNS, month_changes.known)
    if before is None:
        return None, None, None
    changes, found = month_changes.Changes(before.table, book, options.period), summary.read(folder)
    if found.get("history"):  # else the labels are counted once more
        before = replace(before, table=before.table.select(["code"]))
    return before, found, changes


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


def _check_rows(delivered: int, items: int, rejected: int) -> None:
    """Raise NotReconciled unless every row that was delivered is there once.

    `delivered` does not come with the data: Prepare counted the rows it read and said so to the service.
    """
    if delivered != items + rejected:
        raise NotReconciled(
            f"{delivered} rows were delivered, {items} became items and {rejected} were set aside; "
            "nothing is published.",
            START_AGAIN,
        )


class _Counted:
    """Of the labels what the summary and the manifest count, part by part; rejected rows are not among it."""

    def __init__(self) -> None:
        self._rows: list[pa.Table] = []
        self._answered: list[pa.Table] = []
        self.reasons: Counter[str] = Counter()

    def add(self, table: pa.Table) -> None:
        # Encoded, so that a row takes a few bytes, and the rest of what was read is let go.
        self._rows.append(pa.table({name: table[name].dictionary_encode() for name in summary.COLUMNS}))
        self._answered.append(
            table.filter(table["answer"].is_valid()).select(["item_id", "text_key", "answer"])
        )
        review = table["reason"].filter(pc.equal(table["status"], "review"))
        self.reasons.update({row["values"]: row["counts"] for row in review.value_counts().to_pylist()})

    def rows(self) -> pa.Table:
        return pa.concat_tables(self._rows).unify_dictionaries()

    def answered(self) -> pa.Table:
        return pa.concat_tables(self._answered)


def _write(
    month: Labelling,
    rejected: pa.Table,
    constants: dict[str, object],
    changes: month_changes.Changes | None,
    *,
    test_set: bool,
) -> tuple[output.LabelFiles, _Counted]:
    """Write the labels, and last the rejected rows, which the last part has with it."""
    counted = _Counted()
    with output.LabelFiles() as files:
        for number, labels in enumerate(month.labels(), start=1):
            table = label_table.assemble([labels], constants, test_set=test_set)
            counted.add(table)
            if changes:
                changes.add(table)
            if number == month.parts:
                parts = [labels, label_table.rejected_rows(rejected)]
                table = label_table.assemble(parts, constants, test_set=test_set)
            files.write(table)
    return files, counted


def _write_beside(
    month: Labelling,
    replaced: Published | None,
    changes: month_changes.Changes | None,
    counted: _Counted,
) -> dict[str, int]:
    """Write what stands next to the labels of a month; rows by file name."""
    folder, rows = container.output_folder("files"), {}
    if changes:
        items = changes.items()
        label_table.write_csv(items, folder / "changes.csv")
        rows["changes.csv"] = items.num_rows
    if month.on_replaced is not None and len(month.on_replaced):
        label_table.write_csv(month.on_replaced, folder / "decisions.csv")
        rows["decisions.csv"] = len(month.on_replaced)
    if replaced is not None:
        left = kept_decisions.overtaken(
            counted.answered(), kept_decisions.given(replaced), replaced.overtaken
        )
        rows |= output.write_beside(left, published.OVERTAKEN)
    return rows


def _findings() -> dict[str, Any]:
    """What Prepare found in the dataset; nothing where it ran before it wrote that down."""
    file = container.input_folder("truth") / FINDINGS
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


if __name__ == "__main__":
    container.run(main)
