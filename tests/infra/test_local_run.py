"""Every call that roles made in a real local run, judged by the template's policies.

    LABELMILL_RUN_FOLDER=.labelmill/demo .venv/bin/pytest -m after_demo tests/infra

The emulator itself enforces none. The calls come from what the run has kept: each execution's history, with
the parameters as they were sent, each job's request, and the objects that were in the buckets. The
functions' own calls are not recorded.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.machine_calls import found, task_calls
from tests.infra.policies import Request, Stack, by_role, judge
from tests.infra.templates import MACHINES

FOLDER = os.environ.get("LABELMILL_RUN_FOLDER", ".labelmill/demo")
pytestmark = [
    pytest.mark.usefixtures("engine"),
    pytest.mark.after_demo,
]
KEYS = {"landing": "LandingKey", "work": "WorkKey", "labelled": "LabelledKey"}
#: Prepare and Featurize both write to a run's `report/`; this one is Prepare's.
PREPARES = "/report/report.json"
VIA_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}


class Run:
    """A local run's records, with the ids of its keys replaced by those of the stack that is judged."""

    def __init__(self, folder: Path):
        self.objects = sorted(
            path.relative_to(folder / "s3").as_posix()
            for path in (folder / "s3").rglob("*")
            if path.is_file()
        )
        self._jobs = [path.read_text() for path in sorted(folder.glob("jobs/*/request.json"))]
        self._executions = [path.read_text() for path in sorted(folder.glob("executions/*/*.json"))]
        requests = [json.loads(text) for text in self._jobs]
        volumes = {key for request in requests for key in found(request, "VolumeKmsKeyId")}
        [work] = volumes
        others = {key for request in requests for key in found(request, "KmsKeyId")} - volumes
        [prefix] = {match for text in self._jobs for match in re.findall(r"/(code/[0-9a-f]{16})/", text)}
        self.stack = Stack(CodePrefix=prefix, CodeDigest=prefix.removeprefix("code/"))
        self._ids = {work: self.stack.arn("WorkKey"), **dict.fromkeys(others, self.stack.arn("LabelledKey"))}
        assert len(others) <= 1

    def _read(self, text: str) -> dict:
        for recorded, judged in self._ids.items():
            text = text.replace(recorded, judged)
        return json.loads(text)

    def by_machines(self) -> Iterator[Request]:
        """The calls of the state machines' roles."""
        for record in map(self._read, self._executions):
            machine = record["executionArn"].split(":")[6].rpartition("-")[2].title()
            assert machine in MACHINES
            for event in record["history"]:
                if task := event.get("taskScheduledEventDetails"):
                    for action, resource, context in self._sent(task):
                        yield by_role(self.stack, f"{machine}MachineRole", action, resource, **context)

    def _sent(self, task: dict):
        parameters = task["parameters"]
        if task["resource"] == "headObject":
            yield "kms:Decrypt", self._key(f"{parameters['Bucket']}/{parameters['Key']}"), VIA_S3
        if task["resource"] != "copyObject":
            yield from task_calls(self.stack, f"{task['resourceType']}:{task['resource']}", parameters)
            return
        target = f"{parameters['Bucket']}/{parameters['Key']}"
        for action, path, use in (
            ("s3:GetObject", parameters["CopySource"], "kms:Decrypt"),
            ("s3:PutObject", target, "kms:GenerateDataKey"),
        ):
            yield action, f"arn:aws:s3:::{path}", {}
            yield use, self._key(path), VIA_S3

    def by_jobs(self) -> Iterator[Request]:
        """The reads and writes of the jobs' roles, object by object."""
        models = {
            uri for record in map(self._read, self._executions) for uri in found(record, "ModelDataUrl")
        }
        for path in self._below(sorted(models)):
            yield by_role(self.stack, "TransformRole", "s3:GetObject", f"arn:aws:s3:::{path}")
        for request in map(self._read, self._jobs):
            role = self._role(request)
            written = request.pop("ProcessingOutputConfig", {})
            outputs = [*found(written, "S3Uri"), *found(request, "S3OutputPath")]
            for path in self._below(found(request, "S3Uri")):
                yield by_role(self.stack, role, "s3:GetObject", f"arn:aws:s3:::{path}")
                yield by_role(self.stack, role, "kms:Decrypt", self._key(path), **VIA_S3)
            for path in self._below(outputs):
                if role == "FeaturizeRole" and path.endswith(PREPARES):
                    continue
                yield by_role(self.stack, role, "s3:PutObject", f"arn:aws:s3:::{path}")
                yield by_role(self.stack, role, "kms:GenerateDataKey", self._key(path), **VIA_S3)

    def by_warehouse(self) -> Iterator[Request]:
        """What the warehouse wrote: all that has landed in a demo."""
        for path in (path for path in self.objects if path.startswith("labelmill-landing-")):
            yield by_role(self.stack, "WarehouseRole", "s3:PutObject", f"arn:aws:s3:::{path}")
            yield by_role(self.stack, "WarehouseRole", "kms:GenerateDataKey", self._key(path), **VIA_S3)

    def _role(self, request: dict) -> str:
        names = {self.stack.arn(role): role for role in self.stack.roles()}
        given = {names[arn] for arn in found(request, "RoleArn")}
        [role] = given or {"TransformRole"}  # a transform job has its model's
        return role

    def _below(self, uris: list[str]) -> list[str]:
        """The objects at those addresses; a manifest is copied into place by the machine, not by the job."""
        prefixes = tuple(uri.removeprefix("s3://") for uri in uris)
        return [path for path in self.objects if path.startswith(prefixes)]

    def _key(self, path: str) -> str:
        name = next((key for part, key in KEYS.items() if path.startswith(f"labelmill-{part}-")), None)
        return self.stack.arn(name) if name else self.stack.values["CodeKeyArn"]


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(Path(FOLDER))


def distinct(requests: Iterator[Request]) -> list[Request]:
    return list(
        {(one.principal, one.action, one.resource, str(one.context)): one for one in requests}.values()
    )


@pytest.mark.parametrize("whose", ["by_machines", "by_jobs", "by_warehouse"])
def test_every_call_of_the_run_is_allowed(whose, run):
    made = distinct(getattr(run, whose)())
    assert made
    refused = [
        (call.principal, call.action, call.resource)
        for call, verdict in zip(made, judge(run.stack, made), strict=True)
        if verdict != "Allowed"
    ]
    assert refused == []


def test_the_same_reads_by_a_role_of_another_job_are_refused(run):
    reads = [
        call
        for call in distinct(run.by_jobs())
        if "prepare" in call.principal and "-landing-" in call.resource
    ]
    assert reads
    others = [by_role(run.stack, "TuneRole", call.action, call.resource) for call in reads]
    assert set(judge(run.stack, others)) == {"ImplicitlyDenied"}
