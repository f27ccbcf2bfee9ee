"""What the state machines' roles may do: the calls their definitions make, no fewer and no more."""

import json
import re
from itertools import product

import pytest

from infra.deploy.vpc import in_vpc
from tests.definition_checks import evaluate
from tests.infra.policies import HERE, Request, Stack, by_role, judge, role_id
from tests.infra.templates import MACHINES, definition

pytestmark = pytest.mark.usefixtures("engine")

#: SageMaker's jobs: their kind in ARNs, and the rule by which Step Functions hears of their end (from its
#: page "Call SageMaker with Step Functions").
JOBS = {
    "ProcessingJob": ("processing-job", "ProcessingJobs"),
    "TrainingJob": ("training-job", "TrainingJobs"),
    "HyperParameterTuningJob": ("hyper-parameter-tuning-job", "TuningJobs"),
    "TransformJob": ("transform-job", "TransformJobs"),
}
OWN_RUNTIME = ("logs:", "xray:")


def tasks(stack: Stack, machine: str) -> list[tuple[str, dict]]:
    """Service integration and parameters of every task, with the template's substitutions made."""
    place = stack.properties[f"{machine}Machine"]["DefinitionS3Location"]["Key"]
    deployed = in_vpc(definition(machine)) if "/vpc/" in place else definition(machine)
    text = json.dumps(deployed)
    given = stack.properties[f"{machine}Machine"]["DefinitionSubstitutions"]
    for name, value in given.items():
        text = text.replace(f"${{{name}}}", value)
    states = json.loads(text)["States"].values()
    assert not any(state["Type"] in ("Map", "Parallel") for state in states), "look into those too"
    return [
        (state["Resource"].removeprefix("arn:aws:states:::"), state["Parameters"])
        for state in states
        if state["Type"] == "Task"
    ]


def found(value, name: str) -> list:
    """Everything under the key `name`, at any depth; what is computed at run time is left out."""
    if isinstance(value, list):
        return [hit for item in value for hit in found(item, name)]
    if not isinstance(value, dict):
        return []
    here = [value[name]] if name in value else []
    return here + [hit for item in value.values() for hit in found(item, name)]


def calls(stack: Stack, machine: str) -> list[Request]:
    """Every call that the machine's tasks make, and those that `.sync` makes besides."""
    return [
        by_role(stack, f"{machine}MachineRole", action, resource, **context)
        for integration, parameters in tasks(stack, machine)
        for action, resource, context in _calls(stack, integration, parameters)
    ]


def _calls(stack: Stack, integration: str, parameters: dict):
    """Action, resource and circumstances of one task's calls."""
    service, _, operation = integration.removeprefix("aws-sdk:").partition(":")
    operation, _, pattern = operation.partition(".")
    action = f"{service}:{operation[0].upper()}{operation[1:]}"
    match service, operation:
        case "sagemaker", "createModel":
            model = f"arn:aws:sagemaker:{HERE}:model/de-weee-2026-10-1a2b3c4d"
            yield action, model, _isolation(parameters)
            yield "sagemaker:AddTags", model, {}
            yield from _passing(found(parameters, "ExecutionRoleArn"))
        case "sagemaker", _:
            assert pattern == "sync", integration
            yield from _job(stack, operation.removeprefix("create"), parameters)
        case "dynamodb", "transactWriteItems":
            assert {key for item in parameters["TransactItems"] for key in item} == {"Put"}
            yield "dynamodb:PutItem", stack.arn("LedgerTable"), {}
        case "dynamodb", _:
            yield action, stack.arn("LedgerTable"), {}
        case "events", _:
            sources = found(parameters, "Source")
            yield action, f"arn:aws:events:{HERE}:event-bus/default", {"events:source": sources}
        case "sns", _:
            yield action, parameters["TopicArn"], {}
        case "sqs", _:
            yield action, f"arn:aws:sqs:{HERE}:{parameters['QueueUrl'].rpartition('/')[2]}", {}
        case "s3", "copyObject":
            if parameters["CopySource.$"].endswith("labels.parquet', $.target.bucket, $.target.prefix)"):
                yield "s3:GetObject", f"{stack.arn('LabelledBucket')}/labels/g/p/r/labels.parquet", {}
                yield "s3:PutObject", f"{stack.arn('LabelledBucket')}/current/g/p/labels.parquet", {}
                return
            for bucket, prefix in (("WorkBucket", "predictions"), ("LabelledBucket", "labels")):
                yield "s3:GetObject", f"{stack.arn(bucket)}/runs/g/r/manifest/manifest.json", {}
                yield "s3:PutObject", f"{stack.arn(bucket)}/{prefix}/g/r/manifest.json", {}
        case _:
            raise AssertionError(f"{integration}: say here which permissions it needs")


def _job(stack: Stack, kind: str, parameters: dict):
    """A job that Step Functions starts, tags, watches and, when the execution is stopped, stops."""
    arn_kind, rule = JOBS[kind]
    job = f"arn:aws:sagemaker:{HERE}:{arn_kind}/de-weee-2026-10-x-9f8e7d6c"
    for circumstances in _job_keys(stack, parameters):
        yield f"sagemaker:Create{kind}", job, {**circumstances, **_isolation(parameters)}
    for verb in ("Describe", "Stop"):
        yield f"sagemaker:{verb}{kind}", job, {}
    for action in ("sagemaker:AddTags", "sagemaker:ListTags"):
        yield action, job, {}
    yield from _passing(found(parameters, "RoleArn"))
    for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule"):
        yield action, f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForSageMaker{rule}Rule", {}


def _job_keys(stack: Stack, parameters: dict):
    """Under which keys the job's volume and output are; an output's key that is computed is one of two."""
    [volume] = found(parameters, "VolumeKmsKeyId")
    for output in found(parameters, "KmsKeyId") or [stack.arn("WorkKey"), stack.arn("LabelledKey")]:
        yield {"sagemaker:VolumeKmsKeyArn": volume, "sagemaker:OutputKmsKeyArn": output}


def _isolation(parameters: dict) -> dict:
    """How the job or model is shut off and in which network it runs, as far as the definition says so."""
    said = {
        "sagemaker:NetworkIsolation": found(parameters, "EnableNetworkIsolation"),
        "sagemaker:InterContainerTrafficEncryption": found(
            parameters, "EnableInterContainerTrafficEncryption"
        ),
    }
    isolation = {key: str(value[0]).lower() for key, value in said.items() if value}
    for [config] in filter(None, [found(parameters, "VpcConfig")]):
        isolation["sagemaker:VpcSubnets"] = _listed(config["Subnets.$"])
        isolation["sagemaker:VpcSecurityGroupIds"] = _listed(config["SecurityGroupIds.$"])
    return isolation


def _listed(expression: str) -> list[str]:
    return evaluate(expression, {}, {})


def _passing(roles: list[str]):
    for role in roles:
        yield "iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"}


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
        ("sqs:SendMessage", "EventsDeadLetterQueue"),
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
        ("dynamodb:PutItem", "LedgerTable"),
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
    "StatementFinishedRole": {"s3:ListBucket"},
}


@pytest.mark.parametrize("role", FUNCTIONS)
def test_a_function_reaches_the_machines_queues_and_entries_of_its_task_and_no_other(role, stack):
    wishes = [
        *product(["states:StartExecution"], (f"{machine}Machine" for machine in MACHINES)),
        *product((*RECEIVE, "sqs:SendMessage"), stack.of_type("SQS::Queue")),
        *product(["sns:Publish"], stack.of_type("SNS::Topic")),
        *product(
            ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:Scan"), ["LedgerTable"]
        ),
    ]
    verdicts = judge(stack, [by_role(stack, role, action, stack.arn(on)) for action, on in wishes])
    granted = {wish for wish, verdict in zip(wishes, verdicts, strict=True) if verdict == "Allowed"}
    assert granted == FUNCTIONS[role]
    own = {action for action in stack.granted(role) if not action.startswith(OWN_RUNTIME)}
    assert own == {action for action, _ in FUNCTIONS[role]} | ELSEWHERE.get(role, set())


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


def test_with_a_secret_the_secret_is_read_and_nobody_signs_in_as_the_role():
    secret = f"arn:aws:secretsmanager:{HERE}:secret:warehouse-AbCdEf"
    stack = Stack(WarehouseSecretArn=secret)
    assert "redshift-serverless:GetCredentials" not in stack.granted("UnloadRole")
    read = by_role(stack, "UnloadRole", "secretsmanager:GetSecretValue", secret)
    assert judge(stack, [read]) == ["Allowed"]


def test_only_redshift_of_this_account_takes_the_warehouses_role(stack):
    [statement] = stack.of_type("IAM::Role")["WarehouseRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(statement["Principal"]["Service"]) == {
        "redshift.amazonaws.com",
        "redshift-serverless.amazonaws.com",
    }
    region, account = HERE.split(":")
    user = f"arn:aws:redshift:{region}:{account}:dbuser:*/*"
    assert statement["Condition"] == {"StringLike": {"sts:ExternalId": user}}
