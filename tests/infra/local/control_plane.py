"""The control plane of jobs without a server: requests, what it asks of other services, a worker."""

import copy

from infra.local.jobs import Jobs
from infra.local.refusals import Role

REGION, ACCOUNT = "eu-central-1", "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/labelmill-jobs@sha256:{'0' * 64}"
AWS_IMAGE = f"492215442770.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/labelmill/job"
INPUT = "s3://work-bucket/runs/one/"


def allow(action, resource="*", **condition) -> dict:
    """A policy of one statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(service: str) -> dict:
    """A trust policy for a service."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return {"Version": "2012-10-17", "Statement": [statement]}


class FakeSurroundings:
    """S3 and IAM as dictionaries that a test may change."""

    def __init__(self):
        self.objects = {f"{INPUT}rows.parquet", f"{INPUT}model.tar.gz"}
        self.roles = {ROLE: Role(trust("sagemaker.amazonaws.com"), (allow("*"),))}

    def has_objects(self, uri: str) -> bool:
        return any(address.startswith(uri) for address in self.objects)

    def role(self, arn: str) -> Role | None:
        return self.roles.get(arn)


class FakeWorker:
    """Takes jobs and leaves them in progress; `jobs.on_change` says how they go on."""

    def submit(self, kind: str, request: dict) -> None:
        """Do nothing."""

    def cancel(self, kind: str, name: str) -> None:
        """Do nothing."""


def control_plane(surroundings: FakeSurroundings | None = None, quota: int = 20) -> Jobs:
    """Jobs that nobody works on."""
    jobs = Jobs(REGION, ACCOUNT, lambda *change: None, surroundings or FakeSurroundings(), quota)
    jobs.worker = FakeWorker()
    return jobs


_CHANNEL = {
    "ChannelName": "features",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": INPUT}},
}
_DEFINITION = {
    "AlgorithmSpecification": {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "macro_f1", "Regex": "macro_f1=([0-9.]+);"}],
    },
    "RoleArn": ROLE,
    "InputDataConfig": [_CHANNEL],
    "OutputDataConfig": {"S3OutputPath": "s3://work-bucket/models/"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200},
    "EnableManagedSpotTraining": True,
    "Environment": {"PIP_NO_INDEX": "1"},
    "RetryStrategy": {"MaximumRetryAttempts": 2},
}
#: By operation, a request that is taken; each uses every member that the state machines use.
REQUESTS = {
    "CreateTrainingJob": {
        "TrainingJobName": "train",
        "HyperParameters": {"sagemaker_program": "training.train"},
        "Tags": [{"Key": "project", "Value": "labelmill"}],
        **_DEFINITION,
    },
    "CreateHyperParameterTuningJob": {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "macro_f1"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "C", "MinValue": "0.05", "MaxValue": "4"}],
                "CategoricalParameterRanges": [{"Name": "family", "Values": ["linear"]}],
            },
            "RandomSeed": 1,
        },
        "TrainingJobDefinition": {
            **_DEFINITION,
            "StaticHyperParameters": {"sagemaker_program": "training.tune"},
        },
    },
    "CreateProcessingJob": {
        "ProcessingJobName": "prepare",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "-m", "processing.prepare"],
        },
        "ProcessingInputs": [
            {
                "InputName": "dataset",
                "S3Input": {
                    "S3Uri": INPUT,
                    "LocalPath": "/opt/ml/processing/input/dataset",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "items",
                    "S3Output": {
                        "S3Uri": INPUT,
                        "LocalPath": "/opt/ml/processing/output/items",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "Environment": {"PYTHONPATH": "/opt/ml/processing/input/code"},
        "NetworkConfig": {"EnableNetworkIsolation": True},
    },
    "CreateModel": {
        "ModelName": "model",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {
            "Image": IMAGE,
            "ModelDataUrl": f"{INPUT}model.tar.gz",
            "Environment": {"A": "b"},
        },
        "EnableNetworkIsolation": True,
    },
    "CreateTransformJob": {
        "TransformJobName": "transform",
        "ModelName": "model",
        "MaxConcurrentTransforms": 4,
        "MaxPayloadInMB": 6,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": INPUT}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": INPUT, "Accept": "application/jsonlines", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": {"JoinSource": "Input"},
    },
}


def request(operation: str, **members) -> dict:
    """A request that is taken, with other members; None takes one away, `__` leads inwards: `A__B=1`."""
    made = copy.deepcopy(REQUESTS[operation])
    for path, value in members.items():
        *outer, last = path.split("__")
        place = made
        for name in outer:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return made
