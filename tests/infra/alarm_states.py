"""What CloudWatch does: services emit metric data, and alarms come to a state on them.

Which service emits which metric, with which dimensions, is from AWS's pages:

- a queue: AWS/SQS by QueueName (SQS developer guide, "Available CloudWatch metrics for Amazon SQS")
- the end of an execution: AWS/States by StateMachineArn (Step Functions developer guide, "Execution metrics")
- an invocation: AWS/Lambda by FunctionName (Lambda developer guide, "Types of metrics for Lambda functions")
- an event that a rule of the default bus takes: AWS/Events by RuleName (EventBridge user guide, "EventBridge
  metrics")
- a line of a log: as it says (CloudWatch user guide, "Specification: Embedded metric format")

Tests read the facts off what really happened on the local stack. Simpler than CloudWatch: nothing before the
evaluation periods is looked at, so on AWS an alarm may take some periods more to end.
"""

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min, "SampleCount": len}
COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
#: Step Functions' status of an ended execution -> its metric.
EXECUTION_METRICS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


@dataclass(frozen=True)
class Datum:
    """One value of a metric; `at` in seconds since 1970."""

    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    at: float
    value: float


def datum(namespace: str, metric: str, at: float, value: float, **dimensions: str) -> Datum:
    return Datum(namespace, metric, frozenset(dimensions.items()), at, value)


def of_queue(name: str, visible: int, oldest_sent: float | None, at: float) -> Iterator[Datum]:
    """What SQS says of a queue every minute; `oldest_sent` is when the oldest message was sent."""
    yield datum("AWS/SQS", "ApproximateNumberOfMessagesVisible", at, visible, QueueName=name)
    age = 0 if oldest_sent is None else at - oldest_sent
    yield datum("AWS/SQS", "ApproximateAgeOfOldestMessage", at, age, QueueName=name)


def of_execution(description: dict, at: float) -> Iterator[Datum]:
    """What Step Functions says when an execution has ended; `description` as DescribeExecution gives it."""
    metric, machine = EXECUTION_METRICS[description["status"]], description["stateMachineArn"]
    yield datum("AWS/States", metric, at, 1, StateMachineArn=machine)


def of_invocation(function: str, answer: dict, at: float) -> Iterator[Datum]:
    """What Lambda says of an invocation; `answer` as Invoke gives it."""
    yield datum("AWS/Lambda", "Invocations", at, 1, FunctionName=function)
    yield datum("AWS/Lambda", "Errors", at, int("FunctionError" in answer), FunctionName=function)


def of_rule(rule: str, at: float) -> Iterator[Datum]:
    """What EventBridge says when an event has matched a rule."""
    yield datum("AWS/Events", "TriggeredRules", at, 1, RuleName=rule)


def of_log(line: dict) -> Iterator[Datum]:
    """What CloudWatch takes out of a line in its embedded metric format; nothing out of another."""
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
        for names in directive["Dimensions"]:
            dimensions = {name: line[name] for name in names}
            for metric in directive["Metrics"]:
                at = line["_aws"]["Timestamp"] / 1000
                yield datum(directive["Namespace"], metric["Name"], at, line[metric["Name"]], **dimensions)


def state(alarm: dict, data: Iterable[Datum], now: float, before: str = "OK") -> str:
    """The state of an alarm, given by its properties as in a template; `before` is the one it had."""
    data = list(data)
    periods, period = alarm["EvaluationPeriods"], _period(alarm)
    ends = [(now // period + 1 - n) * period for n in range(periods)]
    values = [_value(alarm, [one for one in data if end - period <= one.at < end]) for end in ends]
    missing = {"notBreaching": False, "breaching": True}.get(alarm["TreatMissingData"])
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    breaching = [missing if value is None else breaches(value, alarm["Threshold"]) for value in values]
    if breaching.count(None) == periods:
        return before if alarm["TreatMissingData"] == "ignore" else "INSUFFICIENT_DATA"
    return "ALARM" if breaching.count(True) >= alarm.get("DatapointsToAlarm", periods) else "OK"


def _period(alarm: dict) -> int:
    if "Period" in alarm:
        return alarm["Period"]
    [period] = {entry["MetricStat"]["Period"] for entry in alarm["Metrics"] if "MetricStat" in entry}
    return period


def _value(alarm: dict, data: list[Datum]) -> float | None:
    """The value of one period, None where there is none."""
    if "Metrics" not in alarm:
        return _statistic(alarm, alarm["Statistic"], data)
    [total, *parts] = alarm["Metrics"]
    assert total["Expression"] == "SUM(METRICS())", "the only expression that this evaluator knows"
    assert not any(part["ReturnData"] for part in parts)
    values = [_statistic(part["MetricStat"]["Metric"], part["MetricStat"]["Stat"], data) for part in parts]
    present = [value for value in values if value is not None]
    return sum(present) if present else None


def _statistic(metric: dict, statistic: str, data: list[Datum]) -> float | None:
    dimensions = frozenset((one["Name"], one["Value"]) for one in metric["Dimensions"])
    wanted = (metric["Namespace"], metric["MetricName"], dimensions)
    values = [one.value for one in data if (one.namespace, one.metric, one.dimensions) == wanted]
    return STATISTICS[statistic](values) if values else None
