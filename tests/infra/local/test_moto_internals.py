"""What we rely on inside moto. On an upgrade this fails first, and says where to look.

Each test is about one thing that infra/local/moto_internals replaces or reads.
"""

import ast
import inspect
import json
from importlib.metadata import version
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core import DEFAULT_ACCOUNT_ID, serialize
from moto.core.common_models import BaseModel
from moto.core.config import default_user_config
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.events.models import EventTemplateParser, Rule
from moto.iam.models import IAMBackend, Role, iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3 import models as s3_models
from moto.s3 import notifications
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend, s3_backends
from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.sns.models import Topic
from moto.sqs.models import Queue
from moto.stepfunctions import models as machines
from moto.stepfunctions.parser import asl
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.common.retry.max_attempts_decl import MaxAttemptsDecl
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, CallbackPoolManager
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from infra.local import refusals
from infra.local.endpoint import ACCOUNT
from infra.local.moto_internals import Surroundings
from infra.local.moto_internals.listing import SortedKeys


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
        (DomainDispatcherApplication.get_backend_for_host, ["self", "host"]),
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


def test_evaluation_writes_nothing_to_a_program_that_executions_share():
    package = Path(asl.__file__).parent / "component"
    written = {
        (cls.name, method.name, attribute.attr)
        for path in package.rglob("*.py")
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(cls, ast.ClassDef)
        for method in cls.body
        if isinstance(method, ast.FunctionDef) and method.name not in ("__init__", "from_state_props")
        for attribute in ast.walk(method)
        if isinstance(attribute, ast.Attribute) and isinstance(attribute.ctx, ast.Store)
        if ast.unparse(attribute.value) == "self"
    }
    made_for_each = {"IterationWorker", "JobPool", "Counter", "MapRunRecord", "BranchWorker"}
    assert {each for each in written if each[0] not in made_for_each | {"BranchWorkerPool"}} == {
        ("EvalComponent", "heap_key", "__heap_key")
    }


def test_a_key_of_an_executions_memory_is_taken_of_the_component():
    assert isinstance(EvalComponent.heap_key, property)
    source = inspect.getsource(MaxAttemptsDecl)
    assert "self.heap_key" in source and "env.heap[" in source


def test_a_path_is_parsed_where_we_parse_it_once():
    assert "parse(path)" in inspect.getsource(json_path.extract_json)
    assert "parse(self.result_path_src)" in inspect.getsource(result_path.ResultPath._eval_body)


def test_a_time_is_parsed_where_we_parse_it_once():
    source = inspect.getsource(serialize.TimestampSerializer._convert_timestamp_to_str)
    assert "= parse_to_aware_datetime(value)" in source


def test_a_query_looks_for_its_partition_among_all_items():
    assert "for item in self.all_items()" in inspect.getsource(Table.query)
    assert "in self.items.values()" in inspect.getsource(Table.all_items)
    assert list(inspect.signature(Table.query).parameters)[:2] == ["self", "hash_key"]
    assert "index_name" in inspect.signature(Table.query).parameters


def test_a_transaction_copies_its_tables_and_an_update_changes_an_item_in_place():
    source = inspect.getsource(DynamoDBBackend.transact_write_items)
    assert "copy.deepcopy(\n                    self.tables[table_name]" in source
    assert "orig_item = copy.deepcopy(item)" in inspect.getsource(DynamoDBBackend.update_item)


@pytest.mark.parametrize("range_key", [[], ["entry"]])
def test_a_transaction_that_fails_leaves_all_items_as_they_were(client, name, range_key):
    keys = ["group", *range_key]
    tables = client("dynamodb")
    tables.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ["HASH", "RANGE"], strict=False)
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for group in ("A", "B"):
        tables.put_item(TableName=name, Item={**{key: {"S": group} for key in keys}, "n": {"N": "1"}})

    def changed(action, group, **more):
        return {action: {"TableName": name, "Key": {key: {"S": group} for key in keys}, **more}}

    update = {"UpdateExpression": "SET n = :two", "ExpressionAttributeValues": {":two": {"N": "2"}}}
    refused = {"ConditionExpression": "attribute_exists(nothing_there)"}
    before = tables.scan(TableName=name)["Items"]
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        tables.transact_write_items(
            TransactItems=[
                changed("Update", "A", **update),
                changed("Delete", "B"),
                {"Put": {"TableName": name, "Item": {key: {"S": "C"} for key in keys}}},
                changed("ConditionCheck", "D", **refused),
            ]
        )
    assert tables.scan(TableName=name)["Items"] == before
    tables.transact_write_items(TransactItems=[changed("Update", "A", **update), changed("Delete", "B")])
    assert [item["n"] for item in tables.scan(TableName=name)["Items"]] == [{"N": "2"}]


def test_motos_applications_run_in_debug_mode_unless_told_otherwise():
    assert create_backend_app("sts").debug
    assert "self.create_app(backend)" in inspect.getsource(DomainDispatcherApplication.get_application)


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


def test_a_roles_documents_are_where_we_read_them():
    backend, name = iam_backends[ACCOUNT]["aws"], "read-where-they-are"
    documents = [
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
        for action in ("s3:ListBucket", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    ]
    inline, older, newer = map(json.dumps, documents)
    role = backend.create_role(name, inline, "/", None, None, [], 3600)
    policy = backend.create_policy(None, "/", older, name, [])
    try:
        backend.put_role_policy(name, "inline", inline)
        backend.create_policy_version(policy.arn, newer, "true")
        backend.attach_role_policy(policy.arn, name)
        assert Surroundings().role(role.arn) == refusals.Role(documents[0], (documents[0], documents[2]))
        assert Surroundings().role(f"{role.arn}s") is None
    finally:
        backend.detach_role_policy(policy.arn, name)
        backend.delete_role_policy(name, "inline")
        backend.delete_role(name)
        backend.delete_policy(policy.arn)


def test_a_buckets_objects_are_where_we_read_them(monkeypatch):
    monkeypatch.setattr(s3_models, "_VersionedKeyStore", SortedKeys)
    backend, name = s3_backends[ACCOUNT]["aws"], "read-where-they-are"
    backend.create_bucket(name, "eu-central-1")
    try:
        backend.put_bucket_versioning(name, "Enabled")
        backend.put_object(name, "there/object", b"")
        backend.put_object(name, "deleted/object", b"")
        backend.delete_object(name, "deleted/object")
        found = [uri for uri in ("there/", "there/obj", "deleted/", "no") if has(f"s3://{name}/{uri}")]
        assert found == ["there/", "there/obj"]
        assert not has("s3://no-such-bucket/there/")
    finally:
        del backend.buckets[name]


def has(uri: str) -> bool:
    return Surroundings().has_objects(uri)
