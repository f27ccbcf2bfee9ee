"""A processing job sees SageMaker's container contract and ends as SageMaker ends it."""

import json
import os
import select
from pathlib import Path

import pytest

from infra.local.sagemaker import job as jobs
from tests.infra.local.sagemaker.job_requests import PATIENCE_SECONDS, processing_request
from tests.infra.local.sagemaker.processes import ends, is_alive

WRITE_MESSAGE = """
from pathlib import Path
def end(text):
    Path("/opt/ml/output").mkdir(exist_ok=True)
    Path("/opt/ml/output/message").write_text(text)
"""


def outputs(uri: str, **config) -> dict:
    target = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/output/out", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": "out", "S3Output": target}], **config}


def with_input(request: dict, uri: str) -> dict:
    source = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/input/data", "S3DataType": "S3Prefix"}
    request["ProcessingInputs"].append({"InputName": "data", "S3Input": source})
    return request


def test_a_job_reads_its_inputs_and_its_outputs_are_uploaded_when_it_ends(stack):
    code = stack.code(
        "copy",
        copy="""
            import sys
            from pathlib import Path
            base = Path("/opt/ml/processing")
            for path in sorted((base / "input/data").rglob("*.txt")):
                target = base / "output/out" / path.relative_to(base / "input/data")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(path.read_text() + sys.argv[2])
        """,
    )
    stack.put("s3://landing/copy/a.txt", "alpha")
    stack.put("s3://landing/copy/deep/b.txt", "beta")
    stack.put("s3://landing/copy-of-another/c.txt", "not asked for")
    request = processing_request(
        "copy", code, "copy", "--ending", "!", ProcessingOutputConfig=outputs("s3://work-bucket/copied/")
    )

    ended = stack.run("processing", with_input(request, "s3://landing/copy/"))

    assert ended["ProcessingJobStatus"] == "Completed"
    assert ended["ProcessingStartTime"] <= ended["ProcessingEndTime"]
    assert stack.get("s3://work-bucket/copied/a.txt") == b"alpha!"
    assert stack.get("s3://work-bucket/copied/deep/b.txt") == b"beta!"
    found = stack.s3.list_objects_v2(Bucket="work-bucket", Prefix="copied/")["Contents"]
    assert [item["Key"] for item in found] == ["copied/a.txt", "copied/deep/b.txt"]


def test_outputs_are_encrypted_with_the_key_of_the_request(stack):
    code = stack.code("kms", kms="open('/opt/ml/processing/output/out/x', 'w').write('x')")
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    config = outputs("s3://work-bucket/kms", KmsKeyId=key)

    stack.run("processing", processing_request("kms", code, "kms", ProcessingOutputConfig=config))

    head = stack.s3.head_object(Bucket="work-bucket", Key="kms/x")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_the_exit_message_is_the_first_kilobyte_of_the_message_file(stack):
    code = stack.code("message", end=WRITE_MESSAGE, message="from steps.end import end; end('m' * 2000)")
    ended = stack.run("processing", processing_request("message", code, "message"))
    assert ended["ExitMessage"] == "m" * 1024


def test_a_job_that_exits_with_an_error_fails_with_its_exit_code_and_message_and_uploads_nothing(stack):
    code = stack.code(
        "failing",
        end=WRITE_MESSAGE,
        failing="""
from steps.end import end
open('/opt/ml/processing/output/out/half', 'w').write('half a file')
end('row 7 has no title')
raise SystemExit(3)
""",
    )
    config = outputs("s3://work-bucket/failing")
    ended = stack.run(
        "processing", processing_request("failing", code, "failing", ProcessingOutputConfig=config)
    )
    assert ended["ProcessingJobStatus"] == "Failed"
    assert ended["FailureReason"] == "AlgorithmError: See job logs for more information, exit code: 3"
    assert ended["ExitMessage"] == "row 7 has no title"
    assert "Contents" not in stack.s3.list_objects_v2(Bucket="work-bucket", Prefix="failing/")


def test_an_exception_leaves_a_traceback_of_the_job_alone_in_its_log(stack):
    code = stack.code("raising", raising="def f():\n    raise ValueError('no such label')\nf()")
    ended = stack.run("processing", processing_request("raising", code, "raising"))
    assert ended["FailureReason"].endswith("exit code: 1")
    log = stack.log("raising")
    assert "ValueError: no such label" in log
    assert "container.py" not in log


def test_a_module_that_does_not_exist_fails_as_python_says_it(stack):
    code = stack.code("absent")
    ended = stack.run("processing", processing_request("absent", code, "absent"))
    assert ended["ProcessingJobStatus"] == "Failed"
    assert "No module named steps.absent" in stack.log("absent")


def test_an_input_without_objects_fails_the_job_before_it_starts(stack):
    request = with_input(processing_request("nothing", stack.code("nothing"), "x"), "s3://landing/nothing/")
    ended = stack.run("processing", request)
    assert ended["ProcessingJobStatus"] == "Failed"
    assert 'No S3 objects found under S3 URL "s3://landing/nothing/"' in ended["FailureReason"]


def test_an_input_that_is_one_object_lies_in_its_folder_under_its_own_name(stack):
    stack.put("s3://landing/one/codebook.json", "{}")
    code = stack.code(
        "one", one="import os; assert os.listdir('/opt/ml/processing/input/data') == ['codebook.json']"
    )
    request = with_input(processing_request("one", code, "one"), "s3://landing/one/codebook.json")
    assert stack.run("processing", request)["ProcessingJobStatus"] == "Completed"


def test_a_key_that_leads_out_of_its_folder_is_refused(stack):
    stack.put("s3://landing/out/../../../../evil.txt", "evil")
    request = with_input(processing_request("escape", stack.code("escape"), "x"), "s3://landing/out/")
    ended = stack.run("processing", request)
    assert ended["ProcessingJobStatus"] == "Failed"
    assert not list(stack.folder.rglob("evil.txt"))


def test_anything_but_a_python_module_is_executed_as_it_is(stack):
    config = outputs("s3://work-bucket/shell")
    request = processing_request("shell", stack.code("shell"), "x", ProcessingOutputConfig=config)
    request["AppSpecification"]["ContainerEntrypoint"] = ["sh", "-c"]
    request["AppSpecification"]["ContainerArguments"] = [
        "echo $PYTHONPATH > /opt/ml/processing/output/out/said"
    ]
    assert stack.run("processing", request)["ProcessingJobStatus"] == "Completed"
    assert stack.get("s3://work-bucket/shell/said") == b"/opt/ml/processing/input/code\n"


def test_a_job_gets_nothing_of_our_environment_and_one_thread(stack, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a person's real one")
    code = stack.code(
        "environment",
        environment="""
import json, os, sys
with open('/opt/ml/processing/output/out/e.json', 'w') as file:
    json.dump({"environment": dict(os.environ), "path": sys.path, "cwd": os.getcwd()}, file)
""",
    )
    config = outputs("s3://work-bucket/environment")
    stack.run(
        "processing", processing_request("environment", code, "environment", ProcessingOutputConfig=config)
    )
    seen = json.loads(stack.get("s3://work-bucket/environment/e.json"))
    assert "AWS_SECRET_ACCESS_KEY" not in seen["environment"]
    assert seen["environment"]["OMP_NUM_THREADS"] == "1"
    assert seen["cwd"] == "/opt/ml"
    root = str(Path(__file__).parents[4])
    assert "/opt/ml/processing/input/code" in seen["path"]
    assert root not in seen["path"]


def test_job_code_is_the_delivered_one_even_where_the_project_has_packages_of_the_same_name(stack):
    stack.put("s3://code/shadow/processing/__init__.py", "")
    stack.put("s3://code/shadow/processing/prepare.py", "print('the delivered prepare')")
    request = processing_request("shadow", "s3://code/shadow/", "x")
    request["AppSpecification"]["ContainerEntrypoint"] = ["python3", "-m", "processing.prepare"]
    assert stack.run("processing", request)["ProcessingJobStatus"] == "Completed"
    assert "the delivered prepare" in stack.log("shadow")


def test_new_code_at_the_same_address_is_what_runs(stack):
    for text in ("first!", "second"):
        code = stack.code("again", again=f"print('{text}')")
        stack.run("processing", processing_request(f"again-{text[0]}", code, "again"))
        assert text in stack.log(f"again-{text[0]}")


def test_code_that_did_not_change_is_compiled_once(stack):
    code = stack.code("compiled", once="print('ran')")
    written = []
    for name in ("compiled-1", "compiled-2"):
        stack.run("processing", processing_request(name, code, "once"))
        written.append(
            {path: path.stat().st_mtime_ns for path in (stack.folder / "cache").rglob("once*.pyc")}
        )
    assert len(written[0]) == 1
    assert written[0] == written[1]


def test_the_project_itself_is_out_of_reach_of_a_job(stack):
    code = stack.code("reach", reach="import infra.local.sagemaker.worker")
    stack.run("processing", processing_request("reach", code, "reach"))
    assert "No module named 'infra'" in stack.log("reach")


def test_the_configuration_files_are_there(stack):
    check = """
import json
job = json.load(open('/opt/ml/config/processingjobconfig.json'))
assert job['ProcessingJobArn'].endswith(':123456789012:processing-job/configured'), job
assert job['ProcessingJobName'] == 'configured'
resources = json.load(open('/opt/ml/config/resourceconfig.json'))
assert resources == {'current_host': 'algo-1', 'hosts': ['algo-1']}
"""
    request = processing_request("configured", stack.code("configured", configured=check), "configured")
    assert stack.run("processing", request)["ProcessingJobStatus"] == "Completed", stack.log("configured")
    assert stack.kept("configured", "request.json") == request


def test_the_libraries_of_the_image_work_in_a_forked_job(stack):
    """Their thread pools and OpenMP must survive the fork."""
    source = """
import io, threading
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.csv, pyarrow.parquet as pq, xgboost as xgb
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from sklearn.linear_model import LogisticRegression
rng = np.random.default_rng(0)
x, y = rng.normal(size=(400, 8)), rng.integers(0, 3, 400)
frame = pd.DataFrame(x).rename(columns=str)
pq.write_table(pa.Table.from_pandas(frame), '/opt/ml/x.parquet')
assert pd.read_parquet('/opt/ml/x.parquet').equals(frame)
text = io.BytesIO(frame.to_csv(index=False).encode())
assert pa.csv.read_csv(text, pa.csv.ReadOptions(use_threads=True)).num_rows == 400
model = xgb.train({'objective': 'multi:softprob', 'num_class': 3, 'nthread': 2}, xgb.DMatrix(x, y), 3)
assert model.predict(xgb.DMatrix(x)).shape == (400, 3)
texts = [f'item {n % 7} kg {n % 3}' for n in range(400)]
features = TfidfVectorizer().fit_transform(texts)
assert LinearSVC().fit(features, y).predict(features).shape == (400,)
assert LogisticRegression().fit(x, y).predict_proba(x).shape == (400, 3)
print(threading.active_count(), 'threads')
"""
    request = processing_request("libraries", stack.code("libraries", libraries=source), "libraries")
    assert stack.run("processing", request)["ProcessingJobStatus"] == "Completed", stack.log("libraries")


def test_two_jobs_do_not_draw_the_same_random_numbers(stack):
    code = stack.code(
        "random", draw="import numpy, random; print('drew', numpy.random.rand(), random.random())"
    )
    drawn = []
    for name in ("draw-1", "draw-2"):
        stack.run("processing", processing_request(name, code, "draw"))
        drawn += [
            word
            for line in stack.log(name).splitlines()
            if line.startswith("drew")
            for word in line.split()[1:]
        ]
    assert len(set(drawn)) == 4


def test_a_job_over_its_time_is_stopped(stack):
    code = stack.code("late", late="print('begun', flush=True)\nimport time\ntime.sleep(600)")
    limit = {"MaxRuntimeInSeconds": 1}
    ended = stack.run("processing", processing_request("late", code, "late", StoppingCondition=limit))
    assert ended["ProcessingJobStatus"] == "Stopped"
    assert "begun" in stack.log("late")


def test_a_job_that_is_stopped_may_clean_up_first(stack):
    source = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with open('/opt/ml/speak', 'w') as pipe:
    pipe.write('ready')
signal.sigwait({signal.SIGTERM})
print('cleaned up')
"""
    run_until_it_speaks(stack, "cleaning", source)
    stack.worker.cancel("processing", "cleaning")
    assert stack.book.ended("processing", "cleaning")["ProcessingJobStatus"] == "Stopped"
    assert "cleaned up" in stack.log("cleaning")


def test_a_job_that_ignores_being_stopped_is_killed_with_everything_it_started(stack, monkeypatch):
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.2)
    source = """
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(['sleep', '600'])
with open('/opt/ml/speak', 'w') as pipe:
    pipe.write(f'{os.getpid()} {child.pid}')
time.sleep(600)
"""
    pids = run_until_it_speaks(stack, "stubborn", source).split()
    assert all(is_alive(pid) for pid in pids)
    stack.worker.cancel("processing", "stubborn")
    assert stack.book.ended("processing", "stubborn")["ProcessingJobStatus"] == "Stopped"
    assert all(ends(pid) for pid in pids)


def test_what_a_job_leaves_running_ends_with_it(stack):
    source = """
import subprocess
child = subprocess.Popen(['sleep', '600'])
child.returncode = 0  # Nobody waits for it.
open('/opt/ml/output/message', 'w').write(str(child.pid))
"""
    code = stack.code("leaver", leaver=source)
    ended = stack.run("processing", processing_request("leaver", code, "leaver"))
    assert ended["ProcessingJobStatus"] == "Completed"
    assert ends(ended["ExitMessage"])


@pytest.mark.parametrize("name", ["unknown", "copy"])
def test_stopping_a_job_that_is_not_running_changes_nothing(stack, name):
    before = len(stack.book.order)
    stack.worker.cancel("processing", name)
    assert len(stack.book.order) == before


def run_until_it_speaks(stack, name: str, source: str) -> str:
    """Start a job and wait until it has written to /opt/ml/speak; returns what it wrote."""
    pipe = stack.folder / "jobs" / name / "opt" / "ml" / "speak"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        stack.worker.submit(
            "processing", processing_request(name, stack.code(name, speaking=source), "speaking")
        )
        assert select.select([reader], [], [], PATIENCE_SECONDS)[0], stack.log(name)
        return os.read(reader, 4096).decode()
    finally:
        os.close(reader)
