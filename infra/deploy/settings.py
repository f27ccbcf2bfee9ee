"""What one environment is deployed as: the files in environments/, or one of the same shape."""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path

from infra.deploy.image import AWS_ACCOUNTS, problem_with
from pipelines.errors import Refused

ENVIRONMENTS = Path(__file__).parents[1] / "environments"
#: What `labelmill deploy` itself gives the template.
GIVEN = {"CodeBucket", "CodeKeyArn", "CodePrefix", "CodeDigest"}


class SettingsError(Refused):
    """The file cannot be used; the message names it, what is wrong and the fix."""


@dataclass(frozen=True)
class Settings:
    """One environment.

    Attributes:
        region: such as `eu-central-1`.
        account: 12 digits; deploying anywhere else is refused. Empty: wherever the credentials lead.
        stack: name of the CloudFormation stack; the code bucket's is `{stack}-code`.
        parameters: of template.yaml, all as text; the rest keeps the template's defaults.
    """

    region: str
    account: str
    stack: str
    parameters: dict[str, str]

    @property
    def name(self) -> str:
        """Start of every name in the account."""
        return self.parameters.get("Name", "labelmill")

    @property
    def code_stack(self) -> str:
        return f"{self.stack}-code"


def load(path: Path) -> Settings:
    """Read an environment's file. Raises SettingsError."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        there = ", ".join(sorted(file.stem for file in ENVIRONMENTS.glob("*.json")))
        raise SettingsError(f"{path}: {error.strerror}. Fix: name a file, or one of --env {there}") from error
    except ValueError as error:
        raise SettingsError(
            f"{path}: not JSON ({error}). Fix: take infra/environments/dev.json as an example"
        ) from error
    if problem := _problem(given):
        raise SettingsError(f"{path}: {problem}")
    return Settings(**given)


def _problem(given: object) -> str | None:
    wanted = {"region": str, "account": str, "stack": str, "parameters": dict}
    if not isinstance(given, dict) or given.keys() != wanted.keys():
        return f"must have exactly {', '.join(wanted)}. Fix: take infra/environments/dev.json as an example"
    for name, kind in wanted.items():
        if not isinstance(given[name], kind):
            return f"{name} is {given[name]!r}. Fix: write {'text' if kind is str else 'an object'}"
    for name, value in given["parameters"].items():
        if not isinstance(value, str):
            return f"parameter {name} is {value!r}. Fix: write it as text, in quotes"
        if name in GIVEN:
            return f"parameter {name} is not for this file: it follows from the code. Fix: remove it"
    if not given["stack"]:
        return "stack may not be empty. Fix: fill it in"
    if given["region"] not in AWS_ACCOUNTS:
        near = difflib.get_close_matches(given["region"], AWS_ACCOUNTS) or sorted(AWS_ACCOUNTS)
        return f"region is {given['region']!r}. Fix: write one that has the jobs' image: {', '.join(near)}"
    image = given["parameters"].get("ImageUri")
    return problem_with(image) if image else None
