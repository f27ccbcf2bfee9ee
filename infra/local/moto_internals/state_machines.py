"""State machines run SageMaker's jobs to their end, and say when they start, wait and end.

moto does not support SageMaker's `.sync`; each execution parses its definition, each task makes a client
anew; a name is checked and taken in two steps, so that two requests at once could both have it. A state's
time of entry is written otherwise than on AWS. It passes what an `aws-sdk:` task says to boto3 as it is
spelled there.
"""

import functools
import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime

from botocore.exceptions import ClientError
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.stepfunctions.exceptions import ValidationException
from moto.stepfunctions.parser import models as executing_models
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType, TaskFailedEventDetails
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
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, CallbackOutcomeSuccess
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.eval.states import StateData
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution

from infra.local.aws_models import service_model, to_text
from infra.local.endpoint import ACCOUNT, Connection
from infra.local.jobs import Jobs
from infra.local.moto_internals.memory import forget_work


def install_state_machines(
    jobs: Jobs,
    connection: Connection,
    on_change: Callable[[dict, list[dict] | None], None],
    on_wait: Callable[[], None],
) -> None:
    """Let state machines run SageMaker jobs through `jobs`; call `on_change(description, history)` for each.

    Called at an execution's start (history None; ARN and status only) and end; both as the API answers them.
    `on_wait` is called when one begins to wait for an answer from outside, by a task token.
    """
    clients = _Clients(connection)
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and hasattr(module, "boto_client_for"):
            module.boto_client_for = clients.client_for

    StateTaskServiceAwsSdk._normalise_parameters = with_botos_names
    StateTaskServiceAwsSdk._normalise_response = with_capitals
    emulated = state_task_factory.state_task_service_for

    def state_task_service_for(service_name: str):
        return SageMakerTask(jobs) if service_name == "sagemaker" else emulated(service_name)

    # "EnteredTime": "2019-03-26T20:14:13.192Z" (Step Functions Developer Guide, "Accessing execution data
    # from the Context object"); moto has microseconds and an offset.
    state_module.StateData = lambda EnteredTime, Name: StateData(
        EnteredTime=iso_8601_datetime_with_milliseconds(datetime.fromisoformat(EnteredTime)), Name=Name
    )
    state_task_factory.state_task_service_for = state_task_service_for
    # Executions share a program, which takes 200 ms to parse. Evaluation writes nothing to it but names of
    # places in the execution's own memory, made up at first use: by two executions at once, differently.
    parse = functools.lru_cache(AmazonStateLanguageParser.parse)
    AmazonStateLanguageParser.parse = staticmethod(parse)
    EvalComponent.heap_key = property(lambda self: str(id(self)))

    start_execution = executing_models.StepFunctionsParserBackend.start_execution
    starting = threading.RLock()

    def start_execution_alone(self, state_machine_arn: str, name: str, execution_input: str):
        most = service_model("stepfunctions").shape_for("SensitiveData").metadata["max"]
        if len(execution_input) > most:
            constraint = f"Member must have length less than or equal to {most}"
            raise ValidationException(
                f"1 validation error detected: Value at 'input' failed to satisfy constraint: {constraint}"
            )
        with starting:
            return start_execution(self, state_machine_arn, name, execution_input)

    executing_models.StepFunctionsParserBackend.start_execution = start_execution_alone
    original_start = Execution.start

    def start(self) -> None:
        on_change({"executionArn": self.exec_arn, "status": "RUNNING"}, None)
        original_start(self)

    Execution.start = start
    original_stop = Execution.stop

    def stop(self, *details, **further) -> None:
        if self.stop_date:  # it has ended by itself
            return
        # moto knows no stop before the execution's thread has begun.
        while self.exec_worker and self.exec_worker.env is None:
            time.sleep(0.01)
        original_stop(self, *details, **further)
        # Nor does it end one that waits for an answer from outside: an empty one, with which nothing is done.
        for endpoint in _endpoints(self):
            endpoint.notify(CallbackOutcomeSuccess(endpoint.callback_id, "{}"))

    Execution.stop = stop
    original_error = Environment.set_error

    def set_error(self, error) -> None:
        # A run that was stopped stays so, whatever its last state meets while it winds up.
        if not isinstance(self.program_state(), ProgramStopped):
            original_error(self, error)

    Environment.set_error = set_error
    original_terminated = BaseExecutionWorkerCommunication.terminated

    def terminated(self) -> None:
        _ending.add(self.execution)
        try:
            original_terminated(self)
            on_change(self.execution.to_describe_output(), self.execution.to_history_output()["events"])
        finally:
            _ending.discard(self.execution)
        forget_work(self.execution)

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

    def __init__(self, connection: Connection):
        self._connection = connection
        self._clients: dict[tuple[str, str], object] = {}
        self._lock = threading.Lock()

    def client_for(self, region: str, service: str, state_credentials=None):
        with self._lock:
            if (region, service) not in self._clients:
                self._clients[region, service] = self._connection.client(service, region, validate=False)
            return self._clients[region, service]


def with_botos_names(self: StateTaskServiceAwsSdk, parameters: dict) -> None:
    """In an `aws-sdk:` task names begin with a capital, also where those of the service's API do not.

    "Parameters in Step Functions are expressed in PascalCase, even if the native service API is in camelCase"
    (its Developer Guide, "Learning to use AWS service SDK integrations").
    """
    for name in list(parameters):
        action = self.resource.api_action
        model = service_model(self._get_boto_service_name())
        members = model.operation_model(action[0].upper() + action[1:]).input_shape.members
        small = name[0].lower() + name[1:]
        if small in members:
            parameters[small] = parameters.pop(name)


def with_capitals(self: StateTaskServiceAwsSdk, response: dict) -> None:
    """The answer to an `aws-sdk:` task, whose names begin with a capital; times become text."""
    for name, value in to_text(dict(response)).items():
        del response[name]
        response[name[0].upper() + name[1:]] = value


class SageMakerTask(StateTaskServiceCallback):
    """`arn:aws:states:::sagemaker:create...[.sync]`: makes the API call; for `.sync` waits for the end."""

    def __init__(self, jobs: Jobs):
        super().__init__(supported_integration_patterns={ResourceCondition.Sync})
        self.jobs = jobs

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


#: Those that have ended, or are about to, but whose end may start something yet.
_ending: set[Execution] = set()


def busy_executions(region: str) -> int:
    """How many executions have not ended and do not wait for an answer from outside.

    One whose end is being told counts as well, as the event may start something.
    """
    machines = executing_models.stepfunctions_parser_backends[ACCOUNT][region].state_machines
    executions = [execution for machine in machines for execution in list(machine.executions)]
    running = (None, ExecutionStatus.RUNNING)  # it has none between being listed and being started
    # An execution is among those that are ending before it is no longer among the busy ones.
    return sum(each.exec_status in running and not _waits(each) for each in executions) + len(_ending)


def _waits(execution: Execution) -> bool:
    """Whether an answer with a task token is awaited, and has not come."""
    return any(
        getattr(each, "is_awaited", False) and not each._notify_event.is_set()
        for each in _endpoints(execution)
    )


def _endpoints(execution: Execution) -> list[CallbackEndpoint]:
    """Where answers to the execution's task tokens arrive."""
    if execution.exec_worker is None or execution.exec_worker.env is None:
        return []
    return list(execution.exec_worker.env.callback_pool_manager._pool.values())
