"""A person's own file: read whatever it is, and which of its columns is which."""

import csv
import io
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from infra.samples import own_items
from pipelines.errors import Refused
from pipelines.own_data import columns, dataset, tables
from processing.codes.codebook import Format

ROWS = [
    {"SKU": f"A-{at:03d}", "Bezeichnung": f"Gerät {at} groß", "Preis": f"{at},5", "Code": str(1 + at % 2)}
    for at in range(60)
]


def as_csv(separator: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, ROWS[0], delimiter=separator)
    writer.writeheader()
    writer.writerows(ROWS)
    return text.getvalue()


def write(folder: Path, name: str) -> Path:
    path = folder / name
    if name.endswith(".xlsx"):
        book = openpyxl.Workbook()
        book.active.append(list(ROWS[0]))
        for row in ROWS:
            book.active.append(list(row.values()))
        book.save(path)
    elif name.endswith(".parquet"):
        pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), path)
    elif name.endswith("latin.csv"):
        path.write_bytes(as_csv(";").encode("windows-1252"))
    else:
        path.write_text(as_csv("\t" if name.endswith(".tsv") else ","), encoding="utf-8")
    return path


def read(path: Path, stated: Format = Format()) -> pa.Table:  # noqa: B008
    with tables.opened(path, stated) as files:
        return files.read()


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.xlsx", "a.parquet", "latin.csv"])
def test_every_format_gives_the_same_rows_under_the_files_own_names(tmp_path, name):
    stated = Format(encoding="windows-1252") if name == "latin.csv" else Format()
    table = read(write(tmp_path, name), stated)
    assert table.drop_columns(["_file", "_row"]).to_pylist() == ROWS
    assert table["_row"][0].as_py() == 1


def test_numbers_are_read_as_such_where_they_are_asked_for(tmp_path):
    with tables.opened(write(tmp_path, "a.xlsx"), Format()) as files:
        assert files.read(frozenset({"Preis"}))["Preis"][2].as_py() == 2.5


def test_a_code_that_a_workbook_holds_as_a_number_is_the_code_that_people_see(tmp_path):
    book = openpyxl.Workbook()
    for row in (["title", "code"], ["a b", 4.0], ["c d", "04"], [None, None], ["e f", 4.5]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx")["code"].to_pylist() == ["4", "04", "4.5"]


def test_what_says_how_text_files_are_does_not_hold_for_a_workbook(tmp_path):
    assert len(read(write(tmp_path, "a.xlsx"), Format(separator=";"))) == len(ROWS)


def test_dates_in_a_parquet_file_are_passed_over(tmp_path):
    table = pa.Table.from_pylist(ROWS).append_column("since", pa.nulls(60, pa.timestamp("s")))
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert "since" not in read(tmp_path / "a.parquet").column_names


def test_a_folder_is_all_its_files(tmp_path):
    write(tmp_path, "a.csv"), write(tmp_path, "b.csv")
    assert len(read(tmp_path)) == 2 * len(ROWS)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"%PDF", "a.pdf has an unknown format. Fix: save it as one of .csv"),
        ("a.xlsx", b"no workbook", "a.xlsx cannot be read as a workbook"),
        ("a.parquet", b"PAR1", "a.parquet cannot be read as Parquet"),
        ("a.csv", b"titles\nx\n", "a.csv has 1 columns. Fix: begin it with the columns' names"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_fix(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused, match=says):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_title_above_the_columns_names_is_called_one(tmp_path, name):
    rows = [["Items of November", "", ""], ["id", "title", "code"], ["1", "kettle", "5"]]
    if name == "a.csv":
        (tmp_path / name).write_text("\n".join(map(";".join, rows)))
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / name)
    says = f"^{name} has names for 1 of its 3 columns .* Fix: delete what is above the columns' names"
    with pytest.raises(Refused, match=says):
        read(tmp_path / name)


def test_what_is_not_there_and_what_is_empty_are_refused_with_the_fix(tmp_path):
    with pytest.raises(Refused, match=r"none.csv is not there. Fix: name a file or a folder"):
        read(tmp_path / "none.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(Refused, match=r"holds no data file. Fix: name a folder with files of .csv"):
        read(tmp_path / "folder")


def table_of(**values: list[str]) -> pa.Table:
    return pa.table({name.replace("_", " "): each for name, each in values.items()})


def test_the_columns_of_the_sample_are_found_by_name_and_by_content():
    found = columns.guess(pa.Table.from_pylist(own_items.rows()), {})
    assert found.roles == {
        "item_id": "Art.-Nr.",
        "title": "Bezeichnung",
        "brand": "Marke",
        "product_type": "Warengruppe",
        "label": "Code",
    }
    assert found.how["Code"] == columns.BY_NAME
    assert found.how["Art.-Nr."] == columns.BY_CONTENT
    assert found.attributes == {"gewicht_kg": "Gewicht (kg)", "land": "Land"}
    assert found.kinds == {"gewicht_kg": "number", "land": "category"}


def test_a_column_that_says_the_code_in_words_is_never_learned_from():
    found = columns.guess(pa.Table.from_pylist(own_items.rows()), {})
    assert found.description == "Kategorie"
    assert found.left_out == {"Kategorie": "it says the code in other words"}
    renamed = pa.Table.from_pylist(own_items.rows()).drop_columns(["Warengruppe"])
    renamed = renamed.rename_columns(
        ["product_type" if name == "Kategorie" else name for name in renamed.column_names]
    )
    found = columns.guess(renamed, {})
    assert "product_type" not in found.roles
    assert found.description == "product_type"


def test_a_column_that_tells_the_code_without_being_it_is_learned_from_with_a_warning():
    values = [str(at % 6) for at in range(600)]
    table = pa.table(
        {
            "title": [f"thing {at} of many" for at in range(600)],
            "code": [str(int(value) // 2) for value in values],
            "shelf": [f"shelf {value}" for value in values],
        }
    )
    found = columns.guess(table, {})
    assert found.attributes == {"shelf": "shelf"}
    [warning] = found.warnings
    assert warning.startswith("shelf alone tells the code of 100 % of the rows")


def test_what_a_person_says_goes_before_every_guess():
    table = pa.Table.from_pylist(own_items.rows())
    found = columns.guess(table, {"title": "Warengruppe", "brand": ""}, ["Land"])
    assert found.roles["title"] == "Warengruppe"
    assert found.how["Warengruppe"] == columns.SAID
    assert "brand" not in found.roles
    assert found.attributes == {"land": "Land"}


def test_an_ean_is_no_number_to_learn_from():
    table = pa.table(
        {
            "title": [f"thing {at} of many" for at in range(60)],
            "code": [str(at % 3) for at in range(60)],
            "EAN code": [str(4000000000000 + at) for at in range(60)],
            "always": ["x"] * 60,
        }
    )
    found = columns.guess(table, {"item_id": ""})
    assert found.left_out == {
        "EAN code": "it looks like a number that names the item",
        "always": "it is empty or always the same",
    }


def test_a_column_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(Refused, match=r"no column 'Name'. Fix: write it as it is in the file: Art.-Nr., Bez"):
        columns.guess(pa.Table.from_pylist(own_items.rows()), {"title": "Name"})


def test_a_file_without_codes_is_refused_with_the_option_that_says_them():
    table = pa.table({"title": ["a b", "c d"], "note": ["", ""], "_row": [1, 2]})
    found = columns.guess(table, {})
    with pytest.raises(
        Refused, match=r"No column looks like the codes. Fix: say which with --code; there are title, note$"
    ):
        columns.check_has(found, columns.CODE, table, "--code")


def test_rows_become_those_of_a_dataset_and_only_labelled_ones_where_codes_are_wanted(tmp_path):
    ROWS_ = [*ROWS[:3], ROWS[3] | {"Code": " "}]
    (tmp_path / "a.csv").write_text(
        "SKU;Bezeichnung;Preis;Code\n" + "".join(";".join(row.values()) + "\n" for row in ROWS_)
    )
    with tables.opened(tmp_path / "a.csv", Format()) as files:
        table = files.read(frozenset({"Preis"}))
    found = columns.guess(pa.Table.from_pylist(ROWS), {"item_id": ""})
    own = dataset.with_code(table, found)
    made = dataset.canonical(own, found, labelled=True)
    assert made.column_names == ["item_id", "title", "brand", "product_type", "preis", "label"]
    assert made.to_pylist()[0] == {
        "item_id": "a.csv:1",
        "title": "Gerät 0 groß",
        "brand": None,
        "product_type": None,
        "preis": 0.5,
        "label": "1",
    }
    assert len(made) == 3
    assert len(dataset.canonical(table, found, labelled=False)) == 4
