"""Writes docs/access.md: who may do what, as the policy engine judges the template.

    make docs

test_access_matrix.py compares the page with what this would write.
"""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from tests.infra.policies import REGION, Stack, by_role, judge, running_engine

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
KEYS = ("LandingKey", "WorkKey", "LabelledKey", "OperationsKey")
SERVICES = ("s3", "sqs", "sns", "dynamodb")
USES = {"kms:Decrypt": "decrypt", "kms:GenerateDataKey": "encrypt"}
HEAD = """\
# Who may do what

Written by `tests/infra/access_matrix.py` from `infra/template.yaml`; a test fails when the two differ. Each
cell of the first table is a verdict of a policy engine on key policy and role policies together, Conditions
included ([deploy.md](deploy.md) says what that could not check).

## Role x key x action

*decrypt* is `kms:Decrypt`, *encrypt* is `kms:GenerateDataKey`; behind it the only services through which the
role may: a role that calls KMS itself is refused. An empty cell is a refusal.

"""
NOTES = """
SageMaker also asks `kms:Encrypt` of a job's role where an output is under a key, and `kms:CreateGrant` (only
for AWS's own use) for the job's volume: every job's role has both on WorkKey, those that publish labels the
first on LabelledKey. The roles of machines and functions use OperationsKey for execution histories too, only
of this stack's machines.

## Role x action x resource

Every statement of every role, for a stack named `labelmill` in an account 123456789012. Where the resource
is `*` the action knows none; a test holds the list of those.

"""


def matrix(stack: Stack) -> Iterator[str]:
    """The first table, line by line."""
    cases = list(product(stack.roles(), KEYS, SERVICES, USES))
    requests = [
        by_role(
            stack, role, action, stack.arn(key), **{"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
        )
        for role, key, service, action in cases
    ]
    verdicts = judge(stack, requests)
    allowed = {case for case, verdict in zip(cases, verdicts, strict=True) if verdict == "Allowed"}
    yield f"| role | {' | '.join(KEYS)} |"
    yield f"| --- |{' --- |' * len(KEYS)}"
    for role in stack.roles():
        yield f"| {role} | {' | '.join(_cell(role, key, allowed) for key in KEYS)} |"


def _cell(role: str, key: str, allowed: set) -> str:
    through = {
        use: ", ".join(service for service in SERVICES if (role, key, service, action) in allowed)
        for action, use in USES.items()
    }
    return "; ".join(f"{use} ({services})" for use, services in through.items() if services)


def statements(stack: Stack) -> Iterator[str]:
    """The second table, line by line."""
    yield "| role | | actions | resources | if |"
    yield "| --- | --- | --- | --- | --- |"
    for role in stack.roles():
        for policy in stack.identity_policies(role):
            for statement in policy["Statement"]:
                actions, resources = (_joined(statement[name]) for name in ("Action", "Resource"))
                condition = _joined(
                    [
                        f"{key} {operator} {' or '.join(value) if isinstance(value, list) else value}"
                        for operator, keys in statement.get("Condition", {}).items()
                        for key, value in keys.items()
                    ]
                )
                effect = statement["Effect"].lower()
                yield f"| {role} | {effect} | {actions} | {resources} | {condition} |"


def _joined(value: str | list[str]) -> str:
    return "<br>".join(f"`{item}`" for item in (value if isinstance(value, list) else [value]))


def page(stack: Stack) -> str:
    return HEAD + "\n".join(matrix(stack)) + "\n" + NOTES + "\n".join(statements(stack)) + "\n"


def main() -> int:
    with running_engine():
        PAGE.write_text(page(Stack()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
