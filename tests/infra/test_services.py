"""What AWS's services may do to the stack by themselves: to queues, topics, buckets, keys, roles, functions.

Each service is asked about with what it says of itself, by its own guide; and about everything else as well,
which is refused. For every kind of stack that the parameters make.
"""

from itertools import product

import pytest

from tests.infra.faults import assert_found, statements
from tests.infra.judged import JOBS, allowed, person
from tests.infra.policies import ACCOUNT, HERE, REGION, Request, Stack, judge
from tests.infra.templates import MACHINES

pytestmark = pytest.mark.usefixtures("engine")

OTHER = "210987654321"
SECRET = f"arn:aws:secretsmanager:{HERE}:secret:sales-AbCdEf"
CLUSTER = f"arn:aws:redshift:{HERE}:cluster:sales"
VARIANTS = {
    "as it is": {},
    "no warehouse": {"WarehouseArn": ""},
    "a workgroup with a secret": {"WarehouseSecretArn": SECRET},
    "a cluster": {"WarehouseArn": "", "WarehouseClusterArn": CLUSTER, "WarehouseSecretArn": SECRET},
    "a VPC": {"VpcSubnets": "subnet-0a1b,subnet-2c3d", "VpcSecurityGroups": "sg-4e5f"},
    "people told": {"OperatorsEmail": "a@b.c", "MlopsEmail": "a@b.c", "StakeholdersEmail": "a@b.c"},
}
SERVICES = (
    *("s3", "events", "sns", "cloudwatch", "scheduler", "sagemaker", "redshift", "lambda", "states", "sqs"),
    *("redshift-serverless", "delivery.logs", "logging.s3", f"logs.{REGION}"),
)


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request) -> Stack:
    return Stack(**VARIANTS[request.param])


def service(name: str, action: str, resource: str, **context: str) -> Request:
    """A call by a service for itself."""
    return Request(f"{name}.amazonaws.com", action, resource, context)


def of(account: str, arn: str = "") -> dict:
    """On whose behalf a service says it calls."""
    return {"aws:SourceAccount": account} | ({"aws:SourceArn": arn} if arn else {})


def as_bucket(stack: Stack, bucket: str) -> dict:
    return of(ACCOUNT, stack.arn(bucket))


def sources(stack: Stack) -> dict[str, dict]:
    """What of ours and of others a service may say it calls for; one bucket or alarm stands for its like."""
    named = ["LandingBucket", "WorkBucket", "LabelledBucket", "FailureAlarm", "OperatorsTopic"]
    machines = stack.of_type("StepFunctions::StateMachine")
    named += [*stack.of_type("Events::Rule"), *machines]
    rule = f"arn:aws:events:{HERE}:rule/other"
    return {
        **{logical: of(ACCOUNT, stack.arn(logical)) for logical in named},
        "schedules": of(ACCOUNT, f"arn:aws:scheduler:{HERE}:schedule-group/default"),
        "schedules of that name elsewhere": of(OTHER, f"arn:aws:scheduler:{HERE}:schedule-group/default"),
        **{f"a {machine} elsewhere": of(OTHER, stack.arn(machine)) for machine in machines},
        "another rule": of(ACCOUNT, rule),
        "another account": of(OTHER, rule.replace(ACCOUNT, OTHER)),
        "another account's alarm": of(OTHER, stack.arn("FailureAlarm").replace(ACCOUNT, OTHER)),
        "a bucket of that name elsewhere": of(OTHER, stack.arn("LandingBucket")),
        "nobody": {},
    }


def test_only_the_landing_bucket_and_the_rules_send_to_queues_and_each_to_its_own(variant):
    rules = variant.of_type("Events::Rule")
    requests = {
        (name, source, queue): service(name, "sqs:SendMessage", variant.arn(queue), **context)
        for name, (source, context), queue in product(
            SERVICES, sources(variant).items(), variant.of_type("SQS::Queue")
        )
    }
    assert allowed(variant, requests) == {
        ("s3", "LandingBucket", "TrainingQueue"),
        ("s3", "LandingBucket", "InferenceQueue"),
        *(("events", rule, "EventsDeadLetterQueue") for rule in rules),
        ("events", "ExecutionsCutOffRule", "FailureQueue"),
    }


def test_a_service_takes_no_message_out_of_a_queue(variant):
    requests = {
        (name, queue, action): service(
            name, action, variant.arn(queue), **as_bucket(variant, "LandingBucket")
        )
        for name, queue, action in product(
            SERVICES,
            variant.of_type("SQS::Queue"),
            ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue"),
        )
    }
    assert allowed(variant, requests) == set()


def test_alarms_of_this_account_publish_to_the_operators_and_nothing_else_publishes(variant):
    requests = {
        (name, source, topic): service(name, "sns:Publish", variant.arn(topic), **context)
        for name, (source, context), topic in product(
            SERVICES, sources(variant).items(), variant.of_type("SNS::Topic")
        )
    }
    of_account = {
        source for source, context in sources(variant).items() if context.get("aws:SourceAccount") == ACCOUNT
    }
    assert allowed(variant, requests) == {("cloudwatch", source, "OperatorsTopic") for source in of_account}


@pytest.mark.parametrize(
    ("kind", "action", "inside"),
    [
        ("SQS::Queue", "sqs:SendMessage", ""),
        ("SNS::Topic", "sns:Publish", ""),
        ("S3::Bucket", "s3:ListBucket", ""),
        ("S3::Bucket", "s3:GetObject", "/x"),
    ],
)
def test_nobody_reaches_a_queue_topic_bucket_or_object_over_plain_http(kind, action, inside, variant):
    for logical in variant.of_type(kind):
        on = variant.arn(logical) + inside
        plain = person(variant, action, on, **{"aws:SecureTransport": "false"})
        found = judge(variant, [plain, person(variant, action, on)])
        assert found == ["ExplicitlyDenied", "Allowed"], logical


@pytest.mark.parametrize("bucket", ["LandingBucket", "WorkBucket", "LabelledBucket", "AccessLogBucket"])
def test_of_services_only_that_of_access_logs_writes_to_a_bucket_and_to_its_own(bucket, variant):
    requests = {
        (name, source): service(name, "s3:PutObject", f"{variant.arn(bucket)}/x", **context)
        for name, (source, context) in product(SERVICES, sources(variant).items())
    }
    logged = ("LandingBucket", "WorkBucket", "LabelledBucket") if bucket == "AccessLogBucket" else ()
    assert allowed(variant, requests) == {("logging.s3", source) for source in logged}


# ---------------------------------------------------------------- keys

QUEUE = "kms:EncryptionContext:aws:sqs:arn"
LOG_GROUP = "kms:EncryptionContext:aws:logs:arn"
DELIVERY = "kms:EncryptionContext:SourceArn"
READ_AND_WRITE = {"kms:Decrypt", "kms:GenerateDataKey"}
KEY_USES = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:Encrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


def circumstances(stack: Stack) -> dict[str, dict]:
    """What services say to KMS, ours and others'."""
    names = (
        f"/aws/lambda/{stack.values['Name']}-unload",
        f"/aws/vendedlogs/states/{stack.values['Name']}-training",
    )
    return {
        **{f"for {queue}": {QUEUE: stack.arn(queue)} for queue in stack.of_type("SQS::Queue")},
        "for another queue": {QUEUE: f"arn:aws:sqs:{HERE}:other"},
        **{f"for {group}": {LOG_GROUP: f"arn:aws:logs:{HERE}:log-group:{group}"} for group in names},
        "for another log": {LOG_GROUP: f"arn:aws:logs:{HERE}:log-group:/aws/lambda/other"},
        "for another account's log": {
            LOG_GROUP: f"arn:aws:logs:{REGION}:{OTHER}:log-group:/aws/lambda/{stack.values['Name']}-unload"
        },
        "to deliver logs": {DELIVERY: f"arn:aws:logs:{HERE}:*"},
        "to deliver another account's logs": {DELIVERY: f"arn:aws:logs:{REGION}:{OTHER}:*"},
        **{f"of {source}": context for source, context in sources(stack).items()},
    }


def test_services_use_the_operations_key_for_their_part_of_this_stack_and_no_other_key(variant):
    asked = {
        (name, said, key, action): service(name, action, variant.arn(key), **context)
        for name, (said, context), key, action in product(
            SERVICES, circumstances(variant).items(), variant.of_type("KMS::Key"), KEY_USES
        )
    }
    logs = f"logs.{REGION}"
    in_account = {
        said
        for said, context in circumstances(variant).items()
        if context.get("aws:SourceAccount") == ACCOUNT
    }
    groups = {said for said in circumstances(variant) if said.startswith("for /aws/")}
    written = {"kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", *READ_AND_WRITE}
    expected = {
        *product(["s3"], ["of LandingBucket"], READ_AND_WRITE),
        *product(["events"], ["for EventsDeadLetterQueue", "for FailureQueue"], READ_AND_WRITE),
        *product(["cloudwatch"], in_account, READ_AND_WRITE),
        *product([logs], groups, written),
        *product(["delivery.logs"], ["to deliver logs"], ["kms:Decrypt"]),
    }
    found = allowed(variant, asked)
    assert found == {(name, said, "OperationsKey", action) for name, said, action in expected}


# ---------------------------------------------------------------- roles and functions


def test_each_role_is_taken_by_its_service_for_this_account_and_by_nobody_else(variant):
    functions = {one["Role"] for one in variant.of_type("Lambda::Function").values()}
    machines = {f"{machine}MachineRole": f"{machine}Machine" for machine in MACHINES}
    user = f"arn:aws:redshift:{HERE}:dbuser:sales/awsuser"
    said = {
        **sources(variant),
        "a database user": {"sts:ExternalId": user},
        "another account's user": {"sts:ExternalId": user.replace(ACCOUNT, OTHER)},
        "another Region's user": {"sts:ExternalId": user.replace(REGION, "us-east-1")},
    }
    requests = {
        (name, source, role): service(name, "sts:AssumeRole", variant.arn(role), **context)
        for name, (source, context), role in product(SERVICES, said.items(), variant.roles())
    }
    in_account = {source for source, context in said.items() if context.get("aws:SourceAccount") == ACCOUNT}
    expected = {
        *product(["sagemaker"], in_account, JOBS),
        *(("states", machine, role) for role, machine in machines.items()),
        *product(["scheduler"], ["schedules"], ["SchedulerRole", "CheckMonthSchedulerRole"]),
        *product(["redshift", "redshift-serverless"], ["a database user"], ["WarehouseRole"]),
        # Lambda says neither account nor function when it takes a role ("Execution role").
        *product(["lambda"], said, [role for role in variant.roles() if variant.arn(role) in functions]),
    }
    assert allowed(variant, requests) == expected


def test_a_function_is_called_by_the_rule_that_it_is_for_and_by_no_other_service(variant):
    requests = {
        (name, source, function): service(name, "lambda:InvokeFunction", variant.arn(function), **context)
        for name, (source, context), function in product(
            SERVICES, sources(variant).items(), variant.of_type("Lambda::Function")
        )
    }
    targets = {
        (rule, target["Arn"])
        for rule, properties in variant.of_type("Events::Rule").items()
        for target in properties["Targets"]
        if ":lambda:" in target["Arn"]
    }
    wired = {
        ("events", rule, function)
        for rule, arn in targets
        for function in variant.of_type("Lambda::Function")
        if variant.arn(function) == arn
    }
    assert len(wired) == 4
    assert allowed(variant, requests) == wired


# ---------------------------------------------------------------- faults

FAULTS = {
    "S3 shut out of the queues": (
        statements("QueuePolicy", lambda given: given.pop(0)),
        test_only_the_landing_bucket_and_the_rules_send_to_queues_and_each_to_its_own,
    ),
    "a rule whose lost events are kept nowhere": (
        statements(
            "DeadLetterQueuePolicy",
            lambda given: given[0]["Condition"]["ArnEquals"]["aws:SourceArn"].pop(1),
        ),
        test_only_the_landing_bucket_and_the_rules_send_to_queues_and_each_to_its_own,
    ),
    "a queue over plain HTTP": (
        statements("DeadLetterQueuePolicy", lambda given: given[-1]["Resource"].pop()),
        lambda stack: test_nobody_reaches_a_queue_topic_bucket_or_object_over_plain_http(
            "SQS::Queue", "sqs:SendMessage", "", stack
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    assert_found(*FAULTS[fault])
