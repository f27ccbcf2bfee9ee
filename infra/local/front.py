"""The thin front before the emulator: answers some services itself, lets clients wait for what happens."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any, Protocol
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication

from infra.local.aws_models import to_epoch
from infra.local.endpoint import LOCAL_PATH
from infra.local.error_answers import error_answer, request_id
from infra.local.jobs import ServiceError
from infra.local.signatures import FOREIGN, NotAllowed, Signatures
from infra.local.timeline import Timeline

log = logging.getLogger(__name__)
#: How operations begin that change nothing. A message that was received is there until it is deleted.
_READS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "TransactGet", "ReceiveMessage")


class Service(Protocol):
    """Who answers some operations of a service in the emulator's place."""

    def handles(self, operation: str) -> bool: ...

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]: ...


class Front:
    """A WSGI application around another one.

    `signatures` judges each request first. `services` are by the prefix of their targets, such as
    `SageMaker`. `quiet` says whether nothing is under way: no execution, no job, no statement, no message
    that a function should take. `prune` removes what ended jobs have left, and says what that was. `changed`
    is called after a request that may have changed something.
    """

    def __init__(
        self,
        emulator: WSGIApplication,
        signatures: Signatures,
        services: Mapping[str, Service],
        timeline: Timeline,
        quiet: Callable[[], bool],
        prune: Callable[[], str],
        changed: Callable[[], None],
    ):
        self._emulator = emulator
        self._signatures = signatures
        self._services = services
        self._timeline = timeline
        self._quiet = quiet
        self._prune = prune
        self._changed = changed
        self._closed = False
        self._begun = self._ended = 0  # requests that may change something
        self._counting = threading.Lock()
        self._tables = threading.Lock()

    def close(self) -> None:
        """Take nothing that changes anything from now on."""
        self._closed = True

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if self._closed and _may_change(environ):
            start_response("503 Service Unavailable", [("Content-Length", "0"), ("Connection", "close")])
            return []
        if not _may_change(environ):
            return self._answer(environ, start_response)
        with self._counting:
            self._begun += 1
        try:
            return self._answer(environ, start_response)
        finally:
            with self._counting:
                self._ended += 1
            self._changed()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            self._signatures.check(environ)
        except NotAllowed as error:
            return _refuse(environ, start_response, error)
        name, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        service = self._services.get(name)
        if service and service.handles(operation):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, response = self._call(service, operation, json.loads(body or b"{}"))
            return _respond(start_response, status, "application/x-amz-json-1.1", response)
        path = environ.get("PATH_INFO", "")
        if path.startswith(LOCAL_PATH):
            query = {name: float(values[0]) for name, values in parse_qs(environ["QUERY_STRING"]).items()}
            content = self._local_answer(path.removeprefix(LOCAL_PATH), **query)
            return _respond(start_response, "200 OK", "application/json", content)
        return self._emulate(environ, start_response)

    def _emulate(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The emulator's answer; where that is a page, or nothing, an error of the service that was asked."""
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., Any]:
            started[:] = status, headers
            return lambda data: None  # for applications older than WSGI itself

        # A transaction of moto's copies its tables, and puts the copies back if it fails: what others write
        # meanwhile would be lost.
        of_tables = environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_")
        try:
            with self._tables if of_tables else nullcontext():
                answer = self._emulator(environ, start)
            status, headers = started
        except Exception:
            log.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return _not_imitated(environ, start_response)
        page = dict(headers).get("Content-Type", "").startswith("text/html") and status[:1] in "45"
        if page and environ["REQUEST_METHOD"] != "HEAD":
            return _not_imitated(environ, start_response)
        start_response(status, headers)
        return answer

    def _call(self, service: Service, operation: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        try:
            return "200 OK", to_epoch(service.answer(operation, request))
        except ServiceError as error:
            return "400 Bad Request", {"__type": error.code, "message": str(error)}

    def _local_answer(self, what: str, after: float = 0, timeout: float = 0) -> list[Any] | dict[str, Any]:
        """What `infra.local.endpoint.get` asks for."""
        if what == "events":
            return self._timeline.after(int(after), timeout)
        if what == "quiet":
            return {"quiet": self._timeline.wait_until(self._is_quiet, timeout)}
        if what == "prune":
            return {"removed": self._prune()}
        return {"pid": os.getpid()}

    def _is_quiet(self) -> bool:
        """Whether nothing is under way.

        It is looked for in one place after another, and may go from one that comes later to one that was
        looked at: always by a request, such as the one that starts an execution. So it counts only if none
        was being answered meanwhile.
        """
        ended = self._ended
        return self._quiet() and self._begun == ended


def _may_change(environ: dict[str, Any]) -> bool:
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if operation:
        return not operation.startswith(_READS)
    return environ["REQUEST_METHOD"] not in ("GET", "HEAD")


def _refuse(environ: dict[str, Any], start_response: StartResponse, error: NotAllowed) -> list[bytes]:
    """Its body is not read: it may be as large as whoever sent it likes. So the connection ends."""
    if error.reason == FOREIGN:
        headers, body = {"Content-Type": "text/plain"}, str(error).encode()
    else:
        headers, body = error_answer(environ, error.reason, str(error))
    headers |= {"Content-Length": str(len(body)), "Connection": "close"}
    status = "501 Not Implemented" if error.reason == "NotImplemented" else "403 Forbidden"
    start_response(status, list(headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _not_imitated(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    """Not a 500: SDKs would try again, and again."""
    operation = environ.get("HTTP_X_AMZ_TARGET") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    text = (
        f"the local stack does not imitate this call ({operation}). Fix: try it on AWS; server.log says more"
    )
    headers, body = error_answer(environ, "NotImplemented", text)
    headers["Content-Length"] = str(len(body))
    xml = headers["Content-Type"] == "application/xml"
    start_response("501 Not Implemented" if xml else "400 Bad Request", list(headers.items()))
    return [body]


def _respond(start_response: StartResponse, status: str, content_type: str, answer: object) -> list[bytes]:
    body = json.dumps(answer).encode()
    headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **request_id()}
    start_response(status, list(headers.items()))
    return [body]
