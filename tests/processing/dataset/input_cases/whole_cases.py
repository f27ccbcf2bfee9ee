"""Rows, manifests and whole datasets, whatever the format of the files."""

import gzip
import json

from tests.processing.dataset.input_cases.case import URI, Case
from tests.processing.dataset.input_cases.csv_cases import HEADER, PLAIN

FILE = {"a.csv": PLAIN}
SIZE = len(PLAIN)
ONE = HEADER + b"1,Lampe,b,p,1,m\n"


def rows(name: str, more: str, *kinds: str, usable: int = 2) -> Case:
    """Two good rows and others."""
    return Case(
        name, {"a.csv": PLAIN + more.encode()}, kinds, rows=usable, listed={"a.csv": more.count("\n") + 2}
    )


def learnt(
    name: str, labels: list[str], *kinds: str, usable: int | None = None, says: tuple[str, ...] = ()
) -> Case:
    """A training dataset of rows with these labels, each with a text of its own."""
    lines = [f"{at},Ding {at},b,p,1,m,{label}\n" for at, label in enumerate(labels)]
    content = HEADER.replace(b"\n", b",label\n") + "".join(lines).encode()
    listed = {"a.csv": len(labels)}
    return Case(name, {"a.csv": content}, kinds, rows=usable, says=says, listed=listed, purpose="training")


def entry(name: str = "a.csv", uri: str = URI, **meta) -> dict:
    return {"url": uri + name, "meta": {"content_length": SIZE, "record_count": 2} | meta}


def listing(name: str, content: object, kind: str, *says: str, files=FILE) -> Case:
    """A good file with a manifest of its own; `content` is that, or its list of entries."""
    given = {"entries": content} if isinstance(content, list) else content
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    kinds, usable = ((kind,), None) if kind else ((), 2)
    return Case(name, {**files, "manifest": body}, kinds, rows=usable, says=says)


ROWS = [
    rows("A row without an id", ",Radio,b,p,1,m\n", "empty-id"),
    rows("An id of spaces", "  ,Radio,b,p,1,m\n", "empty-id"),
    rows("An id with a tab inside", "a\tb,Radio,b,p,1,m\n", "unusable-id"),
    rows("An id with a line break inside", '"a\nb",Radio,b,p,1,m\n'.replace("\n", "\r", 1), "unusable-id"),
    rows("An id with leading zeros beside one without", "01,Radio,b,p,1,m\n", usable=3),
    rows("The same row twice", "3,Radio,b,p,1,m\n3,Radio,b,p,1,m\n", "repeated-row", usable=3),
    rows("Two items with one id", "3,Radio,b,p,1,m\n3,Lampe,b,p,1,m\n", "duplicate-id"),
    rows("A third item with the id of the first", "1,Radio,b,p,1,m\n", "duplicate-id", usable=1),
    rows("A row without a title", "3,,b,p,1,m\n", "empty-title"),
    rows("A title that is one character", "3,x,b,p,1,m\n", usable=3),
    rows("A title of a megabyte and more", f"3,{'x' * ((1 << 20) + 1)},b,p,1,m\n", "too-long"),
    rows("A row without brand and product type", "3,Radio,,,1,m\n", usable=3),
    rows("A row without attributes", "3,Radio,b,p,,\n", usable=3),
    rows("A number in scientific notation", "3,Radio,b,p,1.5e3,m\n", usable=3),
    rows("A number with a sign and spaces around", "3,Radio,b,p, +1.5 ,m\n", usable=3),
    rows("Two kinds at once: the more basic one counts", ",,b,p,1,m\n", "empty-id"),
]
TRAINING = [
    learnt("Rows of two codes", ["1", "2"] * 40, usable=80),
    learnt("Rows of one code", ["1"] * 60, "one-label", says=("'1'",)),
    learnt(
        "Rows of one code beside others whose label has a space",
        ["1", "2 "] * 40,
        "one-label",
        says=("'1': there is nothing to learn. Set aside: 40 like a.csv, row 2: The label '2 ' is not in",),
    ),
    learnt(
        "Few rows left beside others that are set aside",
        ["1", "2"] * 10 + ["1.0"] * 50,
        "few-rows",
        says=("Set aside: 50 like a.csv, row 21: The label '1.0' is not in",),
    ),
    learnt("Ten rows", ["1", "2"] * 5, "few-rows", says=("30 at the very least",)),
    learnt("A header and no row for training", [], "no-rows"),
    learnt("A label that the codebook does not have", ["1", "2"] * 40 + ["x"], "unknown-label", usable=80),
    learnt("A label as a column of floats prints it", ["1", "2"] * 40 + ["1.0"], "unknown-label", usable=80),
    learnt("A label with a zero in front", ["1", "2"] * 40 + ["01"], "unknown-label", usable=80),
    learnt("A row without a label", ["1", "2"] * 40 + [""], "empty-label", usable=80),
    learnt("A label that is in force no more", ["1", "2"] * 40 + ["0"], "label-not-in-force", usable=80),
    learnt(
        "Labels that are all unknown",
        ["x", "y"] * 40,
        "no-usable-row",
        says=("has 80 rows and none is usable. 80 like",),
    ),
]
MANIFESTS = [
    listing("A manifest with its entries alone", [entry()], ""),
    listing("A manifest that is no JSON", b"entries: a.csv", "broken-manifest", "is not JSON"),
    listing("A manifest that is a list", [entry()][0], "broken-manifest", "`entries`"),
    listing("A manifest of texts instead of objects", ["a.csv"], "broken-manifest", "`entries`"),
    listing("A manifest without a file", [], "empty-manifest"),
    listing("A manifest without lengths", [{"url": URI + "a.csv"}], "broken-manifest", "length or row count"),
    listing("A file listed twice", [entry(), entry()], "listed-twice", "a.csv 2 times"),
    listing("A file of another folder", [entry(uri="s3://other/")], "listed-elsewhere", "s3://other/a.csv"),
    listing(
        "A file of another folder, at an address longer than a key can be",
        [entry(uri=f"s3://other/{'x' * 5000}/")],
        "listed-elsewhere",
        "s3://other/xxx",
        f"xxx…, which is no file below {URI}.",
    ),
    listing("A name that leads out of the folder", [entry("../a.csv")], "listed-elsewhere"),
    listing("A file that is not there", [entry(), entry("b.csv")], "not-delivered", "b.csv"),
    listing("A file that is not listed", [entry()], "not-listed", "b.csv", files=FILE | {"b.csv": PLAIN}),
    listing("A file that is cut off", [entry(content_length=SIZE + 9)], "other-length", "a.csv"),
    listing(
        "A file that was replaced by one of the same length",
        [entry(sha256="0" * 64)],
        "other-content",
        "a.csv is not what was recorded",
    ),
    listing("A row fewer than listed", [entry(record_count=3)], "other-number-of-rows", "2 rows", "says 3"),
    listing(
        "One row where many are listed",
        [entry(content_length=len(ONE), record_count=4000)],
        "other-number-of-rows",
        "a.csv has 1 row, the manifest says 4,000.",
        files={"a.csv": ONE},
    ),
    Case(
        "A single row, without a title",
        {"a.csv": ONE.replace(b"Lampe", b"")},
        ("no-usable-row",),
        says=(f"{URI} has 1 row and none is usable. 1 like a.csv, row 1: The title is empty.",),
        listed={"a.csv": 1},
    ),
    listing("A name without an ending", [entry("a")], "unknown-format", "a has", files={"a": PLAIN}),
    listing(
        "A workbook under its own name",
        [entry("a.xlsx")],
        "unknown-format",
        "a.xlsx",
        files={"a.xlsx": PLAIN},
    ),
    Case("No row in any file", {"a.csv": HEADER, "b.csv": HEADER}, rows=0, listed={"a.csv": 0, "b.csv": 0}),
    Case(
        "Files of several formats",
        {
            "a.csv": PLAIN,
            "b/b.csv.gz": gzip.compress(PLAIN.replace(b"1,L", b"3,L").replace(b"2,M", b"4,M"), mtime=0),
        },
        rows=4,
        listed={"a.csv": 2, "b/b.csv.gz": 2},
    ),
]
CASES = [*ROWS, *TRAINING, *MANIFESTS]
