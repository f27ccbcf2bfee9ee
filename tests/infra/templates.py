"""The templates as dictionaries, with every `!Sub` and the like in its long form, and the definitions."""

import contextlib
import copy
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parents[2]
TEMPLATES = ("template", "bootstrap", "delivery")
MACHINES = ("Training", "Inference", "Comparison")


@functools.cache
def _sources() -> dict[str, dict]:
    read = {name: cfn_yaml.load(str(ROOT / "infra" / f"{name}.yaml")) for name in TEMPLATES}
    for machine in MACHINES:
        text = (ROOT / f"pipelines/definitions/{machine.lower()}.asl.json").read_text(encoding="utf-8")
        read[machine] = json.loads(text)
    return read


_now: dict[str, dict] = {}


def template(name: str = "template") -> dict:
    """The parsed infra/{name}.yaml. Shared between tests: change it with `planted` only."""
    return (_now or _sources())[name]


def definition(machine: str) -> dict:
    """The parsed definition of a machine such as `Training`, before substitution."""
    return (_now or _sources())[machine]


@contextlib.contextmanager
def planted(name: str, change: Callable[[dict], None]) -> Iterator[None]:
    """Inside the block, the template or definition `name` is one that `change` has put a fault into."""
    changed = copy.deepcopy(_sources()[name])
    change(changed)
    assert changed != _sources()[name], "no fault was planted"
    _now.update({**_sources(), name: changed})
    try:
        yield
    finally:
        _now.clear()


def resources(kind: str, name: str = "template") -> dict[str, dict]:
    """Properties of the resources of a type such as `S3::Bucket`, by logical name."""
    return {
        logical: resource.get("Properties", {})
        for logical, resource in template(name)["Resources"].items()
        if resource["Type"] == f"AWS::{kind}"
    }


def arn(logical: str) -> dict:
    return {"Fn::GetAtt": [logical, "Arn"]}
