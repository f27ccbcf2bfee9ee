"""Batch Transform's client of the model server: one connection, retries as the service makes them."""

import http.client
from http import HTTPStatus
from typing import Any

# How long the server may take to load its model.
_START_SECONDS = 600


class BadAnswer(Exception):
    """The model server answered badly or not at all. `blame` begins the job's FailureReason."""

    def __init__(self, text: str, blame: str = "AlgorithmError"):
        super().__init__(text)
        self.blame = blame


class Client:
    """Requests to one server, one at a time."""

    def __init__(self, address: tuple[str, int], timeout_seconds: float, max_retries: int):
        self._address = address
        self._timeout = timeout_seconds
        self._retries = max_retries
        self._connection = self._connect(timeout_seconds)

    def ping(self) -> None:
        """Wait until the server is there, which may take longer than an answer."""
        self._connection.timeout = _START_SECONDS
        status, _ = self._ask("GET", "/ping", None, {})
        if status != HTTPStatus.OK:
            raise BadAnswer(f"/ping answers {status}")
        self._connection.sock.settimeout(self._timeout)

    def invoke(self, body: bytes, content_type: str, accept: str | None) -> bytes:
        """The answer to `body`. An answer of 5xx or none is asked for again, 4xx is not. Raises BadAnswer."""
        headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                status, answer = self._ask("POST", "/invocations", body, headers)
            except BadAnswer:
                if last:
                    raise
                self.close()
                self._connection = self._connect(self._timeout)
                continue
            if status == HTTPStatus.OK:
                return answer
            text = f"Bad HTTP status received from algorithm: {status}\n{answer.decode(errors='replace')}"
            if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise BadAnswer(text, "ClientError")
            if last:
                raise BadAnswer(text)
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._connection.close()

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self._address, timeout=timeout)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, Any]) -> tuple[int, bytes]:
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise BadAnswer(
                f"Unable to get response from algorithm: {error or type(error).__name__}"
            ) from None
