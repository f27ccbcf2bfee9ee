"""checkov's rules for CloudFormation: not our own opinion. It is large and has an environment of its own."""

import json
import subprocess

import pytest

from tests.infra.templates import ROOT, TEMPLATES

CHECKOV = ROOT / ".venv/checkov/bin/checkov"
FED_BY_QUEUES = ("StartTrainingFunction", "StartInferenceFunction", "UnloadFunction")
FUNCTIONS = (
    *FED_BY_QUEUES,
    *("TestModelFunction", "StartComparisonFunction", "StatementFailedFunction", "StatementFinishedFunction"),
    "CheckMonthFunction",
)
#: What it finds and we keep as it is: rule -> (resources, reason).
KEPT = {
    "CKV_AWS_18": (
        ("AccessLogBucket", "CodeBucket", "ArtifactBucket"),
        "a log of who reads the access log has no end; code and its artefacts hold no data of the retailer",
    ),
    "CKV_AWS_33": (
        ("LandingKey", "WorkKey", "LabelledKey", "OperationsKey"),
        "each such statement names roles of the stack by aws:PrincipalArn, which KMS takes even of a role "
        "made a moment ago; a test asks the policy engine as another account's roles",
    ),
    "CKV_AWS_115": (
        FUNCTIONS,
        "a reserved concurrency is taken from the account's pool and, when too small, sends good datasets to "
        "the dead-letter queue; what the functions start waits for SageMaker's quotas anyway",
    ),
    "CKV_AWS_116": (FED_BY_QUEUES, "they are fed by queues, whose own redrive policy keeps what fails"),
    "CKV_AWS_117": (
        FUNCTIONS,
        "they call AWS interfaces only and see no item, so that a VPC would have nothing to keep in",
    ),
    "CKV_AWS_173": (FUNCTIONS, "the variables are ARNs and names, which are no secrets"),
}


@pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed: make checkov")
def test_checkov_finds_what_is_kept_for_a_reason_and_nothing_else():
    files = [str(ROOT / f"infra/{name}.yaml") for name in TEMPLATES]
    options = ["--framework", "cloudformation", "--compact", "--quiet", "--skip-download", "--output", "json"]
    done = subprocess.run([CHECKOV, "--file", *files, *options], capture_output=True, text=True, cwd=ROOT)
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    found = {
        (failed["check_id"], failed["resource"].rpartition(".")[2])
        for failed in report["results"]["failed_checks"]
    }
    kept = {(rule, resource) for rule, (resources, _) in KEPT.items() for resource in resources}
    assert found == kept


def test_everything_that_is_kept_has_a_reason():
    assert all(resources and len(reason.split()) > 5 for resources, reason in KEPT.values())
