"""Rows that look at the request alone."""

import math
import re

from infra.local.refusals.row import Account, Request, refusal

TRAINING, TUNING = "CreateTrainingJob", "CreateHyperParameterTuningJob"
PROCESSING, TRANSFORM, MODEL = "CreateProcessingJob", "CreateTransformJob", "CreateModel"

#: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY`, then a tag or a digest, or neither.
IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?P<version>:[\w][\w.-]*|@sha256:[0-9a-f]{64})?"
)
#: "Tune an XGBoost Model" (SageMaker developer guide): what the built-in algorithm lets one tune.
TUNABLE = {"alpha", "colsample_bylevel", "colsample_bynode", "colsample_bytree", "eta", "gamma", "lambda"}
TUNABLE |= {"max_delta_step", "max_depth", "min_child_weight", "num_round", "subsample"}
LONGEST_WAIT_SECONDS = 3600
MOST_TUNABLES = 30
MOST_MEGABYTES = 100
MOST_TRANSFORM_INSTANCES = 100
#: Where a request has the first member: of the members at this place one must be given, or none at most.
EXCLUSIVE = (
    ("TrainingJobName", "AlgorithmSpecification", ("AlgorithmName", "TrainingImage"), 1),
    ("TrainingJobName", "ResourceConfig", ("InstanceType", "InstanceGroups", "InstancePreferences"), 0),
    ("HyperParameterTuningJobName", "", ("TrainingJobDefinition", "TrainingJobDefinitions"), 1),
    (
        "HyperParameterTuningJobName",
        "TrainingJobDefinition.AlgorithmSpecification",
        ("AlgorithmName", "TrainingImage"),
        1,
    ),
    ("ProcessingJobName", "ProcessingResources.ClusterConfig", ("InstanceType", "InstancePreferences"), 0),
    ("ModelName", "", ("PrimaryContainer", "Containers"), 1),
)


def definitions(request: Request) -> list[Request]:
    """The training jobs that a request is about: itself, or those it would search with."""
    if "HyperParameterTuningJobName" not in request:
        return [request]
    several = request.get("TrainingJobDefinitions") or []
    return [*([request["TrainingJobDefinition"]] if "TrainingJobDefinition" in request else []), *several]


def images(request: Request) -> list[str]:
    """The addresses of all images in a request."""
    containers = [request.get("PrimaryContainer") or {}, *(request.get("Containers") or [])]
    found = [container.get("Image") for container in containers]
    found.append(request.get("AppSpecification", {}).get("ImageUri"))
    found += [one.get("AlgorithmSpecification", {}).get("TrainingImage") for one in definitions(request)]
    return [image for image in found if image]


def ranges_of(request: Request) -> list[Request]:
    """ParameterRanges of a tuning job, one for each definition that has some."""
    own = [one["HyperParameterRanges"] for one in definitions(request) if one.get("HyperParameterRanges")]
    shared = request["HyperParameterTuningJobConfig"].get("ParameterRanges")
    return own or ([shared] if shared else [])


def tunables(ranges: Request) -> list[str]:
    """The names of the hyperparameters of some ranges."""
    return [item["Name"] for kind in ranges if kind != "AutoParameters" for item in ranges[kind]]


def _of_aws(definition: Request) -> bool:
    """Whether the image is AWS's own: its repository, wherever it is, makes it a built-in algorithm."""
    found = IMAGE.fullmatch(definition.get("AlgorithmSpecification", {}).get("TrainingImage", ""))
    return found is not None and found["repository"] == "sagemaker-xgboost"


@refusal(
    TRAINING,
    TUNING,
    PROCESSING,
    MODEL,
    source="botocore 1.44.5: AlgorithmSpecification, ResourceConfig, CreateHyperParameterTuningJob, "
    "CreateModel",
    seen="2026-11",
)
def two_that_exclude_each_other(request: Request, account: Account) -> str | None:
    """Two members are given that exclude each other, or neither of two that are needed."""
    for about, path, members, least in EXCLUSIVE:
        place = request if about in request else None
        for name in path.split(".") if path else ():
            place = place.get(name) if place else None
        given = [name for name in members if place and place.get(name)]
        if len(given) > 1:
            return f"{' and '.join(given)} exclude each other."
        if place and len(given) < least:
            return f"One of {' and '.join(members)} must be given."
    return None


@refusal(TRAINING, source="botocore 1.44.5: ResourceConfig (an instance count of at least 1)", seen="2026-11")
def instances_not_given(request: Request, account: Account) -> str | None:
    """A training job names no instances: neither a type with a count of 1 or more, nor groups."""
    config = request.get("ResourceConfig")
    if not config or config.get("InstanceGroups") or config.get("InstancePreferences"):
        return None
    if config.get("InstanceType") and config.get("InstanceCount", 0) > 0:
        return None
    return "ResourceConfig must give InstanceType and an InstanceCount of 1 or more, or InstanceGroups."


@refusal(
    TRAINING,
    TUNING,
    PROCESSING,
    MODEL,
    source="aws/sagemaker-python-sdk issue 2063; boto/boto3 issue 2906; "
    "aws/amazon-sagemaker-examples issue 195",
    seen="2018-02 to 2021-06",
)
def no_image_of_a_registry(request: Request, account: Account) -> str | None:
    """An image's address is none of ECR in the job's Region; a model's image needs a tag or a digest."""
    for image in images(request):
        found = IMAGE.fullmatch(image)
        if not found:
            return f"The image {image} is not valid: give the path of an image in Amazon ECR."
        if found["region"] != account.region:
            return f"The image {image} is in another Region than {account.region}."
        if "ModelName" in request and not found["version"]:
            return f"The ECR image {image} is not valid: it has neither tag nor digest."
    return None


@refusal(
    TRAINING, TUNING, source="aws/sagemaker-xgboost-container issues 121 and 113", seen="2020-07 to 2021-03"
)
def own_metrics_on_aws_image(request: Request, account: Account) -> str | None:
    """Own metric definitions with an image in AWS's repository `sagemaker-xgboost`, a built-in algorithm."""
    for definition in definitions(request):
        if _of_aws(definition) and definition["AlgorithmSpecification"].get("MetricDefinitions"):
            return (
                "The metric definitions of Amazon SageMaker's own algorithms can't be overridden: ask again "
                "without metric definitions."
            )
    return None


@refusal(TUNING, source="aws/sagemaker-python-sdk issue 2226", seen="2021-03")
def own_tunables_on_aws_image(request: Request, account: Account) -> str | None:
    """Tuning hyperparameters of one's own with an image in AWS's repository `sagemaker-xgboost`."""
    if not any(map(_of_aws, definitions(request))):
        return None
    own = sorted({name for ranges in ranges_of(request) for name in tunables(ranges)} - TUNABLE)
    if not own:
        return None
    return f"The hyperparameters {own} can't be tuned; of this algorithm one can tune only {sorted(TUNABLE)}."


@refusal(TRAINING, TUNING, source="Kenza-AI/sagify issue 111", seen="2020-02")
def wait_without_spot(request: Request, account: Account) -> str | None:
    """MaxWaitTimeInSeconds is given, but Spot is not asked for."""
    for definition in definitions(request):
        waits = "MaxWaitTimeInSeconds" in definition.get("StoppingCondition", {})
        if waits and not definition.get("EnableManagedSpotTraining"):
            return "MaxWaitTimeInSeconds is not valid: EnableManagedSpotTraining must be true with it."
    return None


@refusal(
    TRAINING,
    TUNING,
    source="botocore 1.44.5: StoppingCondition; developer guide: Managed Spot Training",
    seen="2026-11",
)
def wait_shorter_than_run(request: Request, account: Account) -> str | None:
    """Spot is asked for without MaxWaitTimeInSeconds, or with less of it than MaxRuntimeInSeconds."""
    for definition in definitions(request):
        if not definition.get("EnableManagedSpotTraining"):
            continue
        condition = definition.get("StoppingCondition", {})
        wait, run = condition.get("MaxWaitTimeInSeconds"), condition.get("MaxRuntimeInSeconds", 86_400)
        if wait is None or wait < run:
            return (
                f"MaxWaitTimeInSeconds ({wait}) must be given with Spot, and not be less than "
                f"MaxRuntimeInSeconds ({run})."
            )
    return None


@refusal(
    TRAINING,
    TUNING,
    source="developer guide: Use Checkpoints in Amazon SageMaker AI, Managed Spot Training",
    seen="2026-11",
)
def long_wait_on_aws_image(request: Request, account: Account) -> str | None:
    """Spot for more than an hour in all with AWS's own image and no checkpoints."""
    for definition in definitions(request):
        wait = definition.get("StoppingCondition", {}).get("MaxWaitTimeInSeconds", 0)
        if _of_aws(definition) and not definition.get("CheckpointConfig") and wait > LONGEST_WAIT_SECONDS:
            return (
                f"MaxWaitTimeInSeconds of a built-in algorithm that keeps no checkpoints is at most "
                f"{LONGEST_WAIT_SECONDS}, not {wait}."
            )
    return None


@refusal(TUNING, source="aws/amazon-sagemaker-operator-for-k8s issue 123", seen="2020-07")
def too_few_combinations(request: Request, account: Account) -> str | None:
    """The ranges have fewer combinations than the tuning job may launch training jobs."""
    config = request["HyperParameterTuningJobConfig"]
    most = config.get("ResourceLimits", {}).get("MaxNumberOfTrainingJobs")
    if not most or config["Strategy"] == "Grid" or request.get("Autotune"):
        return None
    for ranges in ranges_of(request):
        if ranges.get("ContinuousParameterRanges") or ranges.get("AutoParameters"):
            continue
        values = [len(item["Values"]) for item in ranges.get("CategoricalParameterRanges", [])]
        values += [
            int(item["MaxValue"]) - int(item["MinValue"]) + 1
            for item in ranges.get("IntegerParameterRanges", [])
        ]
        if values and math.prod(values) < most:
            found = math.prod(values)
            return f"The ranges have {found} combinations, fewer than MaxNumberOfTrainingJobs, {most}."
    return None


@refusal(
    TUNING,
    source="developer guide: Understand the hyperparameter tuning strategies (grid search)",
    seen="2026-11",
)
def grid_over_numbers(request: Request, account: Account) -> str | None:
    """Grid search over ranges that are not categorical."""
    if request["HyperParameterTuningJobConfig"]["Strategy"] != "Grid":
        return None
    for ranges in ranges_of(request):
        if any(ranges.get(f"{kind}ParameterRanges") for kind in ("Integer", "Continuous")):
            return "Grid search takes categorical ranges only."
    return None


@refusal(
    TUNING,
    source="botocore 1.44.5: HyperParameterTrainingJobDefinition, HyperParameterRanges",
    seen="2026-11",
)
def too_many_tunables(request: Request, account: Account) -> str | None:
    """More hyperparameters of all kinds together than one tuning job may search."""
    for ranges in ranges_of(request):
        if len(tunables(ranges)) > MOST_TUNABLES:
            return f"{len(tunables(ranges))} hyperparameters are more than {MOST_TUNABLES}."
    return None


@refusal(TRANSFORM, source="botocore 1.44.5: CreateTransformJob, MaxPayloadInMB", seen="2026-11")
def too_much_at_once(request: Request, account: Account) -> str | None:
    """A payload of more than 100 MB, or of more in all that are under way at once."""
    payload = request.get("MaxPayloadInMB", 6)
    at_once = request.get("MaxConcurrentTransforms", 0)
    if payload * max(at_once, 1) <= MOST_MEGABYTES:
        return None
    return (
        f"MaxPayloadInMB ({payload}) times MaxConcurrentTransforms ({at_once}) is more than {MOST_MEGABYTES}."
    )


@refusal(TRANSFORM, source="botocore 1.44.5: TransformResources", seen="2026-11")
def too_many_transform_instances(request: Request, account: Account) -> str | None:
    """More instances than a transform job may have."""
    count = request["TransformResources"].get("InstanceCount", 1)
    if count <= MOST_TRANSFORM_INSTANCES:
        return None
    return f"InstanceCount ({count}) is more than {MOST_TRANSFORM_INSTANCES}."


@refusal(TRANSFORM, source="botocore 1.44.5: CreateTransformJob, BatchStrategy", seen="2026-11")
def batches_without_split(request: Request, account: Account) -> str | None:
    """A BatchStrategy for input that is not split into records."""
    if not request.get("BatchStrategy") or request["TransformInput"].get("SplitType", "None") != "None":
        return None
    return "BatchStrategy needs a SplitType of Line, RecordIO or TFRecord."
