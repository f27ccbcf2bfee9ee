"""Numbers and texts as people and systems write them, whatever the dialect of the file."""

from tests.processing.dataset.input_cases.case import Case
from tests.processing.dataset.input_cases.csv_cases import HEADER

NAMED = b"item_id;title;brand;product_type;weight_kg;material\n"
CORRECT = "Küche für Söhne – 5 €"


def weights(*values: str, header: bytes = HEADER) -> bytes:
    """A row for each weight."""
    by = "," if header is HEADER else ";"
    rows = [by.join((str(n), f"Lampe {n}", "b", "p", f'"{value}"', "m")) for n, value in enumerate(values)]
    return header + "\n".join(rows).encode() + b"\n"


def numbers(name: str, given: list[str], meant: list[float | None], *kinds: str, **more) -> Case:
    files = more.pop("files", {"a.csv": weights(*given)})
    return Case(name, files, kinds, rows=len(meant), values={"weight_kg": meant}, **more)


def no_numbers(name: str, given: list[str], kind: str, *says: str, header: bytes = HEADER, **more) -> Case:
    listed = {"a.csv": len(given)}
    return Case(name, {"a.csv": weights(*given, header=header)}, (kind,), says=says, listed=listed, **more)


def rows(*titles: str) -> bytes:
    """A row for each title, in quotes; every title is text that may be in quotes."""
    return HEADER + "".join(f'{n},"{title}",b,p,1.5,m\n' for n, title in enumerate(titles)).encode()


def texts(name: str, given: list[str], meant: list[str], *kinds: str) -> Case:
    return Case(name, {"a.csv": rows(*given)}, kinds, rows=len(meant), values={"title": meant})


def untitled(name: str, *titles: str) -> Case:
    files = {"a.csv": rows("Lampe", *titles)}
    listed = {"a.csv": 1 + len(titles)}
    return Case(name, files, ("empty-title",), rows=1, values={"title": ["Lampe"]}, listed=listed)


def twice(text: str, encoding: str = "windows-1252") -> str:
    """The text as it is when its UTF-8 was taken for another encoding."""
    octets = (bytes([octet]) for octet in text.encode())
    return "".join(octet.decode(encoding, errors="ignore") or chr(octet[0]) for octet in octets)


def training(*pairs: tuple[str, str]) -> bytes:
    """Forty labelled rows of different texts, and then a row for each title and label."""
    header = HEADER.rstrip(b"\n") + b",label\n"
    made = [(f"Lampe mit {n} Watt", "12"[n % 2]) for n in range(40)] + list(pairs)
    return (
        header + "".join(f"{n},{title},b,p,1.5,m,{label}\n" for n, (title, label) in enumerate(made)).encode()
    )


def labelled(name: str, *pairs: tuple[str, str], kinds: tuple[str, ...] = ()) -> Case:
    content = training(*pairs)
    return Case(name, {"a.csv": content}, kinds, rows=40 + len(pairs), purpose="training")


COMMA, POINT = {"decimal": ","}, {"decimal": "."}
CASES = [
    # Which sign is before the decimals.
    numbers("Decimal points", ["1.5", "0.25", "12"], [1.5, 0.25, 12]),
    numbers("Decimal commas", ["1,5", "0,25", "12"], [1.5, 0.25, 12]),
    numbers("A point in a thousand beside decimal commas", ["1,5", "1.234"], [1.5, 1234]),
    numbers("A comma in a thousand beside decimal points", ["1.5", "1,234"], [1.5, 1234]),
    numbers("Points and commas in one number, the comma last", ["1.234,5", "1.234"], [1234.5, 1234]),
    numbers("Commas and points in one number, the point last", ["1,234.5", "1,234"], [1234.5, 1234]),
    numbers("Millions grouped by points", ["1.234.567", "1.234"], [1234567, 1234]),
    numbers("Millions grouped by commas", ["1,234,567", "1,234"], [1234567, 1234]),
    numbers(
        "Thousands apart by spaces of all kinds",
        ["1 234,5", "1\u00a0234", "1\u202f234"],
        [1234.5, 1234, 1234],
    ),
    numbers("Thousands apart by apostrophes", ["1'234.5", "1’234"], [1234.5, 1234]),
    numbers("A zero before the sign, which no thousand has", ["0.234", "1.234"], [0.234, 1.234]),
    numbers("A comma after a zero", ["0,234", "1.234", "1,234"], [0.234, 1234, 1.234]),
    numbers("Powers of ten", ["1.5e3", "2E-1"], [1500, 0.2]),
    numbers("Powers of ten with a decimal comma", ["1,5E+3", "2E-1"], [1500, 0.2]),
    numbers("Signs, also the minus of typesetters", ["+1.5", "-2.5", "\u22123"], [1.5, -2.5, -3]),
    numbers(
        "A sign without digits on one side", [".5", "1.", ",", "-"], [0.5, 1, None, None], "unreadable-number"
    ),
    numbers(
        "Spaces around, also those that do not break", [" 1.5 ", "\u00a02.5\u00a0", "\t3.5"], [1.5, 2.5, 3.5]
    ),
    numbers("Nothing, spaces and NaN are missing", ["", " ", "NaN", "\u00a0", "1.5"], [None] * 4 + [1.5]),
    numbers(
        "Points that may be thousands and nothing that tells", ["1.234"], [1.234], "assumed-decimal-points"
    ),
    numbers(
        "A sign that another file of the dataset tells",
        [],
        [1.5, 1234],
        files={"a.csv": weights("1,5"), "b.csv": weights("1.234").replace(b"0,L", b"9,L")},
        listed={"a.csv": 1, "b.csv": 1},
    ),
    numbers("Whole numbers alone", ["1500", "12"], [1500, 12]),
    # Where nothing may be guessed.
    no_numbers(
        "Decimal points and decimal commas in one column",
        ["1.5", "2,5"],
        "mixed-decimals",
        "'1.5' in a.csv, row 1",
        "'2,5' in a.csv, row 2",
    ),
    no_numbers(
        "Weights as a German export has them, and a point where it should be a comma",
        ["1,5", "1.234", "1.234,5", "0.2"],
        "mixed-decimals",
        "'0.2' in a.csv, row 4",
    ),
    no_numbers(
        "A thousand decimal points, and then a million grouped by points",
        ["1.5"] * 1000 + ["1.234.567"],
        "mixed-decimals",
        "'1.5' in a.csv, row 1",
        "'1.234.567' in a.csv, row 1001",
    ),
    numbers(
        "A million grouped by points where the codebook says that points are decimal signs",
        ["1.5", "1.234.567"],
        [1.5, None],
        "unreadable-number",
        format=POINT,
    ),
    no_numbers(
        "Commas that may be thousands and nothing that tells",
        ["1,234", "2,345"],
        "unclear-decimals",
        "'1,234' in a.csv, row 1",
        "'2,345' in a.csv, row 2",
    ),
    no_numbers(
        "Points that may be thousands in a file of semicolons",
        ["1.234", "2.345"],
        "unclear-decimals",
        "row 1",
        header=NAMED,
    ),
    no_numbers("Signs that may be either, of both kinds", ["1,234", "1.234"], "unclear-decimals", "row 2"),
    no_numbers(
        "A comma that may be for thousands after points that may be, too",
        ["1.234", "2.345", "1,234"],
        "unclear-decimals",
        "'1,234' in a.csv, row 3",
    ),
    # What the codebook says.
    numbers("Thousands as the codebook says", ["1.234"], [1234], format=COMMA),
    numbers("Decimals as the codebook says", ["1,234"], [1.234], format=COMMA),
    numbers("Commas for thousands as the codebook says", ["1,234"], [1234], format=POINT),
    numbers(
        "A value with the other sign than the codebook says",
        ["1.5", "2.5", "3,5"],
        [1.5, 2.5, None],
        "unreadable-number",
        format=POINT,
    ),
    no_numbers("All with the other sign", ["1,5", "2,5", "3"], "format-contradicted", "row 1", format=POINT),
    # Values that are no numbers.
    *(
        numbers(f"{value!r} where a number should be", [value, "1.5"], [None, 1.5], "unreadable-number")
        for value in ("7 kg", "inf", "1e999", "--1", "0x10", "1.2.3", "12.34.567", "n/a", "½", "1..5", "1 5")
    ),
    # Texts that were encoded twice.
    *(
        texts(f"Encoded twice: {text}", [twice(text), "Lampe"], [text, "Lampe"], "doubly-encoded")
        for text in (
            CORRECT,
            "Décor d’été",
            "Żółty krzesło",
            "Příčka Šálek",
            "Ελληνικό φως",
            "20°C",
            "Lámpara niño",
            "Mañana ©",
            "São João",
            "Ñandú",
        )
    ),
    texts("Encoded three times", [twice(twice("Küche"))], ["Küche"], "doubly-encoded"),
    texts(
        "Encoded twice by way of Latin-1", [twice("CAFÉ Łódź", "latin-1")], ["CAFÉ Łódź"], "doubly-encoded"
    ),
    *(
        texts(f"A good text that looks like one encoded twice: {text}", [text], [meant or text], *kinds)
        for text, meant, *kinds in (
            ("BLÅ® Lampe", ""),
            ("MAÇû", ""),
            ("Õli “KÄ”", ""),
            ("GRÅ\u00a05 kg", "GRÅ 5 kg", "other-space"),
            ("LÅ–SEDA", ""),
            ("DEGRÉ : 5 Ä", ""),
            ("FJÄLLRÄ™", ""),
            ("Nestlé®™…", ""),
            ("Ã coração Â", ""),
            ("NÃO é são", ""),
        )
    ),
    texts("Encoded twice in one word only", ["KÃ¼che für"], ["KÃ¼che für"]),
    Case(
        "Ids and codes are not repaired",
        {"a.csv": rows("Lampe").replace(b"0,", "KÃ¼,".encode())},
        rows=1,
        values={"item_id": ["KÃ¼"]},
    ),
    # Texts in which there is nothing.
    untitled("A title of spaces", " ", "\u00a0", "\u2003\u3000"),
    untitled("A title that nobody sees", "\u200b", "\ufeff\u200d", "\u00ad", "\u2060", "\u3164", "\u2800"),
    untitled("A title of control characters", "\x01\x02", "\t", "\x7f\x85"),
    untitled("A title of signs alone", "-", "--", "???", "...", "/", "_"),
    untitled(
        "A title that says in English that there is none", "N/A", "n.a.", "NULL", "None", "not available"
    ),
    untitled(
        "A title that is a spreadsheet's error",
        *("#REF!", "#NAME?", "#N/A", " #DIV/0! ", "#NV", "#WERT!", "#BEZUG!", "#¿NOMBRE?", "#VALEUR!"),
    ),
    untitled("A title that says in German that there is none", "k. A.", "Keine Angabe", "unbekannt"),
    untitled(
        "A title that says in French that there is none", "Non disponible", "sans objet", "NON RENSEIGNÉ"
    ),
    untitled("A title that says in Spanish that there is none", "No aplica", "sin datos", "SIN TITULO"),
    untitled(
        "A title that says in Italian and Portuguese that there is none", "Non disponibile", "Não aplicável"
    ),
    untitled(
        "A title that says in Nordic languages that there is none", "Uppgift saknas", "Ei tietoa", "Ukendt"
    ),
    untitled(
        "A title that says in Polish and Czech that there is none", "Brak danych", "nie dotyczy", "Neuvedeno"
    ),
    untitled(
        "A title that says in Greek and Cyrillic that there is none", "Δ/Υ", "нет данных", "н/д", "няма"
    ),
    untitled(
        "A title that says in East Asian languages that there is none", "該当なし", "不適用", "해당 없음"
    ),
    texts(
        "Words that begin like nothing",
        ["Nathan", "N/A-Adapter", "Nullleiter", "KA 5", "None of us", "#WOW!", "Name", "Ref. 5"],
        ["Nathan", "N/A-Adapter", "Nullleiter", "KA 5", "None of us", "#WOW!", "Name", "Ref. 5"],
    ),
    texts("Spaces that do not break", ["5\u00a0kg\u202fMehl"], ["5 kg Mehl"], "other-space"),
    texts(
        "NUL, a tab, a line break and a line separator inside titles",
        ["5\0kg", "5\tkg", "5\nkg", "5\u2028kg"],
        ["5 kg"] * 4,
        "control-character",
    ),
    Case(
        "An id that nobody sees",
        {"a.csv": rows("Lampe", "Monitor").replace(b"1,", "\u200b,".encode())},
        ("empty-id",),
        rows=1,
        values={"item_id": ["0"]},
        listed={"a.csv": 2},
    ),
    # Texts with labels.
    labelled("Training rows of different texts"),
    labelled(
        "One text with two labels",
        ("Tischlampe", "1"),
        ("TISCHLAMPE", "2"),
        kinds=("same-text-two-codes",),
    ),
    labelled("One text twice with one label", ("Tischlampe", "1"), ("Tischlampe!", "1")),
]
