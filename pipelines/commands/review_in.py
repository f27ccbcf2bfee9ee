"""A filled sheet of any kind: checked, and the run started that publishes what it says; in sentences."""

from datetime import UTC, datetime
from pathlib import Path

from pipelines.commands.review_labels import import_labels
from pipelines.names import parse_run
from pipelines.review import decisions, sample, second, sheet
from pipelines.review.published import (
    Output,
    Places,
    ReviewError,
    current_codebook,
    current_policy,
    published,
)
from processing.labels import agreement, audit
from processing.words import counted

ANEW = "the month was labelled anew since this was drawn"


def import_sheet(places: Places, path: Path, by: str) -> str:
    """Check a filled sheet and start the run that publishes its decisions; return the message for the person.

    `places` is of pipelines/review/published.py; `by` is who decided. Raises ReviewError or SheetError.
    """
    rows = list(sheet.read(path))
    group, period = decisions.group_and_period(rows, str(path))
    exported, now = rows[0][1]["run"], datetime.now(UTC)
    if (named := parse_run(exported)) and named.purpose == "training":
        return import_labels(places, path, rows, group, by)
    newest = published(places, group, period)
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
