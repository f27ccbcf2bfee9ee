"""The machines in moto's own Step Functions executor; moto's services answer, SageMaker's jobs are faked."""

import contextlib
import copy
import functools
import json
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from infra.local.aws_models import check, service_model
from infra.local.moto_internals.state_machines import (
    EvalComponent,
    SageMakerTask,
    StateTaskServiceAwsSdk,
    state_task_factory,
    with_botos_names,
    with_capitals,
)
from pipelines.names import split_address
from tests import sent
from tests.definition_checks import substitute
from tests.pipelines.machines.definition_examples import (
    ACCOUNT,
    ARTEFACT,
    GROUP_ITEM,
    MESSAGES,
    MODEL,
    OLD_MODEL,
    REGION,
    SUBSTITUTIONS,
    TUNED,
    artefact_of,
    text_of,
)

AUDIENCES = ("Operators", "Mlops", "Stakeholders")
SESSION = boto3.Session("none", "none", region_name=REGION)


@functools.cache
def client(service: str):
    """One for all tests: making a client costs more than most of them."""
    return SESSION.client(service)


@functools.cache
def program(definition: str):
    """Parsing costs most of an execution here, too."""
    return AmazonStateLanguageParser.parse(definition)[0]


def parsed(worker: execution_worker.ExecutionWorker):
    return program(worker._evaluation_details.state_machine_details.definition)


class FakeSageMaker:
    """Accepts what AWS's model of the service accepts; every job ends at once and says what the test wants.

    `messages` maps a processing script to its `ExitMessage`. `plan(operation, *outcomes)` lets an operation's
    next calls raise an error code (text), or its jobs fail with a describe answer (dict) or go well (None).
    `on_wait` is called while a job runs.
    """

    def __init__(self):
        self.requests: list[tuple[str, dict]] = []
        self.messages = copy.deepcopy(MESSAGES)
        self._planned: dict[str, list] = {}
        self.on_wait = lambda: None

    def plan(self, operation: str, *outcomes) -> None:
        self._planned[operation] = list(outcomes)

    def sent(self, operation: str) -> list[dict]:
        return [request for sent, request in self.requests if sent == operation]

    def create(self, operation: str, request: dict) -> None:
        check(request, service_model("sagemaker").operation_model(operation))
        self.requests.append((operation, request))
        planned = self._planned.get(operation)
        if planned and isinstance(planned[0], str):
            meta = {"HTTPStatusCode": 400, "RequestId": "1"}
            error = {"Error": {"Code": planned.pop(0), "Message": "not now"}, "ResponseMetadata": meta}
            raise ClientError(error, operation)

    def wait(self, kind: str, name: str, still_wanted) -> dict:
        """What the describe call says of a job that has ended."""
        operation, request = self.requests[-1]
        self.on_wait()
        resource = operation.removeprefix("Create")
        about = {
            f"{resource}Name": name,
            f"{resource}Arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:job/{name}",
        }
        planned = self._planned.get(operation)
        failed = planned.pop(0) if planned else None
        if failed is not None:
            return about | {f"{resource}Status": "Failed"} | failed
        return about | {f"{resource}Status": "Completed"} | getattr(self, f"_{kind}")(request)

    def _processing(self, request: dict) -> dict:
        message = self.messages[request["AppSpecification"]["ContainerEntrypoint"][-1]]
        return {"ExitMessage": json.dumps(message)}

    def _tuning(self, request: dict) -> dict:
        metric = {"MetricName": "macro_f1", "Value": 0.8734}
        best = {"TunedHyperParameters": TUNED, "FinalHyperParameterTuningJobObjectiveMetric": metric}
        return {"BestTrainingJob": best}

    def _training(self, request: dict) -> dict:
        """As the service does, at the place that it makes of the request's."""
        path = request["OutputDataConfig"]["S3OutputPath"] + request["TrainingJobName"]
        bucket, key = split_address(f"{path}/output/model.tar.gz")
        client("s3").put_object(Bucket=bucket, Key=key, Body=ARTEFACT)
        return {"ModelArtifacts": {"S3ModelArtifacts": f"{path}/output/model.tar.gz"}}

    def _transform(self, request: dict) -> dict:
        return {}


class FakeTask(SageMakerTask):
    """A SageMaker task whose call goes to the fake."""

    jobs: FakeSageMaker  # of the class, and another for each test: a program is parsed once for all

    def __init__(self):
        super().__init__(jobs=None)
        del self.jobs

    def _eval_service_task(
        self, env, resource_runtime_part, normalised_parameters, state_credentials
    ) -> None:
        action = self.resource.api_action
        self.jobs.create(action[0].upper() + action[1:], normalised_parameters)
        env.stack.append({})


class Cloud:
    """One account: the machines, the ledger, and what was sent to whom."""

    def __init__(self, sagemaker: FakeSageMaker, waits: list[float]):
        self.sagemaker, self.waits = sagemaker, waits
        self.dynamodb, self.s3, self.sqs = map(client, ("dynamodb", "s3", "sqs"))
        self._states = client("stepfunctions")
        keys = {"group": "HASH", "entry": "RANGE"}
        self.dynamodb.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        )
        for bucket in ("work-bucket", "labelled"):
            place = {"LocationConstraint": REGION}
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        for model in (MODEL, OLD_MODEL):
            self.s3.put_object(**artefact_of(model), Body=ARTEFACT, ChecksumAlgorithm="SHA256")
        self.queues = {name: self._queue(name) for name in ("failures", "events")}
        events = client("events")
        events.put_rule(Name="all", EventPattern='{"source": ["labelmill"]}')
        events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": self._arn("events")}])
        topics = client("sns")
        for audience in AUDIENCES:
            arn = topics.create_topic(Name=audience)["TopicArn"]
            self.queues[audience] = self._queue(audience)
            topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=self._arn(audience))

    def _machine(self, machine: str) -> str:
        """Create the machine; one that is the same already is left alone."""
        definition = json.dumps(self.definition(machine))
        role = "arn:aws:iam::123456789012:role/machine"
        answer = self._states.create_state_machine(name=machine, definition=definition, roleArn=role)
        return answer["stateMachineArn"]

    def definition(self, machine: str) -> dict:
        """As deployed into this account."""
        return substitute(text_of(machine), SUBSTITUTIONS | {"FailureQueueUrl": self.queues["failures"]})

    def _queue(self, name: str) -> str:
        return self.sqs.create_queue(QueueName=name)["QueueUrl"]

    def _arn(self, queue: str) -> str:
        url = self.queues[queue]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    def put(self, *items: dict) -> None:
        for item in items:
            self.dynamodb.put_item(TableName="ledger", Item=item)

    def items(self, start: str) -> list[dict]:
        """Items of the ledger whose entry starts so, without the types."""
        items = self.dynamodb.scan(TableName="ledger")["Items"]
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
        return [item for item in plain if item["entry"].startswith(start)]

    def received(self, queue: str) -> list[dict]:
        if queue in AUDIENCES:
            return sent.received(self.sqs, self.queues[queue])
        messages = self.sqs.receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in messages.get("Messages", [])]

    def events(self) -> list[tuple[str, dict]]:
        return [(event["detail-type"], event["detail"]) for event in self.received("events")]

    def run(self, machine: str, run: dict) -> SimpleNamespace:
        """Execute to the end: status, output, error, cause, and the names of the states in order."""
        execution = self._states.start_execution(
            stateMachineArn=self._machine(machine), name=run["run"], input=json.dumps(run)
        )["executionArn"]
        answer = self._states.describe_execution(executionArn=execution)
        history = self._states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        entered = [
            event["stateEnteredEventDetails"] for event in history if "stateEnteredEventDetails" in event
        ]
        return SimpleNamespace(
            status=answer["status"],
            output=json.loads(answer.get("output", "null")),
            error=answer.get("error"),
            cause=answer.get("cause"),
            states=[state["name"] for state in entered],
            largest=max(len(state["input"]) for state in entered),
        )


@contextlib.contextmanager
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account in which GROUP has a codebook; executions end within start_execution, nothing waits."""
    sagemaker, waits = FakeSageMaker(), []
    emulated = state_task_factory.state_task_service_for
    monkeypatch.setattr(FakeTask, "jobs", sagemaker, raising=False)
    monkeypatch.setattr(
        state_task_factory,
        "state_task_service_for",
        lambda service_name: FakeTask() if service_name == "sagemaker" else emulated(service_name),
    )
    monkeypatch.setattr(StateTaskServiceAwsSdk, "_normalise_parameters", with_botos_names)
    monkeypatch.setattr(StateTaskServiceAwsSdk, "_normalise_response", with_capitals)
    worker = execution_worker.ExecutionWorker
    monkeypatch.setattr(worker, "_get_evaluation_entrypoint", parsed)
    monkeypatch.setattr(EvalComponent, "heap_key", property(lambda self: str(id(self))))
    monkeypatch.setattr(worker, "start", execution_worker.SyncExecutionWorker.start)
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and hasattr(module, "boto_client_for"):
            monkeypatch.setattr(module, "boto_client_for", lambda service, **others: client(service))
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=waits.append))
    monkeypatch.setattr(
        WaitFunction, "_wait_interval", lambda self, env, wait_seconds: waits.append(wait_seconds)
    )
    monkeypatch.setattr(StepFunctionsParserBackend, "_validate_definition", staticmethod(program))
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        cloud = Cloud(sagemaker, waits)
        cloud.put(GROUP_ITEM)
        yield cloud


@pytest.fixture
def cloud(monkeypatch):
    """The account of a test."""
    with account(monkeypatch) as cloud:
        yield cloud
