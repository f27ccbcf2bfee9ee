"""What is wrong and what a change of models would change, on tables small enough to count by hand."""

import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.verdict.changes import (
    CODES_TO_LABEL,
    CONFUSIONS_OF_A_KIND,
    EXAMPLES,
    ITEMS_OF_A_KIND,
    TITLE_CHARACTERS,
    changes,
    label_more,
)

COLUMNS = ("item_id", "title", "text_key", "truth", "code", "confidence")


def tables(*rows: tuple) -> tuple[pa.Table, pa.Table]:
    """Both models' labels; a row: id, truth, code of challenger and of winner, confidence, perhaps text."""
    made = []
    for role in (2, 3):
        columns = [
            [row[0] for row in rows],
            [f"title {row[0]}" for row in rows],
            [row[0] if len(row) < 6 else row[5] for row in rows],
            [row[1] for row in rows],
            [row[role] for row in rows],
            [row[4] for row in rows],
        ]
        made.append(pa.table(columns, names=COLUMNS))
    return made[0], made[1]


def test_items_are_listed_by_what_the_models_make_of_them():
    found = changes(
        *tables(
            ("same", "1", "1", "1", 0.9),
            ("newly wrong", "1", "2", "1", 0.8),
            ("newly right", "2", "2", "1", 0.7),
            ("wrong twice", "3", "2", "1", 0.6),
            ("same fault", "3", "2", "2", 0.6),
        )
    )["outcomes"]
    assert found.pop("right") == {"rows": 1}
    assert {kind: [item["item_id"] for item in of["items"]] for kind, of in found.items()} == {
        "worse": ["newly wrong"],
        "better": ["newly right"],
        "alike": ["same fault"],
        "other": ["wrong twice"],
    }
    assert found["worse"]["items"][0] == {
        "item_id": "newly wrong",
        "title": "title newly wrong",
        "truth": "1",
        "challenger": "2",
        "challenger_confidence": 0.8,
        "winner": "1",
        "winner_confidence": 0.8,
        "rows": 1,
    }


def test_what_the_challenger_is_most_sure_of_comes_first():
    rows = [(f"{number:03d}", "1", "2", "1", number / 1000) for number in range(150)]
    found = changes(*tables(*rows))["outcomes"]["worse"]
    assert found["rows"] == 150
    assert len(found["items"]) == ITEMS_OF_A_KIND
    assert [item["item_id"] for item in found["items"][:2]] == ["149", "148"]


def test_rows_of_one_text_are_listed_once_with_their_number():
    rows = [
        ("a", "1", "2", "1", 0.9, "text"),
        ("b", "1", "2", "1", 0.9, "text"),
        ("c", "1", "2", "1", 0.9, "more"),
    ]
    found = changes(*tables(*rows))["outcomes"]["worse"]
    assert found["rows"] == 3
    assert [(item["item_id"], item["rows"]) for item in found["items"]] == [("a", 2), ("c", 1)]


def test_confusions_whose_number_changes_most_come_first_and_unchanged_ones_not_at_all():
    found = changes(
        *tables(
            ("a", "1", "2", "1", 0.9),
            ("b", "1", "2", "1", 0.9),
            ("c", "2", "2", "1", 0.9),
            ("d", "2", "3", "3", 0.9),
            ("e", "1", "1", "1", 0.9),
        )
    )
    assert found["confusions"] == [
        {"truth": "1", "given": "2", "challenger": 2, "winner": 0},
        {"truth": "2", "given": "1", "challenger": 0, "winner": 1},
    ]


CODE = st.sampled_from(["1", "2", "3"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CODE, CODE, CODE, st.integers(0, 4)), min_size=1, max_size=30))
def test_every_row_is_counted_once_and_every_confusion_with_its_kind(labels):
    rows = [(f"{n:02d}", *codes, 0.5, f"text {text}") for n, (*codes, text) in enumerate(labels)]
    for winner in (True, False):
        challenger, before = tables(*rows)
        found = changes(challenger, before if winner else None)["outcomes"]
        assert sum(kind["rows"] for kind in found.values()) == len(rows)
        del found["right"]
        for kind in found.values():
            assert sum(pair["rows"] for pair in kind["confusions"]) <= kind["rows"]
            assert sum(item["rows"] for item in kind["items"]) == kind["rows"]


def test_the_most_frequent_confusions_of_a_kind_come_first_with_examples():
    often = [(f"a{number}", "1", "2", "2", 0.5 + number / 100) for number in range(5)]
    twice = [(f"b{number}", "3", "2", "2", 0.9, "one text") for number in range(2)]
    found = changes(*tables(*often, *twice))["outcomes"]["alike"]["confusions"]
    assert found == [
        {
            "truth": "1",
            "challenger": "2",
            "winner": "2",
            "rows": 5,
            "titles": ["title a4", "title a3", "title a2"],
        },
        {"truth": "3", "challenger": "2", "winner": "2", "rows": 2, "titles": ["title b0"]},
    ]


def test_the_evidence_stays_small_however_much_is_wrong():
    long = "x" * 1_000_000
    rows = [(f"{number:04d}", str(number % 50), "none", "nor", 0.9) for number in range(2_000)]
    challenger, winner = tables(*rows)
    titles = pa.array([long] * 10 + ["short"] * 1_990)
    found = changes(challenger.set_column(1, "title", titles), winner)["outcomes"]["other"]
    assert len(found["confusions"]) == CONFUSIONS_OF_A_KIND
    assert all(len(pair["titles"]) == EXAMPLES for pair in found["confusions"])
    assert len(json.dumps(found)) < 50_000


def test_labels_help_most_where_many_texts_are_wrong_and_few_rows_were_learned():
    wrong = {"rare": (2, 10), "often": (4, 400), "new": (2, 0), "chance": (1, 1), "ended": (9, 1)}
    rows = [
        (f"{code} {number}", code, "else", "", 0.5)
        for code, (many, _) in wrong.items()
        for number in range(many)
    ]
    rows += [("copy", "chance", "else", "", 0.5, "chance 0"), ("good", "rare", "rare", "", 0.9)]
    learned = {code: many for code, (_, many) in wrong.items() if many}
    found = label_more(tables(*rows)[0], learned, ["rare", "often", "new", "chance"])
    assert found == [
        {"code": "new", "texts": 2, "wrong": 2, "learned": 0},
        {"code": "rare", "texts": 3, "wrong": 2, "learned": 10},
        {"code": "often", "texts": 4, "wrong": 4, "learned": 400},
    ]


def test_only_the_codes_where_labels_help_most_are_named():
    rows = [(f"{number}", f"{number % 30}", "else", "", 0.5) for number in range(90)]
    found = label_more(tables(*rows)[0], {}, [f"{number}" for number in range(30)])
    assert len(found) == CODES_TO_LABEL


def test_a_first_model_has_its_own_confusions_and_what_it_gets_wrong():
    challenger, _ = tables(("a", "1", "2", "", 0.9), ("b", "1", "2", "", 0.9), ("c", "3", "2", "", 0.9))
    found = changes(challenger, None)
    assert found["confusions"] == [
        {"truth": "1", "given": "2", "challenger": 2},
        {"truth": "3", "given": "2", "challenger": 1},
    ]
    assert {kind: of["rows"] for kind, of in found["outcomes"].items()} == {"right": 0, "wrong": 3}
    assert found["outcomes"]["wrong"]["confusions"][0]["titles"] == ["title a", "title b"]
    assert found["outcomes"]["wrong"]["items"][0].keys() == {
        "item_id",
        "title",
        "truth",
        "challenger",
        "challenger_confidence",
        "rows",
    }


def test_two_models_that_agree_change_nothing():
    found = changes(*tables(("a", "1", "1", "1", 0.9), ("b", "2", "1", "1", 0.9)))
    assert found["confusions"] == []
    assert {kind: of["rows"] for kind, of in found["outcomes"].items()} == {
        "right": 1,
        "better": 0,
        "worse": 0,
        "alike": 1,
        "other": 0,
    }


def test_a_very_long_title_is_cut():
    challenger, winner = tables(("a", "1", "2", "1", 0.9))
    long = pa.chunked_array([["x" * 1_000_000]])
    challenger = challenger.set_column(1, "title", long)
    (item,) = changes(challenger, winner)["outcomes"]["worse"]["items"]
    assert len(item["title"]) == TITLE_CHARACTERS
    assert item["title"].endswith("…")


def test_everything_can_be_written_as_json():
    found = changes(*tables(("a", "1", "2", "1", 0.9), ("b", "2", "2", "1", 0.9)))
    assert json.loads(json.dumps(found)) == found
