"""The doctor in an account whose answers are all as AWS's models have them."""

import argparse
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import NoCredentialsError

from infra.deploy import image
from infra.deploy.settings import Settings
from infra.doctor import command
from infra.doctor.account import FAILURE_QUEUES, account
from infra.doctor.finding import FAIL, OK, WARN
from infra.doctor.stack import clock
from tests.infra.doctor.fake_aws import REGION, FakeAws, refusal
from tests.infra.templates import template

ACCOUNT = "123456789012"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/labelmill-jobs"
DIGEST, PATCHED = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
WORKGROUP = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/0a1b2c3d-0000-4000-8000-000000000000"
CLUSTER = f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:sales"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/labelmill/labelmill-warehouse-{REGION}"
KEY = "0a1b2c3d-1111-4000-8000-000000000000"
SCHEDULES = {
    "labelmill-training": "cron(0 4 1 * ? *)",
    "labelmill-deadline": "cron(0 8 10-31 * ? *)",
}


def outputs(**changed):
    given = {name: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}" for name in FAILURE_QUEUES} | {
        name: f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        for name in template("template")["Outputs"]
        if "Topic" in name
    }
    return given | {"WarehouseRoleArn": ROLE, "ImageRepositoryUri": REPOSITORY} | changed


def stack(name):
    return {
        "StackName": name,
        "CreationTime": NOW,
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [{"ParameterKey": "ImageUri", "ParameterValue": f"{REPOSITORY}@{DIGEST}"}],
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs().items()],
    }


def quota(name, value):
    return {"QuotaName": name, "QuotaCode": "L-0A1B2C3D", "Value": float(value), "Adjustable": True}


KINDS = ("processing", "training", "spot training", "transform")


def quotas(value, **changed):
    listed = {
        f"{kind} for {use} job usage": value for kind in ("ml.m5.large", "ml.c5.xlarge") for use in KINDS
    }
    return {"Quotas": [quota(name, count) for name, count in (listed | changed).items()]}


def resource(logical, physical, kind):
    return {
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "LastUpdatedTimestamp": NOW,
        "ResourceStatus": "CREATE_COMPLETE",
    }


def subscription(arn, address="ops@example.com"):
    return {"SubscriptionArn": arn, "Endpoint": address, "Protocol": "email"}


CONFIRMED = subscription(f"arn:aws:sns:{REGION}:{ACCOUNT}:t:0a1b2c3d-2222-4000-8000-000000000000")


def answers(**changed):
    """A healthy account with the stack in it; `changed` by operation."""
    all_of_them = {
        ("sts", "GetCallerIdentity"): {
            "Account": ACCOUNT,
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
            "UserId": "A" * 20,
        },
        ("service-quotas", "ListAWSDefaultServiceQuotas"): quotas(0),
        ("service-quotas", "ListServiceQuotas"): quotas(8),
        ("cloudformation", "DescribeStacks"): lambda request: {"Stacks": [stack(request["StackName"])]},
        ("cloudformation", "ListStackResources"): {
            "StackResourceSummaries": [
                resource("WorkKey", KEY, "AWS::KMS::Key"),
                resource("WorkBucket", "b", "AWS::S3::Bucket"),
                resource("TrainingMapping", KEY, "AWS::Lambda::EventSourceMapping"),
                resource("ModelTrainedRule", "labelmill-model-trained", "AWS::Events::Rule"),
                *(resource("Schedule", name, "AWS::Scheduler::Schedule") for name in SCHEDULES),
            ]
        },
        ("ecr", "DescribeImages"): {
            "imageDetails": [
                {"imageDigest": DIGEST, "imageTags": [f"{image.VERSION}-aaaaaaaaaaaa"], "imagePushedAt": NOW}
            ]
        },
        ("ecr", "ListImages"): {"imageIds": [{"imageTag": image.VERSION, "imageDigest": DIGEST}]},
        ("sns", "ListSubscriptionsByTopic"): {"Subscriptions": [CONFIRMED]},
        ("sqs", "GetQueueAttributes"): {
            "Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}
        },
        ("kms", "DescribeKey"): {"KeyMetadata": {"KeyId": KEY, "KeyState": "Enabled"}},
        ("lambda", "GetEventSourceMapping"): {"UUID": KEY, "State": "Enabled"},
        ("events", "DescribeRule"): {"Name": "labelmill-model-trained", "State": "ENABLED"},
        ("scheduler", "GetSchedule"): lambda request: {
            "Name": request["Name"],
            "ScheduleExpression": SCHEDULES[request["Name"]],
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "State": "ENABLED",
        },
        ("redshift-serverless", "ListWorkgroups"): {
            "workgroups": [
                {
                    "workgroupArn": WORKGROUP,
                    "workgroupName": "sales",
                    "status": "AVAILABLE",
                    "namespaceName": "sales",
                }
            ]
        },
        ("redshift-serverless", "GetNamespace"): {
            "namespace": {"iamRoles": [f"IamRole(applyStatus=in-sync, iamRoleArn={ROLE})"]}
        },
        ("redshift", "DescribeClusters"): {
            "Clusters": [{"ClusterStatus": "available", "IamRoles": [{"IamRoleArn": ROLE}]}]
        },
        ("redshift-data", "ExecuteStatement"): {"Id": KEY},
        ("redshift-data", "DescribeStatement"): {"Id": KEY, "Status": "FINISHED"},
        ("redshift-data", "GetStatementResult"): {"Records": [[{"booleanValue": True}]]},
    }
    by_operation = {operation: service for service, operation in all_of_them}
    return all_of_them | {(by_operation[name], name): answer for name, answer in changed.items()}


def findings(changed=None, **parameters):
    settings = Settings(REGION, "", "labelmill", parameters)
    found = account(settings, FakeAws(answers(**(changed or {}))).client, NOW, sleep=lambda seconds: None)
    return {finding.what: finding for finding in found}


def no_stack(request):
    return refusal("ValidationError", f"Stack with id {request['StackName']} does not exist")


def test_a_healthy_account_is_all_ok():
    found = findings(WarehouseArn=WORKGROUP)
    assert {finding.what: str(finding) for finding in found.values() if finding.status != OK} == {}
    assert str(found["schedule labelmill-training"]).endswith("next at 2026-12-01 04:00 (Europe/Berlin)")
    assert "next at 2026-12-10 08:00" in found["schedule labelmill-deadline"].sentence
    kinds = {what.split()[0] for what in found}
    assert kinds == {
        "credentials",
        "quota",
        "stack",
        "image",
        "warehouse",
        "mails",
        "queue",
        "key",
        "schedule",
        "mapping",
        "rule",
    }


def test_before_the_first_deployment_it_tells_what_deploy_will_do_and_asks_nothing_of_the_stack():
    found = findings({"DescribeStacks": no_stack}, WarehouseArn=WORKGROUP)
    assert {what: finding.status for what, finding in found.items() if finding.status != OK} == {
        "stack": WARN,
        "image": WARN,
    }
    assert found["image"].fix == "labelmill deploy copies it"
    assert not [what for what in found if what.split()[0] in ("mails", "queue", "key", "schedule")]


def test_a_new_accounts_quotas_fail_with_what_to_ask_for():
    found = findings({"ListServiceQuotas": quotas(0, **{"ml.m5.large for transform job usage": 8})})
    failed = {what for what, finding in found.items() if finding.status == FAIL}
    assert failed == {
        "quota ml.m5.large for processing job usage",
        "quota ml.m5.large for training job usage",
        "quota ml.m5.large for spot training job usage",
        "quota ml.c5.xlarge for spot training job usage",
    }
    assert str(found["quota ml.m5.large for spot training job usage"]) == (
        "fail  quota ml.m5.large for spot training job usage: 0; one run needs 2, a month is planned with 8. "
        "Fix: aws service-quotas request-service-quota-increase --service-code sagemaker "
        "--quota-code L-0A1B2C3D --desired-value 8"
    )


def test_a_quota_that_lets_a_run_through_but_not_a_month_is_a_warning():
    found = findings({"ListServiceQuotas": quotas(2)})
    assert {finding.status for what, finding in found.items() if what.startswith("quota")} == {WARN}


def test_the_quota_of_all_instance_types_together_counts_where_there_is_one():
    every = "Number of instances across all processing jobs"
    assert findings({"ListServiceQuotas": quotas(8, **{every: 4})})[f"quota {every}"].status == WARN


def test_an_instance_type_that_the_region_does_not_have_is_told_of():
    found = findings(TransformInstanceType="ml.m9.large")
    assert found["quota ml.m9.large for transform job usage"].status == FAIL


@pytest.mark.parametrize(
    ("at_aws", "sentence"),
    [
        ({image.VERSION: PATCHED}, f"{image.VERSION} is patched: now {PATCHED}"),
        ({image.VERSION: DIGEST, "3.10-1": PATCHED, "3.9-1": PATCHED}, "there is 3.10-1"),
        ({"1.7-1": PATCHED}, f"{image.VERSION} is offered no more"),
    ],
)
def test_a_newer_image_of_aws_is_a_warning(at_aws, sentence):
    listed = {"imageIds": [{"imageTag": tag, "imageDigest": digest} for tag, digest in at_aws.items()]}
    found = findings({"ListImages": listed})["image at AWS"]
    assert found.status == WARN
    assert found.sentence.startswith(sentence)


def test_a_list_that_aws_does_not_give_is_a_warning_and_no_more():
    found = findings({"ListImages": refusal("AccessDeniedException", "not authorized")})
    assert found["image at AWS"].status == WARN
    assert found["image"].status == OK


def test_an_address_that_has_not_confirmed_fails_and_nobody_at_all_is_a_warning():
    pending = {"Subscriptions": [CONFIRMED, subscription("PendingConfirmation", "new@example.com")]}
    found = findings({"ListSubscriptionsByTopic": pending})["mails to operators"]
    assert (found.status, found.sentence) == (
        FAIL,
        "new@example.com has not confirmed, and hears of no failures",
    )
    assert findings({"ListSubscriptionsByTopic": {"Subscriptions": []}})["mails to mlops"].status == WARN


def test_what_waits_in_a_queue_of_failures_is_counted_taken_or_not():
    waiting = {
        "Attributes": {"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1"}
    }
    found = findings({"GetQueueAttributes": waiting})["queue Failure"]
    assert (found.status, found.sentence) == (WARN, "3 wait for a person")


def test_a_key_that_is_to_be_deleted_and_a_disabled_schedule_fail():
    gone = {"KeyMetadata": {"KeyId": KEY, "KeyState": "PendingDeletion"}}
    off = {"Name": "labelmill-training", "ScheduleExpression": "cron(0 4 1 * ? *)", "State": "DISABLED"}
    found = findings({"DescribeKey": gone, "GetSchedule": off})
    assert found["key WorkKey"].status == found["schedule labelmill-training"].status == FAIL


def test_a_disabled_mapping_and_a_disabled_rule_fail_with_the_command_that_enables_them():
    off = {
        "GetEventSourceMapping": {"UUID": KEY, "State": "Disabled"},
        "DescribeRule": {"Name": "labelmill-model-trained", "State": "DISABLED"},
    }
    found = findings(off)
    mapping, rule = found["mapping TrainingMapping"], found["rule ModelTrainedRule"]
    assert mapping.status == rule.status == FAIL
    assert mapping.fix == f"aws lambda update-event-source-mapping --uuid {KEY} --enabled"
    assert rule.fix == "aws events enable-rule --name labelmill-model-trained"
    changing = findings({"GetEventSourceMapping": {"UUID": KEY, "State": "Updating"}})
    assert changing["mapping TrainingMapping"].status == WARN


@pytest.mark.parametrize(("off", "status"), [(60, OK), (-61, WARN)])
def test_a_clock_that_is_a_minute_off_is_a_warning(off, status):
    assert clock(NOW + timedelta(seconds=off), NOW).status == status


def test_a_request_that_aws_refuses_for_its_time_is_told_as_a_wrong_clock():
    error = refusal("SignatureDoesNotMatch", "Signature expired: 20261130T120000Z is now earlier than")
    aws = FakeAws(answers(GetCallerIdentity=error))
    [found] = account(Settings(REGION, "", "labelmill", {}), aws.client, NOW)
    assert found.status == FAIL and found.fix.startswith("set this machine's clock")


def test_a_stack_without_a_warehouse_is_told_that_nothing_orders():
    assert findings()["warehouse"].status == WARN


def test_a_workgroup_that_is_not_there_fails():
    assert "there is no arn:" in findings(WarehouseArn=WORKGROUP[:-1] + "1")["warehouse"].sentence


def test_a_paused_cluster_fails_and_is_asked_nothing():
    paused = {"Clusters": [{"ClusterStatus": "paused", "IamRoles": [{"IamRoleArn": ROLE}]}]}
    found = findings({"DescribeClusters": paused}, WarehouseClusterArn=CLUSTER, WarehouseSecretArn="s")
    assert found["warehouse"].sentence == "sales is paused"
    assert "warehouse grants" not in found


@pytest.mark.parametrize("attached", [[], [f"IamRole(iamRoleArn={ROLE}-2, applyStatus=in-sync)"]])
def test_a_role_that_is_not_attached_fails(attached):
    found = findings({"GetNamespace": {"namespace": {"iamRoles": attached}}}, WarehouseArn=WORKGROUP)
    assert ROLE in found["warehouse role"].fix


def test_grants_are_asked_for_the_user_that_redshift_makes_of_the_functions_role():
    asked = []

    def execute(request):
        asked.append(request)
        return {"Id": KEY}

    findings({"ExecuteStatement": execute}, WarehouseArn=WORKGROUP)
    findings({"ExecuteStatement": execute}, WarehouseClusterArn=CLUSTER, WarehouseSecretArn="secret")
    assert f"has_table_privilege('IAMR:labelmill-unload-{REGION}', 'labelmill.new_items'" in asked[0]["Sql"]
    assert asked[0]["WorkgroupName"] == asked[1]["ClusterIdentifier"] == "sales"
    assert "has_table_privilege('labelmill.new_items', 'select')" in asked[1]["Sql"]
    assert asked[1]["SecretArn"] == "secret"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"GetStatementResult": {"Records": [[{"booleanValue": False}]]}}, "may not read both tables"),
        (
            {
                "DescribeStatement": {
                    "Id": KEY,
                    "Status": "FAILED",
                    "Error": 'ERROR: user "IAMR:x" does not exist',
                }
            },
            "does not exist",
        ),
        ({"DescribeStatement": {"Id": KEY, "Status": "STARTED"}}, "no answer in 60 s"),
    ],
)
def test_a_missing_grant_is_told_in_the_warehouses_words(changed, sentence):
    found = findings(changed, WarehouseArn=WORKGROUP)["warehouse grants"]
    assert found.status == FAIL
    assert sentence in found.sentence


def test_credentials_of_another_account_end_it():
    settings = Settings(REGION, "210987654321", "labelmill", {})
    [found] = account(settings, FakeAws(answers()).client, NOW)
    assert str(found) == (
        f"fail  credentials: of account {ACCOUNT}, the environment is for 210987654321. Fix: set AWS_PROFILE"
    )


@pytest.mark.parametrize("error", [refusal("ExpiredToken", "it has expired"), NoCredentialsError()])
def test_without_credentials_nothing_else_is_asked(error):
    aws = FakeAws(answers(GetCallerIdentity=error))
    [found] = account(Settings(REGION, "", "labelmill", {}), aws.client, NOW)
    assert found.status == FAIL
    assert aws.asked == [("sts", "GetCallerIdentity")]


def test_what_may_not_be_looked_at_is_a_finding_with_aws_words_and_the_rest_goes_on():
    found = findings({"ListServiceQuotas": refusal("AccessDeniedException", "no right to servicequotas")})
    assert "no right to servicequotas" in found["quotas"].sentence
    assert found["key WorkKey"].status == OK


@pytest.fixture
def doctor(monkeypatch, tmp_path):
    """Runs the command in a healthy account, or one changed by operation; returns its exit code."""
    path = tmp_path / "environment.json"
    settings = {
        "region": REGION,
        "account": "",
        "stack": "labelmill",
        "parameters": {"WarehouseArn": WORKGROUP},
    }
    path.write_text(json.dumps(settings))

    def run(*words, **changed):
        aws = FakeAws(answers(**changed))
        with monkeypatch.context() as patch:
            make = aws.client  # with clients as boto3 itself makes them
            patch.setattr(command, "_client", lambda region: make)
            parser = argparse.ArgumentParser()
            command.add_parser(parser.add_subparsers())
            args = parser.parse_args(["doctor", "--parameters", str(path), *words])
            return args.run(args)

    return run


def test_the_command_prints_a_line_for_each_finding_and_ends_with_0(doctor, capsys):
    assert doctor() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 15
    assert all(line.startswith("ok    ") for line in lines)


def test_the_command_ends_with_1_where_something_fails_and_tells_it_as_json(doctor, capsys):
    assert doctor("--json", ListServiceQuotas=quotas(0)) == 1
    found = json.loads(capsys.readouterr().out)
    assert {finding["status"] for finding in found} == {OK, FAIL}
    assert found[0].keys() == {"status", "what", "sentence", "fix"}


def test_without_an_account_the_command_looks_at_this_machine(doctor, capsys):
    assert doctor(GetCallerIdentity=NoCredentialsError()) == 1
    out = capsys.readouterr().out
    assert "fail  credentials" in out
    assert "ok    Python" in out


def test_a_warning_does_not_fail(doctor):
    assert doctor(ListServiceQuotas=quotas(2)) == 0
