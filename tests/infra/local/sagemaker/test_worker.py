"""The worker as a whole: order, slots, the two ways to an /opt/ml, and an end that leaves nothing behind."""

import functools
import json
import os
import re
import select
import signal
import subprocess
import sys

import pytest

from infra.local.sagemaker import mounts, worker
from infra.local.sagemaker.launcher import Launcher
from tests.infra.local.sagemaker.job_requests import (
    PATIENCE_SECONDS,
    processing_request,
    script,
    training_definition,
    tuning_request,
)
from tests.infra.local.sagemaker.processes import (
    children_of,
    ends,
    parent_of,
    processes_below,
    warm_processes,
)

SAY_WHERE = (
    "import os; print('base:', os.environ.get('SAGEMAKER_BASE_DIR'), 'listing:', sorted(os.listdir('/opt')))"
)


def has_namespaces() -> bool:
    code = "from infra.local.sagemaker import mounts; import os; mounts.own_opt_ml(os.getcwd(), {})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_namespaces(), reason="this kernel gives no mount namespaces")
def test_a_job_has_an_opt_ml_of_its_own_and_the_rest_of_opt_as_it_was(stack):
    leave = "open('/opt/ml/mark', 'w').close(); raise SystemExit(1)"  # so that its folder stays
    code = stack.code("where", where=f"{SAY_WHERE}; {leave}")
    stack.run("processing", processing_request("where", code, "where"))
    log = stack.log("where")
    assert "/opt/ml is this job's own folder" in log
    assert f"base: None listing: {sorted({*os.listdir('/opt'), 'ml'})}" in log
    assert (stack.folder / "jobs/where/opt/ml/mark").exists()


@pytest.mark.parametrize(
    "own_opt_ml",
    [
        pytest.param(True, marks=pytest.mark.skipif(not has_namespaces(), reason="no mount namespaces here")),
        False,
    ],
)
def test_a_job_cannot_change_the_code_of_another(new_stack, own_opt_ml):
    stack = new_stack(slots=1, launcher=functools.partial(Launcher, own_opt_ml=own_opt_ml))
    code = stack.code(
        "shared",
        greedy="""
            import contextlib
            from pathlib import Path
            for change in (
                lambda: Path(__file__).write_text("print('changed')"),
                lambda: Path(__file__).chmod(0o777),
                lambda: Path(__file__).unlink(),
                lambda: Path(__file__).with_name('new.py').touch(),
            ):
                with contextlib.suppress(OSError):
                    change()
            print('tried')
        """,
    )
    for name in ("greedy-1", "greedy-2"):
        stack.run("processing", processing_request(name, code, "greedy"))
        assert "tried" in stack.log(name), stack.log(name)
    kept = {path.name for path in (stack.folder / "cache/code").rglob("*.py")}
    assert kept == {"__init__.py", "greedy.py"}


@pytest.mark.skipif(not has_namespaces(), reason="this kernel gives no mount namespaces")
@pytest.mark.parametrize("way", mounts.WAYS, ids=["of root", "of everybody"])
def test_both_ways_to_an_own_opt_ml_lead_there_and_leave_everybody_else_alone(tmp_path, way):
    own, shared = tmp_path / "own", tmp_path / "shared"
    (own / "code").mkdir(parents=True)
    shared.mkdir()
    (own / "mark").write_text("mine")
    before = sorted(os.listdir("/opt"))
    code = (
        "import os, pathlib, sys; from infra.local.sagemaker import mounts;"
        "mounts.own_opt_ml(pathlib.Path(sys.argv[1]), {'/opt/ml/code': sys.argv[2]}, (int(sys.argv[3]),));"
        "print(open('/opt/ml/mark').read(), os.getuid()); open('/opt/ml/written', 'w').write('x');"
        "open('/opt/ml/code/written', 'w')"
    )
    command = [sys.executable, "-c", code, own, shared, str(way)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == ["mine", str(os.getuid())], done.stderr
    assert "Read-only file system: '/opt/ml/code/written'" in done.stderr
    assert (own / "written").read_text() == "x"
    assert sorted(os.listdir("/opt")) == before


def test_without_namespaces_the_job_is_told_its_base_folder(new_stack):
    stack = new_stack(slots=1, launcher=functools.partial(Launcher, own_opt_ml=False))
    code = stack.code(
        "base",
        based="""
            import os, sys
            from pathlib import Path
            base = Path(os.environ['SAGEMAKER_BASE_DIR'])
            assert Path(sys.argv[2]) == base / 'processing/input/code', sys.argv
            assert Path.cwd() == base
            (base / 'output/message').write_text('done in a folder')
        """,
        trained="""
            import os
            assert os.environ['SM_MODEL_DIR'].startswith(os.environ['SAGEMAKER_BASE_DIR'])
            open(os.path.join(os.environ['SM_MODEL_DIR'], 'model.json'), 'w').write('{}')
        """,
    )
    request = processing_request("base", code, "based", "--code", "/opt/ml/processing/input/code")
    assert stack.run("processing", request).get("ExitMessage") == "done in a folder", stack.log("base")
    assert "no /opt/ml of the job's own here" in stack.log("base")
    training = {
        "TrainingJobName": "trained",
        **training_definition(code, "trained"),
        "HyperParameters": script("trained"),
    }
    assert stack.run("training", training)["TrainingJobStatus"] == "Completed", stack.log("trained")


def test_jobs_wait_for_a_slot_and_run_in_the_order_they_came(new_stack):
    stack = new_stack(slots=1)
    code = stack.code("order", order="print('ran')")
    names = [f"order-{n}" for n in range(5)]
    for name in names:
        stack.worker.submit("processing", processing_request(name, code, "order"))
    for name in names:
        stack.book.ended("processing", name)
    happened = [(name, next(iter(changes))) for _, name, changes in stack.book.order]
    expected = [(n, member) for n in names for member in ("ProcessingStartTime", "ProcessingJobStatus")]
    assert sorted(happened, key=lambda event: event[0]) == expected
    assert [name for name, member in happened if member == "ProcessingStartTime"] == names


def test_of_jobs_that_wait_those_of_the_month_that_began_first_are_next(new_stack, tmp_path):
    stack, gate = new_stack(slots=1), tmp_path / "gate"
    os.mkfifo(gate)
    code = stack.code("ages", waits="import sys; open(sys.argv[1]).read()", says="print('ran')")

    def submit(name, module, run, *arguments):
        request = processing_request(name, code, module, *arguments)
        stack.worker.submit("processing", request | {"Tags": [{"Key": "run", "Value": run}]})

    submit("first", "waits", "DE-weee-training-2026-10-0123456789ab", str(gate))
    stack.book.when("processing", "first", lambda members: "ProcessingStartTime" in members)
    submit("second", "says", "IT-weee-training-2026-10-0123456789ab")
    submit("third", "says", "FR-weee-training-2026-10-0123456789ab")
    submit("of first", "says", "DE-weee-test-2026-10-ba9876543210")
    submit("of second", "says", "IT-weee-test-2026-10-ba9876543210")
    with gate.open("w"):  # opens once the job reads
        pass
    stack.book.ended("processing", "third")
    started = [name for _, name, changes in stack.book.order if "ProcessingStartTime" in changes]
    assert started == ["first", "of first", "second", "of second", "third"]


def test_a_job_that_is_stopped_while_it_waits_never_starts(new_stack):
    stack = new_stack(slots=1)
    code = stack.code("queue", forever="import time; time.sleep(600)")
    stack.worker.submit("processing", processing_request("holder", code, "forever"))
    stack.book.when("processing", "holder", lambda members: "ProcessingStartTime" in members)
    stack.worker.submit("processing", processing_request("waiter", code, "forever"))
    stack.worker.cancel("processing", "waiter")
    assert stack.book.ended("processing", "waiter")["ProcessingJobStatus"] == "Stopped"
    assert "ProcessingStartTime" not in stack.book.ended("processing", "waiter")


def test_stop_ends_jobs_of_every_kind_and_leaves_no_process(new_stack):
    before = children_of(os.getpid())
    stack = new_stack(slots=2, launcher=Launcher)
    source = "import time; print('score=1;', flush=True); time.sleep(600)"
    leaving = """
        import subprocess
        child = subprocess.Popen(['sleep', '600'], start_new_session=True)
        child.returncode = 0  # Nobody waits for it.
        open('/opt/ml/output/message', 'w').write(str(child.pid))
    """
    code = stack.code("ending", sleep=source, leave=leaving)
    escaped = stack.run("processing", processing_request("leaving", code, "leave"))["ExitMessage"]
    stack.worker.submit("processing", processing_request("ending", code, "sleep"))
    stack.book.when("processing", "ending", lambda members: "ProcessingStartTime" in members)
    definition = training_definition(
        code, "sleep", {"score": "score=(1);"}, StaticHyperParameters=script("sleep")
    )
    ranges = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}]}
    stack.worker.submit("tuning", tuning_request("ending", definition, ranges, total=2, parallel=2))
    stack.book.when(
        "tuning",
        "ending",
        lambda _: any(m.get("TrainingStartTime") for m in stack.book.of_kind("training").values()),
    )
    stack.worker.submit("processing", processing_request("in-the-queue", code, "sleep"))

    stack.worker.stop()

    for kind, name in (("processing", "ending"), ("tuning", "ending"), ("processing", "in-the-queue")):
        assert "Stopped" in stack.book.ended(kind, name).values()
    assert processes_below(str(stack.folder)) == []
    assert children_of(os.getpid()) == before
    assert ends(escaped)


def test_when_the_warm_process_is_killed_its_jobs_fail_and_later_ones_run_in_a_new_one(new_stack):
    others = children_of(os.getpid())
    stack = new_stack(slots=1, launcher=Launcher)
    code = stack.code("warm", forever="import time; time.sleep(600)", short="print('ran')")
    stack.worker.submit("processing", processing_request("warm-one", code, "forever"))
    stack.book.when("processing", "warm-one", lambda members: "ProcessingStartTime" in members)
    [warm] = children_of(os.getpid()) & set(warm_processes()) - others
    os.kill(warm, signal.SIGKILL)
    ended = stack.book.ended("processing", "warm-one")
    assert ended["ProcessingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("InternalServerError: ")
    for name in ("warm-two", "warm-three"):
        ended = stack.run("processing", processing_request(name, code, "short"))
        assert ended["ProcessingJobStatus"] == "Completed", ended


def test_when_its_owner_is_killed_no_process_is_left(connection, tmp_path):
    """Even a SIGKILL, which nobody can prepare for, must not leave jobs behind."""
    code = (
        "import sys, json, pathlib, threading; from infra.local.sagemaker import Worker;"
        "from infra.local.endpoint import Connection; at = Connection(sys.argv[2], 'any');"
        "worker = Worker(pathlib.Path(sys.argv[1]), at, 1, lambda *what: print(*what, flush=True));"
        "from tests.infra.local.sagemaker.buckets import Buckets; worker.reach(Buckets(at.client('s3')));"
        "worker.start(); worker.submit('processing', json.loads(sys.argv[3])); threading.Event().wait()"
    )
    s3 = connection.client("s3")
    s3.put_object(Bucket="code", Key="orphan/steps/sleep.py", Body=b"import time; time.sleep(600)")
    s3.close()
    request = processing_request("orphan", "s3://code/orphan/", "sleep")
    arguments = [sys.executable, "-c", code, tmp_path, connection.endpoint, json.dumps(request)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as owner:
        assert "ProcessingStartTime" in owner.stdout.readline()
        warm = [pid for pid in warm_processes() if parent_of(pid) == owner.pid]
        handles = [
            os.pidfd_open(pid) for pid in (*warm, *(child for pid in warm for child in children_of(pid)))
        ]
        assert warm
        owner.kill()
    for handle in handles:
        assert select.select([handle], [], [], PATIENCE_SECONDS)[0]
        os.close(handle)


def test_pruning_removes_what_failed_jobs_have_worked_with_and_nothing_of_running_ones(new_stack, tmp_path):
    stack, gate = new_stack(slots=2), tmp_path / "gate"
    os.mkfifo(gate)
    code = stack.code("prune", fails="raise SystemExit(1)", waits="import sys; open(sys.argv[1]).read()")
    stack.run("processing", processing_request("failed", code, "fails"))
    stack.worker.submit("processing", processing_request("waiting", code, "waits", str(gate)))
    jobs = stack.folder / "jobs"
    assert (jobs / "failed/opt/ml/config/processingjobconfig.json").exists()
    with gate.open("w"):  # opens once the job reads
        freed = stack.worker.prune()
        assert (freed.jobs, freed.size > 0) == (1, True)
        assert re.fullmatch(r"\d+ files of 1 ended job, \d+\.\d MiB", str(freed))
        assert {path.name for path in (jobs / "failed").iterdir()} == {"request.json", "log.txt"}
        assert (jobs / "waiting/opt/ml/config/processingjobconfig.json").exists()
    stack.book.ended("processing", "waiting")


def test_the_oldest_of_failed_jobs_is_pruned_by_itself_above_a_size(new_stack, monkeypatch):
    stack = new_stack(slots=1)
    writes = "open('/opt/ml/processing/large', 'wb').write(bytes(100_000)); raise SystemExit(1)"
    code = stack.code("full", writes=writes)
    monkeypatch.setattr(worker, "KEPT_BYTES", 150_000)
    for name in ("first", "second", "third"):
        stack.run("processing", processing_request(name, code, "writes"))
    stack.worker.stop()  # all threads of jobs have ended
    assert {path.parent.name for path in stack.folder.glob("jobs/*/opt")} == {"second", "third"}


def test_of_a_job_that_has_completed_request_and_log_stay(stack):
    code = stack.code("completed", says="print('done')")
    stack.run("processing", processing_request("completed", code, "says"))
    left = {path.name for path in (stack.folder / "jobs/completed").iterdir()}
    assert left == {"request.json", "log.txt"}
