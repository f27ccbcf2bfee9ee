"""Everything that reaches into moto. It is pinned; an upgrade fails tests/local/test_moto_internals.py first.

What is replaced here, and why:

- State machines: SageMaker's `.sync` is not supported; each execution parses its definition, each task makes
  a client anew; a name is checked and taken in two steps, so that two requests at once could both have it.
- Lambda: without Docker a function echoes its input, and an event source mapping calls it inside SendMessage.
- EventBridge: a rule with a Lambda target makes PutEvents fail; a disabled rule still fires.
- S3: object bytes are kept in memory; a multipart upload notifies twice; an event lacks `versionId`; a bucket
  policy is enforced without its conditions, so that "deny what is not TLS" denies everything.
- CloudFormation: state machines land in a backend that does not execute; properties and schedules are lost.
"""

import copy
import functools
import json
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from botocore.exceptions import ClientError
from moto.awslambda import models as lambda_models
from moto.core.common_models import CloudFormationModel
from moto.core.config import default_user_config
from moto.events import models as events_models
from moto.iam.access_control import PermissionResult
from moto.s3 import models as s3_models
from moto.s3 import notifications
from moto.scheduler import models as scheduler_models
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sns import models as sns_models
from moto.sqs import models as sqs_models
from moto.stepfunctions import models as machine_models
from moto.stepfunctions.parser import models as executing_models
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from infra.local.aws_models import service_model, to_text
from infra.local.endpoint import ACCOUNT, client
from infra.local.functions import Function, Outcome
from infra.local.jobs import Jobs
from infra.local.objects import ObjectFolder, StoredObject

__all__ = ["MotoRequestHandler"]  # for the server


def application() -> Callable:
    """moto as a WSGI application, all services behind one address."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    return DomainDispatcherApplication(create_backend_app)


# ---------------------------------------------------------------- state machines


def install_state_machines(
    jobs: Jobs,
    endpoint: str,
    on_change: Callable[[dict, list[dict] | None], None],
    on_wait: Callable[[], None],
) -> None:
    """Let state machines run SageMaker jobs through `jobs`; tell `on_change(description, history)` of each.

    Called at an execution's start (history None; ARN and status only) and end; both as the API answers them.
    `on_wait` is called when one begins to wait for an answer from outside, by a task token.
    """
    clients = _Clients(endpoint)
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and hasattr(module, "boto_client_for"):
            module.boto_client_for = clients.client_for

    emulated = state_task_factory.state_task_service_for

    def state_task_service_for(service_name: str):
        return SageMakerTask() if service_name == "sagemaker" else emulated(service_name)

    SageMakerTask.jobs = jobs
    state_task_factory.state_task_service_for = state_task_service_for
    parse = functools.lru_cache(AmazonStateLanguageParser.parse)  # takes 200 ms, a copy 10 ms
    AmazonStateLanguageParser.parse = staticmethod(parse)
    entry_point = ExecutionWorker._get_evaluation_entrypoint
    ExecutionWorker._get_evaluation_entrypoint = lambda self: copy.deepcopy(entry_point(self))

    start_execution = executing_models.StepFunctionsParserBackend.start_execution
    starting = threading.RLock()

    def start_execution_alone(self, *args, **kwargs):
        with starting:
            return start_execution(self, *args, **kwargs)

    executing_models.StepFunctionsParserBackend.start_execution = start_execution_alone
    original_start = Execution.start

    def start(self) -> None:
        on_change({"executionArn": self.exec_arn, "status": "RUNNING"}, None)
        original_start(self)

    Execution.start = start
    original_terminated = BaseExecutionWorkerCommunication.terminated

    def terminated(self) -> None:
        original_terminated(self)
        on_change(self.execution.to_describe_output(), self.execution.to_history_output()["events"])

    BaseExecutionWorkerCommunication.terminated = terminated
    original_wait = CallbackEndpoint.wait

    def wait(self, timeout=None):
        self.is_awaited = True
        on_wait()
        try:
            return original_wait(self, timeout)
        finally:
            self.is_awaited = False

    CallbackEndpoint.wait = wait


class _Clients:
    """The clients with which state machines call services: kept, as making one costs 10 ms."""

    def __init__(self, endpoint: str):
        self._endpoint = endpoint
        self._clients: dict[tuple[str, str], object] = {}
        self._lock = threading.Lock()

    def client_for(self, region: str, service: str, state_credentials=None):
        with self._lock:
            if (region, service) not in self._clients:
                self._clients[region, service] = client(service, self._endpoint, region, validate=False)
            return self._clients[region, service]


class SageMakerTask(StateTaskServiceCallback):
    """`arn:aws:states:::sagemaker:create...[.sync]`: makes the API call; for `.sync` waits for the end."""

    jobs: Jobs  # of the class, as a parsed program is copied for each execution

    def __init__(self):
        super().__init__(supported_integration_patterns={ResourceCondition.Sync})

    def _get_supported_parameters(self) -> set[str] | None:
        """None refuses the state machine; an empty set drops no parameter, so the service can object."""
        action = self.resource.api_action
        operation = action[0].upper() + action[1:]
        return set() if operation in service_model("sagemaker").operation_names else None

    def _eval_service_task(
        self, env, resource_runtime_part, normalised_parameters, state_credentials
    ) -> None:
        sagemaker = boto_client.boto_client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        response = getattr(sagemaker, self._get_boto_service_action())(**normalised_parameters)
        response.pop("ResponseMetadata", None)
        env.stack.append(to_text(response))

    def _eval_integration_pattern(
        self, env, resource_runtime_part, normalised_parameters, state_credentials
    ) -> None:
        env.stack.pop()
        kind = {
            "createProcessingJob": "processing",
            "createTrainingJob": "training",
            "createHyperParameterTuningJob": "tuning",
            "createTransformJob": "transform",
        }[self.resource.api_action]
        resource = self.resource.api_action.removeprefix("create")
        name = normalised_parameters[f"{resource}Name"]
        job = self.jobs.wait(kind, name, still_wanted=env.is_running)
        if job is None:  # the state timed out or the execution was stopped: AWS stops the job
            self.jobs.answer(f"Stop{resource}", {f"{resource}Name": name})
            return
        job = to_text(job)
        if job[f"{resource}Status"] != "Completed":
            failed = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
            raise FailureEventException(self._failure(env, failed, json.dumps(job)))
        env.stack.append(job)

    def _from_error(self, env, ex: Exception) -> FailureEvent:
        """SageMaker's errors as Step Functions names them: those in its model by name, others alike."""
        if not isinstance(ex, ClientError):
            return super()._from_error(env=env, ex=ex)
        error, meta = ex.response["Error"], ex.response["ResponseMetadata"]
        modelled = error["Code"] in service_model("sagemaker").shape_names
        name = (
            f"SageMaker.{error['Code'].removesuffix('Exception') if modelled else 'AmazonSageMaker'}Exception"
        )
        details = f"Status Code: {meta['HTTPStatusCode']}; Error Code: {error['Code']}"
        return self._failure(
            env, CustomErrorName(name), f"{error['Message']} (Service: AmazonSageMaker; {details})"
        )

    def _failure(self, env, error_name: ErrorName, cause: str) -> FailureEvent:
        details = TaskFailedEventDetails(
            error=error_name.error_name,
            cause=cause,
            resource=self._get_sfn_resource(),
            resourceType=self._get_sfn_resource_type(),
        )
        return FailureEvent(
            env=env,
            error_name=error_name,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )


def busy_executions(region: str) -> int:
    """How many executions have not ended and do not wait for an answer from outside."""
    machines = executing_models.stepfunctions_parser_backends[ACCOUNT][region].state_machines
    executions = [execution for machine in machines for execution in list(machine.executions)]
    return sum(execution.status == "RUNNING" and not _waits(execution) for execution in executions)


def _waits(execution: Execution) -> bool:
    """Whether an answer with a task token is awaited, and has not come."""
    if execution.exec_worker is None or execution.exec_worker.env is None:
        return False
    endpoints = list(execution.exec_worker.env.callback_pool_manager._pool.values())
    return any(getattr(each, "is_awaited", False) and not each._notify_event.is_set() for each in endpoints)


# ---------------------------------------------------------------- functions, events, messages


def install_functions(
    invoke: Callable[[Function, object], Outcome],
    invoke_later: Callable[[str, object], None],
    on_mapping: Callable[[str, str, str], None],
) -> None:
    """Let functions really run; tell `on_mapping(id, queue ARN, function ARN)` whom to poll."""

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


# ---------------------------------------------------------------- objects


def install_objects(folder: ObjectFolder) -> None:
    """Keep S3's objects in `folder`, and make its notifications what AWS sends."""
    backend = s3_models.S3Backend
    original_put, original_delete = backend.put_object, backend.delete_object
    original_complete, original_event = backend.complete_multipart_upload, notifications._get_s3_event
    arranging, completing = threading.RLock(), threading.local()

    def arrange(self, bucket_name: str, key_name: str, before: list) -> None:
        after = self.get_bucket(bucket_name).keys.getlist(key_name, [])
        versions = [(str(key.version_id), getattr(key, "_value_buffer", None)) for key in after]
        folder.arrange(bucket_name, key_name, versions)
        kept = {stored.path for _, stored in versions if stored}
        for key in before:
            stored = getattr(key, "_value_buffer", None)
            if isinstance(stored, StoredObject) and stored.path not in kept:
                stored.remove()

    def put_object(self, bucket_name, key_name, value, *args, **kwargs):
        silent = kwargs.pop("disable_notification", False)
        with arranging:
            bucket = self.get_bucket(bucket_name)
            before = list(bucket.keys.getlist(key_name, []))
            key = original_put(self, bucket_name, key_name, value, *args, disable_notification=True, **kwargs)
            key.etag  # noqa: B018 computed once, from the bytes in memory
            stored = folder.store(bucket_name, key_name, str(key.version_id), value)
            with key.lock:
                spooled, key._value_buffer = key._value_buffer, stored
            spooled.close()
            arrange(self, bucket_name, key_name, before)
        if not silent and not getattr(completing, "now", False):
            verb = "POST" if kwargs.get("request_method") == "POST" else "PUT"
            event = getattr(notifications.S3NotificationEvent, f"OBJECT_CREATED_{verb}_EVENT")
            notifications.send_event(self.account_id, event, bucket, key)
        return key

    def complete_multipart_upload(self, bucket_name, multipart_id, body):
        completing.now = True
        try:
            key = original_complete(self, bucket_name, multipart_id, body)
        finally:
            completing.now = False
        if key.multipart:
            key.multipart.dispose()
            key.multipart = None
        return key

    def delete_object(self, bucket_name, key_name, *args, **kwargs):
        with arranging:
            before = list(self.get_bucket(bucket_name).keys.getlist(key_name, []))
            answer = original_delete(self, bucket_name, key_name, *args, **kwargs)
            arrange(self, bucket_name, key_name, before)
        return answer

    def s3_event(event_name, bucket, key, notification_id):
        event = original_event(event_name, bucket, key, notification_id)
        for record in event["Records"]:
            record["s3"]["object"]["sequencer"] = f"{int(key.last_modified.timestamp() * 1e6):016X}"
            if bucket.is_versioned:
                record["s3"]["object"]["versionId"] = key.version_id
        return event

    backend.put_object, backend.delete_object = put_object, delete_object
    backend.complete_multipart_upload, notifications._get_s3_event = complete_multipart_upload, s3_event
    s3_models.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL


# ---------------------------------------------------------------- CloudFormation


def install_cloudformation(s3_client) -> None:
    """Let a stack's state machines execute; give effect to properties that moto leaves out."""
    machine_models.stepfunctions_backends = executing_models.stepfunctions_parser_backends

    def machine_definition(properties: dict) -> None:
        properties["DefinitionString"] = resolved_definition(properties, s3_client)

    def finish_bucket(bucket, properties: dict) -> None:
        if "VersioningConfiguration" in properties:
            s3_client.put_bucket_versioning(
                Bucket=bucket.name, VersioningConfiguration=properties["VersioningConfiguration"]
            )
        queues = properties.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
        if queues:
            s3_client.put_bucket_notification_configuration(
                Bucket=bucket.name,
                NotificationConfiguration={"QueueConfigurations": [_notification(queue) for queue in queues]},
            )

    def finish_function(function, properties: dict) -> None:
        function.dead_letter_queue_arn = properties.get("DeadLetterConfig", {}).get("TargetArn")

    _around_creation(machine_models.StateMachine, before=machine_definition)
    _around_creation(s3_models.FakeBucket, after=finish_bucket)
    _around_creation(lambda_models.LambdaFunction, after=finish_function)
    _add_attributes(machine_models.StateMachine, Arn=lambda machine: machine.arn)


class ScheduleResource(CloudFormationModel):
    """`AWS::Scheduler::Schedule`, new to moto's CloudFormation, which finds models by their base."""

    def __init__(self, name: str):
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Scheduler::Schedule"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        scheduler_models.scheduler_backends[account_id][region_name].create_schedule(
            description=properties.get("Description"),
            end_date=None,
            flexible_time_window=properties["FlexibleTimeWindow"],
            group_name=None,
            kms_key_arn=None,
            name=resource_name,
            schedule_expression=properties["ScheduleExpression"],
            schedule_expression_timezone=properties.get("ScheduleExpressionTimezone"),
            start_date=None,
            state=properties.get("State"),
            target=properties["Target"],
            action_after_completion=None,
        )
        return cls(resource_name)


def _around_creation(model, before=lambda properties: None, after=lambda resource, properties: None) -> None:
    original = model.create_from_cloudformation_json.__func__

    def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        before(cloudformation_json["Properties"])
        resource = original(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
        after(resource, cloudformation_json["Properties"])
        return resource

    model.create_from_cloudformation_json = classmethod(create)


def _add_attributes(model, **attributes: Callable) -> None:
    """Make `Fn::GetAtt` know more of a resource."""
    has, get = model.has_cfn_attr, model.get_cfn_attribute

    def get_more(self, name: str):
        return attributes[name](self) if name in attributes else get(self, name)

    model.has_cfn_attr = classmethod(lambda cls, attr: attr in attributes or has(attr))
    model.get_cfn_attribute = get_more


def resolved_definition(properties: dict, s3_client) -> str:
    """A state machine's definition, its substitutions made. Raises ValueError for one without a value."""
    if "DefinitionS3Location" in properties:
        place = properties["DefinitionS3Location"]
        text = s3_client.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
    elif "Definition" in properties:
        text = json.dumps(properties["Definition"])
    else:
        text = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", str(value))
    if "${" in text:
        missing = text.split("${", 1)[1].split("}", 1)[0]
        raise ValueError(
            f"{properties.get('StateMachineName')}: the definition has no value for ${{{missing}}}"
        )
    return text


def _notification(queue: dict) -> dict:
    """A bucket's queue notification, from CloudFormation's words to the API's."""
    rules = queue.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    filters = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {"QueueArn": queue["Queue"], "Events": [queue["Event"]], **filters}
