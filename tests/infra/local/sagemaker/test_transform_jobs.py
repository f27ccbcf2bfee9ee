"""A transform job serves the model by HTTP and stores one output object for each input object."""

import gzip
import io
import json
import tarfile

import pytest

from tests.infra.local.sagemaker.job_requests import IMAGE, ROLE

JOIN = {"JoinSource": "Input", "InputFilter": "$", "OutputFilter": "$['item_id','SageMakerOutput']"}
# A model that counts the letters of each title; it works on raw lines, as a fast one would.
SERVE = """
import json, os
from pathlib import Path

def model_fn(model_dir):
    return json.loads(Path(model_dir, "settings.json").read_text())

def input_fn(data, content_type):
    assert content_type == "application/jsonlines", content_type
    assert isinstance(data, bytes)
    return [json.loads(line) for line in data.split(b"\\n") if line.strip()]

def predict_fn(rows, model):
    return [{"letters": len(row["title"]), "model": model["name"], "worker": os.getpid()} for row in rows]

def output_fn(prediction, accept):
    return "".join(json.dumps(row) + "\\n" for row in prediction), accept
"""


def make_model(stack, name: str, serve: str, **environment: str) -> None:
    body = io.BytesIO()
    files = {
        "settings.json": json.dumps({"name": name}),
        "code/inference/serve.py": serve,
        "code/inference/__init__.py": "",
    }
    with gzip.GzipFile(fileobj=body, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    stack.put(f"s3://work-bucket/artefacts/{name}/model.tar.gz", body.getvalue())
    program = {"SAGEMAKER_PROGRAM": "inference.serve", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    stack.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": f"s3://work-bucket/artefacts/{name}/model.tar.gz",
            "Environment": {**program, **environment},
        },
    )


def request(name: str, processing: dict | None = JOIN, **members) -> dict:
    """Transforms s3://work-bucket/<name>/items/ with the model of the same name."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://work-bucket/{name}/items/"}
    return {
        "TransformJobName": name,
        "ModelName": name,
        "MaxConcurrentTransforms": 1,
        "MaxPayloadInMB": 6,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://work-bucket/{name}/predictions",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **({"DataProcessing": processing} if processing else {}),
        **members,
    }


def items(*titles: str, **more) -> bytes:
    rows = ({"item_id": f"i{n}", "title": title, **more} for n, title in enumerate(titles))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def rows_of(body: bytes) -> list[dict]:
    return [json.loads(line) for line in body.removesuffix(b"\n").split(b"\n")]


def test_each_input_object_gets_one_output_object_joined_by_record(stack):
    make_model(stack, "joined", SERVE)
    stack.put("s3://work-bucket/joined/items/items-00000.jsonl", items("pump", "toaster"))
    stack.put("s3://work-bucket/joined/items/deep/items-00001.jsonl", items("radio"))

    ended = stack.run("transform", request("joined"))

    assert ended["TransformJobStatus"] == "Completed", stack.log("joined")
    assert ended["TransformStartTime"] <= ended["TransformEndTime"]
    first = rows_of(stack.get("s3://work-bucket/joined/predictions/items-00000.jsonl.out"))
    assert [(row["item_id"], row["SageMakerOutput"]["letters"]) for row in first] == [("i0", 4), ("i1", 7)]
    assert first[0].keys() == {"item_id", "SageMakerOutput"}
    assert first[0]["SageMakerOutput"]["model"] == "joined"
    second = stack.get("s3://work-bucket/joined/predictions/deep/items-00001.jsonl.out")
    assert rows_of(second)[0]["SageMakerOutput"]["letters"] == 5


def test_many_requests_keep_the_order_of_the_input_and_use_as_many_servers_as_asked(stack):
    make_model(stack, "many", SERVE)
    titles = ["x" * (n % 97) for n in range(40_000)]
    stack.put("s3://work-bucket/many/items/items.jsonl", items(*titles, filler="f" * 60))
    ended = stack.run("transform", request("many", MaxPayloadInMB=1, MaxConcurrentTransforms=2))
    assert ended["TransformJobStatus"] == "Completed", stack.log("many")
    rows = rows_of(stack.get("s3://work-bucket/many/predictions/items.jsonl.out"))
    assert [row["item_id"] for row in rows] == [f"i{n}" for n in range(40_000)]
    assert [row["SageMakerOutput"]["letters"] for row in rows] == [len(title) for title in titles]
    assert len({row["SageMakerOutput"]["worker"] for row in rows}) == 2


def test_weird_text_and_long_numbers_survive(stack):
    make_model(stack, "weird", SERVE)
    line = (
        '{"item_id":123456789012345678901234567890,"title":"a\u2028b\\u2029 \\"quoted\\" 家電 é","w":1.10}\n'
    )
    stack.put("s3://work-bucket/weird/items/items.jsonl", line)
    stack.run("transform", request("weird", {"JoinSource": "Input"}))
    joined = stack.get("s3://work-bucket/weird/predictions/items.jsonl.out").decode()
    assert joined.startswith(line.removesuffix("}\n") + ',"SageMakerOutput":{"letters": 18')


def test_without_data_processing_the_answer_is_stored_as_it_is(stack):
    make_model(stack, "plain", SERVE)
    stack.put("s3://work-bucket/plain/items/items.jsonl", items("pump", "tap"))
    stack.run("transform", request("plain", processing=None))
    rows = rows_of(stack.get("s3://work-bucket/plain/predictions/items.jsonl.out"))
    assert [row["letters"] for row in rows] == [4, 3]


def test_an_empty_input_object_gives_an_empty_output_object(stack):
    make_model(stack, "empty", SERVE)
    stack.put("s3://work-bucket/empty/items/items.jsonl", b"")
    assert stack.run("transform", request("empty"))["TransformJobStatus"] == "Completed"
    assert stack.get("s3://work-bucket/empty/predictions/items.jsonl.out") == b""


def test_the_container_knows_how_it_is_called(stack):
    names = ["SAGEMAKER_BATCH", "SAGEMAKER_MAX_PAYLOAD_IN_MB", "OF_MODEL", "OF_JOB", "OMP_NUM_THREADS"]
    given = 'json.dumps({"given": [os.environ.get(n) for n in NAMES]})'
    serve = SERVE.replace('"".join(json.dumps(row) + "\\n" for row in prediction)', given)
    serve += f"NAMES = {names}"
    make_model(stack, "given", serve, OF_MODEL="m")
    stack.put("s3://work-bucket/given/items/items.jsonl", items("pump"))
    stack.run("transform", request("given", Environment={"OF_JOB": "j"}))
    row = rows_of(stack.get("s3://work-bucket/given/predictions/items.jsonl.out"))[0]
    assert row["SageMakerOutput"]["given"] == ["true", "6", "m", "j", "1"]


def test_an_answer_with_fewer_records_fails_the_job(stack):
    make_model(stack, "fewer", SERVE.replace("in prediction", "in prediction[1:]"))
    stack.put("s3://work-bucket/fewer/items/items.jsonl", items("pump", "tap"))
    ended = stack.run("transform", request("fewer"))
    assert ended["TransformJobStatus"] == "Failed"
    assert ended["FailureReason"] == "ClientError: See job logs for more information"
    assert "work-bucket/fewer/items/items.jsonl: the model answered 2 records with 1" in stack.log("fewer")
    assert "Contents" not in stack.s3.list_objects_v2(Bucket="work-bucket", Prefix="fewer/predictions")


def test_an_error_in_the_model_fails_the_job_after_its_retries_with_the_traceback_in_the_log(stack):
    make_model(stack, "broken", SERVE.replace('len(row["title"])', 'row["no such column"]'))
    stack.put("s3://work-bucket/broken/items/items.jsonl", items("pump"))
    ended = stack.run("transform", request("broken", ModelClientConfig={"InvocationsMaxRetries": 1}))
    assert ended["FailureReason"] == "AlgorithmError: See job logs for more information"
    log = stack.log("broken")
    assert "Bad HTTP status received from algorithm: 500" in log
    assert log.count("KeyError: 'no such column'") == 2, "given by the server for each try, not by its page"
    assert "<title>500 Internal Server Error</title>" in log


def test_a_model_that_can_not_be_loaded_fails_the_job(stack):
    make_model(stack, "unloadable", SERVE.replace("settings.json", "missing.json"))
    stack.put("s3://work-bucket/unloadable/items/items.jsonl", items("pump"))
    ended = stack.run("transform", request("unloadable"))
    assert ended["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert "FileNotFoundError" in stack.log("unloadable")


def test_a_server_that_dies_fails_the_job(stack):
    make_model(stack, "dying", SERVE.replace("return [{", "os._exit(9); return [{"))
    stack.put("s3://work-bucket/dying/items/items.jsonl", items("pump"))
    ended = stack.run("transform", request("dying"))
    assert ended["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert "Unable to get response from algorithm" in stack.log("dying")


def test_a_server_that_is_too_slow_fails_the_job(stack):
    make_model(stack, "slow", SERVE.replace("return [{", "import time; time.sleep(600); return [{"))
    stack.put("s3://work-bucket/slow/items/items.jsonl", items("pump"))
    config = {"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 1}
    ended = stack.run("transform", request("slow", ModelClientConfig=config))
    assert ended["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_an_output_function_that_returns_no_content_type_is_an_error(stack):
    make_model(stack, "untyped", SERVE.replace("), accept\n", ")\n"))
    stack.put("s3://work-bucket/untyped/items/items.jsonl", items("pump"))
    assert stack.run("transform", request("untyped"))["TransformJobStatus"] == "Failed"
    assert "output_fn must return body and content type, not str" in stack.log("untyped")


def test_a_request_of_any_size_is_taken(stack):
    make_model(stack, "large", SERVE)
    stack.put("s3://work-bucket/large/items/items.jsonl", items(*["x" * 2**20] * 8))
    ended = stack.run("transform", request("large", MaxPayloadInMB=9))
    assert ended["TransformJobStatus"] == "Completed", stack.log("large")


def test_a_worker_loads_at_its_first_request_and_only_the_first_is_pinged_before(stack):
    """The second worker's first answer would take longer than nginx waits, so the job fails."""
    slow = SERVE.replace(
        "def model_fn(model_dir):", "def model_fn(model_dir):\n    import time; time.sleep(1.5)"
    )
    make_model(stack, "loading", slow, SAGEMAKER_MODEL_SERVER_TIMEOUT="1")
    titles = ["x" * 97] * 40_000
    stack.put("s3://work-bucket/loading/items/items.jsonl", items(*titles, filler="f" * 60))
    two = {
        "MaxPayloadInMB": 1,
        "MaxConcurrentTransforms": 2,
        "ModelClientConfig": {"InvocationsMaxRetries": 0},
    }
    ended = stack.run("transform", request("loading", **two))
    assert ended["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert "Unable to get response from algorithm: timed out" in stack.log("loading")
    make_model(stack, "patient", slow, SAGEMAKER_MODEL_SERVER_TIMEOUT="600")
    stack.put("s3://work-bucket/patient/items/items.jsonl", items(*titles, filler="f" * 60))
    assert stack.run("transform", request("patient", **two))["TransformJobStatus"] == "Completed"


def test_an_artefact_that_leads_out_of_its_folder_is_refused(stack):
    make_model(stack, "leaving", SERVE)
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../evil"))
    stack.put("s3://work-bucket/artefacts/leaving/model.tar.gz", body.getvalue())
    stack.put("s3://work-bucket/leaving/items/items.jsonl", items("pump"))
    ended = stack.run("transform", request("leaving"))
    assert ended["FailureReason"].startswith("ClientError: Failed to extract model data archive")
    assert not list(stack.folder.rglob("evil"))


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("odd-split", {"SplitType": "RecordIO"}, "SplitType RecordIO"),
        ("odd-pack", {"CompressionType": "Gzip"}, "CompressionType Gzip"),
    ],
)
def test_what_the_local_run_can_not_do_is_said_at_once(stack, name, change, reason):
    asked = request(name)
    asked["TransformInput"] |= change
    ended = stack.run("transform", asked)
    assert ended["FailureReason"] == f"ClientError: the local run does not know {reason}"


def test_a_filter_that_is_not_known_is_said_at_once(stack):
    ended = stack.run("transform", request("odd-filter", {"OutputFilter": "$[1:]"}))
    assert ended["FailureReason"] == "ClientError: the local run does not know the filter $[1:]"


def test_a_transform_job_can_be_stopped(stack):
    make_model(stack, "stopping", SERVE.replace("return [{", "import time; time.sleep(600); return [{"))
    stack.put("s3://work-bucket/stopping/items/items.jsonl", items("pump"))
    stack.worker.submit("transform", request("stopping"))
    stack.book.when("transform", "stopping", lambda members: "TransformStartTime" in members)
    stack.worker.cancel("transform", "stopping")
    assert stack.book.ended("transform", "stopping")["TransformJobStatus"] == "Stopped"
