"""How far two people agree: counted on what a second one said and what the labels have."""

import pyarrow as pa
import pytest

from processing.labels import agreement

AT = "2026-11-09T10:00:00.000+00:00"


def labels(said: dict[str, tuple]) -> pa.Table:
    """Labels with what a first person decided: answer, code and who, by item."""
    rows = [
        {"item_id": item, "answer": answer, "code": code, "decided_by": by}
        for item, (answer, code, by) in said.items()
    ]
    names = ("item_id", "answer", "code", "decided_by")
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))


def second(said: dict[str, tuple], waiting=200) -> dict:
    answers = [
        {"item_id": item, "answer": answer, "label": label, "decided_by": "B. Muster", "decided_at": AT}
        for item, (answer, label) in said.items()
    ]
    return {"of": "r1", "waiting": waiting, "rows": list(said), "answers": answers}


def agreed(first: dict[str, tuple], said: dict[str, tuple], **more) -> dict:
    return agreement.evaluate(agreement.answered(second(said, **more), None), labels(first))


def test_rows_that_two_people_coded_are_compared_and_those_on_which_they_differ_named():
    first = {f"{n}": ("code", "1", "A. Muster") for n in range(18)} | {"x": ("none", None, "A. Muster")}
    said = {f"{n}": ("code", "1") for n in range(17)} | {"17": ("code", "2"), "x": ("none", None)}
    found = agreed(first, said)
    assert (found["drawn"], found["compared"], found["different"]) == (19, 19, 1)
    assert found["items"] == [{"item_id": "17", "first": "1", "second": "2"}]
    assert found["alike"] == round(18 / 19, 4)
    assert found["at_least"] < found["alike"] < found["at_most"] <= round(199 / 200, 4)


@pytest.mark.parametrize(
    "first",
    [
        {},
        {"1": ("skip", "1", "A. Muster")},
        {"1": (None, "1", None)},
        {"1": ("code", "1", "B. Muster")},
        {"1": ("same_text", "1", "A. Muster")},
    ],
    ids=["gone", "skipped", "nobody", "the same person", "decided for another item"],
)
def test_what_no_two_people_decided_is_not_compared(first):
    found = agreed(first, {"1": ("code", "1")})
    assert (found["compared"], found["alike"], found["at_most"], found["kappa"]) == (0, None, None, None)


def test_a_skip_of_the_second_one_is_not_compared():
    assert agreed({"1": ("code", "1", "A. Muster")}, {"1": ("skip", None)})["compared"] == 0


def test_second_sheets_that_come_one_after_the_other_add_up():
    first = labels({f"{n}": ("code", "1", "A. Muster") for n in range(3)})
    one = agreement.answered(second({"0": ("code", "1"), "1": ("code", "2")}), None)
    both = agreement.answered(second({"1": ("code", "1"), "2": ("code", "1")}), one)
    found = agreement.evaluate(both, first)
    assert (found["compared"], found["different"]) == (3, 0)


def test_kappa_is_what_it_is_by_hand():
    # Alike are 35 of 50. By chance: 25 x 30 + 25 x 20 of 2,500, the half. (0.7 - 0.5) / (1 - 0.5) is 0.4.
    pairs = [("yes", "yes")] * 20 + [("no", "no")] * 15 + [("yes", "no")] * 5 + [("no", "yes")] * 10
    assert agreement.kappa(pairs) == 0.4


def test_kappa_of_two_who_only_ever_say_one_thing_is_not_known():
    assert agreement.kappa([("1", "1")] * 5) is None
