"""The model server in a transform job's process: `/ping` and `/invocations`, answered as the image does.

The user's module gives `model_fn(model_dir)`, `input_fn(data, content_type)`, `predict_fn(data, model)` and
`output_fn(prediction, accept)`, which returns body and content type (sagemaker_containers 2.8.6:
`_transformer.py`, `_worker.py`).
"""

import importlib
import os
import socket
import sys
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

# Bodies of these types reach input_fn as text, all others as bytes.
TEXT_TYPES = {"application/json", "text/csv"}
DEFAULT_MAX_BYTES, MAX_BYTES_LIMIT = 6 * 2**20, 20 * 2**20


def serve(listener: socket.socket) -> None:
    """Load the model, then answer requests on `listener` until killed."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    sys.path.insert(0, str(base / "code"))
    module = importlib.import_module(os.environ["SAGEMAKER_PROGRAM"].removesuffix(".py"))
    server = _Server(listener.getsockname(), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.module = module
    server.model = module.model_fn(str(base / "model"))
    server.max_bytes = min(int(os.environ.get("MAX_CONTENT_LENGTH", DEFAULT_MAX_BYTES)), MAX_BYTES_LIMIT)
    print(f"serving {module.__name__}", flush=True)
    server.serve_forever()


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
    module: ModuleType
    model: object
    max_bytes: int


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK if self.path == "/ping" else HTTPStatus.NOT_FOUND, b"", "application/json")

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if self.path != "/invocations":
            return self._answer(HTTPStatus.NOT_FOUND, b"", "application/json")
        if size > self.server.max_bytes:
            text = f"{size} bytes are more than the {self.server.max_bytes} of MAX_CONTENT_LENGTH"
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text.encode(), "text/plain")
        content_type = self.headers.get("Content-Type") or "application/json"
        accept = self.headers.get("Accept") or "application/json"
        try:
            answer, answer_type = transform(self.server.module, self.server.model, body, content_type, accept)
        except Exception:
            traceback.print_exc()
            return self._answer(
                HTTPStatus.INTERNAL_SERVER_ERROR, traceback.format_exc().encode(), "text/plain"
            )
        self._answer(HTTPStatus.OK, answer, answer_type)

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, text: str, *values: object) -> None:
        """Only errors go to the log; they print themselves."""
