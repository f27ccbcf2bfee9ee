"""Each row of the table of what SageMaker refuses, by a request that only it refuses."""

import pytest

from infra.local import refusals
from infra.local.jobs import ServiceError
from infra.local.refusals import Role
from tests.infra.local import refusals_page
from tests.infra.local.control_plane import (
    ACCOUNT,
    AWS_IMAGE,
    IMAGE,
    REQUESTS,
    ROLE,
    FakeSurroundings,
    allow,
    control_plane,
    request,
    trust,
)

TRAINING, TUNING = "CreateTrainingJob", "CreateHyperParameterTuningJob"
PROCESSING, TRANSFORM, MODEL = "CreateProcessingJob", "CreateTransformJob", "CreateModel"
DEFINITION, CONFIG = "TrainingJobDefinition", "HyperParameterTuningJobConfig"
CONTINUOUS = {"Name": "C", "MinValue": "0.05", "MaxValue": "4"}


class Case:
    """What is refused, and what must be there before.

    `before` are requests that are taken first; `changes` are reports of a worker.
    """

    def __init__(self, operation, asked, says, before=(), changes=(), surroundings=None, quota=20):
        self.operation, self.asked, self.says = operation, asked, says
        self.before, self.changes = before, changes
        self.surroundings = surroundings or FakeSurroundings()
        self.quota = quota


def with_role(*policies, service="sagemaker.amazonaws.com"):
    surroundings = FakeSurroundings()
    surroundings.roles[ROLE] = Role(trust(service), policies)
    return surroundings


def without_objects():
    surroundings = FakeSurroundings()
    surroundings.objects.clear()
    return surroundings


def warm(**members):
    parents = [{"HyperParameterTuningJobName": "tune"}]
    start = {"WarmStartType": "TransferLearning", "ParentHyperParameterTuningJobs": parents}
    return request(TUNING, HyperParameterTuningJobName="warm", WarmStartConfig=start, **members)


PARENT = {"before": [(TUNING, request(TUNING))]}
ENDED_PARENT = {**PARENT, "changes": [("tuning", "tune", {"HyperParameterTuningJobStatus": "Completed"})]}
READS = allow(["ecr:*", "s3:GetObject"])
CASES = {
    "two_that_exclude_each_other": [
        Case(TRAINING, request(TRAINING, AlgorithmSpecification__AlgorithmName="mine"), "exclude each other"),
        Case(TRAINING, request(TRAINING, AlgorithmSpecification__TrainingImage=None), "One of AlgorithmName"),
        Case(TUNING, request(TUNING, TrainingJobDefinition=None), "One of TrainingJobDefinition"),
        Case(MODEL, request(MODEL, PrimaryContainer=None), "One of PrimaryContainer"),
    ],
    "instances_not_given": [
        Case(TRAINING, request(TRAINING, ResourceConfig__InstanceCount=0), "InstanceCount of 1"),
        Case(TRAINING, request(TRAINING, ResourceConfig__InstanceType=None), "InstanceType"),
    ],
    "no_image_of_a_registry": [
        Case(TRAINING, request(TRAINING, AlgorithmSpecification__TrainingImage="xgboost:1"), "not valid"),
        Case(PROCESSING, request(PROCESSING, AppSpecification__ImageUri="docker.io/python:3"), "not valid"),
        Case(
            PROCESSING,
            request(PROCESSING, AppSpecification__ImageUri=IMAGE.replace("eu-central-1", "us-east-1")),
            "another Region",
        ),
        Case(
            MODEL, request(MODEL, PrimaryContainer__Image=IMAGE.partition("@")[0]), "neither tag nor digest"
        ),
    ],
    "own_metrics_on_aws_image": [
        Case(TRAINING, request(TRAINING, AlgorithmSpecification__TrainingImage=AWS_IMAGE), "without metric"),
        Case(
            TUNING,
            request(TUNING, TrainingJobDefinition__AlgorithmSpecification__TrainingImage=AWS_IMAGE),
            "without metric",
        ),
    ],
    "own_tunables_on_aws_image": [
        Case(
            TUNING,
            request(
                TUNING,
                TrainingJobDefinition__AlgorithmSpecification__TrainingImage=AWS_IMAGE,
                TrainingJobDefinition__AlgorithmSpecification__MetricDefinitions=None,
            ),
            r"\['C', 'family'\] can't be tuned",
        )
    ],
    "wait_without_spot": [
        Case(TRAINING, request(TRAINING, EnableManagedSpotTraining=False), "EnableManagedSpotTraining"),
        Case(TUNING, request(TUNING, TrainingJobDefinition__EnableManagedSpotTraining=None), "must be true"),
    ],
    "wait_shorter_than_run": [
        Case(TRAINING, request(TRAINING, StoppingCondition__MaxWaitTimeInSeconds=599), r"\(599\)"),
        Case(TRAINING, request(TRAINING, StoppingCondition__MaxWaitTimeInSeconds=None), r"\(None\)"),
        Case(
            TUNING,
            request(TUNING, TrainingJobDefinition__StoppingCondition__MaxRuntimeInSeconds=1201),
            r"\(1201\)",
        ),
    ],
    "long_wait_on_aws_image": [
        Case(
            TRAINING,
            request(
                TRAINING,
                AlgorithmSpecification={"TrainingImage": AWS_IMAGE, "TrainingInputMode": "File"},
                StoppingCondition__MaxWaitTimeInSeconds=3601,
            ),
            "at most 3600",
        )
    ],
    "too_few_combinations": [
        Case(
            TUNING,
            request(
                TUNING,
                HyperParameterTuningJobConfig__ParameterRanges={
                    "IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "3"}],
                    "CategoricalParameterRanges": [{"Name": "k", "Values": ["a", "b"]}],
                },
            ),
            "have 6 combinations",
        )
    ],
    "grid_over_numbers": [
        Case(
            TUNING, request(TUNING, HyperParameterTuningJobConfig__Strategy="Grid"), "categorical ranges only"
        )
    ],
    "too_many_tunables": [
        Case(
            TUNING,
            request(
                TUNING,
                HyperParameterTuningJobConfig__ParameterRanges={
                    "ContinuousParameterRanges": [{**CONTINUOUS, "Name": f"a{n}"} for n in range(16)],
                    "IntegerParameterRanges": [{**CONTINUOUS, "Name": f"b{n}"} for n in range(15)],
                },
            ),
            "31 hyperparameters",
        )
    ],
    "too_much_at_once": [
        Case(TRANSFORM, request(TRANSFORM, MaxPayloadInMB=26), "is more than 100", [(MODEL, request(MODEL))])
    ],
    "too_many_transform_instances": [
        Case(TRANSFORM, request(TRANSFORM, TransformResources__InstanceCount=101), "more than 100")
    ],
    "batches_without_split": [
        Case(TRANSFORM, request(TRANSFORM, TransformInput__SplitType=None), "needs a SplitType")
    ],
    "role_that_can_not_be_assumed": [
        Case(TRAINING, request(TRAINING, RoleArn=f"{ROLE}-gone"), "job-gone can't be assumed"),
        Case(
            PROCESSING,
            request(PROCESSING),
            "let sagemaker.amazonaws.com assume it",
            surroundings=with_role(allow("*"), service="lambda.amazonaws.com"),
        ),
        Case(TUNING, request(TUNING, TrainingJobDefinition__RoleArn=f"{ROLE}-gone"), "can't be assumed"),
        Case(MODEL, request(MODEL, ExecutionRoleArn=f"{ROLE}-gone"), "can't be assumed"),
    ],
    "image_that_can_not_be_pulled": [
        Case(
            operation,
            request(operation),
            "Access denied to the repository labelmill-jobs",
            surroundings=with_role(
                allow("s3:*"), allow("ecr:*", f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/another")
            ),
        )
        for operation in (TRAINING, PROCESSING, MODEL)
    ],
    "no_input": [
        Case(TRAINING, request(TRAINING), "No S3 objects", surroundings=without_objects()),
        Case(TRAINING, request(TRAINING), "needs s3:ListBucket", surroundings=with_role(READS)),
        Case(
            TRAINING,
            request(TRAINING),
            "needs s3:ListBucket",
            surroundings=with_role(
                READS, allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "elsewhere/*"}})
            ),
        ),
        Case(
            TRANSFORM,
            request(TRANSFORM, TransformInput__DataSource__S3DataSource__S3Uri="s3://work-bucket/nothing/"),
            "No S3 objects",
            [(MODEL, request(MODEL))],
        ),
    ],
    "no_model_data": [
        Case(MODEL, request(MODEL), "Could not find model data at s3", surroundings=without_objects())
    ],
    "name_taken": [
        Case(TRAINING, request(TRAINING), "training-job/train exists", [(TRAINING, request(TRAINING))]),
        Case(
            PROCESSING,
            request(PROCESSING),
            "processing-job/prepare exists",
            [(PROCESSING, request(PROCESSING))],
            [("processing", "prepare", {"ProcessingJobStatus": "Completed"})],
        ),
    ],
    "tuning_name_taken": [
        Case(TUNING, request(TUNING, HyperParameterTuningJobName="TUNE"), "exists already", **PARENT)
    ],
    "model_name_taken": [
        Case(MODEL, request(MODEL), 'model/model" exists already', [(MODEL, request(MODEL))])
    ],
    "unknown_model": [Case(TRANSFORM, request(TRANSFORM), "Could not find the model")],
    "parent_gone": [Case(TUNING, warm(), "tune could not be found")],
    "parent_unfinished": [Case(TUNING, warm(), "is InProgress, not ended", **PARENT)],
    "parent_with_other_hyperparameters": [
        Case(
            TUNING,
            warm(TrainingJobDefinition__StaticHyperParameters__fold="2"),
            "names of the static and tunable",
            **ENDED_PARENT,
        ),
        Case(
            TUNING,
            warm(
                HyperParameterTuningJobConfig__ParameterRanges__ContinuousParameterRanges=[
                    {**CONTINUOUS, "Name": "D"}
                ]
            ),
            "not the same as in the parent",
            **ENDED_PARENT,
        ),
    ],
    "parent_with_other_objective": [
        Case(
            TUNING,
            warm(HyperParameterTuningJobConfig__HyperParameterTuningJobObjective__Type="Minimize"),
            "objective metric is not that of the parent",
            **ENDED_PARENT,
        )
    ],
    "parent_with_another_definition": [
        Case(
            TUNING, warm(TrainingJobDefinition__Environment={"A": "b"}), r"\['Environment'\]", **ENDED_PARENT
        )
    ],
    "quota_full": [
        Case(
            TRAINING,
            request(TRAINING),
            "'ml.m5.large for spot training job usage' is 2 instances, 2 are in use and 1 more",
            quota=2,
            **PARENT,
        ),
        Case(
            PROCESSING,
            request(PROCESSING, ProcessingResources__ClusterConfig__InstanceCount=3),
            "is 2",
            quota=2,
        ),
    ],
    "delete_while_running": [
        Case(
            "DeleteTrainingJob",
            {"TrainingJobName": "train"},
            "only one that has ended",
            [(TRAINING, request(TRAINING))],
        )
    ],
    "stop_after_the_end": [
        Case(
            "StopHyperParameterTuningJob",
            {"HyperParameterTuningJobName": "tune"},
            "the job is Completed",
            **ENDED_PARENT,
        )
    ],
}


def jobs_of(case):
    jobs = control_plane(case.surroundings, case.quota)
    for operation, asked in case.before:
        jobs.answer(operation, asked)
    for change in case.changes:
        jobs.on_change(*change)
    return jobs


@pytest.mark.parametrize(
    ("row", "case"),
    [(row, case) for row in refusals.TABLE for case in CASES.get(row.name, [None])],
    ids=lambda part: getattr(part, "name", "") or getattr(part, "operation", ""),
)
def test_every_row_refuses_what_it_is_for_with_the_services_error(row, case):
    assert case, f"{row.name} has no case here"
    with pytest.raises(ServiceError, match=case.says) as refused:
        jobs_of(case).answer(case.operation, case.asked)
    assert refused.value.code == row.code
    assert case.operation in row.operations


def test_what_no_row_refuses_is_taken():
    jobs = control_plane()
    for operation in REQUESTS:
        jobs.answer(operation, request(operation))
    jobs.on_change("tuning", "tune", {"HyperParameterTuningJobStatus": "Stopped"})
    jobs.answer(
        TUNING,
        warm(
            HyperParameterTuningJobConfig__ParameterRanges__ContinuousParameterRanges=[
                {**CONTINUOUS, "MaxValue": "9"}
            ],
            TrainingJobDefinition__RoleArn=ROLE,
        ),
    )
    assert len(jobs.records("tuning")) == 2


def test_a_role_is_asked_for_the_prefix_that_is_read():
    runs = allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": ["other/*", "runs/*"]}})
    jobs = control_plane(with_role(READS, runs))
    assert jobs.answer(TRAINING, request(TRAINING))["TrainingJobArn"]


def test_a_deny_outweighs_an_allow_and_one_under_a_condition_that_is_not_known_does_not():
    deny = {"Effect": "Deny", "Action": "S3:List*", "Resource": "arn:aws:s3:::work-*"}
    role = Role({}, (allow("*"), {"Statement": [deny]}))
    assert not role.allows("s3:ListBucket", "arn:aws:s3:::work-bucket")
    assert role.allows("s3:ListBucket", "arn:aws:s3:::another")
    maybe = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    assert Role({}, (allow("*"), {"Statement": [maybe]})).allows("s3:ListBucket", "arn:aws:s3:::work-bucket")


def test_an_ended_job_leaves_its_place_in_the_quota_and_can_be_deleted():
    jobs = control_plane(quota=1)
    jobs.answer(PROCESSING, request(PROCESSING))
    jobs.on_change("processing", "prepare", {"ProcessingJobStatus": "Failed", "FailureReason": "x"})
    jobs.answer(PROCESSING, request(PROCESSING, ProcessingJobName="again"))
    jobs.answer("DeleteProcessingJob", {"ProcessingJobName": "prepare"})
    assert [job["ProcessingJobName"] for job in jobs.records("processing")] == ["again"]


def test_every_row_says_where_it_comes_from():
    assert len({row.name for row in refusals.TABLE}) == len(refusals.TABLE)
    for row in refusals.TABLE:
        assert row.source and row.seen.startswith("20"), row.name


def test_the_page_is_what_the_table_says():
    page = refusals_page.PAGE.read_text(encoding="utf-8")
    assert refusals_page.with_table(page) == page, "run `make docs`"
