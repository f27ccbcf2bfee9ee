"""The codebooks that come with Labelmill."""

import json
from pathlib import Path

import jsonschema
import pytest

from pipelines.cli import main
from pipelines.codebooks.read import read

CODEBOOKS = Path(__file__).parents[3] / "pipelines" / "codebooks"
SHIPPED = sorted((CODEBOOKS / "files").glob("*.json"))
SCHEMA = json.loads((CODEBOOKS / "codebook.schema.json").read_text())


CODES = {
    "DE-weee": "1 2 3 4 5 6",
    "ES-weee": "1 2 3 4 5 6 7",
    "EU-weee": "1 2 3 4a 4b 5 6",
    "GB-weee": "1 2 3 4 5 6 7 8 9 10 11 12 13 14",
    "IT-weee": "R1 R2 R3 R4 R4A R5",
}


def test_they_are_good_and_named_for_their_group(capsys):
    assert main(["codebook", "check", *map(str, SHIPPED)]) == 0
    assert [file.stem for file in SHIPPED] == list(CODES)
    assert [read(file)["group"] for file in SHIPPED] == [file.stem for file in SHIPPED]


@pytest.mark.parametrize(("group", "codes"), CODES.items())
def test_they_hold_the_codes_of_the_law_each_with_unu_keys_of_its_own(group, codes):
    book = read(CODEBOOKS / "files" / f"{group}.json")
    assert [entry["code"] for entry in book["codes"]] == codes.split()
    keys = [key for entry in book["codes"] for key in entry["references"]["unu"]]
    assert len(keys) == len(set(keys)) >= 53


def test_a_key_that_is_doubtful_for_a_country_is_left_out():
    book = read(CODEBOOKS / "files" / "GB-weee.json")
    assert "0303" not in [key for entry in book["codes"] for key in entry["references"]["unu"]]


def test_show_prints_source_codes_and_what_follows(tmp_path, book, capsys):
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps(book))
    assert main(["codebook", "show", str(file)]) == 0
    shown = capsys.readouterr().out
    for text in ("DE-weee 2026-11", "synthetic sample", "Screens and lamps", "2026-10-31", "5a, 5b"):
        assert text in shown
    described = max(book["codes"], key=lambda entry: len(entry["description"]))["description"]
    assert any(described in line for line in shown.splitlines()), "in a pipe each row is a line"


def test_diff_names_new_gone_and_changed_codes_and_successions(tmp_path, book, capsys):
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    after.write_text(json.dumps(book))
    old = [{**entry, "valid_to": None} for entry in book["codes"][:5]]
    gone = {**old[0], "code": "9", "description": "Other"}
    before.write_text(json.dumps({**book, "version": "2026-10", "codes": [*old, gone], "successions": []}))

    assert main(["codebook", "diff", str(before), str(after)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        '+ code "C" from 2026-11-01: Cooling equipment',
        '+ code "L" from 2026-11-01: Screens and lamps',
        '+ code "5a" from 2026-11-01: Small, household',
        '+ code "5b" from 2026-11-01: Small, tools',
        '- code "9": Other (labels still name it: keep it, with valid_to)',
        '~ code "1", valid_to: null -> "2026-10-31"',
        '~ code "2", valid_to: null -> "2026-10-31"',
        '~ code "3", valid_to: null -> "2026-10-31"',
        '~ code "5", valid_to: null -> "2026-10-31"',
        "+ renamed on 2026-11-01: 1 -> C",
        "+ merged on 2026-11-01: 2, 3 -> L",
        "+ split on 2026-11-01: 5 -> 5a, 5b",
        '~ version: "2026-10" -> "2026-11"',
    ]
    assert main(["codebook", "diff", str(after), str(after)]) == 0
    assert capsys.readouterr().out == "no difference\n"


def test_the_schema_is_a_schema_and_gives_advice_wherever_it_can_complain():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def walk(node):
        if isinstance(node, dict):
            if {"type", "enum"} & node.keys() and not isinstance(node.get("type"), dict):
                assert "x-fix" in node, node
            for value in node.values():
                walk(value)

    walk(SCHEMA)
