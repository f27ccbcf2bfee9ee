"""The errors of the command line, as a tree.

Refused
├── StackError, LedgerError, CodebookError, ReviewError, SheetError, ReportError, AuditError, PlanError
├── ExportError, NotAgain, NoTarget, NoSuchRun, RowsMissing, NothingInCommon
└── SettingsError, ImageError, KeptDataError, StackFailed, NotCompleted, RunFailed, DidNotStart, NoDemo,
    NoSuchSchedule      (infra)

Each is raised where it is found out, and says what is wrong, where, and what puts it right.
"""

import hashlib

from processing.errors import NOT_AS_RECORDED


class Refused(Exception):
    """What was asked cannot be done, or must not be; the message says why and what to do."""


def check(content: bytes, recorded: str, address: str, error: type[Refused]) -> None:
    """Raise `error` unless what is at an S3 `address` has the SHA-256 (hex) that was `recorded`."""
    if (found := hashlib.sha256(content).hexdigest()) != recorded:
        raise error(not_as_recorded(address, found, recorded))


def not_as_recorded(address: str, found: str, recorded: str) -> str:
    """The sentence on an object that is another than the one recorded; both are SHA-256 (hex)."""
    return (
        f"{address} {NOT_AS_RECORDED}: its SHA-256 is {found}, recorded was {recorded}. "
        "Fix: restore the version of the object that has that one"
    )
