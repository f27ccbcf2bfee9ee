"""The calls that the state machines' definitions make, and so the permissions that their roles need."""

import json

from infra.deploy.vpc import in_vpc
from tests.definition_checks import evaluate
from tests.infra.policies import HERE, Request, Stack, by_role
from tests.infra.templates import definition

#: SageMaker's jobs: their kind in ARNs, and the rule by which Step Functions hears of their end (from its
#: page "Call SageMaker with Step Functions").
JOBS = {
    "ProcessingJob": ("processing-job", "ProcessingJobs"),
    "TrainingJob": ("training-job", "TrainingJobs"),
    "HyperParameterTuningJob": ("hyper-parameter-tuning-job", "TuningJobs"),
    "TransformJob": ("transform-job", "TransformJobs"),
}


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
        for action, resource, context in task_calls(stack, integration, parameters)
    ]


def task_calls(stack: Stack, integration: str, parameters: dict):
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
            # Each part takes its own permission ("Using IAM with DynamoDB transactions").
            named = {"Put": "dynamodb:PutItem", "ConditionCheck": "dynamodb:ConditionCheckItem"}
            for part in sorted({key for item in parameters["TransactItems"] for key in item}):
                yield named[part], stack.arn("LedgerTable"), {}
        case "dynamodb", _:
            yield action, stack.arn("LedgerTable"), {}
        case "sfn", "describeExecution":
            execution = (
                f"arn:aws:states:{HERE}:execution:labelmill-training:DE-weee-training-2026-10-0f3a9c21d4e5"
            )
            yield "states:DescribeExecution", execution, {}
        case "events", _:
            sources = found(parameters, "Source")
            yield action, f"arn:aws:events:{HERE}:event-bus/default", {"events:source": sources}
        case "sns", _:
            yield action, parameters["TopicArn"], {}
        case "sqs", _:
            yield action, f"arn:aws:sqs:{HERE}:{parameters['QueueUrl'].rpartition('/')[2]}", {}
        case "s3", "copyObject":
            yield from _copies(stack, parameters)
        case "s3", "headObject":
            # HeadObject takes the right to read ("Required permissions for Amazon S3 API operations").
            key = parameters.get("Key") or evaluate(parameters["Key.$"], {"group": "g", "model": "m"}, {})
            yield "s3:GetObject", f"arn:aws:s3:::{parameters['Bucket']}/{key}", {}
        case "cloudwatch", "putMetricData":
            yield action, "*", {"cloudwatch:namespace": parameters["Namespace"]}
        case _:
            raise AssertionError(f"{integration}: say here which permissions it needs")


def _copies(stack: Stack, parameters: dict):
    """A copy in the bucket that a run publishes to; decisions and artefacts stay in the work bucket.

    Only labels for people are shown as the month's.
    """
    targets = {"LabelledBucket": "labels/g/p/r/", "WorkBucket": "predictions/g/s/m/r/"}
    if "$.found" in parameters["CopySource.$"]:
        del targets["WorkBucket"]
    if parameters.get("Bucket") == stack.ref("WorkBucket"):
        del targets["LabelledBucket"]
    for bucket, prefix in targets.items():
        target = {"bucket": stack.ref(bucket), "folder": {"prefix": prefix}}
        month = {"Item": {"table": {"S": f"{stack.ref(bucket)}/{prefix}labels.parquet"}}}
        data = {"group": "g", "period": "p", "run": "r", "sheet": "s", "target": target, "found": month}
        data["trained"] = {"model": "m"}
        source, key = (evaluate(parameters[name], data, {}) for name in ("CopySource.$", "Key.$"))
        yield "s3:GetObject", f"arn:aws:s3:::{source}", {}
        yield "s3:PutObject", f"{stack.arn(bucket)}/{key}", {}


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
