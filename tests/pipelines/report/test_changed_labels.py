"""What a change of models would change, worked out on tables small enough to count by hand."""

import json

import pyarrow as pa

from processing.verdict.changes import FLIPS_OF_A_KIND, TITLE_CHARACTERS, changes

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


def test_items_that_get_another_label_are_listed_by_what_that_does_to_them():
    found = changes(
        *tables(
            ("same", "1", "1", "1", 0.9),
            ("newly wrong", "1", "2", "1", 0.8),
            ("newly right", "2", "2", "1", 0.7),
            ("wrong twice", "3", "2", "1", 0.6),
            ("same fault", "3", "2", "2", 0.6),
        )
    )["flips"]
    assert {kind: [item["item_id"] for item in of["items"]] for kind, of in found.items()} == {
        "worse": ["newly wrong"],
        "better": ["newly right"],
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
    found = changes(*tables(*rows))["flips"]["worse"]
    assert found["rows"] == 150
    assert len(found["items"]) == FLIPS_OF_A_KIND
    assert [item["item_id"] for item in found["items"][:2]] == ["149", "148"]


def test_rows_of_one_text_are_listed_once_with_their_number():
    rows = [
        ("a", "1", "2", "1", 0.9, "text"),
        ("b", "1", "2", "1", 0.9, "text"),
        ("c", "1", "2", "1", 0.9, "more"),
    ]
    found = changes(*tables(*rows))["flips"]["worse"]
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


def test_a_first_model_has_confusions_and_no_flips():
    challenger, _ = tables(("a", "1", "2", "", 0.9), ("b", "1", "2", "", 0.9), ("c", "3", "2", "", 0.9))
    assert changes(challenger, None) == {
        "confusions": [
            {"truth": "1", "given": "2", "challenger": 2},
            {"truth": "3", "given": "2", "challenger": 1},
        ],
        "flips": None,
    }


def test_two_models_that_agree_change_nothing():
    found = changes(*tables(("a", "1", "1", "1", 0.9), ("b", "2", "1", "1", 0.9)))
    assert found["confusions"] == []
    assert all(of == {"rows": 0, "items": []} for of in found["flips"].values())


def test_a_very_long_title_is_cut():
    challenger, winner = tables(("a", "1", "2", "1", 0.9))
    long = pa.chunked_array([["x" * 1_000_000]])
    challenger = challenger.set_column(1, "title", long)
    (item,) = changes(challenger, winner)["flips"]["worse"]["items"]
    assert len(item["title"]) == TITLE_CHARACTERS
    assert item["title"].endswith("…")


def test_everything_can_be_written_as_json():
    found = changes(*tables(("a", "1", "2", "1", 0.9), ("b", "2", "2", "1", 0.9)))
    assert json.loads(json.dumps(found)) == found
