"""The errors of the command line, as a tree.

Refused
├── StackError, LedgerError, CodebookError, ReviewError, SheetError, ReportError, AuditError, PlanError
├── NotAgain, NoTarget, RowsMissing
└── SettingsError, StackFailed, DidNotStart, NoDemo, NoSuchSchedule      (infra)

Each is raised where it is found out, and says what is wrong, where, and what puts it right.
"""


class Refused(Exception):
    """What was asked cannot be done, or must not be; the message says why and what to do."""
