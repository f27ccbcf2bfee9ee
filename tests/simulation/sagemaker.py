"""SageMaker of the simulation: a job reads its inputs when it begins; its outputs are seen when it ends."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore import xform_name

from tests.pipelines.machines.definition_examples import ACCOUNT, REGION
from tests.simulation import jobs
from tests.simulation.interpreter import Call, TaskFailed
from tests.simulation.services import Buckets

_KINDS = {
    "createProcessingJob": "ProcessingJob",
    "createTrainingJob": "TrainingJob",
    "createHyperParameterTuningJob": "HyperParameterTuningJob",
    "createTransformJob": "TransformJob",
}


class SageMaker:
    """Jobs and models. `models` has where the artefact of each is."""

    def __init__(self, buckets: Buckets, now: Callable[[], datetime]):
        self._buckets, self._now = buckets, now
        self.models: dict[str, str] = {}

    def create_model(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Raises TaskFailed for a name that is taken."""
        if asked["ModelName"] in self.models:
            raise TaskFailed("SageMaker.AmazonSageMakerException", "Cannot create already existing model")
        self.models[asked["ModelName"]] = asked["PrimaryContainer"]["ModelDataUrl"]
        return {}

    def begin(self, call: Call) -> Callable[[], dict[str, Any]]:
        """Read a job's inputs; what is returned writes its outputs and describes it."""
        asked = call.parameters
        kind = _KINDS[call.resource.rpartition(":")[2].partition(".")[0]]
        name = asked[f"{kind}Name"]
        about = {f"{kind}Name": name, f"{kind}Arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"}
        work = getattr(self, f"_{xform_name(kind)}")(asked)
        return lambda: about | {f"{kind}Status": "Completed"} | work()

    def _input(self, address: str) -> jobs.Files:
        files = self._buckets.below(address)
        if not files:
            bucket, _, key = address.removeprefix("s3://").partition("/")
            raise AssertionError(f"SageMaker would refuse an empty input: {bucket}/{key}")
        return files

    def _processing_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        words = asked["AppSpecification"]["ContainerArguments"]
        arguments = {words[at].removeprefix("--"): words[at + 1] for at in range(0, len(words), 2)}
        inputs = {
            each["InputName"]: self._input(each["S3Input"]["S3Uri"]) for each in asked["ProcessingInputs"]
        }
        script = asked["AppSpecification"]["ContainerEntrypoint"][-1]
        outputs = {
            each["OutputName"]: each["S3Output"]["S3Uri"]
            for each in asked["ProcessingOutputConfig"]["Outputs"]
        }

        def work() -> dict[str, Any]:
            made, message = jobs.run(script, jobs.Job(inputs, arguments, self._now()))
            for output, files in made.items():
                for name, body in files.items():
                    self._buckets.put(outputs[output].rstrip("/") + "/" + name, body)
            return {"ExitMessage": json.dumps(message)}

        return work

    def _hyper_parameter_tuning_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        metric = {"MetricName": "macro_f1", "Value": 0.8734}
        tuned = {"C": "0.7", "family": "linear", "first_word_weight": "0.6", "word_weight": "1.1"}
        best = {"TunedHyperParameters": tuned, "FinalHyperParameterTuningJobObjectiveMetric": metric}
        return lambda: {"BestTrainingJob": best}

    def _training_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        channels = {
            channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
            for channel in asked["InputDataConfig"]
        }
        artefact = jobs.train(self._input(channels["features"]))
        folder = f"{asked['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{asked['TrainingJobName']}"

        def work() -> dict[str, Any]:
            address = f"{folder}/output/model.tar.gz"
            self._buckets.put(address, artefact)
            return {"ModelArtifacts": {"S3ModelArtifacts": address}}

        return work

    def _transform_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        items = self._input(asked["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
        artefact = self._buckets.get(self.models[asked["ModelName"]])

        def work() -> dict[str, Any]:
            for name, body in jobs.transform(items, artefact).items():
                self._buckets.put(asked["TransformOutput"]["S3OutputPath"].rstrip("/") + "/" + name, body)
            return {}

        return work

    def failed_job(self, call: Call, sentence: str, name: str = "FailureReason") -> TaskFailed:
        """What Step Functions makes of a job that has failed; `name` is the field with the sentence."""
        kind = _KINDS[call.resource.rpartition(":")[2].partition(".")[0]]
        job = call.parameters[f"{kind}Name"]
        described = {
            f"{kind}Name": job,
            f"{kind}Arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{job}",
            f"{kind}Status": "Failed",
            name: sentence,
        }
        return TaskFailed("States.TaskFailed", json.dumps(described))
