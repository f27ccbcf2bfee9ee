"""Publish: what people decided in one month holds in the next ones, for the same item with the same text."""

import pytest

from tests.processing.job_folders import (
    CODEBOOK,
    LATER,
    NOBODY,
    PERIOD,
    WHEN,
    JobFailed,
    decision,
    items,
    month,
    read_json,
)

BEFORE = "2026-09"
DECIDES = '{"precision": 0, "same_text": "decide"}'


def label(job, number: int = 0) -> tuple:
    row = next(row for row in job.published() if row["item_id"] == f"{number:06d}")
    return row["status"], row["code"], row["answer"], row["decided_by"]


def people(job) -> dict:
    """What the summary says of people's decisions, without what is none."""
    found = read_json(job, "files", "summary.json")["decisions"]
    assert found.keys() == NOBODY.keys()
    return {name: count for name, count in found.items() if count}


def test_a_decision_holds_in_the_next_month_with_who_decided_and_when(publish_month):
    job = publish_month(month(), reviewed=[(BEFORE, [decision(0, "2", why="a heat pump")])])
    row = job.published()[0]
    assert (row["status"], row["code"], row["description"]) == ("labelled", "2", "Bildschirme")
    assert (row["answer"], row["decided_by"], row["why"]) == ("code", "A. Muster", "a heat pump")
    assert row["decided_at"].isoformat(timespec="milliseconds") == WHEN
    assert (row["reason"], row["suggested"], row["confidence"]) == ("decided by A. Muster", "1", None)
    assert [row["status"] for row in job.published()[1:3]] == ["review", "review"]
    assert people(job) == {"kept": 1, "earlier": 1}


def test_that_no_code_fits_holds_in_the_next_month_as_well(publish_month):
    job = publish_month(month(), reviewed=[(BEFORE, [decision(4, answer="none")])])
    assert label(job, 4) == ("none", None, "none", "A. Muster")
    assert job.message["none"] == 1
    assert people(job) == {"kept": 1, "earlier": 1}


def test_an_item_that_is_missing_from_one_delivery_keeps_its_decision_in_the_next(publish_month, amended):
    sheet = [decision(0, "2")]
    decided = amended(publish_month(month()), sheet)
    without = publish_month(month()[1:], replaced=decided, reviewed=[(PERIOD, sheet)])
    assert "000000" not in {row["item_id"] for row in without.published()}
    again = publish_month(month(), replaced=without, reviewed=[(PERIOD, sheet)])
    assert label(again) == ("labelled", "2", "code", "A. Muster")
    assert people(again) == {"kept": 1}


@pytest.mark.parametrize("later", [BEFORE, PERIOD, "2026-11"])
def test_whoever_decides_last_is_right_in_whichever_month(publish_month, later):
    sheets = [
        (BEFORE, [decision(0, "2"), decision(1, "2"), decision(2, "2")]),
        (later, [decision(0, "3a", decided_at=LATER), decision(1, answer="none", decided_at=LATER)]),
        (later, [decision(2, answer="skip", decided_at=LATER)]),
    ]
    for reviewed in (sheets, sheets[::-1]):
        job = publish_month(month(), reviewed=reviewed)
        assert label(job, 0) == ("labelled", "3a", "code", "A. Muster")
        assert label(job, 1) == ("none", None, "none", "A. Muster")
        assert label(job, 2) == ("labelled", "2", "code", "A. Muster")


def test_a_decision_that_was_withdrawn_is_as_if_nobody_had_decided(publish_month):
    both = [decision(0, "2"), decision(4, "2")]
    back = [row | {"answer": "withdrawn", "label": None, "decided_at": LATER} for row in both]
    job = publish_month(month(), reviewed=[(BEFORE, both), (BEFORE, back)])
    assert [label(job, number) for number in (0, 4)] == [
        ("review", "1", None, None),
        ("labelled", "1", None, None),
    ]
    assert people(job) == {}


def test_a_decision_of_this_month_that_was_taken_back_in_an_earlier_one_does_not_come_back(
    publish_month, amended
):
    kept = publish_month(month(), reviewed=[(BEFORE, [decision(4, "2")])])
    back = decision(4, answer="withdrawn", decided_at=LATER)
    job = publish_month(month(), replaced=kept, reviewed=[(BEFORE, [decision(4, "2")]), (BEFORE, [back])])
    assert label(job, 4) == ("labelled", "1", None, None)


def test_a_decision_on_another_text_does_not_hold(publish_month):
    rows = month()
    rows[0]["title"] = "Kühlschrank, korrigiert"
    job = publish_month(rows, reviewed=[(BEFORE, [decision(0, "2")])])
    assert label(job) == ("review", "1", None, None)
    assert people(job) == {}


def test_the_decision_on_the_items_text_counts_and_not_the_latest_on_its_id(publish_month):
    other = decision(0, "3a", title="Kühlschrank, ganz anders", decided_at=LATER)
    job = publish_month(month(), reviewed=[(BEFORE, [decision(0, "2"), other])])
    assert label(job) == ("labelled", "2", "code", "A. Muster")


def test_a_rename_carries_a_decision_along(publish_month):
    job = publish_month(month(), reviewed=[(BEFORE, [decision(0, "3")])])
    assert label(job) == ("labelled", "3a", "code", "A. Muster")
    row = job.published()[0]
    assert row["reason"] == "decided by A. Muster; code 3 was renamed 3a on 2026-10-01"
    assert row["description"] == "Leuchtmittel"
    assert people(job) == {"kept": 1, "earlier": 1, "renamed": 1}


def test_a_rename_within_a_month_carries_along_what_is_on_its_labels(publish_month, amended):
    codes = [code | {"valid_to": None} if code["code"] == "3" else code for code in CODEBOOK["codes"]]
    decided = amended(publish_month(month(), book=CODEBOOK | {"codes": codes}), [decision(0, "2")])
    row = decision(0, "2")
    book = CODEBOOK | {
        "codes": [
            code | {"valid_to": "2026-09-30"} if code["code"] == "2" else code for code in CODEBOOK["codes"]
        ],
        "successions": [{"kind": "renamed", "from": ["2"], "to": ["3a"], "date": "2026-10-01"}],
    }
    again = publish_month(month(), replaced=decided, book=book)
    assert label(again) == ("labelled", "3a", "code", row["decided_by"])
    assert people(again) == {"kept": 1}


@pytest.mark.parametrize("number", [0, 4])
def test_a_split_gives_an_item_back_to_people_with_the_old_decision_as_a_hint(publish_month, number):
    split = {"kind": "split", "from": ["3"], "to": ["3a", "3b"], "date": "2026-10-01"}
    book = CODEBOOK | {
        "successions": [split],
        "codes": [*CODEBOOK["codes"], CODEBOOK["codes"][3] | {"code": "3b"}],
    }
    job = publish_month(month(), book=book, reviewed=[(BEFORE, [decision(number, "3")])])
    assert label(job, number) == ("review", "1", None, None)
    assert job.published()[number]["reason"] == (
        "decided by A. Muster, but code 3 was split into 3a, 3b on 2026-10-01: a person must choose"
    )
    assert people(job) == {"ended": 1}


def test_what_people_have_decided_takes_no_room_from_what_they_still_can_review(publish_month):
    sheet = [decision(0, "2"), decision(1, "2")]
    policy = '{"precision": 0, "review_capacity": 1}'
    job = publish_month(month(), reviewed=[(BEFORE, sheet)], policy=policy)
    assert [row["status"] for row in job.published()[:4]] == ["labelled", "labelled", "review", "labelled"]
    plan = read_json(job, "files", "summary.json")["review"]
    assert (plan["let_through"], plan["automatic"], plan["items"]) == (0, 3, 1)


def test_items_labelled_without_a_person_are_counted_without_those_of_people(publish_month):
    sheet = [decision(number, "2") for number in range(3)]
    job = publish_month(month(), reviewed=[(BEFORE, sheet)])
    found = read_json(job, "files", "summary.json")
    assert (found["counts"]["labelled"], found["counts"]["decided"]) == (6, 3)
    assert job.message["decided"] == 3
    [check] = [check for check in found["checks"] if check["what"] == "items labelled without a person"]
    assert (check["found"], check["message"]) == ("3", None)


def test_where_only_people_label_it_needs_attention(publish_month):
    rows = items(3, labelled=False)
    job = publish_month(rows, reviewed=[(BEFORE, [decision(0, "2")])])
    assert (job.message["labelled"], job.message["decided"]) == (1, 1)
    assert "Every item goes to review" in job.message["attention"]


def test_a_code_that_a_person_changed_is_no_alarm_but_one_that_is_not_as_decided_is(publish_month, amended):
    plain = publish_month(month(), period=BEFORE)
    decided = publish_month(month(), reviewed=[(BEFORE, [decision(4, "2")])], earlier=plain)
    figures = read_json(decided, "files", "summary.json")["changes"]
    assert (figures["changed"], figures["by_cause"]["person"], figures["not_as_decided"]) == (1, 1, 0)
    assert "person had decided" not in decided.message["attention"]
    rows = month()
    rows[4]["title"] = "Monitor, korrigiert"
    next_month = publish_month(
        rows, reviewed=[(BEFORE, [decision(4, "2")])], earlier=decided, period="2026-11"
    )
    assert "Items whose code is not the one a person had decided on: 1." in next_month.message["attention"]


# --- the same text under other ids


def twins() -> list[dict]:
    """`month`, and the texts of its first and fifth item once more, under other ids."""
    rows = month()
    return [*rows, rows[0] | {"item_id": "000010"}, rows[4] | {"item_id": "000014"}]


def test_a_decision_on_the_same_text_is_suggested_where_a_person_must_look(publish_month):
    rows = twins()
    rows[1] |= {name: rows[0][name] for name in ("title", "brand", "product_type")}
    job = publish_month(rows, reviewed=[(BEFORE, [decision(0, "2"), decision(4, "2")])])
    row = job.published()[1]
    assert label(job, 1) == ("review", "2", None, None)
    assert row["reason"] == "decided for the same text by A. Muster"
    assert (row["suggested"], row["description"], row["confidence"]) == ("1", "Bildschirme", None)
    assert label(job, 10) == label(job, 14) == ("labelled", "1", None, None)
    assert people(job) == {"kept": 2, "earlier": 2, "suggested": 1}


def test_where_no_code_fitted_the_same_text_the_models_code_stays_as_a_suggestion(publish_month):
    job = publish_month(month(), reviewed=[(BEFORE, [decision(0, item_id="gone", answer="none")])])
    assert label(job) == ("review", "1", None, None)
    row = job.published()[0]
    assert row["reason"] == "no code fits, decided for the same text by A. Muster"
    assert people(job) == {"suggested": 1}


def test_a_decision_on_the_same_text_counts_where_the_policy_says_so(publish_month):
    sheet = [decision(0, "3"), decision(4, answer="none")]
    job = publish_month(twins(), reviewed=[(BEFORE, sheet)], policy=DECIDES)
    assert label(job, 10) == ("labelled", "3a", "same_text", "A. Muster")
    assert label(job, 14) == ("none", None, "same_text", "A. Muster")
    reasons = [row["reason"] for row in job.published() if row["answer"] == "same_text"]
    assert reasons == [
        "decided for the same text by A. Muster; code 3 was renamed 3a on 2026-10-01",
        "no code fits, decided for the same text by A. Muster",
    ]
    assert people(job) == {"kept": 2, "earlier": 2, "renamed": 1, "by_text": 2}
    assert job.message["decided"] == 2


@pytest.mark.parametrize("policy", [DECIDES, '{"precision": 0}'])
def test_of_decisions_on_one_text_the_latest_counts_and_an_items_own_before_all(publish_month, policy):
    sheet = [
        decision(0, "3a", item_id="gone", decided_at=LATER),
        decision(0, "1", item_id="also gone"),
        decision(0, "2", item_id="000010"),
    ]
    job = publish_month(twins(), reviewed=[(BEFORE, sheet)], policy=policy)
    assert label(job, 0)[1] == "3a"
    assert label(job, 10) == ("labelled", "2", "code", "A. Muster")


def test_a_decision_that_was_withdrawn_or_has_ended_decides_nothing_for_the_same_text(publish_month):
    sheet = [decision(0, "2"), decision(4, "9")]
    back = [decision(0, answer="withdrawn", decided_at=LATER)]
    job = publish_month(twins(), reviewed=[(BEFORE, sheet), (BEFORE, back)], policy=DECIDES)
    assert [label(job, number)[2] for number in (0, 4, 10, 14)] == [None] * 4
    assert people(job) == {"ended": 1}


def test_what_was_decided_by_its_text_ends_with_the_decision_when_the_month_comes_again(publish_month):
    sheet = [decision(0, "2")]
    once = publish_month(twins(), reviewed=[(BEFORE, sheet)], policy=DECIDES)
    back = [decision(0, answer="withdrawn", decided_at=LATER)]
    again = publish_month(twins(), replaced=once, reviewed=[(BEFORE, sheet), (BEFORE, back)], policy=DECIDES)
    assert label(again, 10) == ("labelled", "1", None, None)


def test_a_sheets_decision_is_suggested_at_once_for_the_same_text(publish_month, amended):
    rows = month()
    rows[1] |= {name: rows[0][name] for name in ("title", "brand", "product_type")}
    job = amended(publish_month(rows), [decision(0, "2")])
    assert label(job, 1) == ("review", "2", None, None)
    row = job.published()[1]
    assert (row["reason"], row["run"]) == ("decided for the same text by A. Muster", "r2")
    assert people(job) == {"kept": 1, "suggested": 1}
    again = amended(job, [decision(0, "3a", decided_at=LATER)], "r3")
    assert (label(again, 1)[1], again.published()[1]["suggested"]) == ("3a", "1")


def test_a_sheets_decision_counts_at_once_for_the_same_text_where_the_policy_says_so(publish_month, amended):
    before = publish_month(twins())
    job = amended(before, [decision(0, "2"), decision(4, answer="none")], policy=DECIDES)
    assert label(job, 10) == ("labelled", "2", "same_text", "A. Muster")
    assert label(job, 14) == ("none", None, "same_text", "A. Muster")
    assert people(job) == {"kept": 2, "by_text": 2}
    assert job.message["decided"] == 2
    corrected = amended(job, [decision(0, "3a", decided_at=LATER)], "r3", policy=DECIDES)
    assert label(corrected, 10) == ("labelled", "3a", "same_text", "A. Muster")
    assert corrected.published()[7]["suggested"] == "1"


@pytest.mark.parametrize("policy", [DECIDES, "{}"])
def test_a_withdrawn_decision_is_taken_back_from_the_same_text_too(publish_month, amended, policy):
    rows = month()
    rows[1] |= {name: rows[0][name] for name in ("title", "brand", "product_type")}
    job = amended(publish_month(rows), [decision(0, "2")], policy=policy)
    assert label(job, 1)[1] == "2"
    back = amended(job, [decision(0, answer="withdrawn", decided_at=LATER)], "r3", policy=policy)
    assert label(back, 1) == ("review", "1", None, None)
    assert back.published()[1]["suggested"] is None


def test_who_decided_on_an_item_is_not_overruled_by_the_same_text(publish_month, amended):
    before = amended(publish_month(twins()), [decision(0, "3a", item_id="000010")], policy=DECIDES)
    job = amended(before, [decision(0, "2", decided_at=LATER)], "r3", policy=DECIDES)
    assert label(job, 10) == ("labelled", "3a", "code", "A. Muster")


def test_what_was_decided_by_its_text_can_be_decided_for_itself(publish_month, amended):
    before = amended(publish_month(twins()), [decision(0, "2")], policy=DECIDES)
    own = [decision(0, "3a", item_id="000010", decided_at=LATER)]
    job = amended(before, own, "r3", policy=DECIDES)
    assert label(job, 10) == ("labelled", "3a", "code", "A. Muster")
    assert label(job, 0) == ("labelled", "2", "code", "A. Muster")


def test_a_policy_that_says_something_else_about_the_same_text_is_refused_with_the_choice(publish_month):
    with pytest.raises(JobFailed, match='same_text is maybe, must be "suggest" or "decide"'):
        publish_month(month(), policy='{"same_text": "maybe"}')
