"""Requests of the SageMaker API, as short as the tests of the worker need them."""

ROLE = "arn:aws:iam::123456789012:role/PrepareRole"
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/labelmill-jobs:1"
# Far above what any job of the tests takes; only a defect reaches it.
PATIENCE_SECONDS = 90


def processing_request(name: str, code: str, module: str, *arguments: str, **members) -> dict:
    """A CreateProcessingJob request that runs `steps.<module>` of a bundle."""
    source = {"S3Uri": code, "LocalPath": "/opt/ml/processing/input/code", "S3DataType": "S3Prefix"}
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "ProcessingInputs": [{"InputName": "code", "S3Input": {**source, "S3InputMode": "File"}}],
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "-m", f"steps.{module}"],
            **({"ContainerArguments": list(arguments)} if arguments else {}),
        },
        "Environment": {"PYTHONPATH": "/opt/ml/processing/input/code"},
        **members,
    }


def training_definition(code: str, module: str, metrics: dict[str, str] | None = None, **members) -> dict:
    """What training jobs and tuning jobs' definitions have in common."""
    channel = {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": code}},
        "ChannelName": "code",
    }
    definitions = [{"Name": name, "Regex": regex} for name, regex in (metrics or {}).items()]
    return {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            **({"MetricDefinitions": definitions} if definitions else {}),
        },
        "RoleArn": ROLE,
        "InputDataConfig": [channel],
        "OutputDataConfig": {"S3OutputPath": "s3://work-bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **members,
    }


def script(module: str) -> dict[str, str]:
    """The hyperparameters that choose the script."""
    return {"sagemaker_program": f"steps.{module}", "sagemaker_submit_directory": "/opt/ml/input/data/code"}


def tuning_request(
    name: str, definition: dict, ranges: dict, total: int, parallel: int = 1, **config
) -> dict:
    """A CreateHyperParameterTuningJob request that maximizes the metric `score`."""
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": total, "MaxParallelTrainingJobs": parallel},
            "ParameterRanges": ranges,
            **config,
        },
        "TrainingJobDefinition": definition,
    }
