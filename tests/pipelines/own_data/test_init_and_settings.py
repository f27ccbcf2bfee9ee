"""`labelmill init` writes what a person keeps; labelmill.toml is read, and what is wrong with it is said."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.samples import own_items
from pipelines import cli
from pipelines.codebooks.read import read as read_codebook
from pipelines.errors import Refused
from pipelines.own_data import settings

SAMPLE = str(own_items.FILE)
SPLIT = ("--split-by", "Land", "--group", "Deutschland=DE-weee", "--group", "Österreich=AT-weee")


@pytest.fixture
def init(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["init", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_from_one_file_come_a_codebook_that_is_good_and_settings_that_are_read(init):
    code, out, _ = init(SAMPLE, "--group", "DE-weee", "--language", "de")
    assert code == 0
    book = read_codebook("codebooks/DE-weee.json")
    assert [each["code"] for each in book["codes"]] == ["1", "2", "3", "4", "5", "6"]
    assert book["codes"][0]["description"] == "Wärmeüberträger"  # as the column Kategorie has it
    assert book["policy"]["precision"] == 0.98
    kept = settings.read(Path("labelmill.toml"))
    assert kept.roles["title"] == "Bezeichnung"
    assert kept.groups == {"DE-weee": settings.Group(Path("codebooks/DE-weee.json"))}
    assert {each["name"] for each in book["attributes"]} == kept.attributes.keys()
    ended = f"{datetime.now(UTC).replace(day=1) - timedelta(days=1):%Y-%m}"
    assert f"labelmill local run deliver training DE-weee {ended} {SAMPLE} --publish-codebook" in out


def test_codes_nothing_describes_are_described_by_their_count_and_an_item(init):
    Path("items.csv").write_text(
        "title;code\n" + "".join(f"thing {at} x;{'10' if at % 3 else '9'}\n" for at in range(30))
    )
    assert init("items.csv", "--group", "DE-weee")[0] == 0
    codes = read_codebook("codebooks/DE-weee.json")["codes"]
    assert [each["code"] for each in codes] == ["9", "10"]
    assert codes[0]["description"] == "(to be described: 10 rows, such as 'thing 0 x')"


def test_of_a_file_with_several_groups_each_gets_its_codebook(init):
    assert init(SAMPLE, *SPLIT)[0] == 0
    kept = settings.read(Path("labelmill.toml"))
    assert kept.split_by == "Land"
    assert {name: group.rows for name, group in kept.groups.items()} == {
        "DE-weee": "Deutschland",
        "AT-weee": "Österreich",
    }
    assert all(read_codebook(group.codebook)["group"] == name for name, group in kept.groups.items())


def test_on_a_terminal_the_group_is_asked_for(init, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("DE-weee\n"))
    code, out, _ = init(SAMPLE)
    assert code == 0
    assert "The model group, country and scheme like DE-weee: " in out
    assert Path("codebooks/DE-weee.json").exists()


def test_rows_that_no_group_has_are_named(init):
    code, out, _ = init(SAMPLE, *SPLIT[:4])
    assert code == 0
    assert "Left out, as no group has them: 300 rows (Österreich)" in out


def test_nothing_is_written_over_without_being_told(init):
    Path("labelmill.toml").write_text("mine")
    code, _, err = init(SAMPLE, "--group", "DE-weee")
    assert (code, Path("labelmill.toml").read_text()) == (1, "mine")
    assert err == "labelmill.toml is there already. Fix: add --overwrite, or another --dir\n"
    assert not Path("codebooks").exists()
    assert init(SAMPLE, "--group", "DE-weee", "--overwrite")[0] == 0
    assert Path("labelmill.toml").read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "The model group, country and scheme like DE-weee is not known. Fix: add --group"),
        (("--group", "weee"), "'weee' is not a model group. Fix: write country and scheme, like DE-weee"),
        (("--group", "DE-weee", "--group", "AT-weee"), "no column tells them apart. Fix: add --split-by COL"),
        (("--split-by", "Country"), "There is no column 'Country'. Fix: name one of Art.-Nr., Bezeichnung"),
        (("--split-by", "Land"), "'Deutschland' is not a model group. Fix: write --group VALUE=GROUP"),
        (
            ("--split-by", "Land", "--group", "Polen=PL-weee"),
            "No row has 'Polen' in 'Land'. Fix: write --group VALUE=GROUP, with one of the values Deutschl",
        ),
        (("--group", "DE-weee", "--dir", "file"), "cannot be written (Not a directory). Fix: name another"),
    ],
    ids=["no-group", "bad-group", "two-groups", "no-split", "values", "no-value", "no-folder"],
)
def test_a_wrong_call_ends_with_one_sentence_and_the_next_step(init, words, says):
    Path("file").touch()
    code, _, err = init(SAMPLE, *words)
    assert (code, err.count("\n")) == (1, 1)
    assert says in err


GOOD = """\
[columns]
title = "Name"
[groups.DE-weee]
codebook = "DE-weee.json"
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("titel", r"labelmill.toml is not TOML .* Fix: correct that place"),
        (
            GOOD + "colour = 'x'",
            r"\[groups.DE-weee\] has the unknown 'colour'. Fix: write one of codebook, rows",
        ),
        (
            GOOD.replace("title", "titel"),
            r"\[columns\] has the unknown 'titel'. Fix: write one of item_id, title",
        ),
        (GOOD.replace('"Name"', "1"), r"\[columns\]: title is 1. Fix: write it in quotes"),
        (GOOD.replace("DE-weee]", "weee]"), r"'weee' is not a model group. Fix: write country and scheme"),
        (GOOD.replace("codebook", "rows"), r"names no codebook. Fix: add codebook = "),
        ("split_by = 'Land'\n" + GOOD, r"has no rows. Fix: add the value that its rows have in 'Land'"),
        ("[columns]\n", r"has no group. Fix: add \[groups.DE-weee\] with its codebook"),
        ("columns = 1\n", r"columns is 1. Fix: write a table, \[columns\]"),
        (GOOD + "[file]\ndecimal = ';'", r"\[file\]: decimal is ';'. Fix: write one of '.', ','"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_with_its_place_and_fix(tmp_path, text, says):
    (tmp_path / "labelmill.toml").write_text(text)
    with pytest.raises(Refused, match=says):
        settings.read(tmp_path / "labelmill.toml")


def test_without_settings_a_person_is_told_how_to_make_them(tmp_path):
    with pytest.raises(Refused, match=r"Fix: make one with labelmill init FILE --group GROUP"):
        settings.read(tmp_path / "labelmill.toml")


def test_a_group_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    (tmp_path / "labelmill.toml").write_text(GOOD)
    with pytest.raises(Refused, match=r"has no group IT-weee. Fix: name one of DE-weee"):
        settings.read(tmp_path / "labelmill.toml").group("IT-weee")


def test_names_with_quotes_and_accents_come_back_as_they_were(tmp_path):
    odd = {"title": 'the "Name"\\ of\tit\x7f', "label": "Größe"}
    made = settings.Settings(
        tmp_path / "labelmill.toml", odd, {"a": "b"}, {"DE-weee": settings.Group(Path("x.json"))}
    )
    made.path.write_text(settings.as_text(made, "items.csv"), encoding="utf-8")
    again = settings.read(made.path)
    assert (again.roles, again.attributes) == (odd, {"a": "b"})
    assert json.dumps(again.roles)


def test_what_no_row_of_a_group_has_is_not_asked_of_its_files(init):
    rows = [row.split(";") for row in Path(SAMPLE).read_text(encoding="utf-8").splitlines()]
    at = {name: rows[0].index(name) for name in rows[0]}
    for row in rows[1:]:
        if row[at["Land"]] == "Österreich":
            row[at["Warengruppe"]] = row[at["Gewicht (kg)"]] = ""
    Path("items.csv").write_text("\n".join(map(";".join, rows)), encoding="utf-8")
    assert init("items.csv", *SPLIT)[0] == 0
    groups = settings.read(Path("labelmill.toml")).groups
    assert [groups[name].without for name in ("DE-weee", "AT-weee")] == [(), ("product_type",)]
    books = [read_codebook(f"codebooks/{name}.json") for name in groups]
    assert [len(book["attributes"]) for book in books] == [1, 0]


@pytest.mark.parametrize("given", ['"brand"', '["title"]', "[1]"])
def test_only_what_a_dataset_can_do_without_may_be_left_out(init, given):
    assert init(SAMPLE, "--group", "DE-weee")[0] == 0
    kept = Path("labelmill.toml")
    kept.write_text(kept.read_text(encoding="utf-8") + f"without = {given}\n", encoding="utf-8")
    with pytest.raises(Refused, match="Fix: write a list of brand, product_type"):
        settings.read(kept)
