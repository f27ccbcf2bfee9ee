"""The SageMaker control plane of jobs and models: checks, records, describes, lists, stops, wakes who waits.

The emulator underneath completes every job at once and forgets part of each request, so these operations are
answered here, from AWS's own interface description. What AWS refuses besides is in infra/local/refusals/; the
worker (infra/local/sagemaker/) does the work.
"""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.model import ListShape, OperationModel, StructureShape

from infra.local import refusals
from infra.local.aws_models import InvalidRequest, check, only_members, service_model

TERMINAL = {"Completed", "Failed", "Stopped"}
# What a kind is called here, in the names of operations and members, and in ARNs.
RESOURCES = {
    "processing": ("ProcessingJob", "processing-job"),
    "training": ("TrainingJob", "training-job"),
    "tuning": ("HyperParameterTuningJob", "hyper-parameter-tuning-job"),
    "transform": ("TransformJob", "transform-job"),
    "model": ("Model", "model"),
}
END_TIMES = {"processing": "ProcessingEndTime", "training": "TrainingEndTime"}
END_TIMES |= {"tuning": "HyperParameterTuningEndTime", "transform": "TransformEndTime"}
#: Instances at once, of one type for one kind of job: more than a month of sixty groups asks for. Here it is
#: the processors that are few; whoever waited for a quota would wait by the clock, and leave them idle.
QUOTA = 1_000
_OPERATION = re.compile(r"(Create|Describe|List|Stop|Delete)(\w+?)(s?)")


class ServiceError(Exception):
    """An error answer of the service; `code` is what AWS calls it."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Worker(Protocol):
    """Who runs the jobs. It reports by `on_change(kind, name, changes)`: members of the describe answer."""

    def submit(self, kind: str, request: dict[str, Any]) -> None: ...

    def cancel(self, kind: str, name: str) -> None: ...


class Surroundings(Protocol):
    """What SageMaker asks of other services before it takes a job."""

    def has_objects(self, uri: str) -> bool: ...

    def role(self, arn: str) -> refusals.Role | None: ...


class Jobs:
    """Records of jobs and models by kind and name.

    Args:
        region: where ARNs place them.
        account: likewise.
        announce: called as `announce(kind, name, status)` at each change of a job's status.
        surroundings: whom to ask for objects in S3 and for roles.
        quota: instances at once, of one type for one kind of job.
    """

    def __init__(
        self,
        region: str,
        account: str,
        announce: Callable[[str, str, str], None],
        surroundings: Surroundings,
        quota: int = QUOTA,
    ):
        self.region, self.number, self.quota = region, account, quota
        self.has_objects, self.role = surroundings.has_objects, surroundings.role
        self._arn_start = f"arn:aws:sagemaker:{region}:{account}"
        self._announce = announce
        self._records: dict[tuple[str, str], dict[str, Any]] = {}
        #: Of each job that has not ended, what says so to those who wait for its end.
        self._ends: dict[tuple[str, str], threading.Event] = {}
        self._lock = threading.RLock()
        self.worker: Worker  # set by who makes both, as each needs the other

    def handles(self, operation: str) -> bool:
        """True for the operations answered here; the rest of SageMaker is the emulator's."""
        return operation == "ListTrainingJobsForHyperParameterTuningJob" or self._parse(operation) is not None

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The response to one API call. Raises ServiceError."""
        model = service_model("sagemaker").operation_model(operation)
        try:
            check(request, model)
        except InvalidRequest as error:
            raise ServiceError(error.code, str(error)) from None
        self._refuse(refusals.BEFORE, operation, request)
        if operation == "ListTrainingJobsForHyperParameterTuningJob":
            response = self._list(
                "training", request, model, in_tuning_job=request["HyperParameterTuningJobName"]
            )
        else:
            parsed = self._parse(operation)
            if parsed is None:
                raise ServiceError("UnknownOperationException", f"{operation} is not answered here.")
            verb, kind = parsed
            response = getattr(self, f"_{verb.lower()}")(kind, request, model)
        return only_members(response, model.output_shape)

    def on_change(self, kind: str, name: str, changes: dict[str, Any]) -> None:
        """Take the worker's report. A tuning job's training job begins with the first one."""
        now = datetime.now(UTC)
        status_member = f"{RESOURCES[kind][0]}Status"
        with self._lock:
            record = self._records.get((kind, name), {})
            before = record.get(status_member)
            if not record:
                record = self._new_record(kind, {f"{RESOURCES[kind][0]}Name": name})
                self._records[kind, name] = record
                self._ends[kind, name] = threading.Event()
            record.update(changes, LastModifiedTime=now)
            status = record[status_member]
            if status in TERMINAL:
                record.setdefault(END_TIMES[kind], now)
                if ended := self._ends.pop((kind, name), None):
                    ended.set()
        if status != before or "SecondaryStatus" in changes:
            self._announce(kind, name, status)

    def describe(self, kind: str, name: str) -> dict[str, Any]:
        """The describe answer, datetimes as datetimes. Raises ServiceError."""
        model = service_model("sagemaker").operation_model(f"Describe{RESOURCES[kind][0]}")
        with self._lock:
            record = self._find(kind, name, model)
            return only_members(record, model.output_shape)

    def wait(self, kind: str, name: str, still_wanted: Callable[[], bool]) -> dict[str, Any] | None:
        """The describe answer, once the job has ended; None if the caller gave up (checked each second)."""
        ended = self._ends.get((kind, name))
        while ended and not ended.wait(1.0):
            if not still_wanted():
                return None
        return self.describe(kind, name)

    def record(self, kind: str, name: str) -> dict[str, Any] | None:
        """All that was asked for and reported of a job or model; None if there is none."""
        return self._records.get((kind, name))

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Of each job or model of a kind what `record` gives."""
        return [record for (of_kind, _), record in self._records.items() if of_kind == kind]

    def under_way(self) -> list[dict[str, Any]]:
        """Of each job that has not ended what `record` gives."""
        with self._lock:
            return [self._records[each] for each in self._ends]

    def saved(self) -> list[Any]:
        """Kind, name and all that is known of each job and model."""
        with self._lock:
            return [[kind, name, dict(record)] for (kind, name), record in self._records.items()]

    def restore(self, saved: list[Any]) -> None:
        """Take what was saved; a job that had not ended has failed, by a fault that is not its own."""
        now = datetime.now(UTC)
        with self._lock:
            for kind, name, record in saved:
                status = f"{RESOURCES[kind][0]}Status"
                if kind != "model" and record[status] not in TERMINAL:
                    reason = "InternalServerError: the local stack ended while this job ran"
                    record |= {status: "Failed", "FailureReason": reason, "LastModifiedTime": now}
                    record.setdefault(END_TIMES[kind], now)
                self._records[kind, name] = record

    def _parse(self, operation: str) -> tuple[str, str] | None:
        found = _OPERATION.fullmatch(operation)
        if not found:
            return None
        kinds = [kind for kind, (resource, _) in RESOURCES.items() if resource == found[2]]
        return (found[1], kinds[0]) if kinds else None

    def _refuse(self, rows: tuple[refusals.Refusal, ...], operation: str, request: dict[str, Any]) -> None:
        if found := refusals.first(rows, operation, request, self):
            row, message = found
            raise ServiceError(row.code, message)

    def _find(self, kind: str, name: str, model: OperationModel) -> dict[str, Any]:
        try:
            return self._records[kind, name]
        except KeyError:
            modelled = any(shape.name == "ResourceNotFound" for shape in model.error_shapes)
            # For training jobs the service does not keep to its model: aws/aws-sdk issue 165.
            code = "ResourceNotFound" if modelled and kind != "training" else "ValidationException"
            raise ServiceError(code, f"Requested resource not found: {RESOURCES[kind][0]} {name}") from None

    def _new_record(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        resource, in_arn = RESOURCES[kind]
        now = datetime.now(UTC)
        record = {**request, f"{resource}Arn": f"{self._arn_start}:{in_arn}/{request[f'{resource}Name']}"}
        record |= {"CreationTime": now, "LastModifiedTime": now}
        if kind != "model":
            record[f"{resource}Status"] = "InProgress"
        if kind == "training":
            record["SecondaryStatus"] = "Starting"
            record.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": 86_400})
        if kind == "tuning":
            counters = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
            record["TrainingJobStatusCounters"] = dict.fromkeys(counters, 0)
            record["Strategy"] = request["HyperParameterTuningJobConfig"]["Strategy"]
            record["ResourceLimits"] = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
            record["ObjectiveStatusCounters"] = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
        return record

    def _create(self, kind: str, request: dict[str, Any], model: OperationModel) -> dict[str, Any]:
        resource = RESOURCES[kind][0]
        name = request[f"{resource}Name"]
        with self._lock:
            self._refuse(refusals.WITH_RECORDS, model.name, request)
            record = self._records[kind, name] = self._new_record(kind, request)
            if kind != "model":
                self._ends[kind, name] = threading.Event()
            arn = record[f"{resource}Arn"]
        if kind != "model":
            self._announce(kind, name, "InProgress")
            self.worker.submit(kind, request)
        return {f"{resource}Arn": arn}

    def _describe(self, kind: str, request: dict[str, Any], model: OperationModel) -> dict[str, Any]:
        return self.describe(kind, request[f"{RESOURCES[kind][0]}Name"])

    def _stop(self, kind: str, request: dict[str, Any], model: OperationModel) -> dict[str, Any]:
        resource = RESOURCES[kind][0]
        name = request[f"{resource}Name"]
        with self._lock:
            record = self._find(kind, name, model)
            self._refuse(refusals.WITH_RECORDS, model.name, request)
            record[f"{resource}Status"] = "Stopping"
        self.worker.cancel(kind, name)
        return {}

    def _delete(self, kind: str, request: dict[str, Any], model: OperationModel) -> dict[str, Any]:
        name = request[f"{RESOURCES[kind][0]}Name"]
        with self._lock:
            self._find(kind, name, model)
            self._refuse(refusals.WITH_RECORDS, model.name, request)
            del self._records[kind, name]
        return {}

    def _list(
        self, kind: str, request: dict[str, Any], model: OperationModel, in_tuning_job: str | None = None
    ) -> dict[str, Any]:
        resource = RESOURCES[kind][0]
        with self._lock:
            records = self.records(kind)
        records = [
            record
            for record in records
            if request.get("NameContains", "") in record[f"{resource}Name"]
            and request.get("StatusEquals") in (None, record.get(f"{resource}Status"))
            and (not in_tuning_job or record.get("TuningJobArn", "").endswith(f"/{in_tuning_job}"))
        ]
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            metric = "FinalHyperParameterTuningJobObjectiveMetric"
            records = [record for record in records if metric in record]
            records.sort(key=lambda record: record[metric]["Value"])
        else:
            records.sort(key=lambda record: record["CreationTime"])
        if request.get("SortOrder", "Descending") == "Descending":
            records.reverse()
        start, size = int(request.get("NextToken", 0)), request.get("MaxResults", 10)
        answer = model.output_shape
        assert isinstance(answer, StructureShape)
        member, shape = next((n, s) for n, s in answer.members.items() if isinstance(s, ListShape))
        page = [only_members(record, shape.member) for record in records[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(records) else {}
        return {member: page, **more}
