"""A training job in script mode sees what the image gives a script, and leaves model and metrics."""

import io
import json
import tarfile

import pytest

from tests.infra.local.sagemaker.job_requests import script, training_definition

METRICS = {"score": r"score=([0-9.]+);", "loss": r"loss=([-0-9.e]+)"}


def request(name: str, code: str, module: str, hyperparameters: dict | None = None, **members) -> dict:
    definition = training_definition(code, module, METRICS, **members)
    return {
        "TrainingJobName": name,
        **definition,
        "HyperParameters": {**script(module), **(hyperparameters or {})},
    }


def model_of(stack, ended: dict) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(stack.get(ended["ModelArtifacts"]["S3ModelArtifacts"])))


def test_the_script_gets_hyperparameters_as_arguments_one_dash_for_one_letter(stack):
    code = stack.code("arguments", train="import sys; print('arguments:', sys.argv[1:])")
    values = {
        "C": "1.5",
        "min_df": "2",
        "family": "linear",
        "quoted": '"text"',
        "sagemaker_region": "eu-central-1",
    }
    stack.run("training", request("arguments", code, "train", values | {"_tuning_objective_metric": "score"}))
    expected = ["-C", "1.5", "--family", "linear", "--min_df", "2", "--quoted", "text"]
    assert f"arguments: {expected}" in stack.log("arguments")


def test_the_script_finds_channels_code_and_configuration_where_sagemaker_puts_them(stack):
    code = stack.code(
        "contract",
        train="""
            import json, os, sys
            from pathlib import Path
            assert Path.cwd() == Path('/opt/ml/code') and Path('steps/train.py').exists()
            assert os.environ['SM_CHANNELS'] == '["code","train"]'
            assert Path(os.environ['SM_CHANNEL_TRAIN'], 'a.txt').read_text() == 'alpha'
            assert os.environ['SM_MODEL_DIR'] == '/opt/ml/model'
            assert os.environ['SM_OUTPUT_DATA_DIR'] == '/opt/ml/output/data'
            assert json.loads(os.environ['SM_HPS']) == {'C': 1.5, 'name': 'x'}
            assert os.environ['SM_HP_C'] == '1.5'
            assert os.environ['SM_NUM_CPUS'] == '1' and os.environ['SM_NUM_GPUS'] == '0'
            assert os.environ['SM_CURRENT_HOST'] == 'algo-1' and os.environ['SM_HOSTS'] == '["algo-1"]'
            assert os.environ['SM_MODULE_NAME'] == 'steps.train'
            assert os.environ['TRAINING_JOB_NAME'] == 'contract'
            config = Path('/opt/ml/input/config')
            assert json.loads((config / 'hyperparameters.json').read_text())['C'] == '1.5'
            assert set(json.loads((config / 'inputdataconfig.json').read_text())) == {'code', 'train'}
            assert json.loads((config / 'resourceconfig.json').read_text())['current_host'] == 'algo-1'
            assert os.environ['OF_THE_REQUEST'] == 'yes'
        """,
    )
    stack.put("s3://work-bucket/contract/a.txt", "alpha")
    asked = request(
        "contract", code, "train", {"C": "1.5", "name": "x"}, Environment={"OF_THE_REQUEST": "yes"}
    )
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://work-bucket/contract/"}
    asked["InputDataConfig"].append({"ChannelName": "train", "DataSource": {"S3DataSource": source}})

    ended = stack.run("training", asked)

    assert ended["TrainingJobStatus"] == ended["SecondaryStatus"] == "Completed", stack.log("contract")


def test_the_model_folder_becomes_the_artefact_and_the_same_content_the_same_bytes(stack):
    source = """
        import os, random
        names = ['model.npz', 'code/inference/serve.py', 'settings.json']
        random.shuffle(names)
        for name in names:
            path = os.path.join(os.environ['SM_MODEL_DIR'], name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, 'w').write(name * 100)
            os.utime(path, (random.randrange(10**9), random.randrange(10**9)))
    """
    code = stack.code("model", train=source)
    ended = [stack.run("training", request(name, code, "train")) for name in ("model-1", "model-2")]
    assert ended[0]["ModelArtifacts"] == {
        "S3ModelArtifacts": "s3://work-bucket/models/model-1/output/model.tar.gz"
    }
    first, second = (stack.get(job["ModelArtifacts"]["S3ModelArtifacts"]) for job in ended)
    assert first == second
    with model_of(stack, ended[0]) as archive:
        assert archive.getnames() == [
            "code",
            "code/inference",
            "code/inference/serve.py",
            "model.npz",
            "settings.json",
        ]
        assert archive.extractfile("settings.json").read() == b"settings.json" * 100


def test_other_output_is_uploaded_beside_the_model(stack):
    code = stack.code("other", train="open('/opt/ml/output/data/report.txt', 'w').write('report')")
    stack.run("training", request("other", code, "train"))
    body = stack.get("s3://work-bucket/models/other/output/output.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.extractfile("report.txt").read() == b"report"


def test_metrics_are_the_last_values_printed(stack):
    source = """
        import sys
        print('epoch 1 score=0.25; loss=-1e-3')
        print('epoch 2 score=0.75; loss=oops', file=sys.stderr)
    """
    ended = stack.run("training", request("metrics", stack.code("metrics", train=source), "train"))
    found = {item["MetricName"]: item["Value"] for item in ended["FinalMetricDataList"]}
    assert found == {"score": 0.75, "loss": -0.001}


def test_the_image_puts_its_own_words_over_a_failing_scripts_sentence(stack):
    """sagemaker-containers 2.8.6 (`_trainer.py`, `_errors.py`), with its `capture_error` false."""
    source = """
        open('/opt/ml/output/failure', 'w').write('only one class')
        raise SystemExit('only one class')
    """
    ended = stack.run(
        "training", request("failure", stack.code("failure", train=source), "train", {"C": "1"})
    )
    assert ended["TrainingJobStatus"] == "Failed"
    command = 'ExecuteUserScriptError:\nCommand "python3 -m steps.train -C 1"'
    assert ended["FailureReason"] == f"AlgorithmError: {command}, exit code: 1"
    assert "only one class" in stack.log("failure")
    assert "ModelArtifacts" not in ended


def test_a_killed_script_ends_the_image_with_1_all_the_same(stack):
    code = stack.code("killed", train="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    ended = stack.run("training", request("killed", code, "train"))
    assert ended["FailureReason"].endswith('steps.train", exit code: 1')


def called(name: str, code: str) -> dict:
    """A job whose environment names another function for the image's start-up to call."""
    instead = {"SAGEMAKER_TRAINING_MODULE": "steps.start:main", "PYTHONPATH": "/opt/ml/input/data/code"}
    return request(name, code, "train", Environment=instead)


def test_a_function_called_instead_keeps_what_it_wrote_as_failure_cut_at_one_kilobyte(stack):
    source = """
        import os
        def main():
            open('/opt/ml/output/failure', 'w').write('only one class: ' + 'x' * 2000)
            os._exit(1)
    """
    ended = stack.run("training", called("instead", stack.code("instead", start=source)))
    assert ended["FailureReason"].startswith("AlgorithmError: only one class: xxx")
    assert ended["FailureReason"].endswith(", exit code: 1")
    assert len(ended["FailureReason"]) == 1024


def test_a_function_called_instead_is_given_the_services_own_files_and_its_model_is_kept(stack):
    source = """
        import json, os
        def main():
            given = json.load(open('/opt/ml/input/config/hyperparameters.json'))
            assert given['sagemaker_program'] == 'steps.train'
            assert 'SM_HPS' not in os.environ
            open('/opt/ml/model/a', 'w').write('b')
            print('score=0.5;')
    """
    ended = stack.run("training", called("own-files", stack.code("own-files", start=source)))
    assert ended["TrainingJobStatus"] == "Completed", stack.log("own-files")
    assert model_of(stack, ended).getnames() == ["a"]
    assert ended["FinalMetricDataList"][0]["Value"] == 0.5


@pytest.mark.parametrize(
    ("name", "ends", "status"),
    [("exits", "raise SystemExit(1)", "Completed"), ("raises", "raise ValueError('why')", "Failed")],
)
def test_the_start_up_takes_an_exit_for_success_and_tells_of_any_other_error(stack, name, ends, status):
    ended = stack.run("training", called(name, stack.code(name, start=f"def main():\n    {ends}")))
    assert ended["TrainingJobStatus"] == status
    if status == "Failed":
        assert ended["FailureReason"].startswith("AlgorithmError: framework error: \nTraceback")
        assert ended["FailureReason"].endswith("why, exit code: 1")


def test_a_path_where_a_dotted_module_belongs_fails_as_in_the_image(stack):
    asked = request("path", stack.code("path", train="print('never')"), "train")
    asked["HyperParameters"]["sagemaker_program"] = "steps/train.py"
    ended = stack.run("training", asked)
    assert ended["TrainingJobStatus"] == "Failed"
    assert "No module named steps/train" in stack.log("path")


def test_code_may_come_as_an_archive_from_s3(stack):
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        content = b"print('from the archive')"
        member = tarfile.TarInfo("train_alone.py")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    stack.put("s3://code/archives/sourcedir.tar.gz", body.getvalue())
    asked = request("archive", stack.code("archive"), "train")
    asked["HyperParameters"] = {
        "sagemaker_program": json.dumps("train_alone.py"),
        "sagemaker_submit_directory": json.dumps("s3://code/archives/sourcedir.tar.gz"),
    }
    assert stack.run("training", asked)["TrainingJobStatus"] == "Completed"
    assert "from the archive" in stack.log("archive")


def test_a_job_over_its_time_is_stopped_and_keeps_what_it_saved(stack):
    source = """
        import time
        open('/opt/ml/model/checkpoint', 'w').write('so far')
        print('score=0.5;')
        time.sleep(600)
    """
    asked = request("overtime", stack.code("overtime", train=source), "train")
    asked["StoppingCondition"] = {"MaxRuntimeInSeconds": 1}
    ended = stack.run("training", asked)
    assert ended["TrainingJobStatus"] == "Stopped"
    assert ended["FinalMetricDataList"][0]["Value"] == 0.5
    with model_of(stack, ended) as archive:
        assert archive.getnames() == ["checkpoint"]


@pytest.mark.parametrize("missing", ["sagemaker_program", "sagemaker_submit_directory"])
def test_without_script_mode_the_job_fails_with_the_reason(stack, missing):
    asked = request(f"no-{missing.replace('_', '-')}", stack.code("no-script", train=""), "train")
    del asked["HyperParameters"][missing]
    ended = stack.run("training", asked)
    assert "sagemaker_program and sagemaker_submit_directory" in ended["FailureReason"]
