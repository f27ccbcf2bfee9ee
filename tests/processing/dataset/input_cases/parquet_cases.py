"""Parquet as warehouses and programs write it, and as nobody should."""

import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.processing.dataset.input_cases.case import COLUMNS, Case

VALUES: dict[str, Any] = {
    "item_id": ["1", "2"],
    "title": ["Lampe", "Monitor"],
    "brand": ["b", None],
    "product_type": ["p", ""],
    "weight_kg": [1.5, None],
    "material": ["Stahl", None],
}
VALUES_OF_ONE = {name: given[0] for name, given in VALUES.items()}
TITLES = {"title": ["Lampe", "Monitor"]}
BOMB_ROWS = 1_000_000


def written(table: pa.Table, **options) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def parquet(**columns) -> bytes:
    """Two rows, some columns of another type."""
    return written(pa.table(VALUES | columns))


def repeated(table: pa.Table, times: int, **options) -> bytes:
    """The same row group over and over: the file is never in memory as rows."""
    file = io.BytesIO()
    with pq.ParquetWriter(file, table.schema, **options) as writer:
        for _ in range(times):
            writer.write_table(table)
    return file.getvalue()


def alike(rows: int, title: str) -> pa.Table:
    """Rows that all have the same values."""
    return pa.table({name: [value] * rows for name, value in (VALUES_OF_ONE | {"title": title}).items()})


def dictionaries(title: str) -> pa.Table:
    """A million rows that share one title."""
    zeros = pa.array([0] * BOMB_ROWS, pa.int32())
    return pa.table(
        {
            name: pa.DictionaryArray.from_arrays(zeros, [value])
            for name, value in (VALUES_OF_ONE | {"title": title, "weight_kg": "1"}).items()
        }
    )


def renamed(names: list[str]) -> bytes:
    return written(pa.table([VALUES[name] for name in COLUMNS[: len(names)]], names=names))


def changed(content: bytes, at: int, by: bytes) -> bytes:
    """The bytes with others from `at` on, which counts from the end where it is negative."""
    start = at % len(content)
    return content[:start] + by + content[start + len(by) :]


def not_utf8() -> bytes:
    titles = pa.array([b"Lampe", b"Gr\xfcn"])
    text = pa.Array.from_buffers(pa.string(), 2, titles.buffers())
    return written(pa.table(VALUES | {"title": text}))


def taken(name: str, content, values: dict[str, list[Any]] = TITLES, file: str = "a.parquet") -> Case:
    return Case(f"Parquet: {name}", {file: content}, rows=len(next(iter(values.values()))), values=values)


def refused(name: str, content: bytes | Callable[[], bytes], kind: str, *says: str, **more) -> Case:
    return Case(f"Parquet: {name}", {"a.parquet": content}, (kind,), says=("a.parquet", *says), **more)


def wrong_type(name: str, column: str, values: pa.Array, *says: str) -> Case:
    return refused(name, lambda: parquet(**{column: values}), "wrong-type", f"column {column} is", *says)


TAKEN = [
    taken("a plain file", parquet()),
    taken("a file name in capitals", parquet(), file="A.PARQUET"),
    taken(
        "columns in another order",
        written(pa.table(dict(reversed(VALUES.items())))),
        {"item_id": ["1", "2"], "weight_kg": [1.5, None]},
    ),
    taken("no rows", written(pa.table(VALUES).slice(0, 0)), {"title": []}),
    taken(
        "no row group",
        written(pa.schema([(name, pa.string()) for name in COLUMNS]).empty_table(), row_group_size=1),
        {"title": []},
    ),
    taken("a row group for each row", written(pa.table(VALUES), row_group_size=1)),
    taken("without dictionaries", written(pa.table(VALUES), use_dictionary=False)),
    taken(
        "texts that share their beginnings",
        written(
            pa.table(VALUES),
            use_dictionary=False,
            column_encoding=dict.fromkeys(["title"], "DELTA_BYTE_ARRAY"),
        ),
    ),
    taken("packed by zstd", written(pa.table(VALUES), compression="zstd")),
    taken(
        "packed by gzip, pages of version 2",
        written(pa.table(VALUES), compression="gzip", data_page_version="2.0"),
    ),
    taken("large strings", parquet(title=pa.array(VALUES["title"], pa.large_string()))),
    taken("string views", parquet(title=pa.array(VALUES["title"], pa.string_view()))),
    taken("dictionary columns", parquet(title=pa.array(VALUES["title"]).dictionary_encode())),
    taken(
        "a dictionary column of integers as id",
        parquet(item_id=pa.array([7, 8]).dictionary_encode()),
        {"item_id": ["7", "8"]},
    ),
    taken(
        "ids of 64 bits",
        parquet(item_id=pa.array([9_007_199_254_740_993, -1])),
        {"item_id": ["9007199254740993", "-1"]},
    ),
    taken("true and false as text", parquet(material=pa.array([True, None])), {"material": ["true", None]}),
    taken("decimals as numbers", parquet(weight_kg=[Decimal("1.50"), None]), {"weight_kg": [1.5, None]}),
    taken(
        "decimals of 76 digits as numbers",
        parquet(weight_kg=pa.array([Decimal("1.5"), None], pa.decimal256(76, 2))),
        {"weight_kg": [1.5, None]},
    ),
    taken(
        "integers as numbers", parquet(weight_kg=pa.array([3, None], pa.int16())), {"weight_kg": [3.0, None]}
    ),
    taken(
        "half floats as numbers",
        parquet(weight_kg=pa.array([1.5, None], pa.float16())),
        {"weight_kg": [1.5, None]},
    ),
    taken("NaN as number", parquet(weight_kg=[float("nan"), 2.0]), {"weight_kg": [None, 2.0]}),
    taken("numbers as text", parquet(weight_kg=["1.50", " "]), {"weight_kg": [1.5, None]}),
    taken(
        "a column of nulls without a type",
        parquet(material=pa.nulls(2), weight_kg=pa.nulls(2)),
        {"material": [None, None], "weight_kg": [None, None]},
    ),
    taken(
        "a dictionary with one title for 100,000 rows",
        lambda: written(
            pa.table(
                {name: [VALUES[name][0]] * 100_000 for name in COLUMNS}
                | {"item_id": [f"{number}" for number in range(100_000)]}
            )
        ),
        {"title": ["Lampe"] * 100_000},
    ),
]
REFUSED = [
    # Columns and types.
    refused(
        "a column missing", renamed(["item_id", "title", "brand", "product_type"]), "wrong-columns", "lacks"
    ),
    refused("a column twice", renamed([*COLUMNS[:5], "title"]), "wrong-columns", "has twice 'title'"),
    refused("a name in capitals", renamed(["ITEM_ID", *COLUMNS[1:]]), "wrong-columns", "unknown 'ITEM_ID'"),
    refused(
        "1,900 columns too many",
        lambda: parquet(**{f"c{number}": ["x", "y"] for number in range(1_900)}),
        "wrong-columns",
        "and 1,892 more",
    ),
    refused(
        "20,000 columns",
        lambda: written(pa.schema([(f"c{n}", pa.string()) for n in range(20_000)]).empty_table()),
        "many-columns",
        "has 20,000 columns",
    ),
    refused(
        "100,000 columns",
        lambda: written(pa.schema([(f"c{n}", pa.string()) for n in range(100_000)]).empty_table()),
        "large-footer",
        "metadata",
    ),
    wrong_type("ids that are doubles", "item_id", pa.array([1.0, 2.0]), "double, expected text"),
    wrong_type("ids that are decimals", "item_id", pa.array([Decimal(1), Decimal(2)]), "decimal128"),
    wrong_type("a date as text", "material", pa.array([date(2026, 1, 1), None]), "date32"),
    wrong_type("a timestamp as text", "material", pa.array([datetime(2026, 1, 1), None]), "timestamp"),
    wrong_type("a timestamp as number", "weight_kg", pa.array([datetime(2026, 1, 1), None]), "timestamp"),
    wrong_type("true as number", "weight_kg", pa.array([True, None]), "bool, expected number"),
    wrong_type("binary as text", "title", pa.array([b"a", b"b"]), "binary, expected text"),
    wrong_type(
        "16 bytes each as id", "item_id", pa.array([b"x" * 16] * 2, pa.binary(16)), "fixed_size_binary"
    ),
    wrong_type("a list as text", "title", pa.array([["a"], ["b", "c"]]), "list"),
    wrong_type("a record as text", "title", pa.array([{"de": "a"}, {"de": "b"}]), "struct"),
    wrong_type(
        "a record of a thousand fields",
        "title",
        pa.array([{f"field{n}": "a" for n in range(1_000)}, None]),
        "struct",
    ),
    wrong_type(
        "a map as text", "title", pa.array([[("a", "b")], []], pa.map_(pa.string(), pa.string())), "map"
    ),
    wrong_type(
        "a dictionary of dates", "material", pa.array([date(2026, 1, 1), None]).dictionary_encode(), "date32"
    ),
    refused("bytes of Latin-1 in a text", not_utf8, "not-utf-8", "row 2: byte 3 (0xfc) of column title"),
    # Files that are broken or something else.
    refused("no byte", b"", "broken-parquet", "a.parquet has no byte", "leave it out of the manifest"),
    refused("four bytes", b"PAR1", "broken-parquet", "cut off"),
    refused("a CSV", b"item_id,title\n1,Lampe\n", "broken-parquet", "something else"),
    refused("cut off", parquet()[:-20], "broken-parquet", "cut off"),
    refused("cut off at the beginning", parquet()[40:], "broken-parquet", "something else"),
    refused(
        "encrypted", changed(changed(parquet(), 0, b"PARE"), -4, b"PARE"), "encrypted-parquet", "is encrypted"
    ),
    refused(
        "a footer longer than the file",
        changed(parquet(), -8, b"\xff\xff\xff\x7f"),
        "large-footer",
        "2,147,483,647",
    ),
    refused("a footer of another length", changed(parquet(), -8, b"\x10\x00\x00\x00"), "broken-parquet"),
    refused("a footer without a byte", changed(parquet(), -8, b"\0\0\0\0"), "broken-parquet"),
    refused("a footer of zeros", changed(parquet(), -600, b"\0" * 500), "broken-parquet"),
    refused("pages of zeros", lambda: changed(parquet(), 4, b"\0" * 60), "broken-parquet"),
    refused(
        "more rows than the manifest says",
        parquet(),
        "other-number-of-rows",
        "has 2 rows, the manifest says 1",
        listed={"a.parquet": 1},
    ),
    # What takes much more memory than the file has bytes.
    refused(
        "one long title in a dictionary for a million rows",
        lambda: written(dictionaries("x" * 5_000), store_schema=False),
        "large-parquet",
        "768 MiB",
    ),
    refused(
        "one long title in a dictionary column for a million rows",
        lambda: written(dictionaries("x" * 2_000)),
        "large-parquet",
    ),
    refused(
        "one long title in the dictionaries of many row groups",
        lambda: repeated(alike(10_000, "x" * 1_000), 100),
        "large-parquet",
    ),
    refused(
        "titles that share 5,000 characters with the one before",
        lambda: repeated(
            alike(10_000, "x" * 5_000),
            20,
            use_dictionary=False,
            column_encoding={"title": "DELTA_BYTE_ARRAY"},
        ),
        "large-parquet",
    ),
    refused(
        "equal titles of a kilobyte, packed",
        lambda: repeated(alike(10_000, "x" * 1_000), 100, use_dictionary=False, compression="zstd"),
        "large-parquet",
    ),
    refused(
        "a title of 20 MiB",
        lambda: written(alike(3, "x" * (20 << 20))),
        "long-row",
        "more than 16 MiB",
    ),
    refused(
        "100 million rows of nulls",
        lambda: repeated(pa.table(dict.fromkeys(COLUMNS, pa.nulls(1_000_000, pa.int32()))), 100),
        "large-parquet",
    ),
]
CASES = [*TAKEN, *REFUSED]
