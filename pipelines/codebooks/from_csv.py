"""A codebook made from a list of codes in a CSV, as spreadsheets save one. What is checked is in check.py."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.codebooks.check import Problem
from pipelines.codebooks.read import CodebookError, checked

COLUMNS = ("code", "description", "valid_from", "valid_to", "critical")
MUST = COLUMNS[:3]
YES_NO = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}


def from_csv(path: Path, group: str, version: str, language: str, source: str) -> dict[str, Any]:
    """The codebook, checked, with no attributes. An empty `valid_to` has no end, an empty `critical` is no.

    Raises CodebookError.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _error(
            path, "the file", error.strerror or str(error), "check the path and its rights"
        ) from error
    except UnicodeDecodeError as error:
        raise _error(path, f"byte {error.start + 1}", "this is not UTF-8", "save it as CSV UTF-8") from error
    codebook = {
        "group": group,
        "version": version,
        "language": language,
        "source": source,
        "attributes": [],
        "codes": list(_codes(path, text)),
    }
    return checked(codebook, str(path))


def _codes(path: Path, text: str) -> Iterator[dict[str, Any]]:
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    names = rows.fieldnames or []
    if missing := [name for name in MUST if name not in names]:
        raise _error(
            path, "row 1", f"it lacks {', '.join(missing)}", f"name the columns {', '.join(COLUMNS)}"
        )
    for number, row in enumerate(rows, 2):
        fields = {name: (row.get(name) or "").strip() for name in COLUMNS}
        critical = YES_NO.get(fields["critical"].lower())
        if critical is None:
            raise _error(
                path, f"row {number}, critical", f"{fields['critical']!r} is neither", "write yes or no"
            )
        yield fields | {"valid_to": fields["valid_to"] or None, "critical": critical}


def _error(path: Path, place: str, message: str, fix: str) -> CodebookError:
    return CodebookError(Problem(str(path), place, message, fix))
