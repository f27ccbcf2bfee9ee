"""boto3 clients that answer what they are told to; every answer must be one that AWS's own models allow."""

from types import SimpleNamespace

import boto3
from botocore.exceptions import ClientError

from infra.local.aws_models import broken_rules, service_model, wrong_types

REGION = "eu-central-1"


class FakeAws:
    """`answers` by service and operation: a response, a function of the request, or an error.

    `client` gives the clients; `asked` holds what was asked for, as service and operation.
    """

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def client(self, service):
        made = boto3.client(service, REGION, aws_access_key_id="x", aws_secret_access_key="x")
        made.meta.events.register("before-parameter-build", self._keep)
        made.meta.events.register("before-call", self._answer)
        return made

    def _keep(self, params, context, **_):
        context["request"] = dict(params)

    def _answer(self, model, context, **_):
        service, operation = model.service_model.service_name, model.name
        self.asked.append((service, operation))
        answer = self.answers[service, operation]
        if callable(answer):
            answer = answer(context["request"])
        if isinstance(answer, ClientError):
            return SimpleNamespace(status_code=400), answer.response
        if isinstance(answer, Exception):
            raise answer
        shape = service_model(service).operation_model(operation).output_shape
        problems = [*wrong_types(answer, shape)] or [*broken_rules(answer, shape)]
        assert not problems, (service, operation, problems)
        return SimpleNamespace(status_code=200), answer


def refusal(code, message):
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")
