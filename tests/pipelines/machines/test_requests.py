"""AWS's own service models accept every request in the definitions; the check finds planted faults."""

import json
import re
from pathlib import Path

import pytest

from infra.local.aws_models import InvalidRequest, check, service_model
from tests.definition_checks import Request, Unresolved, evaluate, requests, substitute
from tests.pipelines.machines.definition_examples import (
    DATA,
    GROUP,
    MACHINES,
    SUBSTITUTIONS,
    context,
    definition_of,
    text_of,
)

CONTRACTS = Path(__file__).parents[3] / "docs" / "contracts.md"


def sent_by(machine: str) -> dict[str, Request]:
    definition = substitute(text_of(machine), SUBSTITUTIONS)
    return {request.state: request for request in requests(definition, DATA[machine], context(machine))}


def validate(request: Request) -> None:
    check(request.parameters, service_model(request.service).operation_model(request.operation))


TASKS = [(machine, state) for machine in MACHINES for state in sent_by(machine)]
JOBS = [(machine, state) for machine, state in TASKS if sent_by(machine)[state].service == "sagemaker"]


@pytest.mark.parametrize(("machine", "state"), TASKS)
def test_the_service_would_accept_the_request(machine, state):
    validate(sent_by(machine)[state])


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("Foo",), 1, "foo"),
        (("ProcessingResources", "ClusterConfig", "InstanceCount"), "one", "instanceCount"),
        (("ProcessingResources", "ClusterConfig", "InstanceType"), "ml.abacus", "instanceType"),
        (("ProcessingJobName",), "x" * 64, "processingJobName"),
        (("RoleArn",), "PrepareRole", "roleArn"),
        (("ProcessingOutputConfig", "Outputs"), [{"OutputName": "train", "S3Outputs": {}}], "s3Outputs"),
    ],
)
def test_a_planted_fault_in_a_request_is_found(path, value, named):
    request = sent_by("training")["Prepare"]
    inner = request.parameters
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(InvalidRequest, match=named):
        validate(request)


def test_a_path_that_nothing_writes_is_found():
    definition = {
        "States": {"Task": {"Type": "Task", "Resource": "a:sns:publish", "Parameters": {"M.$": "$.x"}}}
    }
    with pytest.raises(Unresolved, match=r"\$\.x has no value"):
        list(requests(definition, {}, {}))


@pytest.mark.parametrize("expression", ["States.Format('{} {}', 'a')", "$.a b", "States.Format('a'"])
def test_a_malformed_expression_is_found(expression):
    with pytest.raises((Unresolved, KeyError)):
        evaluate(expression, {"a": 1}, {})


def test_a_substitution_without_a_value_is_found():
    with pytest.raises(Unresolved, match="Typo"):
        substitute('{"Table": "${Typo}"}', SUBSTITUTIONS)


def test_the_contracts_list_every_substitution():
    used = {name for machine in MACHINES for name in re.findall(r"\$\{(\w+)\}", text_of(machine))}
    assert used == set(re.findall(r"\$\{(\w+)\}", CONTRACTS.read_text()))


@pytest.mark.parametrize(("machine", "state"), JOBS)
def test_every_job_is_encrypted_isolated_and_tagged(machine, state):
    parameters = sent_by(machine)[state].parameters
    text = json.dumps(parameters)
    tags = {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
    of_run = {key: DATA[machine][key] for key in ("group", "run")}
    assert tags == {"project": "labelmill", "stack": SUBSTITUTIONS["Name"], **of_run}
    if state == "Transform":  # its container is isolated by the model
        assert (
            parameters["TransformOutput"]["KmsKeyId"] and parameters["TransformResources"]["VolumeKmsKeyId"]
        )
        return
    assert '"EnableNetworkIsolation": true' in text
    if state != "CreateModel":
        assert '"EnableInterContainerTrafficEncryption": true' in text
        assert '"KmsKeyId"' in text and '"VolumeKmsKeyId"' in text


@pytest.mark.parametrize("state", ["Tune", "TuneWarm"])
def test_the_tuning_job_searches_the_agreed_ranges(state):
    tuning = sent_by("training")[state].parameters
    settings = tuning["HyperParameterTuningJobConfig"]
    assert settings["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2}
    assert settings["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "macro_f1"}
    ranges = settings["ParameterRanges"]
    assert {
        r["Name"]: (r["MinValue"], r["MaxValue"], r["ScalingType"])
        for r in ranges["ContinuousParameterRanges"]
    } == {
        "C": ("0.06", "2", "Logarithmic"),
        "word_weight": ("0.5", "2", "Logarithmic"),
        "first_word_weight": ("0.1", "1.3", "Linear"),
    }
    assert ranges["CategoricalParameterRanges"] == [
        {"Name": "family", "Values": ["linear", "boosted"]},
    ]
    regex = tuning["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"][0]["Regex"]
    assert re.search(regex, "epoch 3 macro_f1=0.8125; done")[1] == "0.8125"


def test_a_warm_start_is_the_same_search_with_the_last_one_as_its_parent():
    """SageMaker refuses a parent with another metric or other hyperparameters than the new job's."""
    cold, warm = (dict(sent_by("training")[state].parameters) for state in ("Tune", "TuneWarm"))
    assert warm.pop("WarmStartConfig") == {
        "WarmStartType": "TransferLearning",
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": f"{GROUP}-0123456789ab"}],
    }
    assert warm == cold


def test_trials_are_on_spot_and_their_waiting_fits_into_the_tasks_time():
    """The final training is not: it is one job, and everybody waits for it."""
    tuning, train = (sent_by("training")[state].parameters for state in ("Tune", "Train"))
    trial = tuning["TrainingJobDefinition"]
    limits = tuning["HyperParameterTuningJobConfig"]["ResourceLimits"]
    longest = trial["StoppingCondition"]["MaxWaitTimeInSeconds"]
    assert trial["EnableManagedSpotTraining"] is True
    # The longest wait includes the run (SageMaker's API reference, StoppingCondition).
    assert longest == trial["StoppingCondition"]["MaxRuntimeInSeconds"] + 3600
    rounds = limits["MaxNumberOfTrainingJobs"] / limits["MaxParallelTrainingJobs"]
    assert rounds * longest <= definition_of("training")["States"]["Tune"]["TimeoutSeconds"]
    assert "EnableManagedSpotTraining" not in train or not train["EnableManagedSpotTraining"]


def test_trials_are_not_watched_as_they_print_one_score_at_their_end():
    config = sent_by("training")["Tune"].parameters["HyperParameterTuningJobConfig"]
    assert config["TrainingJobEarlyStoppingType"] == "Off"


@pytest.mark.parametrize(
    ("state", "script", "channels"),
    [
        ("Tune", "training.tune", ["features", "code"]),
        ("TuneWarm", "training.tune", ["features", "code"]),
        ("Train", "training.train", ["features", "codebook", "code"]),
    ],
)
def test_training_runs_a_module_of_the_code_channel_without_a_package_index(state, script, channels):
    states = substitute(text_of("training"), SUBSTITUTIONS)["States"]
    parameters = sent_by("training")[state].parameters
    job = parameters.get("TrainingJobDefinition", parameters)
    fixed = job.get("StaticHyperParameters") or states["Tune"]["ResultSelector"]["fixed"]
    assert fixed == {"sagemaker_program": script, "sagemaker_submit_directory": "/opt/ml/input/data/code"}
    assert job["Environment"] == {
        **{"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"},
        **{"SAGEMAKER_TRAINING_MODULE": "training.start:main", "PYTHONPATH": "/opt/ml/input/data/code"},
        **({"CODEBOOK_DIGEST": "cb" * 32} if "codebook" in channels else {}),
    }
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == channels


@pytest.mark.parametrize(("machine", "state"), JOBS)
def test_a_job_that_reads_the_codebook_is_told_its_digest(machine, state):
    job = sent_by(machine)[state].parameters
    inputs = {given["InputName"] for given in job.get("ProcessingInputs", ())}
    words = job.get("AppSpecification", {}).get("ContainerArguments", [])
    told = dict(zip(words[::2], words[1::2], strict=True)).get("--codebook-digest")
    assert told == ("cb" * 32 if "codebook" in inputs else None)


def test_a_model_is_served_by_the_code_in_its_own_artefact():
    container = sent_by("training")["CreateModel"].parameters["PrimaryContainer"]
    assert container["Environment"] == {
        **{"SAGEMAKER_PROGRAM": "inference.serve", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
        **{"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "SAGEMAKER_MODEL_SERVER_TIMEOUT": "600"},
    }
    assert container["ModelDataUrl"].endswith("model.tar.gz")


def test_labels_are_joined_to_items_by_the_service():
    transform = sent_by("inference")["Transform"].parameters
    assert transform["DataProcessing"]["JoinSource"] == "Input"
    assert transform["DataProcessing"]["OutputFilter"] == "$['item_id','SageMakerOutput']"
    assert transform["TransformInput"]["SplitType"] == transform["TransformOutput"]["AssembleWith"] == "Line"
    assert transform["BatchStrategy"] == "MultiRecord" and transform["MaxPayloadInMB"] == 6
    assert transform["MaxConcurrentTransforms"] >= 1
