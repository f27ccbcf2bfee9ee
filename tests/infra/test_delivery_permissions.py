"""What each role of the delivery may do, judged by a policy engine: on each resource that its policy names.

Each call is also asked about on such a resource of somebody else and without what it says, and is refused.
How the roles and stages fit together is in test_delivery_pipeline.py.
"""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.infra.delivery import KEY, PARAMETERS, PRODUCTION, TEST, by
from tests.infra.judged import allowed, person
from tests.infra.policies import ACCOUNT, HERE, REGION, VALUES, Request, Stack
from tests.infra.templates import template

pytestmark = pytest.mark.usefixtures("engine")

OTHER = "210987654321"
NAME = "labelmill-delivery"
ARTIFACT = f"arn:aws:s3:::{NAME}-{ACCOUNT}-{REGION}/source.zip"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
PREPARE = f"{ROLE}/{TEST}/{TEST}-prepare-{REGION}"
NO_KEYS = f"arn:aws:iam::{ACCOUNT}:policy/{NAME}/{NAME}-no-keys-{REGION}"
OURS = {"aws:ResourceTag/project": "labelmill"}
#: What, on which resources, and what is said with it.
Calls = tuple[str, list[str], dict]


@pytest.fixture(scope="module")
def with_faults() -> Stack:
    return Stack(template("delivery"), **PARAMETERS, Name=NAME, WithFaults="yes")


def through(service: str) -> dict:
    return {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}


def passed_to(service: str) -> dict:
    return {"iam:PassedToService": f"{service}.amazonaws.com"}


def bucket(stack: str, kind: str, key: str = "") -> str:
    return f"arn:aws:s3:::{stack}-{kind}-{ACCOUNT}-{REGION}" + (f"/{key}" if key else "")


DOMAIN = f"arn:aws:codeartifact:{HERE}:domain/{NAME}"
REPOSITORIES = [f"arn:aws:codeartifact:{HERE}:repository/{NAME}/{of}" for of in ("pypi", "npm")]
BEARER = {"sts:AWSServiceName": "codeartifact.amazonaws.com"}


BUILD: list[Calls] = [
    (
        "logs:CreateLogStream logs:PutLogEvents",
        [f"arn:aws:logs:{HERE}:log-group:/aws/codebuild/{NAME}-builds:log-stream:check"],
        {},
    ),
    ("s3:GetObject", [ARTIFACT], {}),
    ("kms:Decrypt", [KEY], through("s3")),
    ("codeartifact:GetAuthorizationToken", [DOMAIN], {}),
    ("codeartifact:GetRepositoryEndpoint codeartifact:ReadFromRepository", REPOSITORIES, {}),
    ("sts:GetServiceBearerToken", ["*"], BEARER),
]


STACK_ACTIONS = (
    *("ContinueUpdateRollback", "CreateChangeSet", "DeleteChangeSet", "DescribeChangeSet"),
    *("DescribeStackEvents", "DescribeStackResourceDrifts", "DescribeStacks", "DetectStackDrift"),
    *("DetectStackResourceDrift", "ExecuteChangeSet", "ListStackResources", "TagResource"),
)


LOOKS_AT_BUCKETS = (
    *("GetBucketLogging", "GetBucketNotification", "GetBucketOwnershipControls", "GetBucketTagging"),
    *("GetBucketPublicAccessBlock", "GetBucketVersioning", "GetEncryptionConfiguration"),
    *("GetLifecycleConfiguration", "ListBucket"),
)


def deploying(name: str, role: str) -> list[Calls]:
    """What a build that deploys the stack `name` does."""
    repository = f"arn:aws:ecr:{HERE}:repository/{name}-jobs"
    return [
        *BUILD,
        (
            " ".join(f"cloudformation:{action}" for action in STACK_ACTIONS),
            [f"arn:aws:cloudformation:{HERE}:stack/{stack}/0a1b" for stack in (name, f"{name}-code")],
            {},
        ),
        ("iam:PassRole", [f"{ROLE}/{NAME}/{NAME}-{role}-{REGION}"], passed_to("cloudformation")),
        ("s3:GetObject s3:PutObject", [bucket(name, "code", "code/0123/jobs.zip")], {}),
        (
            "dynamodb:DescribeContinuousBackups dynamodb:DescribeTable dynamodb:ListTagsOfResource",
            [f"arn:aws:dynamodb:{HERE}:table/{name}-ledger"],
            {},
        ),
        (
            "ecr:DescribeImages ecr:DescribeRepositories ecr:GetLifecyclePolicy ecr:GetRepositoryPolicy "
            "ecr:ListTagsForResource",
            [repository],
            {},
        ),
        (
            " ".join(f"s3:{action}" for action in LOOKS_AT_BUCKETS),
            [bucket(name, kind) for kind in ("code", "landing")],
            {},
        ),
        ("kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags", [KEY], OURS),
        ("cloudformation:DescribeStackDriftDetectionStatus", ["*"], {}),
        (
            "codebuild:BatchGetBuilds codebuild:StartBuild",
            [f"arn:aws:codebuild:{HERE}:project/{name}-copy-image"],
            {},
        ),
        (
            "kms:Decrypt kms:GenerateDataKey",
            [KEY, VALUES["CodeKeyArn"]],
            {**through("s3"), "kms:ResourceAliases": [f"alias/{name}-code"]},
        ),
    ]


def making(name: str) -> list[Calls]:
    """What CloudFormation does for a stack where one statement names several resources or says something.

    The rest is in test_delivery_pipeline.py.
    """
    function = f"arn:aws:lambda:{HERE}:function:{name}-unload"
    of_function = {"lambda:FunctionArn": function}
    mapping = f"arn:aws:lambda:{HERE}:event-source-mapping:0a1b2c3d"
    groups = ("/aws/lambda/{}-unload", "/aws/vendedlogs/states/{}-training", "/aws/codebuild/{}-copy-image")
    glue = f"arn:aws:glue:{HERE}"
    return [
        (
            "glue:GetTable glue:CreateTable glue:UpdateTable glue:DeleteTable",
            [f"{glue}:catalog", f"{glue}:database/{name}", f"{glue}:table/{name}/labels"],
            {},
        ),
        *(
            ("iam:PassRole", [f"{ROLE}/{name}/{name}-train-{REGION}"], passed_to(service))
            for service in ("codebuild", "lambda", "scheduler", "states")
        ),
        ("iam:GetPolicy", [f"arn:aws:iam::{ACCOUNT}:policy/{name}-job-runtime"], {}),
        ("iam:GetRole", [f"{ROLE}/{name}/{name}-train-{REGION}"], {}),
        ("codebuild:CreateProject", [f"arn:aws:codebuild:{HERE}:project/{name}-copy-image"], {}),
        ("ecr:CreateRepository", [f"arn:aws:ecr:{HERE}:repository/{name}-jobs"], {}),
        (
            "logs:CreateLogGroup",
            [f"arn:aws:logs:{HERE}:log-group:{group.format(name)}" for group in groups],
            {},
        ),
        ("cloudwatch:PutMetricAlarm", [f"arn:aws:cloudwatch:{HERE}:alarm:{name}-failures"], {}),
        ("cloudwatch:PutDashboard", [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}-runs"], {}),
        ("scheduler:CreateSchedule", [f"arn:aws:scheduler:{HERE}:schedule/default/{name}-orders"], {}),
        ("schemas:CreateRegistry", [f"arn:aws:schemas:{HERE}:registry/{name}"], {}),
        ("schemas:CreateSchema", [f"arn:aws:schemas:{HERE}:schema/{name}/run"], {}),
        ("kms:CreateAlias", [f"arn:aws:kms:{HERE}:alias/{name}-work", KEY], {}),
        ("kms:CreateKey", ["*"], {"aws:RequestTag/project": "labelmill"}),
        ("kms:PutKeyPolicy kms:CreateGrant kms:Decrypt kms:GenerateDataKey", [KEY], OURS),
        ("lambda:CreateEventSourceMapping", ["*"], of_function),
        ("lambda:DeleteEventSourceMapping lambda:UpdateEventSourceMapping", [mapping], of_function),
        ("lambda:ListTags lambda:TagResource lambda:UntagResource", [function, mapping], {}),
    ]


REHEARSED = f"arn:aws:states:{HERE}:stateMachine:{TEST}-training"
MAY: dict[str, list[Calls]] = {
    "CheckRole": BUILD,
    "DeployTestRole": deploying(TEST, "test-stack"),
    "DeployProductionRole": deploying(PRODUCTION, "production-stack"),
    "TestStackRole": making(TEST),
    "ProductionStackRole": making(PRODUCTION),
    "RehearseRole": [
        *BUILD,
        ("cloudformation:DescribeStacks", [f"arn:aws:cloudformation:{HERE}:stack/{TEST}/0a1b"], {}),
        ("s3:PutObject", [bucket(TEST, "landing", "x"), bucket(TEST, "work", "codebooks/x")], {}),
        (
            "s3:GetObject",
            [
                bucket(TEST, "landing", "inference/DE-weee/2026-10/d1/manifest"),
                bucket(TEST, "work", "codebooks/x"),
                bucket(TEST, "labelled", "labels/x"),
            ],
            {},
        ),
        ("s3:ListBucket", [bucket(TEST, "landing"), bucket(TEST, "labelled")], {}),
        ("states:ListExecutions states:StartExecution", [REHEARSED], {}),
        (
            "states:DescribeExecution states:GetExecutionHistory states:StopExecution",
            [REHEARSED.replace("stateMachine", "execution") + ":run"],
            {},
        ),
        (
            "sagemaker:StopProcessingJob",
            [f"arn:aws:sagemaker:{HERE}:processing-job/de-weee-2026-10-prepare-0a1b2c3d"],
            {**OURS, "aws:ResourceTag/stack": TEST},
        ),
        ("sqs:SendMessage", [f"arn:aws:sqs:{HERE}:{TEST}-unload"], {}),
        ("sqs:DeleteMessage sqs:ReceiveMessage", [f"arn:aws:sqs:{HERE}:{TEST}-failures"], {}),
        (
            "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
            [f"arn:aws:dynamodb:{HERE}:table/{TEST}-ledger"],
            {},
        ),
        *(
            (
                "kms:Decrypt kms:GenerateDataKey",
                [KEY],
                {**through(service), "kms:ResourceAliases": [f"alias/{TEST}-work"]},
            )
            for service in ("dynamodb", "s3", "sqs")
        ),
        (
            "kms:Decrypt kms:GenerateDataKey",
            [KEY],
            {"kms:EncryptionContext:aws:states:stateMachineArn": REHEARSED},
        ),
        (
            "fis:StartExperiment",
            [f"arn:aws:fis:{HERE}:experiment-template/{name}" for name in ("Experiment", "KeysExperiment")],
            {},
        ),
        ("fis:StartExperiment fis:GetExperiment", [f"arn:aws:fis:{HERE}:experiment/EXP0a1b"], {}),
        (
            "iam:CreateServiceLinkedRole",
            [f"{ROLE}/aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS"],
            {"iam:AWSServiceName": "fis.amazonaws.com"},
        ),
    ],
    "FaultRole": [
        (
            "lambda:DeleteFunctionConcurrency lambda:PutFunctionConcurrency",
            [f"arn:aws:lambda:{HERE}:function:{TEST}-start-{what}" for what in ("training", "inference")],
            {},
        ),
        ("iam:AttachRolePolicy iam:DetachRolePolicy", [PREPARE], {"iam:PolicyARN": NO_KEYS}),
    ],
    "ExperimentRole": [
        (
            "ssm:StartAutomationExecution",
            [
                f"arn:aws:ssm:{HERE}:automation-definition/{NAME}-{what}-away:1"
                for what in ("functions", "keys")
            ],
            {},
        ),
        (
            "ssm:GetAutomationExecution ssm:StopAutomationExecution",
            [f"arn:aws:ssm:{HERE}:automation-execution/0a1b"],
            {},
        ),
        ("iam:PassRole", [f"{ROLE}/{NAME}/{NAME}-fault-{REGION}"], passed_to("ssm")),
    ],
    "PipelineRole": [
        ("s3:GetObject s3:GetObjectVersion s3:PutObject", [ARTIFACT], {}),
        ("s3:GetBucketVersioning", [ARTIFACT.partition("/")[0]], {}),
        ("kms:Decrypt kms:GenerateDataKey", [KEY], through("s3")),
        (
            "codeconnections:UseConnection",
            [PARAMETERS["ConnectionArn"]],
            {},
        ),
        (
            "codebuild:BatchGetBuilds codebuild:StartBuild",
            [
                f"arn:aws:codebuild:{HERE}:project/{NAME}-{build}"
                for build in (
                    *("check", "deploy-test", "deploy-production", "rehearse"),
                    "rehearse-under-faults",
                )
            ],
            {},
        ),
    ],
}


def calls(role: str) -> Iterator[tuple[str, str, dict]]:
    for actions, resources, said in MAY[role]:
        for action, resource in product(actions.split(), resources):
            yield action, resource, said


def elsewhere(resource: str) -> str:
    """The same resource of somebody else."""
    return resource.replace("labelmill", "another").replace(ACCOUNT, OTHER)


def keyed(said: dict) -> tuple:
    return tuple(sorted((key, str(value)) for key, value in said.items()))


def test_every_role_of_the_delivery_is_asked_about(with_faults):
    assert set(MAY) == set(with_faults.roles())


@pytest.mark.parametrize("role", MAY)
def test_a_role_may_do_its_task_and_not_elsewhere_and_not_without_what_it_says(role, with_faults):
    wanted = {
        (action, on, keyed(said)): by(with_faults, role, action, on, **said)
        for action, on, said in calls(role)
    }
    refused = {
        (action, elsewhere(on), keyed(said)): by(with_faults, role, action, elsewhere(on), **said)
        for action, on, said in calls(role)
        if elsewhere(on) != on
    }
    for action, on, said in calls(role):
        for key in said:
            rest = {name: value for name, value in said.items() if name != key}
            refused[action, on, keyed(rest)] = by(with_faults, role, action, on, **rest)
    assert set(wanted) - allowed(with_faults, wanted) == set()
    assert allowed(with_faults, {key: ask for key, ask in refused.items() if key not in wanted}) == set()


@pytest.mark.parametrize("role", ["TestStackRole", "ProductionStackRole"])
def test_a_key_is_tagged_as_this_projects_alone(role, with_faults):
    requests = {
        (whose, tag): by(
            with_faults, role, "kms:TagResource", KEY, **{"aws:RequestTag/project": tag, **its_tag}
        )
        for (whose, its_tag), tag in product(
            {"new": {}, "ours": OURS, "another's": {"aws:ResourceTag/project": "another"}}.items(),
            ("labelmill", "another"),
        )
    }
    assert allowed(with_faults, requests) == {("new", "labelmill"), ("ours", "labelmill")}


BUILDS = ("CheckRole", "DeployTestRole", "DeployProductionRole", "RehearseRole")


def test_builds_read_packages_and_change_none(with_faults):
    package = f"arn:aws:codeartifact:{HERE}:package/{NAME}/npm/npm/aws-sdk/core"
    changes = {
        "PublishPackageVersion": package,
        "DeletePackageVersions": package,
        "PutPackageOriginConfiguration": package,
        "AssociateExternalConnection": REPOSITORIES[0],
        "PutRepositoryPermissionsPolicy": REPOSITORIES[0],
        "ReadFromRepository": f"{REPOSITORIES[0]}-of-another",
        "PutDomainPermissionsPolicy": DOMAIN,
    }
    requests = {
        (role, action): by(with_faults, role, f"codeartifact:{action}", on)
        for role, (action, on) in product(BUILDS, changes.items())
    }
    requests |= {
        (role, service): by(
            with_faults,
            role,
            "sts:GetServiceBearerToken",
            "*",
            **{"sts:AWSServiceName": f"{service}.amazonaws.com"},
        )
        for role, service in product(BUILDS, ("codeartifact", "ecr-public"))
    }
    assert allowed(with_faults, requests) == set(product(BUILDS, ["codeartifact"]))


def test_a_connection_that_bears_the_services_former_name_is_used_as_well():
    connection = PARAMETERS["ConnectionArn"].replace("codeconnections", "codestar-connections")
    stack = Stack(template("delivery"), **{**PARAMETERS, "ConnectionArn": connection}, Name=NAME)
    asked = by(stack, "PipelineRole", "codestar-connections:UseConnection", connection)
    assert allowed(stack, {"use": asked}) == {"use"}


def test_notices_are_published_and_the_builds_logs_written_under_the_deliverys_key_and_by_nobody_else(
    with_faults,
):
    topic, key = with_faults.arn("Topic"), with_faults.arn("DeliveryKey")
    group = "kms:EncryptionContext:aws:logs:arn"
    groups = {
        "ours": f"arn:aws:logs:{HERE}:log-group:/aws/codebuild/{NAME}-builds",
        "another's": f"arn:aws:logs:{HERE}:log-group:/aws/codebuild/another-builds",
    }
    services = ("codestar-notifications", f"logs.{REGION}", "cloudwatch", "events")
    uses = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
    requests = {
        (service, "publish", account): Request(
            f"{service}.amazonaws.com", "sns:Publish", topic, {"aws:SourceAccount": account}
        )
        for service, account in product(services, (ACCOUNT, OTHER))
    }
    said = {whose: {group: arn} for whose, arn in groups.items()}
    said |= {"by hand": {}, "through SNS": through("sns"), "through SQS": through("sqs")}
    requests |= {
        (service, use, what): Request(f"{service}.amazonaws.com", f"kms:{use}", key, context)
        for service, use, (what, context) in product(services, uses, said.items())
    }
    notices = "codestar-notifications"
    assert allowed(with_faults, requests) == {
        (notices, "publish", ACCOUNT),
        *product([notices], ["Decrypt", "GenerateDataKey"], ["through SNS"]),
        *product([f"logs.{REGION}"], uses, ["ours"]),
    }


def test_the_deliverys_bucket_and_topic_refuse_plain_http_and_give_nobody_a_right(with_faults):
    on = {
        "s3:ListBucket": with_faults.arn("ArtifactBucket"),
        "s3:GetObject": ARTIFACT,
        "sns:Publish": with_faults.arn("Topic"),
    }
    said = {"plain": {"aws:SecureTransport": "false"}, "TLS": {}}
    requests = {
        (who, action, how): ask
        for (action, resource), (how, context) in product(on.items(), said.items())
        for who, ask in (
            ("administrator", person(with_faults, action, resource, **context)),
            ("anybody", Request(f"arn:aws:iam::{ACCOUNT}:role/Any", action, resource, context)),
        )
    }
    assert allowed(with_faults, requests) == set(product(["administrator"], on, ["TLS"]))


def test_the_accounts_administrators_decide_about_the_deliverys_key(with_faults):
    key = with_faults.arn("DeliveryKey")
    requests = {
        use: person(with_faults, f"kms:{use}", key) for use in ("Decrypt", "PutKeyPolicy", "CreateGrant")
    }
    assert allowed(with_faults, requests) == set(requests)
