"""The rule: which verdict, and why. The evidence behind it is tested in test_evidence.py."""

import json
from dataclasses import replace

import numpy as np
import pytest

from processing.policy import Policy
from processing.verdict.rule import decide

# Rows (truth, challenger, winner, how many) on which both models are right, over codes of uneven size.
AGREED = [("a", "a", "a", 500), ("b", "b", "b", 250), ("c", "c", "c", 120), ("d", "d", "d", 80)]
WITH_INTERVALS = Policy(min_rows=300)


def verdict(*cells, policy=None, text_key=None, **more):
    """The verdict on AGREED and `cells`, every row a text of its own."""
    rows = [cell[:3] for cell in [*AGREED, *cells] for _ in range(cell[3])]
    truth, challenger, winner = np.array(rows).T
    text_key = np.arange(len(rows)) if text_key is None else text_key
    return decide(truth, challenger, winner, text_key, policy or WITH_INTERVALS, **more)


def test_the_first_model_of_a_group_needs_no_comparison():
    made = decide(np.array(["a", "b"]), np.array(["a", "a"]), None, np.array(["x", "y"]), Policy())
    assert (made.verdict, made.rows, made.p_value, made.low) == ("FIRST", 2, None, None)
    assert made.score == pytest.approx(1 / 3)  # F1 of a: 2/3, of b: 0


def test_the_first_model_says_which_codes_in_force_it_cannot_predict():
    made = decide(
        *[np.array(["a"])] * 2, None, np.array(["x"]), Policy(), codes_in_force="az", challenger_lacks="z"
    )
    assert (made.verdict, made.lost_codes, made.unreached_codes) == ("FIRST", (), ("z",))
    assert made.reason.endswith("It cannot predict code z, now in force: no rows to learn from.")


def test_a_clearly_better_challenger_is_promoted_with_numbers_a_person_can_check():
    made = verdict(("a", "a", "b", 40), ("b", "b", "a", 20), ("c", "c", "d", 10), ("a", "b", "a", 12))
    assert made.verdict == "PROMOTE"
    assert "70 texts newly right, 12 newly wrong" in made.reason
    assert "accuracy +5.6 points" in made.reason


def test_a_challenger_that_labels_like_the_winner_is_not_promoted():
    made = verdict(("a", "b", "b", 30))
    assert (made.verdict, made.difference, made.low, made.high, made.p_value) == ("KEEP", 0, 0, 0, 1)


def test_a_clearly_worse_challenger_is_rejected():
    made = verdict(("a", "b", "a", 60), ("a", "a", "b", 20))
    assert made.verdict == "REJECT" and "significantly worse" in made.reason


def test_a_loss_of_accuracy_alone_rejects():
    made = verdict(("a", "b", "a", 60), ("d", "d", "b", 20))
    assert made.p_value < 0.02 and made.high > 0
    assert made.verdict == "REJECT"


def test_a_loss_of_macro_f1_alone_rejects():
    made = verdict(("d", "b", "d", 25), ("a", "a", "b", 12), ("b", "b", "a", 10))
    assert made.p_value > 0.02 and made.high < 0
    assert made.verdict == "REJECT"


def test_a_gain_in_accuracy_alone_promotes_where_macro_f1_is_too_noisy_to_tell():
    made = verdict(("a", "a", "?", 30), ("d", "d", "?", 20), ("d", "?", "d", 20))
    assert made.p_value < 0.02 and made.difference > 0.002 and made.low < 0
    assert made.verdict == "PROMOTE"


def test_a_gain_that_may_be_chance_is_undecided():
    made = verdict(("a", "a", "b", 20), ("b", "a", "b", 10))
    assert made.difference > 0 and made.p_value > 0.02
    assert made.verdict == "UNDECIDED" and "chance" in made.reason


def test_a_gain_below_what_the_policy_asks_for_is_kept_out():
    cells = [("a", "a", "b", 40), ("b", "b", "a", 20), ("c", "c", "d", 10)]
    assert verdict(*cells).verdict == "PROMOTE"
    made = verdict(*cells, policy=replace(WITH_INTERVALS, min_gain=0.2))
    assert made.verdict == "KEEP" and "required: +20.0 points" in made.reason


def test_a_stricter_level_asks_for_more_evidence():
    cells = [("a", "a", "b", 30), ("c", "c", "a", 12), ("a", "b", "a", 20)]
    assert verdict(*cells, policy=replace(WITH_INTERVALS, level=0.1)).verdict == "PROMOTE"
    assert verdict(*cells, policy=replace(WITH_INTERVALS, level=0.0001)).verdict == "UNDECIDED"


def small(*cells, policy=None, **more):
    """The verdict on few texts: `cells`, and 60 on which both models are right."""
    rows = [cell[:3] for cell in [("a", "a", "a", 40), ("d", "d", "d", 20), *cells] for _ in range(cell[3])]
    truth, challenger, winner = np.array(rows).T
    return decide(truth, challenger, winner, np.arange(len(rows)), policy or Policy(), **more)


def test_few_texts_promote_a_challenger_that_an_exact_test_shows_to_be_better():
    made = small(("a", "a", "d", 31), ("d", "d", "a", 20), ("a", "d", "a", 2), ("d", "a", "d", 1))
    assert (made.verdict, made.distinct_texts) == ("PROMOTE", 114)
    assert (made.better_texts, made.worse_texts, made.low, made.high) == (51, 3, None, None)
    assert "51 texts newly right, 3 newly wrong" in made.reason and "interval" not in made.reason


def test_few_texts_reject_a_challenger_that_an_exact_test_shows_to_be_worse():
    made = small(("a", "d", "a", 31), ("d", "a", "d", 20), ("a", "a", "d", 2), ("d", "d", "a", 1))
    assert made.verdict == "REJECT" and "significantly worse" in made.reason


def test_few_texts_leave_open_what_an_exact_test_does_not_show():
    assert small(("a", "a", "d", 3), ("d", "d", "a", 3)).verdict == "UNDECIDED"
    assert small(("a", "a", "d", 3), ("d", "d", "a", 4)).verdict == "PROMOTE"


def test_of_few_texts_no_interval_shows_a_gain_or_a_loss():
    macro_f1_alone = [("d", "d", "b", 25), ("a", "b", "a", 11), ("b", "a", "b", 10)]
    the_other_way = [(truth, winner, challenger, n) for truth, challenger, winner, n in macro_f1_alone]
    both_right = ("a", "a", "a", 3_000)
    few = Policy(min_rows=5_000)
    for cells, trusted, exact in (
        (macro_f1_alone, "PROMOTE", "UNDECIDED"),
        (the_other_way, "REJECT", "KEEP"),
    ):
        assert verdict(both_right, *cells).verdict == trusted
        assert verdict(both_right, *cells, policy=few).verdict == exact


def test_of_few_texts_more_with_a_rarer_code_must_get_better_than_worse():
    better = ("a", "a", "d", 20)
    assert small(better, ("d", "d", "a", 2), ("d", "a", "d", 1)).verdict == "PROMOTE"
    for evenly in ([("d", "d", "a", 1), ("d", "a", "d", 1)], []):
        made = small(better, *evenly)
        assert made.verdict == "UNDECIDED" and "rarer half of the codes" in made.reason


def test_a_group_of_one_code_has_no_rarer_half_to_ask_about():
    truth = np.array(["a"] * 20)
    assert decide(truth, truth, np.array(["b"] * 20), np.arange(20), Policy()).verdict == "PROMOTE"


def test_few_texts_with_many_rows_each_do_not_hide_a_loss_of_accuracy():
    text = [*range(40), *[40] * 60]
    truth = np.array(["a"] * 20 + ["d"] * 20 + ["a"] * 60)
    challenger = np.array(["a"] * 20 + ["d"] * 20 + ["d"] * 60)
    winner = np.array(["d"] * 20 + ["a"] * 20 + ["a"] * 60)
    made = decide(truth, challenger, winner, np.array(text), Policy(min_gain=0))
    assert made.better_texts == 40 and made.accuracy_difference < 0
    assert made.verdict != "PROMOTE"


def test_how_many_texts_there_are_decides_whether_intervals_count():
    better = [("a", "a", "b", 200)]
    rows = sum(cell[3] for cell in [*AGREED, *better])
    assert verdict(*better, policy=Policy(min_rows=rows)).low is not None
    assert verdict(*better, policy=Policy(min_rows=rows + 1)).low is None
    assert verdict(*better, text_key=np.arange(rows) % 100).low is None


def test_a_critical_code_of_few_texts_is_a_veto_by_exact_tests_alone():
    better = [("a", "a", "d", 30), ("d", "d", "a", 12)]
    given_wrongly = [("a", "c", "a", 8), ("c", "c", "c", 10)]
    made = small(*better, *given_wrongly, critical=["c"])
    assert (made.verdict, made.vetoed_by) == ("REJECT", ("c",))
    more_and_as_precise = [("a", "c", "a", 8), ("c", "c", "a", 30), ("c", "c", "c", 10), ("a", "c", "c", 3)]
    assert small(*better, *more_and_as_precise, critical=["c"]).vetoed_by == ()


def test_an_undecided_gain_says_how_many_labelled_rows_would_decide_it():
    made = small(("a", "a", "d", 12), ("d", "d", "a", 4), ("a", "d", "a", 6))
    assert made.verdict == "UNDECIDED"
    # 16 against 6 of 82 texts. By Connor's formula 46 discordant ones, so 171 texts, of five times the rows.
    assert made.reason.endswith("about 860 labelled rows would decide it (now about 410).")


@pytest.mark.parametrize(
    ("before", "after", "asks"),
    [
        (0.45, 0.0, True),
        (0.45, 0.3, True),
        (0.45, 0.36, False),
        (0.45, 0.45, False),
        (0.3, 0.6, False),
        (0.08, 0.0, True),
    ],
)
def test_a_better_challenger_that_labels_much_less_without_a_person_asks_one(before, after, asks):
    cells = [("a", "a", "b", 100)]
    place = np.arange(1_050) / 1_050
    made = verdict(*cells, alone=(place < after, place < before))
    assert (made.verdict, made.asks) == ("PROMOTE", asks)
    assert ("a person must approve" in made.reason) == asks
    assert made.questions[-1].passed is not asks


@pytest.mark.parametrize(
    ("cells", "before", "after", "verdict_", "asks"),
    [
        ([], 0.0, 0.99, "PROMOTE", True),
        ([], 0.4, 0.51, "PROMOTE", True),
        ([], 0.4, 0.49, "KEEP", False),
        ([], 0.99, 0.0, "KEEP", False),
        ([("a", "a", "b", 1), ("a", "b", "a", 1)], 0.0, 0.99, "PROMOTE", True),  # as good on other texts
        ([("a", "a", "b", 20), ("d", "b", "d", 10)], 0.0, 0.99, "KEEP", False),  # less macro-F1
        ([("a", "a", "b", 20), ("a", "b", "a", 20)], 0.0, 0.99, "UNDECIDED", False),  # may cost accuracy
        ([("a", "a", "b", 4), ("d", "b", "d", 4)], 0.0, 0.99, "KEEP", False),  # the rarer codes would pay
        ([("a", "b", "b", 60)], 0.0, 0.99, "KEEP", False),  # breaks its promise
    ],
)
def test_an_equal_challenger_that_labels_much_more_without_a_person_asks_one(
    cells, before, after, verdict_, asks
):
    texts = 950 + sum(n for *_, n in cells)
    place = np.arange(texts)[::-1] / texts  # the cells' texts, the last ones, among those it is sure of
    made = verdict(*cells, alone=(place < after, place < before))
    assert (made.verdict, made.asks) == (verdict_, asks)
    assert ("much more without a person, so a person must approve" in made.reason) == asks


def test_on_few_texts_as_well_and_no_more_of_the_rarer_codes_may_be_wrong_than_right():
    place = np.arange(60)
    assert small(alone=(place < 60, place < 0)).asks
    assert small(alone=(place < 4, place < 0)).verdict == "KEEP"  # may be chance


def test_that_question_says_what_both_models_give():
    place = np.arange(1_050) / 1_050
    made = verdict(("a", "a", "b", 100), alone=(place < 0.0, place < 0.45))
    said = "winner 45.0 % (100.0 % right, of all 100.0 %), challenger 0.0 %; promised 98 % right"
    assert made.questions[-1].found == said and said in made.reason
    month = Policy(promise="month")
    made = verdict(("a", "a", "b", 100), alone=(place < 0.0, place < 0.45), policy=month)
    assert made.questions[-1].found.endswith("promised 98 % right of all published")


@pytest.mark.parametrize(("promise", "broken"), [("automatic", True), ("month", False)])
def test_a_promise_of_the_month_is_not_broken_where_people_decide_the_rest(promise, broken):
    wrong = np.arange(1_070) >= 1_050
    place = np.arange(1_070) / 1_070
    alone = (place < 0.2) | wrong
    cells = [("a", "a", "b", 100), ("a", "b", "b", 20)]
    made = verdict(*cells, alone=(alone, place < 0.2), policy=Policy(promise=promise))
    # 20 of 234 labels without a person are wrong: 91 % right of these, 98.1 % of all.
    assert made.automatic.broken is broken


def test_labels_that_break_the_promise_are_no_loss():
    wrong_by_winner = np.arange(1_050) >= 950
    place = np.arange(1_050) / 1_050
    made = verdict(("a", "a", "b", 100), alone=(place < 0.0, (place < 0.4) | wrong_by_winner))
    assert made.automatic.winner_broken and made.automatic.lost == 0
    assert (made.verdict, made.asks) == ("PROMOTE", False)


def test_a_challenger_whose_labels_break_the_promise_asks_a_person():
    cells = [("a", "a", "b", 100), ("a", "b", "b", 40)]
    wrong = np.arange(1_090) >= 1_050
    place = np.arange(1_090) / 1_090
    made = verdict(*cells, alone=((place < 0.4) | wrong, place < 0.4))
    assert made.automatic.broken and made.asks


def test_of_a_promise_on_the_month_only_wrong_labels_among_all_count():
    cells = [("a", "a", "b", 100), ("a", "b", "b", 15)]
    wrong = np.arange(1_065) >= 1_050
    alone = (np.arange(1_065) < 300) | wrong
    labels = {"alone": (alone, np.arange(1_065) < 300)}
    month = replace(WITH_INTERVALS, promise="month")
    assert verdict(*cells, **labels).automatic.broken
    assert not verdict(*cells, policy=month, **labels).automatic.broken
    assert verdict(*cells, policy=replace(month, precision=0.995), **labels).automatic.broken


def test_a_loss_on_a_handful_of_texts_may_be_chance():
    better = [("a", "a", "d", 31), ("d", "d", "a", 20)]
    place = np.arange(111)
    assert not small(*better, alone=(place < 0, place < 4)).asks
    assert small(*better, alone=(place < 0, place < 5)).asks


def test_a_code_in_force_that_only_the_winner_can_predict_rejects_the_challenger_however_good_it_is():
    made = verdict(("a", "a", "b", 200), codes_in_force=["a", "lost"], challenger_lacks=["lost"])
    assert (made.verdict, made.lost_codes) == ("REJECT", ("lost",))
    assert made.reason == "The challenger cannot predict code lost, now in force; the winner can."
    assert verdict(("a", "a", "b", 200), challenger_lacks=[], winner_lacks=["found"]).verdict == "PROMOTE"


def test_a_code_in_force_that_neither_model_can_predict_is_pointed_out_and_rejects_nobody():
    made = verdict(("a", "a", "b", 200), challenger_lacks=["x", "y"], winner_lacks=["y", "x", "z"])
    assert (made.verdict, made.lost_codes, made.unreached_codes) == ("PROMOTE", (), ("x", "y"))
    assert made.reason.endswith(" Neither model can predict codes x, y, now in force: no rows to learn from.")


def test_which_codes_a_model_can_predict_may_not_be_known():
    made = verdict(("a", "a", "b", 200), codes_in_force=["new"])
    assert (made.verdict, made.lost_codes, made.unreached_codes) == ("PROMOTE", None, None)


BETTER_BUT_LOSES_D = [("a", "a", "b", 120), ("d", "a", "d", 8)]
BETTER_BUT_FLOODS_D = [("a", "a", "b", 120), ("b", "d", "b", 15)]


@pytest.mark.parametrize("cells", [BETTER_BUT_LOSES_D, BETTER_BUT_FLOODS_D], ids=["recall", "precision"])
def test_a_critical_code_that_gets_significantly_worse_is_a_veto(cells):
    made = verdict(*cells, critical=["d"])
    assert (made.verdict, made.vetoed_by) == ("REJECT", ("d",))
    assert "critical code d" in made.reason
    assert verdict(*cells, critical=["c"]).vetoed_by == ()


def test_a_critical_code_given_more_often_and_as_often_rightly_is_no_veto():
    both_wrong = ("a", "d", "d", 40)
    found_as_precisely = [("d", "d", "a", 30), ("a", "d", "a", 12)]
    assert verdict(both_wrong, *found_as_precisely, critical=["d"]).vetoed_by == ()


@pytest.mark.parametrize("cell", [("d", "a", "d", 1), ("b", "d", "b", 4)], ids=["recall", "precision"])
def test_a_few_rows_lost_on_a_critical_code_are_no_veto(cell):
    assert verdict(("a", "a", "b", 60), cell, critical=["d"]).vetoed_by == ()


def test_a_critical_code_without_test_rows_is_pointed_out():
    made = verdict(("a", "a", "b", 60), critical=["z"], codes_in_force=["a", "y"])
    assert made.verdict == "PROMOTE" and made.untested_codes == ("y", "z")
    assert made.reason.endswith("No test row has critical code z, so it could not be checked.")


def test_a_gain_that_the_rarer_codes_pay_for_is_not_promoted():
    made = verdict(("a", "a", "b", 150), ("c", "a", "c", 4))
    assert made.p_value < 0.02 and made.difference > 0.002
    assert (
        made.verdict == "UNDECIDED"
        and "rarer half of the codes (0 texts newly right, 4 newly wrong)" in made.reason
    )


def test_rarer_codes_that_get_better_promote_a_model_of_the_same_accuracy():
    both_right = ("a", "a", "a", 3_000)
    made = verdict(both_right, ("d", "d", "b", 25), ("a", "b", "a", 11), ("b", "a", "b", 10))
    assert made.p_value > 0.5 and made.low > 0
    assert made.verdict == "PROMOTE"


def test_a_gain_in_macro_f1_does_not_buy_half_a_point_of_accuracy():
    made = verdict(("d", "d", "b", 30), ("a", "b", "a", 40))
    assert made.low > 0 and made.accuracy_difference < 0 and made.p_value > 0.02
    assert made.verdict == "UNDECIDED" and "half a point of accuracy" in made.reason


def test_a_handful_of_discordant_texts_all_one_way_is_not_evidence_by_its_interval_alone():
    made = verdict(("d", "d", "a", 6))
    assert made.low > 0 and made.p_value > 0.02
    assert made.verdict == "UNDECIDED"
    assert verdict(("d", "a", "d", 6)).verdict == "KEEP"


def answers(made) -> dict[str, bool | None]:
    return {each.question: each.passed for each in made.questions}


NO_CODE_LOST = "Can it predict every code in force that the winner can?"
THERE = "Are there test rows?"
NO_VETO = "Is no critical code significantly worse?"
NOT_WORSE = "Is it not significantly worse overall?"
USEFUL = "Is the gain in macro-F1 useful?"
NO_CHANCE = "Is the gain more than chance?"
ACCURATE = "Is a loss of accuracy ruled out?"
RARER = "Do the rarer codes not pay for it?"
KEPT = "Is about as much labelled without a person?"
ORDER = [NO_CODE_LOST, THERE, NO_VETO, NOT_WORSE, USEFUL, NO_CHANCE, ACCURATE, RARER, KEPT]


@pytest.mark.parametrize(
    ("cells", "more", "question", "said"),
    [
        ([("a", "a", "b", 200)], {"challenger_lacks": ["z"]}, NO_CODE_LOST, "REJECT"),
        (BETTER_BUT_LOSES_D, {"critical": ["d"]}, NO_VETO, "REJECT"),
        ([("a", "b", "a", 60)], {}, NOT_WORSE, "REJECT"),
        ([("a", "b", "b", 30)], {}, USEFUL, "KEEP"),
        ([("a", "a", "b", 20), ("b", "a", "b", 10)], {}, NO_CHANCE, "UNDECIDED"),
        ([("d", "d", "b", 30), ("a", "b", "a", 40)], {}, ACCURATE, "UNDECIDED"),
        ([("a", "a", "b", 150), ("c", "a", "c", 4)], {}, RARER, "UNDECIDED"),
        ([("a", "a", "b", 200)], {"challenger_lacks": []}, None, "PROMOTE"),
    ],
)
def test_the_first_question_answered_with_no_gives_the_verdict(cells, more, question, said):
    made = verdict(*cells, **more)
    assert made.verdict == said
    assert list(answers(made)) == ORDER
    assert next((name for name, passed in answers(made).items() if passed is False), None) == question


def test_a_question_says_what_is_asked_and_what_was_found():
    lacks = {"challenger_lacks": ["x", "y"], "winner_lacks": ["y"]}
    made = verdict(("a", "a", "b", 40), ("b", "a", "b", 10), critical=["d"], **lacks)
    said = {each.question: (each.asked, each.found) for each in made.questions}
    assert said[NO_CODE_LOST] == ("all", "not x; neither model can predict y")
    assert said[THERE] == (
        "1 or more; with fewer than 300 distinct texts only exact tests count",
        "1,000 distinct texts",
    )
    assert said[NO_VETO] == ("none", "none")
    assert said[USEFUL] == (
        "+0.2 points or more; no such loss if much less is left to people",
        f"{100 * made.difference:+.1f} points",
    )
    assert said[NO_CHANCE][1].startswith("40 right, 10 wrong, p < 0.001; +0.")
    assert said[ACCURATE][0] == "interval above \N{MINUS SIGN}0.5, as is what was measured"
    assert said[RARER] == ("one-sided p above 0.3", "0 right, 0 wrong, p = 1")


def test_an_answer_that_is_not_known_stops_no_challenger():
    made = verdict(("a", "a", "b", 200))
    assert made.verdict == "PROMOTE" and answers(made)[NO_CODE_LOST] is None


def test_an_empty_test_set_decides_nothing():
    none = np.array([], dtype=str)
    made = decide(none, none, none, none, Policy())
    assert (made.verdict, made.rows, made.score, made.difference) == ("UNDECIDED", 0, None, None)
    assert answers(made) == {NO_CODE_LOST: None, THERE: False}
    first = decide(none, none, None, none, Policy())
    assert (first.verdict, first.questions) == ("FIRST", ())


def test_arrays_of_another_length_are_named():
    two, three = np.array(["a", "b"]), np.array(["a", "b", "c"])
    with pytest.raises(ValueError, match=r"winner has shape \(3,\), must have one value for each of 2 rows"):
        decide(two, two, three, two, Policy())
    with pytest.raises(ValueError, match=r"challenger has shape \(1, 2\)"):
        decide(two, two.reshape(1, 2), two, two, Policy())


def test_a_policy_is_read_from_json_and_keeps_the_defaults_it_does_not_name():
    assert Policy.parse('{"min_rows": 50}') == Policy(min_rows=50)
    assert Policy.parse("{}") == Policy()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"min_gian": 0.01}, "unknown setting 'min_gian'; use one of min_gain, min_rows, level"),
        ({"level": 0.95}, "level is 0.95, must be above 0 and at most 0.5"),
        ({"level": 0}, "level is 0"),
        ({"min_gain": -0.01}, "min_gain is -0.01, must be from 0 to 1"),
        ({"min_gain": 2}, "min_gain is 2, must be from 0 to 1"),
        ({"min_rows": 0}, "min_rows is 0, must be 1 or more"),
        ({"min_rows": "many"}, "min_rows is 'many', must be a number"),
        ({"min_rows": True}, "min_rows is True, must be a number"),
        ([0.01], "is not a JSON object"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(settings, said):
    with pytest.raises(ValueError, match="policy: ") as error:
        Policy.parse(json.dumps(settings))
    assert said in str(error.value)
