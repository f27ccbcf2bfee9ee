"""Events reach functions, messages to topics are reported, queues have addresses here and can be counted.

In moto a rule with a Lambda target makes PutEvents fail, a disabled rule still fires, and a text that an
InputTransformer brings into JSON gets no quotes.
"""

import copy
import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from jsonpath_ng.ext import parse as parse_path
from moto.events import models as events_models
from moto.sns import models as sns_models
from moto.sqs import models as sqs_models

from infra.local.endpoint import ACCOUNT

_parsed = functools.lru_cache(parse_path)


def install_events(invoke_later: Callable[[str, object], None]) -> None:
    """Let EventBridge rules invoke functions."""
    original = events_models.Rule.send_to_targets

    def send_to_targets(self, original_event, transform_input=True) -> None:
        if self.state != "ENABLED" or not self.event_pattern.matches_event(original_event):
            return
        functions = [target for target in self.targets if target["Arn"].split(":")[2] == "lambda"]
        others = copy.copy(self)
        others.targets = [target for target in self.targets if target not in functions]
        original(others, original_event, transform_input)
        for target in functions:
            invoke_later(target["Arn"], _event_for(target, original_event))

    events_models.Rule.send_to_targets = send_to_targets
    parse_default = events_models.EventTemplateParser.parse

    def parse(input_template, input_paths_map, event):
        if not input_template:
            return parse_default(input_template, input_paths_map, event)
        return _transformed(input_template, input_paths_map, event)

    events_models.EventTemplateParser.parse = staticmethod(parse)


def _transformed(template: str, paths: dict[str, str], event: dict) -> object:
    """The JSON that an InputTransformer makes of an event: a text gets quotes unless it stands in some."""
    values = {}
    for name, path in paths.items():
        found = _parsed(path).find(event)
        values[name] = found[0].value if found else None

    def fill_in(match: re.Match[str]) -> str:
        if match["name"]:
            return json.dumps(values[match["name"]])
        return re.sub("<([^>]+)>", lambda inside: str(values[inside[1]]), match[0])

    return json.loads(re.sub(r'"[^"]*"|<(?P<name>[^>]+)>', fill_in, template))


def _event_for(target: dict, event: dict) -> object:
    """What a target gets: the event as AWS sends it, or what its Input or InputTransformer make of it."""
    if "Input" in target:
        return json.loads(target["Input"])
    sent = {name: value for name, value in event.items() if name != "ingestion-time"}
    sent["time"] = datetime.fromtimestamp(float(event["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    transformer = target.get("InputTransformer")
    if not transformer:
        return sent
    return _transformed(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), sent)


def install_topics(on_message: Callable[[str, str | None, str], None]) -> None:
    """Tell `on_message(topic, subject, message)` of every message published to a topic."""
    original = sns_models.Topic.publish

    def publish(self, message, *args, subject=None, **kwargs):
        message_id = original(self, message, *args, subject=subject, **kwargs)
        on_message(self.name, subject, message)
        return message_id

    sns_models.Topic.publish = publish


def install_queues(endpoint: str) -> None:
    """Let a stack's queues have their addresses at `endpoint`: SDKs send to the host of a queue's address."""
    sqs_models.Queue.physical_resource_id = property(lambda self: f"{endpoint}/{self.account_id}/{self.name}")


def messages_in(region: str, queue_arn: str) -> int:
    """How many messages a queue holds, visible or not."""
    queue = sqs_models.sqs_backends[ACCOUNT][region].queues.get(queue_arn.rsplit(":", 1)[1])
    return len(queue._messages) if queue else 0
