"""How long a job takes to start: from CreateProcessingJob to its script's first line, in the local stack.

Twenty jobs in a row, after a first one that waits for the warm process; each has this project's code bundle
and one small input. Beside it, what the same script takes in a fresh `python3 -m`, which has to import what
the warm process has imported already.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _report import arguments, show

from infra.local.endpoint import REGION
from infra.local.stack import LocalStack

JOBS = 20
COLD_STARTS = 3
ROOT = Path(__file__).parents[1]
PACKAGES = ("processing", "training", "inference")
# Its first line takes the time; what follows imports what the project's jobs import.
SCRIPT = """import time; first_line = time.time()
import numpy, pandas, pyarrow.parquet, scipy.sparse, sklearn.linear_model, xgboost
print("first line", first_line, "imported", time.time(), flush=True)
"""


def main() -> None:
    parser = arguments(__doc__)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), options=("--empty",)) as stack:
        _upload_bundle(stack)
        _run(stack, folder, "warm-up")
        runs = [_run(stack, folder, f"start-{number}") for number in range(JOBS)]
    rows = [
        _row(f"request to first line ({JOBS} jobs)", [first for first, _, _ in runs]),
        _row("request to libraries imported", [imported for _, imported, _ in runs]),
        _row("request to Completed", [ended for _, _, ended in runs]),
        _row(f"python3 -m to libraries imported ({COLD_STARTS})", _cold_starts()),
    ]
    show("Job start, milliseconds", rows, options.json)


def _row(what: str, seconds: list[float]) -> dict:
    milliseconds = [value * 1000 for value in seconds]
    return {
        "what": what,
        "median": statistics.median(milliseconds),
        "best": min(milliseconds),
        "worst": max(milliseconds),
    }


def _upload_bundle(stack: LocalStack) -> None:
    s3 = stack.client("s3")
    s3.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": REGION})
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            s3.upload_file(str(path), "bench", f"code/{path.relative_to(ROOT)}")
    s3.put_object(Bucket="bench", Key="code/bench_start.py", Body=SCRIPT)
    s3.put_object(Bucket="bench", Key="data/items.jsonl", Body=b'{"item_id":"1"}\n' * 1000)


def _run(stack: LocalStack, folder: str, name: str) -> tuple[float, float, float]:
    """Seconds from the request to the script's first line, to its imports, to the job's end."""
    sagemaker = stack.client("sagemaker")
    begun = time.time()
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/PrepareRole",
        ProcessingInputs=[_input("code"), _input("data")],
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        AppSpecification={
            "ImageUri": "xgboost:3.2-0",
            "ContainerEntrypoint": ["python3", "-m", "bench_start"],
        },
        Environment={"PYTHONPATH": "/opt/ml/processing/input/code"},
    )
    for event in stack.events():
        if event["kind"] == "job" and event["name"] == name and event["status"] != "InProgress":
            break
    ended = time.time()
    line = (Path(folder) / "jobs" / name / "log.txt").read_text().splitlines()[-1].split()
    return float(line[2]) - begun, float(line[4]) - begun, ended - begun


def _input(name: str) -> dict:
    source = {"S3Uri": f"s3://bench/{name}/", "LocalPath": f"/opt/ml/processing/input/{name}"}
    return {"InputName": name, "S3Input": {**source, "S3DataType": "S3Prefix", "S3InputMode": "File"}}


def _cold_starts() -> list[float]:
    """The same script in a new interpreter each time."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bench_start.py").write_text(SCRIPT)
        for _ in range(COLD_STARTS):
            begun = time.time()
            done = subprocess.run(
                [sys.executable, "-m", "bench_start"], cwd=folder, capture_output=True, text=True
            )
            found.append(float(done.stdout.split()[4]) - begun)
    return found


if __name__ == "__main__":
    main()
