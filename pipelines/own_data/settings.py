"""labelmill.toml: a person's columns and groups. Read here, and written as the text that a person keeps.

A group's codes and its policy are in its codebook (docs/codebooks.md), and nowhere else.
"""

import codecs
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import Refused
from pipelines.names import GROUP_PATTERN
from pipelines.own_data.columns import BRAND, CODE, ID, PRODUCT_TYPE, ROLES, TITLE, Columns
from processing.codes.codebook import Format
from processing.dataset.csv_header import SEPARATORS

FILE = "labelmill.toml"
TOP = ("split_by", "columns", "file", "groups")
#: What a dataset can do without.
OPTIONAL = (BRAND, PRODUCT_TYPE)
FORMAT = ("separator", "decimal", "encoding", "quoting")
#: What each setting of FORMAT may be; an encoding is any that Python knows.
ALLOWED = {"separator": tuple(SEPARATORS), "decimal": (".", ","), "quoting": ("doubled", "backslash")}


@dataclass(frozen=True)
class Group:
    """A model group.

    Attributes:
        codebook: its file.
        rows: the value of `split_by` that its rows have.
        without: roles of OPTIONAL that none of its rows has; the columns of other groups.
    """

    codebook: Path
    rows: str = ""
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What labelmill.toml says.

    Attributes:
        path: the file; others are named from its folder.
        roles: role of ROLES to a column; only those that there are.
        attributes: name in the codebooks to a column.
        groups: by name.
        split_by: the column that says of which group a row is; empty: every row is of every group.
        stated: what is said of text files.
    """

    path: Path
    roles: dict[str, str]
    attributes: dict[str, str]
    groups: dict[str, Group]
    split_by: str = ""
    stated: Format = field(default_factory=Format)

    def group(self, name: str) -> Group:
        """Raises Refused for a group that is not there."""
        if name not in self.groups:
            raise Refused(
                f"{self.path} has no group {name}. Fix: name one of {', '.join(self.groups)}, or add it there"
            )
        return self.groups[name]

    def columns(self, book: Mapping[str, Any], purpose: str) -> Columns:
        """The columns of a group's rows, with the attributes of its codebook. Raises Refused."""
        if missing := [each["name"] for each in book["attributes"] if each["name"] not in self.attributes]:
            raise Refused(
                f"The codebook of {book['group']} has the attribute {missing[0]}, {self.path} has no column "
                "for it. "
                f'Fix: add {missing[0]} = "your column" under [columns.attributes]'
            )
        unread = self.groups[book["group"]].without + (() if purpose == "training" else (CODE,))
        roles = {role: column for role, column in self.roles.items() if role not in unread}
        asked = (TITLE, CODE) if purpose == "training" else (TITLE, ID)
        for role in asked:
            if role not in roles:
                raise Refused(f"{self.path} names no column for {role}. Fix: add it under [columns]")
        kinds = {each["name"]: each["type"] for each in book["attributes"]}
        return Columns(roles, {name: self.attributes[name] for name in kinds}, kinds)

    def check_columns(self, columns: Columns, names: Sequence[str], group: str, file: str) -> None:
        """Raise Refused where a file, of which `names` are the columns, lacks one of a group's."""
        wanted = [*columns.roles.values(), *columns.attributes.values(), *filter(None, [self.split_by])]
        if missing := [column for column in wanted if column not in names]:
            raise Refused(
                f"{file} has no column {missing[0]!r}. Fix: write in {self.path} what it is called now"
                f"{_or_none(columns, missing[0], group)}; there are {', '.join(names[:20])}"
            )

    def check_filled(self, empty: Sequence[str], columns: Columns, group: str, file: str) -> None:
        """Raise Refused where columns of a group's rows are empty."""
        if empty:
            raise Refused(
                f"{file} has {empty[0]!r} empty in every row of {group}. Fix: fill it, or write in "
                f"{self.path} which column it is now{_or_none(columns, empty[0], group)}"
            )


def read(path: Path) -> Settings:
    """What the file says. Raises Refused."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise Refused(f"There is no {path}. Fix: make one with labelmill init FILE --group GROUP") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} is not TOML ({error}). Fix: correct that place") from None
    _known(content, TOP, str(path))
    columns = _table(content, "columns", path)
    attributes = _texts(_table(columns, "attributes", path), f"{path}, [columns.attributes]")
    roles = _texts({name: columns[name] for name in columns if name != "attributes"}, f"{path}, [columns]")
    _known(roles, (*ROLES, "attributes"), f"{path}, [columns]")
    split_by = str(content.get("split_by", ""))
    return Settings(
        path,
        {role: roles[role] for role in ROLES if roles.get(role)},
        attributes,
        _groups(_table(content, "groups", path), path, split_by),
        split_by,
        file_format(_table(content, "file", path), f"{path}, [file]"),
    )


def file_format(given: Mapping[str, Any], where: str) -> Format:
    """What is said of text files. Raises Refused; `where` says who says it."""
    _known(given, FORMAT, where)
    stated = {name: value for name, value in _texts(given, where).items() if value}
    for name, allowed in ALLOWED.items():
        if name in stated and stated[name] not in allowed:
            raise Refused(
                f"{where}: {name} is {stated[name]!r}. Fix: write one of {', '.join(map(repr, allowed))}"
            )
    try:
        codecs.lookup(stated.get("encoding", "utf-8"))
    except LookupError:
        raise Refused(
            f"{where}: there is no encoding {stated['encoding']!r}. Fix: write one like windows-1252"
        ) from None
    return Format(**stated)


def check_group(name: str) -> str:
    """The name of a model group. Raises Refused for any other text."""
    if not re.fullmatch(GROUP_PATTERN, name):
        raise Refused(f"{name!r} is not a model group. Fix: write country and scheme, like DE-weee")
    return name


def as_text(settings: Settings, file: str) -> str:
    """The settings as a file with comments; `file` is what they were made from."""
    named = {role: f"{role} = {_quoted(settings.roles.get(role, ''))}" for role in ROLES}
    roles = "\n".join(f"{line:40} # {WHAT[role]}" for role, line in named.items())
    attributes = "\n".join(f"{name} = {_quoted(column)}" for name, column in settings.attributes.items())
    said = {name: getattr(settings.stated, name) for name in FORMAT}
    formats = "\n".join(
        f"{name} = {_quoted(value)}" if value else f"# {name} = {_quoted(EXAMPLES[name])}"
        for name, value in said.items()
    )
    split = (
        f"split_by = {_quoted(settings.split_by)}"
        if settings.split_by
        else '# split_by = "country"    # for files with rows of several groups'
    )
    groups = "\n\n".join(
        f"[groups.{name}]\ncodebook = {_quoted(group.codebook.as_posix())}"
        + (f"\nrows = {_quoted(group.rows)}" if group.rows else "")
        + (f"\nwithout = {json.dumps(group.without)}" if group.without else "")
        for name, group in settings.groups.items()
    )
    return TEXT.format(
        file=file, split=split, roles=roles, attributes=attributes, formats=formats, groups=groups
    )


WHAT = {
    "item_id": "names an item; needed for items to label",
    "title": "what it is called",
    "brand": 'empty ("") where there is no such column',
    "product_type": "the shop's own category",
    "label": "its code; read for training only",
}
EXAMPLES = {"separator": ";", "decimal": ",", "encoding": "windows-1252", "quoting": "doubled"}
TEXT = """\
# How your files become datasets. Made by labelmill init from {file}; yours to
# change and to keep, with the codebooks, under version control.
# What each line means: docs/own-data.md.

# The column that says of which group a row is; each group's `rows` is its value there.
{split}

# Ours = "yours". Other columns are not read.
[columns]
{roles}

# More columns to learn from, by their names in the codebooks, which say what they are.
[columns.attributes]
{attributes}

# Of text files. What is left out is recognised in each file.
[file]
{formats}

# A group's codes and its policy are in its codebook.
{groups}
"""


def _or_none(columns: Columns, column: str, group: str) -> str:
    """How to say that a group has no such column any more, where a dataset can do without."""
    for role in OPTIONAL:
        if columns.roles.get(role) == column:
            return (
                f'; if there is none any more, without = ["{role}"] under [groups.{group}]: a model that has '
                "learned from it then labels worse, until one is trained without"
            )
    if column in columns.attributes.values():
        return "; if there is none any more, take it out of the codebook's attributes"
    return ""


def _groups(content: Mapping[str, Any], path: Path, split_by: str) -> dict[str, Group]:
    groups = {}
    for name in content:
        where = f"{path}, [groups.{name}]"
        check_group(name)
        table = _table(content, name, path)
        _known(table, ("codebook", "rows", "without"), where)
        without = table.pop("without", [])
        if not isinstance(without, list) or any(role not in OPTIONAL for role in without):
            raise Refused(f"{where}: without is {without!r}. Fix: write a list of {', '.join(OPTIONAL)}")
        given = _texts(table, where)
        if "codebook" not in given:
            raise Refused(f'{where} names no codebook. Fix: add codebook = "codebooks/{name}.json"')
        if split_by and not given.get("rows"):
            raise Refused(f"{where} has no rows. Fix: add the value that its rows have in {split_by!r}")
        rows = given.get("rows", "") if split_by else ""
        groups[name] = Group(path.parent / given["codebook"], rows, tuple(without))
    if not groups:
        raise Refused(f"{path} has no group. Fix: add [groups.DE-weee] with its codebook")
    return groups


def _table(content: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    found = content.get(name, {})
    if not isinstance(found, dict):
        raise Refused(f"{path}: {name} is {found!r}. Fix: write a table, [{name}]")
    return found


def _texts(content: Mapping[str, Any], where: str) -> dict[str, str]:
    for name, value in content.items():
        if not isinstance(value, str):
            raise Refused(f"{where}: {name} is {value!r}. Fix: write it in quotes")
    return dict(content)


def _known(content: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := [name for name in content if name not in known]:
        raise Refused(f"{where} has the unknown {unknown[0]!r}. Fix: write one of {', '.join(known)}")


def _quoted(text: str) -> str:
    """A TOML string: JSON's, but for one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
