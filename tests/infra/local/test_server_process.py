"""The life of the server process, and `labelmill local`."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.command import find
from infra.local.stack import DidNotStart, launch
from pipelines import cli

OPTIONS = ("--empty", "--worker", "tests.infra.local.fake_worker:FakeWorker")


def wait_until_gone(pid):
    """Wait for any process to end, our child or not."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [])
        os.close(descriptor)


def test_ctrl_c_ends_the_server(tmp_path):
    process, ready = launch(tmp_path, *OPTIONS, with_parent=False)
    assert json.loads((tmp_path / "endpoint.json").read_text()) == ready
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    assert not (tmp_path / "endpoint.json").exists()


def test_down_ends_the_server_of_its_folder(tmp_path, capsys):
    process, ready = launch(tmp_path, *OPTIONS, with_parent=False)
    assert cli.main(["local", "status", "--dir", str(tmp_path)]) == 0
    assert ready["endpoint"] in capsys.readouterr().out
    assert cli.main(["local", "down", "--dir", str(tmp_path)]) == 0
    assert process.wait() == 0
    assert cli.main(["local", "status", "--dir", str(tmp_path)]) == 1


def test_prune_says_what_it_removed_of_a_folder_whose_server_is_gone(tmp_path, capsys):
    job = tmp_path / "jobs" / "ended"
    (job / "opt" / "ml").mkdir(parents=True)
    (job / "log.txt").write_text("done")
    (job / "opt" / "ml" / "input").write_bytes(bytes(2**20))
    assert cli.main(["local", "prune", "--dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("removed: 1 file of 1 ended job, 1.0 MiB; requests, logs")
    assert [path.name for path in job.iterdir()] == ["log.txt"]
    assert cli.main(["local", "prune", "--dir", str(tmp_path)]) == 0
    assert "0 files of 0 ended jobs" in capsys.readouterr().out


def test_the_server_ends_when_its_parent_is_killed(tmp_path):
    source = f"""
import os, pathlib, signal
from infra.local.stack import LocalStack
with LocalStack(pathlib.Path({str(tmp_path)!r}), options={OPTIONS!r}) as stack:
    print(stack.pid, flush=True)
    signal.pause()
"""
    parent = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    server = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(server)


def test_a_function_does_not_outlive_a_killed_server(tmp_path):
    """The processes of functions end with whoever made them; a small program stands for the server."""
    source = f"""
import io, os, pathlib, signal, zipfile
from infra.local.functions import Function, Functions
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as bundle:
    bundle.writestr("app.py", "import os\\ndef handler(event, context): return os.getpid()")
function = Function("f", "arn", "app.handler", packed.getvalue(), {{}}, 60, 128)
print(Functions(pathlib.Path({str(tmp_path)!r}), {{}}).invoke(function, None).body.decode(), flush=True)
signal.pause()
"""
    server = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    function = int(server.stdout.readline())
    server.kill()
    server.wait()
    server.stdout.close()
    wait_until_gone(function)


def test_a_server_that_cannot_start_says_why(tmp_path):
    with pytest.raises(DidNotStart, match="No module named 'nowhere'"):
        launch(tmp_path, "--empty", "--worker", "nowhere:Worker", with_parent=False)


def test_a_second_server_in_a_folder_is_told_of_the_first_which_goes_on(aws, capsys):
    assert cli.main(["local", "up", "--dir", str(aws.folder)]) == 0
    printed = capsys.readouterr()
    assert f"A local stack runs in {aws.folder}/ already; no second one was started." in printed.err
    assert aws.endpoint in printed.out
    with pytest.raises(DidNotStart, match=r"another local stack runs or starts in .*\. Fix: labelmill local"):
        launch(aws.folder, *OPTIONS, with_parent=False)
    assert cli.main(["demo", "--dir", str(aws.folder)]) == 1
    assert "Fix: labelmill local down" in capsys.readouterr().err
    assert find(aws.folder)


def test_a_command_in_the_folder_finds_the_stack_without_exports_and_without_it_says_so(tmp_path):
    def labelmill(*words):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command = [sys.executable, "-m", "pipelines.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=kept)

    process, ready = launch(tmp_path / ".labelmill", *OPTIONS, with_parent=False)
    done = labelmill("models", "list")  # there are no stacks in it
    assert done.stderr.startswith(f"stack labelmill at {ready['endpoint']}\n")
    assert "there is no stack 'labelmill'" in done.stderr
    process.kill()
    process.wait()
    done = labelmill("models", "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not answer" in done.stderr
    assert labelmill("local", "down").returncode == 0
    assert "Fix: labelmill local up" in labelmill("models", "list", "--local").stderr


def test_a_left_over_endpoint_file_is_not_taken_for_a_server(tmp_path):
    left = {"pid": os.getpid(), "endpoint": "http://127.0.0.1:9", "secret": "s", "names": {}}
    (tmp_path / "endpoint.json").write_text(json.dumps(left))
    assert find(tmp_path) is None
    assert cli.main(["local", "down", "--dir", str(tmp_path)]) == 0


def test_only_this_machine_can_connect(aws):
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f"{int(aws.endpoint.rsplit(':', 1)[1]):04X}"
    addresses = [
        line.split()[1] for line in listening if line.split()[3] == "0A" and line.split()[1].endswith(port)
    ]
    assert addresses == [f"0100007F:{port}"]
