"""What the stack costs while nothing runs, and the instance types it takes: both from the template."""

import re
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files

#: Lambda asks a queue that starts a function without end: five pollers, 20 seconds a poll.
POLLS_A_MONTH = 5 * 3 * 60 * 24 * 30
#: The check of the month emits one metric every hour, another once a day after the deadline: a day's worth.
METRICS_A_MONTH = 1 + 1 / 24
RESOURCES = {
    "AWS::KMS::Key": Counter({"key month": 1}),
    "AWS::CloudWatch::CompositeAlarm": Counter({"composite alarm month": 1}),
    "AWS::CloudWatch::Dashboard": Counter({"dashboard month": 1}),
    "AWS::Lambda::EventSourceMapping": Counter({"queue request": POLLS_A_MONTH}),
}


def standing_usage() -> Counter[str]:
    """Billed units of one month of the deployed stack, by the resources its two templates declare."""
    used = Counter({"custom metric month": METRICS_A_MONTH})
    for name in ("bootstrap.yaml", "template.yaml"):
        for resource in re.findall(r"^    Type: (AWS::\S+)$", _template(name), flags=re.MULTILINE):
            used.update(RESOURCES.get(resource, {}))
        # An alarm is billed by the metrics it looks at.
        used["alarm month"] += len(re.findall(r"^ +MetricName:", _template(name), flags=re.MULTILINE))
    return used


def default_instances() -> dict[str, str]:
    """Instance types by parameter (`ProcessingInstanceType`) as the template has them by default.

    Not the one that a second search is made on, which no plan counts on.
    """
    return {name: kind for name, kind in instances({}).items() if name != "SecondTrainingInstanceType"}


def instances(given: Mapping[str, str]) -> dict[str, str]:
    """All instance types by parameter: those `given` to the template, else those that it has by default."""
    pattern = r"^  (\w+InstanceType):\n(?:    .*\n)*?    Default: (ml\.\S+)$"
    found = re.findall(pattern, _template("template.yaml"), flags=re.MULTILINE)
    return {name: given.get(name) or default for name, default in found}


def _template(name: str) -> str:
    return (files("infra") / name).read_text(encoding="utf-8")
