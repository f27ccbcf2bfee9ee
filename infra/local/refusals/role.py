"""A role as SageMaker's checks see it: who may assume it, and whether any of its policies allows an action.

This is not a policy engine: of all conditions only those on what is asked for (`s3:prefix`) are checked, the
others count as met by an Allow and as not met by a Deny; policies of buckets, keys and the organization, and
boundaries, are not checked. What is refused here AWS refuses too; what passes may still be refused there:
tests/infra/test_permissions.py asks a policy engine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Role:
    """Policy documents as IAM answers them, parsed.

    Attributes:
        trust: the trust policy.
        policies: inline and attached ones.
    """

    trust: dict[str, Any]
    policies: tuple[dict[str, Any], ...]

    def trusts(self, service: str) -> bool:
        """Whether the trust policy lets the service (`sagemaker.amazonaws.com`) assume the role."""
        return any(
            statement["Effect"] == "Allow"
            and "sts:AssumeRole" in _several(statement["Action"])
            and service in _several((statement.get("Principal") or {}).get("Service", []))
            for statement in _several(self.trust["Statement"])
        )

    def allows(self, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Whether a statement allows the action and none denies it; `context`: condition keys' values."""
        statements = [
            statement
            for policy in self.policies
            for statement in _several(policy["Statement"])
            if _names(statement, "Action", action.lower(), str.lower)
            and _names(statement, "Resource", resource)
        ]
        denied = any(s["Effect"] == "Deny" and _met(s, context or {}, unknown=False) for s in statements)
        return not denied and any(
            s["Effect"] == "Allow" and _met(s, context or {}, unknown=True) for s in statements
        )


def _names(statement: dict[str, Any], member: str, value: str, fold: Callable[[str], str] = str) -> bool:
    if f"Not{member}" in statement:
        return not any(_like(value, fold(pattern)) for pattern in _several(statement[f"Not{member}"]))
    return any(_like(value, fold(pattern)) for pattern in _several(statement.get(member, [])))


def _met(statement: dict[str, Any], context: Mapping[str, str], unknown: bool) -> bool:
    for operator, keys in statement.get("Condition", {}).items():
        for key, patterns in keys.items():
            if operator not in ("StringLike", "StringEquals") or key not in context:
                if not unknown:
                    return False
            elif not any(_like(context[key], pattern) for pattern in _several(patterns)):
                return False
    return True


def _like(value: str, pattern: str) -> bool:
    """IAM knows `*` and `?`; square brackets are nothing special to it."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
