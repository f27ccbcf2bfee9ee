"""`labelmill review`: sheets of uncertain items and of blind samples, out and back."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands import arguments
from pipelines.commands.shared import Subparsers, add_stack, guarded
from processing.policy import SUGGEST
from processing.words import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.review.published import Output, Places
    from processing.codes.codebook import Codebook

ANEW = "the month was labelled anew since this was drawn"
EPILOG = """\
Fill in the column `code`: a code, or NONE (no code fits), SKIP (I cannot tell), WITHDRAW (take back what a
person decided). A mark in `none` says NONE as well, `why` may say the reason. Leave all other columns as they
are; empty rows stay open. The sheet is CSV; a workbook with a list to pick from where the file ends in .xlsx;
a page to label on by keys, in any browser and offline, where it ends in .html: it saves a CSV.
With --items the sheet has the items you name, also those that are labelled or decided: to correct them.
With --second a few of the rows go on a second sheet, for another person: it shows how far two people agree.
`sample` draws labels that no person has looked at, once a month, and shows nothing of them: what comes back
measures how many are right, and corrects those that are not.
`labels` writes the training labels that are likely wrong: what comes back counts from the next training on.

Examples:
  labelmill review export DE-weee 2026-10 --out review.xlsx
  labelmill review export DE-weee 2026-10 --out review.html
  labelmill review import review.xlsx --by "A. Muster"
  labelmill review export DE-weee 2026-10 --items wrong.txt --out correct.xlsx
  labelmill review sample DE-weee 2026-10 --out sample.xlsx
  labelmill review labels DE-weee --out labels.xlsx
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `review` and its four verbs to the command line."""
    parser = subparsers.add_parser(
        "review",
        description="Export the items a person must review, import the decisions (docs/outputs.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    export = verbs.add_parser(
        "export",
        help="write the sheet, most valuable items first",
        epilog="Example: labelmill review export DE-weee 2026-10",
    )
    arguments.add_group_and_period(export)
    export.add_argument(
        "--run", dest="of_run", metavar="RUN", help="labels of this run (default: the newest)"
    )
    which = export.add_mutually_exclusive_group()
    which.add_argument(
        "--items", type=Path, metavar="FILE", help="these items, whatever their status: one item_id a line"
    )
    which.add_argument(
        "--second",
        type=_sheet,
        metavar="FILE",
        help="a sheet of some of the rows, for a second person to code",
    )
    export.add_argument("--out", type=_sheet, metavar="FILE", help="default: review-GROUP-PERIOD.csv")
    export.set_defaults(run=guarded(_export))

    sample = verbs.add_parser(
        "sample",
        help="write a blind random sample of the labels that no person has looked at",
        epilog="Example: labelmill review sample DE-weee 2026-10 --width 1 --out sample.xlsx",
    )
    arguments.add_group_and_period(sample)
    sample.add_argument(
        "--width", type=_points, metavar="POINTS", help="of the interval, to either side (default: 2)"
    )
    sample.add_argument("--most", type=int, metavar="N", help="at most so many rows, however wide it gets")
    sample.add_argument("--out", type=_sheet, metavar="FILE", help="default: sample-GROUP-PERIOD.csv")
    sample.set_defaults(run=guarded(_sample))

    labels = verbs.add_parser(
        "labels",
        help="write the training labels that are likely wrong, the worst first",
        epilog="Example: labelmill review labels DE-weee --out labels.xlsx",
    )
    labels.add_argument("group", type=arguments.group, metavar="GROUP", help="a model group, such as DE-weee")
    labels.add_argument("--model", metavar="MODEL", help="learned from them (default: the group's newest)")
    labels.add_argument("--out", type=_sheet, metavar="FILE", help="default: labels-GROUP.csv")
    labels.set_defaults(run=guarded(_labels))

    import_ = verbs.add_parser(
        "import",
        help="check a filled sheet and publish the labels with its decisions",
        epilog='Example: labelmill review import review.xlsx --by "A. Muster"',
    )
    import_.add_argument("file", type=Path, metavar="FILE")
    import_.add_argument("--by", required=True, metavar="NAME", help="who decided; kept with each decision")
    import_.set_defaults(run=guarded(_import))

    add_stack(export, sample, labels, import_)


def _sheet(text: str) -> Path:
    if not text.endswith((".csv", ".xlsx", ".html")):
        raise argparse.ArgumentTypeError(f"{text} is no sheet's name. Fix: end it in .csv, .xlsx or .html")
    return Path(text)


def _export(args: argparse.Namespace) -> int:
    path = args.out or Path(f"review-{args.group}-{args.period}.csv")
    wanted = _ids(args.items) if args.items else None
    places = _places(args.stack)
    print(export_sheet(places, args.group, args.period, path, args.of_run, wanted, args.second))
    return 0


def _points(text: str) -> float:
    """Points as a share: `2` is 0.02."""
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2})?", text) or not 0.1 <= float(text) <= 50:
        raise argparse.ArgumentTypeError(f"{text} is not a number of points from 0.1 to 50")
    return float(text) / 100


def _sample(args: argparse.Namespace) -> int:
    path = args.out or Path(f"sample-{args.group}-{args.period}.csv")
    print(sample_sheet(_places(args.stack), args.group, args.period, path, args.width, args.most))
    return 0


def sample_sheet(
    places: Places,
    group: str,
    period: str,
    path: Path,
    width: float | None = None,
    most: int | None = None,
) -> str:
    """Write the sheet of a month's blind sample; return the message for the person.

    `places` is of pipelines/review/published.py; `width` and `most` of pipelines.review.sample.draw. Raises
    ReviewError.
    """
    from pipelines.review import sample
    from pipelines.review.published import current_codebook, published

    drawn = sample.draw(places, published(places, group, period), datetime.now(UTC), width, most)
    codes = _codes(current_codebook(places, group), period)
    _write(path, drawn.output, list(sample.sheet_rows(places, drawn)), codes, sample.COLUMNS)
    written = f"{path}: {counted(len(drawn.rows), 'item')} of {len(drawn.codes):,} labels without a person"
    return f"{written}, drawn on {drawn.record['drawn_at'][:10]} as {drawn.name}\n{_choice(codes, period)}"


def _labels(args: argparse.Namespace) -> int:
    print(
        labels_sheet(
            _places(args.stack), args.group, args.out or Path(f"labels-{args.group}.csv"), args.model
        )
    )
    return 0


def labels_sheet(places: Places, group: str, path: Path, model: str | None = None) -> str:
    """Write the sheet of a training's likely wrong labels; return the message for the person.

    `places` is of pipelines/review/published.py; `model` names the training, by default the newest. Raises
    ReviewError, LedgerError or RowsMissing.
    """
    from pipelines.review import training_labels
    from pipelines.review.published import current_codebook

    doubtful, learned = training_labels.doubtful(places, group, model)
    of = f"{doubtful.manifest['model']} learned from {counted(learned.num_rows, 'row')}"
    if not doubtful.labels.num_rows:
        return f"{of}: none has a label that is likely wrong"
    found = doubtful.labels.num_rows
    doubtful = training_labels.left_open(doubtful, training_labels.decided(places, group))
    if not doubtful.labels.num_rows:
        return f"{of}: people have decided on all {found:,} labels that are likely wrong"
    book, period = current_codebook(places, group), doubtful.manifest["period"]
    codes = _codes(book, period)
    _write(
        path,
        doubtful,
        list(training_labels.sheet_rows(doubtful, learned, book)),
        codes,
        training_labels.COLUMNS,
    )
    return (
        f"{path}: {counted(doubtful.labels.num_rows, 'likely wrong label')}; {of}\n{_choice(codes, period)}"
    )


def _ids(path: Path) -> list[str]:
    """The lines of a file; no item_id holds a line break."""
    from pipelines.review.published import ReviewError

    try:
        return [line for line in path.read_text(encoding="utf-8-sig").split("\n") if line]
    except UnicodeDecodeError:
        raise ReviewError(f"{path} is not UTF-8. Fix: save it as UTF-8, one item_id a line") from None


def export_sheet(
    places: Places,
    group: str,
    period: str,
    path: Path,
    of_run: str | None = None,
    wanted: list[str] | None = None,
    second: Path | None = None,
) -> str:
    """Write a month's sheet or page to label on, none if nothing waits; return what to tell people.

    `places` is of pipelines/review/published.py; `of_run` names the labels' run, by default the newest;
    `wanted` are the ids of the items, by default of those that wait for review; `second` is where the sheet
    for a second reviewer goes, if there is to be one. Raises ReviewError.
    """
    from pipelines.review import sheet
    from pipelines.review.published import current_codebook, current_policy, published
    from pipelines.review.queue import expected_right, sheet_rows
    from pipelines.review.second import draw as draw_second

    output = published(places, group, period, of_run)
    book = current_codebook(places, group)
    learned_rows, lacking = _learned(places, output)
    # Where a second person codes some of the rows, each item has its own: agreement is counted by items.
    policy = current_policy(places, group)
    policy = replace(policy, family=SUGGEST) if second else policy
    rows = list(sheet_rows(places, output, book, wanted, learned_rows, policy))
    if not rows:
        return f"Nothing is waiting for review in {output.address}"
    codes = _codes(book, period)
    _write(path, output, rows, codes, sheet.COLUMNS)
    written = f"{path}: {counted(len(rows), 'item')} of {output.manifest['run']}"
    if (more := sum(row["stands_for"] - 1 for row in rows if row["family"])) > 0:
        written += f"\nThey stand for {counted(len(rows) + more, 'item')}: see the column `stands_for`"
    if wanted is None:
        curve = expected_right(output.labels, [row["errors"] for row in rows])
        steps = ", ".join(f"{100 * share:.1f} % after {count:,}" for count, share in curve)
        written += f"\nOf the month's labels are expected to be right, by rows filled in: {steps}"
    if second:
        twice = draw_second(places, output, rows, datetime.now(UTC))
        _write(second, output, twice, codes, sheet.COLUMNS)
        written += f"\n{second}: {len(twice)} of them, for a second person to code"
    return f"{written}{lacking}\n{_choice(codes, period)}"


def _codes(book: Codebook, period: str) -> dict[str, str]:
    """The codes in force in a month, each with its description."""
    in_force = set(book.in_force(period))
    return {code.code: code.description for code in book.codes if code.code in in_force}


def _choice(codes: dict[str, str], period: str) -> str:
    from pipelines.review.sheet import WORDS

    listed = "\n".join(f"  {code}  {description}" for code, description in {**codes, **WORDS}.items())
    return f"The column `code` takes one of these, in force in {period}:\n{listed}"


def _learned(places: Places, output: Output) -> tuple[pa.Table | None, str]:
    """The rows that the labels' model learned from, or a line that says why none: they only help."""
    from pipelines.evidence.training_rows import RowsMissing
    from pipelines.ledger.reading import LedgerError
    from pipelines.review.published import learned

    try:
        return learned(places, output), ""
    except (LedgerError, RowsMissing) as error:
        return None, f"\nThe column `alike` is empty: {error}"


def _write(
    path: Path, output: Output, rows: list[dict[str, Any]], codes: Mapping[str, str], columns: Sequence[str]
) -> None:
    """Write a sheet, or, where the file's name ends in `.html`, the page to label on."""
    from pipelines.report import review_page
    from pipelines.review import labelling, sheet
    from pipelines.review.published import ReviewError

    if path.exists():
        raise ReviewError(
            f"{path} is there already, and somebody may have filled it in. Fix: import or remove it, or name "
            "another file"
        )
    if path.suffix != ".html":
        sheet.write(path, rows, codes, columns)
        return
    about = {"group": output.manifest["group"], "period": output.manifest["period"]}
    frequent = labelling.most_frequent(output.labels["code"])
    contents = labelling.contents(rows, codes, frequent, **about, file=f"{path.stem}.csv")
    path.write_text(review_page(contents), encoding="utf-8")


def _import(args: argparse.Namespace) -> int:
    from pipelines.review.published import ReviewError

    by = " ".join(args.by.split())
    if not by or len(by) > 80 or not by.isprintable():
        raise ReviewError("--by is empty, too long or unprintable. Fix: give a name of up to 80 letters")
    print(import_sheet(_places(args.stack), args.file, by))
    return 0


def import_sheet(places: Places, path: Path, by: str) -> str:
    """Check a filled sheet and start the run that publishes its decisions; return the message for the person.

    `places` is of pipelines/review/published.py; `by` is who decided. Raises ReviewError or SheetError.
    """
    from pipelines.review import decisions, sample, second, sheet
    from pipelines.review.published import current_codebook, current_policy, published
    from processing.labels import audit

    rows = list(sheet.read(path))
    group, period = decisions.group_and_period(rows, str(path))
    if f"-training-{period}-" in rows[0][1]["run"]:
        return _import_labels(places, path, rows, group, by)
    newest = published(places, group, period)
    exported, now = rows[0][1]["run"], datetime.now(UTC)
    if twice := second.find(places, exported):
        return _import_second(places, path, rows, twice, newest, by, now)
    drawn = sample.find(places, exported)
    if drawn:
        seen = drawn.output
    else:
        seen = newest if exported == newest.manifest["run"] else published(places, group, period, exported)
    items = {row["item_id"] for row in drawn.rows} if drawn else None
    book, family = current_codebook(places, group), current_policy(places, group).family
    found = decisions.read_sheet(rows, seen, newest, book, str(path), items, family)
    left = sum(not row["code"] for _, row in rows)
    said = [f"{counted(len(found.decisions), 'decision')} by {by}, {left} left open"]
    if found.of_family:
        said.append(f"{found.of_family} of them on items that are decided as another of their family")
    if found.not_for_family:
        said.append(decisions.first(found.not_for_family))
    if found.known:
        said.append(f"{found.known} more in the labels of {newest.manifest['run']} already")
    if found.overtaken:
        said += [f"{len(found.overtaken)} not taken:", decisions.first(found.overtaken)]
        said.append("Export those again where it matters (labelmill review export --items)")
    beside = None
    if drawn and drawn.record["of"] not in newest.runs:
        said.append(f"{ANEW}: of these labels the sample measures nothing")
    elif drawn and sample.is_news(places, newest, audit.ANSWERS, found.answers):
        beside = audit.SAMPLE, sample.handed_over(places, drawn, found.answers, by, now)
        said.append(f"{len(found.answers)} answers on a sample of {len(drawn.rows)}")
    if found.decisions or beside:
        run, new = decisions.send(places, newest, found.decisions, by, now, beside)
        said.append(f"The run {run} publishes them" if new else f"They were imported before: see run {run}")
    return "\n".join(said)


def _import_labels(
    places: Places, path: Path, rows: list[tuple[int, dict[str, str]]], group: str, by: str
) -> str:
    """As `import_sheet`, of a sheet of training labels: what is said counts from the next training on."""
    from pipelines.ledger import reading
    from pipelines.review import decisions, training_labels
    from pipelines.review.published import ReviewError, current_codebook

    run = rows[0][1]["run"]
    models = reading.read(places.dynamodb, places.table, group).models
    if (model := next((name for name, item in models.items() if item["run"] == run), None)) is None:
        raise ReviewError(
            f"{path}, row 2: no model of {group} is of {run}. Fix: leave the column `run` as exported"
        )
    doubtful, learned = training_labels.doubtful(places, group, model)
    listed = set(doubtful.labels["item_id"].to_pylist())
    book = current_codebook(places, group)
    told = training_labels.decided(places, group)
    # No item was decided on when a sheet was written. What the same person said since may be put right.
    seen = training_labels.as_decided(doubtful, told, by)
    newest = training_labels.as_decided(doubtful, told)
    found = decisions.read_sheet(rows, seen, newest, book, str(path), listed)
    left = len(rows) - len(found.decisions) - found.known - len(found.overtaken)
    said = [f"{counted(len(found.decisions), 'decision')} by {by}, {left} left open"]
    if found.known:
        said.append(f"{found.known} more decided so already")
    if found.overtaken:
        said += [f"{len(found.overtaken)} not taken:", decisions.first(found.overtaken)]
    if found.decisions:
        training_labels.keep(places, doubtful, learned, found.decisions, by, datetime.now(UTC))
        said.append(f"The next training of {group} learns from them")
    return "\n".join(said)


def _import_second(
    places: Places,
    path: Path,
    rows: list[tuple[int, dict[str, str]]],
    record: dict[str, str],
    newest: Output,
    by: str,
    now: datetime,
) -> str:
    """As `import_sheet`, of a second reviewer's sheet: it changes no label, people's agreement is counted."""
    from pipelines.review import decisions, sample, second
    from pipelines.review.published import ReviewError, current_codebook, published
    from processing.labels import agreement

    group, period = newest.manifest["group"], newest.manifest["period"]
    seen = published(places, group, period, record["run"])
    waiting, drawn = second.drawn_from(seen, record)
    found = decisions.read_sheet(rows, seen, newest, current_codebook(places, group), str(path), drawn)
    if record["of"] not in newest.runs:
        raise ReviewError(f"{path}: {ANEW}. Fix: export sheets of the new labels")
    said = f"{counted(len(found.answers), 'answer')} by {by}, to compare with what others decided"
    if not sample.is_news(places, newest, agreement.ANSWERS, found.answers):
        return f"{said}: all known already"
    beside = agreement.SECOND, second.handed_over(record, waiting, found.answers, by, now)
    run, new = decisions.send(places, newest, [], by, now, beside)
    return f"{said}\nThe run {run} counts them" if new else f"They were imported before: see run {run}"


def _places(stack: str) -> Places:
    import boto3

    from pipelines.review.published import Places
    from pipelines.stack import outputs

    return Places.of(boto3.client, outputs(stack, boto3.client("cloudformation")))
