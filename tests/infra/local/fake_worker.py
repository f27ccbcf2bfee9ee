"""A worker whose jobs end as their names say: "fails", "hangs" until cancelled, others well at once.

A processing job that "copies" makes of each object of its first input one of its first output.
"""

import tempfile
import threading
from pathlib import Path

from infra.local.objects import NotAnswered
from pipelines.names import split_address

STATUS = {
    "processing": "ProcessingJobStatus",
    "training": "TrainingJobStatus",
    "tuning": "HyperParameterTuningJobStatus",
    "transform": "TransformJobStatus",
}


class FakeWorker:
    def __init__(self, folder, connection, slots, on_change):
        self._on_change = on_change

    def start(self):
        pass

    def stop(self):
        pass

    def reach(self, buckets):
        self._buckets = buckets

    def submit(self, kind, request):
        name = next(value for key, value in request.items() if key.endswith("JobName"))
        if "hangs" in name:
            return
        changes = {STATUS[kind]: "Completed"}
        if kind == "processing":
            changes["ExitMessage"] = '{"rows": 3}'
        if "fails" in name:
            changes = {STATUS[kind]: "Failed", "FailureReason": "it was asked to"}
        if "copies" in name:
            try:
                self._copy(request)
            except NotAnswered as error:
                changes = {STATUS[kind]: "Failed", "FailureReason": str(error)}
        threading.Thread(target=self._on_change, args=(kind, name, changes)).start()

    def cancel(self, kind, name):
        self._on_change(kind, name, {STATUS[kind]: "Stopped"})

    def _copy(self, request):
        bucket, prefix = split_address(request["ProcessingInputs"][0]["S3Input"]["S3Uri"])
        outputs = request["ProcessingOutputConfig"]
        to, folder = split_address(outputs["Outputs"][0]["S3Output"]["S3Uri"])
        with tempfile.TemporaryDirectory() as scratch:
            for number, found in enumerate(self._buckets.find(bucket, prefix)):
                file = Path(scratch) / str(number)
                self._buckets.fetch(bucket, found.key, file)
                self._buckets.put(
                    to, f"{folder}{found.key.removeprefix(prefix)}", file, outputs.get("KmsKeyId")
                )
