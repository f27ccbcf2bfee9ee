"""Who may pull and copy the jobs' image, judged by a policy engine."""

import pytest

from tests.infra.faults import assert_found
from tests.infra.policies import ACCOUNT, HERE, VALUES, Stack, by_role, judge
from tests.infra.templates import template

pytestmark = pytest.mark.usefixtures("engine")

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
OWN = f"arn:aws:ecr:{HERE}:repository/labelmill-jobs"
AWS = f"arn:aws:ecr:eu-central-1:{VALUES['AwsImageAccount']}:repository/sagemaker-xgboost"
OTHERS = (
    AWS,
    OWN.replace(ACCOUNT, "999999999999"),
    OWN.replace("eu-central-1", "us-east-1"),
    f"{OWN}-of-somebody",
    OWN.replace("labelmill-jobs", "other"),
)


def allowed(stack: Stack, role: str, actions: tuple[str, ...], repositories: tuple[str, ...]) -> set:
    cases = [(action, repository) for action in actions for repository in repositories]
    verdicts = judge(stack, [by_role(stack, role, *case) for case in cases])
    return {case for case, verdict in zip(cases, verdicts, strict=True) if verdict == "Allowed"}


@pytest.mark.parametrize("job", ["Prepare", "Tune", "Train", "Transform", "Publish", "Compare"])
def test_a_job_pulls_from_the_one_repository_and_changes_nothing_there(job, stack):
    found = allowed(stack, f"{job}Role", (*PULL, *PUSH), (OWN, *OTHERS))
    assert found == {(action, OWN) for action in PULL}


@pytest.mark.parametrize("name", ["theirs", "team/theirs"])
def test_the_repository_is_that_of_the_image_given_wherever_it_is(name):
    elsewhere = f"arn:aws:ecr:us-east-1:999999999999:repository/{name}"
    image = f"999999999999.dkr.ecr.us-east-1.amazonaws.com/{name}@sha256:{'0' * 64}"
    found = allowed(Stack(ImageUri=image), "TrainRole", PULL, (OWN, elsewhere))
    assert found == {(action, elsewhere) for action in PULL}


def test_what_copies_reads_aws_image_and_writes_the_own_repository():
    bootstrap = Stack(template("bootstrap"))
    found = allowed(bootstrap, "CopyImageRole", (*PULL, *PUSH, "ecr:BatchDeleteImage"), (OWN, *OTHERS))
    assert found == {
        *((action, AWS) for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")),
        *((action, OWN) for action in ("ecr:BatchCheckLayerAvailability", *PUSH)),
    }


def _image_of_a_wrong_account(source):
    """The right to pull names whoever deploys, not the account whose registry it is."""
    [pull] = [
        statement
        for statement in source["Resources"]["JobRuntimePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]
    pull["Resource"]["Fn::Sub"][1]["Account"] = {"Ref": "AWS::AccountId"}


def test_an_image_of_a_wrong_account_is_found():
    fault = ("template", _image_of_a_wrong_account)
    assert_found(fault, lambda stack: test_the_repository_is_that_of_the_image_given_wherever_it_is("theirs"))
