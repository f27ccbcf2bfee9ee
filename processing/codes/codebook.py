"""Codebooks as the jobs read them: the codes of a model group and when each is in force.

Only the standard library: the command line reads codebooks with the same code.
"""

import json
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from processing.codes.successions import CodeMap, Succession
from processing.codes.successions import parse as parse_successions
from processing.digests import check
from processing.errors import BadCodebook


@dataclass(frozen=True)
class Code:
    """One code. It is in force from `valid_from` to `valid_to`, both days included; None: with no end.

    `references` has, by name of another list (`unu`), the keys there that mean this code. `same_as` names
    codes of other groups, `DE-weee:1`, whose items all have this code here.
    """

    code: str
    description: str
    valid_from: date
    valid_to: date | None
    critical: bool
    references: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    same_as: tuple[str, ...] = ()

    def in_force(self, first: date, last: date) -> bool:
        """Whether the code is in force on any day from `first` to `last`."""
        return self.valid_from <= last and (self.valid_to is None or self.valid_to >= first)


@dataclass(frozen=True)
class Attribute:
    """A column that the group's items have besides the common ones; `type` is `number` or `category`."""

    name: str
    type: str


@dataclass(frozen=True)
class HardText:
    """A text that every new model is tried on by name, and the code that is right for it."""

    title: str
    code: str
    brand: str = ""
    product_type: str = ""


@dataclass(frozen=True)
class Format:
    """How a group's text files are written: what is None is recognised in each file.

    Attributes:
        separator: of the fields of a CSV: `,`, `;`, `|` or a tab.
        decimal: the sign in numbers that are text: `.` or `,`.
        encoding: as Python names it: `utf-8`, `windows-1252`.
        quoting: how a CSV writes a quote inside quotes: `doubled` or `backslash`.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    quoting: str | None = None


@dataclass(frozen=True)
class Codebook:
    """The codebook of one model group, in one version."""

    group: str
    version: str
    attributes: tuple[Attribute, ...]
    codes: tuple[Code, ...]
    successions: tuple[Succession, ...] = ()
    format: Format = Format()
    hard_texts: tuple[HardText, ...] = ()

    def in_force(self, period: str) -> list[str]:
        """The codes in force in a period (`YYYY-MM`), in the codebook's order."""
        first, last = days_of(period)
        return [code.code for code in self.codes if code.in_force(first, last)]

    def code_map(self, period: str) -> CodeMap:
        """From every code the group ever had to the codes in force in a period (`YYYY-MM`)."""
        return CodeMap(self.successions, tuple(self.in_force(period)), period)


def scheme_of(group: str) -> str:
    """`weee` of `DE-weee`: what the groups of all countries under one kind of law have in common."""
    return group.partition("-")[2]


def name_of(group: str, code: str) -> str:
    """A code as the codebooks of other groups name it: `DE-weee:1`."""
    return f"{group}:{code}"


def days_of(period: str) -> tuple[date, date]:
    """First and last day of a period `YYYY-MM`; ValueError for anything else."""
    first = date.fromisoformat(f"{period}-01")
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def load(folder: Path, digest: str) -> Codebook:
    """Read the one codebook in a job's input folder: that of the SHA-256 `digest` (hex), and no other.

    Its sense (dates that meet, successions) was checked when it was published.

    Raises:
        BadCodebook: there is not one codebook, or it cannot be read.
        Tampered: it is not the one that was published.
    """
    files = sorted(folder.glob("*.json"))
    if len(files) != 1:
        raise BadCodebook(
            f"Expected one codebook, found {len(files)}.",
            "publish one with `labelmill codebook publish`, then start the run again.",
        )
    check(
        files[0],
        digest,
        f"The codebook {files[0].name}",
        "restore that object's first version in the work bucket, then start the run again.",
    )
    try:
        return parse(json.loads(files[0].read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise BadCodebook(
            f"{files[0].name} is not a codebook ({type(error).__name__}: {error}).",
            "see what `labelmill codebook check` says about it, and publish it again under a new version.",
        ) from error


def parse(fields: dict[str, Any]) -> Codebook:
    """A codebook from its JSON (docs/contracts.md). Raises KeyError, TypeError or ValueError."""
    codes = tuple(
        Code(
            code=entry["code"],
            description=entry["description"],
            valid_from=date.fromisoformat(entry["valid_from"]),
            valid_to=date.fromisoformat(entry["valid_to"]) if entry["valid_to"] else None,
            critical=entry["critical"],
            references={name: tuple(keys) for name, keys in entry.get("references", {}).items()},
            same_as=tuple(entry.get("same_as", ())),
        )
        for entry in fields["codes"]
    )
    successions = parse_successions(fields.get("successions", ()))
    attributes = tuple(Attribute(entry["name"], entry["type"]) for entry in fields["attributes"])
    for attribute in attributes:
        if attribute.type not in ("number", "category"):
            raise ValueError(
                f"attribute {attribute.name} has the type {attribute.type}; it must be number or category"
            )
    return Codebook(
        fields["group"],
        fields["version"],
        attributes,
        codes,
        successions,
        Format(**fields.get("format", {})),
        tuple(HardText(**entry) for entry in fields.get("hard_texts", ())),
    )
