"""What the demo tells at its end, from the files that a month's labels have beside them."""

from infra.local.demo_results import sentences

RENAMED = {"earlier_code": "ACI", "code": "ACI-N", "cause": "codebook", "items": 1161}
RELABELLED = {"earlier_code": "PAP", "code": "PLA", "cause": "model", "items": 7}


def summary(moves, without_code: int = 0) -> dict:
    changes = {"moves": moves} if moves is not None else None
    return {"changes": changes, "review": {"without_code": without_code}, "attention": ["Train again."]}


def test_a_change_of_codes_is_told_from_the_moves_it_caused_and_the_items_left_without_a_code():
    assert sentences(summary([RENAMED, RELABELLED], 125), []) == [
        "1,161 items of last month: ACI-N now, not ACI",
        "125 items to review: no single code replaces the model's",
        "Train again.",
    ]


def test_a_month_without_a_change_of_codes_has_only_what_needs_attention_and_what_people_decided():
    amended = [{"decided": 60, "decided_by": ["A. Muster", "Ada"]}]
    assert sentences(summary(None), amended) == [
        "Train again.",
        "60 items decided by A. Muster, Ada: published as a new version of the labels",
    ]
