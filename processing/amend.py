"""Amend: put reviewers' decisions into published labels, as a new version; the old one stays as it is."""

import argparse
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing import container
from processing import policy as policies
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset.decisions import read_decisions
from processing.errors import NotReconciled
from processing.labels import agreement, audit, kept_decisions, label_table, output, published
from processing.labels.published import Published
from processing.month import month_changes, summary
from processing.month.attention import with_attention

EXPORT_AGAIN = "export the sheet again (labelmill review export) and import that one."


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the inputs, write the outputs, return the job's message (docs/contracts.md)."""
    options = _options(arguments)
    book = codebook.load(container.input_folder("codebook"), options.codebook_digest)
    before = published.read(container.input_folder("labels"), options.labels_digest)
    if before is None:
        raise NotReconciled(f"There is no output at {options.amends}.", EXPORT_AGAIN)
    decisions = read_decisions(container.input_folder("decisions"))
    if pc.count_distinct(decisions["item_id"]).as_py() != len(decisions):
        raise NotReconciled("An item has two decisions; nothing is published.", EXPORT_AGAIN)
    now = datetime.now(UTC).replace(microsecond=0)
    constants = {"run": options.run, "labelled_at": now, "codebook_version": book.version}
    table, decided = kept_decisions.put(before.table, decisions, book, options.period)
    decisions = kept_decisions.with_kept(decisions, table)
    kept = decisions.filter(pc.equal(decisions["kept"], "yes"))
    same_text = policies.of_group(options.policy).same_text
    table, others = kept_decisions.put_for_same_text(table, kept, book, options.period, same_text)
    table = label_table.replace(table, pc.or_(decided, others), constants)

    runs = [*before.manifest.get("amended_runs", []), before.manifest["run"]]
    audited, rows_of_sample = _audit(before, runs)
    coded_twice = _coded_twice(before, runs)
    about = {
        **{name: value for name, value in before.manifest.items() if name not in ("columns", "files")},
        **constants,
        "labelled_at": now.isoformat(),
        "codebook_digest": options.codebook_digest,
        "amends": options.amends,
        "amended_runs": runs,
        "decided": kept.num_rows,
        "decided_by": sorted(set(kept["decided_by"].to_pylist())),
        **output.by_status(table),
        "reasons": _reasons(before, table),
    }
    found = _summary(table, about, decisions, book, audited)
    found["agreement"] = None if coded_twice is None else agreement.evaluate(coded_twice, table)
    folder = container.output_folder("files")
    summary.write(found, folder)
    label_table.write_csv(decisions, folder / "decisions.csv")
    left = kept_decisions.overtaken(table, decisions, before.overtaken)
    rows = {"decisions.csv": decisions.num_rows, **output.write_beside(left, published.OVERTAKEN)}
    rows |= output.write_beside(rows_of_sample, audit.ANSWERS)
    rows |= output.write_beside(coded_twice, agreement.ANSWERS)
    digest = output.write(table, about, options.destination, rows)
    counts = {name: about[name] for name in ("rows", *output.STATUSES)}
    message = counts | summary.message(found) | {"audited": audit.in_short(found.get("audit"))}
    # MLOps got the message about the model when it labelled the month; what people found out is new to them.
    message |= {"alarms": int(audited is not None and audited["refuted"]), "manifest_digest": digest}
    if audited is not None and not audited["refuted"]:
        message["attention"] = f"{message['attention']} {audit.in_words(audited)}"
    return message


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="processing.amend", description=__doc__.splitlines()[0])
    for name in (
        "group",
        "period",
        "run",
        "codebook-digest",
        "amends",
        "labels-digest",
        "policy",
        "destination",
    ):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args(arguments)


def _reasons(before: Published, table: pa.Table) -> dict[str, int]:
    """The manifest's counts by reason, with those of review counted anew."""
    review = table["reason"].filter(pc.equal(table["status"], "review"))
    now = {row["values"]: row["counts"] for row in review.value_counts().to_pylist()}
    was_review = before.table["reason"].filter(pc.equal(before.table["status"], "review"))
    gone = set(was_review.to_pylist())
    return now | {reason: count for reason, count in before.manifest["reasons"].items() if reason not in gone}


def _audit(before: Published, runs: list[str]) -> tuple[dict[str, Any] | None, pa.Table | None]:
    """What a sheet of a blind sample says, if this is one; and the sample's rows with their answers, if any.

    `runs` made the labels until now: where the month was labelled anew since the sample was drawn, it says
    nothing of these labels.
    """
    rows = published.read_beside(container.input_folder("labels"), before.manifest, audit.ANSWERS)
    sample = audit.read_sample(container.input_folder("decisions"))
    if sample is None or sample["of"] not in runs:
        return None, rows
    rows = audit.answered(sample, rows)
    promised = audit.promise(summary.read(container.input_folder("labels")))
    return audit.evaluate(sample, rows, promised), rows


def _coded_twice(before: Published, runs: list[str]) -> pa.Table | None:
    """The rows that second reviewers have coded, this sheet's among them; None where there are none."""
    rows = published.read_beside(container.input_folder("labels"), before.manifest, agreement.ANSWERS)
    second = agreement.read_second(container.input_folder("decisions"))
    return rows if second is None or second["of"] not in runs else agreement.answered(second, rows)


def _summary(
    table: pa.Table,
    about: dict[str, object],
    decisions: pa.Table,
    book: Codebook,
    audited: dict[str, Any] | None,
) -> dict[str, Any]:
    """The summary of what is amended, with counts as they are now; a new audit replaces an earlier one."""
    before = summary.read(container.input_folder("labels"))
    earlier_items = {row["code"]: row["earlier_items"] for row in before["codes"]}
    nothing = 0 if before["earlier"] else None
    # Labels from before decisions lasted do not count what has become of earlier ones.
    people = dict.fromkeys(("earlier", "renamed", "ended", "not_kept"), 0) | (before["decisions"] or {})
    not_kept = people["not_kept"] + kept_decisions.not_kept(decisions)
    by_code = month_changes.codes(month_changes.usable(table), None, book, str(about["period"]))
    now = {row["code"] for row in by_code}
    gone = [row | {"items": 0} for row in before["codes"] if row["code"] not in now and row["earlier_items"]]
    found = before | {
        "run": about["run"],
        "amends": about["amends"],
        "counts": summary.counts(table, about),
        "codes": [row | {"earlier_items": earlier_items.get(row["code"], nothing)} for row in by_code] + gone,
        "review": before["review"] | {"items": about["review"]},
        "decisions": people | kept_decisions.in_labels(table) | {"not_kept": not_kept},
        "audit": audited or before.get("audit"),
    }
    # Labels from before summaries had a history: what was found then stays.
    return with_attention(found) if "history" in found else found


if __name__ == "__main__":
    container.run(main)
