"""A month judged part by part is what it is judged whole: rows, findings, refusals."""

import json
from itertools import chain

import pyarrow as pa
import pytest

from processing.dataset import in_parts, manifest, rows, rows_set_aside
from processing.dataset.accept import accept
from processing.errors import JobError
from tests.processing.dataset.input_cases.case import COLUMNS, GROUP, PERIOD, URI, Case, book, deliver
from tests.processing.dataset.input_page import CASES

HEADER = ",".join(COLUMNS) + "\n"
#: Repeated rows, ids of several rows, numbers unread, signs mended: within parts and files, and over them.
AGAIN = Case(
    "Ids and rows again, in the same file and in others",
    {
        "1.csv": (
            HEADER + "1,Lamp,,,1.5,\n2,Bulb,,,x,\n1,Lamp,,,1.50,\n3,Tap,,,,\n4,A\u00a0B,,,1.5,\nnone,,,,,\n"
        ).encode(),
        "2.csv": (
            HEADER + "5,C\u00a0D,E\tF,,y,\n1,Lamp,,,1.5,\n3,Tub,,,,\n6,Pan,None,,0,\n,Pot,,,,\n"
        ).encode(),
        "3.jsonl": b"".join(
            b'{"item_id":"%s","title":"Pan","brand":null,"product_type":"","weight_kg":%s,"material":""}\n'
            % row
            for row in ((b"6", b"0"), (b"7", b"-0.0"), (b"7", b"0.0"))
        ),
    },
    listed={"1.csv": 6, "2.csv": 5, "3.jsonl": 3},
)


#: Large files are made by functions: parts of two rows would take minutes.
SMALL = [case for case in CASES if not any(map(callable, case.files.values()))]


@pytest.mark.parametrize("case", [*SMALL, AGAIN], ids=lambda case: case.name)
def test_parts_are_judged_as_the_whole(case, tmp_path, monkeypatch):
    monkeypatch.setattr(in_parts, "PART_ROWS", 2)
    dataset, kept = tmp_path / "dataset", tmp_path / "kept"
    dataset.mkdir()
    kept.mkdir()
    try:
        files = manifest.read(deliver(case, dataset), URI)
    except JobError:
        return  # before any row is read
    assert _in_parts(case, files, kept) == _whole(case, files)


def _whole(case: Case, files: list[manifest.DataFile]) -> tuple | str:
    try:
        found = accept(files, book(case.format), group=GROUP, period=PERIOD, purpose="inference", uri=URI)
    except JobError as refused:
        return str(refused)
    account = rows_set_aside.account(rows.Tally(found.rejected), found.table.num_rows)
    rejected = found.rejected.to_pylist()
    return found.made.to_pylist(), rejected, found.findings, found.dataset.recognised, account


def _in_parts(case: Case, files: list[manifest.DataFile], kept) -> tuple | str:
    try:
        items = in_parts.Items(files, book(case.format), GROUP, URI, kept)
        with (kept / "rejected.jsonl").open("wb") as file:
            made = list(chain(*map(pa.Table.to_pylist, items.parts(file))))
    except JobError as refused:
        return str(refused)
    lines = (kept / "rejected.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    account = rows_set_aside.account(items.rejected, items.delivered)
    return made, [json.loads(line) for line in lines], items.findings, items.recognised, account
