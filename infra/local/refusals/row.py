"""What a row of the table is, and what rows may ask about the account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from infra.local.refusals.role import Role

VALIDATION = "ValidationException"
#: A request, or a part of one, as the JSON that is sent.
Request = dict[str, Any]


class Account(Protocol):
    """What is there besides the request. Records are describe answers with all that was asked for."""

    region: str
    number: str
    quota: int

    def record(self, kind: str, name: str) -> Request | None: ...

    def records(self, kind: str) -> list[Request]: ...

    def under_way(self) -> list[Request]: ...

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
    says: Callable[[Request, Account], str | None]


def refusal(
    *operations: str, source: str, seen: str, code: str = VALIDATION
) -> Callable[[Callable[[Request, Account], str | None]], Refusal]:
    """Make a row of the function below: its name, and its docstring's first line as `when`."""

    def make(says: Callable[[Request, Account], str | None]) -> Refusal:
        when = (says.__doc__ or "").partition("\n")[0].rstrip(".")
        return Refusal(says.__name__, when, operations, code, source, seen, says)

    return make
