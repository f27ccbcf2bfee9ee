"""A tuning job really searches, in parallel where asked, and its best training job is the best one."""

import re

from tests.infra.local.sagemaker.job_requests import script, training_definition, tuning_request

SCORE = {"score": r"score=([-0-9.]+);"}
C_RANGE = {"ContinuousParameterRanges": [{"Name": "C", "MinValue": "0.01", "MaxValue": "100"}]}
# Best in the middle of the range, so the last candidate is hardly ever the best.
PEAK = """
    import argparse, math
    parser = argparse.ArgumentParser()
    parser.add_argument('-C', type=float)
    value = parser.parse_known_args()[0].C
    print(f'score={1 - abs(math.log10(value)):.6f};')
"""


def definition(code: str, module: str = "tune", **static) -> dict:
    return training_definition(code, module, SCORE, StaticHyperParameters={**script(module), **static})


def values_of(stack, name: str) -> dict[str, float]:
    """The objective of each training job of a tuning job that has one."""
    found = {}
    for job, members in stack.book.of_kind("training").items():
        if job.startswith(f"{name}-") and "FinalHyperParameterTuningJobObjectiveMetric" in members:
            found[job] = members["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    return found


def test_the_best_training_job_is_the_best_one_and_neither_the_first_nor_the_last(stack):
    source = """
        import sys
        print('score=0.9;')  # Only the last value counts.
        print(f"score={dict(low=0.2, high=0.8, middle=0.5)[sys.argv[2]]};")
    """
    ranges = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["low", "high", "middle"]}]}
    asked = tuning_request("best", definition(stack.code("best", tune=source)), ranges, 3, Strategy="Grid")

    ended = stack.run("tuning", asked)

    assert ended["HyperParameterTuningJobStatus"] == "Completed"
    assert list(dict(sorted(values_of(stack, "best").items())).values()) == [0.2, 0.8, 0.5]
    best = ended["BestTrainingJob"]
    assert best["TrainingJobName"].startswith("best-002-")
    assert best["TunedHyperParameters"] == {"kind": "high"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Maximize",
        "MetricName": "score",
        "Value": 0.8,
    }
    assert ended["TrainingJobStatusCounters"]["Completed"] == 3
    assert ended["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}


def test_less_is_better_when_the_objective_is_minimized(stack):
    asked = tuning_request("least", definition(stack.code("least", tune=PEAK)), C_RANGE, total=4)
    asked["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] = "Minimize"
    ended = stack.run("tuning", asked)
    values = values_of(stack, "least")
    assert ended["BestTrainingJob"]["TrainingJobName"] == min(values, key=values.get)


def test_training_jobs_of_a_tuning_job_are_real_ones(stack):
    code = stack.code("child", tune=PEAK)
    ended = stack.run("tuning", tuning_request("child", definition(code, fold="2"), C_RANGE, total=1))
    name = ended["BestTrainingJob"]["TrainingJobName"]
    record = stack.book.ended("training", name)
    assert re.fullmatch("child-001-[0-9a-f]{8}", name)
    assert record["TrainingJobArn"].endswith(f":123456789012:training-job/{name}")
    assert record["TuningJobArn"].endswith(":hyper-parameter-tuning-job/child")
    assert record["HyperParameters"]["C"] == ended["BestTrainingJob"]["TunedHyperParameters"]["C"]
    assert record["HyperParameters"]["fold"] == "2"
    assert record["HyperParameters"]["_tuning_objective_metric"] == "score"
    assert record["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://work-bucket/models/{name}/output/")
    assert record["TrainingStartTime"] <= record["TrainingEndTime"]
    assert {"AlgorithmSpecification", "RoleArn", "ResourceConfig", "StoppingCondition"} <= record.keys()
    assert "score=" in stack.log(name)


def test_trials_run_at_the_same_time_where_slots_are_free(stack):
    """Each trial waits for the other at a pipe: alone it would never end."""
    meeting = stack.folder / "meeting"
    meeting.mkdir()
    source = f"""
        import os, sys, tempfile
        here = {str(meeting)!r}
        me = sys.argv[sys.argv.index('--side') + 1]
        for side in ('a', 'b'):
            try:
                os.mkfifo(os.path.join(here, side))
            except FileExistsError:
                pass
        order = ('w', 'r') if me == 'a' else ('r', 'w')
        for side, mode in zip('ab', order):
            open(os.path.join(here, side), mode).close()
        print('score=1;')
    """
    ranges = {"CategoricalParameterRanges": [{"Name": "side", "Values": ["a", "b"]}]}
    asked = tuning_request(
        "meet", definition(stack.code("meet", tune=source)), ranges, 2, parallel=2, Strategy="Grid"
    )
    assert stack.run("tuning", asked)["TrainingJobStatusCounters"]["Completed"] == 2


def test_a_grid_is_walked_completely_and_once(stack):
    source = """
        import sys
        print('score=1;' if sys.argv[1:] == ['--ngrams', 'both', '--weight', '2'] else 'score=0;')
    """
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "ngrams", "Values": ["char", "word", "both"]},
            {"Name": "weight", "Values": ["1", "2"]},
        ]
    }
    asked = tuning_request("grid", definition(stack.code("grid", tune=source)), ranges, 6, Strategy="Grid")
    ended = stack.run("tuning", asked)
    tried = [
        m["TunedHyperParameters"] for n, m in stack.book.of_kind("training").items() if n.startswith("grid-")
    ]
    assert len({tuple(item.items()) for item in tried}) == len(tried) == 6
    assert ended["BestTrainingJob"]["TunedHyperParameters"] == {"ngrams": "both", "weight": "2"}


def test_failed_training_jobs_are_tolerated(stack):
    source = """
        import sys
        value = float(sys.argv[2])
        if value < 1:
            sys.exit(1)
        print(f'score={1 / value:.6f};')
    """
    asked = tuning_request(
        "some", definition(stack.code("some", tune=source)), C_RANGE, total=6, RandomSeed=5
    )
    ended = stack.run("tuning", asked)
    counters = ended["TrainingJobStatusCounters"]
    assert ended["HyperParameterTuningJobStatus"] == "Completed"
    assert counters["Completed"] and counters["NonRetryableError"], (
        "choose another seed: this one proves nothing"
    )
    assert counters["Completed"] + counters["NonRetryableError"] == 6
    assert float(ended["BestTrainingJob"]["TunedHyperParameters"]["C"]) >= 1


def test_when_every_training_job_fails_so_does_the_tuning_job_after_five_attempts(stack):
    code = stack.code("none", tune="raise SystemExit(1)")
    ended = stack.run("tuning", tuning_request("none", definition(code), C_RANGE, total=9))
    assert ended["HyperParameterTuningJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("No training job succeeded after 5 attempts.")
    assert "BestTrainingJob" not in ended


def test_without_an_objective_in_any_log_the_tuning_job_fails_and_says_so(stack):
    code = stack.code("silent", tune="print('score is high')")
    ended = stack.run("tuning", tuning_request("silent", definition(code), C_RANGE, total=2))
    assert ended["FailureReason"].startswith("No objective metrics found after running 2 training jobs.")
    assert ended["ObjectiveStatusCounters"]["Failed"] == 2


def test_a_hopeless_training_job_is_stopped_early(stack):
    """The first two set the median; the third prints a worse value, then would sleep for ever."""
    source = """
        import sys, time
        weak = sys.argv[2] == 'weak'
        print('score=0.1;' if weak else 'score=0.8;')
        if weak:
            time.sleep(600)
        print('score=0.9;')
    """
    ranges = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["strong", "good", "weak"]}]}
    config = {"Strategy": "Grid", "TrainingJobEarlyStoppingType": "Auto"}
    ended = stack.run(
        "tuning", tuning_request("early", definition(stack.code("early", tune=source)), ranges, 3, **config)
    )
    assert ended["HyperParameterTuningJobStatus"] == "Completed"
    assert ended["TrainingJobStatusCounters"] | {"InProgress": 0} == {
        "Completed": 2,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 1,
    }
    assert ended["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0.9


def test_a_warm_start_takes_over_what_its_parents_found(stack):
    code = stack.code("warm", tune=PEAK)
    stack.run("tuning", tuning_request("parent", definition(code), C_RANGE, total=6, RandomSeed=3))
    asked = tuning_request("warm", definition(code), C_RANGE, total=4, RandomSeed=4)
    asked["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "TransferLearning",
    }
    stack.run("tuning", asked)
    assert "warm start from 6 of 6 trials of parent" in stack.log("warm")
    parent, warm = (list(values_of(stack, name).values()) for name in ("parent", "warm"))
    assert sum(warm) / len(warm) > sum(parent) / len(parent)


def test_a_parent_that_failed_before_its_first_trial_adds_none(stack):
    code = stack.code("orphan", tune=PEAK)
    asked = tuning_request("orphan", definition(code), C_RANGE, total=1)
    asked["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "gone"}],
        "WarmStartType": "TransferLearning",
    }
    assert stack.run("tuning", asked)["HyperParameterTuningJobStatus"] == "Completed"
    assert "warm start from 0 of 0 trials of gone" in stack.log("orphan")


def test_a_stopped_tuning_job_stops_its_training_jobs(stack):
    code = stack.code("endless", tune="import time; print('score=1;', flush=True); time.sleep(600)")
    stack.worker.submit("tuning", tuning_request("endless", definition(code), C_RANGE, total=5))
    stack.book.when(
        "tuning", "endless", lambda _: any(n.startswith("endless-") for n in stack.book.of_kind("training"))
    )
    stack.worker.cancel("tuning", "endless")
    ended = stack.book.ended("tuning", "endless")
    assert ended["HyperParameterTuningJobStatus"] == "Stopped"
    assert ended["TrainingJobStatusCounters"]["Stopped"] == 1
    assert ended["TrainingJobStatusCounters"]["InProgress"] == 0


def test_a_tuning_job_over_its_time_is_stopped_with_its_training_jobs(stack):
    code = stack.code("budget", tune="import time; time.sleep(600)")
    asked = tuning_request("budget", definition(code), C_RANGE, total=5)
    asked["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxRuntimeInSeconds"] = 1
    ended = stack.run("tuning", asked)
    assert ended["HyperParameterTuningJobStatus"] == "Stopped"
    assert ended["TrainingJobStatusCounters"]["Stopped"] == 1
