"""The pipeline that delivers: who may do what, and that CloudFormation's role fits what the stacks hold."""

import argparse
import functools
import json
import re
import shlex
from pathlib import Path

import cfnlint
import pytest
import yaml

from infra.deploy import deploy
from infra.deploy.image import AWS_ACCOUNTS
from infra.deploy.kept_data import IDENTIFIERS
from infra.deploy.settings import ENVIRONMENTS, load
from infra.rehearsal import command as rehearse
from tests.infra.delivery import KEY, PARAMETERS, PRODUCTION, TEST, by
from tests.infra.policies import ACCOUNT, HERE, REGION, Request, Stack, judge
from tests.infra.templates import ROOT, TEMPLATES, resources, template

#: What handlers of CloudFormation's resource types call for features that our templates do not use.
UNUSED = [
    r"ecr:(Set|Delete)RepositoryPolicy",
    r"dynamodb:.*(Item|Import|Kinesis|Replica|ResourcePolicy|Contributor|Query|Scan|TimeToLive).*",
    r"(elasticfilesystem|firehose|kinesis|s3files|s3tables):.*",
    r"glue:.*(Connection|SchemaVersion)",
    r"iam:.*(Group|User|PermissionsBoundary|ServiceLinked).*",
    r"(lakeformation|ec2):.*",
    r"kms:(Encrypt|RevokeGrant|Disable.*)",
    r"lambda:.*(CodeSigning|Concurrency|Layer|Recursion|Scaling|Capacity|RuntimeManagement|RuntimeAlias|PublishVersion).*",
    r"logs:.*(Index|DataProtection|BearerToken|DeletionProtection|LogStream|LogEvents).*",
    r"s3:.*(Analytics|Accelerate|Abac|Cors|CORS|Website|Inventory|Metrics|Metadata|Intelligent|Replication|ObjectLock).*",
    r"s3:.*(Acl|DeleteObject|DeleteBucketEncryption|DeleteBucketLifecycle|REST.*|ListTagsForResource)",
    r"sns:.*DataProtection.*",
]


@pytest.fixture(scope="module")
def delivery() -> Stack:
    return Stack(template("delivery"), **PARAMETERS, Name="labelmill-delivery")


@functools.cache
def _schemas() -> dict[str, dict]:
    """CloudFormation's own resource types, as cfn-lint ships them."""
    folder = Path(cfnlint.__file__).parent / "data/schemas/resources"
    read = (json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json"))
    return {schema["typeName"]: schema for schema in read if "typeName" in schema}


def handlers_call() -> set[str]:
    """Every action that CloudFormation takes to make, change and delete what the two templates hold."""
    types = {
        resource["Type"]
        for name in ("template", "bootstrap")
        for resource in template(name)["Resources"].values()
    }
    called = {
        action
        for kind in types
        for verb, handler in _schemas()[kind].get("handlers", {}).items()
        if verb != "list"
        for action in handler["permissions"]
    }
    # CodeBuild's type is of before schemas said so; these are the calls of its API that a project has.
    called |= {
        f"codebuild:{call}"
        for call in ("BatchGetProjects", "CreateProject", "DeleteProject", "UpdateProject")
    }
    return {action for action in called if not any(re.fullmatch(unused, action) for unused in UNUSED)}


def test_cloudformation_may_do_what_its_resource_types_call_and_nothing_more(delivery):
    for role in ("TestStackRole", "ProductionStackRole"):
        assert delivery.granted(role) == handlers_call()


def test_a_deployment_may_read_what_it_compares_with_what_was_kept(delivery):
    """With its own rights (CloudFormation's user guide, "Considerations when detecting drift")."""
    read = {"cloudformation:DetectStackDrift", "cloudformation:DetectStackResourceDrift"}
    for kind in IDENTIFIERS:
        read |= set(_schemas()[kind]["handlers"]["read"]["permissions"])
    read = {action for action in read if not any(re.fullmatch(unused, action) for unused in UNUSED)}
    for role in ("DeployTestRole", "DeployProductionRole"):
        assert read <= delivery.granted(role)


@pytest.fixture(scope="module")
def with_faults() -> Stack:
    return Stack(template("delivery"), **PARAMETERS, Name="labelmill-delivery", WithFaults="yes")


def verdicts(delivery: Stack, requests: list[Request]) -> list[bool]:
    return [verdict == "Allowed" for verdict in judge(delivery, requests)]


def calls_on_creation(stack: Stack, logical: str) -> set[tuple[str, str]]:
    """The actions that CloudFormation takes to make a resource, each with what it is on.

    Not of queues and topics: the engine does not fill the tag in into their ARNs.
    """
    kind = stack.resources[logical]["Type"]
    called = _schemas()[kind].get("handlers", {}).get("create", {}).get("permissions", [])
    own = {action for action in called if action.partition(":")[0] == kind.split("::")[1].lower()}
    return {
        (action, _on(stack, kind, action, logical))
        for action in own
        if not any(re.fullmatch(unused, action) for unused in UNUSED)
    }


#: Stands for any key whose own policy leaves it to roles, as all of ours leave their administration.
#: Resource types whose ARN has no name of ours, and actions that are on none before the resource is there.
UNNAMED = {
    "AWS::KMS::Key": KEY,
    "AWS::Lambda::EventSourceMapping": f"arn:aws:lambda:{HERE}:event-source-mapping:0a1b2c3d",
}
ON_NOTHING = {"kms:CreateKey", "lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping"}
MADE_BY_NAME = (
    *("AWS::KMS::Key", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::S3::Bucket"),
    *("AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::CloudWatch::Alarm", "AWS::Events::Rule"),
)


def _on(stack: Stack, kind: str, action: str, logical: str) -> str:
    if action in ON_NOTHING:
        return "*"
    return UNNAMED.get(kind) or stack.arn(logical).removesuffix(":*")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("role", ["TestStackRole", "ProductionStackRole"])
def test_cloudformation_may_make_each_resource_where_and_as_it_makes_it(role, delivery):
    """As the resource types' schemas say, with the tags and conditions that there are at that moment."""
    name = {"TestStackRole": TEST, "ProductionStackRole": PRODUCTION}[role]
    stack = Stack(Name=name)
    made = {
        (logical, *call)
        for logical, resource in stack.resources.items()
        if resource["Type"] in MADE_BY_NAME
        for call in calls_on_creation(stack, logical)
    }
    said = {
        "AWS::KMS::Key": {"aws:RequestTag/project": "labelmill"},
        "AWS::Lambda::EventSourceMapping": {
            "lambda:FunctionArn": f"arn:aws:lambda:{HERE}:function:{name}-unload"
        },
    }
    after = {"aws:ResourceTag/project": "labelmill"}
    asked = {}
    for logical, action, on in made:
        kind = stack.resources[logical]["Type"]
        context = said.get(kind, {})
        if kind == "AWS::KMS::Key" and action not in ("kms:CreateKey", "kms:TagResource"):
            context = after
        if action in ("lambda:TagResource", "lambda:GetEventSourceMapping", "lambda:ListTags"):
            context = {}
        asked[logical, action] = by(delivery, role, action, on, **context)
    assert {"kms:TagResource", "lambda:CreateEventSourceMapping", "s3:CreateBucket"} <= {a for _, a in asked}
    refused = [
        key for key, yes in zip(asked, verdicts(delivery, list(asked.values())), strict=True) if not yes
    ]
    assert refused == []


@pytest.mark.usefixtures("engine")
def test_cloudformation_tags_and_maps_nothing_of_somebody_else(delivery):
    key, anything = KEY, "*"
    other = {"aws:ResourceTag/project": "another", "aws:RequestTag/project": "labelmill"}
    theirs = {"lambda:FunctionArn": f"arn:aws:lambda:{HERE}:function:{PRODUCTION}-unload"}
    refused = [
        by(delivery, "TestStackRole", "kms:TagResource", key, **other),
        by(delivery, "TestStackRole", "kms:CreateKey", anything, **{"aws:RequestTag/project": "another"}),
        by(delivery, "TestStackRole", "kms:ScheduleKeyDeletion", key),
        by(delivery, "TestStackRole", "lambda:CreateEventSourceMapping", anything, **theirs),
    ]
    assert verdicts(delivery, refused) == [False] * len(refused)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutBucketPolicy", f"arn:aws:s3:::{{}}-landing-{ACCOUNT}-{REGION}"),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{HERE}:table/{{}}-ledger"),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{{}}/{{}}-train-{REGION}"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{HERE}:function:{{}}-start-training"),
        ("states:UpdateStateMachine", f"arn:aws:states:{HERE}:stateMachine:{{}}-training"),
    ],
)
def test_the_test_stack_cannot_reach_production(action, resource, delivery):
    """Not asked of queues and topics: the engine does not fill the tag in into their ARNs."""
    test, production = (resource.replace("{}", name) for name in (TEST, PRODUCTION))
    assert verdicts(
        delivery,
        [
            by(delivery, "TestStackRole", action, test),
            by(delivery, "TestStackRole", action, production),
            by(delivery, "ProductionStackRole", action, production),
        ],
    ) == [True, False, True]


@pytest.mark.usefixtures("engine")
def test_a_build_may_hand_its_own_stacks_role_to_cloudformation_and_no_other(delivery):
    to_cloudformation = {"iam:PassedToService": "cloudformation.amazonaws.com"}
    requests = {
        (build, stack): by(delivery, build, "iam:PassRole", delivery.arn(stack), **to_cloudformation)
        for build in ("CheckRole", "RehearseRole", "DeployTestRole", "DeployProductionRole")
        for stack in ("TestStackRole", "ProductionStackRole")
    }
    allowed = [
        key for key, yes in zip(requests, verdicts(delivery, list(requests.values())), strict=True) if yes
    ]
    assert allowed == [("DeployTestRole", "TestStackRole"), ("DeployProductionRole", "ProductionStackRole")]


@pytest.mark.usefixtures("engine")
def test_the_rehearsal_may_do_what_it_does_in_the_test_stack_and_nowhere_else(delivery):
    """Keys are not asked about: their policies are in another template."""

    def requests(name: str) -> list[Request]:
        landing = f"arn:aws:s3:::{name}-landing-{ACCOUNT}-{REGION}"
        queues = f"arn:aws:sqs:{HERE}:{name}"
        machine = f"arn:aws:states:{HERE}:stateMachine:{name}-training"
        run = machine.replace("stateMachine", "execution") + ":run"
        calls = [
            ("s3:GetObject", f"{landing}/inference/DE-weee/2026-10/d1/manifest"),
            ("s3:ListBucket", landing),
            ("sqs:SendMessage", f"{queues}-unload"),
            ("sqs:ReceiveMessage", f"{queues}-failures"),
            ("sqs:DeleteMessage", f"{queues}-failures"),
            ("states:ListExecutions", machine),
            ("states:StartExecution", machine),
            ("states:DescribeExecution", run),
            ("states:GetExecutionHistory", run),
            ("states:StopExecution", run),
        ]
        return [by(delivery, "RehearseRole", *call) for call in calls]

    assert all(verdicts(delivery, requests(TEST)))
    assert not any(verdicts(delivery, requests(PRODUCTION)))


def test_what_was_merged_is_checked_by_a_role_that_reaches_its_source_packages_and_log_alone(delivery):
    assert delivery.granted("CheckRole") == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "kms:Decrypt",
        "codeartifact:GetAuthorizationToken",
        "codeartifact:GetRepositoryEndpoint",
        "codeartifact:ReadFromRepository",
        "sts:GetServiceBearerToken",
    }


def test_no_role_of_the_delivery_is_denied_anything(with_faults):
    effects = {
        statement["Effect"]
        for role in with_faults.roles()
        for policy in with_faults.identity_policies(role)
        for statement in policy["Statement"]
    }
    assert effects == {"Allow"}


@pytest.mark.usefixtures("engine")
def test_each_role_of_the_delivery_is_taken_by_its_service_for_this_account_alone(with_faults):
    services = {
        **dict.fromkeys(("TestStackRole", "ProductionStackRole"), "cloudformation"),
        **dict.fromkeys(("CheckRole", "DeployTestRole", "DeployProductionRole", "RehearseRole"), "codebuild"),
        "PipelineRole": "codepipeline",
        "FaultRole": "ssm",
        "ExperimentRole": "fis",
    }
    asked = {
        (role, service, account): Request(
            f"{service}.amazonaws.com",
            "sts:AssumeRole",
            with_faults.arn(role),
            {"aws:SourceAccount": account},
        )
        for role in with_faults.roles()
        for service in {*services.values(), "lambda"}
        for account in (ACCOUNT, "210987654321")
    }
    taken = {key for key, yes in zip(asked, verdicts(with_faults, list(asked.values())), strict=True) if yes}
    assert taken == {(role, service, ACCOUNT) for role, service in services.items()}


def test_production_comes_last_and_only_after_a_person_has_agreed(delivery, with_faults):
    def actions(stack: Stack) -> list[tuple[str, str]]:
        stages = stack.of_type("CodePipeline::Pipeline")["Pipeline"]["Stages"]
        return [
            (stage["Name"], action["Name"])
            for stage in stages
            for action in sorted(stage["Actions"], key=lambda action: action.get("RunOrder", 1))
        ]

    start = [("Source", "Source"), ("Check", "Check"), ("Test", "Deploy"), ("Test", "Rehearse")]
    end = [("Production", "Approve"), ("Production", "Deploy")]
    assert actions(delivery) == start + end
    # In the same stage, which the next execution may not enter until this one has left it (CodePipeline user
    # guide, "How pipeline executions work", QUEUED mode): beside a stage of their own it met the faults.
    assert actions(with_faults) == [*start, ("Test", "RehearseUnderFaults"), *end]


def commands() -> list[list[str]]:
    specs = [
        project["Source"]["BuildSpec"] for project in resources("CodeBuild::Project", "delivery").values()
    ]
    return [
        shlex.split(command)
        for spec in specs
        for command in yaml.safe_load(spec)["phases"]["build"]["commands"]
    ]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_of_a_build_is_there(words, monkeypatch):
    match words:
        case [".ci/packages", ".ci/run"]:
            assert (ROOT / ".ci/packages").exists() and (ROOT / ".ci/run").exists()
        case [".ci/packages", "make", target]:
            assert f"\n{target}:" in (ROOT / "Makefile").read_text()
        case [".venv/bin/labelmill", *rest]:
            parser = argparse.ArgumentParser()
            subparsers = parser.add_subparsers()
            for command in (deploy, rehearse):
                command.add_parser(subparsers)
            assert load(ENVIRONMENTS / f"{parser.parse_args(rest).env}.json")
        case _:
            raise AssertionError(words)


def test_every_build_draws_its_packages_from_the_deliverys_domain(with_faults):
    domain = with_faults.name("Packages")
    for project in with_faults.of_type("CodeBuild::Project").values():
        [first, *_] = yaml.safe_load(project["Source"]["BuildSpec"])["phases"]["build"]["commands"]
        assert first.startswith(".ci/packages ")
        assert {"Name": "PACKAGE_DOMAIN", "Value": domain} in project["Environment"]["EnvironmentVariables"]
    connections = {
        repository["RepositoryName"]: (repository["DomainName"], repository["ExternalConnections"])
        for repository in with_faults.of_type("CodeArtifact::Repository").values()
    }
    assert connections == {"pypi": (domain, ["public:pypi"]), "npm": (domain, ["public:npmjs"])}


def test_the_environments_are_those_the_roles_are_named_for():
    for name, environment in ((TEST, "test"), (PRODUCTION, "prod")):
        settings = load(ENVIRONMENTS / f"{environment}.json")
        assert settings.stack == settings.parameters["Name"] == name
    defaults = {key: given.get("Default") for key, given in template("delivery")["Parameters"].items()}
    assert (defaults["TestName"], defaults["ProductionName"]) == (TEST, PRODUCTION)


def test_sources_packages_logs_and_notices_are_under_the_deliverys_key(delivery):
    key = delivery.arn("DeliveryKey")
    assert delivery.of_type("CodeArtifact::Domain")["Packages"]["EncryptionKey"] == key
    assert delivery.of_type("SNS::Topic")["Topic"]["KmsMasterKeyId"] == key
    assert delivery.of_type("Logs::LogGroup")["BuildLogs"]["KmsKeyId"] == key
    assert all(project["EncryptionKey"] == key for project in delivery.of_type("CodeBuild::Project").values())
    bucket = delivery.of_type("S3::Bucket")["ArtifactBucket"]
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize(
    ("document", "take", "give", "of", "names"),
    [
        (
            "FaultDocument",
            "PutFunctionConcurrency",
            "DeleteFunctionConcurrency",
            "FunctionName",
            {f"{TEST}-start-training", f"{TEST}-start-inference"},
        ),
        ("KeysDocument", "AttachRolePolicy", "DetachRolePolicy", "RoleName", {f"{TEST}-prepare-{REGION}"}),
    ],
)
def test_a_fault_touches_the_test_stack_alone_and_is_taken_back(document, take, give, of, names, with_faults):
    steps = with_faults.of_type("SSM::Document")[document]["Content"]["mainSteps"]
    calls = [(step["inputs"].get("Api"), step["inputs"].get(of)) for step in steps]
    assert {name for _, name in calls if name} == names
    for name in names:
        assert calls.index((take, name)) < calls.index((give, name))
    # Wherever it is broken off before that, it goes on with the first step that gives back.
    [first, *_] = [step["name"] for step in steps if step["inputs"].get("Api") == give]
    for step in steps[: [step["name"] for step in steps].index(first)]:
        assert step["onCancel"] == f"step:{first}"
        if step["action"] != "aws:sleep":
            assert step["onFailure"] == f"step:{first}"
    # A step is tried once unless it says more (Systems Manager API, StepExecution: MaxAttempts).
    assert {step["maxAttempts"] for step in steps if step["inputs"].get("Api") == give} == {5}


def test_a_fault_lasts_shorter_than_its_experiment_waits_for_it(with_faults):
    lasts = {"FunctionsAway": ("FaultDocument", 4), "KeysAway": ("KeysDocument", 15)}
    for experiment in with_faults.of_type("FIS::ExperimentTemplate").values():
        [(name, action)] = experiment["Actions"].items()
        document, minutes = lasts.pop(name)
        content = with_faults.of_type("SSM::Document")[document]
        assert action["Parameters"]["documentArn"].endswith(f":document/{content['Name']}")
        waits = [step["inputs"].get("Duration") for step in content["Content"]["mainSteps"]]
        assert [wait for wait in waits if wait] == [f"PT{minutes}M"]
        assert int(re.search(r"PT(\d+)M", action["Parameters"]["maxDuration"])[1]) > minutes
    assert lasts == {}


@pytest.mark.usefixtures("engine")
def test_the_policy_without_keys_denies_the_first_job_its_keys_and_nothing_else(with_faults):
    test = Stack(Name=TEST)
    role, key = test.arn("PrepareRole"), test.arn("WorkKey")
    dataset = f"arn:aws:s3:::{TEST}-landing-{ACCOUNT}-{REGION}/training/DE-weee/2026-10/d1/manifest"
    through_s3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    for_volume = {"kms:GrantIsForAWSResource": "true"}
    own = test.identity_policies("PrepareRole")
    taken = [*own, with_faults.of_type("IAM::ManagedPolicy")["NoKeysPolicy"]["PolicyDocument"]]

    def asked(policies: list[dict]) -> list[bool]:
        calls = [
            ("kms:Decrypt", key, through_s3),
            ("kms:GenerateDataKey", key, through_s3),
            ("kms:CreateGrant", key, for_volume),
            ("s3:GetObject", dataset, {}),
        ]
        return verdicts(
            test,
            [
                Request(role, action, on, {"aws:PrincipalArn": role, **said}, policies)
                for action, on, said in calls
            ],
        )

    assert asked(own) == [True, True, True, True]
    assert asked(taken) == [False, False, False, True]


@pytest.mark.usefixtures("engine")
def test_the_rehearsal_stops_a_job_of_the_test_stack_and_of_no_other(delivery):
    job = f"arn:aws:sagemaker:{HERE}:processing-job/de-weee-2026-10-prepare-0a1b2c3d"
    tagged = [
        {"aws:ResourceTag/project": "labelmill", "aws:ResourceTag/stack": stack}
        for stack in (TEST, PRODUCTION)
    ]
    requests = [by(delivery, "RehearseRole", "sagemaker:StopProcessingJob", job, **tags) for tags in tagged]
    assert verdicts(delivery, requests) == [True, False]


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_policy_is_longer_than_iam_takes(name):
    values = PARAMETERS if name == "delivery" else {"VpcSubnets": "subnet-0", "VpcSecurityGroups": "sg-0"}
    # What is added must fit under the longest name in every Region that is offered.
    values = values | {"Name": "a-name-of-20-letters", "AWS::Region": max(AWS_ACCOUNTS, key=len)}
    stack = Stack(template(name), **values)
    for kind, limit in (("IAM::ManagedPolicy", 6144), ("IAM::Policy", 10240)):
        for logical, policy in stack.of_type(kind).items():
            assert len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) < limit, logical


def test_github_runs_the_same_checks_and_may_write_nothing():
    workflow = yaml.safe_load((ROOT / ".github/workflows/checks.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    [*_, last] = workflow["jobs"]["checks"]["steps"]
    assert last["run"].endswith(" .ci/run")
