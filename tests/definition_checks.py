"""What must hold for every state machine definition, as functions that return the problems they find.

They read compiled JSON, so they judge what is deployed, whatever wrote it.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# ---------------------------------------------------------------- graph


def graph_problems(definition: dict) -> list[str]:
    """Missing and unreachable states, a Choice without Default, `States.ALL` that is not last and alone."""
    states = definition["States"]
    problems = []
    if definition["StartAt"] not in states:
        return [f"StartAt names the state {definition['StartAt']}, which is missing"]
    for name, state in states.items():
        problems += [
            f"{name} goes to the state {target}, which is missing"
            for target in targets(state)
            if target not in states
        ]
        if state["Type"] == "Choice" and "Default" not in state:
            problems.append(f"{name} is a Choice without Default")
        if state["Type"] not in ("Choice", "Succeed", "Fail") and ("Next" in state) == ("End" in state):
            problems.append(f"{name} needs either Next or End")
        for field in ("Retry", "Catch"):
            rules = [rule["ErrorEquals"] for rule in state.get(field, [])]
            for position, errors in enumerate(rules):
                if "States.ALL" in errors and (len(errors) > 1 or position + 1 < len(rules)):
                    problems.append(f"{name}: States.ALL in {field} is not last and alone")
    reached, open_ = set(), [definition["StartAt"]]
    while open_:
        name = open_.pop()
        if name in states and name not in reached:
            reached.add(name)
            open_ += targets(states[name])
    return problems + [f"{name} cannot be reached" for name in states if name not in reached]


def targets(state: dict) -> list[str]:
    """Names of the states that can follow `state`."""
    following = [state[field] for field in ("Next", "Default") if field in state]
    return following + [rule["Next"] for field in ("Choices", "Catch") for rule in state.get(field, [])]


def guard_problems(definition: dict) -> list[str]:
    """Tasks that could wait for ever, give up at a passing trouble, or fail without a word."""
    problems = [] if definition.get("TimeoutSeconds") else ["the machine has no TimeoutSeconds"]
    for name, state in definition["States"].items():
        if state["Type"] != "Task":
            continue
        if not state.get("TimeoutSeconds"):
            problems.append(f"{name} has no TimeoutSeconds")
        if ["States.ALL"] not in [rule["ErrorEquals"] for rule in state.get("Catch", [])]:
            problems.append(f"{name} does not catch States.ALL")
        for rule in state.get("Retry", [{}]):
            if rule.get("JitterStrategy") != "FULL" or "MaxDelaySeconds" not in rule:
                problems.append(f"{name} needs Retry with full jitter and MaxDelaySeconds")
    return problems


# ---------------------------------------------------------------- requests


#: Services that the SDK integrations of Step Functions call otherwise than botocore does.
BOTOCORE_NAMES = {"sfn": "stepfunctions"}


@dataclass(frozen=True)
class Request:
    """What a task sends: `service` and `operation` as botocore calls them."""

    state: str
    service: str
    operation: str
    parameters: dict


class Unresolved(ValueError):
    """A path that has no value, or an expression that is not one; the text names it."""


def substitute(text: str, values: dict[str, str]) -> dict:
    """A definition with every `${Name}` filled in. Raises Unresolved for a name without a value."""

    def value(match: re.Match) -> str:
        if match[1] not in values:
            raise Unresolved(f"${{{match[1]}}} has no value")
        return values[match[1]]

    return json.loads(re.sub(r"\$\{(\w+)\}", value, text))


def requests(definition: dict, data: dict, context: dict) -> Iterator[Request]:
    """The request of every task; `data` holds what paths in `$.` name, `context` what paths in `$$.` name."""
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            *_, service, action = re.sub(r"\.(sync|waitForTaskToken)$", "", state["Resource"]).split(":")
            parameters = as_sent(action, resolve(state["Parameters"], data, context))
            yield Request(
                name, BOTOCORE_NAMES.get(service, service), action[0].upper() + action[1:], parameters
            )


def as_sent(action: str, parameters: dict) -> dict:
    """The optimized integrations turn an object into JSON text where the service wants text."""
    if action == "putEvents":
        return {"Entries": [{**e, "Detail": json.dumps(e["Detail"])} for e in parameters["Entries"]]}
    if action == "sendMessage":
        return {**parameters, "MessageBody": json.dumps(parameters["MessageBody"])}
    if action == "describeExecution":  # SDK integrations want capitals where Step Functions' own API has none
        return {name[0].lower() + name[1:]: value for name, value in parameters.items()}
    return parameters


def resolve(template: Any, data: dict, context: dict) -> Any:
    """`template` with every `"name.$": expression` replaced by `"name": value`. Raises Unresolved."""
    if isinstance(template, list):
        return [resolve(item, data, context) for item in template]
    if not isinstance(template, dict):
        return template
    return {
        key.removesuffix(".$"): evaluate(value, data, context)
        if key.endswith(".$")
        else resolve(value, data, context)
        for key, value in template.items()
    }


def evaluate(expression: str, data: dict, context: dict) -> Any:
    """Value of a path or an intrinsic function. Raises Unresolved."""
    value, end = _evaluate(expression, 0, data, context)
    if expression[end:].strip():
        raise Unresolved(f"{expression}: not understood from {expression[end:]!r} on")
    return value


_TOKEN = re.compile(
    r"\s*(?:States\.(?P<function>\w+)\(|(?P<path>\$[^,()\s]*)|'(?P<text>(?:[^'\\]|\\.)*)'|(?P<json>[\w.-]+))\s*"
)


def _evaluate(text: str, start: int, data: dict, context: dict) -> tuple[Any, int]:
    token = _TOKEN.match(text, start)
    if not token:
        raise Unresolved(f"{text}: not understood from {text[start:]!r} on")
    if token["path"]:
        return _at(token["path"], data, context), token.end()
    if token["text"] is not None:
        return re.sub(r"\\(.)", r"\1", token["text"]), token.end()
    if token["json"]:
        return json.loads(token["json"]), token.end()
    arguments, end = [], token.end()
    while text[end : end + 1] != ")":
        value, end = _evaluate(text, end, data, context)
        arguments.append(value)
        end += text[end : end + 1] == ","
    return _FUNCTIONS[token["function"]](*arguments), end + 1


def _at(path: str, data: dict, context: dict) -> Any:
    value: Any = {"$": data, "$$": context}
    for name, position in re.findall(r"([^.[]+)|\[(\d+)\]", path):
        try:
            value = value[int(position) if position else name]
        except (KeyError, IndexError, TypeError):
            raise Unresolved(f"{path} has no value") from None
    return value


def _format(template: str, *values: Any) -> str:
    if template.count("{}") != len(values):
        raise Unresolved(f"{template!r} is given {len(values)} values")
    return template.format(*(value if isinstance(value, str) else json.dumps(value) for value in values))


_FUNCTIONS = {
    "Format": _format,
    "Array": lambda *items: list(items),
    "ArrayGetItem": lambda items, position: items[position],
    "Hash": lambda text, algorithm: hashlib.new(algorithm.replace("-", ""), text.encode()).hexdigest(),
    "JsonMerge": lambda first, second, deep: {**first, **second},
    "StringSplit": lambda text, separator: text.split(separator),
    "StringToJson": json.loads,
    "UUID": lambda: "0f3a9c21-d4e5-4b6a-8c7d-9e0f1a2b3c4d",
}
