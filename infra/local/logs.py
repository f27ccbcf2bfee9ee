"""CloudWatch Logs of SageMaker's jobs, as far as they are read: answered from the jobs' log files.

A file has no times. So its lines are a millisecond apart, from the job's start on: their order, and that each
keeps its time, is what readers go by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.aws_models import InvalidRequest, check, only_members, service_model
from infra.local.jobs import ServiceError

OPERATIONS = ("DescribeLogStreams", "FilterLogEvents", "GetLogEvents")
#: What names a job in its request, by the log group of its kind (SageMaker developer guide, "Log groups and
#: streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs"). A search itself logs nothing.
GROUPS = {
    "/aws/sagemaker/ProcessingJobs": "ProcessingJobName",
    "/aws/sagemaker/TrainingJobs": "TrainingJobName",
    "/aws/sagemaker/TransformJobs": "TransformJobName",
}
#: A stream is named JOB/HOST-EPOCH there; the host of a job with one machine is algo-1.
HOST = "algo-1"


@dataclass(frozen=True)
class Stream:
    """The log of one job: its name as CloudWatch has it, its start in milliseconds, its lines."""

    name: str
    start: int
    lines: list[str]

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """As FilterLogEvents answers them, those of `since` (milliseconds) and later."""
        return [
            {
                "logStreamName": self.name,
                "timestamp": self.start + number,
                "message": line,
                "ingestionTime": self.start + number,
                "eventId": f"{self.name}#{number}",
            }
            for number, line in enumerate(self.lines)
            if self.start + number >= since
        ]


class Logs:
    """Answers from `jobs`, the folder in which each job leaves `request.json` and `log.txt`."""

    def __init__(self, jobs: Path):
        self._jobs = jobs

    def handles(self, operation: str) -> bool:
        """True for the operations answered here."""
        return operation in OPERATIONS

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The response to one API call. Raises ServiceError."""
        model = service_model("logs").operation_model(operation)
        try:
            check(request, model)
        except InvalidRequest as error:
            raise ServiceError(error.code, str(error)) from None
        group = request.get("logGroupName", "")
        if group not in GROUPS:
            raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
        answers = {
            "DescribeLogStreams": self._describe,
            "FilterLogEvents": self._filter,
            "GetLogEvents": self._get,
        }
        return only_members(answers[operation](group, request), model.output_shape)

    def _describe(self, group: str, request: dict[str, Any]) -> dict[str, Any]:
        streams = list(self._streams(group, request.get("logStreamNamePrefix", "")))
        answer = {
            "logStreams": [
                {
                    "logStreamName": stream.name,
                    "creationTime": stream.start,
                    "firstEventTimestamp": stream.start,
                    "lastEventTimestamp": stream.start + max(len(stream.lines) - 1, 0),
                }
                for stream in streams
            ]
        }
        return _page(answer, "logStreams", request, most=50)

    def _filter(self, group: str, request: dict[str, Any]) -> dict[str, Any]:
        since = request.get("startTime", 0)
        prefix = request.get("logStreamNamePrefix", "")
        events = [event for stream in self._streams(group, prefix) for event in stream.events(since)]
        events.sort(key=lambda event: event["timestamp"])
        return _page({"events": events}, "events", request, most=10_000)

    def _get(self, group: str, request: dict[str, Any]) -> dict[str, Any]:
        name = request["logStreamName"]
        for stream in self._streams(group, name.partition("/")[0]):
            if stream.name == name:
                events, limit = stream.events(request.get("startTime", 0)), request.get("limit", 10_000)
                shown = events[:limit] if request.get("startFromHead") else events[-limit:]
                return {"events": shown}
        raise ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")

    def _streams(self, group: str, prefix: str) -> Iterator[Stream]:
        """Those of jobs that have logged, by name. A prefix may reach into the part after the job's name."""
        for folder in sorted(self._jobs.iterdir()) if self._jobs.is_dir() else ():
            if not folder.name.startswith(prefix.partition("/")[0]):
                continue
            asked, log = folder / "request.json", folder / "log.txt"
            if not (asked.is_file() and log.is_file()):
                continue
            if GROUPS[group] in json.loads(asked.read_text(encoding="utf-8")):
                start = int(asked.stat().st_mtime * 1000)
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                stream = Stream(f"{folder.name}/{HOST}-{start // 1000}", start, lines)
                if stream.name.startswith(prefix):
                    yield stream


def _page(answer: dict[str, Any], member: str, request: dict[str, Any], most: int) -> dict[str, Any]:
    """The part of an answer's list that one call gives; a token is a place in the list."""
    start, size = int(request.get("nextToken", 0)), request.get("limit", most)
    more = {"nextToken": str(start + size)} if start + size < len(answer[member]) else {}
    return {member: answer[member][start : start + size], **more}
