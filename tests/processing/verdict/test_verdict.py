"""The rule: which verdict, and why. The evidence behind it is tested in test_evidence.py."""

import json

import numpy as np
import pytest

from processing.policy import Policy
from processing.verdict.rule import decide

# Rows (truth, challenger, winner, how many) on which both models are right, over codes of uneven size.
AGREED = [("a", "a", "a", 500), ("b", "b", "b", 250), ("c", "c", "c", 120), ("d", "d", "d", 80)]


def verdict(*cells, policy=None, text_key=None, **more):
    """The verdict on AGREED and `cells`, every row a text of its own."""
    rows = [cell[:3] for cell in [*AGREED, *cells] for _ in range(cell[3])]
    truth, challenger, winner = np.array(rows).T
    text_key = np.arange(len(rows)) if text_key is None else text_key
    return decide(truth, challenger, winner, text_key, policy or Policy(), **more)


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
    made = verdict(*cells, policy=Policy(min_gain=0.2))
    assert made.verdict == "KEEP" and "required: +20.0 points" in made.reason


def test_a_stricter_level_asks_for_more_evidence():
    cells = [("a", "a", "b", 30), ("c", "c", "a", 12), ("a", "b", "a", 20)]
    assert verdict(*cells, policy=Policy(level=0.1)).verdict == "PROMOTE"
    assert verdict(*cells, policy=Policy(level=0.0001)).verdict == "UNDECIDED"


def test_too_few_distinct_texts_are_undecided_however_good_the_challenger():
    better = [("a", "a", "b", 200)]
    rows = sum(cell[3] for cell in [*AGREED, *better])
    made = verdict(*better, text_key=np.arange(rows) % 100)
    assert (made.verdict, made.rows, made.distinct_texts) == ("UNDECIDED", rows, 100)
    assert "100 distinct test texts, the policy asks for 300" in made.reason
    assert verdict(*better, policy=Policy(min_rows=rows)).verdict == "PROMOTE"
    assert verdict(*better, policy=Policy(min_rows=rows + 1)).verdict == "UNDECIDED"


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
ENOUGH = "Are there enough distinct test texts?"
NO_VETO = "Is no critical code significantly worse?"
NOT_WORSE = "Is it not significantly worse overall?"
USEFUL = "Is the gain in macro-F1 useful?"
NO_CHANCE = "Is the gain more than chance?"
ACCURATE = "Is a loss of accuracy ruled out?"
RARER = "Do the rarer codes not pay for it?"
ORDER = [NO_CODE_LOST, ENOUGH, NO_VETO, NOT_WORSE, USEFUL, NO_CHANCE, ACCURATE, RARER]


@pytest.mark.parametrize(
    ("cells", "more", "question", "said"),
    [
        ([("a", "a", "b", 200)], {"challenger_lacks": ["z"]}, NO_CODE_LOST, "REJECT"),
        ([("a", "a", "b", 200)], {"policy": Policy(min_rows=2000)}, ENOUGH, "UNDECIDED"),
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
    assert said[ENOUGH] == ("300 or more", "1,000")
    assert said[NO_VETO] == ("none", "none")
    assert said[USEFUL] == ("+0.2 points or more", f"{100 * made.difference:+.1f} points")
    assert said[NO_CHANCE][1].startswith("40 right, 10 wrong, p < 0.001; +0.")
    assert said[ACCURATE][0] == "interval above \N{MINUS SIGN}0.5"
    assert said[RARER] == ("one-sided p above 0.3", "0 right, 0 wrong, p = 1")


def test_an_answer_that_is_not_known_stops_no_challenger():
    made = verdict(("a", "a", "b", 200))
    assert made.verdict == "PROMOTE" and answers(made)[NO_CODE_LOST] is None


def test_an_empty_test_set_decides_nothing():
    none = np.array([], dtype=str)
    made = decide(none, none, none, none, Policy())
    assert (made.verdict, made.rows, made.score, made.difference) == ("UNDECIDED", 0, None, None)
    assert answers(made) == {NO_CODE_LOST: None, ENOUGH: False}
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
