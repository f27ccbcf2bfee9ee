"""The real jobs behind the simulation's SageMaker, in this process: what a year is labelled and decided by.

The simulation (tests/simulation/) gives the definitions, handlers, commands, services and the clock; its own
jobs learn nothing. These run the scripts that SageMaker runs, each in a folder of its own.
"""

import contextlib
import importlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from inference import serve
from infra.local.sagemaker.records import Processing
from processing import container
from tests.simulation import jobs
from tests.simulation.sagemaker import SageMaker
from training import start

#: What the image brings into a container: here it is imported already.
CODE = "code"
#: Instead of a search, whose eight trials would be three quarters of the year's time: the setting on which
#: docs/classifier.md measures.
SETTING = {"C": "0.6", "family": "linear", "first_word_weight": "0.7", "word_weight": "1.0"}
#: The jobs that look at the clock.
WITH_CLOCK = ("processing.publish", "processing.amend")


class RealJobs(SageMaker):
    """As its parent, whose stand-ins it replaces. A job takes no time of the virtual clock."""

    def _input(self, address: str) -> jobs.Files:
        """A single object keeps its name."""
        return {
            name.lstrip("/") or address.rpartition("/")[2]: body
            for name, body in super()._input(address).items()
        }

    def _processing_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        script = asked["AppSpecification"]["ContainerEntrypoint"][-1]
        words = asked["AppSpecification"]["ContainerArguments"]
        inputs = {
            each["InputName"]: self._input(each["S3Input"]["S3Uri"])
            for each in asked["ProcessingInputs"]
            if each["InputName"] != CODE
        }
        outputs = {
            each["OutputName"]: each["S3Output"]["S3Uri"]
            for each in asked["ProcessingOutputConfig"]["Outputs"]
        }

        def work() -> dict[str, Any]:
            with _container(self._now()) as base:
                for name, files in inputs.items():
                    _write(base / "processing" / "input" / name, files)
                message = _run(base, script, words)
                for name, address in outputs.items():
                    self._store(base / "processing" / "output" / name, address)
            return {"ExitMessage": message}

        return work

    def _hyper_parameter_tuning_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        metric = {"MetricName": "macro_f1", "Value": 0.0}
        best = {"TunedHyperParameters": SETTING, "FinalHyperParameterTuningJobObjectiveMetric": metric}
        return lambda: {"BestTrainingJob": best}

    def _training_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        channels = self._channels(asked)
        folder = f"{asked['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{asked['TrainingJobName']}"
        address = f"{folder}/output/model.tar.gz"

        def work() -> dict[str, Any]:
            with _container(self._now(), CODEBOOK_DIGEST=asked["Environment"]["CODEBOOK_DIGEST"]) as base:
                for name, files in channels.items():
                    _write(base / "input" / "data" / name, files)
                given = asked["HyperParameters"]
                _run(base, given["sagemaker_program"], start.arguments(given))
                self._buckets.put(address, _packed(base / "model"))
            return {"ModelArtifacts": {"S3ModelArtifacts": address}}

        return work

    def _transform_job(self, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        items = self._input(asked["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
        artefact = self._buckets.get(self.models[asked["ModelName"]])
        target = asked["TransformOutput"]["S3OutputPath"].rstrip("/")
        joined = Processing(asked["DataProcessing"])

        def work() -> dict[str, Any]:
            with tempfile.TemporaryDirectory() as folder:
                with tarfile.open(fileobj=io.BytesIO(artefact)) as archive:
                    archive.extractall(folder, filter="data")
                labeller = serve.model_fn(folder)
            for name, body in items.items():
                answers = serve.predict_fn(serve.input_fn(body, serve.CONTENT_TYPE), labeller)
                answer, _ = serve.output_fn(answers, serve.CONTENT_TYPE)
                self._buckets.put(f"{target}/{name}.out", joined.result(body, answer))
            return {}

        return work

    def _channels(self, asked: dict[str, Any]) -> dict[str, jobs.Files]:
        return {
            channel["ChannelName"]: self._input(channel["DataSource"]["S3DataSource"]["S3Uri"])
            for channel in asked["InputDataConfig"]
            if channel["ChannelName"] != CODE
        }

    def _store(self, folder: Path, address: str) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self._buckets.put(
                    f"{address.rstrip('/')}/{path.relative_to(folder).as_posix()}", path.read_bytes()
                )


@contextlib.contextmanager
def _container(now: datetime, **environment: str) -> Iterator[Path]:
    """A folder as `/opt/ml`, and the virtual time in the scripts that ask for it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment, SAGEMAKER_BASE_DIR=folder))
        for name in WITH_CLOCK:
            clock = mock.Mock(wraps=datetime, now=lambda zone: now)
            stack.enter_context(mock.patch.object(importlib.import_module(name), "datetime", clock))
        yield Path(folder)


def _run(base: Path, script: str, words: list[str]) -> str:
    """Run a script as its container does; its message. Raises Refused with its sentence."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            container.run(importlib.import_module(script).main, words)
    except SystemExit:
        raise jobs.Refused((base / "output" / "failure").read_text(encoding="utf-8")) from None
    message = (base / "output" / "message").read_text(encoding="utf-8")
    json.loads(message)
    return message


def _write(folder: Path, files: jobs.Files) -> None:
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def _packed(model: Path) -> bytes:
    """The artefact without its code, which is imported already."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for path in sorted(model.iterdir()):
            if path.name != CODE:
                archive.add(path, path.name)
    return body.getvalue()
