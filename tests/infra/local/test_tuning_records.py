"""Training jobs that a worker makes for a tuning job, in the records."""

import pytest

from infra.local.jobs import Jobs, ServiceError
from tests.infra.local.control_plane import FakeSurroundings

ARN = "arn:aws:sagemaker:eu-central-1:123456789012:hyper-parameter-tuning-job"


@pytest.fixture
def jobs():
    announced = []
    surroundings = FakeSurroundings()
    jobs = Jobs("eu-central-1", "123456789012", lambda *change: announced.append(change), surroundings)
    jobs.announced = announced
    return jobs


def report(jobs, name, tuning, value):
    jobs.on_change(
        "training",
        name,
        {
            "TrainingJobStatus": "Completed",
            "TuningJobArn": f"{ARN}/{tuning}",
            "TunedHyperParameters": {"C": "1.5"},
            "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "macro_f1", "Value": value},
        },
    )


def test_they_are_listed_for_their_tuning_job_best_first(jobs):
    report(jobs, "one", "t1", 0.5)
    report(jobs, "two", "t1", 0.9)
    report(jobs, "three", "t2", 0.7)
    request = {
        "HyperParameterTuningJobName": "t1",
        "SortBy": "FinalObjectiveMetricValue",
        "SortOrder": "Descending",
    }
    listed = jobs.answer("ListTrainingJobsForHyperParameterTuningJob", request)["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == ["two", "one"]
    assert listed[0]["TunedHyperParameters"] == {"C": "1.5"}
    assert "TunedHyperParameters" not in jobs.answer("DescribeTrainingJob", {"TrainingJobName": "two"})


def test_every_change_of_status_is_announced_once(jobs):
    jobs.on_change("training", "one", {"TrainingJobStatus": "InProgress"})
    jobs.on_change("training", "one", {"TrainingJobStatus": "InProgress", "BillableTimeInSeconds": 3})
    jobs.on_change("training", "one", {"TrainingJobStatus": "Completed"})
    assert [status for *_, status in jobs.announced] == ["InProgress", "Completed"]


def test_only_what_is_answered_here_is_claimed(jobs):
    assert jobs.handles("CreateHyperParameterTuningJob")
    assert jobs.handles("ListModels")
    assert not jobs.handles("CreateModelPackage")
    assert not jobs.handles("AddTags")


def test_waiting_ends_when_nobody_wants_the_job_any_more(jobs):
    jobs.on_change("training", "one", {"TrainingJobStatus": "InProgress"})
    assert jobs.wait("training", "one", still_wanted=lambda: False) is None
    with pytest.raises(ServiceError):
        jobs.wait("training", "unknown", still_wanted=lambda: True)
