"""A stack in this process with two months of a group: trained, compared, labelled; and its exports."""

import hashlib
import json

import boto3
import pytest

from pipelines.cli import main
from tests import stack_with_ledger
from tests.complaints import complaints
from tests.pipelines.report import evidences

GROUP = "DE-weee"
OLD, NEW = (model.format(group=GROUP) for model in (evidences.WINNER, evidences.CHALLENGER))
SERVED = {"SAGEMAKER_PROGRAM": "inference.serve"}
DATA = {"dataset": "s3://landing/d1/", "rows": 9, "train": 5, "validation": 2, "test": 2, "rejected": 0}
LABELLED = {"2026-09": (OLD, 90), "2026-10": (NEW, 95)}


class TwoMonths:
    """What the workflows leave behind; `decide` makes a model the winner by hand."""

    def __init__(self, alone: dict, evidence: dict):
        names = stack_with_ledger.create()
        self.bucket, self.table = names["WorkBucket"], names["LedgerTable"]
        self._s3, self._dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        self.sagemaker = boto3.client("sagemaker")
        self.evidence = {"2026-09": _of_september(alone), "2026-10": evidence}
        self.record("GROUP", codebook_version="2026-10")
        self._write("codebooks/DE-weee/2026-10.json", evidences.CODEBOOK)
        for period, model in (("2026-09", OLD), ("2026-10", NEW)):
            self.trained(model, period)
            self._labelled(period, *LABELLED[period])
        for period, verdict, replaces in (("2026-09", "FIRST", ""), ("2026-10", "PROMOTE", OLD)):
            self._compared(period, verdict, replaces)

    def record(self, entry: str, **attributes: str | float) -> None:
        item = {"group": GROUP, "entry": entry, **attributes}
        typed = {
            name: {"N": str(value)} if isinstance(value, float) else {"S": value}
            for name, value in item.items()
        }
        self._dynamodb.put_item(TableName=self.table, Item=typed)

    def decide(self, time: str, verdict: str, model: str, replaces: str, run: str, **more: str) -> None:
        decided_by = "A. Muster" if verdict == "ROLLBACK" else "comparison"
        said = {"verdict": verdict, "reason": "It is.", "decided_by": decided_by} | more
        self.record(f"DECISION#{time}#{run}", model=model, replaces=replaces, **said)
        if verdict in ("FIRST", "PROMOTE", "ROLLBACK"):
            self.record("WINNER", model=model, since=time)

    def _write(self, key: str, content: dict) -> str:
        body = json.dumps(content).encode()
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return hashlib.sha256(body).hexdigest()

    def trained(self, model: str, period: str) -> None:
        run = f"{GROUP}-training-{period}-abcdefabcdef"
        artefact = f"s3://{self.bucket}/models/{GROUP}/{model}/model.tar.gz"
        common = {"run": run, "period": period, "test_set": run, "codebook_version": "2026-10"}
        digests = {"data_digest": "d1" * 32, "code_digest": "48e6c7247e09e98b", "artefact": artefact}
        trained_at = f"{period}-02T03:04:05.678Z"
        self.record(f"MODEL#{model}", objective=0.93, trained_at=trained_at, **digests, **common)
        predictions = f"s3://{self.bucket}/predictions/{GROUP}/{run}/{model}/"
        self.record(f"PREDICTIONS#{run}#{model}", predictions=predictions)
        self._write(f"runs/{GROUP}/{run}/report/report.json", DATA)
        role = "arn:aws:iam::123456789012:role/train"
        self.sagemaker.create_training_job(
            TrainingJobName=model,
            RoleArn=role,
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            HyperParameters={"C": "1.5", "sagemaker_program": "training.train"},
            OutputDataConfig={"S3OutputPath": f"s3://{self.bucket}/"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
        )
        container = {"Image": "image@sha256:1", "ModelDataUrl": artefact, "Environment": SERVED}
        self.sagemaker.create_model(ModelName=model, PrimaryContainer=container, ExecutionRoleArn=role)

    def _labelled(self, period: str, model: str, labelled: int) -> None:
        run = f"{GROUP}-inference-{period}-0f3a9c21d4e5"
        counts = {"rows": 100, "labelled": labelled, "review": 99 - labelled, "none": 0, "rejected": 1}
        digest = self._write(f"labels/{GROUP}/{period}/{run}/manifest.json", {"run": run, **counts})
        labels = {"labels": f"s3://{self.bucket}/labels/{GROUP}/{period}/{run}/", "run": run, "model": model}
        self.record(f"MONTH#{period}", digest=digest, **labels)
        self.record(
            f"LABELS#{period}#{run}", digest=digest, recorded_at=f"{period}-03T04:05:06.789Z", **labels
        )

    def _compared(self, period: str, verdict: str, replaces: str) -> None:
        evidence = self.evidence[period]
        run, model = evidence["run"], evidence["challenger"]["model"]
        digest = self._write(f"runs/{GROUP}/{run}/evidence/comparison.json", evidence)
        where = f"s3://{self.bucket}/runs/{GROUP}/{run}/evidence/comparison.json"
        if replaces:
            test_set = f"{GROUP}-training-{period}-abcdefabcdef"
            self.record(f"PREDICTIONS#{test_set}#{replaces}", predictions=f"s3://{self.bucket}/predictions/")
        about = {"evidence": where, "evidence_digest": digest}
        self.decide(f"{period}-02T09:00:00.000Z", verdict, model, replaces, run, **about)


def _of_september(evidence: dict) -> dict:
    """The same evidence as if it were of the month before, and of the model that won then."""
    run = evidence["run"].replace("2026-10", "2026-09")
    return evidence | {"period": "2026-09", "run": run, "challenger": evidence["challenger"] | {"model": OLD}}


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """Evidence on a model alone, and on one beside a winner."""
    return [
        evidences.evidence(tmp_path_factory.mktemp("job"), rows=300, wrong=wrong)
        for wrong in ((0.12, None), (0.03, 0.12))
    ]


@pytest.fixture
def two_months(emulated_aws, compared):
    return TwoMonths(*compared)


@pytest.fixture
def export(capsys):
    """`labelmill report` with these words: exit code, output and errors."""

    def run(*words: str):
        code = main(["report", *words])
        out, err = capsys.readouterr()
        return code, out, complaints(err)

    return run
