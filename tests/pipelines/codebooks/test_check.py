"""`labelmill codebook check`: every fault names file, place and fix."""

import json

import pytest

from pipelines.cli import main
from pipelines.review import sheet
from processing.codes import codebook
from processing.codes.reserved import RESERVED
from processing.dataset import rows
from processing.dataset.data_files import COMMON
from processing.dataset.decisions import ABOUT, DECISION
from processing.dataset.rows_to_share import KEYS
from processing.labels import label_table
from processing.policy import Policy


def entry(book: dict, code: str) -> dict:
    return next(entry for entry in book["codes"] if entry["code"] == code)


@pytest.fixture
def check(tmp_path, capsys):
    """Checks a codebook (parsed or as text) and returns exit code, output and complaints."""

    def run(book) -> tuple[int, str, list[str]]:
        file = tmp_path / "DE-weee.json"
        file.write_bytes(book if isinstance(book, bytes) else json.dumps(book).encode())
        code = main(["codebook", "check", str(file)])
        out, err = capsys.readouterr()
        complaints = err.splitlines()
        assert all(line.startswith(f"{file}: ") for line in complaints)
        return code, out, [line.removeprefix(f"{file}: ") for line in complaints]

    return run


def test_a_good_codebook_passes(check, book):
    code, out, complaints = check(book)
    assert (code, complaints) == (0, [])
    assert "OK. DE-weee 2026-11, 9 codes" in out


def test_a_code_that_replaced_another_is_the_same_as_what_that_was(check, book):
    same_as(**{"1": ["AT-weee:1"], "C": ["AT-weee:1", "CH-weee:1"], "4": ["CH-weee:4"]})(book)
    code, out, complaints = check(book)
    assert (code, complaints) == (0, [])
    assert "9 codes, learns from AT-weee (2 codes), CH-weee (2 codes)" in out


FORM = {
    "a missing field": (
        lambda book: entry(book, "4").pop("critical"),
        "codes, entry 4 (\"4\"): 'critical' is a required property. Fix: add it",
    ),
    "a misspelt field": (
        lambda book: entry(book, "4").update(descripton="Large"),
        "codes, entry 4 (\"4\"): Additional properties are not allowed ('descripton' was unexpected). "
        "Fix: check its spelling or remove it; the known ones are code, description,",
    ),
    "a code written as a number": (
        lambda book: entry(book, "4").update(code=4),
        "codes, entry 4 (4), code: 4 is not of type 'string'. Fix: write the code in quotes",
    ),
    "a code with a space at its end": (
        lambda book: entry(book, "4").update(code="4 "),
        'codes, entry 4 ("4 "), code: "4 " does not have the required form. Fix: write the code in quotes',
    ),
    "a code with a line end": (
        lambda book: entry(book, "4").update(code="4\n"),
        "no space at its ends",
    ),
    "a code that a spreadsheet would calculate": (
        lambda book: entry(book, "4").update(code="=4"),
        "it starts with a letter or digit",
    ),
    "a day that does not exist": (
        lambda book: entry(book, "1").update(valid_to="2026-02-30"),
        "codes, entry 1 (\"1\"), valid_to: '2026-02-30' is not a 'date'. "
        'Fix: write the last day the code is in force as "YYYY-MM-DD", or null while it has no end.',
    ),
    "an empty end": (lambda book: entry(book, "4").update(valid_to=""), "or null while it has no end"),
    "an empty description": (
        lambda book: entry(book, "4").update(description=" "),
        "Fix: write the official wording in quotes.",
    ),
    "a group that is no group": (
        lambda book: book.update(group="de_weee"),
        'group: "de_weee" does not have the required form. Fix: write country and scheme like "DE-weee".',
    ),
    "a version that leads out of its folder": (
        lambda book: book.update(version="../2026"),
        'version: "../2026" does not have the required form. Fix: write something like "2026-10"',
    ),
    "no source": (lambda book: book.update(source=""), "Fix: name the law and its annex"),
    "an unknown kind of attribute": (
        lambda book: book["attributes"][0].update(type="text"),
        "attributes, entry 1 (\"weight_kg\"), type: 'text' is not one of ['number', 'category']. Fix: write",
    ),
    "a single code": (
        lambda book: book.update(codes=book["codes"][3:4], successions=[]),
        "codes: minItems 2 is not met. Fix: list at least two codes",
    ),
    "an unknown kind of succession": (
        lambda book: book["successions"][0].update(kind="moved"),
        "successions, entry 1, kind: 'moved' is not one of",
    ),
    "a code that ends in NUL": (
        lambda book: entry(book, "4").update(code="4\0"),
        'codes, entry 4 ("4\\u0000"), code: "4\\u0000" holds the character NUL. Fix: write the text again',
    ),
    "a code that ends in a control character": (
        lambda book: entry(book, "4").update(code="4\x85"),
        "no space at its ends and no control character",
    ),
    "half a character in a code": (
        lambda book: entry(book, "4").update(code="4\ud800"),
        'codes, entry 4 ("4\\ud800"), code: "4\\ud800" holds half a character ("\\ud800"). Fix: write',
    ),
    "half a character in a description": (
        lambda book: entry(book, "4").update(description="Large \udfff"),
        'codes, entry 4 ("4"), description: "Large \\udfff" holds half a character',
    ),
    "half a character in a name": (
        lambda book: entry(book, "4").update(references={"\ud800": ["1"]}),
        'codes, entry 4 ("4"), references: the name "\\ud800" is no text. Fix: write it again.',
    ),
    "an unknown separator": (
        lambda book: book.update(format={"separator": ":"}),
        "format, separator: ':' is not one of [',', ';', '\\t', '|']. Fix: write",
    ),
    "an unknown decimal sign": (
        lambda book: book.update(format={"decimal": "'"}),
        "format, decimal: \"'\" is not one of ['.', ',']. Fix: write",
    ),
    "an unknown quoting": (
        lambda book: book.update(format={"quoting": "single"}),
        "format, quoting: 'single' is not one of ['doubled', 'backslash']. Fix: write",
    ),
    "an unknown field of the format": (
        lambda book: book.update(format={"delimiter": ";"}),
        "the known ones are separator, decimal, encoding, quoting",
    ),
    "a code of another group without its group": (
        lambda book: entry(book, "4").update(same_as=["4"]),
        'codes, entry 4 ("4"), same_as, entry 1: "4" does not have the required form. '
        'Fix: write group and code, like "DE-weee:1".',
    ),
    "references that are no lists": (
        lambda book: entry(book, "4").update(references={"unu": "0108"}),
        "codes, entry 4 (\"4\"), references, unu: '0108' is not of type 'array'. Fix: write a list",
    ),
}


def same_as(**codes: list[str]):
    """Plants `same_as` in the codebook's codes, in a group that shares by its scheme."""

    def plant(book: dict) -> None:
        book["policy"] = {"share_by": "weee"}
        for code, names in codes.items():
            entry(book, code)["same_as"] = names

    return plant


SENSE = {
    "a code that is the same as one of its own group": (
        same_as(L=["DE-weee:3"]),
        'codes, "L", same_as: "DE-weee:3" is a code of this very group. '
        'Fix: name codes of other groups of the scheme, like "XX-weee:1".',
    ),
    "a code that is the same as one of another scheme": (
        same_as(L=["AT-batteries:3"]),
        'codes, "L", same_as: "AT-batteries:3" is a code of another scheme than weee. '
        'Fix: name codes of other groups of the scheme, like "XX-weee:1".',
    ),
    "one code of another group at two codes": (
        same_as(**{"5a": ["AT-weee:5"], "5b": ["AT-weee:5"]}),
        'codes, "5b", same_as: "AT-weee:5" stands at "5a" too, so nobody can tell which of them a row of it '
        "is. Fix: name it at one code, or, where its items are of both, at none.",
    ),
    "same_as of a group that does not share": (
        lambda book: entry(book, "L").update(same_as=["AT-weee:3"]),
        'policy: codes have same_as, but share_by is "none", so no row of another group is learned. '
        'Fix: write "policy": {"share_by": "weee"}, or remove same_as.',
    ),
    "a list that is named like the scheme": (
        lambda book: same_as(L=["AT-weee:3"])(book) or entry(book, "L").update(references={"weee": ["3"]}),
        'codes, "L": share_by "weee" would mean both same_as and the list of that name under references. '
        "Fix: keep one of the two.",
    ),
    "sharing by a list that no code names": (
        lambda book: book.update(policy={"share_by": "unu"}),
        'policy: share_by is "unu", but no code has references of that name (no code has references). '
        'Fix: name a list under references, or the scheme ("weee") to share by same_as, or leave share_by '
        "out to share nothing.",
    ),
    "a list whose name leads out of its folder": (
        lambda book: book.update(policy={"share_by": "../runs"}),
        'policy: share_by is ../runs, must be small letters and digits, such as "unu"; '
        '"none" is the default. Fix: correct it, or leave it out for the default.',
    ),
    "a promise that nobody can keep": (
        lambda book: book.update(policy={"promise": "everything"}),
        'policy: promise is everything, must be "automatic" or "month"; "automatic" is the default. '
        "Fix: correct it, or leave it out for the default.",
    ),
    "a code's precision in per cent": (
        lambda book: book.update(policy={"code_precision": 90}),
        "policy: code_precision is 90, must be from 0 to 1; 0.8 is the default. "
        "Fix: correct it, or leave it out for the default.",
    ),
    "an encoding that nobody knows": (
        lambda book: book.update(format={"encoding": "windows-9999"}),
        'format, encoding: "windows-9999" is no encoding of text that Python knows. '
        'Fix: write a name like "utf-8", "windows-1252" or "iso-8859-2".',
    ),
    "an encoding that is of no text": (
        lambda book: book.update(format={"encoding": "base64"}),
        'format, encoding: "base64" is no encoding of text that Python knows. '
        'Fix: write a name like "utf-8", "windows-1252" or "iso-8859-2".',
    ),
    "codes that differ only in their Unicode form": (
        lambda book: book["codes"].extend(
            dict(entry(book, "4"), code=code) for code in ("4\u00e9", "4e\u0301")
        ),
        'codes, "4e\u0301": the code differs from another one only in its Unicode form '
        "('4\\xe9' and '4e\\u0301'). Fix: keep one of them, best the composed one (NFC).",
    ),
    "a code with a character that nobody sees": (
        lambda book: book["codes"].append(dict(entry(book, "4"), code="4\u200ba")),
        'codes, "4\\u200ba": the code holds a character that nobody sees (U+200B). Fix: type the code again.',
    ),
    "an attribute that would collide with decisions": (
        lambda book: book["attributes"].append({"name": "at", "type": "number"}),
        'attributes, "at": the name is taken: our own files have a column of this name. '
        'Fix: remove it, or choose another name, like "item_at".',
    ),
    "a code listed twice": (
        lambda book: book["codes"].append(dict(entry(book, "4"))),
        'codes, "4": the code is listed 2 times. Fix: keep one entry with the whole time it is in force.',
    ),
    "an end before the beginning": (
        lambda book: entry(book, "4").update(valid_to="2019-01-01"),
        'codes, "4", valid_to: 2019-01-01 is before valid_from 2020-01-01. Fix: correct the two dates.',
    ),
    "days without any code": (
        lambda book: book.update(
            codes=[{**e, "valid_to": "2026-10-30"} for e in book["codes"][:5]] + book["codes"][5:],
            successions=[],
        ),
        'codes, "C", valid_from: no code at all is in force from 2026-10-31 to 2026-10-31. '
        "Fix: correct the dates so that one time follows the other.",
    ),
    "an attribute listed twice": (
        lambda book: book["attributes"].append({"name": "weight_kg", "type": "category"}),
        'attributes, "weight_kg": the attribute is listed 2 times. Fix: keep one of them.',
    ),
    "an attribute that every dataset has": (
        lambda book: book["attributes"].append({"name": "brand", "type": "category"}),
        'attributes, "brand": the name is taken: our own files have a column of this name. '
        'Fix: remove it, or choose another name, like "item_brand".',
    ),
    "a succession from an unknown code": (
        lambda book: book["successions"][0].update({"from": ["99"]}),
        'successions, entry 1: code "99" is not among the codes. '
        "Fix: add it to codes (retired ones stay listed), or correct it.",
    ),
    "a succession to an unknown code": (
        lambda book: book["successions"][0].update({"to": ["99"]}),
        'successions, entry 1: code "99" is not among the codes. '
        "Fix: add it to codes (retired ones stay listed), or correct it.",
    ),
    "a code that replaces itself": (
        lambda book: book["successions"].append(
            {"kind": "merged", "from": ["4"], "to": ["4"], "date": "2026-11-01"}
        ),
        'successions, entry 4: code "4" would replace itself. '
        "Fix: a code that stays needs no succession, remove it; a new code beside it is only listed.",
    ),
    "a rename of two codes": (
        lambda book: book["successions"][1].update(kind="renamed"),
        "successions, entry 2: renamed, but from has 2 codes and to has 1 code. "
        "Fix: one code becomes one; use merged or split for the rest.",
    ),
    "a merger into two codes": (
        lambda book: book["successions"][1].update(to=["L", "C"]),
        "successions, entry 2: merged, but from has 2 codes and to has 2 codes. "
        "Fix: all codes of a merger become one.",
    ),
    "a split into one code": (
        lambda book: book["successions"][2].update(to=["5a"]),
        "successions, entry 3: split, but from has 1 code and to has 1 code. "
        "Fix: one code becomes two or more; write one succession for each code that is split.",
    ),
    "a code replaced twice": (
        lambda book: book["successions"].append(
            {"kind": "merged", "from": ["1"], "to": ["4"], "date": "2026-11-01"}
        ),
        'successions, "1": the code is replaced 2 times. '
        "Fix: keep one succession for each retired code; what follows later starts from the new code.",
    ),
    "a gap between the old code and the new one": (
        lambda book: entry(book, "1").update(valid_to="2026-09-30"),
        'successions, entry 1: code "1" is replaced on 2026-11-01 but ends 2026-09-30. '
        'Fix: set its valid_to to "2026-10-31", or correct the date.',
    ),
    "a replaced code that never ends": (
        lambda book: entry(book, "1").update(valid_to=None),
        'successions, entry 1: code "1" is replaced on 2026-11-01 but ends never. '
        'Fix: set its valid_to to "2026-10-31", or correct the date.',
    ),
    "a successor that begins too late": (
        lambda book: entry(book, "C").update(valid_from="2026-12-01"),
        'successions, entry 1: code "C" takes over on 2026-11-01 but is not in force on that day. '
        'Fix: set its valid_from to "2026-11-01", or correct the date.',
    ),
    "a successor that ended before": (
        lambda book: entry(book, "L").update(valid_from="2020-01-01", valid_to="2026-06-30"),
        'successions, entry 2: code "L" takes over on 2026-11-01 but is not in force on that day. '
        'Fix: set its valid_from to "2026-11-01", or correct the date.',
    ),
    "a setting that does not exist": (
        lambda book: book.update(policy={"min_row": 5}),
        f"policy: unknown setting 'min_row'; use one of {', '.join(Policy.__dataclass_fields__)}. "
        "Fix: correct it, or leave it out for the default.",
    ),
    "a setting that is no text": (
        lambda book: book.update(policy={"same_text": True}),
        "policy: same_text is True, must be text. Fix: correct it, or leave it out for the default.",
    ),
    "a setting that is none of its words": (
        lambda book: book.update(policy={"doubtful": "drop"}),
        'policy: doubtful is drop, must be "keep" or "leave_out"; "leave_out" is the default. '
        "Fix: correct it, or leave it out for the default.",
    ),
    "another that is none of its words": (
        lambda book: book.update(policy={"same_text": "always"}),
        'policy: same_text is always, must be "suggest" or "decide"; "suggest" is the default. '
        "Fix: correct it, or leave it out for the default.",
    ),
    "a setting out of its range": (
        lambda book: book.update(policy={"min_rows": 0}),
        "policy: min_rows is 0, must be 1 or more. Fix: correct it, or leave it out for the default.",
    ),
    "two hard texts that are one to a model": (
        lambda book: book.update(
            hard_texts=[
                {"title": "Große Lampe", "code": "L"},
                {"title": "GROSSE  Lampe!", "brand": "", "code": "4"},
            ]
        ),
        "hard_texts, entry 2: the text is that of entry 1. Fix: keep one of them.",
    ),
    "a hard text of no code": (
        lambda book: book.update(hard_texts=[{"title": "Lampe", "code": "77"}]),
        'hard_texts, entry 1: code "77" is not among the codes. Fix: correct it, or add it to codes.',
    ),
    "a new name that was there before": (
        lambda book: entry(book, "C").update(valid_from="2020-01-01"),
        'successions, entry 1: code "C" was there before 2026-11-01, so this is not a new name. '
        "Fix: write merged: the old code is absorbed by one that stays.",
    ),
}


@pytest.mark.parametrize("fault", FORM)
def test_a_fault_of_form_is_named_with_place_and_fix(check, book, fault):
    plant, expected = FORM[fault]
    plant(book)
    code, out, complaints = check(book)
    assert (code, out) == (1, "")
    assert any(expected in line for line in complaints), complaints


@pytest.mark.parametrize("fault", SENSE)
def test_a_fault_of_sense_is_the_one_thing_that_is_named(check, book, fault):
    plant, expected = SENSE[fault]
    plant(book)
    assert check(book) == (1, "", [expected])


def test_codes_that_replace_each_other_in_a_circle_are_named(check, book):
    book["successions"].append({"kind": "renamed", "from": ["C"], "to": ["1"], "date": "2026-12-01"})
    code, _, complaints = check(book)
    assert code == 1
    assert any("replace each other in a circle: " in line and "Fix: remove" in line for line in complaints)


def test_all_problems_are_named_at_once(check, book):
    entry(book, "4")["critical"] = "no"
    book["language"] = "german"
    assert len(check(book)[2]) == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b'{"group": "DE-weee",\n "version" "1"}',
            "line 2, column 12: this is not JSON (Expecting ':' delimiter)",
        ),
        (b'{"group": "DE-weee", "group": "DE-weee"}', 'the file: "group" is written twice in one entry'),
        (b'{"policy": {"level": NaN}}', "the file: NaN is not a number in JSON"),
        ('{"source": "Gerät"}'.encode("latin-1"), "byte 16: this is not UTF-8. Fix: save the file as UTF-8."),
        (b"[]", "the file as a whole: [] is not of type 'object'. Fix: the file is one object in { }"),
    ],
)
def test_a_file_that_is_no_codebook_is_named_with_place_and_fix(check, content, expected):
    code, _, [complaint] = check(content)
    assert code == 1
    assert complaint.startswith(expected)


def test_a_byte_order_mark_as_windows_writes_it_is_no_fault(check, book):
    assert check(b"\xef\xbb\xbf" + json.dumps(book).encode())[0] == 0


def test_a_missing_file_is_named_and_the_others_are_checked(tmp_path, book, capsys):
    good = tmp_path / "good.json"
    good.write_text(json.dumps(book))
    assert main(["codebook", "check", str(tmp_path / "none.json"), str(good)]) == 1
    out, err = capsys.readouterr()
    assert "none.json: the file: No such file or directory. Fix: check the path" in err
    assert "good.json: OK." in out


def test_a_format_is_taken_as_the_jobs_take_it(check, book):
    form = {"separator": ";", "decimal": ",", "encoding": "windows-1252", "quoting": "doubled"}
    assert check(book | {"format": form})[0] == 0
    assert codebook.parse(book | {"format": form}).format == codebook.Format(**form)


def test_columns_of_our_own_files_are_no_attributes():
    ours = [DECISION.names, ABOUT.names, rows.REJECTED.names, label_table.COLUMNS, sheet.COLUMNS]
    assert {*COMMON, "label", "run", "at", KEYS}.union(*ours) <= RESERVED
