"""CSV as shop systems, spreadsheets and databases write it."""

import gzip

from tests.processing.dataset.input_cases.case import COLUMNS, Case

HEADER = b"item_id,title,brand,product_type,weight_kg,material\n"
ROWS = b"1,Lampe,Muster,Leuchte,1.5,Stahl\n2,Monitor,,Bildschirm,,\n"
PLAIN = HEADER + ROWS
TITLES = {"title": ["Lampe", "Monitor"]}
#: Three rows of which every field is quoted, so that any text can be put in.
QUOTED = b'"%s","%s","b","p","1","m"\n'


def separated(by: bytes) -> bytes:
    return PLAIN.replace(b",", by)


def titled(*titles: bytes, header: bytes = HEADER) -> bytes:
    """Rows with the titles, quoted; what is inside the quotes is given as it stands in the file."""
    return header + b"".join(QUOTED % (b"%d" % number, title) for number, title in enumerate(titles))


def taken(name: str, content: bytes, *kinds: str, file: str = "a.csv", values=TITLES, **more) -> Case:
    return Case(name, {file: content}, kinds, rows=len(next(iter(values.values()))), values=values, **more)


def refused(name: str, content, kind: str, *says: str, file: str = "a.csv", **more) -> Case:
    return Case(name, {file: content}, (kind,), says=(file, *says), **more)


def beside(name: str, files: dict[str, bytes]) -> Case:
    """A good file with others beside it that are not listed."""
    return Case(name, {"a.csv": PLAIN, **files}, rows=2, values=TITLES, listed={"a.csv": 2})


TAKEN = [
    taken("A plain CSV", PLAIN),
    taken("A CSV without a line end at its end", PLAIN[:-1]),
    taken("Lines that end as Windows has them", PLAIN.replace(b"\n", b"\r\n")),
    taken("Lines that end as old Macs have them", PLAIN.replace(b"\n", b"\r")),
    taken("Blank lines between rows and at the end", PLAIN.replace(b"\n2", b"\n\r\n\n2") + b"\n\n"),
    taken("Blank lines before the header", b"\r\n\n" + PLAIN),
    taken("A header and no row", HEADER, values={"title": []}),
    taken("A file without a byte that is listed without rows", b"", "empty-file", values={"title": []}),
    taken("A byte order mark and nothing else", b"\xef\xbb\xbf", "empty-file", values={"title": []}),
    taken(
        "Columns in another order",
        b"title,item_id,material,weight_kg,product_type,brand\nLampe,1,m,1,p,b\n",
        values={"item_id": ["1"], "brand": ["b"], "weight_kg": [1.0]},
    ),
    # Separators.
    taken("Semicolons", separated(b";")),
    taken("Tabs", separated(b"\t")),
    taken("Tabs in a file named .tsv", separated(b"\t"), file="a.tsv"),
    taken("Vertical bars", separated(b"|")),
    taken(
        "Semicolons, and commas in the texts",
        separated(b";").replace(b"Lampe", b"Lampe, rot, 5 W"),
        values={"title": ["Lampe, rot, 5 W", "Monitor"]},
    ),
    taken(
        "Semicolons in quotes in a CSV of semicolons",
        separated(b";").replace(b"Lampe", b'"a;b"'),
        values={"title": ["a;b", "Monitor"]},
    ),
    taken(
        "Commas, and more semicolons than commas in the texts",
        PLAIN.replace(b"Lampe", b"a;b;c;d;e;f;g;h"),
        values={"title": ["a;b;c;d;e;f;g;h", "Monitor"]},
    ),
    taken("A line that says the separator, as Excel writes it", b"sep=;\r\n" + separated(b";")),
    taken("A line that says the separator, in quotes", b'"sep=,"\n' + PLAIN),
    taken("A mark, then a line that says a tab", b"\xef\xbb\xbfsep=\t\n" + separated(b"\t")),
    taken("Semicolons as the codebook says", separated(b";"), format={"separator": ";"}),
    # Names of files and columns.
    taken("A file named in capitals", PLAIN, file="EXPORT.CSV"),
    taken("A packed file named in capitals", gzip.compress(PLAIN, mtime=0), file="A.CSV.GZ"),
    taken("A packed file of tabs", gzip.compress(separated(b"\t"), mtime=0), file="a.tsv.gz"),
    taken(
        "Two packed files made one",
        gzip.compress(HEADER, mtime=0) + gzip.compress(ROWS, mtime=0),
        file="a.csv.gz",
    ),
    taken("A header in capitals", HEADER.upper() + ROWS, "other-names"),
    taken("A header with spaces around the names", HEADER.replace(b",", b" , ") + ROWS, "other-names"),
    taken(
        "A header with no-break spaces around",
        HEADER.replace(b"title", "\u00a0title\u00a0".encode()) + ROWS,
        "other-names",
    ),
    taken("A header in quotes", b'"item_id","title","brand","product_type","weight_kg","material"\n' + ROWS),
    taken("One name with a capital", HEADER.replace(b"brand", b"Brand") + ROWS, "other-names"),
    # Byte order marks.
    taken("A byte order mark", b"\xef\xbb\xbf" + PLAIN),
    taken("A byte order mark before a quoted header", b'\xef\xbb\xbf"item_id"' + PLAIN[7:]),
    taken("Two byte order marks", b"\xef\xbb\xbf\xef\xbb\xbf" + PLAIN, "other-names"),
    taken(
        "Files joined with mark and header",
        b"\xef\xbb\xbf" + PLAIN + b"\xef\xbb\xbf" + PLAIN.replace(b"1,L", b"3,L").replace(b"2,M", b"4,M"),
        "inner-byte-order-mark",
        "repeated-header",
        values={"item_id": ["1", "2", "3", "4"]},
    ),
    taken(
        "Files joined with the mark alone",
        PLAIN + b"\xef\xbb\xbf3,Radio,b,p,1,m\n",
        "inner-byte-order-mark",
        values={"item_id": ["1", "2", "3"]},
    ),
    taken(
        "A mark before the first row's quote",
        HEADER + b'\xef\xbb\xbf"1",Lampe,b,p,1,m\n',
        "inner-byte-order-mark",
        values={"item_id": ["1"]},
    ),
    taken(
        "A mark inside a text, where it is a zero-width space",
        PLAIN.replace(b"Lampe", "La\ufeffmpe".encode()),
        values={"title": ["La\ufeffmpe", "Monitor"]},
    ),
    taken(
        "Files joined with their headers",
        PLAIN + HEADER + b"3,Radio,b,p,1,m\n",
        "repeated-header",
        values={"title": ["Lampe", "Monitor", "Radio"]},
    ),
    taken(
        "Files joined with their headers, which are counted in the manifest",
        PLAIN + HEADER + b"3,Radio,b,p,1,m\n",
        "repeated-header",
        values={"title": ["Lampe", "Monitor", "Radio"]},
        listed={"a.csv": 4},
    ),
    taken(
        "A header in capitals that is repeated",
        HEADER.upper() + ROWS + HEADER.upper(),
        "other-names",
        "repeated-header",
    ),
    taken(
        "A text that is called like its column",
        PLAIN.replace(b"Lampe", b"title"),
        values={"title": ["title", "Monitor"]},
    ),
    # Encodings.
    taken("UTF-16 with its mark, as Excel saves Unicode text", separated(b"\t").decode().encode("utf-16")),
    taken("UTF-32 with its mark", PLAIN.decode().encode("utf-32")),
    taken("UTF-16, the other way round", b"\xfe\xff" + PLAIN.decode().encode("utf-16-be")),
    taken(
        "Windows-1252 as the codebook says",
        PLAIN.replace(b"Lampe", "Kühl - 5 €".encode("cp1252")),
        values={"title": ["Kühl - 5 €", "Monitor"]},
        format={"encoding": "windows-1252"},
    ),
    taken(
        "Plain letters only where the codebook says Windows-1252", PLAIN, format={"encoding": "windows-1252"}
    ),
    taken("UTF-8 as the codebook says", b"\xef\xbb\xbf" + PLAIN, format={"encoding": "utf-8"}),
    taken(
        "Umlauts, Greek, Arabic and emoji",
        PLAIN.replace(b"Lampe", "Kühl Ψυγείο ثلاجة 😀".encode()),
        values={"title": ["Kühl Ψυγείο ثلاجة 😀", "Monitor"]},
    ),
    # Quotes.
    taken(
        "Quotes doubled inside quotes",
        titled(b'24"" TV', b'""x', b'a""""b'),
        values={"title": ['24" TV', '"x', 'a""b']},
    ),
    taken(
        "Separators and line breaks inside quotes",
        titled(b"a,b", b"a\nb", b"a\r\nb"),
        "control-character",
        values={"title": ["a,b", "a b", "a  b"]},
    ),
    taken("Every field in quotes", titled(b"a", b"b"), values={"title": ["a", "b"]}),
    taken(
        "Quotes for inches in fields that are not quoted",
        HEADER + b'1,24" TV,b,p,1,m\n2,"a ""b""",b,p,1,m\n',
        values={"title": ['24" TV', 'a "b"']},
    ),
    taken(
        "A backslash before each quote",
        titled(b'24\\" TV', b'27\\" TV, \\"neu\\"'),
        values={"title": ['24" TV', '27" TV, "neu"']},
    ),
    taken(
        "A backslash before a quote that ends a text",
        titled(b'24\\"', b"b", b'27\\"'),
        values={"title": ['24"', "b", '27"']},
    ),
    taken(
        "Backslashes before quotes and backslashes",
        titled(b'a\\"b', b"C:\\\\dir"),
        values={"title": ['a"b', "C:\\dir"]},
    ),
    taken(
        "Backslashes before quotes, and single ones in paths",
        titled(b'a\\"b', b"C:\\new"),
        values={"title": ['a"b', "C:\\new"]},
    ),
    taken(
        "Backslashes before quotes, and MySQL's null",
        titled(b'a\\"b') + b"9,c,\\N,p,\\N,\\N\n",
        values={"title": ['a"b', "c"], "brand": ["b", ""], "weight_kg": [1.0, None], "material": ["m", None]},
    ),
    taken(
        "Quotes doubled in one row and with backslashes in another",
        titled(b'a""b', b'24\\" TV'),
        values={"title": ['a"b', '24" TV']},
    ),
    taken(
        "Backslashes in plain texts",
        PLAIN.replace(b"Lampe", b"C:\\new\\dir"),
        values={"title": ["C:\\new\\dir", "Monitor"]},
    ),
    taken(
        "A text that ends with a backslash, in quotes",
        titled(b"C:\\", b"D:\\"),
        values={"title": ["C:\\", "D:\\"]},
    ),
    taken(
        "Backslashes as the codebook says, where both ways would do",
        HEADER + b'1,24\\" TV,b,p,1,m\n',
        values={"title": ['24" TV']},
        format={"quoting": "backslash"},
    ),
    taken(
        "Doubled quotes as the codebook says, where both ways would do",
        HEADER + b'1,24\\" TV,b,p,1,m\n',
        values={"title": ['24\\" TV']},
        format={"quoting": "doubled"},
    ),
    taken(
        "Semicolons and backslashes before quotes",
        titled(b'24\\" TV; neu', b"b").replace(b",", b";"),
        values={"title": ['24" TV; neu', "b"]},
    ),
]
REFUSED = [
    refused("A column is missing", b"item_id,title\n1,Lampe\n", "wrong-columns", "lacks 'brand'"),
    refused(
        "A column is there twice by its capitals",
        HEADER.replace(b"material", b"Brand") + ROWS,
        "wrong-columns",
        "twice 'brand'",
    ),
    refused(
        "A semicolon at the end of the header",
        separated(b";").replace(b"material", b"material;"),
        "wrong-columns",
        "a last column without a name, as where every row ends in a separator",
    ),
    refused("No header", ROWS, "no-header", "its first row is '1', 'Lampe'", "item_id, title"),
    refused("Only blank lines", b"\n\r\n\n", "no-header", "its first row is blank"),
    refused(
        "A title over the header",
        b"Artikelliste 2026;;\n" + separated(b";"),
        "no-header",
        "'Artikelliste 2026;;'",
    ),
    refused(
        "A header of two separators",
        b"item_id;title;brand,product_type,weight_kg;material\n1;a;b;c;1;d\n",
        "unclear-separator",
    ),
    refused(
        "A header half of commas and half of semicolons",
        b"item_id,title;brand;product_type,weight_kg\n",
        "unclear-separator",
        "separated by commas as well as semicolons",
    ),
    refused(
        "A header of commas and rows of semicolons",
        HEADER + ROWS.replace(b",", b";"),
        "unclear-separator",
        "row 1, is separated by semicolons, the header by commas",
    ),
    refused(
        "One row of tabs among rows of commas",
        PLAIN + b"3\tc\tb\tp\t1\tm\n",
        "unclear-separator",
        "row 3, is separated by tabs",
    ),
    refused(
        "A line that says another separator than the header has",
        b"sep=;\n" + PLAIN,
        "format-contradicted",
        "separated by commas, its first line says semicolons",
    ),
    refused(
        "Commas where the codebook says semicolons",
        PLAIN,
        "format-contradicted",
        "separated by commas, the codebook's format says semicolons",
        format={"separator": ";"},
    ),
    refused(
        "Decimal commas that are not quoted",
        HEADER + b"1,Lampe,b,p,1,5,m\n",
        "broken-csv",
        "row 1, has 7 fields, the header has 6",
    ),
    refused(
        "Rows in quotes as a whole",
        b'"item_id,title,brand,product_type,weight_kg,material"\n"1,""Lampe, rot"",b,p,1.5,m"\n',
        "broken-quotes",
        "its whole header in quotes",
        "quote single fields",
    ),
    refused("A row that is cut off", PLAIN + b"3,Rad", "broken-csv", "row 3, has 2 fields"),
    refused("A row of one word", PLAIN + b"Radio\n", "broken-csv", "row 3, has 1 field, the header has 6."),
    refused(
        "A row with more fields than columns",
        PLAIN + b"3,a,b,p,1,m,,,\n",
        "broken-csv",
        "row 3, has 9 fields",
    ),
    refused(
        "A row after one with line breaks that is wrong",
        HEADER + b'1,"a\nb\nc",b,p,1,m\n2,a\n',
        "broken-csv",
        "row 2, has 2 fields",
    ),
    refused(
        "A quote that is never closed",
        HEADER + b'1,"Lampe,b,p,1,m\n2,a,b,p,1,m\n',
        "broken-quotes",
        "row 1, opens a quote that is never closed",
    ),
    refused(
        "A quote that is never closed in the very last field",
        PLAIN + b'3,Radio,b,p,1,"m\n',
        "broken-quotes",
        "row 3, opens a quote that is never closed",
    ),
    refused(
        "A quote inside quotes that is not doubled",
        titled(b"a", b'24" TV'),
        "broken-quotes",
        "row 2, has a field that goes on after its closing quote",
    ),
    refused(
        "A text that differs by the way quotes are written",
        HEADER + b'1,24\\" TV,b,p,1,m\n',
        "unclear-quotes",
        "row 1",
        "'24\" TV'",
        '"quoting"',
    ),
    refused(
        "Single quotes that the codebook says are doubled",
        titled(b'24\\" TV'),
        "broken-quotes",
        "row 1",
        format={"quoting": "doubled"},
    ),
    refused(
        "Windows-1252",
        PLAIN.replace(b"Lampe", b"K\xfchlschrank"),
        "not-utf-8",
        "row 1: byte 56 (0xfc) is not UTF-8",
        "iconv -f WINDOWS-1252 -t UTF-8",
    ),
    refused(
        "Windows-1252 in the header",
        HEADER.replace(b"brand", b"gr\xf6\xdfe") + ROWS,
        "not-utf-8",
        "the header: byte 17",
    ),
    refused(
        "Windows-1252 far below a million bytes",
        titled(*[b"x" * 100] * 12_000) + b"z,K\xfchl,b,p,1,m\n",
        "not-utf-8",
        "row 12001:",
    ),
    refused(
        "UTF-16 without its mark",
        PLAIN.decode().encode("utf-16-le"),
        "not-utf-8",
        "UTF-16 without byte order mark",
        "iconv -f UTF-16LE",
    ),
    refused(
        "UTF-16 that is cut inside a character",
        b"\xff\xfe" + PLAIN.decode().encode("utf-16-le")[:-1],
        "not-utf-8",
        "utf-16-le",
    ),
    refused(
        "UTF-8 where the codebook says Windows-1252",
        PLAIN.replace(b"Lampe", "Kühl".encode()),
        "format-contradicted",
        "is UTF-8, the codebook's format says windows-1252",
        format={"encoding": "windows-1252"},
    ),
    refused(
        "A mark of UTF-16 where the codebook says UTF-8",
        b"\xff\xfe" + PLAIN.decode().encode("utf-16-le"),
        "format-contradicted",
        "begins with the mark of utf-16-le",
        format={"encoding": "utf-8"},
    ),
    refused(
        "A byte that Windows-1252 does not have",
        PLAIN.replace(b"Lampe", b"K\x81hl"),
        "not-utf-8",
        "is not cp1252",
        format={"encoding": "windows-1252"},
    ),
    refused("A workbook named .csv", b"PK\x03\x04" + bytes(100), "no-text", "a workbook or a ZIP archive"),
    refused("Parquet named .csv", b"PAR1" + bytes(100), "no-text", "Parquet"),
    refused("A packed file without .gz", gzip.compress(PLAIN, mtime=0), "no-text", "packed by gzip"),
    refused("A file named .gz that is not packed", PLAIN, "not-unpacked", file="a.csv.gz"),
    refused(
        "A packed file that is cut off", gzip.compress(PLAIN, mtime=0)[:-12], "not-unpacked", file="a.csv.gz"
    ),
    refused(
        "A packed file twice packed",
        gzip.compress(gzip.compress(PLAIN, mtime=0), mtime=0),
        "no-text",
        "packed by gzip",
        file="a.csv.gz",
    ),
    refused("A workbook", b"PK\x03\x04" + bytes(100), "unknown-format", file="a.xlsx"),
    # Bounds.
    refused(
        "20,000 columns",
        lambda: b",".join([HEADER[:-1], *(b"c%d" % n for n in range(20_000))]) + b"\n",
        "many-columns",
        "20,006 columns, more than 2,000",
    ),
    refused(
        "20,000 columns that are all unknown",
        lambda: b",".join(b"c%d" % n for n in range(20_000)) + b"\n",
        "no-header",
        "and 19,992 more",
    ),
    refused(
        "1,900 columns too many",
        lambda: b",".join([HEADER[:-1], *(b"c%d" % n for n in range(1_900))]) + b"\n",
        "wrong-columns",
        "and 1,892 more",
    ),
    refused(
        "A header that does not end", lambda: HEADER[:-1] + b"x" * (3 << 20), "long-header", "more than 1 MiB"
    ),
    refused("A header whose quote does not end", lambda: b'"' + PLAIN * 30_000, "long-header"),
    refused("A header of a million columns", lambda: b"," * 1_000_000 + b"\n", "no-header"),
    refused(
        "A field of 40 MiB",
        lambda: HEADER + b"1," + b"x" * (40 << 20) + b",b,p,1,m\n",
        "long-row",
        "row 1, is longer than 16 MiB",
    ),
    refused(
        "A quoted field of many lines and 40 MiB",
        lambda: PLAIN + b'3,"' + b"line\n" * (8 << 20) + b'",b,p,1,m\n',
        "long-row",
        "row 3",
    ),
    refused("A row of 20 million fields", lambda: HEADER + b"," * 20_000_000 + b"\n", "long-row", "row 1"),
    refused(
        "A gigabyte packed to one megabyte",
        lambda: gzip.compress(HEADER + b"x" * (400 << 20), 1),
        "too-much-text",
        "MiB of memory",
        file="a.csv.gz",
    ),
]
LEFT_OVER = [
    beside("Markers that Spark leaves", {"_SUCCESS": b"", "_committed_123": b"{}"}),
    beside("Checksums that Hadoop leaves", {".a.csv.crc": b"crc\0", "a.csv.crc": b"crc\0"}),
    beside("What EMR leaves for a folder", {"x_$folder$": b""}),
    beside("Hidden files", {".DS_Store": b"Bud1", "__MACOSX/a.csv": b"x"}),
    beside("A folder of parts that were not finished", {"_temporary/0/part-0.csv": PLAIN}),
    beside("A manifest inside a folder of the dataset", {"p/manifest": b"{}", "0000.manifest": b"{}"}),
    beside("Empty part files that are not listed", {"part-00001.csv": b"", "part-00002.parquet": b""}),
    beside("What Windows leaves", {"Thumbs.db": b"x", "desktop.ini": b"x"}),
    beside("What Office leaves beside an open file", {"~$a.csv": b"x", "b/~$b.xlsx": b"x"}),
    Case(
        "A data file that is not listed",
        {"a.csv": PLAIN, "b.csv": PLAIN},
        ("not-listed",),
        says=("b.csv",),
        listed={"a.csv": 2},
    ),
    taken("A file that is listed though its name begins with an underscore", PLAIN, file="_a.csv"),
    Case(
        "Two files in two dialects",
        {"a.csv": PLAIN, "b.csv": separated(b";").replace(b"1;L", b"3;L").replace(b"2;M", b"4;M")},
        rows=4,
        listed={"a.csv": 2, "b.csv": 2},
    ),
]
CASES = [*TAKEN, *REFUSED, *LEFT_OVER]
assert set(COLUMNS) == set(HEADER.decode().strip().split(","))
