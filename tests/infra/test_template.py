"""What the template promises about encryption, delivery and names; test_permissions.py tests its policies."""

import json
import re
from datetime import UTC, datetime
from itertools import product
from zoneinfo import ZoneInfo, available_timezones

import pytest

from pipelines.warehouse import unload
from tests.infra.faults import assert_found, of_each_machine, properties, put, without
from tests.infra.policies import HERE, Stack
from tests.infra.templates import MACHINES, ROOT, TEMPLATES, arn, definition, resources, template

NAMES = [
    "AlarmName",
    "AliasName",
    "BucketName",
    "DashboardName",
    "FunctionName",
    "LogGroupName",
    "ManagedPolicyName",
    "Name",
    "QueueName",
    "RoleName",
    "StateMachineName",
    "TableName",
    "TopicName",
]


def test_cfn_lint_is_told_to_ignore_nothing():
    assert "ignore" not in (ROOT / ".cfnlintrc").read_text()
    for name in TEMPLATES:
        assert not any("Metadata" in resource for resource in template(name)["Resources"].values())


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_has_a_transform_which_would_silence_the_linter(name):
    assert "Transform" not in template(name)


@pytest.mark.parametrize(
    ("name", "bucket", "key"),
    [
        ("template", "LandingBucket", "LandingKey"),
        ("template", "WorkBucket", "WorkKey"),
        ("template", "LabelledBucket", "LabelledKey"),
        ("bootstrap", "CodeBucket", "CodeKey"),
    ],
)
def test_every_bucket_is_private_versioned_and_encrypted_with_its_own_key(name, bucket, key):
    properties = resources("S3::Bucket", name)[bucket]
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn(key)},
        }
    ]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties.get("VersioningConfiguration") == {"Status": "Enabled"}


@pytest.mark.parametrize("bucket", ["LandingBucket", "WorkBucket", "LabelledBucket"])
def test_what_is_seldom_read_moves_by_use_and_what_was_replaced_goes(bucket):
    """In Intelligent-Tiering reading costs nothing, whatever the age (S3 user guide, "How it works")."""
    rules = resources("S3::Bucket")[bucket]["LifecycleConfiguration"]["Rules"]
    kept = {rule["Id"]: rule for rule in rules if "Prefix" not in rule}
    assert kept["by-use"]["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}]
    assert kept["replaced-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert not any("ExpirationInDays" in rule for rule in kept.values())


def test_there_are_no_other_buckets():
    data = {"LandingBucket", "WorkBucket", "LabelledBucket"}
    assert set(resources("S3::Bucket")) == data | {"AccessLogBucket"}
    assert set(resources("S3::Bucket", "bootstrap")) == {"CodeBucket"}


def test_who_reads_and_writes_data_is_logged_in_a_private_bucket():
    buckets = resources("S3::Bucket")
    logs = buckets.pop("AccessLogBucket")
    for bucket in buckets.values():
        assert bucket["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "AccessLogBucket"}
    assert set(logs["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(logs["PublicAccessBlockConfiguration"]) == 4
    # S3 delivers access logs to no bucket that is under a customer's key.
    [rule] = logs["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_every_key_rotates():
    keys = {**resources("KMS::Key"), **resources("KMS::Key", "bootstrap")}
    assert set(keys) == {"LandingKey", "WorkKey", "LabelledKey", "OperationsKey", "CodeKey"}
    assert all(key["EnableKeyRotation"] is True for key in keys.values())


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("SQS::Queue", ["KmsMasterKeyId"]),
        ("SNS::Topic", ["KmsMasterKeyId"]),
        ("Logs::LogGroup", ["KmsKeyId"]),
        ("DynamoDB::Table", ["SSESpecification", "KMSMasterKeyId"]),
        ("StepFunctions::StateMachine", ["EncryptionConfiguration", "KmsKeyId"]),
    ],
)
def test_messages_ledger_histories_and_logs_are_encrypted_with_the_operations_key(kind, path):
    found = resources(kind)
    assert found
    for logical, value in found.items():
        for step in path:
            value = value.get(step, {})
        assert value == arn("OperationsKey"), logical


def test_what_holds_data_outlives_the_stack():
    for kind in ("S3::Bucket", "DynamoDB::Table", "KMS::Key"):
        for logical in resources(kind):
            resource = template()["Resources"][logical]
            assert resource["DeletionPolicy"] == "RetainExceptOnCreate", logical
            assert resource["UpdateReplacePolicy"] == "Retain", logical


def test_a_message_that_fails_five_times_goes_to_a_dead_letter_queue_with_an_alarm():
    """At least five, so that being throttled costs no message (Lambda guide, "Understanding SQS retries")."""
    watched = {
        dimension["Value"].get("Fn::GetAtt", [""])[0]
        for alarm in resources("CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
    }
    for mapping in resources("Lambda::EventSourceMapping").values():
        queue = resources("SQS::Queue")[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        dead = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
        assert dead in watched
    assert {"EventsDeadLetterQueue", "FailureQueue"} <= watched


def test_a_message_is_hidden_six_times_as_long_as_its_function_may_run_and_fails_alone():
    for mapping in resources("Lambda::EventSourceMapping").values():
        function = resources("Lambda::Function")[mapping["FunctionName"]["Ref"]]
        queue = resources("SQS::Queue")[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_an_event_that_is_not_taken_is_kept():
    for rule in resources("Events::Rule").values():
        [target] = rule["Targets"]
        assert target.get("DeadLetterConfig", {}).get("Arn") == arn("EventsDeadLetterQueue")
        function = resources("Lambda::Function").get(target["Arn"]["Fn::GetAtt"][0])
        assert function is None or function["DeadLetterConfig"]["TargetArn"] == arn("EventsDeadLetterQueue")


def test_an_execution_that_is_cut_off_from_outside_is_queued_like_one_that_fails(stack):
    rule = stack.of_type("Events::Rule")["ExecutionsCutOffRule"]
    assert rule["EventPattern"]["detail"] == {
        "status": ["ABORTED", "TIMED_OUT"],
        "stateMachineArn": [stack.arn(f"{machine}Machine") for machine in MACHINES],
    }
    [target] = rule["Targets"]
    assert target["Arn"] == stack.arn("FailureQueue")
    event = {"executionArn": "arn:e", "stateMachineArn": "arn:m", "name": "run", "status": "TIMED_OUT"}
    message = target["InputTransformer"]["InputTemplate"]
    for name, path in target["InputTransformer"]["InputPathsMap"].items():
        message = message.replace(f"<{name}>", json.dumps(event[path.removeprefix("$.detail.")]))
    assert json.loads(message) == {
        "machine": "arn:m",
        "run": "run",
        "input": None,
        "error": "TIMED_OUT",
        "cause": "ended from outside",
        "execution": "arn:e",
    }


def test_a_schedule_orders_datasets_in_its_time_zone_and_an_order_it_cannot_place_is_kept(stack):
    for purpose in ("Training", "Inference"):
        schedule = stack.of_type("Scheduler::Schedule")[f"{purpose}Schedule"]
        assert schedule["ScheduleExpression"] == stack.values[f"{purpose}Cron"]
        assert schedule["ScheduleExpressionTimezone"] == stack.values["TimeZone"]
        target = schedule["Target"]
        assert target["Arn"] == stack.arn("UnloadQueue")
        assert target.get("DeadLetterConfig") == {"Arn": stack.arn("UnloadDeadLetterQueue")}
        sent = target["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-01T02:00:00Z")
        order = unload.read_order(sent, "UTC")
        assert (order.purpose, order.period, order.groups) == (purpose.lower(), "2026-10", ())


def test_the_default_times_exist_in_every_time_zone_until_2035():
    """Scheduler leaves out a time that clocks jump over (user guide, "Daylight savings time").

    In Australia that is 02:00 of the first Sunday of October, which is an order day in 2027 and 2028.
    """
    parameters = template()["Parameters"]
    order_days = [
        tuple(map(int, re.fullmatch(r"cron\(0 (\d+) (\d+) \* \? \*\)", parameters[cron]["Default"]).groups()))
        for cron in ("TrainingCron", "InferenceCron")
    ]
    skipped = [
        (zone, due)
        for zone in sorted(available_timezones())
        for year, month, (hour, day) in product(range(2026, 2036), range(1, 13), order_days)
        for due in [datetime(year, month, day, hour, tzinfo=ZoneInfo(zone))]
        if due.astimezone(UTC).astimezone(ZoneInfo(zone)).hour != hour
    ]
    assert skipped == []


def test_an_order_comes_no_later_than_a_client_token_is_known(stack):
    """After eight hours the Data API would run the statement a second time."""
    queue = stack.of_type("SQS::Queue")["UnloadQueue"]
    tries = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    for purpose in ("Training", "Inference"):
        schedule = stack.of_type("Scheduler::Schedule")[f"{purpose}Schedule"]
        assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] + tries < 8 * 3600


WORKGROUP = f"arn:aws:redshift-serverless:{HERE}:workgroup/{'0' * 8}-0000-0000-0000-{'0' * 12}"
CLUSTER = f"arn:aws:redshift:{HERE}:cluster:sales"
SECRET = f"arn:aws:secretsmanager:{HERE}:secret:sales-AbCdEf"
NO_SECRET = "A cluster needs WarehouseSecretArn, the secret with its database user"
TWO_WAREHOUSES = "Give WarehouseArn (a workgroup) or WarehouseClusterArn, not both"
HALF_A_VPC = "Give both VpcSubnets and VpcSecurityGroups, or neither"


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"WarehouseArn": ""}, []),
        ({"WarehouseArn": WORKGROUP}, []),
        ({"WarehouseArn": WORKGROUP, "WarehouseSecretArn": SECRET}, []),
        ({"WarehouseArn": "", "WarehouseClusterArn": CLUSTER, "WarehouseSecretArn": SECRET}, []),
        ({"WarehouseArn": "", "WarehouseClusterArn": CLUSTER}, [NO_SECRET]),
        (
            {"WarehouseArn": WORKGROUP, "WarehouseClusterArn": CLUSTER, "WarehouseSecretArn": SECRET},
            [TWO_WAREHOUSES],
        ),
        ({"VpcSubnets": "subnet-0", "VpcSecurityGroups": "sg-0"}, []),
        ({"VpcSubnets": "subnet-0"}, [HALF_A_VPC]),
        ({"VpcSecurityGroups": "sg-0"}, [HALF_A_VPC]),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_in_a_sentence(given, refused):
    assert Stack(**given).refusals() == refused


def test_rules_use_only_functions_that_rules_have():
    """Rules take no Split or Sub (CloudFormation reference, "Rule-specific intrinsic functions")."""
    used = set(re.findall(r'"(Fn::\w+)"', json.dumps(template()["Rules"])))
    assert used <= {"Fn::And", "Fn::Contains", "Fn::Equals", "Fn::Not", "Fn::Or"}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_china_and_govcloud_are_refused_as_the_definitions_call_services_by_names_of_other_regions(partition):
    pattern = template()["Parameters"]["CodeKeyArn"]["AllowedPattern"]
    key = f"arn:{partition}:kms:some-region-1:123456789012:key/0a1b2c3d"
    assert bool(re.fullmatch(pattern, key)) == (partition == "aws")
    assert all('"arn:aws:states:::' in json.dumps(definition(machine)) for machine in MACHINES)


def test_a_cluster_is_asked_for_datasets_by_the_user_of_its_secret():
    stack = Stack(WarehouseArn="", WarehouseClusterArn=CLUSTER, WarehouseSecretArn=SECRET)
    assert {"TrainingSchedule", "InferenceSchedule"} <= set(stack.of_type("Scheduler::Schedule"))
    variables = stack.of_type("Lambda::Function")["UnloadFunction"]["Environment"]["Variables"]
    assert (variables["WAREHOUSE_ARN"], variables["WAREHOUSE_SECRET_ARN"]) == (CLUSTER, SECRET)


def test_without_a_warehouse_nothing_is_ordered_and_nobody_may_start_a_statement():
    stack = Stack(WarehouseArn="")
    assert not {"TrainingSchedule", "InferenceSchedule"} & set(stack.of_type("Scheduler::Schedule"))
    assert "redshift-data:ExecuteStatement" not in stack.granted("UnloadRole")


def test_a_statement_that_fails_or_is_stopped_is_told_of(stack):
    rule = stack.of_type("Events::Rule")["StatementFailedRule"]
    assert rule["EventPattern"]["detail"]["state"] == ["ABORTED", "FAILED"]
    assert [target["Arn"] for target in rule["Targets"]] == [stack.arn("StatementFailedFunction")]


def test_of_a_statement_that_finishes_it_is_looked_whether_it_found_anything(stack):
    rule = stack.of_type("Events::Rule")["StatementFinishedRule"]
    assert rule["EventPattern"]["detail"]["state"] == ["FINISHED"]
    assert [target["Arn"] for target in rule["Targets"]] == [stack.arn("StatementFinishedFunction")]


def test_only_manifests_notify_and_each_purpose_its_own_queue():
    notifications = resources("S3::Bucket")["LandingBucket"]["NotificationConfiguration"]
    assert {
        configuration["Queue"]["Fn::GetAtt"][0]: {
            rule["Name"]: rule["Value"] for rule in configuration["Filter"]["S3Key"]["Rules"]
        }
        for configuration in notifications["QueueConfigurations"]
    } == {
        "TrainingQueue": {"prefix": "training/", "suffix": "/manifest"},
        "InferenceQueue": {"prefix": "inference/", "suffix": "/manifest"},
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_a_definition_is_given_exactly_what_it_asks_for(machine, stack):
    given = stack.of_type("StepFunctions::StateMachine")[f"{machine}Machine"]["DefinitionSubstitutions"]
    assert set(given) == set(re.findall(r"\$\{(\w+)\}", json.dumps(definition(machine))))


@pytest.mark.parametrize("machine", MACHINES)
def test_machines_are_traced_and_their_logs_say_what_ran_but_not_with_what(machine):
    properties = resources("StepFunctions::StateMachine")[f"{machine}Machine"]
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert properties["StateMachineType"] == "STANDARD"


def test_every_function_finds_its_handler_and_exactly_the_settings_it_reads():
    functions = resources("Lambda::Function")
    assert functions
    for logical, function in functions.items():
        module, _, attribute = function["Handler"].rpartition(".")
        source = (ROOT / (module.replace(".", "/") + ".py")).read_text()
        assert f"def {attribute}(" in source, logical
        assert set(function["Environment"]["Variables"]) == set(
            re.findall(r"\b[A-Z_]+_(?:ARN|BUCKET|DATABASE|NAME|TABLE|URL|ZONE)\b", source)
        )


def test_every_name_starts_with_the_stacks():
    """In this account another stack, and in this Region's IAM another Region, may stand beside it."""
    for logical, resource in template()["Resources"].items():
        for name in NAMES:
            if name not in resource.get("Properties", {}):
                continue
            value = resource["Properties"][name]
            if value.get("Ref") or value.get("Fn::GetAtt"):
                continue
            assert re.match(r"(alias/|/aws/lambda/|/aws/vendedlogs/states/)?\$\{Name\}-", value["Fn::Sub"]), (
                logical
            )
            if name in ("RoleName", "ManagedPolicyName"):
                assert value["Fn::Sub"].endswith("-${AWS::Region}"), logical


def test_rules_take_the_events_of_this_stack_alone():
    for logical, rule in resources("Events::Rule").items():
        pattern = rule["EventPattern"]
        if pattern["source"] == ["aws.states"]:
            assert pattern["detail"]["stateMachineArn"] == [
                {"Ref": f"{machine}Machine"} for machine in MACHINES
            ]
            continue
        if pattern["source"] == ["aws.redshift-data"]:
            assert pattern["detail"]["statementName"] == [{"prefix": {"Fn::Sub": "${Name}/"}}]
            continue
        assert pattern["source"] == ["labelmill"], logical
        assert pattern["detail"]["dataset"] == [{"prefix": {"Fn::Sub": "s3://${WorkBucket}/"}}], logical
    assert (
        json.dumps(resources("Events::Rule")["InferenceCompletedRule"]["EventPattern"]["detail"]["purpose"])
        == '["test"]'
    )


def private_buckets(stack):
    for bucket in ("Landing", "Work", "Labelled"):
        test_every_bucket_is_private_versioned_and_encrypted_with_its_own_key(
            "template", f"{bucket}Bucket", f"{bucket}Key"
        )


def encrypted(kind, *path):
    def check(stack):
        test_messages_ledger_histories_and_logs_are_encrypted_with_the_operations_key(kind, path)

    return check


def without_stack(check):
    return lambda stack: check()


FAULTS = {
    "a public bucket": (
        properties("LabelledBucket", put(False, "PublicAccessBlockConfiguration", "BlockPublicPolicy")),
        private_buckets,
    ),
    "a bucket under another key": (
        properties(
            "WorkBucket",
            lambda given: given["BucketEncryption"]["ServerSideEncryptionConfiguration"][0][
                "ServerSideEncryptionByDefault"
            ].update(KMSMasterKeyID={"Fn::GetAtt": ["LandingKey", "Arn"]}),
        ),
        private_buckets,
    ),
    "a bucket without versions": (
        properties("LandingBucket", without("VersioningConfiguration")),
        private_buckets,
    ),
    "an unencrypted queue": (
        properties("FailureQueue", without("KmsMasterKeyId")),
        encrypted("SQS::Queue", "KmsMasterKeyId"),
    ),
    "an unencrypted topic": (
        properties("MlopsTopic", without("KmsMasterKeyId")),
        encrypted("SNS::Topic", "KmsMasterKeyId"),
    ),
    "logs under no key": (
        properties("TrainingMachineLogs", without("KmsKeyId")),
        encrypted("Logs::LogGroup", "KmsKeyId"),
    ),
    "a key that does not rotate": (
        properties("WorkKey", put(False, "EnableKeyRotation")),
        without_stack(test_every_key_rotates),
    ),
    "a ledger that goes with the stack": (
        ("template", put("Delete", "Resources", "LedgerTable", "DeletionPolicy")),
        without_stack(test_what_holds_data_outlives_the_stack),
    ),
    "a queue whose poison goes round for ever": (
        properties("InferenceQueue", put(1000, "RedrivePolicy", "maxReceiveCount")),
        without_stack(test_a_message_that_fails_five_times_goes_to_a_dead_letter_queue_with_an_alarm),
    ),
    "an event that is lost": (
        properties("ModelTrainedRule", lambda given: given["Targets"][0].pop("DeadLetterConfig")),
        without_stack(test_an_event_that_is_not_taken_is_kept),
    ),
    "timeouts that nobody hears of": (
        properties("ExecutionsCutOffRule", put(["ABORTED"], "EventPattern", "detail", "status")),
        test_an_execution_that_is_cut_off_from_outside_is_queued_like_one_that_fails,
    ),
    "failed statements that nobody hears of": (
        properties("StatementFailedRule", put(["FAILED"], "EventPattern", "detail", "state")),
        test_a_statement_that_fails_or_is_stopped_is_told_of,
    ),
    "an order that is lost": (
        properties("TrainingSchedule", without("Target", "DeadLetterConfig")),
        test_a_schedule_orders_datasets_in_its_time_zone_and_an_order_it_cannot_place_is_kept,
    ),
    "a month in another time zone": (
        properties("InferenceSchedule", put("UTC+1", "ScheduleExpressionTimezone")),
        test_a_schedule_orders_datasets_in_its_time_zone_and_an_order_it_cannot_place_is_kept,
    ),
    "orders that come when their tokens are forgotten": (
        properties("TrainingSchedule", put(86400, "Target", "RetryPolicy", "MaximumEventAgeInSeconds")),
        test_an_order_comes_no_later_than_a_client_token_is_known,
    ),
    "a substitution without a value": (
        properties("InferenceMachine", without("DefinitionSubstitutions", "LabelledBucket")),
        of_each_machine(test_a_definition_is_given_exactly_what_it_asks_for),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    assert_found(*FAULTS[fault])
