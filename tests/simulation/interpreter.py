"""A state machine executed step by step: whoever drives it sees every call before it is made, and answers.

moto's interpreter takes a thread and a quarter of a second for each execution, and cannot be stopped between
two states. This one knows only what our definitions use. It takes them as moto's does: test_interpreter.py.
"""

import copy
import re
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from tests import definition_checks
from tests.definition_checks import Unresolved


class Call(NamedTuple):
    """A try of a Task: it waits for an answer, or for TaskFailed to be thrown in."""

    state: str
    resource: str
    parameters: dict[str, Any]
    timeout_seconds: int


class Pause(NamedTuple):
    """So long nothing happens: a Wait, or the time before a Task is tried again."""

    state: str
    seconds: float


class Ended(NamedTuple):
    """How an execution ended, as DescribeExecution says it."""

    status: str
    output: Any = None
    error: str | None = None
    cause: str | None = None


class TaskFailed(Exception):
    """Error name and cause, as Retry and Catch see them."""


@dataclass(frozen=True)
class Surroundings:
    """What an interpreter takes from outside.

    Attributes:
        now: the time as Step Functions writes it, with milliseconds.
        random: in [0, 1).
        entered: called with the name of each state that is entered.
    """

    now: Callable[[], str]
    random: Callable[[], float]
    entered: Callable[[str], None]


Execution = Generator[Call | Pause, Any, Ended]


def execute(
    definition: dict[str, Any], name: str, arn: str, given: dict[str, Any], around: Surroundings
) -> Execution:
    """The execution `name` of a definition with all substitutions made; it returns its end.

    Raises Unresolved where a path has no value: Step Functions would end with States.Runtime.
    """
    machine = _Machine(name, around)
    context: dict[str, Any] = {"Execution": {"Id": arn, "Name": name, "Input": given}}
    data = copy.deepcopy(given)
    at: str | None = definition["StartAt"]
    while at is not None:
        state = definition["States"][at]
        around.entered(at)
        context["State"] = {"Name": at, "EnteredTime": around.now(), "RetryCount": 0}
        if state["Type"] == "Fail":
            return Ended("FAILED", error=state["Error"], cause=_value(state["CausePath"], data, context))
        if state["Type"] == "Succeed":
            break
        if state["Type"] == "Choice":
            chosen = (rule["Next"] for rule in state["Choices"] if _holds(rule, data, context))
            at = next(chosen, state["Default"])
            continue
        if state["Type"] == "Wait":
            yield Pause(at, _value(state["SecondsPath"], data, context))
        elif state["Type"] == "Pass":
            data = _put(state, machine.passed(state, data, context), data)
        else:
            data, at = yield from machine.task(at, state, data, context)
            continue
        at = state.get("Next")
    return Ended("SUCCEEDED", output=data)


class _Machine:
    def __init__(self, name: str, around: Surroundings):
        self._name, self._around, self._tokens = name, around, 0

    def passed(self, state: dict[str, Any], data: Any, context: dict[str, Any]) -> Any:
        given = _value(state.get("InputPath", "$"), data, context)
        if "Result" in state:
            return copy.deepcopy(state["Result"])
        return self._resolved(state["Parameters"], given, context) if "Parameters" in state else given

    def task(
        self, name: str, state: dict[str, Any], data: Any, context: dict[str, Any]
    ) -> Generator[Call | Pause, Any, tuple[Any, str | None]]:
        tried = [0] * len(state["Retry"])
        while True:
            self._tokens += 1
            context["Task"] = {"Token": f"{self._name}:{self._tokens}"}
            parameters = self._resolved(state["Parameters"], data, context)
            try:
                answer = yield Call(name, state["Resource"], parameters, state["TimeoutSeconds"])
            except TaskFailed as failed:
                error, cause = failed.args
                at = _first(state["Retry"], error)
                if at is not None and tried[at] < state["Retry"][at].get("MaxAttempts", 3):
                    yield Pause(name, self._jitter(state["Retry"][at], tried[at]))
                    tried[at] += 1
                    context["State"]["RetryCount"] += 1
                    continue
                at = _first(state["Catch"], error)
                if at is None:
                    raise Unresolved(f"{name}: nothing catches {error}") from failed
                rule = state["Catch"][at]
                return _put(rule, {"Error": error, "Cause": cause}, data), rule["Next"]
            if "ResultSelector" in state:
                answer = self._resolved(state["ResultSelector"], answer, context)
            return _put(state, answer, data), state.get("Next")

    def _jitter(self, rule: dict[str, Any], tried: int) -> float:
        longest = rule["IntervalSeconds"] * rule["BackoffRate"] ** tried
        return float(min(longest, rule["MaxDelaySeconds"]) * self._around.random())

    def _resolved(self, template: Any, data: Any, context: dict[str, Any]) -> Any:
        """`definition_checks.resolve`, with functions that have no fixed value."""
        functions = {
            "UUID": self._uuid,
            "MathAdd": lambda one, other: one + other,
            "MathRandom": lambda start, end: start + int(self._around.random() * (end - start)),
        }
        return _resolve(template, data, context, functions)

    def _uuid(self) -> str:
        digits = "".join(f"{int(self._around.random() * 16):x}" for _ in range(32))
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _resolve(template: Any, data: Any, context: Any, functions: dict[str, Callable[..., Any]]) -> Any:
    if isinstance(template, list):
        return [_resolve(item, data, context, functions) for item in template]
    if not isinstance(template, dict):
        return template
    resolved = {}
    for key, value in template.items():
        if key.endswith(".$"):
            resolved[key[:-2]] = copy.deepcopy(_parsed(value)(data, context, functions))
        else:
            resolved[key] = _resolve(value, data, context, functions)
    return resolved


def _value(expression: str, data: Any, context: Any) -> Any:
    return copy.deepcopy(_parsed(expression)(data, context, {}))


@cache
def _parsed(expression: str) -> Callable[[Any, Any, dict[str, Callable[..., Any]]], Any]:
    """A path or an intrinsic function, read once."""
    value, end = _parse(expression, 0)
    if expression[end:].strip():
        raise Unresolved(f"{expression}: not understood from {expression[end:]!r} on")
    return value


def _parse(text: str, start: int) -> tuple[Callable[..., Any], int]:
    token = definition_checks.TOKEN.match(text, start)
    if not token:
        raise Unresolved(f"{text}: not understood from {text[start:]!r} on")
    if token["path"]:
        return _path(token["path"]), token.end()
    if token["function"] is None:
        constant, end = definition_checks.evaluate_constant(token), token.end()
        return lambda data, context, functions: constant, end
    arguments, end = [], token.end()
    while text[end : end + 1] != ")":
        argument, end = _parse(text, end)
        arguments.append(argument)
        end += text[end : end + 1] == ","
    name = token["function"]

    def call(data: Any, context: Any, functions: dict[str, Callable[..., Any]]) -> Any:
        function = functions.get(name) or definition_checks.FUNCTIONS[name]
        return function(*(argument(data, context, functions) for argument in arguments))

    return call, end + 1


@cache
def _path(path: str) -> Callable[..., Any]:
    parts = [
        int(position) if position else name for name, position in re.findall(r"([^.[]+)|\[(\d+)\]", path)
    ]
    root, *rest = parts

    def at(data: Any, context: Any, functions: object) -> Any:
        value = context if root == "$$" else data
        for part in rest:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                raise Unresolved(f"{path} has no value") from None
        return value

    return at


def _put(rule: dict[str, Any], result: Any, data: Any) -> Any:
    """`data` with the result at the rule's ResultPath."""
    path = rule.get("ResultPath", "$")
    if path is None:
        return data
    if path == "$":
        return result
    data = copy.copy(data)
    inner = data
    *folders, last = path.removeprefix("$.").split(".")
    for name in folders:
        inner[name] = copy.copy(inner.get(name, {}))
        inner = inner[name]
    inner[last] = result
    return data


def _first(rules: Iterable[dict[str, Any]], error: str) -> int | None:
    """The first Retry or Catch that takes the error (Amazon States Language, "Errors")."""
    for at, rule in enumerate(rules):
        for name in rule["ErrorEquals"]:
            if name in (error, "States.ALL") or (name == "States.TaskFailed" and error != "States.Timeout"):
                return at
    return None


def _holds(rule: dict[str, Any], data: Any, context: Any) -> bool:
    if "And" in rule:
        return all(_holds(each, data, context) for each in rule["And"])
    if "Or" in rule:
        return any(_holds(each, data, context) for each in rule["Or"])
    if "Not" in rule:
        return not _holds(rule["Not"], data, context)
    [operator] = rule.keys() - {"Variable", "Next"}
    if operator == "IsPresent":
        try:
            _value(rule["Variable"], data, context)
        except Unresolved:
            return not rule["IsPresent"]
        return bool(rule["IsPresent"])
    value, other = _value(rule["Variable"], data, context), rule[operator]
    if operator.endswith("Path"):
        other = _value(other, data, context)
    return _OPERATORS[operator.removesuffix("Path")](value, other)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def _is(kind: type | tuple[type, ...], holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison of two values of a kind; of others it never holds."""
    return lambda value, other: isinstance(value, kind) and isinstance(other, kind) and holds(value, other)


NUMBER = (int, float)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "StringEquals": _is(str, lambda value, other: value == other),
    "StringGreaterThan": _is(str, lambda value, other: value > other),
    "StringMatches": _is(str, lambda value, other: bool(_pattern(other).fullmatch(value))),
    "BooleanEquals": _is(bool, lambda value, other: value is other),
    "NumericEquals": _is(NUMBER, lambda value, other: value == other),
    "NumericLessThan": _is(NUMBER, lambda value, other: value < other),
    "NumericGreaterThan": _is(NUMBER, lambda value, other: value > other),
}
