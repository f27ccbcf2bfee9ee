"""A codebook's file, read and checked. The format is described in docs/codebooks.md.

Publishing one, and reading the one that is published: publish.py.
"""

import json
import re
from pathlib import Path
from typing import Any, NoReturn

from pipelines.codebooks.check import Problem, problems
from pipelines.errors import Refused

#: How a table begins that may be a list of codes: names with separators.
LIST_OF_CODES = re.compile(r"\A[\w \"]+[,;\t][\w \",;\t]*\r?\n")


class CodebookError(Refused):
    """A codebook that cannot be used; `problems` says what is wrong, where, and how to put it right."""

    def __init__(self, *found: Problem):
        super().__init__("\n".join(map(str, found)))
        self.problems = found


def read(path: str | Path) -> dict[str, Any]:
    """The codebook in the file `path`, checked. Raises CodebookError naming every problem."""
    try:
        # A byte order mark is what Windows' editors put in front of UTF-8.
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CodebookError(
            Problem(str(path), "the file", error.strerror or str(error), "check the path and its rights")
        ) from error
    except UnicodeDecodeError as error:
        raise CodebookError(
            Problem(str(path), f"byte {error.start + 1}", "this is not UTF-8", "save the file as UTF-8")
        ) from error
    return parse(text, str(path))


def parse(text: str, file: str, policy: dict[str, Any] | None = None) -> dict[str, Any]:
    """The codebook in the JSON `text`, checked; `file` is the name shown in errors.

    `policy` is that of a published codebook, which is kept beside it. Raises CodebookError.
    """
    try:
        codebook = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        if LIST_OF_CODES.search(text) or file.lower().endswith((".csv", ".tsv")):
            fix = f"make one with: labelmill codebook from-csv {file} (--help says how)"
            raise CodebookError(
                Problem(file, "the file", "this is a CSV, a codebook is JSON", fix)
            ) from error
        place = f"line {error.lineno}, column {error.colno}"
        fix = "look for a missing comma, quote or bracket there or just before"
        raise CodebookError(Problem(file, place, f"this is not JSON ({error.msg})", fix)) from error
    except ValueError as error:
        raise CodebookError(
            Problem(file, "the file", str(error), "keep one of them, written as JSON")
        ) from error
    return checked(codebook if policy is None else {**codebook, "policy": policy}, file)


def checked(codebook: dict[str, Any], file: str) -> dict[str, Any]:
    """`codebook` itself when it is good. Raises CodebookError naming every problem."""
    if found := problems(codebook, file):
        raise CodebookError(*found)
    return codebook


def _unique(pairs: list[tuple[str, object]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice}" is written twice in one entry')
    return fields


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")
