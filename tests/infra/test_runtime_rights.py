"""What jobs, machines and functions need of AWS to run, each its own: logs, metrics, traces, the image."""

from itertools import product

import pytest

from tests.infra.faults import assert_found, statements
from tests.infra.judged import JOBS, allowed
from tests.infra.policies import HERE, Stack, by_role
from tests.infra.templates import MACHINES

pytestmark = pytest.mark.usefixtures("engine")

#: SageMaker developer guide, "CreateProcessingJob API: Execution Role Permissions" and the like for others.
JOB_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
#: Step Functions developer guide, "Using CloudWatch Logs to log execution history" and "Tracing with X-Ray".
MACHINE_RUNTIME = (
    *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups"),
    *("logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
    *("logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
    *(
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ),
)
#: As in AWS's managed policies AWSLambdaBasicExecutionRole (the log group is there already) and
#: AWSXRayDaemonWriteAccess.
FUNCTION_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
TRACE = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")


def may(stack: Stack, wishes: set[tuple[str, str]], **context: str) -> set[tuple[str, str, str]]:
    """Role, action and resource of all wishes that the engine grants, whoever makes them."""
    return allowed(
        stack,
        {
            (role, action, resource): by_role(stack, role, action, resource, **context)
            for role, (action, resource) in product(stack.roles(), wishes)
        },
    )


def everyone(roles, wishes) -> set[tuple[str, str, str]]:
    return {(role, action, resource) for role, (action, resource) in product(roles, wishes)}


def test_jobs_write_sagemakers_logs_and_nobody_writes_another_log(stack):
    kinds = ("ProcessingJobs", "TrainingJobs", "TransformJobs")
    here = f"arn:aws:logs:{HERE}:log-group:"
    groups = {kind: f"{here}/aws/sagemaker/{kind}:log-stream:x" for kind in (*kinds, "Endpoints")}
    wishes = set(product(JOB_LOGS, [*groups.values(), f"{here}other:log-stream:x"]))
    own = product(JOBS, JOB_LOGS, (groups[kind] for kind in kinds))
    assert may(stack, wishes) == set(own)


def test_jobs_say_metrics_in_sagemakers_namespaces_and_machines_in_ours(stack):
    wish = {("cloudwatch:PutMetricData", "*")}
    said = {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}
    assert may(stack, wish, **said) == everyone(JOBS, wish)
    assert may(stack, wish, **{"cloudwatch:namespace": "Labelmill"}) == everyone(
        (f"{machine}MachineRole" for machine in MACHINES), wish
    )
    assert may(stack, wish, **{"cloudwatch:namespace": "Other"}) == set()


def test_jobs_and_nobody_else_sign_in_to_registries(stack):
    """What they may pull there: test_image_permissions.py."""
    token = {("ecr:GetAuthorizationToken", "*")}
    assert may(stack, token) == everyone(JOBS, token)


def test_machines_have_their_logs_delivered_and_are_traced(stack):
    functions = [role for role in stack.roles() if _function_of(stack, role)]
    machines = [f"{machine}MachineRole" for machine in MACHINES]
    wishes = set(product(MACHINE_RUNTIME, ["*"]))
    traced = everyone(functions, set(product(TRACE, ["*"])))
    assert may(stack, wishes) == everyone(machines, wishes) | traced


def test_a_function_writes_its_own_log_and_no_other(stack):
    groups = {
        one["LoggingConfig"]["LogGroup"]: one["Role"] for one in stack.of_type("Lambda::Function").values()
    }
    arns = {f"arn:aws:logs:{HERE}:log-group:{group}:log-stream:x": role for group, role in groups.items()}
    roles = {stack.arn(role): role for role in stack.roles()}
    own = {(roles[role], action, arn) for action in FUNCTION_LOGS for arn, role in arns.items()}
    assert may(stack, set(product(FUNCTION_LOGS, arns))) == own


def _function_of(stack: Stack, role: str) -> bool:
    return any(one["Role"] == stack.arn(role) for one in stack.of_type("Lambda::Function").values())


def test_nothing_is_denied_by_a_role_but_jobs_outside_the_vpc():
    for given in ({}, {"VpcSubnets": "subnet-0a1b", "VpcSecurityGroups": "sg-4e5f"}):
        stack = Stack(**given)
        denied = {
            (role, json_of(statement["Action"]))
            for role in stack.roles()
            for policy in stack.identity_policies(role)
            for statement in policy["Statement"]
            if statement["Effect"] != "Allow"
        }
        jobs = "CreateHyperParameterTuningJob CreateModel CreateProcessingJob CreateTrainingJob"
        expected = {(f"{machine}MachineRole", jobs) for machine in MACHINES} if given else set()
        assert denied == expected


def json_of(actions: list[str]) -> str:
    return " ".join(sorted(action.partition(":")[2] for action in actions))


FAULTS = {
    "a job that is denied its logs": (
        statements("JobRuntimePolicy", lambda given: given[0].update(Effect="Deny")),
        test_jobs_write_sagemakers_logs_and_nobody_writes_another_log,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    assert_found(*FAULTS[fault])
