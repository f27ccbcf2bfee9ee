"""The rows that are most like an item: alike in text, ordered, the same whatever the rows' order."""

import pyarrow as pa

from pipelines.evidence.neighbours import most_alike

ROWS = [
    ("r1", "Wasserkocher Edelstahl 1,7 l", "Nordwind", "Wasserkocher", "5"),
    ("r2", "WASSERKOCHER Edelstahl 1.7 l", "nordwind", "Wasserkocher", "5"),
    ("r3", "Wasserkocher Edelstahl 1,7 l", "Nordwind", "Wasserkocher", "2"),
    ("r4", "Reisekocher klein", None, "Wasserkocher", "5"),
    ("r5", "Laptop 15 Zoll", "Alpha", "Notebook", "3"),
]


def table(rows=ROWS) -> pa.Table:
    names = ("item_id", "title", "brand", "product_type", "label")
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns})


def items(*texts: tuple[str | None, str | None, str | None]) -> pa.Table:
    names = ("title", "brand", "product_type")
    columns = zip(names, zip(*texts, strict=True), strict=True)
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns})


def test_the_same_text_is_wholly_alike_and_comes_once_for_each_of_its_codes():
    [found] = most_alike(items(("wasserkocher, edelstahl 1.7 L", "Nordwind", "Wasserkocher")), table())
    assert [(each.item_id, each.code, each.rows, each.similarity) for each in found[:2]] == [
        ("r1", "5", 2, 1.0),
        ("r3", "2", 1, 1.0),
    ]
    assert (found[2].item_id, found[2].brand) == ("r4", "") and 0 < found[2].similarity < 1


def test_what_has_nothing_in_common_is_no_neighbour_and_words_nobody_knows_make_an_item_less_alike():
    laptop, longer, nothing = most_alike(
        items(
            ("Laptop 15 Zoll", "Alpha", "Notebook"),
            ("Laptop 15 Zoll Xylographie", "Alpha", "Notebook"),
            ("Qwrtz", None, None),
        ),
        table(),
    )
    assert [each.item_id for each in laptop] == ["r5"]
    assert longer[0].similarity < laptop[0].similarity == 1
    assert nothing == ()


def test_so_many_as_are_wanted_the_lower_id_first_whatever_the_order_of_the_rows():
    twins = [(f"t{i}", f"Lampe {i}", "", "", "4") for i in range(9)]
    lamp = items(("Lampe", "", ""))
    [found] = most_alike(lamp, table(twins), k=3)
    assert [each.item_id for each in found] == ["t0", "t1", "t2"]
    assert most_alike(lamp, table(twins[::-1]), k=3) == [found]


def test_many_items_are_compared_in_parts_and_each_gets_its_own(monkeypatch):
    many = items(*[row[1:4] for row in ROWS])
    whole = most_alike(many, table())
    monkeypatch.setattr("pipelines.evidence.neighbours.CELLS", 1)
    assert most_alike(many, table()) == whole
    assert [found[0].similarity for found in whole] == [1.0] * 5


def test_without_items_or_rows_there_are_no_neighbours():
    lamp = items(("Lampe", "", ""))
    assert most_alike(lamp, table().slice(0, 0)) == [()]
    assert most_alike(lamp.slice(0, 0), table()) == []
