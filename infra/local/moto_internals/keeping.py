"""What moto holds of objects, runs and messages, as plain values, and back: the parts of ../keeping.py.

moto can only begin empty. Items need nothing of this: DynamoDB's own API reads and writes all there is.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from moto.s3 import models as s3_models
from moto.sqs import models as sqs_models
from moto.stepfunctions.parser import models as executing_models
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager
from moto.stepfunctions.parser.backend.execution import Execution

from infra.local.endpoint import ACCOUNT
from infra.local.executions import EndedExecutions
from infra.local.objects import ObjectFolder, StoredObject

#: What an object's version has besides its name and its bytes.
_OF_KEY = (
    *("contentsize", "last_modified", "_storage_class", "_etag", "_version_id", "_is_versioned"),
    *("encryption", "kms_key_id", "bucket_key_enabled"),
    *("checksum_algorithm", "checksum_value", "checksum_type", "checksum_parts"),
)
_OF_MESSAGE = (
    *("id", "body", "message_attributes", "system_attributes", "sent_timestamp"),
    *("approximate_first_receive_timestamp", "approximate_receive_count", "delayed_until"),
)


class Objects:
    """All versions of all objects, with their ids and dates; the bytes stay where they are in `folder`."""

    def __init__(self, folder: ObjectFolder):
        self._folder = folder

    def saved(self) -> dict[str, Any]:
        return {
            bucket.name: {name: [_version(self._folder, key) for key in keys] for name, keys in _keys(bucket)}
            for bucket in list(_buckets().values())
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """A key that is there again, of the code that was just uploaded, stays as it is."""
        buckets = _buckets()
        for name in buckets.keys() & saved.keys():
            bucket = buckets[name]
            for key, versions in saved[name].items():
                if not bucket.keys.getlist(key, []):
                    made = _restored(self._folder, name, bucket.region_name, key, versions)
                    if made:
                        bucket.keys.setlist(key, made)
        self._folder.keep_only(
            key._value_buffer.path
            for bucket in _buckets().values()
            for _, keys in _keys(bucket)
            for key in keys
            if isinstance(getattr(key, "_value_buffer", None), StoredObject)
        )


def _buckets() -> dict[str, Any]:
    backend: Any = s3_models.s3_backends[ACCOUNT]["aws"]
    return dict(backend.buckets)


def _keys(bucket: Any) -> Iterator[tuple[str, list[Any]]]:
    return ((name, list(bucket.keys.getlist(name, []))) for name in list(dict.keys(bucket.keys)))


def _version(folder: ObjectFolder, key: Any) -> dict[str, Any]:
    if isinstance(key, s3_models.FakeDeleteMarker):
        return {"deleted": key.version_id, "last_modified": key.last_modified}
    values = {name: getattr(key, name) for name in _OF_KEY}
    return {**values, "metadata": dict(key.metadata), "file": folder.about(key._value_buffer)}


def _restored(
    folder: ObjectFolder, bucket: str, region: str, name: str, versions: list[dict[str, Any]]
) -> list[Any]:
    """moto's versions of one key; one whose bytes are gone or are others is left out."""
    made: list[Any] = []
    for version in versions:
        if "deleted" in version:
            if made:
                marker = s3_models.FakeDeleteMarker(made[-1])
                marker._version_id, marker.last_modified = version["deleted"], version["last_modified"]
                made.append(marker)
            continue
        stored = folder.found(
            bucket, name, version["_version_id"] or "null", version["file"], version["_etag"]
        )
        if not stored:
            continue
        key: Any = s3_models.FakeKey(name, cast("bytes", stored), ACCOUNT, region, bucket_name=bucket)
        for attribute in _OF_KEY:
            setattr(key, attribute, version[attribute])
        key._metadata.update(version["metadata"])
        made.append(key)
    return made


class Messages:
    """The messages in all queues; those a poller has taken are there to be taken again."""

    def saved(self) -> dict[str, list[dict[str, Any]]]:
        return {
            queue.name: [
                {name: getattr(message, name) for name in _OF_MESSAGE} for message in list(queue._messages)
            ]
            for queue in list(_queues().values())
            if queue._messages
        }

    def restore(self, saved: dict[str, list[dict[str, Any]]]) -> None:
        for name, messages in saved.items():
            for values in messages if name in _queues() else ():
                message = sqs_models.Message(values["id"], values["body"])
                for attribute in _OF_MESSAGE:
                    setattr(message, attribute, values[attribute])
                _queues()[name].add_message(message)


def _queues() -> dict[str, Any]:
    return {
        queue.name: queue
        for region in sqs_models.sqs_backends[ACCOUNT].values()
        for queue in region.queues.values()
    }


class Executions:
    """Those that have ended, from their files; those that run are saved, and come back as interrupted.

    Attributes:
        interrupted: descriptions of runs that had not ended, now ABORTED, for who tells of their end.
    """

    def __init__(self, region: str, ended: EndedExecutions):
        self._backend: Any = executing_models.stepfunctions_parser_backends[ACCOUNT][region]
        self._ended = ended
        self.interrupted: list[dict[str, Any]] = []

    def saved(self) -> list[dict[str, Any]]:
        running = (None, ExecutionStatus.RUNNING)
        return [
            {
                "executionArn": each.exec_arn,
                "name": each.name,
                "startDate": each.start_date,
                "input": each.execution_input,
            }
            for machine in list(self._backend.state_machines)
            for each in list(machine.executions)
            if each.exec_status in running
        ]

    def restore(self, saved: list[dict[str, Any]]) -> None:
        machines = {machine.name: machine for machine in self._backend.state_machines}
        known = set()
        for description, history in self._ended:
            known.add(description["executionArn"])
            self._add(machines, description, history)
        for description in saved:
            if description["executionArn"] not in known:  # it may have ended after the last look
                end = {"stopDate": datetime.now(UTC), "cause": "The local stack ended while this ran."}
                interrupted = {**description, **end, "status": "ABORTED"}
                if self._add(machines, interrupted, list):
                    self.interrupted.append(interrupted)

    def _add(
        self,
        machines: dict[str, Any],
        description: dict[str, Any],
        history: Callable[[], list[dict[str, Any]]],
    ) -> bool:
        machine = machines.get(description["executionArn"].split(":")[-2])
        if not machine:  # of another version's templates
            return False
        description.setdefault("stateMachineArn", machine.arn)
        made: Any = Execution(
            name=description["name"],
            sm_type=machine.sm_type,
            role_arn=machine.roleArn,
            exec_arn=description["executionArn"],
            account_id=ACCOUNT,
            region_name=self._backend.region_name,
            state_machine=machine,
            start_date=description["startDate"],
            cloud_watch_logging_session=None,
            input_data=description["input"],
            activity_store={},
        )
        made.exec_status = ExecutionStatus(description["status"])
        made.stop_date = description["stopDate"]
        made.output = description.get("output")
        made.error, made.cause = description.get("error"), description.get("cause")
        made.to_history_output = lambda: {"events": history()}
        # Answers with task tokens are looked up in every execution.
        made.exec_worker = SimpleNamespace(env=SimpleNamespace(callback_pool_manager=CallbackPoolManager({})))
        machine.executions.append(made)
        return True
