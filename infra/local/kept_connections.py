"""How the server speaks HTTP: a connection is kept for the requests that follow.

werkzeug's handler closes it after each, which costs a thread and a connection for each request, here and in
the client: as much as a small request itself. It also looks for rests of the request for 10 ms.
"""

import contextlib
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import LimitedStream

log = logging.getLogger(__name__)
#: A body that nobody has read is read up to this size, so that the connection can be used again.
_UNREAD_BYTES = 1 << 20
_PATIENCE_SECONDS = 1
#: An answer up to this size is sent at once with its head.
_SMALL_BYTES = 1 << 16
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class KeptConnections:
    """In front of a handler of werkzeug's among a class's bases, it answers requests in its place."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer waits until the client has said that it has the one before

    def run_wsgi(self: Any) -> None:
        """Answer one request."""
        environ = self.make_environ()
        if environ.get("wsgi.input_terminated"):  # its end is known only to who reads it
            self.close_connection = True
        else:
            environ["wsgi.input"] = LimitedStream(self.rfile, int(environ.get("CONTENT_LENGTH") or 0))
        status, headers, content = self._answer(environ)
        unread = _unread(environ["wsgi.input"])
        if unread > _UNREAD_BYTES or "close" in _values(headers, "connection"):
            self.close_connection = True
        self._send(status, headers, content)
        if unread:  # a client that still sends would see a reset connection, not the answer
            self.connection.settimeout(_PATIENCE_SECONDS)
            with contextlib.suppress(OSError, ClientDisconnected):
                environ["wsgi.input"].exhaust()
            self.connection.settimeout(None)

    def _answer(self: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[..., Any]:
            started[:] = status, headers
            return lambda data: None  # for applications older than WSGI itself

        try:
            answer = self.server.app(environ, start_response)
            content = b"".join(answer)  # the emulator has it in memory anyway
            getattr(answer, "close", lambda: None)()
        except Exception:
            log.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return "500 Internal Server Error", [("Connection", "close")], b""
        return (*started, content)

    def _send(self: Any, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if not _values(headers, "date"):
            lines.append(f"Date: {self.date_time_string()}")
        if not _values(headers, "content-length") and int(status[:3]) not in _WITHOUT_BODY:
            lines.append(f"Content-Length: {len(content)}")
        if self.close_connection and not _values(headers, "connection"):
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
        if self.command == "HEAD":
            content = b""
        for part in [head + content] if len(content) <= _SMALL_BYTES else [head, content]:
            self.wfile.write(part)


def _values(headers: list[tuple[str, str]], name: str) -> list[str]:
    return [value.lower() for header, value in headers if header.lower() == name]


def _unread(body: Any) -> int:
    return body.limit - body.tell() if isinstance(body, LimitedStream) else 0
