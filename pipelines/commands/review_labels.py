"""Likely wrong training labels: the sheet of them that goes out, and what becomes of it when it is back."""

from datetime import UTC, datetime
from pathlib import Path

from pipelines.commands.review_out import choice, codes_in_force, write
from pipelines.ledger import reading
from pipelines.review import decisions, training_labels
from pipelines.review.published import Places, ReviewError, current_codebook
from processing.words import counted


def labels_sheet(places: Places, group: str, path: Path, model: str | None = None) -> str:
    """Write the sheet of a training's likely wrong labels; return the message for the person.

    `places` is of pipelines/review/published.py; `model` names the training, by default the newest. Raises
    ReviewError, LedgerError or RowsMissing.
    """
    doubtful, learned = training_labels.doubtful(places, group, model)
    of = f"{doubtful.manifest['model']} learned from {counted(learned.num_rows, 'row')}"
    if not doubtful.labels.num_rows:
        return f"{of}: none has a label that is likely wrong"
    found = doubtful.labels.num_rows
    doubtful = training_labels.left_open(doubtful, training_labels.decided(places, group))
    if not doubtful.labels.num_rows:
        return f"{of}: people have decided on all {found:,} labels that are likely wrong"
    book, period = current_codebook(places, group), doubtful.manifest["period"]
    codes = codes_in_force(book, period)
    write(
        path,
        doubtful,
        list(training_labels.sheet_rows(doubtful, learned, book)),
        codes,
        training_labels.COLUMNS,
    )
    return f"{path}: {counted(doubtful.labels.num_rows, 'likely wrong label')}; {of}\n{choice(codes, period)}"


def import_labels(
    places: Places, path: Path, rows: list[tuple[int, dict[str, str]]], group: str, by: str
) -> str:
    """As `import_sheet`, of a sheet of training labels: what is said counts from the next training on."""
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
