"""Logs: of functions in JSON, of machines without data, kept for a year; with traces beside them."""

import re

import pytest

from tests.infra.templates import MACHINES, definition, resources


@pytest.mark.parametrize("logical", resources("Lambda::Function"))
def test_a_function_is_traced_and_logs_json_to_a_group_of_its_own(logical):
    function = resources("Lambda::Function")[logical]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"] == {
        "LogGroup": {"Ref": f"{logical.removesuffix('Function')}Logs"},
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "INFO",
    }


@pytest.mark.parametrize("logical", resources("Logs::LogGroup"))
def test_logs_are_kept_for_a_year_and_no_longer(logical):
    assert resources("Logs::LogGroup")[logical]["RetentionInDays"] == 365


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_logs_every_step_without_its_data(machine):
    logging = resources("StepFunctions::StateMachine")[f"{machine}Machine"]["LoggingConfiguration"]
    [destination] = logging.pop("Destinations")
    assert logging == {"Level": "ALL", "IncludeExecutionData": False}
    assert destination["CloudWatchLogsLogGroup"]["LogGroupArn"] == {
        "Fn::GetAtt": [f"{machine}MachineLogs", "Arn"]
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_a_jobs_name_and_so_its_log_stream_begins_with_the_model_group(machine):
    """SageMaker names a job's log streams after the job; groups and months are searched by that."""
    for name, state in definition(machine)["States"].items():
        if re.search(r":sagemaker:create\w+Job", state.get("Resource", "")):
            [job_name] = [value for key, value in state["Parameters"].items() if key.endswith("JobName.$")]
            assert re.match(r"States\.Format\('\{\}-[^']*', \$\.group,", job_name), name
