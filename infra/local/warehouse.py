"""The warehouse of this machine: Redshift's Data API, as far as it is called here, before DuckDB."""

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from infra.local.aws_models import InvalidRequest, check, only_members, service_model
from infra.local.jobs import ServiceError

log = logging.getLogger(__name__)
OPERATIONS = ("ExecuteStatement", "DescribeStatement")
#: AWS's quota of statements that have not ended ("Amazon Redshift quotas").
MOST_ACTIVE = 500


class Warehouse:
    """Statements by id.

    Args:
        run: runs the text of a statement and returns the number of its rows; what it raises is the error.
        announce: called as `announce(statement, with_event)` when a statement has begun and when it has
            ended, the statement as DescribeStatement answers it.

    Attributes:
        interrupted: restored statements that had not ended, for who tells of their end.
    """

    def __init__(self, run: Callable[[str], int], announce: Callable[[dict[str, Any], bool], None]):
        self._run = run
        self._announce = announce
        self._statements: dict[str, dict[str, Any]] = {}
        self._by_token: dict[str, str] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="statement")
        self._active = 0
        self.interrupted: list[dict[str, Any]] = []

    def handles(self, operation: str) -> bool:
        """True for the operations answered here."""
        return operation in OPERATIONS

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The response to one API call. Raises ServiceError."""
        model = service_model("redshift-data").operation_model(operation)
        try:
            check(request, model)
        except InvalidRequest as error:
            raise ServiceError(error.code, str(error)) from None
        statement = self._execute(request) if operation == "ExecuteStatement" else self._find(request["Id"])
        return only_members(statement, model.output_shape)

    def running(self) -> int:
        """How many statements have not ended, or whose end has not been reported."""
        return self._active

    def saved(self) -> list[dict[str, Any]]:
        """All statements, by which the answers to their client tokens are known, too."""
        with self._lock:
            return [dict(statement) for statement in self._statements.values()]

    def restore(self, saved: list[dict[str, Any]]) -> None:
        """Take what was saved; a statement that had not ended was aborted."""
        for statement in saved:
            if statement["Status"] == "STARTED":
                ended = {"Status": "ABORTED", "ResultRows": -1, "Error": "the local stack ended meanwhile"}
                statement |= {**ended, "UpdatedAt": datetime.now(UTC), "Duration": 0}
                self.interrupted.append(statement)
            self._statements[statement["Id"]] = statement
            self._by_token[statement["ClientToken"]] = statement["Id"]

    def _find(self, statement_id: str) -> dict[str, Any]:
        try:
            return self._statements[statement_id]
        except KeyError:
            raise ServiceError("ResourceNotFoundException", "Query does not exist.") from None

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        """Begin a statement; one with the client token of an earlier one is that earlier one."""
        if "WorkgroupName" not in request and "ClusterIdentifier" not in request:
            raise ServiceError("ValidationException", "Either WorkgroupName or ClusterIdentifier is needed.")
        with self._lock:
            if request["ClientToken"] in self._by_token:
                return self._statements[self._by_token[request["ClientToken"]]]
            if self._active >= MOST_ACTIVE:
                raise ServiceError(
                    "ActiveStatementsExceededException",
                    f"Active statements exceeded the allowed {MOST_ACTIVE}.",
                )
            self._active += 1
            now = datetime.now(UTC)
            statement = {
                **request,
                "Id": str(uuid.uuid4()),
                "QueryString": request["Sql"],
                "Status": "STARTED",
                "CreatedAt": now,
                "UpdatedAt": now,
                "HasResultSet": False,
            }
            self._statements[statement["Id"]] = statement
            self._by_token[request["ClientToken"]] = statement["Id"]
        self._announce(statement, False)
        self._threads.submit(self._finish, statement)
        return statement

    def _finish(self, statement: dict[str, Any]) -> None:
        try:
            ended = {"Status": "FINISHED", "ResultRows": self._run(statement["Sql"])}
        except Exception as error:
            log.info("%s failed: %s", statement.get("StatementName"), error)
            ended = {"Status": "FAILED", "ResultRows": -1, "Error": str(error)}
        now = datetime.now(UTC)
        duration = int((now - statement["CreatedAt"]).total_seconds() * 1e9)
        statement.update(ended, UpdatedAt=now, Duration=duration)
        try:
            self._announce(statement, statement.get("WithEvent", False))
        finally:
            with self._lock:
                self._active -= 1


def status_event(statement: dict[str, Any], account: str) -> dict[str, Any]:
    """The entry for PutEvents by which Redshift reports a statement's end.

    Source: Amazon Redshift Management Guide, "Monitoring events for the Amazon Redshift Data API". The event
    does not say why a statement failed.
    """
    return {
        "Source": "aws.redshift-data",
        "DetailType": "Redshift Data Statement Status Change",
        "Resources": [statement.get("WorkgroupName") or statement["ClusterIdentifier"]],
        "Detail": {
            "principal": f"arn:aws:sts::{account}:assumed-role/local/local",
            "statementName": statement.get("StatementName", ""),
            "statementId": statement["Id"],
            "redshiftQueryId": -1,
            "state": statement["Status"],
            "rows": statement["ResultRows"],
            "expireAt": int(statement["CreatedAt"].timestamp()) + 24 * 3600,
        },
    }
