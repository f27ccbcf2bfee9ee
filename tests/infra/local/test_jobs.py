"""The control plane of SageMaker jobs, as any client sees it."""

import pytest
from botocore.exceptions import ClientError

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/labelmill-jobs:1"
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/train",
    "OutputDataConfig": {"S3OutputPath": "s3://work-bucket/runs/"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    "EnableNetworkIsolation": True,
    "Environment": {"PIP_NO_INDEX": "1"},
}


def test_a_job_is_described_with_all_that_was_asked_for(aws, client, name):
    sagemaker = client("sagemaker")
    arn = sagemaker.create_training_job(TrainingJobName=name, **TRAINING)["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:eu-central-1:123456789012:training-job/{name}"
    aws.wait_until_quiet(30)
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Completed"
    assert job["TrainingEndTime"] >= job["CreationTime"]
    assert {key: job[key] for key in TRAINING} == TRAINING


def test_a_running_job_can_be_listed_and_stopped(client, name):
    sagemaker = client("sagemaker")
    job = f"{name}-hangs"
    sagemaker.create_training_job(TrainingJobName=job, **TRAINING)
    listed = sagemaker.list_training_jobs(NameContains=name, StatusEquals="InProgress")[
        "TrainingJobSummaries"
    ]
    assert [summary["TrainingJobName"] for summary in listed] == [job]
    sagemaker.stop_training_job(TrainingJobName=job)
    assert sagemaker.describe_training_job(TrainingJobName=job)["TrainingJobStatus"] == "Stopped"
    assert (
        sagemaker.list_training_jobs(NameContains=name, StatusEquals="InProgress")["TrainingJobSummaries"]
        == []
    )
    with pytest.raises(ClientError, match="is Stopped"):
        sagemaker.stop_training_job(TrainingJobName=job)


def test_a_list_comes_in_pages_newest_first(client, name):
    sagemaker = client("sagemaker")
    names = [f"{name}-{number}" for number in range(5)]
    for job in names:
        sagemaker.create_training_job(TrainingJobName=job, **TRAINING)
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=name, PaginationConfig={"PageSize": 2}
    )
    listed = [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]
    assert listed == [[names[4], names[3]], [names[2], names[1]], [names[0]]]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"TrainingJobName": "x" * 64}, "at 'trainingJobName' failed .* less than or equal to 63"),
        ({"TrainingJobName": "under_score"}, "satisfy regular expression pattern"),
        ({"ResourceConfig": {**TRAINING["ResourceConfig"], "InstanceType": "ml.nothing"}}, "enum value set"),
        ({"HyperParameters": {"C": "1" * 3000}}, "at 'hyperParameters.C.member' failed"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused(client, name, changes, reason):
    with pytest.raises(ClientError, match=reason) as refused:
        client("sagemaker").create_training_job(**{"TrainingJobName": name, **TRAINING, **changes})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_model_needs_its_artefact_and_a_transform_needs_its_model(aws, client, name):
    sagemaker, s3 = client("sagemaker"), client("s3")
    model = {
        "ModelName": name,
        "ExecutionRoleArn": TRAINING["RoleArn"],
        "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": f"s3://{name}/model.tar.gz"},
        "EnableNetworkIsolation": True,
    }
    transform = {
        "TransformJobName": name,
        "ModelName": name,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{name}/items/"}}
        },
        "TransformOutput": {"S3OutputPath": f"s3://{name}/predictions/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    with pytest.raises(ClientError, match="Could not find model data"):
        sagemaker.create_model(**model)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=b"")
    s3.put_object(Bucket=name, Key="items/one.jsonl", Body=b"{}")
    with pytest.raises(ClientError, match="Could not find the model"):
        sagemaker.create_transform_job(**transform)
    sagemaker.create_model(**model)
    assert sagemaker.describe_model(ModelName=name)["EnableNetworkIsolation"] is True
    sagemaker.create_transform_job(**transform)
    aws.wait_until_quiet(30)
    assert sagemaker.describe_transform_job(TransformJobName=name)["TransformJobStatus"] == "Completed"
    sagemaker.delete_model(ModelName=name)
    with pytest.raises(ClientError, match="not found"):
        sagemaker.describe_model(ModelName=name)


def test_an_unknown_job_is_not_found(client):
    with pytest.raises(client("sagemaker").exceptions.ResourceNotFound):
        client("sagemaker").describe_processing_job(ProcessingJobName="nobody")
