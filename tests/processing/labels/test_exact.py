"""Exact bounds, beside every sample that could have been drawn: of lists small enough to count them."""

from fractions import Fraction
from itertools import product
from math import comb

import pytest

from processing.labels.exact import LEVEL, rows_needed, share_of_pooled, wrong_of

END = Fraction(str(LEVEL)) / 2
LISTS = [(1, 1), (5, 2), (12, 5), (12, 11), (20, 8), (40, 25)]


def chances(items: int, drawn: int, wrong: int) -> list[Fraction]:
    """By counting: how likely it is that so many of those drawn are wrong, for 0 to `drawn`."""
    ways = (comb(wrong, found) * comb(items - wrong, drawn - found) for found in range(drawn + 1))
    return [Fraction(way, comb(items, drawn)) for way in ways]


@pytest.mark.parametrize(("items", "drawn"), LISTS)
def test_at_either_end_the_truth_is_outside_in_at_most_half_of_what_an_interval_leaves_out(items, drawn):
    bounds = [wrong_of(items, drawn, found, found) for found in range(drawn + 1)]
    for wrong in range(items + 1):
        likely = chances(items, drawn, wrong)
        above = sum(chance for chance, (_, high) in zip(likely, bounds, strict=True) if wrong > high)
        below = sum(chance for chance, (low, _) in zip(likely, bounds, strict=True) if wrong < low)
        assert above <= END and below <= END


@pytest.mark.parametrize(("items", "drawn"), LISTS)
def test_the_bounds_are_the_outermost_truths_that_the_sample_does_not_refute(items, drawn):
    for found in range(drawn + 1):
        possible = [
            wrong
            for wrong in range(items + 1)
            if sum(chances(items, drawn, wrong)[found:]) > END
            and sum(chances(items, drawn, wrong)[: found + 1]) > END
        ]
        assert wrong_of(items, drawn, found, found) == (min(possible), max(possible))


def test_what_nobody_answered_is_taken_for_the_worse_at_either_end():
    bounds = [wrong_of(50, 10, wrong, wrong) for wrong in (1, 2, 3)]
    assert wrong_of(50, 10, 1, 3) == (min(low for low, _ in bounds), max(high for _, high in bounds))


@pytest.mark.parametrize(
    ("drawn", "bounds"), [(10, (3, 3)), (0, (0, 10))], ids=["all are drawn", "none is drawn"]
)
def test_nothing_is_open_where_all_are_drawn_and_everything_where_none_is(drawn, bounds):
    assert wrong_of(10, drawn, min(drawn, 3), min(drawn, 3)) == bounds


def test_of_an_endless_list_the_bounds_are_clopper_and_pearsons():
    # As R's binom.test has it: of 8 in 10, 0.4439045 to 0.9747893.
    low, high = wrong_of(10**7, 10, 8, 8)
    assert (round(low / 10**7, 5), round(high / 10**7, 5)) == (0.4439, 0.97479)


@pytest.mark.parametrize("lists", [((6, 3), (9, 2)), ((4, 4), (12, 3)), ((7, 5), (5, 1), (6, 2))])
def test_pooled_bounds_miss_the_mean_of_the_draws_at_either_end_as_rarely_however_different_lists_are(lists):
    drawn = sum(taken for _, taken in lists)
    bounds = [share_of_pooled(drawn, found, found) for found in range(drawn + 1)]
    for truth in product(*(range(items + 1) for items, _ in lists)):
        mean = sum(taken * wrong / items for (items, taken), wrong in zip(lists, truth, strict=True)) / drawn
        likely = [Fraction(1)]
        for (items, taken), wrong in zip(lists, truth, strict=True):
            added = [Fraction(0)] * (len(likely) + taken)
            for (a, first), (b, second) in product(
                enumerate(likely), enumerate(chances(items, taken, wrong))
            ):
                added[a + b] += first * second
            likely = added
        above = sum(chance for chance, (_, high) in zip(likely, bounds, strict=True) if mean > high + 1e-12)
        below = sum(chance for chance, (low, _) in zip(likely, bounds, strict=True) if mean < low - 1e-12)
        assert above <= END and below <= END


def test_pooled_bounds_say_nothing_where_a_single_draw_is_wrong_or_right():
    # One of 79 is wrong, two are drawn of them; 400 of another list are all right. The one is drawn with a
    # chance of 2/79, over 2.5 %, and Clopper and Pearson's interval of 1 in 402 would miss the mean then.
    mean = 2 / 79 / 402
    low, high = share_of_pooled(402, 1, 1)
    assert low == 0 < mean < high
    assert share_of_pooled(402, 401, 401)[1] == 1


@pytest.mark.parametrize("items", [8, 300, 100_000])
def test_so_many_rows_make_the_interval_as_narrow_as_is_wanted_and_one_less_does_not(items):
    drawn = rows_needed(items, items, 0.02, 0.02)
    widths = []
    for rows in (drawn - 1, drawn):
        low, high = wrong_of(items, rows, round(0.02 * rows), round(0.02 * rows))
        widths.append((high - low) / items / 2)
    assert widths[1] <= 0.02 < widths[0]
