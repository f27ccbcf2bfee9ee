"""One case of the corpus: files as somebody delivers them, and what is right.

Each module beside this one has a list `CASES`; tests/processing/dataset/test_input_cases.py plays them all.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset import manifest
from processing.dataset.accept import Accepted, accept

GROUP, PERIOD, URI = "DE-weee", "2026-10", "s3://landing/inference/DE-weee/2026-10/d1/"
COLUMNS = ("item_id", "title", "brand", "product_type", "weight_kg", "material")


@dataclass(frozen=True)
class Case:
    """Files and their right outcome.

    Attributes:
        name: a sentence without its full stop, of what was delivered.
        files: content by name, a manifest too where it is to be a wrong one; large ones are made by a
            function.
        kinds: names of all kinds that are to be found, a refusal's alone; none: taken as it is.
        rows: how many rows are usable; None: it is refused.
        says: what a refusal's sentence must hold.
        values: of the usable rows, columns and their values in order.
        format: what the codebook says of the group's files.
        listed: rows by file as the manifest has them; a file that is missing here is not listed. By default
            every file is, with as many rows as there are usable and set aside.
        purpose: `inference` or `training`.
    """

    name: str
    files: dict[str, bytes | Callable[[], bytes]]
    kinds: tuple[str, ...] = ()
    rows: int | None = None
    says: tuple[str, ...] = ()
    values: dict[str, list[Any]] = field(default_factory=dict)
    format: dict[str, str] = field(default_factory=dict)
    listed: dict[str, int] | None = None
    purpose: str = "inference"


def book(form: dict[str, str]) -> Codebook:
    """A codebook with the attributes of COLUMNS, and `form` as its format."""
    entries = [
        {"code": code, "description": code, "valid_from": "2018-08-15", "valid_to": None, "critical": False}
        for code in ("1", "2", "3")
    ]
    entries.append(entries[0] | {"code": "0", "valid_to": "2020-12-31"})
    attributes = [{"name": "weight_kg", "type": "number"}, {"name": "material", "type": "category"}]
    fields = {"group": GROUP, "version": "1", "attributes": attributes, "codes": entries, "format": form}
    return codebook.parse(json.loads(json.dumps(fields)))


def deliver(case: Case, folder: Path) -> Path:
    """Write the files and their manifest into the folder."""
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content())
    listed = dict.fromkeys(case.files, case.rows or 0) if case.listed is None else case.listed
    if manifest.NAME not in case.files:
        manifest.write(folder, URI, listed, dict.fromkeys(COLUMNS, "text"))
    return folder


def play(case: Case, folder: Path) -> Accepted:
    """Deliver the files and accept them. Raises JobError where the dataset is refused."""
    deliver(case, folder)
    return accept(
        manifest.read(folder, URI),
        book(case.format),
        group=GROUP,
        period=PERIOD,
        purpose=case.purpose,
        uri=URI,
    )
