"""What the state machines' roles may do: the calls their definitions make, no fewer and no more."""

import json
import re
from itertools import product

import pytest

from tests.infra.faults import (
    assert_found,
    of_action,
    of_each_machine,
    put,
    state,
    statements,
    without,
    without_action,
)
from tests.infra.machine_calls import calls
from tests.infra.policies import HERE, VALUES, Request, Stack, by_role, judge, role_id
from tests.infra.templates import MACHINES

pytestmark = pytest.mark.usefixtures("engine")

OWN_RUNTIME = ("logs:", "xray:")


def by_either_name(made: list[Request]) -> list[Request]:
    """The calls, and again as if SageMaker's conditions on keys were named without `Arn` at the end.

    AWS's sources disagree: the Service Authorization Reference ("Condition keys for Amazon SageMaker") has
    VolumeKmsKeyArn, the SageMaker guide ("Identity-based policy examples") has VolumeKmsKey. The engine knows
    the first alone, so that the policies change their names here instead of the request.
    """
    return made + [
        Request(call.principal, call.action, call.resource, call.context, _names_swapped(call.policies))
        for call in made
    ]


def _names_swapped(policies: list[dict]) -> list[dict]:
    def swapped(name: re.Match) -> str:
        return name[1] + ("" if name[2] else "Arn") + '"'

    return json.loads(re.sub(r'("sagemaker:\w+KmsKey)(Arn)?"', swapped, json.dumps(policies)))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machines_role_allows_every_call_its_definition_makes(machine, stack):
    made = by_either_name(calls(stack, machine))
    assert made
    for call, verdict in zip(made, judge(stack, made), strict=True):
        assert verdict == "Allowed", (call.action, call.resource, call.context)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machines_role_allows_no_action_its_definition_does_not_call(machine, stack):
    granted = {a for a in stack.granted(f"{machine}MachineRole") if not a.startswith(OWN_RUNTIME)}
    assert granted == {call.action for call in calls(stack, machine)}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_reaches_the_roles_topics_and_queues_it_names_and_no_other(machine, stack):
    named = {(call.action, call.resource) for call in calls(stack, machine)}
    to_sagemaker = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    reach = {
        "iam:PassRole": [stack.arn(role) for role in stack.roles()],
        "sns:Publish": [stack.arn(topic) for topic in stack.of_type("SNS::Topic")],
        "sqs:SendMessage": [stack.arn(queue) for queue in stack.of_type("SQS::Queue")],
    }
    requests = [
        by_role(stack, f"{machine}MachineRole", action, resource, **context)
        for action, resources in reach.items()
        for resource in resources
        for context in [to_sagemaker if action == "iam:PassRole" else {}]
    ]
    verdicts = judge(stack, requests)
    allowed = {
        (request.action, request.resource)
        for request, verdict in zip(requests, verdicts, strict=True)
        if verdict == "Allowed"
    }
    assert allowed == {call for call in named if call[0] in reach}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_starts_no_job_under_another_key_or_with_a_network(machine, stack):
    other = {
        "sagemaker:VolumeKmsKeyArn": stack.arn("OperationsKey"),
        "sagemaker:OutputKmsKeyArn": stack.arn("OperationsKey"),
        "sagemaker:NetworkIsolation": "false",
        "sagemaker:InterContainerTrafficEncryption": "false",
    }
    faults = [
        Request(call.principal, call.action, call.resource, context, call.policies)
        for call in by_either_name(calls(stack, machine))
        if call.action.startswith("sagemaker:Create")
        for key in other.keys() & call.context.keys()
        for context in (
            {**call.context, key: other[key]},
            {name: value for name, value in call.context.items() if name != key},
        )
    ]
    assert faults
    assert set(judge(stack, faults)) == {"ImplicitlyDenied"}


@pytest.mark.parametrize("role", [*(f"{machine}MachineRole" for machine in MACHINES), "CheckMonthRole"])
def test_whoever_sends_events_sends_ours_and_in_nobody_elses_name(role, stack):
    bus = f"arn:aws:events:{HERE}:event-bus/default"
    said = ({"events:source": ["labelmill"]}, {"events:source": ["labelmill", "aws.s3"]}, {})
    requests = [by_role(stack, role, "events:PutEvents", bus, **context) for context in said]
    assert judge(stack, requests) == ["Allowed", "ImplicitlyDenied", "ImplicitlyDenied"]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_role_is_passed_to_sagemaker_only(machine, stack):
    to_lambda = {"iam:PassedToService": "lambda.amazonaws.com"}
    elsewhere = [
        Request(call.principal, call.action, call.resource, to_lambda, call.policies)
        for call in calls(stack, machine)
        if call.action == "iam:PassRole"
    ]
    assert set(judge(stack, elsewhere)) == {"ImplicitlyDenied"}


RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
FUNCTIONS = {
    "StartTrainingRole": {
        ("states:StartExecution", "TrainingMachine"),
        *((action, "TrainingQueue") for action in RECEIVE),
    },
    "StartInferenceRole": {
        ("states:StartExecution", "InferenceMachine"),
        *((action, "InferenceQueue") for action in RECEIVE),
    },
    "TestModelRole": {
        ("states:StartExecution", "InferenceMachine"),
        ("states:StartExecution", "ComparisonMachine"),
        ("sqs:SendMessage", "EventsDeadLetterQueue"),
        ("dynamodb:GetItem", "LedgerTable"),
        ("dynamodb:Query", "LedgerTable"),
    },
    "UnloadRole": {
        *((action, "UnloadQueue") for action in RECEIVE),
        ("sqs:SendMessage", "FailureQueue"),
        ("sqs:SendMessage", "EventsDeadLetterQueue"),
        ("sns:Publish", "OperatorsTopic"),
        ("dynamodb:Scan", "LedgerTable"),
    },
    "StatementFinishedRole": {
        ("sqs:SendMessage", "EventsDeadLetterQueue"),
        ("sns:Publish", "OperatorsTopic"),
        ("dynamodb:GetItem", "LedgerTable"),
        ("dynamodb:PutItem", "LedgerTable"),
    },
    "CheckMonthRole": {
        ("sqs:SendMessage", "EventsDeadLetterQueue"),
        *(("sns:Publish", f"{audience}Topic") for audience in ("Operators", "Mlops", "Stakeholders")),
        *((f"dynamodb:{action}", "LedgerTable") for action in ("Scan", "GetItem", "DeleteItem")),
    },
    "CheckMonthSchedulerRole": {
        ("sqs:SendMessage", "EventsDeadLetterQueue"),
        ("lambda:InvokeFunction", "CheckMonthFunction"),
    },
    "SchedulerRole": {("sqs:SendMessage", "UnloadQueue"), ("sqs:SendMessage", "UnloadDeadLetterQueue")},
    "StartComparisonRole": {
        ("states:StartExecution", "InferenceMachine"),
        ("states:StartExecution", "ComparisonMachine"),
        ("sqs:SendMessage", "EventsDeadLetterQueue"),
        ("dynamodb:GetItem", "LedgerTable"),
        ("dynamodb:Query", "LedgerTable"),
    },
}


#: What of a role's task is no machine, queue, topic or ledger; tested below, or with the objects.
ELSEWHERE = {
    "UnloadRole": {
        "redshift-data:ExecuteStatement",
        "redshift-data:DescribeStatement",
        "redshift-serverless:GetCredentials",
        "s3:GetObject",
    },
    "StartTrainingRole": {"s3:ListBucket"},
    "StartInferenceRole": {"s3:ListBucket"},
    "StatementFinishedRole": {"s3:ListBucket"},
    "CheckMonthRole": {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "events:PutEvents"},
    "TestModelRole": {"states:DescribeExecution"},
}


@pytest.mark.parametrize("role", FUNCTIONS)
def test_a_function_reaches_the_machines_queues_and_entries_of_its_task_and_no_other(role, stack):
    wishes = [
        *product(["states:StartExecution"], (f"{machine}Machine" for machine in MACHINES)),
        *product((*RECEIVE, "sqs:SendMessage"), stack.of_type("SQS::Queue")),
        *product(["sns:Publish"], stack.of_type("SNS::Topic")),
        *product(["lambda:InvokeFunction"], stack.of_type("Lambda::Function")),
        *product(
            (f"dynamodb:{call}" for call in ("GetItem", "Query", "PutItem", "DeleteItem", "Scan")),
            ["LedgerTable"],
        ),
    ]
    verdicts = judge(stack, [by_role(stack, role, action, stack.arn(on)) for action, on in wishes])
    granted = {wish for wish, verdict in zip(wishes, verdicts, strict=True) if verdict == "Allowed"}
    assert granted == FUNCTIONS[role]
    own = {action for action in stack.granted(role) if not action.startswith(OWN_RUNTIME)}
    assert own == {action for action, _ in FUNCTIONS[role]} | ELSEWHERE.get(role, set())


def test_executions_are_described_by_who_starts_them_anew_and_by_the_machine_whose_they_are(stack):
    executions = {
        machine: f"arn:aws:states:{HERE}:execution:labelmill-{machine}:DE-weee-{machine}-2026-10-0f3a9c21d4e5"
        for machine in ("training", "inference", "comparison", "other")
    }
    wishes = list(product(stack.roles(), executions))
    verdicts = judge(
        stack,
        [by_role(stack, role, "states:DescribeExecution", executions[machine]) for role, machine in wishes],
    )
    granted = {wish for wish, verdict in zip(wishes, verdicts, strict=True) if verdict == "Allowed"}
    assert granted == {
        ("TrainingMachineRole", "training"),
        *product(["TestModelRole"], ["inference", "comparison"]),
    }


def test_a_statement_is_started_in_the_warehouse_given_and_described_by_who_started_it(stack):
    warehouse, owner = stack.values["WarehouseArn"], "redshift-data:statement-owner-iam-userid"
    mine, other = f"{role_id('UnloadRole')}:labelmill-unload", f"{role_id('TestModelRole')}:labelmill-unload"
    requests = {
        "start": by_role(stack, "UnloadRole", "redshift-data:ExecuteStatement", warehouse),
        "start elsewhere": by_role(
            stack, "UnloadRole", "redshift-data:ExecuteStatement", warehouse.replace("0000-", "1111-", 1)
        ),
        "describe": by_role(stack, "UnloadRole", "redshift-data:DescribeStatement", "*", **{owner: mine}),
        "describe another's": by_role(
            stack, "UnloadRole", "redshift-data:DescribeStatement", "*", **{owner: other}
        ),
        "sign in": by_role(stack, "UnloadRole", "redshift-serverless:GetCredentials", warehouse),
    }
    verdicts = judge(stack, list(requests.values()))
    granted = {name for name, verdict in zip(requests, verdicts, strict=True) if verdict == "Allowed"}
    assert granted == {"start", "describe", "sign in"}


WORKGROUP = VALUES["WarehouseArn"]
CLUSTER = f"arn:aws:redshift:{HERE}:cluster:sales"


@pytest.mark.parametrize(
    ("warehouse", "given"),
    [(WORKGROUP, {}), (CLUSTER, {"WarehouseArn": "", "WarehouseClusterArn": CLUSTER})],
    ids=["workgroup", "cluster"],
)
def test_with_a_secret_statements_run_as_its_user_and_nobody_signs_in_as_the_role(warehouse, given):
    secret = f"arn:aws:secretsmanager:{HERE}:secret:warehouse-AbCdEf"
    stack = Stack(WarehouseSecretArn=secret, **given)
    granted = {action for action in stack.granted("UnloadRole") if action.startswith(("redshift", "secrets"))}
    described = "redshift-data:DescribeStatement"
    assert granted == {described, "redshift-data:ExecuteStatement", "secretsmanager:GetSecretValue"}
    wishes = [
        *product(["redshift-data:ExecuteStatement"], (WORKGROUP, CLUSTER)),
        *product(["secretsmanager:GetSecretValue"], (secret, f"{secret}-of-somebody")),
    ]
    verdicts = judge(stack, [by_role(stack, "UnloadRole", *wish) for wish in wishes])
    allowed = {wish for wish, verdict in zip(wishes, verdicts, strict=True) if verdict == "Allowed"}
    assert allowed == {
        ("redshift-data:ExecuteStatement", warehouse),
        ("secretsmanager:GetSecretValue", secret),
    }


def test_only_redshift_of_this_account_takes_the_warehouses_role(stack):
    [statement] = stack.of_type("IAM::Role")["WarehouseRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(statement["Principal"]["Service"]) == {
        "redshift.amazonaws.com",
        "redshift-serverless.amazonaws.com",
    }
    region, account = HERE.split(":")
    user = f"arn:aws:redshift:{region}:{account}:dbuser:*/*"
    assert statement["Condition"] == {"StringLike": {"sts:ExternalId": user}}


#: The checks above, for all machines.
CALLS_ALLOWED = of_each_machine(test_a_machines_role_allows_every_call_its_definition_makes)
NO_OTHER_CALLS = of_each_machine(test_a_machines_role_allows_no_action_its_definition_does_not_call)
JOBS_LOCKED_DOWN = of_each_machine(test_a_machine_starts_no_job_under_another_key_or_with_a_network)
ROLES_FOR_SAGEMAKER = of_each_machine(test_a_role_is_passed_to_sagemaker_only)
FAULTS = {
    "a missing AddTags": (
        statements("TrainingMachinePolicy", without_action("sagemaker:AddTags")),
        CALLS_ALLOWED,
    ),
    "a missing PutTargets": (
        statements("InferenceMachinePolicy", without_action("events:PutTargets")),
        CALLS_ALLOWED,
    ),
    "newest labels that may not be shown": (
        statements(
            "InferenceMachinePolicy",
            of_action("s3:PutObject", lambda given: given["Resource"].pop()),  # current/
        ),
        CALLS_ALLOWED,
    ),
    "a call too many": (
        statements(
            "TrainingMachinePolicy",
            of_action("sagemaker:CreateModel", put("sagemaker:DeleteModel", "Action")),
        ),
        NO_OTHER_CALLS,
    ),
    "a role passed to any service": (
        statements("ComparisonMachinePolicy", of_action("iam:PassRole", without("Condition"))),
        ROLES_FOR_SAGEMAKER,
    ),
    "jobs under any key": (
        statements("TrainingMachinePolicy", of_action("sagemaker:CreateTrainingJob", without("Condition"))),
        JOBS_LOCKED_DOWN,
    ),
    "statements in any warehouse": (
        statements(
            "UnloadWorkgroupPolicy",
            of_action("redshift-data:ExecuteStatement", put("arn:aws:redshift-serverless:*:*:*", "Resource")),
        ),
        test_a_statement_is_started_in_the_warehouse_given_and_described_by_who_started_it,
    ),
    "anybody's statements described": (
        statements("UnloadPolicy", of_action("redshift-data:DescribeStatement", without("Condition"))),
        test_a_statement_is_started_in_the_warehouse_given_and_described_by_who_started_it,
    ),
    "a job output without its key": (
        state("Training", "Train", without("Parameters", "OutputDataConfig", "KmsKeyId")),
        CALLS_ALLOWED,
    ),
    "a job volume without its key": (
        state("Training", "Train", without("Parameters", "ResourceConfig", "VolumeKmsKeyId")),
        CALLS_ALLOWED,
    ),
    "a job with a network": (
        state("Training", "Train", put(False, "Parameters", "EnableNetworkIsolation")),
        CALLS_ALLOWED,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    assert_found(*FAULTS[fault])
