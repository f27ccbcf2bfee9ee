"""What a run's jobs have logged, in CloudWatch Logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from pipelines.monitoring.steps import Step

#: So much later than its time a line may come into view.
LATE_MILLISECONDS = 30_000


class Line(NamedTuple):
    """One line of a job's log, with the step that the job is of."""

    step: str
    time: datetime
    text: str


def tail(client: Any, step: Step, lines: int) -> list[Line]:
    """The last lines of the newest stream of a step's job; none where nothing was logged.

    `client` is a boto3 client of CloudWatch Logs. A search has a stream for each trial: the newest counts.
    """
    streams = _streams(client, step)
    if not streams:
        return []
    newest = max(streams, key=lambda stream: stream.get("lastEventTimestamp", 0))
    answer = client.get_log_events(
        logGroupName=step.log_group, logStreamName=newest["logStreamName"], limit=lines, startFromHead=False
    )
    return [_line(step, event) for event in answer["events"]]


def _streams(client: Any, step: Step) -> list[dict[str, Any]]:
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=step.log_group, logStreamNamePrefix=step.job
    )
    try:
        return [stream for page in pages for stream in page["logStreams"]]
    except client.exceptions.ResourceNotFoundException:
        return []  # no job of this kind has logged in this account yet


def address(step: Step, region: str) -> str:
    """The console's page of the streams of a step's job."""
    # `/`, `?`, `=` are encoded twice there, with `$` in place of `%`.
    group = quote(quote(step.log_group, safe=""), safe="").replace("%", "$")
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/"
        f"{group}$3FlogStreamNameFilter$3D{step.job}"
    )


class Reader:
    """Reads what jobs have logged, each line once: `new` gives what has come since it was last called.

    CloudWatch may show a line some seconds late. So each look begins at the last line's time again, and what
    was seen by then is passed over by its id.
    """

    def __init__(self, client: Any):
        self._client = client
        self._since: defaultdict[str, int] = defaultdict(int)
        self._seen: defaultdict[str, set[str]] = defaultdict(set)

    def new(self, steps: Iterable[Step]) -> Iterator[Line]:
        """The lines of the steps' jobs that were not given yet, job by job in the order of their times."""
        for step in steps:
            if step.job:
                yield from self._of_job(step)

    def _of_job(self, step: Step) -> Iterator[Line]:
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=step.log_group, logStreamNamePrefix=step.job, startTime=self._since[step.job]
        )
        seen = self._seen[step.job]
        try:
            events = [event for page in pages for event in page["events"] if event["eventId"] not in seen]
        except self._client.exceptions.ResourceNotFoundException:
            return
        for event in events:
            seen.add(event["eventId"])
            self._since[step.job] = max(self._since[step.job], event["timestamp"] - LATE_MILLISECONDS)
            yield _line(step, event)


def _line(step: Step, event: dict[str, Any]) -> Line:
    time = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return Line(step.name, time, event["message"].rstrip("\n"))
