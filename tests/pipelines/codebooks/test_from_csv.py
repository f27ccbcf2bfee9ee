"""A codebook from a list of codes, and what is said of a list that is offered as a codebook."""

import json

import pytest

from pipelines.cli import main

ARGUMENTS = ("--group", "DE-weee", "--version", "2026-10", "--language", "de", "--source", "synthetic sample")
LIST = "code;description;valid_from;critical\n1.10;Große Geräte;2020-01-01;yes\n0102;Kleine;2020-01-01;\n"


@pytest.fixture
def made(tmp_path, capsys):
    """Makes a codebook from a CSV's text; returns exit code, output and complaints."""

    def run(text: str, encoding="utf-8", separator=";") -> tuple[int, str, str]:
        file = tmp_path / "codes.csv"
        file.write_bytes(text.replace(";", separator).encode(encoding))
        return main(["codebook", "from-csv", str(file), *ARGUMENTS]), *capsys.readouterr()

    return run


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_list_of_codes_becomes_a_codebook_that_passes_the_check(made, tmp_path, encoding, separator):
    code, out, _ = made(LIST, encoding, separator)
    assert code == 0
    assert [entry["code"] for entry in json.loads(out)["codes"]] == ["1.10", "0102"]
    assert [entry["critical"] for entry in json.loads(out)["codes"]] == [True, False]
    (tmp_path / "DE-weee.json").write_text(out, encoding="utf-8")
    assert main(["codebook", "check", str(tmp_path / "DE-weee.json")]) == 0


@pytest.mark.parametrize(
    ("text", "encoding", "complaint"),
    [
        ("code;name\n1;x\n", "utf-8", "row 1: it lacks description, valid_from. Fix: name the columns code,"),
        ("", "utf-8", "row 1: it lacks code, description, valid_from"),
        (
            LIST.replace("yes", "perhaps"),
            "utf-8",
            "row 2, critical: 'perhaps' is neither. Fix: write yes or no.",
        ),
        (LIST, "windows-1252", "is not UTF-8. Fix: save it as CSV UTF-8."),
        (LIST.replace("0102", "1.10"), "utf-8", 'codes, "1.10": the code is listed 2 times'),
        ("code;description;valid_from\n1;x;01.02.2020\n2;y;2020-01-01\n", "utf-8", "is not a 'date'"),
    ],
)
def test_a_list_that_cannot_be_taken_is_named_with_place_and_fix(made, text, encoding, complaint):
    code, out, err = made(text, encoding)
    assert (code, out) == (1, "")
    assert complaint in err


@pytest.mark.parametrize("name", ["codes.csv", "DE-weee.json"])
def test_a_list_offered_as_a_codebook_is_told_the_command_that_makes_one(tmp_path, capsys, name):
    (tmp_path / name).write_text(LIST, encoding="utf-8")
    assert main(["codebook", "check", str(tmp_path / name)]) == 1
    complaint = capsys.readouterr().err
    assert "this is a CSV, a codebook is JSON. Fix: make one with: labelmill codebook from-csv" in complaint


def test_broken_json_is_not_taken_for_a_list(tmp_path, capsys):
    (tmp_path / "DE-weee.json").write_text('{"group": "DE-weee",\n', encoding="utf-8")
    assert main(["codebook", "check", str(tmp_path / "DE-weee.json")]) == 1
    assert "this is not JSON" in capsys.readouterr().err
