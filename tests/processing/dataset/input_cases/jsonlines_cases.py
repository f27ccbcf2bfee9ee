"""JSON Lines as programs, databases and hand-made scripts write them."""

import gzip
import json

from tests.processing.dataset.input_cases.case import COLUMNS, Case

ROWS = (
    {
        "item_id": "1",
        "title": "Lampe",
        "brand": "b",
        "product_type": "p",
        "weight_kg": 1.5,
        "material": "Stahl",
    },
    {
        "item_id": "2",
        "title": "Monitor",
        "brand": None,
        "product_type": "",
        "weight_kg": None,
        "material": None,
    },
)
TITLES = {"title": ["Lampe", "Monitor"]}


def lines(*rows: dict, **dumps) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False, **dumps) + "\n" for row in rows).encode()


PLAIN = lines(*ROWS)


def row(number: int = 3, **fields) -> dict:
    return ROWS[0] | {"item_id": str(number)} | fields


def without(*fields: str, number: int = 1) -> dict:
    return {name: value for name, value in row(number).items() if name not in fields}


def taken(name: str, content, *kinds: str, file: str = "a.jsonl", values=TITLES, **more) -> Case:
    return Case(
        f"JSON Lines: {name}",
        {file: content},
        kinds,
        rows=len(next(iter(values.values()))),
        values=values,
        **more,
    )


def refused(name: str, content, kind: str, *says: str, file: str = "a.jsonl", **more) -> Case:
    return Case(f"JSON Lines: {name}", {file: content}, (kind,), says=(file, *says), **more)


def third(line: bytes) -> bytes:
    """Two good rows, and a line as it stands in the file."""
    return PLAIN + line + b"\n" + lines(row(4))


TAKEN = [
    taken("a plain file", PLAIN),
    taken("no line end at the end", PLAIN[:-1]),
    taken("line ends as in Windows", PLAIN.replace(b"\n", b"\r\n")),
    taken("line ends as on old Macs", PLAIN.replace(b"\n", b"\r")),
    taken("blank lines and lines of spaces", b"\n \t\n" + PLAIN.replace(b"\n", b"\n\n  \r\n") + b"\n"),
    taken("spaces around objects", PLAIN.replace(b"{", b"  {").replace(b"}", b"}\t ")),
    taken("no byte", b"", values={"title": []}),
    taken("a byte order mark and nothing else", b"\xef\xbb\xbf", values={"title": []}),
    taken("a byte order mark", b"\xef\xbb\xbf" + PLAIN),
    taken("UTF-16 with its mark", PLAIN.decode().encode("utf-16")),
    taken(
        "files joined with their marks",
        b"\xef\xbb\xbf" + PLAIN + b"\xef\xbb\xbf" + lines(row(3, title="Radio")),
        "inner-byte-order-mark",
        values={"title": ["Lampe", "Monitor", "Radio"]},
    ),
    taken("packed", gzip.compress(PLAIN, mtime=0), file="a.jsonl.gz"),
    taken("a name in capitals", PLAIN, file="A.JSONL"),
    taken(
        "fields in another order",
        lines(dict(reversed(ROWS[0].items())), ROWS[1]),
        values={"item_id": ["1", "2"]},
    ),
    taken(
        "an optional field that is absent in the first line",
        lines(without("material", "weight_kg"), row(2)),
        values={"material": [None, "Stahl"], "weight_kg": [None, 1.5]},
    ),
    taken(
        "a field that is absent in later lines",
        lines(row(1), without("brand", number=2)),
        values={"brand": ["b", ""]},
    ),
    taken(
        "a field absent in the first line and null in the others",
        lines(without("material"), row(2, material=None)),
        values={"material": [None, None]},
    ),
    taken(
        "a field's name written with escapes",
        PLAIN.replace(b'"title"', b'"\\u0074itle"'),
    ),
    taken(
        "texts with brackets, quotes and line ends in escapes",
        lines(row(1, title='} {"a"\n[1]'), row(2, title="}x{")),
        "control-character",
        values={"title": ['} {"a" [1]', "}x{"]},
    ),
    taken(
        "texts in which all but ASCII is escaped",
        lines(row(1)).replace(b"Lampe", b"\\u00fc \\ud83d\\ude00"),
        values={"title": ["ü 😀"]},
    ),
    taken(
        "numbers in quotes, as databases write decimals",
        lines(row(1, weight_kg="1.50"), row(2, weight_kg=None)),
        values={"weight_kg": [1.5, None]},
    ),
    taken("a number with an exponent", lines(row(1, weight_kg=1.5e-7)), values={"weight_kg": [1.5e-7]}),
    taken("an integer of 30 digits", lines(row(1, weight_kg=10**29)), values={"weight_kg": [1e29]}),
    taken(
        "NaN for a missing number, as Python writes it",
        lines(row(1, weight_kg=float("nan"))),
        values={"weight_kg": [None]},
    ),
    taken(
        "an id with zeros in front",
        lines(row(1, item_id="007")),
        values={"item_id": ["007"]},
    ),
    Case(
        "JSON Lines: an object without a field among others",
        {"a.jsonl": PLAIN + b"{}\n"},
        ("empty-id",),
        rows=2,
        values=TITLES,
        listed={"a.jsonl": 3},
    ),
    Case(
        "JSON Lines: an integer of 5,000 digits",
        {"a.jsonl": third(lines(row(3)).strip().replace(b"1.5", b"9" * 5_000))},
        ("unreadable-number",),
        rows=4,
        listed={"a.jsonl": 4},
    ),
    Case(
        "JSON Lines: a title of 2 MiB in the first line",
        {"a.jsonl": lambda: lines(row(1, title="x" * (2 << 20)), row(2))},
        ("too-long",),
        rows=1,
        listed={"a.jsonl": 2},
    ),
]
REFUSED = [
    refused("an array of objects", json.dumps(ROWS).encode(), "json-array", "one array", "jq"),
    refused("an array over several lines", json.dumps(ROWS, indent=2).encode(), "json-array", "one array"),
    refused("an array with one object a line", b"[\n" + PLAIN + b"]\n", "json-array"),
    refused("an array after rows", third(b'[{"item_id": "3"}]'), "json-array", "row 3"),
    refused("an empty array", b"[]", "json-array"),
    refused(
        "lines that end in commas",
        PLAIN.replace(b"}\n", b"},\n"),
        "broken-json-lines",
        "row 1, ends in a comma. Fix: write one JSON object a line, and nothing between them.",
    ),
    refused(
        "objects over several lines", lines(*ROWS, indent=2), "not-one-object-a-line", "row 1, ends inside"
    ),
    refused(
        "objects over several lines further down",
        PLAIN + lines(row(3), indent=1),
        "not-one-object-a-line",
        "row 3, ends inside",
    ),
    refused(
        "all objects on one line", PLAIN.replace(b"\n", b""), "not-one-object-a-line", "row 1, holds more"
    ),
    refused(
        "two objects on a later line",
        third(lines(row(3), row(4)).replace(b"\n", b" ")),
        "not-one-object-a-line",
        "row 3, holds more",
    ),
    refused(
        "one line with two objects and an object on two lines",
        PLAIN.replace(b"\n", b"") + b"\n" + lines(row(3)).replace(b", ", b",\n", 1),
        "not-one-object-a-line",
        "row 1",
    ),
    refused("null before the rows", b"null\n" + PLAIN, "broken-json-lines", "row 1, is not an object"),
    refused("nothing but null", b"null", "broken-json-lines", "row 1, is not an object"),
    refused("null between rows", third(b"null"), "broken-json-lines", "row 3, is not an object"),
    refused(
        "null between objects of one line",
        third(lines(row(3)).strip() + b"null" + lines(row(5)).strip()),
        "broken-json-lines",
        "row 3, is not JSON",
    ),
    refused("a number", third(b"7"), "broken-json-lines", "row 3, is not an object"),
    refused("a text in quotes", b'"item_id"\n' + PLAIN, "broken-json-lines", "row 1, is not an object"),
    refused("true", third(b"true"), "broken-json-lines", "row 3, is not an object"),
    refused("rows that end in commas", PLAIN.replace(b"}\n", b"},\n"), "broken-json-lines", "row 1"),
    refused("single quotes", PLAIN.replace(b'"', b"'"), "broken-json-lines", "row 1, is not JSON"),
    refused("a CSV", b"item_id,title\n1,Lampe\n", "broken-json-lines", "row 1, is not JSON"),
    refused("a comment", third(b"// end"), "broken-json-lines", "row 3, is not JSON"),
    refused("a last line that is cut off", PLAIN + lines(row(3))[:40], "broken-json-lines", "row 3"),
    refused(
        "a line end inside a text",
        PLAIN.replace(b"Monitor", b"Mon\nitor"),
        "broken-json-lines",
        "row 2",
    ),
    refused("a tab inside a text", PLAIN.replace(b"Monitor", b"Mon\titor"), "broken-json-lines", "row 2"),
    refused("NUL bytes between rows", third(b"\0\0\0"), "broken-json-lines", "row 3"),
    refused("a field twice", third(b'{"title": "a", "title": "b"}'), "repeated-field", "row 3", "'title'"),
    refused(
        "a field twice in the first line",
        PLAIN.replace(b'"item_id"', b'"title": "x", "item_id"'),
        "repeated-field",
        "row 1",
    ),
    refused(
        "a number twice",
        PLAIN.replace(b'"weight_kg": 1.5', b'"weight_kg": 1.5, "weight_kg": 2'),
        "repeated-field",
    ),
    refused("an unknown field in the first line", lines(row(1, colour="red")), "wrong-columns", "'colour'"),
    refused(
        "an unknown field in a later line",
        PLAIN + lines(row(3, colour="red")),
        "wrong-columns",
        "row 3",
        "'colour'",
    ),
    refused(
        "a field with another name",
        lines(without("brand") | {"Brand": "b"}),
        "wrong-columns",
        "it lacks 'brand' and has the unknown 'Brand'",
    ),
    refused("a field that no line has", lines(without("brand")), "wrong-columns", "it lacks 'brand'"),
    refused(
        "a field that no line has, though a text speaks of it",
        lines(without("brand") | {"title": 'the "brand": none'}),
        "wrong-columns",
        "it lacks 'brand'",
    ),
    refused(
        "a line of 20,000 fields",
        lambda: lines({f"c{n}": "x" for n in range(20_000)}),
        "wrong-columns",
        "and 19,992 more",
    ),
    refused(
        "an object in a field", lines(row(1, material={"de": "Stahl"})), "nested-value", "row 1: material"
    ),
    refused("an array in a field", PLAIN + lines(row(3, title=["a", "b"])), "nested-value", "row 3: title"),
    refused("an empty object as number", lines(row(1, weight_kg={})), "nested-value", "row 1: weight_kg"),
    refused(
        "200,000 arrays inside each other",
        b'{"title": ' + b"[" * 200_000,
        "nested-value",
        "row 1, is nested too deeply",
    ),
    refused(
        "a million objects inside each other, in a later line",
        lambda: third(b'{"title": ' + b'{"a": ' * 1_000_000 + b"1" + b"}" * 1_000_001),
        "nested-value",
        "row 3, is nested too deeply",
    ),
    refused("200,000 arrays and nothing else", b"[" * 200_000, "json-array"),
    refused("an id that is a number", lines(row(1, item_id=7)), "other-json-type", "row 1: item_id is 7"),
    refused(
        "an id of 5,000 digits",
        lines(row(1)).replace(b'"1"', b"1" * 5_000),
        "other-json-type",
        "item_id is 1111",
    ),
    refused("true as title", lines(row(1, title=True)), "other-json-type", "title is true, expected text"),
    refused("NaN for a missing text", lines(row(1, brand=float("nan"))), "other-json-type", "brand is NaN"),
    refused("true as number", lines(row(1, weight_kg=True)), "other-json-type", "weight_kg is true"),
    refused(
        "a number in quotes after plain ones",
        PLAIN + lines(row(3, weight_kg="7 kg")),
        "other-json-type",
        'row 3: weight_kg is "7 kg", expected a number',
    ),
    refused(
        "a plain number after ones in quotes",
        lines(row(1, weight_kg="7"), row(2)),
        "other-json-type",
        "row 2: weight_kg is 1.5, and text in quotes in rows before",
    ),
    refused(
        "a number that no double holds",
        PLAIN.replace(b"1.5", b"1e999"),
        "other-json-type",
        "weight_kg is 1e999, more than a double holds",
    ),
    refused("half a surrogate pair", third(b'{"title": "\\ud800"}'), "half-a-character", "row 3"),
    refused("bytes of Latin-1", PLAIN.replace(b"Monitor", b"\xe4"), "not-utf-8", "row 2"),
    refused("a workbook", b"PK\x03\x04" + PLAIN, "no-text"),
    refused(
        "a line of 40 MiB",
        lambda: third(lines(row(3, title="x" * (40 << 20))).strip()),
        "long-row",
        "row 3, is longer than 16 MiB",
    ),
    refused("one text of 900 MiB, packed", lambda: packed(900), "too-much-text", file="a.jsonl.gz"),
    refused(
        "many millions of empty objects on few lines",
        lambda: (b"{}" * (4 << 20) + b"\n") * 8,
        "too-much-text",
        "MiB of memory",
    ),
    refused("an ending that is not read", PLAIN, "unknown-format", file="a.json"),
]


def packed(mebibytes: int) -> bytes:
    begin, end = lines(row(1, title="|")).split(b"|")
    whole = gzip.compress(begin, 1, mtime=0) + gzip.compress(b"x" * (1 << 20), 1, mtime=0) * mebibytes
    return whole + gzip.compress(end, 1, mtime=0)


CASES = [*TAKEN, *REFUSED]
assert tuple(ROWS[0]) == COLUMNS
