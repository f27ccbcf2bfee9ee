"""What a SageMaker Processing job does.

Source: "How Amazon SageMaker Processing Configures Input and Output For Your Processing Container".
"""

from pathlib import Path
from typing import Any

from infra.local.sagemaker.failures import JobFailed, Stopped, algorithm_error, first_kilobyte
from infra.local.sagemaker.job import Job, now

_DEFAULT_SECONDS = 86_400
_HOST = "algo-1"


def run(job: Job) -> dict[str, Any]:
    """Inputs, program, outputs. Returns members of the description; raises JobFailed or Stopped."""
    request = job.request
    inputs = request.get("ProcessingInputs", [])
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    with job.slots():
        code = job.download((item["S3Input"]["S3Uri"], item["S3Input"]["LocalPath"]) for item in inputs)
        for output in outputs:
            job.in_container(output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
        _write_configuration(job)
        job.report(ProcessingStartTime=now())
        message = _run_program(job, code)
        for output in outputs:
            target = output["S3Output"]
            key = request["ProcessingOutputConfig"].get("KmsKeyId")
            job.tools.storage.upload(job.in_container(target["LocalPath"]), target["S3Uri"], key)
    return message


def _run_program(job: Job, code_digest: str | None) -> dict[str, Any]:
    request = job.request
    program = request["AppSpecification"]
    arguments = [*program["ContainerEntrypoint"], *program.get("ContainerArguments", [])]
    environment = {**request.get("Environment", {}), "AWS_REGION": job.tools.region}
    seconds = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_SECONDS)
    byte_code = job.tools.byte_code(code_digest)
    message = job.ml / "output" / "message"
    try:
        code = job.execute(arguments, environment, "/opt/ml", seconds, byte_code=byte_code)
    except Stopped:
        raise Stopped(**_exit_message(message)) from None
    if code:
        raise JobFailed(algorithm_error(code), **_exit_message(message))
    return _exit_message(message)


def _exit_message(path: Path) -> dict[str, Any]:
    text = first_kilobyte(path)
    return {"ExitMessage": text} if text else {}


def _write_configuration(job: Job) -> None:
    (job.ml / "output").mkdir(parents=True, exist_ok=True)
    job.write("opt/ml/config/processingjobconfig.json", {"ProcessingJobArn": job.arn, **job.request})
    job.write("opt/ml/config/resourceconfig.json", {"current_host": _HOST, "hosts": [_HOST]})
