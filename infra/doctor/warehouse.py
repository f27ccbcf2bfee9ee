"""What the warehouse's answers say: whether it is there, has our role, and lets us read. Pure."""

import re
from collections.abc import Iterable

from infra.doctor.finding import FAIL, OK, Finding
from pipelines.warehouse.unload import literal

WHAT = "warehouse"
TABLES = ("labelmill.labelled_items", "labelmill.new_items")


def available(name: str, status: str) -> Finding:
    """Whether a workgroup or cluster can be asked; `status` in whatever case."""
    if status.lower() == "available":
        return Finding(OK, WHAT, f"{name} is available")
    return Finding(FAIL, WHAT, f"{name} is {status}", "resume it, or wait until it is available")


def role(wanted: str, attached: Iterable[str]) -> Finding:
    """Whether UNLOAD may act by our role.

    `attached`: a cluster's role ARNs, or a namespace's, which come as `IamRole(applyStatus=...,
    iamRoleArn=...)`, in either order (pull request 507 of
    aws-solutions-library-samples/guidance-for-clickstream-analytics-on-aws).
    """
    whole = re.compile(re.escape(wanted) + r"(?![\w+=.@/-])")
    if any(whole.search(text) for text in attached):
        return Finding(OK, f"{WHAT} role", "attached")
    return Finding(
        FAIL,
        f"{WHAT} role",
        "not attached",
        f"attach {wanted} to the cluster or namespace (docs/warehouse.md)",
    )


def question(user: str | None) -> str:
    """SQL that answers whether the tables may be read: one row, one value, or an error that says what lacks.

    `user` is the database user of the function's role; None where a secret's user asks for itself. Source:
    Amazon Redshift Database Developer Guide, HAS_TABLE_PRIVILEGE and HAS_SCHEMA_PRIVILEGE.
    """
    who = f"{literal(user)}, " if user else ""
    asked = [f"has_schema_privilege({who}'labelmill', 'usage')"]
    asked += [f"has_table_privilege({who}{literal(table)}, 'select')" for table in TABLES]
    return f"SELECT {' AND '.join(asked)}"


def granted(user: str, answer: bool | None, error: str = "") -> Finding:
    """What came of the question: its value, or the statement's error."""
    if answer:
        return Finding(OK, f"{WHAT} grants", f"{user} may read both tables")
    return Finding(
        FAIL,
        f"{WHAT} grants",
        error or f"{user} may not read both tables",
        "docs/warehouse.md has the grants",
    )
