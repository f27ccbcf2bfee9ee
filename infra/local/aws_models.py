"""AWS's own description of its interfaces (botocore's service models): judges requests and answers."""

import functools
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

_NUMBERS = ("integer", "long", "float", "double")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": bytes,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, datetime),
}


class InvalidRequest(ValueError):
    """A request that the service would refuse; the text says what is wrong and where, as AWS says it.

    Attributes:
        code: what AWS calls the error.
    """

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The model of one service, for example `sagemaker`."""
    return botocore.session.get_session().get_service_model(service)


def check(request: dict[str, Any], operation: OperationModel) -> None:
    """Raise InvalidRequest unless members, types, lengths, ranges, patterns and enum values are right.

    botocore alone looks at names, types and lower bounds; the service looks at the rest too; so does this.
    A value of another type is refused before any rule is checked (Smithy's protocol tests for AWS's JSON:
    "SerializationException"); all rules that are broken come in one ValidationException, in the form that
    aws-samples/sagemaker-ml-workflow-with-apache-airflow issue 3 shows for SageMaker.
    """
    shape = operation.input_shape
    if shape is None:  # an operation without input
        return
    if wrong := list(wrong_types(request, shape)):
        raise InvalidRequest("SerializationException", wrong[0])
    if broken := list(broken_rules(request, shape)):
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected: "
        raise InvalidRequest("ValidationException", count + "; ".join(broken))


def wrong_types(value: Any, shape: Shape, where: str = "") -> Iterator[str]:
    """A sentence for each value in `value` that is not of the type its shape asks for."""
    kind = shape.type_name
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{type(value).__name__} at '{where}' can not be converted to {kind}"
        return
    for part, of_shape, place in _parts(value, shape, where):
        yield from wrong_types(part, of_shape, place)


def broken_rules(value: Any, shape: Shape, where: str = "") -> Iterator[str]:
    """A sentence for each rule of the shape, or of a shape in it, that `value` breaks; types are right."""
    for rule in _rules_broken_here(value, shape):
        yield f"Value '{value}' at '{where}' failed to satisfy constraint: Member must {rule}"
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                yield (
                    f"Value null at '{_place(where, name)}' failed to satisfy constraint: "
                    "Member must not be null"
                )
        for name in value.keys() - shape.members.keys():
            yield f"'{_place(where, name)}' is no member of the request"
    for part, of_shape, place in _parts(value, shape, where):
        yield from broken_rules(part, of_shape, place)


def _rules_broken_here(value: Any, shape: Shape) -> Iterator[str]:
    limits, kind = shape.metadata, shape.type_name
    size, has = (value, "have value") if kind in _NUMBERS else (None, "have length")
    if kind in ("string", "list", "map"):
        size = len(value)
    if size is not None and size < limits.get("min", size):
        yield f"{has} greater than or equal to {limits['min']}"
    if size is not None and size > limits.get("max", size):
        yield f"{has} less than or equal to {limits['max']}"
    if limits.get("enum") and value not in limits["enum"]:
        yield f"satisfy enum value set: [{', '.join(limits['enum'])}]"
    if limits.get("pattern") and kind == "string" and not _matches(limits["pattern"], value):
        yield f"satisfy regular expression pattern: {limits['pattern']}"


def _parts(value: Any, shape: Shape, where: str) -> Iterator[tuple[Any, Shape, str]]:
    """Value, shape and place of what is in a structure, list or map. A member that is null is absent."""
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            if name in shape.members and item is not None:
                yield item, shape.members[name], _place(where, name)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, 1):
            yield item, shape.member, f"{where}.{number}.member"
    elif isinstance(shape, MapShape):
        for name, item in value.items():
            yield name, shape.key, f"{where}.key"
            yield item, shape.value, f"{where}.{name}.member"


def _place(where: str, name: str) -> str:
    lower = name[0].lower() + name[1:]
    return f"{where}.{lower}" if where else lower


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
