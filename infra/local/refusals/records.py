"""Rows that look at the jobs and models there are."""

from infra.local.refusals.requests import (
    MODEL,
    PROCESSING,
    TRAINING,
    TRANSFORM,
    TUNING,
    definitions,
    ranges_of,
    tunables,
)
from infra.local.refusals.row import Account, Request, refusal

#: Names of members, by the operation's noun.
KINDS = {"ProcessingJob": "processing", "TrainingJob": "training", "TransformJob": "transform"}
KINDS |= {"HyperParameterTuningJob": "tuning"}
ENDED = {"Completed", "Failed", "Stopped"}
#: What of a definition may differ from that of a warm start's parent, and what is new at every job.
MAY_DIFFER = {
    *("AlgorithmSpecification", "InputDataConfig", "OutputDataConfig", "StaticHyperParameters", "RoleArn"),
    *("ResourceConfig", "StoppingCondition", "VpcConfig", "EnableManagedSpotTraining", "CheckpointConfig"),
    *("HyperParameterRanges", "TuningObjective", "DefinitionName", "HyperParameterTuningResourceConfig"),
}


def _named(request: Request) -> tuple[str, str, str]:
    """Noun, kind and name of the job that a request is about."""
    noun = next(noun for noun in reversed(KINDS) if f"{noun}Name" in request)
    return noun, KINDS[noun], request[f"{noun}Name"]


@refusal(
    TRAINING,
    PROCESSING,
    TRANSFORM,
    code="ResourceInUse",
    source="aws/amazon-sagemaker-examples pull request 3108; SuperCowPowers/workbench issue 384",
    seen="2022-01 to 2024-01",
)
def name_taken(request: Request, account: Account) -> str | None:
    """A job of that name was made before, be it ended or not."""
    noun, kind, name = _named(request)
    record = account.record(kind, name)
    if record is None:
        return None
    return f"Job names are unique in account and Region; {record[f'{noun}Arn']} exists already."


@refusal(
    TUNING,
    code="ResourceInUse",
    source='botocore 1.44.5: CreateHyperParameterTuningJob ("The name is not case sensitive")',
    seen="2026-11",
)
def tuning_name_taken(request: Request, account: Account) -> str | None:
    """A tuning job of that name was made before, in whatever case."""
    name = request["HyperParameterTuningJobName"]
    taken = {record["HyperParameterTuningJobName"].lower() for record in account.records("tuning")}
    return f"The tuning job {name} exists already." if name.lower() in taken else None


@refusal(MODEL, source="astronomer/astronomer-providers issue 1055", seen="2023-05")
def model_name_taken(request: Request, account: Account) -> str | None:
    """A model of that name is there."""
    record = account.record("model", request["ModelName"])
    return f'The model "{record["ModelArn"]}" exists already.' if record else None


@refusal(TRANSFORM, source="botocore 1.44.5: CreateTransformJob, ModelName", seen="2026-11")
def unknown_model(request: Request, account: Account) -> str | None:
    """A transform job's model is not there."""
    name = request["ModelName"]
    return None if account.record("model", name) else f'Could not find the model "{name}".'


def _parents(request: Request) -> list[str]:
    listed = (request.get("WarmStartConfig") or {}).get("ParentHyperParameterTuningJobs", [])
    return [item["HyperParameterTuningJobName"] for item in listed]


def _known_parents(request: Request, account: Account) -> list[Request]:
    found = (account.record("tuning", name) for name in _parents(request))
    return [record for record in found if record]


WARM_START = "developer guide: Run a Warm Start Hyperparameter Tuning Job"


@refusal(TUNING, source=WARM_START, seen="2026-11")
def parent_gone(request: Request, account: Account) -> str | None:
    """A warm start's parent is not there."""
    for name in _parents(request):
        if not account.record("tuning", name):
            return f"The parent tuning job {name} could not be found."
    return None


@refusal(TUNING, source=WARM_START, seen="2026-11")
def parent_unfinished(request: Request, account: Account) -> str | None:
    """A warm start's parent has not ended."""
    for record in _known_parents(request, account):
        status = record["HyperParameterTuningJobStatus"]
        if status not in ENDED:
            return f"The parent tuning job {record['HyperParameterTuningJobName']} is {status}, not ended."
    return None


@refusal(TUNING, source="aws/amazon-sagemaker-examples issue 861; " + WARM_START, seen="2019-08")
def parent_with_other_hyperparameters(request: Request, account: Account) -> str | None:
    """The names of all hyperparameters, static and tuned, are not those of a warm start's parent."""
    for record in _known_parents(request, account):
        if _hyperparameters(record) != _hyperparameters(request):
            return (
                "The names of the static and tunable hyperparameters together are not the same as in the "
                f"parent tuning job {record['HyperParameterTuningJobName']}; the ranges may differ."
            )
    return None


def _hyperparameters(request: Request) -> set[str]:
    static = {name for one in definitions(request) for name in one.get("StaticHyperParameters") or {}}
    return static | {name for ranges in ranges_of(request) for name in tunables(ranges)}


@refusal(TUNING, source=WARM_START, seen="2026-11")
def parent_with_other_objective(request: Request, account: Account) -> str | None:
    """The objective is another than that of a warm start's parent."""
    for record in _known_parents(request, account):
        if _objectives(record) != _objectives(request):
            return (
                "The objective metric is not that of the parent tuning job "
                f"{record['HyperParameterTuningJobName']}."
            )
    return None


def _objectives(request: Request) -> list[tuple[str, str]]:
    shared = request["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")
    found = [one.get("TuningObjective") or shared for one in definitions(request)]
    return [(one["MetricName"], one["Type"]) for one in found if one]


@refusal(TUNING, source="aws/sagemaker-python-sdk issue 3693", seen="2023-03")
def parent_with_another_definition(request: Request, account: Account) -> str | None:
    """A warm start's environment, isolation, encryption or retries are not its parent's."""
    for record in _known_parents(request, account):
        for ours, theirs in zip(definitions(request), definitions(record), strict=False):
            changed = sorted(
                name
                for name in (ours.keys() | theirs.keys()) - MAY_DIFFER
                if ours.get(name) != theirs.get(name)
            )
            if changed:
                return f"Of the training job definition {changed} may not change in a warm start."
    return None


@refusal(
    TRAINING,
    TUNING,
    PROCESSING,
    TRANSFORM,
    code="ResourceLimitExceeded",
    source="gabehollombe-aws/jupyter-notebooks issue 1; data-science-on-aws/data-science-on-aws issue 200",
    seen="2020-02 to 2021-04",
)
def quota_full(request: Request, account: Account) -> str | None:
    """More instances of one type at once, for one kind of job, than the account's quota."""
    kind, instance, wanted = _instances(request)
    used = sum(
        count
        for record in account.under_way()
        if "TuningJobArn" not in record  # its tuning job takes its place for as long as it runs
        for found, of_type, count in [_instances(record)]
        if (found, of_type) == (kind, instance)
    )
    if used + wanted <= account.quota:
        return None
    return (
        f"The account's limit '{instance} for {kind} job usage' is {account.quota} instances, {used} are in "
        f"use and {wanted} more are asked for."
    )


def _instances(request: Request) -> tuple[str, str, int]:
    """Kind as quotas have it, instance type, and how many at once."""
    if "HyperParameterTuningJobName" in request:
        definition = (definitions(request) or [{}])[0]
        config = definition.get("ResourceConfig") or {}
        at_once = request["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxParallelTrainingJobs", 1)
        return _training(definition), config.get("InstanceType", ""), config.get("InstanceCount", 1) * at_once
    if "TransformJobName" in request:
        config = request["TransformResources"]
        return "transform", config["InstanceType"], config["InstanceCount"]
    if "ProcessingJobName" in request:
        config = request.get("ProcessingResources", {}).get("ClusterConfig", {})
        return "processing", config.get("InstanceType", ""), config.get("InstanceCount", 1)
    config = request.get("ResourceConfig") or {}
    return _training(request), config.get("InstanceType", ""), config.get("InstanceCount", 1)


def _training(definition: Request) -> str:
    return "spot training" if definition.get("EnableManagedSpotTraining") else "training"


@refusal(
    "DeleteTrainingJob",
    "DeleteProcessingJob",
    code="ResourceInUse",
    source="botocore 1.44.5: DeleteTrainingJob, DeleteProcessingJob",
    seen="2026-11",
)
def delete_while_running(request: Request, account: Account) -> str | None:
    """A job that has not ended is to be deleted; a model may always be, also while a transform job runs."""
    noun, kind, name = _named(request)
    record = account.record(kind, name)
    if not record or record[f"{noun}Status"] in ENDED:
        return None
    return f"The job {name} is {record[f'{noun}Status']}: only one that has ended can be deleted."


@refusal(
    "StopTrainingJob",
    "StopProcessingJob",
    "StopTransformJob",
    "StopHyperParameterTuningJob",
    source="awslabs/benchmark-ai issue 928",
    seen="2019-10",
)
def stop_after_the_end(request: Request, account: Account) -> str | None:
    """A job that is not in progress is to be stopped."""
    noun, kind, name = _named(request)
    record = account.record(kind, name)
    if not record or record[f"{noun}Status"] == "InProgress":
        return None
    return f"The request was rejected because the job is {record[f'{noun}Status']}."
