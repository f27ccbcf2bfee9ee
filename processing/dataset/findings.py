"""What a reader says of a file beside its rows: what it took the file for, and what it found and mended.

The kinds are in kinds.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from processing.dataset.kinds import Kind
from processing.words import counted

#: The file by which Publish knows what Prepare found.
FINDINGS = "findings.json"
SHOWN = 3
VALUE_LENGTH = 40


@dataclass(frozen=True)
class Recognised:
    """What a file was taken for; empty where that says nothing of its format.

    Attributes:
        format: `csv`, `jsonl` or `parquet`.
        encoding: of a text file, as `utf-8`.
        separator: of a CSV, the character itself.
        quoting: of a CSV, how a quote is written inside quotes: `doubled` or `backslash`.
        header: the names of the columns as they are in the file.
        decimal_comma: the columns of the dataset whose numbers, being text, have decimal commas.
    """

    format: str
    encoding: str = ""
    separator: str = ""
    quoting: str = ""
    header: tuple[str, ...] = ()
    decimal_comma: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where it was found. `row` is from 1, None: in no one row; `value` is `shortened`, or a reason."""

    file: str
    row: int | None = None
    value: str = ""


@dataclass(frozen=True)
class Finding:
    """How often one kind of thing was found, and the `first` places."""

    kind: Kind
    count: int
    first: tuple[Place, ...]


@dataclass(frozen=True)
class Read:
    """One file as it was read: its rows, with their number in the file as column `_row` (see `numbered`)."""

    table: pa.Table
    recognised: Recognised
    findings: tuple[Finding, ...] = ()


def numbered(table: pa.Table) -> pa.Table:
    """The rows of a file with `_row`, from 1. Who drops rows does so afterwards."""
    return table.append_column("_row", pa.array(np.arange(1, table.num_rows + 1, dtype=np.int32)))


def found_at(kind: Kind, places: Sequence[Place]) -> tuple[Finding, ...]:
    """A finding for all the places; none where there are none."""
    return (Finding(kind, len(places), tuple(places[:SHOWN])),) if places else ()


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with those of one kind made one, in the order in which the kinds come first."""
    by_kind: dict[str, Finding] = {}
    for finding in findings:
        before = by_kind.get(finding.kind.name, Finding(finding.kind, 0, ()))
        by_kind[finding.kind.name] = Finding(
            finding.kind, before.count + finding.count, (before.first + finding.first)[:SHOWN]
        )
    return tuple(by_kind.values())


def shortened(value: str) -> str:
    """A value as a Place has it."""
    return value if len(value) <= VALUE_LENGTH else f"{value[: VALUE_LENGTH - 1]}…"


def recognised_in_report(recognised: Iterable[tuple[str, Recognised]]) -> list[dict[str, Any]]:
    """For a report: what was recognised, equal ones once, with how many `files` and the `first`'s name."""
    files: dict[Recognised, list[str]] = {}
    for name, found in recognised:
        files.setdefault(found, []).append(name)
    return [
        {"files": len(names), "first": names[0]}
        | {field: value for field, value in asdict(found).items() if value}
        for found, names in files.items()
    ]


def findings_in_report(findings: Iterable[Finding]) -> dict[str, Any]:
    """For a report: by the name of the kind its `outcome`, how often it was found, and the `first` places."""
    return {
        finding.kind.name: {
            "outcome": finding.kind.outcome,
            "count": finding.count,
            "first": [asdict(place) for place in finding.first],
        }
        for finding in findings
    }


def in_words(found: Mapping[str, Any]) -> str:
    """How often each kind of `findings_in_report` was found, by what became of it; it holds no item."""
    by_outcome: dict[str, dict[str, int]] = {}
    for kind, each in found.items():
        by_outcome.setdefault(each["outcome"], {})[kind] = each["count"]
    parts = [f"{outcome}: {_commonest(counts)}" for outcome, counts in by_outcome.items()]
    return "; ".join(parts) or "nothing"


def _commonest(counts: Mapping[str, int]) -> str:
    ordered = [f"{kind} {count:,}" for kind, count in sorted(counts.items(), key=lambda each: -each[1])]
    more = f" and {counted(len(ordered) - SHOWN, 'more kind')}" if len(ordered) > SHOWN else ""
    return ", ".join(ordered[:SHOWN]) + more
