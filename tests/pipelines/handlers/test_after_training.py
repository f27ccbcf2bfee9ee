"""From an event to an execution: test_model and start_comparison."""

import pytest

from pipelines import names, runs
from pipelines.handlers import start_comparison, test_model
from tests.pipelines.handlers.event_samples import sample

GROUP = "DE-weee"
TEST_SET = "DE-weee-training-2026-10-0f3a9c21d4e5"
CHALLENGER = "DE-weee-2026-10-1a2b3c4d"
WINNER = "DE-weee-2026-09-99999999"
DATASET = f"s3://labelmill-work-123456789012-eu-central-1/runs/DE-weee/{TEST_SET}/test/"


def labelled_by(ledger, model: str) -> str:
    """Record that `model` has labelled the test set; return the address of what it made."""
    address = f"s3://work-bucket/predictions/{GROUP}/{TEST_SET}/{model}/some-run/"
    ledger.put(GROUP, f"PREDICTIONS#{TEST_SET}#{model}", predictions=address, digest=model[-1] * 64)
    return address


def event(model: str = CHALLENGER) -> dict:
    """Inference Completed of the test set, by `model`."""
    event = sample("inference_completed")
    event["detail"]["model"] = model
    return event


def test_a_new_model_labels_its_test_set(machines, ledger):
    test_model.handler(sample("model_trained"))
    [run] = machines.started("inference")
    name = run.pop("run")
    assert name.startswith("DE-weee-test-2026-10-")
    assert run == {
        "group": GROUP,
        "period": "2026-10",
        "purpose": "test",
        "dataset": DATASET,
        "model": CHALLENGER,
        "challenger": CHALLENGER,
        "test_set": TEST_SET,
    }


def test_a_model_announced_twice_labels_its_test_set_once(machines, ledger):
    for _ in range(2):
        test_model.handler(sample("model_trained"))
    assert len(machines.started("inference")) == 1


def test_an_event_without_its_fields_is_refused_by_their_names(machines):
    event = sample("model_trained")
    del event["detail"]["model"]
    event["detail"]["test_set"] = ""
    with pytest.raises(runs.BadEvent, match="lacks model, test_set; it has"):
        test_model.handler(event)
    assert machines.started("inference") == []


def test_an_event_of_another_version_is_refused_and_one_of_before_versions_is_taken(machines, ledger):
    event = sample("model_trained")
    event["detail"]["version"] = "2"
    with pytest.raises(runs.BadEvent, match=r"has version 2, this function reads 1\. Fix: deploy"):
        test_model.handler(event, states=machines.client)
    assert machines.started("inference") == []
    del event["detail"]["version"]
    test_model.handler(event, states=machines.client)
    assert len(machines.started("inference")) == 1


def test_without_a_winner_the_challenger_is_compared_with_nothing(machines, ledger):
    address = labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    [run] = machines.started("comparison")
    assert run.pop("run").startswith("DE-weee-comparison-2026-10-")
    assert run == {
        "group": GROUP,
        "period": "2026-10",
        "test_set": TEST_SET,
        "challenger": {"model": CHALLENGER, "predictions": address, "digest": CHALLENGER[-1] * 64},
        "winner": {"model": "", "predictions": address, "digest": CHALLENGER[-1] * 64},
        "undecided": "",
    }


def decided(ledger, month: str, verdict: str) -> None:
    """Record what a comparison of that month's model said."""
    run = names.run_name(GROUP, "comparison", month, verdict)
    model = f"{GROUP}-{month}-00000000"
    ledger.put(GROUP, f"DECISION#{month}-28T00:00:00.000Z#{run}", verdict=verdict, model=model)


@pytest.mark.parametrize(
    ("verdicts", "undecided"),
    [
        ({"06": "UNDECIDED", "07": "KEEP", "08": "UNDECIDED", "09": "UNDECIDED"}, "2026-08,2026-09"),
        ({"08": "UNDECIDED", "09": "PROMOTE"}, ""),
    ],
)
def test_a_comparison_is_told_in_which_months_the_winner_stayed_undecided_until_now(
    machines, ledger, verdicts, undecided
):
    """Any other decision ends them, a change of winner too."""
    for month, verdict in verdicts.items():
        decided(ledger, f"2026-{month}", verdict)
    ledger.put(GROUP, "WINNER", model=WINNER)
    for model in (CHALLENGER, WINNER):
        labelled_by(ledger, model)
    start_comparison.handler(event())
    [run] = machines.started("comparison")
    assert run["undecided"] == undecided


def test_a_winner_that_has_not_labelled_the_test_set_does_so_first(machines, ledger):
    ledger.put(GROUP, "WINNER", model=WINNER)
    labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    assert machines.started("comparison") == []
    [run] = machines.started("inference")
    assert (run["model"], run["challenger"]) == (WINNER, CHALLENGER)
    assert (run["purpose"], run["test_set"], run["dataset"]) == ("test", TEST_SET, DATASET)


def test_a_challenger_that_has_not_labelled_the_test_set_does_so_first(machines, ledger):
    ledger.put(GROUP, "WINNER", model=WINNER)
    labelled_by(ledger, WINNER)
    start_comparison.handler(event(WINNER))
    [run] = machines.started("inference")
    assert run["model"] == CHALLENGER


def test_challenger_and_winner_are_compared_once_when_both_have_labelled_the_test_set(machines, ledger):
    ledger.put(GROUP, "WINNER", model=WINNER)
    addresses = {model: labelled_by(ledger, model) for model in (CHALLENGER, WINNER)}
    for model in (CHALLENGER, WINNER, WINNER):
        start_comparison.handler(event(model))
    [run] = machines.started("comparison")
    assert [run["challenger"], run["winner"]] == [
        {"model": model, "predictions": addresses[model], "digest": model[-1] * 64}
        for model in (CHALLENGER, WINNER)
    ]
    assert machines.started("inference") == []


def test_runs_of_challenger_and_winner_on_one_test_set_have_two_names(machines, ledger):
    test_model.handler(sample("model_trained"))
    ledger.put(GROUP, "WINNER", model=WINNER)
    labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    assert {run["model"] for run in machines.started("inference")} == {CHALLENGER, WINNER}


def test_a_challenger_that_has_become_the_winner_is_not_compared_with_itself(machines, ledger):
    ledger.put(GROUP, "WINNER", model=CHALLENGER)
    labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    assert machines.started("comparison") == []


def test_an_old_event_does_not_bring_a_decided_challenger_back(machines, ledger):
    """Since the decision another model has won, so the comparison would have a new name."""
    ledger.put(GROUP, "WINNER", model="DE-weee-2026-11-77777777")
    ledger.put(GROUP, "DECISION#2026-10-03T06:00:00Z#some-run", model=CHALLENGER, verdict="KEEP")
    labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    assert machines.started("comparison") == []
    assert machines.started("inference") == []


def test_a_winner_that_changed_during_the_comparison_is_compared_with_in_its_turn(machines, ledger):
    addresses = [labelled_by(ledger, model) for model in (CHALLENGER, WINNER, "DE-weee-2026-10-77777777")]
    assert len(addresses) == 3
    ledger.put(GROUP, "WINNER", model=WINNER)
    start_comparison.handler(event())
    ledger.put(GROUP, "WINNER", model="DE-weee-2026-10-77777777")
    start_comparison.handler(event())
    assert {run["winner"]["model"] for run in machines.started("comparison")} == {
        WINNER,
        "DE-weee-2026-10-77777777",
    }


def test_a_winner_that_wins_again_meanwhile_is_compared_with_again(machines, ledger):
    """While a person was asked, another model won and was rolled back: the first comparison is history."""
    labelled_by(ledger, CHALLENGER)
    labelled_by(ledger, WINNER)
    for decision in ("DECISION#2026-09-03T06:00:00Z#first", "DECISION#2026-10-09T06:00:00Z#rollback"):
        ledger.put(GROUP, "WINNER", model=WINNER, decision=decision)
        start_comparison.handler(event())
    assert [run["winner"]["model"] for run in machines.started("comparison")] == [WINNER, WINNER]


def test_a_codebook_published_meanwhile_is_compared_under(machines, ledger):
    labelled_by(ledger, CHALLENGER)
    for published_at in ("2026-10-03T06:00:00+00:00", "2026-10-09T06:00:00+00:00"):
        ledger.put(GROUP, "GROUP", published_at=published_at)
        for _ in range(2):
            start_comparison.handler(event())
    assert len({run["run"] for run in machines.started("comparison")}) == 2


def again() -> dict:
    """Model Trained, sent by a later training that found nothing new to learn."""
    event = sample("model_trained")
    event["detail"]["again"] = "DE-weee-training-2026-11-111111111111"
    return event


def test_a_model_announced_again_whose_test_failed_is_tested_again(machines, ledger):
    test_model.handler(sample("model_trained"))
    [failed] = machines.stop("inference")
    test_model.handler(sample("model_trained"))
    assert len(machines.started("inference")) == 1, "the same event twice"
    for _ in range(2):
        test_model.handler(again())
    started = {run["run"]: run for run in machines.started("inference")}
    anew = runs.again(started[failed])
    assert started == {failed: started[failed], anew["run"]: anew}


def test_a_model_announced_again_whose_comparison_failed_is_compared_again(machines, ledger):
    labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    [failed] = machines.stop("comparison")
    for _ in range(2):
        test_model.handler(again())
    assert machines.started("inference") == []
    assert {run["run"] for run in machines.started("comparison")} > {failed}
    assert len(machines.started("comparison")) == 2


@pytest.mark.parametrize("status", ["it runs", "it was decided upon"])
def test_a_model_announced_again_that_lacks_nothing_starts_nothing(machines, ledger, status):
    labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    if status == "it was decided upon":
        machines.stop("comparison")
        ledger.put(GROUP, "DECISION#2026-10-03T06:00:00Z#some-run", model=CHALLENGER, verdict="KEEP")
    test_model.handler(again())
    assert len(machines.started("comparison")) == 1 and machines.started("inference") == []


def test_decisions_on_other_challengers_change_nothing(machines, ledger):
    ledger.put(GROUP, "DECISION#2026-09-03T06:00:00Z#some-run", model=WINNER, verdict="FIRST")
    labelled_by(ledger, CHALLENGER)
    start_comparison.handler(event())
    assert len(machines.started("comparison")) == 1
