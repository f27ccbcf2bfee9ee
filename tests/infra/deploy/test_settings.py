"""The files that say what an environment is deployed as."""

import json
import re
from pathlib import Path

import pytest
from cfnlint.decode import cfn_yaml

import infra
from infra.deploy.settings import ENVIRONMENTS, GIVEN, SettingsError, load

TEMPLATE = cfn_yaml.load(str(Path(infra.__file__).parent / "template.yaml"))
AWS_OWN = "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:3.2-0"
GOOD = {"region": "eu-central-1", "account": "", "stack": "s", "parameters": {"Name": "s"}}


@pytest.mark.parametrize("path", sorted(ENVIRONMENTS.glob("*.json")), ids=lambda path: path.stem)
def test_the_examples_give_the_template_parameters_it_takes(path):
    settings = load(path)
    for name, value in settings.parameters.items():
        assert re.fullmatch(TEMPLATE["Parameters"][name].get("AllowedPattern", ".*"), value), name


def test_what_deploy_gives_and_what_has_a_default_is_all_the_template_wants():
    without = {name for name, given in TEMPLATE["Parameters"].items() if "Default" not in given}
    assert without == GIVEN | {"ImageUri"}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "not JSON"),
        ("[]", "must have exactly region"),
        (json.dumps(GOOD | {"regoin": "x"}), "must have exactly region"),
        (json.dumps(GOOD | {"account": 123456789012}), "account is 123456789012. Fix: write text"),
        (json.dumps(GOOD | {"parameters": {"Name": 3}}), "parameter Name is 3"),
        (json.dumps(GOOD | {"parameters": {"CodeDigest": "0"}}), "CodeDigest is not for this file"),
        (json.dumps(GOOD | {"stack": ""}), "stack may not be empty"),
        (
            json.dumps(GOOD | {"region": ""}),
            "region is ''. Fix: write one that has",
        ),
        (
            json.dumps(GOOD | {"region": "eu-centrl-1"}),
            "jobs' image: eu-central-1, ",
        ),
        (
            json.dumps(GOOD | {"parameters": {"ImageUri": AWS_OWN}}),
            "for a built-in algorithm",
        ),
        (json.dumps(GOOD | {"parameters": {"ImageUri": "busybox"}}), "image busybox is not of the form"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_fix(content, named, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=re.escape(named)) as error:
        load(path)
    assert str(path) in str(error.value)
    assert "Fix:" in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.json: No such file"):
        load(tmp_path / "none.json")
