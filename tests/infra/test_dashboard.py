"""The dashboard shows what is there: every name on it is the template's, and no widget hides another."""

import json
import re
from itertools import combinations

import pytest

from tests.infra.templates import resources

#: Dimension -> the kind of resource it names.
NAMES = {
    "QueueName": "SQS::Queue",
    "FunctionName": "Lambda::Function",
    "StateMachineArn": "StepFunctions::StateMachine",
    "Stack": None,
}
COLUMNS = 24


@pytest.fixture(scope="module")
def widgets(stack) -> list[dict]:
    return json.loads(stack.of_type("CloudWatch::Dashboard")["Dashboard"]["DashboardBody"])["widgets"]


def names(stack, dimension: str) -> set[str]:
    """All values that a dimension may have."""
    kind = NAMES[dimension]
    if kind is None:
        return {stack.values["Name"]}
    named = stack.name if dimension == "QueueName" else stack.ref
    return {named(logical) for logical in stack.of_type(kind)}


def shown(widgets: list[dict]) -> list[tuple[str, str, str, str]]:
    """Namespace, metric, dimension and its value of every line on the dashboard."""
    return [
        tuple(metric[:4])
        for widget in widgets
        if widget["type"] == "metric"
        for metric in widget["properties"]["metrics"]
    ]


def test_no_widget_lies_over_another_or_leaves_the_page(widgets):
    boxes = [(one["x"], one["y"], one["x"] + one["width"], one["y"] + one["height"]) for one in widgets]
    assert all(0 <= left < right <= COLUMNS and 0 <= top < bottom for left, top, right, bottom in boxes)
    for (a_left, a_top, a_right, a_bottom), (b_left, b_top, b_right, b_bottom) in combinations(boxes, 2):
        assert a_right <= b_left or b_right <= a_left or a_bottom <= b_top or b_bottom <= a_top


def test_every_line_is_of_something_that_the_template_makes(widgets, stack):
    lines = shown(widgets)
    assert lines
    for _, _, dimension, value in lines:
        assert value in names(stack, dimension)


@pytest.mark.parametrize("dimension", NAMES)
def test_everything_that_works_or_waits_is_on_the_page(dimension, widgets, stack):
    assert names(stack, dimension) == {
        value for _, _, shown_as, value in shown(widgets) if shown_as == dimension
    }


def test_every_metric_with_an_alarm_on_the_month_is_shown_under_the_same_name(widgets, stack):
    alarm = stack.of_type("CloudWatch::Alarm")["MonthAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"], "Stack", "labelmill") in shown(widgets)


def test_every_alarm_is_on_the_page(widgets, stack):
    [alarms] = [one["properties"]["alarms"] for one in widgets if one["type"] == "alarm"]
    assert sorted(alarms) == sorted(stack.arn(logical) for logical in resources("CloudWatch::Alarm"))


def test_what_is_asked_of_logs_is_asked_of_groups_that_are_there(widgets, stack):
    [query] = [one["properties"]["query"] for one in widgets if one["type"] == "log"]
    groups = {group["LogGroupName"] for group in stack.of_type("Logs::LogGroup").values()}
    asked = set(re.findall(r"SOURCE '([^']+)'", query))
    assert len(asked) == 3
    assert asked <= groups
