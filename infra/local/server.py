"""The process that is AWS on this machine: `python -m infra.local.server --dir FOLDER [--port PORT]`.

It puts the parts together: the emulator behind our front, functions, deliveries, jobs; then, unless told
`--empty`, it makes the stacks. When all is ready it writes `endpoint.json`, prints the same as one line, and
serves until SIGINT or SIGTERM, or until its standard input ends where `--with-parent` is given.
"""

import argparse
import gc
import importlib
import json
import logging
import os
import resource
import secrets
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

from werkzeug.serving import make_server

from infra.local import stacks
from infra.local.delivery import AsyncInvocations, QueuePoller, send_dead_letter
from infra.local.endpoint import ACCOUNT, ENDPOINT_FILE, KEY_ID, REGION, Connection
from infra.local.executions import EndedExecutions, write_execution
from infra.local.executions import status_event as execution_event
from infra.local.front import Front, Service
from infra.local.functions import Functions, Outcome
from infra.local.items import Items
from infra.local.jobs import Jobs
from infra.local.keeping import Keeper, Part
from infra.local.kept_connections import KeptConnections
from infra.local.lock import take
from infra.local.logs import Logs
from infra.local.mailbox import Mailbox
from infra.local.misplaced import problem
from infra.local.objects import ObjectFolder
from infra.local.signatures import Signatures
from infra.local.timeline import Timeline
from infra.local.warehouse import Warehouse, status_event


class Server:
    """All parts of the local AWS, wired. `serve` begins to answer; `stop` ends every process it began."""

    def __init__(self, folder: Path, port: int, slots: int, worker_class: Callable[..., Any]):
        for name in ("s3", "mailbox", "executions", "functions", "warehouse"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._http = make_server("127.0.0.1", port, self._answer, threaded=True)
        self.connection = Connection(f"http://127.0.0.1:{self._http.port}", secrets.token_hex(20))
        self._timeline = Timeline()
        self._worker = worker_class(folder, self.connection, slots, on_change=self._job_reported)
        # Its processes import what jobs need while this one imports the emulator; each takes seconds.
        self._worker.start()
        self._functions = Functions(folder / "functions", self.connection.settings)
        self._async = AsyncInvocations(self._invoke, self._dead_letter, self._timeline.poke)
        self._warehouse = Warehouse(self._unload, self._statement_changed)
        self._s3, self._sqs, self._lambda, self._events = (
            self.connection.client(name) for name in ("s3", "sqs", "lambda", "events")
        )
        self._mailbox = Mailbox(folder / "mailbox")
        self._pollers: list[QueuePoller] = []
        self._ended = False
        self.landing_bucket: str | None = None  # set once there is a stack
        self._install()

    def _install(self) -> None:
        os.environ["MOTO_PORT"] = str(self._http.port)
        from infra.local import moto_internals as moto

        moto.install_forgetting()
        moto.install_reuse()
        self._jobs = Jobs(REGION, ACCOUNT, self._job_changed, moto.Surroundings())
        self._jobs.worker = self._worker
        changed = self._execution_changed, self._timeline.poke
        moto.install_state_machines(self._jobs, self.connection, *changed)
        moto.install_functions(self._functions.invoke, self._async.submit, self._poll)
        moto.install_events(self._async.submit)
        moto.install_topics(self._message_sent)
        moto.install_queues(self.connection.endpoint)
        objects = ObjectFolder(self._folder / "s3")
        moto.install_listing()
        moto.install_objects(objects, self._object_put)
        moto.install_cloudformation(self._s3)
        self._moto = moto
        self._executions = moto.Executions(REGION, EndedExecutions(self._folder / "executions"))
        # Each refers to what comes after it.
        parts: dict[str, Part] = {
            "messages": moto.Messages(),
            "items": Items(self.connection.client("dynamodb")),
            "executions": self._executions,
            "jobs": self._jobs,
            "statements": self._warehouse,
            "objects": moto.Objects(objects),
        }
        self._keeper = Keeper(self._folder, parts)
        self._worker.reach(moto.Buckets(self._keeper.touch))
        services: dict[str, Service] = {
            "SageMaker": self._jobs,
            "RedshiftData": self._warehouse,
            "Logs_20140328": Logs(self._folder / "jobs"),
        }
        signatures = Signatures(self._http.port, self.connection.secret)
        application, pruned = moto.application(), lambda: str(self._worker.prune())
        self._front = Front(
            application, signatures, services, self._timeline, self._is_quiet, pruned, self._keeper.touch
        )
        self._http.RequestHandlerClass = type("Handler", (KeptConnections, moto.MotoRequestHandler), {})

    def serve(self) -> None:
        """Answer requests, in threads."""
        threading.Thread(target=self._http.serve_forever, name="http", daemon=True).start()

    def restore(self) -> None:
        """Go on where the folder's last server ended, and keep what happens from now on."""
        self._keeper.restore()
        self._keeper.start()
        for description in self._executions.interrupted:
            self._execution_changed(description, [])
        for statement in self._warehouse.interrupted:
            self._statement_changed(statement, statement.get("WithEvent", False))

    def stop(self) -> None:
        """End jobs, functions and the server; what goes on meanwhile counts as interrupted."""
        self._front.close()
        self._keeper.stop()
        self._ended = True
        self._worker.stop()
        self._functions.stop()
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return self._front(environ, start_response)

    def _invoke(self, function_arn: str, event: object) -> Outcome:
        return self._functions.invoke(self._moto.function_named(REGION, function_arn)[0], event)

    def _dead_letter(self, function_arn: str, event: object, outcome: Outcome) -> None:
        queue_arn = self._moto.function_named(REGION, function_arn)[1]
        if queue_arn:
            queue_url = self._sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[1])["QueueUrl"]
            send_dead_letter(self._sqs, queue_url, event, outcome)

    def _poll(self, mapping_id: str, queue_arn: str, function_arn: str) -> None:
        changed = self._timeline.poke
        poller = QueuePoller(mapping_id, queue_arn, self._invoke, self._sqs, self._lambda, changed)
        self._pollers.append(poller)
        poller.start()
        self._functions.warm(self._moto.function_named(REGION, function_arn)[0])

    def _message_sent(self, topic: str, subject: str | None, message: str) -> None:
        self._mailbox.deliver(topic, subject, message)
        self._timeline.add("message", topic=topic, subject=subject)

    def _job_reported(self, kind: str, name: str, changes: dict[str, Any]) -> None:
        self._jobs.on_change(kind, name, changes)

    def _job_changed(self, kind: str, name: str, status: str) -> None:
        self._keeper.touch()
        self._timeline.add("job", type=kind, name=name, status=status)

    def _execution_changed(self, description: dict[str, Any], history: list[dict[str, Any]] | None) -> None:
        if self._ended:
            return
        self._keeper.touch()
        if history is not None:
            write_execution(self._folder / "executions", description, history)
            self._events.put_events(Entries=[execution_event(description)])
        arn = description["executionArn"]
        machine, name = arn.split(":")[-2:]
        self._timeline.add("execution", machine=machine, name=name, status=description["status"], arn=arn)

    def _object_put(self, bucket: str, key: str) -> None:
        if bucket == self.landing_bucket and (said := problem(bucket, key)):
            self._timeline.add("misplaced", key=key, problem=said)

    def _unload(self, sql: str) -> int:
        from infra.local.unloading import unload  # at the first statement, as DuckDB is large

        return unload(sql, self._folder / "warehouse", self._s3)

    def _statement_changed(self, statement: dict[str, Any], with_event: bool) -> None:
        self._keeper.touch()
        name = statement.get("StatementName", statement["Id"])
        if with_event:
            event = status_event(statement, ACCOUNT)
            self._events.put_events(Entries=[{**event, "Detail": json.dumps(event["Detail"])}])
        self._timeline.add("statement", name=name, status=statement["Status"], error=statement.get("Error"))

    def _is_quiet(self) -> bool:
        messages = sum(self._moto.messages_in(REGION, poller.queue_arn) for poller in self._pollers)
        executions = self._moto.busy_executions(REGION)
        jobs, statements = self._jobs.under_way(), self._warehouse.running()
        return not (messages or self._async.pending or executions or jobs or statements)


def main(argv: list[str] | None = None) -> int:
    """Run the server until it gets a signal to end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slots", type=int, default=os.cpu_count())
    parser.add_argument(
        "--worker", default="infra.local.sagemaker:Worker", help="module:class that runs the jobs"
    )
    parser.add_argument("--empty", action="store_true", help="make no stacks")
    parser.add_argument("--without-warehouse", action="store_true", help="connect none: nothing is scheduled")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    args = parser.parse_args(argv)
    folder = args.dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (lock := take(folder)):
        told = "Fix: labelmill local status, or labelmill local up with another --dir"
        print(f"another local stack runs or starts in {folder}. {told}", file=sys.stderr)
        return 1
    _prepare_process(folder)
    ends = [_end_signals(), *([sys.stdin] if args.with_parent else [])]
    module, _, name = args.worker.partition(":")
    server = Server(folder, args.port, args.slots, getattr(importlib.import_module(module), name))
    server.serve()
    try:
        names = {}
        if not args.empty:
            names = stacks.create(server.connection, folder, with_warehouse=not args.without_warehouse)
        server.landing_bucket = names.get("LandingBucket")
        server.restore()
        gc.freeze()  # what is there now stays: looking for garbage is a matter of 1 ms, not 150
        reached = {
            "endpoint": server.connection.endpoint,
            "key_id": KEY_ID,
            "secret": server.connection.secret,
        }
        ready = {"pid": os.getpid(), **reached, "region": REGION, "names": names}
        _write_private(folder / ENDPOINT_FILE, json.dumps(ready, indent=1))
        print(json.dumps(ready), flush=True)
        select.select(ends, [], [])
    finally:
        server.stop()
        (folder / ENDPOINT_FILE).unlink(missing_ok=True)
        lock.close()
    os._exit(0)  # requests may still be waiting in threads; the clients that waited for the answer are gone


def _end_signals() -> int:
    """A file descriptor that can be read after SIGINT or SIGTERM; unlike a lock, it misses none."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return read_end


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whatever was there before."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _prepare_process(folder: Path) -> None:
    """Log to `server.log`, use no proxy, and be able to hold many connections."""
    logging.basicConfig(
        filename=folder / "server.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.captureWarnings(True)
    for name in ("werkzeug", "botocore", "boto3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)  # executions/ shows it better
    os.environ.update(NO_PROXY="*", AWS_EC2_METADATA_DISABLED="true", MOTO_DISABLE_GLOBAL_CORS="true")
    os.environ.pop("AWS_PROFILE", None)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))


if __name__ == "__main__":
    sys.exit(main())
