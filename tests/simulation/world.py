"""One account in which nothing happens by itself: executions, messages and people take turns.

Time is virtual. The definitions, handlers and commands are the real ones; what answers them is in services.py
and jobs.py. At each call of a Task a fault can be put.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from pipelines.handlers import (
    check_month,
    clients,
    start_comparison,
    start_inference,
    start_training,
    test_model,
)
from tests.definition_checks import as_sent, substitute
from tests.pipelines.machines.definition_examples import (
    ACCOUNT,
    MACHINES,
    REGION,
    SUBSTITUTIONS,
    text_of,
)
from tests.simulation import jobs
from tests.simulation.interpreter import Call, Ended, Execution, Pause, Surroundings, TaskFailed, execute
from tests.simulation.sagemaker import SageMaker
from tests.simulation.services import Buckets, Queues, Table, cancelled, client, refusal

LANDING, WORK, LABELLED = "landing", "work-bucket", "labelled"
QUEUES = ("failures", "events-dead-letters", "training", "training-dead-letters")
QUEUES += ("inference", "inference-dead-letters", "unload", "unload-dead-letters")
BEGIN = datetime(2026, 11, 1, 2, tzinfo=UTC)

#: What can go wrong with a call, in words. Those of JOB happen to jobs alone, those of SHORT to all others.
DEATHS = ("killed before", "killed after")
JOB = ("no machine", "no quota", "out of memory")
SHORT = ("throttled", "answer lost", "down")
CONFLICT = "conflict"
TIMEOUT = "times out"
_SERVICES = {"dynamodb": "DynamoDB", "aws-sdk:dynamodb": "DynamoDb", "aws-sdk:s3": "S3", "aws-sdk:sfn": "Sfn"}


def faults_of(call: Call) -> tuple[str, ...]:
    """What can go wrong with a call."""
    if "sagemaker" in call.resource and call.resource.endswith(".sync"):
        return (*DEATHS, *JOB, TIMEOUT)
    if "waitForTaskToken" in call.resource:
        return (*DEATHS, *SHORT)  # its timeout is that nobody has answered
    conflict = (CONFLICT,) if "transactWriteItems" in call.resource else ()
    return (*DEATHS, *SHORT, TIMEOUT, *conflict)


@dataclass
class Running:
    """An execution, and what it waits for."""

    machine: str
    name: str
    arn: str
    given: dict[str, Any]
    execution: Execution
    began: datetime
    wakes: datetime
    status: str = "RUNNING"
    call: Call | None = None
    finish: Callable[[], Any] | None = None
    token: str | None = None
    answer: Any = None
    ended: datetime | None = None
    end: Ended | None = None
    states: list[str] = field(default_factory=list)


@cache
def deployed(machine: str) -> dict[str, Any]:
    """The definition with all that the template fills in."""
    return substitute(text_of(machine), SUBSTITUTIONS | {"FailureQueueUrl": _queue("failures")})


def _queue(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/labelmill-{name}"


def _arn(machine: str) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"


#: The template's outputs, as commands ask for them.
OUTPUTS = {
    "LandingBucket": LANDING,
    "WorkBucket": WORK,
    "LabelledBucket": LABELLED,
    "LedgerTable": "ledger",
    "TimeZone": "Europe/Berlin",
    **{f"{machine.capitalize()}MachineArn": _arn(machine) for machine in MACHINES},
    "FailureQueueUrl": _queue("failures"),
    "EventsDeadLetterQueueUrl": _queue("events-dead-letters"),
    **{
        f"{name.capitalize()}{kind}QueueUrl": _queue(f"{name}{end}")
        for name in ("training", "inference", "unload")
        for kind, end in (("", ""), ("DeadLetter", "-dead-letters"))
    },
    **{f"{audience}TopicArn": SUBSTITUTIONS[f"{audience}TopicArn"] for audience in ("Operators", "Mlops")},
}
_FUNCTIONS = {"training": start_training.handler, "inference": start_inference.handler}
_EVENTS = {"Model Trained": test_model, "Inference Completed": start_comparison}
_ENVIRONMENT = {
    **{f"{machine.upper()}_MACHINE_ARN": _arn(machine) for machine in MACHINES},
    "LEDGER_TABLE": "ledger",
    "LANDING_BUCKET": LANDING,
    "STACK_NAME": "labelmill",
    "TIME_ZONE": "Europe/Berlin",
    "OPERATORS_TOPIC_ARN": SUBSTITUTIONS["OperatorsTopicArn"],
}


class World:
    """The account, its executions and its clock.

    Attributes:
        random: takes every choice.
        fault: asked before each call of a Task what goes wrong with it, one of `faults_of`; None for nothing.
        function_fails: whether the next function fails at all its tries.
        watch: called after every turn.
        stalls: states before which an execution may stand still while others do all they have to do.
        happened: what happened, in words, for whoever reads a history that went wrong.
        notices: (topic, subject, message) of all that was sent to people.
        pending: messages and events that a function has not taken yet: what it is, and how it takes it.
    """

    def __init__(self, random: Random, definitions: dict[str, dict[str, Any]] | None = None):
        self.random = random
        self.now = BEGIN
        self.fault: Callable[[Running, Call], str | None] = lambda running, call: None
        self.function_fails: Callable[[], bool] = lambda: False
        self.watch: Callable[[], None] = lambda: None
        self.stalls: set[tuple[str, str]] = set()
        self.happened: list[str] = []
        self.notices: list[tuple[str, str, str]] = []
        self.pending: list[tuple[str, Callable[[], None]]] = []
        self.runs: dict[str, Running] = {}
        self._definitions = definitions or {machine: deployed(machine) for machine in MACHINES}
        self.buckets = Buckets(lambda: self.now, {name: {} for name in (LANDING, WORK, LABELLED, "code")})
        self.buckets.put(SUBSTITUTIONS["CodeUri"] + "code", b"code")
        self.sagemaker = SageMaker(self.buckets, lambda: self.now)
        self.table = Table()
        self.queues = Queues(lambda: self.now, {_queue(name): [] for name in QUEUES})
        for service in ("s3", "dynamodb", "sqs", "sns", "events", "stepfunctions", "lambda", "sts"):
            client(service, self.answer)

    def client(self, service: str, *_: object, **__: object) -> Any:
        """The boto3 client of a service."""
        return client(service, self.answer)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Within it functions and commands find this account."""
        clients.client.cache_clear()
        with mock.patch("boto3.client", self.client), mock.patch.dict(os.environ, _ENVIRONMENT):
            yield
        clients.client.cache_clear()

    def note(self, text: str) -> None:
        self.happened.append(f"{self.now:%d %H:%M:%S.%f}"[:-3] + f"  {text}")

    # What is asked of the services, by functions, commands and Tasks alike.

    def answer(self, service: str, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer to one call, as boto3 gives it. Raises ClientError."""
        stores = {"s3": self.buckets, "dynamodb": self.table, "sqs": self.queues}
        source = asked.get("QueueUrl", "").rpartition("-")[2]
        if operation == "SendMessage" and source in _FUNCTIONS:
            self._pend(
                f"a message for start-{source}", partial(self._start_landed, source, asked["MessageBody"])
            )
            return {"MessageId": "again"}
        if service in stores:
            return stores[service].answer(operation, asked)
        return getattr(self, f"_{service}_{operation}")(asked)

    def _sts_GetCallerIdentity(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Arn": f"arn:aws:iam::{ACCOUNT}:user/someone"}

    def _sns_Publish(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.notices.append((asked["TopicArn"].rpartition(":")[2], asked["Subject"], asked["Message"]))
        return {"MessageId": "1"}

    def _cloudwatch_PutMetricData(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _events_PutEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        for entry in asked["Entries"]:
            detail = json.loads(entry["Detail"])
            event = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail}
            if entry["DetailType"] == "Model Trained" or detail["purpose"] == "test":
                self._pend(f"{entry['DetailType']} {detail['model']}", partial(self._on_event, event))
        return {"FailedEntryCount": 0, "Entries": []}

    def _pend(self, what: str, take: Callable[[], None]) -> None:
        self.pending.append((what, take))

    def _stepfunctions_StartExecution(self, asked: dict[str, Any]) -> dict[str, Any]:
        name, given = asked["name"], json.loads(asked["input"])
        there = self.runs.get(name)
        if there and (there.status != "RUNNING" or there.given != given):
            raise refusal("stepfunctions", "StartExecution", "ExecutionAlreadyExists")
        if not there:
            self._start(asked["stateMachineArn"].rpartition(":")[2], name, given)
        return {"executionArn": self.runs[name].arn, "startDate": self.runs[name].began}

    def _start(self, machine: str, name: str, given: dict[str, Any]) -> None:
        arn = f"{_arn(machine).replace(':stateMachine:', ':execution:')}:{name}"
        states: list[str] = []
        around = Surroundings(self._time, self.random.random, states.append)
        execution = execute(self._definitions[machine], name, arn, given, around)
        running = Running(machine, name, arn, given, execution, self.now, self.now, states=states)
        self.runs[name] = running
        self.note(f"{name} begins")

    def _time(self) -> str:
        self.now += timedelta(milliseconds=1 + int(self.random.random() * 50))
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _stepfunctions_DescribeExecution(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.runs.get(asked["executionArn"].rpartition(":")[2])
        if not found:
            raise refusal("stepfunctions", "DescribeExecution", "ExecutionDoesNotExist")
        end = found.end or Ended("")
        said = {"error": end.error, "cause": end.cause, "stopDate": found.ended}
        return self._listed(found) | {
            "input": json.dumps(found.given),
            **{name: value for name, value in said.items() if value},
        }

    def _listed(self, found: Running) -> dict[str, Any]:
        return {
            "executionArn": found.arn,
            "stateMachineArn": _arn(found.machine),
            "name": found.name,
            "status": found.status,
            "startDate": found.began,
        }

    def _stepfunctions_ListExecutions(self, asked: dict[str, Any]) -> dict[str, Any]:
        machine = asked["stateMachineArn"].rpartition(":")[2]
        return {"executions": [self._listed(run) for run in self.runs.values() if run.machine == machine]}

    def _stepfunctions_SendTaskSuccess(self, asked: dict[str, Any]) -> dict[str, Any]:
        for running in self.runs.values():
            if running.status == "RUNNING" and running.token == asked["taskToken"] and running.finish is None:
                running.finish = lambda: json.loads(asked["output"])
                running.wakes = self.now
                return {}
        raise refusal("stepfunctions", "SendTaskSuccess", "TaskTimedOut")

    # What happens next.

    def turns(self) -> list[tuple[str, Callable[[], None]]]:
        """All that can happen now."""
        turns = [(running.name, running) for running in self.runs.values()]
        ready = [
            (name, lambda running=running: self._advance(running))
            for name, running in turns
            if running.status == "RUNNING" and running.wakes <= self.now
        ]
        return [*ready, *((what, lambda at=at: self._take(at)) for at, (what, _) in enumerate(self.pending))]

    def turn(self, patience: timedelta = timedelta.max) -> bool:
        """Let one of these happen; if there is none, let time pass until there is. False: nothing will.

        Nor does it where that takes longer than `patience`.
        """
        turns = self.turns()
        if not turns:
            waking = [running.wakes for running in self.runs.values() if running.status == "RUNNING"]
            if not waking or min(waking) - self.now > patience:
                return False
            self.now = min(waking)
            return True
        self.now += timedelta(milliseconds=1 + int(self.random.random() * 2000))
        turns[int(self.random.random() * len(turns))][1]()
        self.watch()
        return True

    def settle(self, most: int = 20_000) -> None:
        """Until nothing is left to happen. Raises AssertionError where that takes too long."""
        for _ in range(most):
            if not self.turn():
                return
        raise AssertionError("it never ends: " + ", ".join(what for what, _ in self.turns()[:5]))

    def _take(self, at: int) -> None:
        what, take = self.pending.pop(at)
        self.note(f"taken: {what}")
        take()

    def land(
        self,
        purpose: str,
        group: str,
        period: str,
        delivery: str,
        rows: list[dict[str, str]],
        cut: bool = False,
    ) -> str:
        """Deliver a dataset, maybe with a file that is cut off; the answer is its address.

        What S3 says of its manifest is taken in any order.
        """
        folder = f"s3://{LANDING}/{purpose}/{group}/{period}/{delivery}/"
        for name, body in jobs.dataset(rows).items():
            self.buckets.put(f"{folder}{name}", body[:-1] if cut and name != "manifest" else body)
        self.land_again(purpose, folder)
        return folder

    def land_again(self, purpose: str, address: str) -> None:
        """Upload the manifest of a dataset once more; `landed_at` says its place in the month."""
        manifest = f"{address}manifest"
        version = self.buckets.put(manifest, self.buckets.get(manifest))
        time = self._time()
        self.landed_at = f"{time}#{version}"
        self.notify(purpose, manifest.removeprefix(f"s3://{LANDING}/"), version, time)

    def stop(self, running: Running) -> None:
        """Somebody stops an execution."""
        self._end(running, Ended("ABORTED"))

    def notify(self, purpose: str, key: str, version: str, time: str) -> None:
        """S3 says that the manifest `key` has landed."""
        body = {
            "Records": [
                {
                    "eventTime": time,
                    "s3": {"bucket": {"name": LANDING}, "object": {"key": key, "versionId": version}},
                }
            ]
        }
        self._pend(f"{key} {version} has landed", partial(self._start_landed, purpose, json.dumps(body)))

    def _start_landed(self, purpose: str, body: str) -> None:
        message = {"Records": [{"messageId": "m", "body": body}]}
        if self.function_fails() or _FUNCTIONS[purpose](message)["batchItemFailures"]:
            self.queues.SendMessage({"QueueUrl": _queue(f"{purpose}-dead-letters"), "MessageBody": body})
            self.note(f"no start-{purpose} takes it")

    def _on_event(self, event: dict[str, Any]) -> None:
        if self.function_fails():
            asked = {"QueueUrl": _queue("events-dead-letters"), "MessageBody": json.dumps(event)}
            self.queues.SendMessage(asked)
            self.note(f"no function takes {event['detail-type']}")
            return
        _EVENTS[event["detail-type"]].handler(event)

    def _lambda_Invoke(self, asked: dict[str, Any]) -> dict[str, Any]:
        event = json.loads(asked["Payload"])
        if asked["FunctionName"].endswith("check-month"):
            self._pend("the hourly check", partial(check_month.handler, event))
        else:
            self._pend(f"{event['detail-type']} again", partial(self._on_event, event))
        return {"StatusCode": 202}

    def _advance(self, running: Running) -> None:
        if running.call is not None:
            self._answer(running)
        else:
            self._resume(running, running.execution.send, running.answer)

    def _resume(self, running: Running, step: Callable[[Any], Any], said: Any) -> None:
        """On to the execution's next call, pause or end."""
        running.call = running.finish = running.token = running.answer = None
        try:
            asked = step(said)
        except StopIteration as ended:
            self._end(running, ended.value)
            return
        if isinstance(asked, Pause):
            running.wakes = self.now + timedelta(seconds=asked.seconds)
        else:
            running.call, running.wakes = asked, self.now
            if (running.machine, asked.state) in self.stalls and self.random.random() < 0.5:
                running.wakes += timedelta(seconds=600 * self.random.random())

    def _end(self, running: Running, end: Ended) -> None:
        running.status, running.end, running.ended = end.status, end, self.now
        running.call = None
        self.note(f"{running.name} ends: {end.status} {end.error or ''} {(end.cause or '')[:200]}".rstrip())
        if end.status in ("ABORTED", "TIMED_OUT"):
            body = {
                "machine": _arn(running.machine),
                "run": running.name,
                "input": None,
                "error": end.status,
                "cause": "ended from outside",
                "execution": running.arn,
            }
            self.queues.SendMessage({"QueueUrl": _queue("failures"), "MessageBody": json.dumps(body)})

    def _answer(self, running: Running) -> None:
        """Make the call, or what a fault makes of it, and let the execution go on."""
        call = running.call
        assert call is not None
        if running.token and running.finish is None:  # nobody has answered in time
            self._resume(running, running.execution.throw, TaskFailed("States.Timeout", ""))
            return
        is_job = "sagemaker" in call.resource and call.resource.endswith(".sync")
        if is_job and running.finish is None:
            running.finish = self.sagemaker.begin(
                call
            )  # it has read its inputs; its outputs are seen at its end
            return
        kind = None if running.token else self.fault(running, call)
        if kind:
            self.note(f"{running.name} {call.state}: {kind}")
        else:
            self.note(f"{running.name} {call.state}")
        if kind == "killed before":
            self._end(running, Ended("ABORTED"))
            return
        try:
            answer = self._made(running, call, kind)
        except TaskFailed as failed:
            self._resume(running, running.execution.throw, failed)
            return
        if kind == "killed after":
            self._end(running, Ended("ABORTED"))
        elif call.resource.endswith("waitForTaskToken") and not running.token:
            running.token = _token_in(call.parameters)
            running.wakes = self.now + timedelta(seconds=call.timeout_seconds)
        else:
            self._resume(running, running.execution.send, answer)

    def _made(self, running: Running, call: Call, kind: str | None) -> Any:
        """What a Task gets as its result. Raises TaskFailed."""
        if kind == TIMEOUT:
            raise TaskFailed("States.Timeout", "")
        if kind == CONFLICT:
            raise _failed(call, cancelled(["TransactionConflict"] * len(call.parameters["TransactItems"])))
        sagemaker = "sagemaker" in call.resource
        if kind in ("throttled", "down"):
            error = "SageMaker.AmazonSageMakerException" if sagemaker else "Service.ThrottlingException"
            raise TaskFailed(error, "Rate exceeded")
        if kind == "no quota":
            raise TaskFailed("SageMaker.ResourceLimitExceededException", "The account-level limit is 8.")
        if kind == "no machine":
            raise self.sagemaker.failed_job(
                call, "CapacityError: Unable to provision requested ML compute capacity."
            )
        if kind == "out of memory":
            raise self.sagemaker.failed_job(call, "AlgorithmError: , exit code: 137")
        if running.finish:
            try:
                answer = running.finish()
            except jobs.Refused as refused:
                raise self.sagemaker.failed_job(call, str(refused), "ExitMessage") from refused
        else:
            try:
                answer = self._called(call)
            except ClientError as error:
                raise _failed(call, error) from error
        if kind == "answer lost":
            error = "SageMaker.SdkClientException" if sagemaker else "Service.SdkClientException"
            raise TaskFailed(error, "The connection was closed.")
        return answer

    def _called(self, call: Call) -> dict[str, Any]:
        called, _, _ = call.resource.rpartition(":")[2].partition(".")
        service = call.resource.split(":")[-2]
        asked = as_sent(called, call.parameters)
        if called == "createModel":
            return self.sagemaker.create_model(asked)
        if service == "sfn":
            asked = {name[0].lower() + name[1:]: value for name, value in asked.items()}
            answer = self.answer("stepfunctions", called[0].upper() + called[1:], asked)
            return {name[0].upper() + name[1:]: str(value) for name, value in answer.items()}
        answer = self.answer(service, called[0].upper() + called[1:], asked)
        return json.loads(json.dumps(answer, default=str))


def _token_in(parameters: Any) -> str:
    return parameters["Item"]["token"]["S"]


def _failed(call: Call, error: ClientError) -> TaskFailed:
    """A service's error as Step Functions names it."""
    service = call.resource.removeprefix("arn:aws:states:::").rpartition(":")[0]
    code = error.response["Error"]["Code"]
    if service.startswith("aws-sdk:") and not code.endswith("Exception"):
        code += "Exception"
    return TaskFailed(f"{_SERVICES.get(service, service)}.{code}", error.response["Error"]["Message"])
