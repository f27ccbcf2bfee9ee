"""Reads CloudFormation templates, short functions (`!Sub`) in their long form; finds what parts refer to."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import yaml


@functools.cache
def load(text: str) -> dict[str, Any]:
    """The template `text`; the same dictionary every time, so change nothing in it."""
    template: dict[str, Any] = yaml.load(text, _Loader)
    return template


def refers(value: object) -> set[str]:
    """Names of all parameters, resources and conditions in `value`; not of what AWS gives (`AWS::Region`)."""
    return {name for name in _names(value) if not name.startswith("AWS::")}


def _names(value: object) -> Iterator[str]:
    match value:
        case {"Ref": name}:
            yield name
        case {"Fn::GetAtt": [name, _]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{([\w:]+)(?:\.\w+)?\}", text)
        case {"Fn::If": [condition, *choices]}:
            yield condition
            yield from _names(choices)
        case dict():
            for item in value.values():
                yield from _names(item)
        case list():
            for item in value:
                yield from _names(item)


class _Loader(yaml.SafeLoader):
    """Takes nothing but text, numbers, lists, dictionaries and those functions."""


def _function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _function)
