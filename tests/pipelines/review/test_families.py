"""`labelmill review`: one row stands for a family, what is decided on it reaches the others, and back."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.codebooks import publish
from pipelines.review import families
from pipelines.review.queue import expected_right
from pipelines.review.sheet import read
from tests.pipelines.review.published_month import BOOK, GROUP, PERIOD, RUN

COLOURS = ("rot", "blau", "grün", "weiß", "lila", "gelb", "grau", "pink", "mint", "beige", "braun", "ocker")
#: Twelve lamps that differ in their colour, and one item of no family.
LAMPS = [
    (f"lamp-{number:02d}", "1", 0.60 + number / 100, "2", "review", f"{number:016x}") for number in range(12)
]
ALONE = ("alone", "2", 0.5, "1", "review", "f" * 16)
TITLES = {row[0]: f"Lampe {colour}" for row, colour in zip(LAMPS, COLOURS, strict=True)}
FAMILY = {row[0]: "9" * 16 for row in LAMPS}
HEAD, CHECKS = "lamp-06", {"lamp-00", "lamp-03"}
REST = sorted({row[0] for row in LAMPS} - CHECKS - {HEAD})
AMENDED = f"{GROUP}-review-{PERIOD}-{'a' * 12}"


def policy(stack, **settings) -> None:
    given = {"s3": stack.s3, "dynamodb": stack.dynamodb, "work_bucket": "work-bucket", "table": "ledger"}
    publish.publish({**BOOK, "policy": settings}, **given, now=datetime.now(UTC))


@pytest.fixture
def lamps(stack):
    """The stack with the lamps as the month's labels; the group's policy lets one decide on its family."""
    stack.publish(RUN, labels=[*LAMPS, ALONE], items=True, families=FAMILY, titles=TITLES)
    policy(stack, family="decide")
    return stack


def export(cli, *more: str) -> Path:
    path = Path("sheet.csv")
    path.unlink(missing_ok=True)
    code, said = cli("export", GROUP, PERIOD, "--out", str(path), *more)
    assert code == 0, said
    return path


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    return {row["item_id"]: row for _, row in read(path)}


def take(cli, path: Path, codes: dict[str, str], **instead: str) -> str:
    """Fill in a sheet and import it; the message."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    [column] = [name for name in rows[0] if name.startswith("code ")]
    for row in rows:
        row |= {column: codes.get(row["item_id"], "")} | instead
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.DictWriter(file, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)
    code, said = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, said
    return said


def decided(stack) -> dict[str, tuple]:
    return {row["item_id"]: (row["answer"], row["label"], row.get("decided_on")) for row in stack.decisions()}


def test_one_row_stands_for_a_family_and_two_more_check_it(cli, lamps):
    rows = rows_of(export(cli))
    assert set(rows) == {HEAD, *CHECKS, "alone"}
    assert rows[HEAD]["stands_for"] == "10"
    assert rows[HEAD]["variants"] == "rot | weiss | blau | grün"
    assert {rows[item]["stands_for"] for item in (*CHECKS, "alone")} == {"1"}
    assert {rows[item]["family"] for item in CHECKS} == {rows[HEAD]["family"]} != {""}
    assert rows["lamp-00"]["reason"] == f"Checks the family of {HEAD}: decide on this item alone."
    assert rows["alone"]["family"] == ""


def test_what_stands_for_most_errors_comes_first_and_a_family_stays_together(cli, lamps):
    # 12 lamps at about a third of an error each on three rows are 1.4 a row, the other item is 0.5.
    shown = list(rows_of(export(cli)))
    assert (shown[0], shown[-1]) == (HEAD, "alone")


def test_the_message_says_what_is_expected_to_be_right_after_so_many_rows(cli, lamps):
    # Of 13 items 12 * (1 - .655) + .5 are expected to be wrong; the family's three rows correct the 12.
    said = cli("export", GROUP, PERIOD)[1]
    assert "They stand for 13 items: see the column `stands_for`" in said
    assert "are expected to be right, by rows filled in: 64.3 % after 0, 100.0 % after 4" in said


def test_people_are_told_of_some_steps_on_the_way():
    labels = pa.table({"status": ["review"] * 50 + ["labelled"] * 50, "confidence": [0.5] * 50 + [1.0] * 50})
    told = expected_right(labels, [0.5] * 50)
    assert told == [(0, 0.75), (30, 0.9), (50, 1.0)]


def test_a_family_is_decided_on_where_all_its_rows_get_one_code(cli, lamps):
    path = export(cli)
    said = take(cli, path, dict.fromkeys((HEAD, *CHECKS), "2"))
    assert "12 decisions by A. Muster" in said
    assert "9 of them on items that are decided as another of their family" in said
    assert decided(lamps) == {
        **dict.fromkeys((HEAD, *CHECKS), ("code", "2", None)),
        **dict.fromkeys(REST, ("code", "2", HEAD)),
    }
    why = {row["item_id"]: row["why"] for row in lamps.decisions()}
    assert why["lamp-01"] == "differs from it only in blau (grau)"
    assert why[HEAD] is None


def test_that_no_code_fits_is_decided_for_a_family_as_well(cli, lamps):
    take(cli, export(cli), dict.fromkeys((HEAD, *CHECKS), "NONE"))
    assert decided(lamps)["lamp-01"] == ("none", None, HEAD)


def test_a_family_whose_checks_get_another_code_is_broken_up(cli, lamps):
    said = take(cli, export(cli), {HEAD: "2", "lamp-00": "1", "lamp-03": "2"})
    assert f"family of '{HEAD}': broken up, as its rows got different codes; 9 wait" in said
    assert set(decided(lamps)) == {HEAD, *CHECKS}


def test_a_broken_family_has_a_row_for_each_item_on_the_next_sheet(cli, lamps):
    answers = {HEAD: "2", "lamp-00": "1"}
    now = [
        (row[0], answers[row[0]], None, *row[3:4], "labelled", row[5]) if row[0] in answers else row
        for row in LAMPS
    ]
    lamps.publish(AMENDED, amended=[RUN], labels=now, families=FAMILY, titles=TITLES)
    rows = rows_of(export(cli))
    assert set(rows) == {row[0] for row in LAMPS} - set(answers)
    assert {row["family"] for row in rows.values()} == {""}


def as_head(stack, answers: dict[str, str], on: dict[str, str]) -> None:
    """Publish labels of the lamps decided so, by their ids; those of `on` as another item."""
    now = [
        (row[0], answers[row[0]], None, row[3], "labelled", row[5]) if row[0] in answers else row
        for row in LAMPS
    ]
    stack.publish(AMENDED, amended=[RUN], labels=now, families=FAMILY, titles=TITLES, decided_on=on)


def test_an_item_decided_as_a_head_that_was_corrected_since_does_not_break_up_its_family(cli, lamps):
    # It was in no month in which the correction could reach it, and nobody has looked at it.
    as_head(lamps, {HEAD: "2", "lamp-01": "1"}, {"lamp-01": HEAD})
    rows = rows_of(export(cli))
    assert len(rows) == 3
    assert sum(int(row["stands_for"]) for row in rows.values()) == 10


def test_what_was_decided_on_a_head_that_is_gone_counts_where_its_family_is_broken_up(cli, lamps):
    as_head(lamps, {"lamp-01": "1", "lamp-02": "2"}, {"lamp-01": "gone"})
    assert set(rows_of(export(cli))) == {row[0] for row in LAMPS} - {"lamp-01", "lamp-02"}


def test_a_family_waits_until_all_its_rows_are_filled_in(cli, lamps):
    path = export(cli)
    assert f"family of '{HEAD}': 9 wait until all its 3 rows are filled in" in take(cli, path, {HEAD: "2"})
    assert set(decided(lamps)) == {HEAD}


def test_a_family_of_which_a_row_is_skipped_waits_and_is_not_called_broken(cli, lamps):
    said = take(cli, export(cli), dict.fromkeys(CHECKS, "2") | {HEAD: "SKIP"})
    assert f"family of '{HEAD}': not all its 3 rows got a code or NONE; 9 wait" in said
    assert "of them on items" not in said


def test_a_skipped_family_is_decided_by_nobody(cli, lamps):
    take(cli, export(cli), dict.fromkeys((HEAD, *CHECKS), "SKIP"))
    assert set(decided(lamps)) == {HEAD, *CHECKS}


def test_a_family_that_is_not_as_it_was_exported_decides_on_its_own_rows_alone(cli, lamps):
    said = take(cli, export(cli), dict.fromkeys((HEAD, *CHECKS), "2"), family="000000000000")
    assert "family 000000000000: not as it was exported; its rows count for their own items alone" in said
    assert set(decided(lamps)) == {HEAD, *CHECKS}


@pytest.mark.parametrize("settings", [{}, {"family": "suggest"}])
def test_where_the_policy_only_suggests_each_item_of_a_family_has_its_row(cli, lamps, settings):
    policy(lamps, **settings)
    path = export(cli)
    rows = rows_of(path)
    assert set(rows) == {*FAMILY, "alone"}
    assert {row["stands_for"] for row in rows.values()} == {"1"}
    assert rows["alone"]["family"] == "" != rows[HEAD]["family"]
    take(cli, path, dict.fromkeys((HEAD, *CHECKS), "2"))
    assert set(decided(lamps)) == {HEAD, *CHECKS}


def amended(stack, own: tuple[str, ...] = (HEAD, *sorted(CHECKS))) -> None:
    """Publish the labels with the family decided as code 2: `own` by themselves, the others as the head."""
    now = [(row[0], "2", None, *row[3:4], "labelled", row[5]) for row in LAMPS]
    as_head = {row[0]: HEAD for row in LAMPS if row[0] not in own}
    stack.publish(AMENDED, amended=[RUN], labels=now, families=FAMILY, titles=TITLES, decided_on=as_head)


@pytest.mark.parametrize(("code", "answer"), [("6", ("code", "6")), ("WITHDRAW", ("withdrawn", None))])
def test_what_becomes_of_the_head_becomes_of_those_that_were_decided_as_it(cli, lamps, code, answer):
    amended(lamps)
    Path("these.txt").write_text(HEAD, encoding="utf-8")
    path = export(cli, "--items", "these.txt")
    assert rows_of(path)[HEAD]["stands_for"] == "10"
    policy(lamps)  # what was decided together is taken back together, whatever the policy says now
    take(cli, path, {HEAD: code})
    assert decided(lamps) == {HEAD: (*answer, None)} | dict.fromkeys(REST, (*answer, HEAD))


def test_a_family_that_was_taken_back_has_a_row_for_each_item_that_decides_on_it_alone(cli, lamps):
    now = [(*row[:2], None, row[3], "review", row[5]) for row in LAMPS]
    lamps.publish(
        AMENDED,
        amended=[RUN],
        labels=now,
        families=FAMILY,
        titles=TITLES,
        decided_on=dict.fromkeys(REST, HEAD),
    )
    path = export(cli)
    assert {item: row["stands_for"] for item, row in rows_of(path).items()} == dict.fromkeys(FAMILY, "1")
    take(cli, path, {HEAD: "2"})
    assert set(decided(lamps)) == {HEAD}


def test_who_decided_on_an_item_itself_is_not_overruled_by_the_head(cli, lamps):
    amended(lamps, own=(HEAD, *sorted(CHECKS), "lamp-01"))
    Path("these.txt").write_text(HEAD, encoding="utf-8")
    take(cli, export(cli, "--items", "these.txt"), {HEAD: "6"})
    assert set(decided(lamps)) == {HEAD, *REST} - {"lamp-01"}


def test_an_item_that_somebody_decided_on_since_is_not_decided_as_the_head(cli, lamps):
    path = export(cli)
    now = [(row[0], "6", None, "2", "labelled", row[5]) if row[0] == "lamp-01" else row for row in LAMPS]
    lamps.publish(AMENDED, amended=[RUN], labels=now, families=FAMILY, titles=TITLES)
    take(cli, path, dict.fromkeys((HEAD, *CHECKS), "2"))
    assert set(decided(lamps)) == {row[0] for row in LAMPS} - {"lamp-01"}


def test_with_a_second_sheet_each_item_has_its_own_row(cli, lamps):
    assert set(rows_of(export(cli, "--second", "second.csv"))) == {*FAMILY, "alone"}


def test_what_the_model_is_not_equally_sure_of_is_not_decided_together(cli, lamps):
    labels = [LAMPS[0], (*LAMPS[1][:2], 0.95, *LAMPS[1][3:]), (*LAMPS[2][:1], "2", *LAMPS[2][2:])]
    lamps.publish(AMENDED, amended=[RUN], labels=labels, families=FAMILY, titles=TITLES)
    assert {row["stands_for"] for row in rows_of(export(cli)).values()} == {"1"}


def test_two_items_are_decided_by_one_row_without_a_check(cli, lamps):
    lamps.publish(AMENDED, amended=[RUN], labels=LAMPS[:2], families=FAMILY, titles=TITLES)
    path = export(cli)
    assert {item: row["stands_for"] for item, row in rows_of(path).items()} == {"lamp-01": "2"}
    take(cli, path, {"lamp-01": "2"})
    assert decided(lamps)["lamp-00"] == ("code", "2", "lamp-01")


@pytest.mark.parametrize(
    ("title", "head", "said"),
    [
        ("Lampe rot 2 m", "Lampe blau 3 m", "rot, 2 (blau, 3)"),
        ("Lampe", "Lampe blau", "nothing (blau)"),
        ("Lampe rot", "LAMPE", "rot"),
        ("Lampe", "lampe", "nothing"),
    ],
)
def test_a_difference_says_what_the_item_has_and_what_the_head_has_instead(title, head, said):
    assert families.difference(title, head) == said


def test_no_mark_of_a_family_looks_like_a_number_to_a_spreadsheet():
    items = [f"lamp-{number}" for number in range(2_000)]
    table = pa.table(
        {
            "item_id": items,
            "family": [item[:-1] for item in items],
            "status": ["review"] * 2_000,
            "code": ["1"] * 2_000,
            "confidence": [0.5] * 2_000,
            **{name: pa.nulls(2_000, pa.string()) for name in ("answer", "decided_on")},
        }
    )
    found = [family.mark for family in families.waiting(table, {"1"})]
    assert found and not [mark for mark in found if mark[0].isdigit()]
