"""A worker whose jobs end as their names say: "fails", "hangs" until cancelled, others well at once."""

import threading

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

    def submit(self, kind, request):
        name = next(value for key, value in request.items() if key.endswith("JobName"))
        if "hangs" in name:
            return
        changes = {STATUS[kind]: "Completed"}
        if kind == "processing":
            changes["ExitMessage"] = '{"rows": 3}'
        if "fails" in name:
            changes = {STATUS[kind]: "Failed", "FailureReason": "it was asked to"}
        threading.Thread(target=self._on_change, args=(kind, name, changes)).start()

    def cancel(self, kind, name):
        self._on_change(kind, name, {STATUS[kind]: "Stopped"})
