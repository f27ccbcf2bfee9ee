"""AWS's own description of its interfaces (botocore's service models), as the judge of requests."""

import functools
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator


class InvalidRequest(ValueError):
    """A request that the service would refuse; the text says what is wrong and where."""


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The model of one service, for example `sagemaker`."""
    return botocore.session.get_session().get_service_model(service)


def check(request: dict[str, Any], operation: OperationModel) -> None:
    """Raise InvalidRequest unless members, types, lengths, ranges, patterns and enum values are right.

    botocore alone looks at names, types and lower bounds; the service looks at the rest too; so does this.
    """
    shape = operation.input_shape
    if shape is None:  # an operation without input
        return
    report = ParamValidator().validate(request, shape)
    problems = [report.generate_report()] if report.has_errors() else []
    problems += _constraint_problems(request, shape, "") if not problems else []
    if problems:
        raise InvalidRequest("; ".join(problems))


def _constraint_problems(value: Any, shape: Shape, where: str) -> list[str]:
    pairs: list[tuple[Any, Shape, str]] = []
    if isinstance(shape, StructureShape):
        pairs = [
            (value[name], member, f"{where}.{name}")
            for name, member in shape.members.items()
            if name in value
        ]
    elif isinstance(shape, ListShape):
        pairs = [(item, shape.member, f"{where}[{number}]") for number, item in enumerate(value)]
    elif isinstance(shape, MapShape):
        pairs = [(item, shape.value, f"{where}.{name}") for name, item in value.items()]
    problems = [problem for pair in pairs for problem in _constraint_problems(*pair)]
    limits = shape.metadata
    size = value if shape.type_name in ("integer", "long", "float", "double") else None
    if shape.type_name in ("string", "list", "map"):
        size = len(value)
    if size is not None and not limits.get("min", size) <= size <= limits.get("max", size):
        problems.append(f"{where[1:]}: {size} is not between {limits.get('min')} and {limits.get('max')}")
    if limits.get("enum") and value not in limits["enum"]:
        problems.append(f"{where[1:]}: {value!r} is not one of {', '.join(limits['enum'])}")
    if limits.get("pattern") and shape.type_name == "string" and not _matches(limits["pattern"], value):
        problems.append(f"{where[1:]}: {value!r} does not match {limits['pattern']}")
    return problems


def _matches(pattern: str, value: str) -> bool:
    """Patterns are written for Java; one that Python can't read passes."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True


def only_members(values: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    """`values` without what `shape` does not have at its top level; nothing where it is no structure."""
    members = shape.members if isinstance(shape, StructureShape) else {}
    return {name: value for name, value in values.items() if name in members}


def to_epoch(value: Any) -> Any:
    """`value` with every datetime as seconds since 1970, as the JSON protocol sends them."""
    return _map_datetimes(value, datetime.timestamp)


def to_text(value: Any) -> Any:
    """`value` with every datetime as ISO 8601 text."""
    return _map_datetimes(value, datetime.isoformat)


def _map_datetimes(value: Any, convert: Callable[[datetime], object]) -> Any:
    if isinstance(value, datetime):
        return convert(value)
    if isinstance(value, dict):
        return {name: _map_datetimes(item, convert) for name, item in value.items()}
    if isinstance(value, list):
        return [_map_datetimes(item, convert) for item in value]
    return value
