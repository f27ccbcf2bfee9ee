"""The process in which one Lambda function runs: loads the handler, answers event after event.

Started as `python -I function_worker.py FOLDER HANDLER`. Requests come as JSON lines on standard input;
answers leave as JSON lines on what was standard output. What the handler prints goes to standard error, its
log, and so does what it logs, in the form of Lambda's `LogFormat: JSON`. It ends when standard input ends, so
it never outlives the stack.
"""

import importlib
import importlib.machinery
import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

# What AWS's Python runtime brings besides the standard library.
IN_THE_RUNTIME = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"}


class JsonLines(logging.Formatter):
    """One JSON object a line; a handler's `extra` stands beside the message, as in Lambda's runtime."""

    _OWN = frozenset(vars(logging.makeLogRecord({})))

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "timestamp": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and (error := record.exc_info[1]):
            line["errorType"] = type(error).__name__
            line["errorMessage"] = str(error)
            line["stackTrace"] = traceback.format_tb(record.exc_info[2])
        extra = {key: value for key, value in vars(record).items() if key not in self._OWN}
        return json.dumps(line | extra, ensure_ascii=False, default=str)


class OnlyWhatLambdaHas:
    """Keeps the handler from importing what happens to be installed here but is not there on AWS."""

    def __init__(self, folder: str):
        self._folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        # `_sysconfigdata_...` is the standard library's, though named for the platform; zoneinfo needs it.
        standard = name in sys.stdlib_module_names or name.startswith("_sysconfigdata_")
        allowed = path is not None or standard or name in IN_THE_RUNTIME
        if allowed or name in sys.builtin_module_names or name == "importlib":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, [self._folder])
        if spec is None:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return spec


def context_for(request: dict[str, Any]) -> SimpleNamespace:
    """The handler's second argument, with the members AWS documents."""
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    deadline = time.monotonic() + request["timeout_seconds"]
    return SimpleNamespace(
        function_name=name,
        function_version="$LATEST",
        invoked_function_arn=request["arn"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        aws_request_id=request["id"],
        log_group_name=f"/aws/lambda/{name}",
        log_stream_name="local",
        get_remaining_time_in_millis=lambda: max(0, int(1000 * (deadline - time.monotonic()))),
    )


def error_answer(error: BaseException, request_id: str) -> dict[str, Any]:
    """An exception as Lambda reports it."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def load(handler: str) -> Callable[[Any, SimpleNamespace], object]:
    """`package.module.function`, imported."""
    module, _, function = handler.rpartition(".")
    loaded: Callable[[Any, SimpleNamespace], object] = getattr(importlib.import_module(module), function)
    return loaded


def main() -> None:
    """Answer events until standard input ends."""
    folder, handler = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logs = logging.StreamHandler(sys.stderr)
    logs.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[logs])
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            requests.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    sys.path[:0] = [folder]
    sys.meta_path.insert(0, OnlyWhatLambdaHas(folder))
    function = None
    while True:
        if function is None:
            try:
                function = load(handler)
            except Exception as error:
                answers.write(json.dumps({"failed_to_load": error_answer(error, "")}) + "\n")
                answers.flush()
                logging.exception("the handler could not be loaded")
                return
        request = requests.get()
        try:
            answer: dict[str, object] = {
                "payload": json.dumps(function(request["event"], context_for(request)))
            }
        except Exception as error:
            logging.exception("the handler raised an error")
            answer = {"error": error_answer(error, request["id"])}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
