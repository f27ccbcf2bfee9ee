"""The runbook has a section for every alarm, and its commands are ones that the AWS CLI takes."""

import re
import shlex

import pytest
from botocore import xform_name

from infra.local.aws_models import service_model
from tests.infra.templates import ROOT, resources

TEXT = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([a-z-]+)\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))
PARTS = ("**What it means.**", "**What to look at.**", "**What to do.**")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
    for line in block.splitlines()
    if line.startswith("aws ")
]
#: Written by hand in the AWS CLI, so that no service model knows them; options of the CLI itself.
BY_HAND = {("s3", "cp"), ("s3", "ls"), ("logs", "tail")}
GLOBAL = {"max-items", "cli-binary-format"}


def listed(section: str) -> list[str]:
    [line] = re.findall(r"^Alarms: (.*)$", SECTIONS[section], flags=re.MULTILINE)
    return re.findall(r"`([a-z-]+)`", line)


def alarms() -> dict[str, str]:
    """Description by name, without the stack's Name."""
    return {
        alarm["AlarmName"]["Fn::Sub"].removeprefix("${Name}-"): alarm["AlarmDescription"]
        for alarm in resources("CloudWatch::Alarm").values()
    }


def test_every_alarm_has_its_section_and_every_section_its_alarms():
    assert sorted(name for section in SECTIONS for name in listed(section)) == sorted(alarms())


@pytest.mark.parametrize("section", SECTIONS)
def test_an_alarms_description_names_its_section(section):
    for name in listed(section):
        assert alarms()[name].endswith(f" See docs/runbook.md#{section}"), name


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_says_what_it_means_what_to_look_at_and_what_to_do(section):
    places = [SECTIONS[section].index(part) for part in PARTS]
    assert places == sorted(places)
    assert "```sh\n" in SECTIONS[section][places[1] : places[2]]


def test_links_inside_the_page_lead_to_sections():
    assert set(re.findall(r"\]\(#([a-z-]+)\)", TEXT)) <= set(SECTIONS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one_that_the_aws_cli_takes(command):
    _, service, verb, *options = shlex.split(command)
    if (service, verb) in BY_HAND:
        return
    model = service_model("s3" if service == "s3api" else service)
    [operation] = [name for name in model.operation_names if xform_name(name, "-") == verb]
    shape = model.operation_model(operation).input_shape
    known = {xform_name(name, "-") for name in shape.members} if shape else set()
    given = {option.removeprefix("--") for option in options if option.startswith("--")} - GLOBAL
    assert given <= known
    assert {xform_name(name, "-") for name in (shape.required_members if shape else ())} <= given
