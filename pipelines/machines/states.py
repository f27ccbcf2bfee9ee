"""Building blocks of the three state machines, on the `stepfunctions` and `sagemaker` SDKs.

Used while compiling (compile.py) and nowhere else: both SDKs stay out of handlers, jobs and the CLI.
Every task made here has a timeout, Retry for what passes by itself, and a Catch for the rest.
"""

import re
from enum import Enum
from functools import cache
from typing import Any

import boto3
import sagemaker
from sagemaker.network import NetworkConfig
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from stepfunctions.inputs import Placeholder
from stepfunctions.steps import sagemaker as jobs
from stepfunctions.steps import states

from pipelines.ledger import keys
from pipelines.messages import Message, attributes
from pipelines.names import JOB_NAME, REPORT, RUN_FOLDER, address

HOUR = 3600
#: A task waits this much longer than its job may run: for a machine, the image and the data.
START_UP = HOUR // 2
QUOTA_ERROR = "SageMaker.ResourceLimitExceededException"
#: A transaction of DynamoDB that was not made; its cause lists why, item by item.
CANCELLED = "DynamoDb.TransactionCanceledException"
#: How a job is asked for while its quota is full, each for about a day: seconds to the second try, at most
#: between tries (half of it on average), and how many tries. There is no queue: a free place is for who asks
#: next. So labels ask thirty times as often as what training and comparison want of the same quota; together
#: they ask no more often than if each waited ten minutes at most (docs/decisions.md).
LABELS_FIRST = (30, 120, 1440)
AFTER_LABELS = (300, 3600, 50)
#: Of quotas that only training wants.
ITS_OWN = (30, 600, 300)
#: The arguments of every job that reads a dataset or what was made of one.
ABOUT_DATASET = {
    "group": "$.group",
    "period": "$.period",
    "purpose": "$.purpose",
    "run": "$.run",
    "dataset-uri": "$.dataset",
}


class Field(Enum):
    """Fields of the Amazon States Language that are younger than the SDK (its last release is from 2022)."""

    ResultSelector = "result_selector"
    MaxDelaySeconds = "max_delay_seconds"
    JitterStrategy = "jitter_strategy"
    CausePath = "cause_path"


class Retry(states.Retry):
    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), Field.MaxDelaySeconds, Field.JitterStrategy]


class Fail(states.Fail):
    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), Field.CausePath]


class Selecting:
    """Lets a task of the SDK carry a ResultSelector."""

    def allowed_fields(self) -> list[Enum]:
        inherited = super().allowed_fields()  # type: ignore[misc]  # the SDK's class comes after this one
        return [*inherited, Field.ResultSelector]


class Task(Selecting, states.Task): ...


class ProcessingStep(Selecting, jobs.ProcessingStep): ...


class Path(Placeholder):
    """A path or intrinsic function as the value of a parameter: the SDK then writes the key with `.$`."""

    def __init__(self, expression: str) -> None:
        super().__init__()
        self.expression = expression

    def to_jsonpath(self) -> str:
        return self.expression


class OfflineSession(sagemaker.Session):
    """Asks AWS nothing and takes no defaults from the person who compiles; roles are ARNs already."""

    def __init__(self) -> None:
        super().__init__(boto3.Session(), default_bucket="bucket")
        self.sagemaker_config: dict[str, Any] = {}

    def expand_role(self, role: str) -> str:
        return role


@cache
def session() -> OfflineSession:
    return OfflineSession()


def text(template: str, *paths: str, **named: str) -> Path:
    """`template` with each `{}` replaced, when the state runs, by the value of a path.

    A named field, as in pipelines/names.py and pipelines/ledger/keys.py, is replaced by the value of the path
    that `named` gives it, else of the state's field of that name: `{group}` by `$.group`.
    """
    field = re.compile(r"(?<!\$){(\w*)}")  # but not ${Name}, which the template fills in
    fields, given = field.findall(template), iter(paths)
    if unknown := named.keys() - fields:
        raise ValueError(f"{template!r} has no field {', '.join(unknown)}. Fix: name one that it has")
    values = [named.get(name, f"$.{name}") if name else next(given) for name in fields]
    return Path(f"States.Format('{field.sub('{}', template)}', {', '.join(values)})")


def in_work_bucket(key: str, **named: str) -> Path:
    """Address of what the work bucket holds under `key`, a form of pipelines/names.py."""
    return text(address("${WorkBucket}", key), **named)


def output(name: str) -> Path:
    """Address of one output of this run in the work bucket."""
    return in_work_bucket(f"{RUN_FOLDER}{name}/")


def report_of(record: str) -> Path:
    """Address of Prepare's report on the rows of a model, by the model's item of the ledger at `record`."""
    return in_work_bucket(REPORT, run=f"{record}.Item.run.S")


def random_hex(digits: int) -> str:
    """8 or 12 random hex digits: the first or the last part of a UUID."""
    return f"States.ArrayGetItem(States.StringSplit(States.UUID(), '-'), {({8: 0, 12: 4})[digits]})"


def job_name(state: str) -> Path:
    """New at every attempt: Step Functions evaluates Parameters again for each retry and each redrive."""
    return text(JOB_NAME.replace("{state}", state.lower()), hex=random_hex(8))


def tags() -> dict[str, Any]:
    """A job is not named after its stack, so its tag tells whose it is; stacks of an account share groups."""
    return {"project": "labelmill", "stack": "${Name}", "group": Path("$.group"), "run": Path("$.run")}


def retry(errors: list[str], interval: int, max_delay: int, attempts: int) -> Retry:
    """Full jitter, so that sixty executions refused together do not come back together."""
    return Retry(
        error_equals=errors,
        interval_seconds=interval,
        backoff_rate=2,
        max_delay_seconds=max_delay,
        max_attempts=attempts,
        jitter_strategy="FULL",
    )


def guard(task: states.Task, failure: states.State, *retries: Retry) -> states.Task:
    task.add_retry(list(retries))
    task.add_catch(states.Catch(failure, error_equals=["States.ALL"], result_path="$.failure"))
    return task


def guard_job(task: states.Task, failure: states.State, quota: tuple[int, int, int]) -> states.Task:
    """A full quota passes slowly, and how long `quota` says; a throttled call passes quickly.

    Step Functions has one name for throttled, failed and refused requests, so those tries are few.
    """
    service = retry(["SageMaker.AmazonSageMakerException", "SageMaker.SdkClientException"], 5, 120, 6)
    return guard(task, failure, retry([QUOTA_ERROR], *quota), service)


def call(
    state_id: str,
    resource: str,
    parameters: dict[str, Any],
    failure: states.State,
    *retries: Retry,
    **fields: Any,
) -> Task:
    """A short call of a service, safe to repeat: `resource` is `service:action`."""
    task = Task(state_id, **_short_call(resource, parameters), **{"result_path": None, **fields})
    guard(task, failure, *retries, few_tries())
    return task


def _short_call(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "resource": f"arn:aws:states:::{resource}",
        "parameters": parameters,
        "timeout_seconds": 60,
    }


def few_tries() -> Retry:
    """For a call that takes no time: five more tries within a minute, whatever the error."""
    return retry(["States.ALL"], 1, 20, 5)


class NowOrLater(Task):
    """A call without which the run goes on: one that cannot be made is kept, and the same state follows."""

    later: Task

    def next(self, next_step: states.State) -> states.State:
        self.later.next(next_step)
        return super().next(next_step)


def now_or_later(state_id: str, resource: str, request: dict[str, Any], failure: states.State) -> NowOrLater:
    """A call that follows from what is recorded already, so that it must not fail the run."""
    step = NowOrLater(state_id, **_short_call(resource, request), result_path=None)
    step.later = later(state_id, resource, request, failure)
    guard(step, step.later, few_tries())
    return step


def later(state_id: str, resource: str, request: dict[str, Any], failure: states.State) -> Task:
    """Keep a call in the ledger: the hourly check makes it (pipelines/handlers/notices.py).

    Only where that cannot be written either, the run fails.
    """
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text(keys.NOTICE.replace("{state}", state_id))},
        "call": {"S": resource.removeprefix("aws-sdk:")},
        "request": _attribute(request),
        "why": {"S": Path("$.failure.Error")},
        "kept_at": {"S": Path("$$.State.EnteredTime")},
    }
    parameters = {"TableName": "${LedgerTable}", "Item": item}
    return call(f"{state_id}Later", "dynamodb:putItem", parameters, failure)


def _attribute(value: Any) -> dict[str, Any]:
    """A value of a request as DynamoDB takes it."""
    if isinstance(value, dict):
        return {"M": {name: _attribute(inner) for name, inner in value.items()}}
    return {"L": [_attribute(inner) for inner in value]} if isinstance(value, list) else {"S": value}


def notify(
    state_id: str,
    topic: str,
    message: Message,
    failure: states.State,
    fields: dict[str, str],
    **filtered: str | Path,
) -> NowOrLater:
    """A message to the topic, its fields filled from the paths in `fields` (see `text`).

    People filter what they are sent by its attributes; `filtered` are those that only some messages have.
    """
    of_subject = {name: path for name, path in fields.items() if f"{{{name}}}" in message.subject}
    of_run = {name: Path(f"$.{name}") for name in ("group", "period", "run")}
    request = {
        "TopicArn": topic,
        "Subject": text(message.subject, **of_subject),
        "Message": text(message.text, **fields),
        "MessageAttributes": attributes(kind=message.kind, **of_run, **filtered),
    }
    return now_or_later(state_id, "sns:publish", request, failure)


def event(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    """The request that puts one event of ours on the bus."""
    return {"Entries": [{"Source": "labelmill", "DetailType": kind, "Detail": detail}]}


def processing(
    state_id: str,
    failure: states.State,
    *,
    inputs: dict[str, Path],
    outputs: dict[str, Path],
    arguments: dict[str, str],
    key: str | Path,
    result_path: str,
    max_hours: int,
    quota: tuple[int, int, int],
    package: str = "processing",
) -> states.Task:
    """A processing job: state, script `<package>.<state>` and role share one name.

    Its last line of JSON (`ExitMessage`) is the only thing that stays in the execution's state.
    """
    processor = Processor(
        role=f"${{{state_id}RoleArn}}",
        image_uri="${ImageUri}",
        instance_count=1,
        instance_type="${ProcessingInstanceType}",
        volume_size_in_gb=30,
        volume_kms_key="${WorkKeyArn}",
        max_runtime_in_seconds=max_hours * HOUR,
        env={"PYTHONPATH": "/opt/ml/processing/input/code"},
        network_config=NetworkConfig(enable_network_isolation=True, encrypt_inter_container_traffic=True),
        sagemaker_session=session(),
    )
    words = [word for name, path in arguments.items() for word in (f"'--{name}'", path)]
    step = ProcessingStep(
        state_id,
        processor=processor,
        job_name=job_name(state_id),
        inputs=[
            ProcessingInput(input_name=name, source=uri, destination=f"/opt/ml/processing/input/{name}")
            for name, uri in {"code": "${CodeUri}", **inputs}.items()
        ],
        outputs=[
            ProcessingOutput(output_name=name, source=f"/opt/ml/processing/output/{name}", destination=uri)
            for name, uri in outputs.items()
        ],
        container_entrypoint=["python3", "-m", f"{package}.{state_id.lower()}"],
        container_arguments=Path(f"States.Array({', '.join(words)})"),
        kms_key_id=key,
        tags=tags(),
        timeout_seconds=max_hours * HOUR + START_UP,
        result_selector={"message.$": "States.StringToJson($.ExitMessage)"},
        result_path=result_path,
    )
    return guard_job(step, failure, quota)
