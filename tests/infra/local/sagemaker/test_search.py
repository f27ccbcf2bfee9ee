"""The ranges of a tuning request and the texts that training jobs get from them."""

import math

import pytest

from infra.local.sagemaker.search import Search, read_ranges

LIMITS = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 60, "MaxParallelTrainingJobs": 1}}


def texts(ranges: dict, strategy: str = "Random", count: int = 60, seed: int = 0) -> list[dict]:
    search = Search({"Strategy": strategy, **LIMITS}, ranges, maximize=True, seed=seed)
    return [search.ask().tuned for _ in range(count)]


def continuous(low: str, high: str, scaling: str) -> dict:
    item = {"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scaling}
    return {"ContinuousParameterRanges": [item]}


@pytest.mark.parametrize(
    ("scaling", "low", "high", "share_below_a_hundredth"),
    [
        ("Linear", "0.0001", "1", 0.01),
        ("Logarithmic", "0.0001", "1", 0.5),
        ("Auto", "0.0001", "1", 0.5),
        ("Auto", "0.5", "1", 0),
    ],
)
def test_scaling_decides_where_values_are_dense(scaling, low, high, share_below_a_hundredth):
    values = [float(item["x"]) for item in texts(continuous(low, high, scaling), count=400)]
    assert all(float(low) <= value <= float(high) for value in values)
    assert sum(value < 0.01 for value in values) / 400 == pytest.approx(share_below_a_hundredth, abs=0.08)


def test_reverse_logarithmic_values_are_dense_near_one():
    values = [
        float(item["x"]) for item in texts(continuous("0.9", "0.9999", "ReverseLogarithmic"), count=400)
    ]
    assert all(0.9 <= value <= 0.9999 for value in values)
    assert sum(value > 0.99 for value in values) / 400 == pytest.approx(2 / 3, abs=0.08)


def test_integers_are_written_as_integers_and_both_ends_are_reached():
    ranges = {
        "IntegerParameterRanges": [
            {"Name": "min_df", "MinValue": "1", "MaxValue": "2", "ScalingType": "Auto"}
        ]
    }
    assert {item["min_df"] for item in texts(ranges)} == {"1", "2"}


def test_the_same_seed_gives_the_same_candidates_and_another_seed_others():
    ranges = continuous("0.05", "4", "Logarithmic")
    assert texts(ranges, "Bayesian", 5, seed=1) == texts(ranges, "Bayesian", 5, seed=1)
    assert texts(ranges, "Bayesian", 5, seed=1) != texts(ranges, "Bayesian", 5, seed=2)


def test_a_bayesian_search_learns_from_what_it_was_told():
    """Over twenty seeds, its later candidates are nearer to the optimum than random ones."""

    def distance(strategy: str, seed: int) -> float:
        config = {"Strategy": strategy, "ResourceLimits": {"MaxNumberOfTrainingJobs": 12}}
        search = Search(config, continuous("0.01", "100", "Logarithmic"), maximize=True, seed=seed)
        found = []
        for _ in range(12):
            candidate = search.ask()
            found.append(abs(math.log10(float(candidate.tuned["x"]))))
            search.tell(candidate, 1 - found[-1])
        return sum(found[6:]) / 6

    random, bayesian = (sum(distance(name, seed) for seed in range(20)) for name in ("Random", "Bayesian"))
    assert bayesian < random / 2


def test_a_text_leads_back_to_the_value_it_came_from():
    ranges = continuous("0.9", "0.9999", "ReverseLogarithmic") | {
        "IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "9"}],
        "CategoricalParameterRanges": [{"Name": "family", "Values": ["linear", "trees"]}],
    }
    search = Search({"Strategy": "Random", **LIMITS}, ranges, maximize=True, seed=0)
    assert search.add_finished({"x": "0.95", "n": "3", "family": "trees"}, value=0.5)
    assert math.isclose(read_ranges(ranges)[0].value("0.95"), 0.05)


@pytest.mark.parametrize("tuned", [{"x": "7"}, {"y": "1"}, {"x": "many"}])
def test_a_parents_trial_that_does_not_fit_is_left_out(tuned):
    search = Search({"Strategy": "Random", **LIMITS}, continuous("0", "1", "Linear"), maximize=True, seed=0)
    assert not search.add_finished(tuned, value=0.5)


def test_hyperband_stops_what_is_behind_at_its_rung():
    config = {"Strategy": "Hyperband", **LIMITS}
    config["StrategyConfig"] = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    search = Search(config, continuous("0", "1", "Linear"), maximize=True, seed=0)
    outcomes = []
    for rank in range(30):
        candidate = search.ask()
        values = [1 - rank / 30] * 9
        outcomes.append(search.is_hopeless(candidate, values))
        search.tell(candidate, values[-1], stopped_early=outcomes[-1])
    assert any(outcomes)
    assert not outcomes[0]
