"""What we rely on inside moto. On an upgrade this fails first, and says where to look.

Each test is about one thing that infra/local/moto_internals replaces or reads.
"""

import inspect
from importlib.metadata import version

import pytest
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.common_models import BaseModel
from moto.core.config import default_user_config
from moto.events.models import EventTemplateParser, Rule
from moto.iam.models import IAMBackend, Role
from moto.s3 import notifications
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend
from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.sns.models import Topic
from moto.sqs.models import Queue
from moto.stepfunctions import models as machines
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, CallbackPoolManager
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from infra.local.endpoint import ACCOUNT


def test_moto_is_the_version_that_was_read():
    assert version("moto") == "5.2.5", (
        "read infra/local/moto_internals against the new source, then change this"
    )


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (state_task_factory.state_task_service_for, ["service_name"]),
        (
            StepFunctionsParserBackend.start_execution,
            ["self", "state_machine_arn", "name", "execution_input"],
        ),
        (BaseExecutionWorkerCommunication.terminated, ["self"]),
        (Execution.start, ["self"]),
        (Execution.to_describe_output, ["self"]),
        (CallbackEndpoint.wait, ["self", "timeout"]),
        (Execution.to_history_output, ["self"]),
        (LambdaFunction.invoke, ["self", "body", "request_headers", "response_headers"]),
        (LambdaBackend.create_event_source_mapping, ["self", "spec"]),
        (LambdaBackend.get_function, ["self", "function_name_or_arn"]),
        (Rule.send_to_targets, ["self", "original_event", "transform_input"]),
        (EventTemplateParser.parse, ["input_template", "input_paths_map", "event"]),
        (Topic.publish, ["self", "message", "subject"]),
        (S3Backend.put_object, ["self", "bucket_name", "key_name", "value"]),
        (S3Backend.delete_object, ["self", "bucket_name", "key_name"]),
        (S3Backend.complete_multipart_upload, ["self", "bucket_name", "multipart_id", "body"]),
        (FakeMultipart.dispose, ["self"]),
        (FakeBucket.get_permission, ["self", "action", "resource"]),
        (notifications._get_s3_event, ["event_name", "bucket", "key", "notification_id"]),
        (EventBridgeSchedulerBackend.create_schedule, ["self", "description", "end_date"]),
        (IAMBackend.attach_role_policy, ["self", "policy_arn", "role_name"]),
        (machines.StateMachine.has_cfn_attr, ["attr"]),
        (machines.StateMachine.get_cfn_attribute, ["self", "attribute_name"]),
    ],
)
def test_what_is_replaced_takes_what_it_took(function, parameters):
    assert list(inspect.signature(function).parameters)[: len(parameters)] == parameters


@pytest.mark.parametrize("model", [machines.StateMachine, FakeBucket, LambdaFunction, Role])
def test_cloudformation_makes_resources_through_one_class_method(model):
    parameters = inspect.signature(model.create_from_cloudformation_json).parameters
    assert list(parameters) == ["resource_name", "cloudformation_json", "account_id", "region_name", "kwargs"]


def test_state_machines_of_a_stack_are_made_in_the_backend_named_in_their_module():
    source = inspect.getsource(machines.StateMachine.create_from_cloudformation_json)
    assert "stepfunctions_backends[account_id][region_name]" in source


def test_an_object_reads_its_bytes_from_a_buffer_that_can_be_exchanged():
    key = FakeKey("key", b"content", account_id="123456789012", region_name="eu-central-1")
    assert key._value_buffer.read is not None
    assert "self._value_buffer.seek(0)" in inspect.getsource(FakeKey.value.fget)
    key.dispose()


def test_a_queue_keeps_its_messages_and_mappings_where_we_look():
    queue = Queue("q", "eu-central-1", "123456789012")
    assert queue._messages == []
    assert queue.lambda_event_source_mappings == {}


def test_a_task_waits_for_its_job_where_we_wait():
    task = state_task_service_callback.StateTaskServiceCallback
    assert list(inspect.signature(task._eval_integration_pattern).parameters) == [
        "self",
        "env",
        "resource_runtime_part",
        "normalised_parameters",
        "state_credentials",
    ]
    assert "self._eval_integration_pattern(" in inspect.getsource(task._after_eval_execution)


def test_an_endpoint_says_whether_its_answer_has_come():
    pool = CallbackPoolManager(activity_store={})
    endpoint = pool.add("token")
    assert list(pool._pool.values()) == [endpoint] and not endpoint._notify_event.is_set()
    endpoint.notify(None)
    assert endpoint._notify_event.is_set()


def test_credentials_that_nobody_made_belong_to_the_account_we_name():
    assert DEFAULT_ACCOUNT_ID == ACCOUNT


def test_an_execution_takes_its_program_from_the_parser():
    source = inspect.getsource(ExecutionWorker._get_evaluation_entrypoint)
    assert "AmazonStateLanguageParser.parse(" in source
    assert "_get_evaluation_entrypoint()" in inspect.getsource(ExecutionWorker._execution_logic)


def test_what_moto_keeps_for_good_is_where_we_forget_it():
    assert "instances_tracked.append(instance)" in inspect.getsource(BaseModel.__new__)
    assert "TMP_THREADS.append(" in inspect.getsource(ExecutionWorker.start)
    assert "self.sent_notifications.append(" in inspect.getsource(Topic.publish)
    assert "self.exec_worker.env" in inspect.getsource(Execution.to_history_output)


def test_the_time_of_a_states_entry_is_put_where_we_rewrite_it():
    assert "StateData(\n            EnteredTime=" in inspect.getsource(
        state_module.CommonStateField._eval_body
    )


def test_executing_state_machines_is_a_setting():
    assert "execute_state_machine" in default_user_config["stepfunctions"]
