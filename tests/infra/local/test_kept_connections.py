"""Several requests over one connection, whatever the application has read of them."""

import http.client
import threading

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from infra.local.kept_connections import KeptConnections


class Handler(KeptConnections, WSGIRequestHandler):
    pass


def application(environ, start_response):
    """Answers with what it has read: all of the body, or nothing at another address than `/read`."""
    if environ["PATH_INFO"] == "/fail":
        raise RuntimeError("a fault of the application")
    read = environ["wsgi.input"].read() if environ["PATH_INFO"] == "/read" else b""
    closing = [("Connection", "close")] if environ["PATH_INFO"] == "/close" else []
    start_response("200 OK", closing)
    return [b"read ", str(len(read)).encode()]


@pytest.fixture(scope="module")
def port():
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.port
    server.shutdown()
    server.server_close()


@pytest.fixture
def connection(port):
    """It connects by itself; `sock` is None where the server has ended the connection."""
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    yield made
    made.close()


def answer(connection, method, path, body=b""):
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_requests_follow_each_other_over_one_connection(connection):
    assert answer(connection, "PUT", "/read", b"12345") == (200, "read 5")
    first = connection.sock
    assert first
    assert answer(connection, "GET", "/read") == (200, "read 0")
    assert connection.sock is first


def test_a_body_that_was_not_read_is_not_taken_for_the_next_request(connection):
    assert answer(connection, "PUT", "/unread", b"no line of a request") == (200, "read 0")
    first = connection.sock
    assert first
    assert answer(connection, "PUT", "/read", b"123") == (200, "read 3")
    assert connection.sock is first


def test_a_large_body_that_was_not_read_is_answered_and_ends_the_connection(connection):
    assert answer(connection, "PUT", "/unread", bytes(4 << 20)) == (200, "read 0")
    assert connection.sock is None


def test_the_connection_ends_where_the_application_says_so(connection):
    assert answer(connection, "GET", "/close") == (200, "read 0")
    assert connection.sock is None


def test_the_head_of_an_answer_has_its_length_and_no_body(connection):
    connection.request("HEAD", "/read")
    response = connection.getresponse()
    assert (response.headers["Content-Length"], response.read()) == ("6", b"")
    assert answer(connection, "GET", "/read") == (200, "read 0")


def test_a_fault_of_the_application_is_an_answer_too(connection):
    assert answer(connection, "GET", "/fail") == (500, "")
    assert connection.sock is None
