"""`labelmill deploy` and `labelmill destroy` against moto's CloudFormation, from the real templates.

moto's change sets list new resources, but of an existing stack only those whose text in the template differs.
"""

import json

import pytest


def names(aws, service, operation, field):
    return getattr(aws.client(service), operation)()[field]


def buckets(aws):
    return {bucket["Name"] for bucket in names(aws, "s3", "list_buckets", "Buckets")}


def stacks(aws):
    listed = names(aws, "cloudformation", "list_stacks", "StackSummaries")
    return {stack["StackName"] for stack in listed if stack["StackStatus"] != "DELETE_COMPLETE"}


def parameters(aws, stack):
    [described] = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {given["ParameterKey"]: given["ParameterValue"] for given in described["Parameters"]}


def test_nothing_is_made_before_a_person_has_seen_it_and_said_yes(aws, labelmill, environment, capsys):
    path = environment()
    assert labelmill("deploy", "--parameters", str(path), answers=("no",)) == 1
    out = capsys.readouterr().out
    assert "Add      CodeBucket" in out
    assert "nothing was changed" in out
    name = json.loads(path.read_text())["stack"]
    assert not [stack for stack in stacks(aws) if stack.startswith(name)]
    assert not [bucket for bucket in buckets(aws) if bucket.startswith(name)]


def test_no_answer_is_no(labelmill, environment):
    assert labelmill("deploy", "--parameters", str(environment())) == 1


def test_a_deployed_stack_has_its_parameters_runs_the_bundle_and_changes_only_when_something_has(
    aws, labelmill, environment, capsys
):
    path = environment(TrainingInstanceType="ml.m5.large")
    name = json.loads(path.read_text())["stack"]
    assert labelmill("deploy", "--parameters", str(path), answers=("yes", "yes")) == 0
    printed = dict(
        line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[-20:] if "  " in line
    )
    given = parameters(aws, name)
    assert given["TrainingInstanceType"] == "ml.m5.large"
    assert given["CodePrefix"] == f"code/{given['CodeDigest']}"
    assert printed["LandingBucket"] == f"{name}-landing-123456789012-eu-central-1"
    machine = aws.client("stepfunctions").describe_state_machine(
        stateMachineArn=printed["TrainingMachineArn"]
    )
    assert "${" not in machine["definition"]
    assert "ml.m5.large" in machine["definition"]

    assert labelmill("deploy", "--parameters", str(path)) == 0
    assert f"stack {name}: nothing to change" in capsys.readouterr().out

    environment(TrainingInstanceType="ml.m5.xlarge")
    assert labelmill("deploy", "--parameters", str(path), "--yes") == 0
    out = capsys.readouterr().out
    assert f"stack {name} would change:" in out
    assert "Add " not in out
    assert parameters(aws, name)["TrainingInstanceType"] == "ml.m5.xlarge"


def test_data_outlives_the_stack_and_goes_only_when_told_twice(aws, labelmill, environment, capsys):
    path = environment()
    name = json.loads(path.read_text())["stack"]
    assert labelmill("deploy", "--parameters", str(path), "--yes") == 0
    landing = f"{name}-landing-123456789012-eu-central-1"
    aws.client("s3").put_object(Bucket=landing, Key="training/DE-weee/2026-10/d1/a.csv", Body=b"rows")
    capsys.readouterr()

    assert labelmill("destroy", "--parameters", str(path), "--delete-data", "--yes", answers=("yes",)) == 1
    assert name in stacks(aws)

    labelmill_data = {bucket for bucket in buckets(aws) if bucket.startswith(name)}
    assert labelmill("destroy", "--parameters", str(path), "--delete-data", answers=(name,)) == 0
    out = capsys.readouterr().out
    assert all(bucket in out for bucket in labelmill_data)
    assert not {bucket for bucket in buckets(aws) if bucket.startswith(name)}
    assert f"{name}-ledger" not in names(aws, "dynamodb", "list_tables", "TableNames")


def test_data_stays_without_a_word(aws, labelmill, environment, capsys):
    path = environment()
    name = json.loads(path.read_text())["stack"]
    assert labelmill("deploy", "--parameters", str(path), "--yes") == 0
    assert labelmill("destroy", "--parameters", str(path), "--yes") == 0
    assert "data that stays" in capsys.readouterr().out
    assert name not in stacks(aws)
    kept = {
        bucket.removesuffix("-123456789012-eu-central-1").removeprefix(f"{name}-") for bucket in buckets(aws)
    }
    assert {"landing", "work", "labelled", "access-logs", "code"} <= kept
    assert f"{name}-ledger" in names(aws, "dynamodb", "list_tables", "TableNames")
    assert labelmill("destroy", "--parameters", str(path)) == 0


def test_another_account_than_the_files_is_refused(labelmill, environment, capsys):
    path = environment()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"account": "999999999999"}))
    assert labelmill("deploy", "--parameters", str(path), "--yes") == 1
    assert "999999999999" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_an_environment_that_is_not_there_is_named_with_those_that_are(command, labelmill, capsys):
    assert labelmill(command, "--env", "moon") == 1
    assert "dev, prod" in capsys.readouterr().err
