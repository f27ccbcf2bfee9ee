"""Functions really run.

Without Docker moto's echo their input, and its event source mapping calls them inside SendMessage.
"""

import json
from collections.abc import Callable

from moto.awslambda import models as lambda_models
from moto.sqs import models as sqs_models

from infra.local.endpoint import ACCOUNT
from infra.local.functions import Function, Outcome


def install_functions(
    invoke: Callable[[Function, object], Outcome],
    invoke_later: Callable[[str, object], None],
    on_mapping: Callable[[str, str, str], None],
) -> None:
    """Let functions really run; call `on_mapping(id, queue ARN, function ARN)` for each queue to poll."""

    def answer(self, body, request_headers, response_headers):
        event = json.loads(body) if body else {}
        if request_headers.get("X-Amz-Invocation-Type") == "Event":
            invoke_later(self.function_arn, event)
            return b""
        outcome = invoke(_function(self), event)
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return outcome.body

    lambda_models.LambdaFunction.invoke = answer
    original_create = lambda_models.LambdaBackend.create_event_source_mapping

    def create_event_source_mapping(self, spec):
        mapping = original_create(self, spec)
        for queue in sqs_models.sqs_backends[self.account_id][self.region_name].queues.values():
            queue.lambda_event_source_mappings.clear()
        on_mapping(mapping.uuid, mapping.event_source_arn, mapping.function_arn)
        return mapping

    lambda_models.LambdaBackend.create_event_source_mapping = create_event_source_mapping


def function_named(region: str, name_or_arn: str) -> tuple[Function, str | None]:
    """A function and the ARN of its dead-letter queue."""
    model = lambda_models.lambda_backends[ACCOUNT][region].get_function(name_or_arn)
    return _function(model), getattr(model, "dead_letter_queue_arn", None)


def _function(model) -> Function:
    return Function(
        name=model.function_name,
        arn=model.function_arn,
        handler=model.handler,
        code=model.code_bytes,
        environment=dict(model.environment_vars),
        timeout_seconds=float(model.timeout),
        memory_mb=int(model.memory_size),
    )
