"""The jobs' image: its copy is the same to the byte, and which copy jobs run on."""

import json
import re

import pytest

from infra.deploy.copy_image import NotCopied, copy
from infra.deploy.image import AWS_ACCOUNTS, ImageError, newest_copy, problem_with, versions_at_aws
from infra.deploy.image import copy as let_copy
from tests.infra.deploy.fake_registry import (
    AWS_ACCOUNT,
    REPOSITORY,
    URI,
    VERSION,
    FakeRegistry,
    LayerAlreadyExistsException,
    digest_of,
)
from tests.infra.templates import ROOT, template

LAYERS = (b"a layer in more than two parts", b"one in a part")
DIGEST = "sha256:" + "1a" * 32


def copied(registry: FakeRegistry) -> str:
    return copy(registry, AWS_ACCOUNT, VERSION, REPOSITORY, registry.read)


def test_a_copy_has_the_digest_and_the_bytes_of_the_original():
    registry = FakeRegistry(*LAYERS)
    digest = copied(registry)
    assert digest == digest_of(registry.manifest.encode())
    assert registry.own == registry.aws
    assert newest_copy(registry, URI) == f"{URI}@{digest}"


def test_a_copy_that_was_cut_short_goes_on_where_it_was():
    registry = FakeRegistry(*LAYERS)
    registry.own[digest_of(LAYERS[0])] = LAYERS[0]
    copied(registry)
    assert registry.requests.count("complete_layer_upload") == 2


def test_a_second_copy_of_the_same_image_changes_nothing():
    registry = FakeRegistry(*LAYERS)
    first = copied(registry)
    images = dict(registry.images)
    assert copied(registry) == first
    assert registry.images == images


def test_two_copies_at_the_same_moment_do_not_meet(monkeypatch):
    registry = FakeRegistry(*LAYERS)

    def complete(**request):
        raise LayerAlreadyExistsException

    monkeypatch.setattr(registry, "do_complete_layer_upload", complete)
    registry.do_upload_layer_part = lambda **request: registry.own.update(registry.aws)
    assert copied(registry)


def test_a_patched_image_comes_beside_the_one_before_and_is_the_newest():
    registry = FakeRegistry(*LAYERS)
    old = copied(registry)
    registry.offer(*LAYERS, b"patch")
    new = copied(registry)
    assert newest_copy(registry, URI) == f"{URI}@{new}"
    assert {digest for digest, _ in registry.images.values()} == {old, new}


def test_what_is_not_this_version_is_no_copy_to_run_on():
    registry = FakeRegistry()
    assert newest_copy(registry, URI) is None
    registry.images["3.0-5-0123456789ab"] = (DIGEST, None)
    assert newest_copy(registry, URI) is None


def test_a_version_that_aws_does_not_have_is_named():
    with pytest.raises(NotCopied, match=r"sagemaker-xgboost:9\.9-9: .*ImageNotFound.*Fix:"):
        copy(FakeRegistry(), AWS_ACCOUNT, "9.9-9", REPOSITORY)


def test_a_manifest_that_is_not_its_digests_is_not_copied(monkeypatch):
    registry = FakeRegistry(*LAYERS)
    answer = registry.do_batch_get_image

    def altered(**request):
        found = answer(**request)
        found["images"][0]["imageManifest"] += " "
        return found

    monkeypatch.setattr(registry, "do_batch_get_image", altered)
    with pytest.raises(NotCopied, match="the manifest is not that of sha256"):
        copied(registry)
    assert registry.own == {}


def test_what_aws_offers_now_can_be_compared_with_the_copy():
    registry = FakeRegistry(*LAYERS)
    digest = digest_of(registry.manifest.encode())
    assert versions_at_aws(registry, "eu-central-1") == {"3.2-0": digest, "3.0-5": digest}


class FakeBuilds:
    """CodeBuild with one build that goes through `phases` and ends as `status`."""

    def __init__(self, status: str, phases: tuple[str, ...]):
        self.build = {"id": "labelmill-copy-image:1", "logs": {"deepLink": "https://logs/1"}}
        self.looks = [self.build | {"buildStatus": "IN_PROGRESS", "currentPhase": phase} for phase in phases]
        self.looks.append(self.build | {"buildStatus": status, "currentPhase": "COMPLETED"})
        self.started: list[dict] = []

    def start_build(self, **request):
        self.started.append(request)
        return {"build": self.looks.pop(0)}

    def batch_get_builds(self, ids):
        assert ids == [self.build["id"]]
        return {"builds": [self.looks.pop(0)]}


def test_the_build_is_told_what_to_copy_and_each_of_its_phases_is_shown_once():
    builds, shown = FakeBuilds("SUCCEEDED", ("QUEUED", "BUILD", "BUILD")), []
    let_copy(builds, "labelmill-copy-image", "s3://code/copy_image.py", shown.append, lambda seconds: None)
    assert shown == ["QUEUED", "BUILD"]
    [started] = builds.started
    variables = {item["name"]: item["value"] for item in started["environmentVariablesOverride"]}
    given = template("bootstrap")["Resources"]["CopyImageProject"]["Properties"]["Environment"]
    variables |= {item["Name"]: "" for item in given["EnvironmentVariables"]}
    source = (ROOT / "infra/deploy/copy_image.py").read_text(encoding="utf-8")
    assert variables.keys() == {*re.findall(r'given\["(\w+)"\]', source), "SCRIPT"}


def test_a_build_that_fails_leads_to_its_log():
    with pytest.raises(ImageError, match=r"is FAILED\. Fix: .*https://logs/1"):
        let_copy(FakeBuilds("FAILED", ("BUILD",)), "p", "s3://b/k", lambda phase: None, lambda seconds: None)


AWS_OWN = [
    f"{account}.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost" for region, account in AWS_ACCOUNTS.items()
]


@pytest.mark.parametrize("suffix", [":3.2-0", f"@{DIGEST}"])
def test_aws_own_repository_is_refused_by_deploy_and_by_the_template_with_the_reason(suffix):
    """aws/sagemaker-xgboost-container issues 121 and 113, aws/sagemaker-python-sdk issue 2226."""
    parameter = template()["Parameters"]["ImageUri"]
    for repository in AWS_OWN:
        assert "built-in algorithm" in problem_with(repository + suffix)
        assert not re.fullmatch(parameter["AllowedPattern"], repository + suffix)
    assert "built-in algorithm" in parameter["ConstraintDescription"]


@pytest.mark.parametrize(
    "name",
    ["labelmill-jobs", "my-sagemaker-xgboost", "sagemaker-xgboost", "team/jobs", "team/sagemaker-xgboost"],
)
def test_a_copy_is_taken_by_its_digest_only(name):
    repository = URI.replace("labelmill-jobs", name)
    pattern = template()["Parameters"]["ImageUri"]["AllowedPattern"]
    assert problem_with(f"{repository}@{DIGEST}") is None
    assert re.fullmatch(pattern, f"{repository}@{DIGEST}")
    assert "Fix:" in problem_with(f"{repository}:3.2-0")
    assert not re.fullmatch(pattern, f"{repository}:3.2-0")


def test_the_accounts_are_those_of_the_sdks_table():
    """Of the Regions that are offered; the SDK is in an environment of its own."""
    [path] = (ROOT / ".venv/sdk").glob("lib/python3*/site-packages/sagemaker/image_uri_config/xgboost.json")
    versions = json.loads(path.read_text(encoding="utf-8"))["training"]["versions"]
    accounts = versions["3.0-5"]["registries"]
    elsewhere = re.compile("cn-|us-gov-|us-iso")  # other partitions of AWS
    offered = {region: account for region, account in accounts.items() if not elsewhere.match(region)}
    assert offered == AWS_ACCOUNTS
