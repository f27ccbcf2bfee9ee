"""The front before the emulator: when the stack counts as quiet, who waits for whom, and what errors are."""

import threading

from infra.local.endpoint import LOCAL_PATH
from infra.local.front import Front
from infra.local.timeline import Timeline


class AllMay:
    """Signatures that are always right."""

    def check(self, environ):
        pass


def emulator(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b"{}"]


def ask(front, path="/", target="", method="POST"):
    """The body of the front's answer."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "HTTP_X_AMZ_TARGET": target}
    return b"".join(front(environ, lambda status, headers: None))


def is_quiet(meanwhile):
    """What the front says where nothing is found under way, and `meanwhile(front)` happens as one looks."""

    def nothing_is_found():
        meanwhile(front)
        return True

    front = Front(emulator, AllMay(), {}, Timeline(), nothing_is_found, str, lambda: None)
    return ask(front, f"{LOCAL_PATH}quiet", method="GET") == b'{"quiet": true}'


def test_what_goes_from_a_place_to_one_that_was_looked_at_before_is_not_missed():
    assert is_quiet(lambda front: None)
    assert not is_quiet(lambda front: ask(front, target="AWSStepFunctions.StartExecution"))


def test_a_request_that_changes_something_is_under_way_until_it_is_answered():
    waits = []

    def changes(environ, start_response):
        waits.append(ask(front, f"{LOCAL_PATH}quiet", method="GET"))
        return emulator(environ, start_response)

    front = Front(changes, AllMay(), {}, Timeline(), lambda: True, str, lambda: None)
    ask(front, target="AmazonSQS.SendMessage")
    assert waits == [b'{"quiet": false}']
    assert ask(front, f"{LOCAL_PATH}quiet", method="GET") == b'{"quiet": true}'


def test_reading_meanwhile_changes_nothing():
    assert is_quiet(lambda front: ask(front, target="AWSStepFunctions.DescribeExecution"))


def test_nothing_is_written_to_a_table_while_a_transaction_may_put_back_what_was_there():
    written, others, seen = threading.Event(), [], []

    def tables(environ, start_response):
        if environ["HTTP_X_AMZ_TARGET"].endswith("PutItem"):
            written.set()
        else:
            put = threading.Thread(target=ask, args=(front,), kwargs={"target": "DynamoDB_20120810.PutItem"})
            put.start()
            others.append(put)
            seen.append(written.wait(0.3))
        return emulator(environ, start_response)

    front = Front(tables, AllMay(), {}, Timeline(), lambda: True, str, lambda: None)
    ask(front, target="DynamoDB_20120810.TransactWriteItems")
    others[0].join()
    assert seen == [False] and written.is_set()


def test_an_error_names_its_request_as_state_machines_quote_it():
    def breaks(environ, start_response):
        raise RuntimeError("dictionary changed size during iteration")

    front, given = Front(breaks, AllMay(), {}, Timeline(), lambda: True, str, lambda: None), {}
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "HTTP_X_AMZ_TARGET": "DynamoDB_20120810.PutItem"}
    list(front(environ, lambda status, headers: given.update(headers)))
    assert given["x-amzn-RequestId"]
