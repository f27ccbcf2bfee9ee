"""`labelmill plan --against`: a finished run beside what the plan says of it."""

import argparse
import json
import os
from pathlib import Path

import pytest

from pipelines.commands import plan
from pipelines.plan.definitions import workflow


def labelmill(*words) -> int:
    parser = argparse.ArgumentParser(prog="labelmill")
    plan.add_parser(parser.add_subparsers())
    args = parser.parse_args(["plan", *map(str, words)])
    return args.run(args)


def entered(state):
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": state}}


def done(resource, **said):
    return {"type": "TaskSucceeded", "taskSucceededEventDetails": {"resource": resource, "output": said}}


@pytest.fixture
def run_folder(tmp_path):
    """A run of one training: two states too few, a search of seven trials, 3 MB stored."""
    history = [{"type": "ExecutionStarted"}]
    for state in workflow("training", "training").states[:-2]:
        history.append(entered(state))
        if state == "Prepare":
            times = {
                "ProcessingStartTime": "2026-11-01T00:00:01+00:00",
                "ProcessingEndTime": "2026-11-01T00:00:05+00:00",
            }
            history.append(done("createProcessingJob.sync", ExitMessage='{"rows": 1000}', **times))
        if state == "TuneWarm":
            times = {
                "CreationTime": "2026-11-01T00:01:00+00:00",
                "HyperParameterTuningEndTime": "2026-11-01T00:01:30+00:00",
            }
            limits = {"ResourceLimits": {"MaxParallelTrainingJobs": 2}}
            counted = {"Completed": 7, "NonRetryableError": 1}
            history.append(
                done(
                    "createHyperParameterTuningJob.sync",
                    HyperParameterTuningJobConfig=limits,
                    TrainingJobStatusCounters=counted,
                    **times,
                )
            )
    for name, status in (("good", "SUCCEEDED"), ("bad", "FAILED")):
        file = tmp_path / "executions" / "labelmill-training" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        arn = f"arn:aws:states:eu-central-1:123456789012:execution:labelmill-training:{name}"
        asked = {"purpose": "training", "group": "DE-weee"}
        record = {"executionArn": arn, "status": status, "input": asked, "history": history}
        file.write_text(json.dumps(record))
    for bucket, size in (("labelmill-work-1", 3_000_000), ("labelmill-code-1", 9_000_000)):
        (tmp_path / "s3" / bucket / "runs").mkdir(parents=True)
        (tmp_path / "s3" / bucket / "runs" / "file").write_bytes(bytes(size))
    return tmp_path


def test_what_a_run_took_stands_beside_what_was_planned_of_the_runs_that_succeeded(capsys, run_folder):
    assert labelmill("--against", run_folder, "--json") == 0
    found = {
        line["what"]: (line["measured"], line["planned"]) for line in json.loads(capsys.readouterr().out)
    }
    states = len(workflow("training", "training").states)
    assert found["transitions, training, 1 run"] == (states - 2, states)
    assert found["jobs, trials among them"] == (1 + 7, 1 + 1 + 8 + 1)
    assert found["seconds of work, Prepare"][0] == 4
    assert found["seconds of work, Tune"] == (60, pytest.approx(8 * 1000 * 0.0004, abs=0.05))
    assert found["MB stored"] == (3, pytest.approx(1000 * 750 / 1e6, abs=0.051))


def test_the_table_has_the_ratio(capsys, run_folder):
    assert labelmill("--against", run_folder) == 0
    shown = capsys.readouterr().out
    states = len(workflow("training", "training").states)
    assert f"{(states - 2) / states:.2f}" in shown.splitlines()[1]


def test_a_folder_without_a_finished_run_is_refused_with_the_fix(capsys, tmp_path):
    assert labelmill("--against", tmp_path) == 1
    assert "Fix: name a finished run's folder" in capsys.readouterr().err


def test_a_stack_that_runs_may_remove_a_file_while_it_is_counted(capsys, run_folder, monkeypatch):
    gone = run_folder / "s3" / "labelmill-work-1" / "runs" / "gone"
    gone.symlink_to("nowhere")
    monkeypatch.setattr(Path, "is_file", lambda path: not path.is_dir())
    assert labelmill("--against", run_folder, "--json") == 0
    assert {line["what"]: line["measured"] for line in json.loads(capsys.readouterr().out)}["MB stored"] == 3


@pytest.mark.after_demo
def test_a_real_run_takes_the_transitions_and_jobs_that_are_planned(capsys):
    assert labelmill("--against", os.environ.get("LABELMILL_RUN_FOLDER", ".labelmill/demo"), "--json") == 0
    for line in json.loads(capsys.readouterr().out):
        if line["what"].startswith(("transitions", "jobs")):
            assert line["measured"] == pytest.approx(line["planned"], rel=0.05), line
