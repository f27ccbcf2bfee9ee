"""A stack that is given a VPC: its jobs run in those subnets, and nowhere else."""

import copy

import pytest

from infra.deploy.vpc import in_vpc
from infra.local.aws_models import check, service_model
from tests.infra.judged import JOBS
from tests.infra.machine_calls import calls, tasks
from tests.infra.policies import HERE, Request, Stack, by_role, judge
from tests.infra.templates import MACHINES, definition

SUBNETS, GROUPS = "subnet-0a1b,subnet-2c3d", "sg-4e5f"


@pytest.fixture(scope="module")
def stack_in_vpc() -> Stack:
    return Stack(VpcSubnets=SUBNETS, VpcSecurityGroups=GROUPS)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_definition_differs_from_the_reviewed_one_by_the_network_of_jobs_and_nothing_else(machine):
    given = copy.deepcopy(definition(machine))
    changed = in_vpc(given)
    assert given == definition(machine)
    assert changed != given
    places = []
    for state in changed["States"].values():
        request = state.get("Parameters", {})
        for place in (request, request.get("NetworkConfig", {}), request.get("TrainingJobDefinition", {})):
            if "VpcConfig" in place:
                places.append(place.pop("VpcConfig"))
    assert changed == given
    jobs = [state for state in given["States"].values() if ":sagemaker:" in state.get("Resource", "")]
    transforms = [state for state in jobs if "createTransformJob" in state["Resource"]]
    assert len(places) == len(jobs) - len(transforms)


@pytest.mark.parametrize(
    ("operation", "places"),
    [
        ("CreateProcessingJob", ("NetworkConfig", "VpcConfig")),
        ("CreateTrainingJob", ("VpcConfig",)),
        ("CreateHyperParameterTuningJob", ("TrainingJobDefinition", "VpcConfig")),
        ("CreateModel", ("VpcConfig",)),
    ],
)
def test_sagemaker_takes_the_network_where_it_is_said(operation, places):
    shape = service_model("sagemaker").operation_model(operation).input_shape
    for name in places:
        shape = shape.members[name]
    vpc = {"SecurityGroupIds": GROUPS.split(","), "Subnets": SUBNETS.split(",")}
    assert set(shape.members) == set(vpc)
    check(
        {"ModelName": "m", "ExecutionRoleArn": f"arn:aws:iam::{'1' * 12}:role/r", "VpcConfig": vpc},
        service_model("sagemaker").operation_model("CreateModel"),
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_the_template_takes_the_definition_in_the_vpc_and_fills_it_in(machine, stack_in_vpc):
    assert not any("${" in str(parameters) for _, parameters in tasks(stack_in_vpc, machine))
    assert SUBNETS in str(tasks(stack_in_vpc, machine))


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_may_start_its_jobs_in_the_vpc(machine, stack_in_vpc):
    made = calls(stack_in_vpc, machine)
    for call, verdict in zip(made, judge(stack_in_vpc, made), strict=True):
        assert verdict == "Allowed", (call.action, call.context)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_may_start_no_job_outside_the_vpc(machine, stack_in_vpc):
    other = {
        "sagemaker:VpcSubnets": ["subnet-0a1b", "subnet-9999"],
        "sagemaker:VpcSecurityGroupIds": ["sg-9999"],
    }
    faults = [
        Request(call.principal, call.action, call.resource, context, call.policies)
        for call in calls(stack_in_vpc, machine)
        for key in other.keys() & call.context.keys()
        for context in (
            {**call.context, key: other[key]},
            {name: value for name, value in call.context.items() if name != key},
        )
    ]
    assert faults
    assert set(judge(stack_in_vpc, faults)) == {"ExplicitlyDenied"}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("role", JOBS)
def test_every_job_may_look_at_the_network_it_joins(role, stack_in_vpc):
    """As SageMaker's "CreateProcessingJob API: Execution Role Permissions" lists it."""
    looks = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
    requests = [by_role(stack_in_vpc, role, f"ec2:Describe{what}", "*") for what in looks]
    requests += [
        by_role(
            stack_in_vpc, role, f"ec2:{verb}NetworkInterface", f"arn:aws:ec2:{HERE}:network-interface/eni-1"
        )
        for verb in ("Create", "Delete")
    ]
    assert set(judge(stack_in_vpc, requests)) == {"Allowed"}


@pytest.mark.usefixtures("engine")
def test_jobs_make_network_interfaces_there_and_nowhere_else(stack, stack_in_vpc):
    def interface(given: Stack, kind: str, name: str, **context: str) -> Request:
        arn = f"arn:aws:ec2:{HERE}:{kind}/{name}"
        return by_role(given, "TrainRole", "ec2:CreateNetworkInterface", arn, **context)

    there = {"subnet": {"ec2:SubnetID": "subnet-0a1b"}, "security-group": {"ec2:SecurityGroupID": "sg-4e5f"}}
    elsewhere = {"subnet": {"ec2:SubnetID": "subnet-9"}, "security-group": {"ec2:SecurityGroupID": "sg-9"}}
    allowed = [interface(stack_in_vpc, kind, "x", **context) for kind, context in there.items()]
    refused = [interface(stack_in_vpc, kind, "x", **context) for kind, context in elsewhere.items()]
    without = [interface(stack, kind, "x", **context) for kind, context in there.items()]
    assert set(judge(stack_in_vpc, allowed)) == {"Allowed"}
    # SageMaker's "CreateTrainingJob API: Execution Role Permissions" asks for these without a word on who is
    # authorised; a condition on ec2:AuthorizedService, as CodeBuild documents it, might never hold.
    card = f"arn:aws:ec2:{HERE}:network-interface/eni-1"
    verbs = ("Create", "Delete")
    handed_on = [
        by_role(stack_in_vpc, "TrainRole", f"ec2:{verb}NetworkInterfacePermission", card) for verb in verbs
    ]
    assert set(judge(stack_in_vpc, handed_on)) == {"Allowed"}
    assert set(judge(stack_in_vpc, [*refused, *without])) == {"ImplicitlyDenied"}
