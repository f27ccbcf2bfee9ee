"""CloudWatch Logs of jobs, from the jobs' log files: as a client of AWS sees them."""

import json

import pytest
from botocore.exceptions import ClientError

PROCESSING, TRAINING = "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def job(aws, name):
    """A job's folder with a log, and more lines on demand; returns the job's name."""

    def make(member, *lines, suffix=""):
        folder = aws.folder / "jobs" / f"{name}{suffix}"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "request.json").exists():
            (folder / "request.json").write_text(json.dumps({member: folder.name}))
        with (folder / "log.txt").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        return folder.name

    return make


def texts(events):
    return [event["message"] for event in events]


def test_a_jobs_lines_are_found_in_the_group_of_its_kind_in_order_and_only_there(client, job):
    made, logs = job("ProcessingJobName", "one", "two"), client("logs")
    found = logs.filter_log_events(logGroupName=PROCESSING, logStreamNamePrefix=made)["events"]
    assert texts(found) == ["one", "two"]
    assert found[0]["timestamp"] < found[1]["timestamp"]
    assert found[0]["logStreamName"].startswith(f"{made}/algo-1-")
    assert logs.filter_log_events(logGroupName=TRAINING, logStreamNamePrefix=made)["events"] == []


def test_a_line_keeps_its_time_and_id_so_that_a_reader_can_go_on_from_it(client, job):
    made, logs = job("TrainingJobName", "one"), client("logs")
    [first] = logs.filter_log_events(logGroupName=TRAINING, logStreamNamePrefix=made)["events"]
    job("TrainingJobName", "two")
    later = logs.filter_log_events(
        logGroupName=TRAINING, logStreamNamePrefix=made, startTime=first["timestamp"]
    )["events"]
    assert texts(later) == ["one", "two"] and later[0] == first
    since = logs.filter_log_events(
        logGroupName=TRAINING, logStreamNamePrefix=made, startTime=first["timestamp"] + 1
    )
    assert texts(since["events"]) == ["two"]


def test_many_lines_come_in_pages(client, job):
    made = job("ProcessingJobName", *map(str, range(5)))
    pages = (
        client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=PROCESSING, logStreamNamePrefix=made, PaginationConfig={"PageSize": 2})
    )
    assert [texts(page["events"]) for page in pages] == [["0", "1"], ["2", "3"], ["4"]]


def test_a_stream_gives_its_last_lines_or_its_first(client, job):
    made, logs = job("TransformJobName", "one", "two", "three"), client("logs")
    group = "/aws/sagemaker/TransformJobs"
    [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=made)["logStreams"]
    place = {"logGroupName": group, "logStreamName": stream["logStreamName"], "limit": 2}
    assert texts(logs.get_log_events(**place)["events"]) == ["two", "three"]
    assert texts(logs.get_log_events(**place, startFromHead=True)["events"]) == ["one", "two"]


def test_a_search_has_a_stream_for_each_trial_and_none_of_its_own(client, job, name):
    job("HyperParameterTuningJobName", "looked at by nobody")
    trial = job("TrainingJobName", "fitted", suffix="-001-1a2b3c4d")
    [stream] = client("logs").describe_log_streams(logGroupName=TRAINING, logStreamNamePrefix=name)[
        "logStreams"
    ]
    assert stream["logStreamName"].startswith(f"{trial}/")


def test_another_group_or_stream_is_not_there(client):
    with pytest.raises(ClientError, match="The specified log group does not exist"):
        client("logs").filter_log_events(logGroupName="/aws/lambda/labelmill-unload")
    with pytest.raises(ClientError, match="The specified log stream does not exist"):
        client("logs").get_log_events(logGroupName=PROCESSING, logStreamName="nobody/algo-1-1")
