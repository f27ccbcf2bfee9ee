"""A blind sample: what is drawn, and what people's answers on it say of a month's labels without a person."""

import hashlib
import random
from collections import Counter
from itertools import combinations

import pytest

from processing.labels import audit
from processing.labels.audit import EACH, MORE, RANDOM, WHOLE

#: Two large codes, one of fifty items, one of three.
SIZES = {"1": 2000, "2": 947, "3": 50, "4": 3}
CODES = {f"{code}-{number}": code for code, size in SIZES.items() for number in range(size)}
WHO = {"decided_by": "A. Muster", "decided_at": "2026-11-09T10:00:00.000+00:00"}


def sampled(rows, answers, sizes, width=0.02, earlier=()) -> dict:
    """What a sheet of a sample hands over; `answers` are those on some of its items."""
    about = {"sample": "s", "of": "r1", "run": "r1", "seed": "x", "drawn_at": "2026-11-08"}
    said = [
        {"item_id": item, "answer": answer, "label": label, **WHO}
        for item, (answer, label) in answers.items()
    ]
    return about | {
        **{"width": width, "rows": rows, "sizes": sizes, "answers": said, "earlier": list(earlier)}
    }


def audited(rows, wrong, sizes=SIZES, promised=0.98, unanswered=(), **more) -> dict:
    """The audit where the items `wrong` have another code, and nobody answers on the `unanswered`."""
    answers = {
        row["item_id"]: ("none", None) if row["item_id"] in wrong else ("code", row["code"]) for row in rows
    }
    answers |= {item: ("skip", None) for item in unanswered}
    sample = sampled(rows, answers, sizes, **more)
    return audit.evaluate(sample, audit.answered(sample, None), promised)


# --- what is drawn


def test_every_code_is_seen_a_small_one_whole_and_the_rest_is_random():
    rows = audit.draw(CODES, "seed", 200)
    of_code, parts = Counter(row["code"] for row in rows), Counter(row["part"] for row in rows)
    assert parts[RANDOM] == 200
    assert of_code["4"] == parts[WHOLE] == 3
    assert of_code["3"] >= EACH
    assert len({row["item_id"] for row in rows}) == len(rows)
    assert all(row["code"] == CODES[row["item_id"]] for row in rows)
    assert {row["code"] for row in rows if row["part"] == MORE} <= {"3"}


def test_the_same_seed_draws_the_same_and_anybody_can_draw_it_with_sha256():
    rows = audit.draw(CODES, "seed", 200)
    assert rows == audit.draw(dict(reversed(CODES.items())), "seed", 200)
    others = [item for item, code in CODES.items() if code != "4"]
    first = sorted(others, key=lambda item: hashlib.sha256(f"seed\n{item}".encode()).hexdigest())[:200]
    assert {row["item_id"] for row in rows if row["part"] == RANDOM} == set(first)


def test_another_seed_draws_others_and_each_item_as_often():
    drawn = Counter(
        row["item_id"]
        for seed in range(400)
        for row in audit.draw({f"{n}": "1" for n in range(20)}, str(seed), 5)
    )
    assert len(drawn) == 20
    # 100 draws of each are expected; six standard deviations are 52.
    assert all(abs(times - 100) < 52 for times in drawn.values())


def test_the_order_of_the_rows_says_nothing_of_code_or_part():
    rows = audit.draw(CODES, "seed", 200)
    places = [place for place, row in enumerate(rows) if row["part"] != RANDOM]
    assert places[0] < len(rows) / 2 < places[-1] < len(rows) - 1
    assert [row["code"] for row in rows] != sorted(row["code"] for row in rows)


def test_all_are_drawn_where_there_are_no_more():
    rows = audit.draw(CODES, "seed", 10**6)
    assert {row["item_id"] for row in rows} == set(CODES)


# --- what it says


def test_whatever_is_wrong_the_interval_of_a_month_misses_it_in_at_most_one_of_twenty_samples():
    small, large = ("4", "4"), ("1",) * 7
    items = {f"{n}": code for n, code in enumerate(small + large)}
    whole = [{"item_id": f"{n}", "code": "4", "part": WHOLE} for n in range(2)]
    samples = [
        whole + [{"item_id": f"{n}", "code": "1", "part": RANDOM} for n in chosen]
        for chosen in combinations(range(2, 9), 3)
    ]
    for wrong in [{"0"} | {f"{n}" for n in range(2, 2 + many)} for many in range(8)]:
        right = 1 - len(wrong) / len(items)
        found = [audited(rows, wrong, {"4": 2, "1": 7}) for rows in samples]
        missed = sum(not each["at_least"] <= round(right, 4) <= each["at_most"] for each in found)
        assert missed / len(samples) <= 0.05
        assert sum(each["right"] for each in found) / len(found) == pytest.approx(right, abs=1e-4)


def test_five_percent_wrong_refute_a_promise_of_98_percent():
    wrong = {item for n, item in enumerate(sorted(CODES)) if n % 20 == 0}
    for seed in range(20):
        found = audited(audit.draw(CODES, str(seed), 700), wrong)
        assert found["refuted"]
        assert found["at_most"] < 0.98 and found["at_least"] < 0.95 < found["at_most"] + 0.01
    assert audit.in_words(found).endswith("98.0% are promised.")


@pytest.mark.parametrize(("promise", "share"), [("automatic", 0.98), ("month", 0.95)])
def test_a_promise_on_the_month_allows_its_labels_without_a_person_all_wrong_ones(promise, share):
    plan = {"promise": promise, "wanted_precision": 0.98, "automatic": 400, "needed": 620, "let_through": 20}
    assert audit.promise({"review": plan}) == pytest.approx(share)
    assert audit.promise({"review": plan | {"automatic": 0}}) == 0.98
    del plan["promise"]  # a summary from before a policy had one
    assert audit.promise({"review": plan}) == 0.98


def test_a_month_that_keeps_its_promise_is_not_refuted():
    wrong = {item for n, item in enumerate(sorted(CODES)) if n % 50 == 0}
    found = [audited(audit.draw(CODES, str(seed), 250), wrong) for seed in range(40)]
    assert sum(each["refuted"] for each in found) <= 1  # one in forty is what an interval allows


def test_an_item_that_no_code_fits_is_wrong_and_one_that_nobody_could_tell_is_the_worse_at_either_end():
    rows = audit.draw({f"{n}": "1" for n in range(100)}, "seed", 100)
    found = audited(rows, {"0"}, {"1": 100}, unanswered=("1", "2"))
    assert (found["answered"], found["wrong"], found["right"]) == (98, 1, round(97 / 98, 4))
    assert (found["at_least"], found["at_most"]) == (0.97, 0.99)


def test_another_code_than_the_published_one_is_wrong():
    rows = [{"item_id": f"{n}", "code": "1", "part": RANDOM} for n in range(6)]
    said = {f"{n}": ("code", "1") for n in range(6)} | {"5": ("code", "2")}
    sample = sampled(rows, said, {"1": 6})
    assert audit.evaluate(sample, audit.answered(sample, None), 0.98)["wrong"] == 1


def test_a_sheet_that_comes_back_bit_by_bit_adds_up_and_the_latest_answer_counts():
    rows = audit.draw({f"{n}": "1" for n in range(10)}, "seed", 10)
    first = sampled(rows, {"0": ("code", "1"), "1": ("none", None)}, {"1": 10})
    then = sampled(rows, {"1": ("code", "1"), "2": ("code", "1")}, {"1": 10})
    answers = audit.answered(then, audit.answered(first, None))
    found = audit.evaluate(then, answers, 0.98)
    assert (found["answered"], found["wrong"], found["at_least"]) == (3, 0, 0.3)
    assert found["answered_by"] == ["A. Muster"]


def test_a_code_has_its_own_interval_where_twenty_rows_of_it_or_all_are_answered():
    found = audited(audit.draw(CODES, "seed", 200), {"4-0", "1-0"})
    codes = {row["code"]: row for row in found["codes"]}
    assert set(codes) == {"1", "2", "4"}
    assert (codes["4"]["right"], codes["4"]["at_least"], codes["4"]["at_most"]) == (0.6667, 0.6666, 0.6667)
    assert codes["2"]["at_most"] == 1 > codes["2"]["at_least"] > 0.9


# --- several months


def earlier_months(*rows: tuple[int, int]) -> list[dict]:
    """Months before, the latest first, of 5,000 items each: rows drawn, and how many of them were wrong."""
    none = {"items": 0, "drawn": 0, "right": 0, "wrong": 0}
    return [
        {
            "period": f"2026-{9 - number:02d}",
            "counts": {
                WHOLE: none,
                RANDOM: {"items": 5000, "drawn": drawn, "right": drawn - wrong, "wrong": wrong},
            },
        }
        for number, (drawn, wrong) in enumerate(rows)
    ]


def test_a_sample_that_is_too_small_alone_is_pooled_with_as_many_months_before_as_it_takes():
    rows, none_wrong = audit.draw(CODES, "seed", 60), set()
    alone = audited(rows, none_wrong)
    found = audited(rows, none_wrong, earlier=earlier_months((60, 1), (60, 0), (80, 2), (60, 0), (60, 0)))
    assert found["pooled"]["periods"] == ["2026-09", "2026-08", "2026-07"]
    assert found["pooled"]["drawn"] == 260
    assert found["at_least"] == alone["at_least"] < found["pooled"]["at_least"]
    assert found["pooled"]["at_least"] < found["pooled"]["right"] < found["pooled"]["at_most"]
    assert "on average with 2026-09, 2026-08, 2026-07" in audit.in_words(found)


def test_one_that_is_large_enough_stands_alone():
    assert audited(audit.draw(CODES, "seed", 250), set(), earlier=earlier_months((300, 9)))["pooled"] is None


def test_a_promise_that_only_the_months_together_refute_is_refuted():
    found = audited(audit.draw(CODES, "seed", 60), {"1-0"}, earlier=earlier_months((200, 14)))
    assert found["at_most"] > 0.98 > found["pooled"]["at_most"]
    assert found["refuted"]


def test_months_that_all_keep_the_promise_do_not_refute_it_together_whatever_their_codes_and_sizes():
    """Six months of 98 %, their errors among a third of the labels; as many are drawn of a larger month."""
    before = earlier_months(*[(50, 3)] * 6)
    for month in before:
        month["counts"][WHOLE] = {"items": 200, "drawn": 200, "right": 200, "wrong": 0}
        month["counts"][RANDOM]["items"] = 100
    rows = audit.draw(CODES, "seed", 50)
    drawn_at_random = [row["item_id"] for row in rows if row["part"] == RANDOM]
    found = audited(rows, set(drawn_at_random[:1]), earlier=before)
    assert not found["refuted"] and found["pooled"]["right"] == pytest.approx(0.98, abs=0.001)


def test_draws_of_random_months_are_covered_when_pooled():
    source = random.Random(17)
    missed = 0
    for _ in range(60):
        months = []
        truths = []
        for _ in range(3):
            items, drawn = source.randint(30, 90), source.randint(10, 25)
            bad = set(source.sample(range(items), source.randint(0, items // 3)))
            found = sum(n in bad for n in source.sample(range(items), drawn))
            months.append((items, drawn, found))
            truths.append(drawn * len(bad) / items)
        [(items, drawn, found), *before] = months
        earlier = earlier_months(*((drawn, found) for _, drawn, found in before))
        for month, (size, _, _) in zip(earlier, before, strict=True):
            month["counts"][RANDOM]["items"] = size
        rows = [{"item_id": f"{n}", "code": "1", "part": RANDOM} for n in range(drawn)]
        pooled = audited(rows, {f"{n}" for n in range(found)}, {"1": items}, earlier=earlier)["pooled"]
        right = 1 - sum(truths) / sum(drawn for _, drawn, _ in months)
        missed += not pooled["at_least"] <= right <= pooled["at_most"]
    assert missed <= 6  # the interval allows three; nine in ten times at most five
