"""What a SageMaker training job does. Source: "How Amazon SageMaker Provides Training Information"."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local.sagemaker import artefact, metrics, script_mode
from infra.local.sagemaker.failures import JobFailed, Stopped, algorithm_error, first_kilobyte
from infra.local.sagemaker.job import Job, now

_DEFAULT_SECONDS = 86_400
_FOLDERS = ("code", "input/config", "model", "output/data")


def run(job: Job, watch: Callable[[dict[str, list[float]]], bool] | None = None) -> dict[str, Any]:
    """Channels, script, model. Returns members of the description; raises JobFailed or Stopped with such.

    `watch` sees the metrics printed so far, again and again, and returns True to stop the job early.
    """
    definitions = job.request["AlgorithmSpecification"].get("MetricDefinitions", [])
    with job.slots():
        digest = _install_code(job, _download_channels(job))
        started = time.monotonic()
        job.report(TrainingStartTime=now(), SecondaryStatus="Training")
        looking = (lambda: watch(metrics.read(job.log_file, definitions))) if watch else None
        try:
            _run_script(job, digest, looking)
        except (JobFailed, Stopped) as end:
            end.members |= _measured(job, definitions, started)
            if isinstance(end, Stopped) and not job.shutdown:
                end.members |= _upload(job)  # What it saved until then counts.
            raise
        return {**_upload(job), **_measured(job, definitions, started)}


def _download_channels(job: Job) -> str | None:
    """Returns a digest of the sources in them."""
    for name in _FOLDERS:
        (job.ml / name).mkdir(parents=True, exist_ok=True)
    config = "opt/ml/input/config"
    job.write(f"{config}/hyperparameters.json", job.request.get("HyperParameters", {}))
    job.write(f"{config}/inputdataconfig.json", script_mode.input_data_config(job.request))
    job.write(f"{config}/resourceconfig.json", script_mode.resource_config(job.request))
    places = (
        (item["DataSource"]["S3DataSource"]["S3Uri"], f"/opt/ml/input/data/{item['ChannelName']}")
        for item in job.request.get("InputDataConfig", [])
    )
    return job.download(places, share_code=bool(script_mode.called_instead(job.request)))


def _install_code(job: Job, digest: str | None) -> str | None:
    """Copy the script's folder to /opt/ml/code, as the image does; returns a digest of its sources.

    `digest` is that of those in the channels.
    """
    values = script_mode.hyperparameters(job.request)
    source = str(values.get("sagemaker_submit_directory", ""))
    if not source or "sagemaker_program" not in values:
        names = "sagemaker_program and sagemaker_submit_directory"
        raise JobFailed(f"AlgorithmError: script mode needs the hyperparameters {names}")
    if script_mode.called_instead(job.request):
        return digest  # It finds its code by the PYTHONPATH it is given.
    code = job.in_container(script_mode.CODE)
    if source.startswith("/"):
        shutil.copytree(job.in_container(source), code, dirs_exist_ok=True)
        return digest
    archive = job.folder / "sourcedir.tar.gz"
    found = job.tools.storage.find(source)[0]
    job.tools.storage.fetch(found, archive)
    artefact.unpack(archive, code)
    return found.etag.strip('"')


def _run_script(job: Job, digest: str | None, watch: Callable[[], bool] | None) -> None:
    """Run the script, or call the function that the request names in place of the image's own.

    The image's own way writes its own text over what a failing script left as `output/failure`, and ends
    with 1 whatever the script ended with.
    """
    request = job.request
    program, call = script_mode.program(request), script_mode.called_instead(request)
    environment = {
        **request.get("Environment", {}),
        **({} if call else script_mode.environment(request)),
        "AWS_REGION": job.tools.region,
        "TRAINING_JOB_ARN": job.arn,
        "TRAINING_JOB_NAME": job.name,
    }
    seconds = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_SECONDS)
    job.log(f"Calling {call}" if call else f"Invoking user script: {' '.join(program)}")
    code = job.execute(
        program,
        environment,
        "/opt/ml" if call else script_mode.CODE,
        seconds,
        byte_code=job.tools.byte_code(digest),
        call=call,
        watch=watch,
    )
    if code and call:
        raise JobFailed(algorithm_error(code, first_kilobyte(job.ml / "output" / "failure")))
    if code:
        raise JobFailed(algorithm_error(1, script_mode.failure(program)))


def _measured(job: Job, definitions: list[dict[str, Any]], started: float) -> dict[str, Any]:
    seconds = max(1, round(time.monotonic() - started))
    return {
        "FinalMetricDataList": metrics.final(metrics.read(job.log_file, definitions), now()),
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
    }


def _upload(job: Job) -> dict[str, Any]:
    """Put model.tar.gz, and output.tar.gz if there is any other output, and say where."""
    target = job.request["OutputDataConfig"]
    base = f"{target['S3OutputPath'].rstrip('/')}/{job.name}/output"
    for name, folder in (("model", job.ml / "model"), ("output", job.ml / "output" / "data")):
        if name == "model" or any(folder.iterdir()):
            _pack_and_put(job, folder, f"{base}/{name}.tar.gz", target.get("KmsKeyId"))
    return {"ModelArtifacts": {"S3ModelArtifacts": f"{base}/model.tar.gz"}}


def _pack_and_put(job: Job, folder: Path, uri: str, kms_key: str | None) -> None:
    archive = job.folder / os.path.basename(uri)
    artefact.pack(folder, archive)
    job.tools.storage.put(archive, uri, kms_key)
    archive.unlink()  # Its content stays in the job's folder.
