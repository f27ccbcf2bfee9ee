"""Faults to plant in a template or definition; each test file has a table of those that its checks must find.

A fault is a pair: the name of what `templates.planted` changes, and a function that changes it in place.
"""

from collections.abc import Callable

import pytest

from tests.infra.policies import Stack
from tests.infra.templates import MACHINES, planted


def assert_found(fault: tuple[str, Callable], check: Callable[[Stack], None]) -> None:
    """Plant the fault; the check must fail."""
    with planted(*fault), pytest.raises((AssertionError, ValueError)):
        check(Stack())


def of_each_machine(check: Callable[[str, Stack], None]) -> Callable[[Stack], None]:
    """A check of one machine as a check of them all."""

    def all_of_them(stack):
        for machine in MACHINES:
            check(machine, stack)

    return all_of_them


def properties(resource: str, change):
    """A fault in one resource's properties."""
    return "template", lambda source: change(source["Resources"][resource]["Properties"])


def statements(policy: str, change):
    """A fault in the statements of one policy."""
    return properties(policy, lambda given: change(given["PolicyDocument"]["Statement"]))


def key_policy(key: str, sid: str, change):
    def plant(given):
        change(next(one for one in given["KeyPolicy"]["Statement"] if one["Sid"] == sid))

    return properties(key, plant)


def state(machine: str, name: str, change):
    """A fault in one state of a definition."""
    return machine, lambda source: change(source["States"][name])


def without_action(action: str):
    def change(given):
        for statement in given:
            if isinstance(statement["Action"], list) and action in statement["Action"]:
                statement["Action"].remove(action)

    return change


def of_action(action: str, change):
    """Change every statement that allows `action`."""

    def change_all(given):
        for statement in given:
            if action in statement["Action"]:
                change(statement)

    return change_all


def without(*path: str):
    """Remove what is at the end of the path."""

    def change(given):
        for name in path[:-1]:
            given = given[name]
        del given[path[-1]]

    return change


def put(value, *path: str):
    def change(given):
        for name in path[:-1]:
            given = given[name]
        given[path[-1]] = value

    return change


def renamed(old: str, new: str):
    def change(given):
        given[new] = given.pop(old)

    return change
