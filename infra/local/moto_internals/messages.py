"""Events reach functions, messages to topics are reported, and queues can be counted.

In moto a rule with a Lambda target makes PutEvents fail, and a disabled rule still fires.
"""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime

from moto.events import models as events_models
from moto.sns import models as sns_models
from moto.sqs import models as sqs_models

from infra.local.endpoint import ACCOUNT


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


def _event_for(target: dict, event: dict) -> object:
    """What a target gets: the event as AWS sends it, or what its Input or InputTransformer make of it."""
    if "Input" in target:
        return json.loads(target["Input"])
    sent = {name: value for name, value in event.items() if name != "ingestion-time"}
    sent["time"] = datetime.fromtimestamp(float(event["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    transformer = target.get("InputTransformer")
    if not transformer:
        return sent
    return events_models.EventTemplateParser.parse(
        input_template=transformer["InputTemplate"],
        input_paths_map=transformer.get("InputPathsMap", {}),
        event=sent,
    )


def install_topics(on_message: Callable[[str, str | None, str], None]) -> None:
    """Tell `on_message(topic, subject, message)` of every message published to a topic."""
    original = sns_models.Topic.publish

    def publish(self, message, *args, subject=None, **kwargs):
        message_id = original(self, message, *args, subject=subject, **kwargs)
        on_message(self.name, subject, message)
        return message_id

    sns_models.Topic.publish = publish


def messages_in(region: str, queue_arn: str) -> int:
    """How many messages a queue holds, visible or not."""
    queue = sqs_models.sqs_backends[ACCOUNT][region].queues.get(queue_arn.rsplit(":", 1)[1])
    return len(queue._messages) if queue else 0
