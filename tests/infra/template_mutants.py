"""Policies changed in one place at a time, and whether one of the tests notices: for a sample, and for all.

`benchmarks/template_mutants.py` tries all of them. Snapshots (docs/access.md) do not count as noticing.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from types import ModuleType

from tests.infra.delivery import PARAMETERS
from tests.infra.policies import Stack
from tests.infra.templates import planted, template

#: The test modules that judge a template.
MODULES = {
    "template": (
        *("test_image_permissions", "test_services", "test_runtime_rights", "test_permissions"),
        *("test_machine_permissions", "test_vpc", "test_template", "test_strangers"),
    ),
    "bootstrap": ("test_code_stack", "test_image_permissions", "test_strangers"),
    "delivery": ("test_delivery_permissions", "test_delivery_pipeline", "test_strangers"),
}
#: One starts another program, the others plant faults themselves.
LEFT_OUT = {
    "test_cfn_lint_finds_nothing_and_nothing_is_suppressed",
    "test_a_planted_fault_is_found",
    "test_an_image_of_a_wrong_account_is_found",
}


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"tests.infra.{name}")


def _delivery(**given: str) -> Stack:
    return Stack(template("delivery"), **PARAMETERS, Name="labelmill-delivery", **given)


def _in_vpc() -> Stack:
    module = _module("test_vpc")
    return Stack(VpcSubnets=module.SUBNETS, VpcSecurityGroups=module.GROUPS)


FIXTURES: dict[str, Callable[[], list[Stack]]] = {
    "stack": lambda: [Stack()],
    "variant": lambda: [Stack(**given) for given in _module("test_services").VARIANTS.values()],
    "stack_in_vpc": lambda: [_in_vpc()],
    "code": lambda: [Stack(template("bootstrap"))],
    "delivery": lambda: [_delivery()],
    "with_faults": lambda: [_delivery(WithFaults="yes")],
}


@dataclass(frozen=True)
class Mutant:
    """One change of a template; `name` says where and what."""

    template: str
    name: str
    plant: Callable[[dict], None]


def mutants(name: str) -> Iterator[Mutant]:
    """Every statement dropped, turned round, and without each of its parts."""
    for logical, resource in template(name)["Resources"].items():
        for path in _policies(resource):
            statements = _at(resource, path)
            for number, statement in enumerate(statements):
                where = f"{logical} {number} {statement.get('Sid', '')}"
                for what, change in _changes(statement):
                    yield Mutant(name, f"{where}: {what}", _plant(logical, (*path, number), change))
        if resource["Type"] == "AWS::Lambda::Permission":
            yield Mutant(
                name, f"{logical}: dropped", lambda source, logical=logical: source["Resources"].pop(logical)
            )


def _policies(resource: dict) -> Iterator[tuple[str, ...]]:
    for policy in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
        if policy in resource.get("Properties", {}):
            yield ("Properties", policy, "Statement")


def _at(value, path):
    for step in path:
        value = value[step]
    return value


def _plant(logical: str, path: tuple, change: Callable[[list, int], None]) -> Callable[[dict], None]:
    *to, number = path
    return lambda source: change(_at(source["Resources"][logical], to), number)


def _changes(statement: dict) -> Iterator[tuple[str, Callable[[list, int], None]]]:
    yield "dropped", lambda given, number: given.pop(number)
    other = {"Allow": "Deny", "Deny": "Allow"}[statement["Effect"]]
    yield other, lambda given, number: given[number].update(Effect=other)
    parts = [("Action",), ("Resource",)]
    if isinstance(statement.get("Principal"), dict):
        parts += [("Principal", kind) for kind in statement["Principal"]]
    for operator, keys in statement.get("Condition", {}).items():
        parts += [("Condition", operator, key) for key in keys]
        for key in keys:
            yield f"without {operator} {key}", _without(("Condition", operator), key)
    for path in parts:
        try:
            value = _at(statement, path)
        except KeyError:
            continue
        for position in range(len(value) if isinstance(value, list) and len(value) > 1 else 0):
            yield f"{' '.join(path)} without {position}", _without(path, position)


def _without(path: tuple, key) -> Callable[[list, int], None]:
    def change(given: list, number: int) -> None:
        del _at(given[number], path)[key]

    return change


# ---------------------------------------------------------------- noticing


def cases(name: str) -> list[tuple[str, Callable[[], None]]]:
    """Every test that judges the template and takes nothing but templates, with each of its parameters."""
    return [
        (f"{test} {values}", lambda function=function, values=values: _call(function, values))
        for module in map(_module, MODULES[name])
        for test, function in vars(module).items()
        if test.startswith("test_") and inspect.isfunction(function) and test not in LEFT_OUT
        for values in _parameters(function)
        if set(inspect.signature(function).parameters) <= {*values, *FIXTURES}
    ]


def _parameters(function) -> Iterator[dict]:
    marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
    choices = []
    for mark in marks:
        names = mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0]
        values = [getattr(value, "values", value) for value in mark.args[1]]
        choices.append(
            [dict(zip(names, value if len(names) > 1 else [value], strict=True)) for value in values]
        )
    for chosen in product(*choices):
        yield {name: value for each in chosen for name, value in each.items()}


def _call(function, values: dict) -> None:
    wanted = [name for name in inspect.signature(function).parameters if name not in values]
    for stacks in product(*map(_stacks, wanted)):
        function(**values, **dict(zip(wanted, stacks, strict=True)))


@functools.cache
def _stacks(fixture: str) -> list[Stack]:
    """Made once for each mutant: most of the time went into them."""
    return FIXTURES[fixture]()


def notices(mutant: Mutant, checks: list[tuple[str, Callable[[], None]]]) -> str | None:
    """The first of `checks` that fails, which is put first for the next mutant; None where all pass."""
    with planted(mutant.template, mutant.plant):
        return first_to_fail(checks)


def first_to_fail(checks: list[tuple[str, Callable[[], None]]]) -> str | None:
    """The same for the templates as they are now."""
    _stacks.cache_clear()
    for position, (name, check) in enumerate(checks):
        try:
            check()
        except Exception:
            checks.insert(0, checks.pop(position))
            return name
    return None
