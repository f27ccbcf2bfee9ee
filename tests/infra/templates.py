"""The templates as dictionaries, with every `!Sub` and the like in its long form."""

import functools
from pathlib import Path

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parents[2]


@functools.cache
def template(name: str = "template") -> dict:
    """The parsed infra/{name}.yaml. Shared between tests: change a copy only."""
    return cfn_yaml.load(str(ROOT / "infra" / f"{name}.yaml"))


def resources(kind: str, name: str = "template") -> dict[str, dict]:
    """Properties of the resources of a type such as `S3::Bucket`, by logical name."""
    return {
        logical: resource.get("Properties", {})
        for logical, resource in template(name)["Resources"].items()
        if resource["Type"] == f"AWS::{kind}"
    }


def arn(logical: str) -> dict:
    return {"Fn::GetAtt": [logical, "Arn"]}
