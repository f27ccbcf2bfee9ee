"""Plausible values for everything a definition leaves open; names are as long as the contracts allow."""

import base64
import hashlib
import json
from pathlib import Path

import pipelines

DEFINITIONS = Path(pipelines.__file__).parent / "definitions"
MACHINES = ("training", "inference", "comparison")

REGION = "eu-central-1"
ACCOUNT = "123456789012"
GROUP = "DE-abcdefghijkl"
PERIOD = "2026-10"
RUN = f"{GROUP}-training-{PERIOD}-0f3a9c21d4e5"
MODEL = f"{GROUP}-{PERIOD}-1a2b3c4d"
OLD_MODEL = f"{GROUP}-2026-09-99999999"
CODEBOOK_URI = f"s3://work-bucket/codebooks/{GROUP}/2026-10.json"
POLICY = '{"min_gain": 0.0}'
DELIVERED = "2026-11-01T02:00:00.123Z#096fKKXTRTtl3on89fVO.nfljtsv6qko"


def _key(number: int) -> str:
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-{number:012}"


SUBSTITUTIONS = {
    "Name": "labelmill-dev",
    "CodeUri": "s3://code/code/0123456789abcdef/jobs/",
    "CodeDigest": "0123456789abcdef",
    "WorkBucket": "work-bucket",
    "LabelledBucket": "labelled",
    "WorkKeyArn": _key(1),
    "LabelledKeyArn": _key(2),
    **{
        f"{state}RoleArn": f"arn:aws:iam::{ACCOUNT}:role/labelmill-{state}"
        for state in ("Prepare", "Featurize", "Tune", "Train", "Transform", "Publish", "Amend", "Compare")
    },
    "ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/labelmill-jobs@sha256:{'1a' * 32}",
    "ProcessingInstanceType": "ml.m5.xlarge",
    "TrainingInstanceType": "ml.m5.xlarge",
    "SecondTrainingInstanceType": "ml.c5.xlarge",
    "TransformInstanceType": "ml.m5.xlarge",
    "LedgerTable": "ledger",
    "FailureQueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/failures",
    **{
        f"{audience}TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:{audience}"
        for audience in ("Operators", "Mlops", "Stakeholders")
    },
}

INPUTS = {
    "training": {
        "run": RUN,
        "group": GROUP,
        "period": PERIOD,
        "purpose": "training",
        "dataset": f"s3://landing/training/{GROUP}/{PERIOD}/d1/",
        "delivered": DELIVERED,
    },
    "inference": {
        "run": f"{GROUP}-inference-{PERIOD}-0f3a9c21d4e5",
        "group": GROUP,
        "period": PERIOD,
        "purpose": "inference",
        "dataset": f"s3://landing/inference/{GROUP}/{PERIOD}/d1/",
        "delivered": DELIVERED,
    },
    "test": {
        "run": f"{GROUP}-test-{PERIOD}-0f3a9c21d4e5",
        "group": GROUP,
        "period": PERIOD,
        "purpose": "test",
        "dataset": f"s3://work-bucket/runs/{GROUP}/{RUN}/test/",
        "model": MODEL,
        "challenger": MODEL,
        "test_set": RUN,
    },
    "review": {
        "run": f"{GROUP}-review-{PERIOD}-0f3a9c21d4e5",
        "group": GROUP,
        "period": PERIOD,
        "purpose": "review",
        "sheet": f"{GROUP}-review-{PERIOD}-0f3a9c21d4e5",
    },
    "comparison": {
        "run": f"{GROUP}-comparison-{PERIOD}-0f3a9c21d4e5",
        "group": GROUP,
        "period": PERIOD,
        "test_set": RUN,
        "challenger": {
            "model": MODEL,
            "predictions": f"s3://work-bucket/predictions/{GROUP}/{RUN}/{MODEL}/r1/",
            "digest": "a1" * 32,
        },
        "winner": {
            "model": OLD_MODEL,
            "predictions": f"s3://work-bucket/predictions/{GROUP}/{RUN}/{OLD_MODEL}/r2/",
            "digest": "a2" * 32,
        },
        "undecided": "2026-08,2026-09",
    },
}

GROUP_ITEM = {
    "group": {"S": GROUP},
    "entry": {"S": "GROUP"},
    "codebook_uri": {"S": CODEBOOK_URI},
    "codebook_version": {"S": "2026-10"},
    "codebook_digest": {"S": "cb" * 32},
    "policy": {"S": POLICY},
    "families": {"S": '["linear", "boosted"]'},
    "hyperparameters": {"S": '{"precision": "0.97"}'},
    "search_limits": {"S": '{"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2}'},
    "share_by": {"S": "none"},
}

RETIRED_ITEM = GROUP_ITEM | {
    "retired_at": {"S": "2026-10-20T08:00:00.000Z"},
    "retired_by": {"S": "Anna"},
    "retired_reason": {"S": "left the country"},
}

#: What the last training of the group left in the ledger.
TRAINED_ITEM = {
    "group": {"S": GROUP},
    "entry": {"S": "TRAINED"},
    "run": {"S": f"{GROUP}-training-2026-09-9a8b7c6d5e4f"},
    "period": {"S": "2026-09"},
    "delivered": {"S": "2026-10-01T02:00:00.123Z#yHKQ1T8ZmAS4ahqMIXJFXgZuJx5_LpGk"},
    "model": {"S": OLD_MODEL},
    "tuning_job": {"S": f"{GROUP}-0123456789ab"},
    "rows_digest": {"S": "d1" * 32},
    "code_digest": {"S": SUBSTITUTIONS["CodeDigest"]},
    "image": {"S": SUBSTITUTIONS["ImageUri"]},
    "codebook_version": {"S": "2026-10"},
    "policy": {"S": POLICY},
}

#: What a training job leaves in these tests, and its SHA-256 as S3 writes it.
ARTEFACT = b"the artefact of a model"
ARTEFACT_DIGEST = base64.b64encode(hashlib.sha256(ARTEFACT).digest()).decode()

MODEL_ITEM = {
    "group": {"S": GROUP},
    "entry": {"S": f"MODEL#{MODEL}"},
    "run": {"S": RUN},
    "artefact_digest": {"S": ARTEFACT_DIGEST},
    "data_digest": {"S": "d" * 64},
    "code_digest": {"S": "c0de" * 4},
}
OLD_RUN = f"{GROUP}-training-2026-09-9a8b7c6d5e4f"
#: What an earlier run of the month has recorded.
MONTH_ITEM = {
    "group": {"S": GROUP},
    "entry": {"S": f"MONTH#{PERIOD}"},
    "labels": {"S": f"s3://labelled/labels/{GROUP}/{PERIOD}/before/"},
    "run": {"S": "before"},
    "digest": {"S": "b4" * 32},
    "model": {"S": OLD_MODEL},
    "dataset": {"S": f"s3://landing/inference/{GROUP}/{PERIOD}/d0/"},
    "table": {"S": f"labelled/labels/{GROUP}/{PERIOD}/before/labels.parquet"},
    "delivered": {"S": "2026-11-01T01:00:00.123Z#yHKQ1T8ZmAS4ahqMIXJFXgZuJx5_LpGk"},
}
WINNER = {
    "group": {"S": GROUP},
    "entry": {"S": "WINNER"},
    "model": {"S": OLD_MODEL},
    "since": {"S": "2026-10-01T04:00:00.000Z"},
}
OLD_MODEL_ITEM = MODEL_ITEM | {"entry": {"S": f"MODEL#{OLD_MODEL}"}, "run": {"S": OLD_RUN}}

#: What the jobs say (their `ExitMessage`), by script.
MESSAGES = {
    "processing.prepare": {
        **{"rows": 100, "rejected": 2, "train": 60, "validation": 18, "test": 20, "items": 98},
        "data_digest": "ab12cd34ef56",
        "rows_digest": "d2" * 32,
    },
    "training.featurize": {"rows": 78, "shared": 0, "groups": 0, "codes": 6, "left_out": 0},
    "processing.publish": {
        **{"rows": 100, "labelled": 89, "decided": 7, "review": 8, "none": 1, "rejected": 2},
        **{
            "alarms": 0,
            "attention": "Nothing.",
            "found": "nothing",
            "expected": "All right.",
            "manifest_digest": "3a" * 32,
        },
    },
    "processing.amend": {
        **{"rows": 100, "labelled": 94, "decided": 12, "review": 3, "none": 1, "rejected": 2},
        "audited": "97.3% (95.1% to 98.6%), 260 of 9,412 seen",
        **{
            "alarms": 0,
            "attention": "Nothing.",
            "found": "nothing",
            "expected": "All right.",
            "manifest_digest": "3a" * 32,
        },
    },
    "processing.compare": {
        **{"verdict": "PROMOTE", "reason": "Macro-F1 rose by 0.05.", "rows": 20},
        **{"score": 0.91, "winner_score": 0.86, "approval": False, "evidence_digest": "e" * 64},
        "summary": "challenger 0.91\nwinner 0.86\n20 test rows",
    },
}

#: What the search finds best.
TUNED = {"C": "0.7", "family": "linear", "first_word_weight": "0.6", "word_weight": "1.1"}

#: What the states have found out by the time they are all done: the data of a static look at the requests.
_FOUND = {
    "registered": {"Item": GROUP_ITEM},
    "prepared": {"message": MESSAGES["processing.prepare"]},
    "made": {
        "prepared": {"message": MESSAGES["processing.prepare"]},
        "predictions": {"uri": f"s3://work-bucket/runs/{GROUP}/{RUN}/predictions/"},
        **{name: MONTH_ITEM[name]["S"] for name in ("model", "dataset", "delivered")},
    },
    "claim": {
        "Item": {
            "run": {"S": RUN},
            "execution": {"S": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:t:{RUN}"},
        }
    },
    "last": {"Item": TRAINED_ITEM},
    "featurized": {"message": MESSAGES["training.featurize"]},
    "machines": {"trials": SUBSTITUTIONS["TrainingInstanceType"], "first": True},
    "notice": {"sentence": "Row 3 has no title: fill it in.", "log": ""},
    "failure": {"Error": "States.TaskFailed", "Cause": "{}"},
    "tuning": {
        "job": f"{GROUP}-ba9876543210",
        "objective": 0.8734,
        "tuned": TUNED,
        "fixed": {"sagemaker_program": "training.train"},
    },
    "trained": {"model": MODEL},
    "kept": {"digest": ARTEFACT_DIGEST},
    "artefact": {"ChecksumSHA256": ARTEFACT_DIGEST, "LastModified": "2026-10-03T08:00:00+00:00"},
    "target": {
        "bucket": "work-bucket",
        "key": _key(1),
        "folder": {"prefix": f"predictions/{GROUP}/{RUN}/{MODEL}/r1/"},
        "challenger": MODEL,
        "test_set": RUN,
        "delivered": DELIVERED,
        "earlier": MONTH_ITEM,
        "month": MONTH_ITEM,
        "compared": {
            "evidence": {"S": f"s3://work-bucket/runs/{GROUP}/{OLD_RUN}/evidence/comparison.json"},
            "evidence_digest": {"S": "e" * 64},
        },
        "shown": "",
    },
    "found": {"Item": MONTH_ITEM},
    "published": {"message": MESSAGES["processing.amend"]},
    "recorded": {"Item": MODEL_ITEM},
    "replaced": {"Item": OLD_MODEL_ITEM},
    "compared": {"message": MESSAGES["processing.compare"]},
    "decision": {"verdict": "PROMOTE", "reason": "Macro-F1 rose by 0.05.", "by": "comparison"},
}
DATA = {
    "training": INPUTS["training"] | _FOUND,
    "inference": INPUTS["review"] | INPUTS["test"] | _FOUND,
    "comparison": INPUTS["comparison"] | _FOUND,
}


def artefact_of(model: str) -> dict[str, str]:
    """Bucket and key of what is kept of a model."""
    return {"Bucket": "work-bucket", "Key": f"models/{GROUP}/{model}/model.tar.gz"}


def context(machine: str) -> dict:
    """The context object."""
    name = "e" * 80
    return {
        "Execution": {
            "Id": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}",
            "Name": name,
            "Input": INPUTS[machine],
        },
        "State": {"EnteredTime": "2026-10-03T08:00:00.000Z", "RetryCount": 0},
        "Task": {"Token": "t" * 700},
    }


def text_of(machine: str) -> str:
    return (DEFINITIONS / f"{machine}.asl.json").read_text()


def definition_of(machine: str) -> dict:
    """As committed, with nothing filled in."""
    return json.loads(text_of(machine))
