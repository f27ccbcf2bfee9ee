"""The model server in a transform job's process: `/ping` and `/invocations`, answered as the image does.

The user's module gives `model_fn(model_dir)`, `input_fn(data, content_type)`, `predict_fn(data, model)` and
`output_fn(prediction, accept)`, which returns body and content type. A worker loads the model at its first
request, takes requests of any size (nginx: `client_max_body_size 0`), and answers what goes wrong with
Flask's page (sagemaker-containers 2.8.6: `_transformer.py`, `_worker.py`, `_server.py`,
`etc/nginx.conf.template`; sagemaker-xgboost-container: `serving.py`).
"""

import importlib
import os
import socket
import sys
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

# Bodies of these types reach input_fn as text, all others as bytes.
TEXT_TYPES = {"application/json", "text/csv"}
#: What a client sees of any error; the rest is in the log.
ERROR_PAGE = b"""<!doctype html>
<html lang=en>
<title>500 Internal Server Error</title>
<h1>Internal Server Error</h1>
"""


def serve(listener: socket.socket) -> None:
    """Answer requests on `listener` until killed."""
    server = _Server(listener.getsockname(), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def load() -> tuple[ModuleType, object]:
    """The user's module, and the model it loads."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    if str(base / "code") not in sys.path:
        sys.path.insert(0, str(base / "code"))
    module = importlib.import_module(os.environ["SAGEMAKER_PROGRAM"].removesuffix(".py"))
    model = module.model_fn(str(base / "model"))
    print(f"serving {module.__name__}", flush=True)
    return module, model


def transform(
    module: ModuleType, model: object, body: bytes, content_type: str, accept: str
) -> tuple[bytes, str]:
    """Answer one request by the user's functions: body and content type."""
    data = module.input_fn(body.decode() if content_type in TEXT_TYPES else body, content_type)
    answer = module.output_fn(module.predict_fn(data, model), accept)
    if not isinstance(answer, tuple):
        raise TypeError(f"output_fn must return body and content type, not {type(answer).__name__}")
    content, answer_type = answer
    return (content.encode() if isinstance(content, str) else content), answer_type


class _Server(HTTPServer):
    loaded: tuple[ModuleType, object] | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._respond("/ping", lambda module, model: (b"", "application/json"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content_type = self.headers.get("Content-Type") or "application/json"
        accept = self.headers.get("Accept") or "application/json"
        self._respond(
            "/invocations", lambda module, model: transform(module, model, body, content_type, accept)
        )

    def _respond(self, path: str, answer: Callable[[ModuleType, object], tuple[bytes, str]]) -> None:
        """Answer a request for `path` by the model, which is loaded if this is the first one."""
        if self.path != path:
            return self._answer(HTTPStatus.NOT_FOUND, b"{}", "application/json")
        try:
            self.server.loaded = self.server.loaded or load()
            content, content_type = answer(*self.server.loaded)
        except Exception:
            traceback.print_exc()
            return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, ERROR_PAGE, "text/html; charset=utf-8")
        self._answer(HTTPStatus.OK, content, content_type)

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, text: str, *values: object) -> None:
        """Only errors go to the log; they print themselves."""
