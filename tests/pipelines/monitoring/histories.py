"""Events of GetExecutionHistory, in the form of botocore's model of Step Functions."""

import json
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 3, 8, tzinfo=UTC)
JOBS = {
    "Prepare": ("createProcessingJob.sync", "ProcessingJobName"),
    "Featurize": ("createProcessingJob.sync", "ProcessingJobName"),
    "Tune": ("createHyperParameterTuningJob.sync", "HyperParameterTuningJobName"),
    "TuneWarm": ("createHyperParameterTuningJob.sync", "HyperParameterTuningJobName"),
    "Train": ("createTrainingJob.sync", "TrainingJobName"),
}


class History:
    """A run's events; each takes place `minutes` after the one before."""

    def __init__(self):
        self.events, self._now = [], START

    def _add(self, kind, minutes=0, **details):
        self._now += timedelta(minutes=minutes)
        self.events.append({"timestamp": self._now, "type": kind, "id": len(self.events) + 1, **details})

    def enters(self, name, kind="Task"):
        self._add(f"{kind}StateEntered", stateEnteredEventDetails={"name": name})
        return self

    def asks(self, name, job):
        """The task of state `name` asks for a job."""
        resource, member = JOBS[name]
        details = {"resourceType": "sagemaker", "resource": resource, "region": "eu-central-1"}
        self._add(
            "TaskScheduled", taskScheduledEventDetails=details | {"parameters": json.dumps({member: job})}
        )
        return self

    def fails(self, minutes=1, error="States.TaskFailed"):
        self._add("TaskFailed", minutes, taskFailedEventDetails={"error": error, "resourceType": "sagemaker"})
        return self

    def leaves(self, name, minutes=1, kind="Task"):
        self._add(f"{kind}StateExited", minutes, stateExitedEventDetails={"name": name})
        return self

    def does(self, name, job, minutes=1):
        """A job from its start to its good end."""
        return self.enters(name).asks(name, job).leaves(name, minutes)
