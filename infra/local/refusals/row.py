"""What a row of the table is, and what rows may ask about the account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from infra.local.refusals.role import Role

VALIDATION = "ValidationException"


class Account(Protocol):
    """What is there besides the request. Records are describe answers with all that was asked for."""

    region: str
    number: str
    quota: int

    def record(self, kind: str, name: str) -> dict | None: ...

    def records(self, kind: str) -> list[dict]: ...

    def has_objects(self, uri: str) -> bool: ...

    def role(self, arn: str) -> Role | None: ...


@dataclass(frozen=True)
class Refusal:
    """One thing that is refused.

    Attributes:
        name: of the row.
        when: a sentence, for people.
        operations: the operations that refuse it.
        code: what AWS calls the error.
        source: where that can be read: a public report, or a page of AWS's documentation.
        seen: when it was reported, or when the page was read: `YYYY-MM`.
        says: the message for a request, None where it is not refused.
    """

    name: str
    when: str
    operations: tuple[str, ...]
    code: str
    source: str
    seen: str
    says: Callable[[dict, Account], str | None]


def refusal(*operations: str, source: str, seen: str, code: str = VALIDATION):
    """Make a row of the function below: its name, and its docstring's first line as `when`."""

    def make(says: Callable[[dict, Account], str | None]) -> Refusal:
        when = says.__doc__.splitlines()[0].rstrip(".")
        return Refusal(says.__name__, when, operations, code, source, seen, says)

    return make
