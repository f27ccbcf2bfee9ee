"""The jobs of the training workflow, as its machine asks for them."""

from typing import Any

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner
from stepfunctions.steps import sagemaker as jobs
from stepfunctions.steps import states

from pipelines.machines import artefact
from pipelines.machines.failure_path import (
    CODEBOOK_DIGEST,
    CODEBOOK_URI,
    FAMILIES,
    HYPERPARAMETERS,
    POLICY,
    SEARCH_LIMITS,
    SHARE_BY,
)
from pipelines.machines.states import (
    ABOUT_DATASET,
    AFTER_LABELS,
    HOUR,
    ITS_OWN,
    QUOTA_ERROR,
    START_UP,
    Path,
    Selecting,
    guard_job,
    in_work_bucket,
    output,
    processing,
    random_hex,
    session,
    tags,
    text,
)
from pipelines.names import MODEL_NAME, REVIEWED, SHARED, SHARED_ROWS, TEXTS, TUNING_JOB_NAME, address

TRAIN_HOURS = 2
TUNE_HOURS = 8
#: A trial may run for an hour, and wait for Spot machines for another; the largest group's takes minutes.
#: Eight trials, two at a time, fit into TUNE_HOURS even so; of thirty each pair has half an hour.
TRIAL_RUN_HOURS = 1
TRIAL_WAIT_HOURS = 1
#: A search waits for the quotas of two machine types, one after the other: about 15 hours each, so that
#: both, or the first and Train's, end before the run is cut off.
OF_A_SEARCH = (30, 600, 180)
OBJECTIVE = "macro_f1"
#: Without these the image's `pip install .` of the code would need a package index, and there is no network.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
#: The image's start-up calls this, where the image's own would lose the sentence of a script that fails, and
#: spend seconds of each trial on `pip install .`. Were these two not heeded, the image's own way works too.
START = {"SAGEMAKER_TRAINING_MODULE": "training.start:main", "PYTHONPATH": "/opt/ml/input/data/code"}
#: How long nginx and gunicorn wait for an answer, and so for the model, which a worker loads at its first
#: request: as long as Batch Transform does (InvocationsTimeoutInSeconds), not for the image's own 60 s.
PATIENCE = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "600"}


class TuningStep(Selecting, jobs.TuningStep): ...


class TrainingStep(Selecting, jobs.TrainingStep): ...


class ModelStep(Selecting, jobs.ModelStep): ...


def prepare(failure: states.State) -> states.State:
    outputs = {name: output(name) for name in ("train", "validation", "test", "rejected", "report")}
    return processing(
        "Prepare",
        failure,
        inputs={
            "dataset": Path("$.dataset"),
            "codebook": Path(CODEBOOK_URI),
            # Never empty, which a job's input may not be: publishing a codebook puts a note into each.
            "reviewed": in_work_bucket(REVIEWED),
            "texts": in_work_bucket(TEXTS),
        },
        outputs={
            **outputs,
            "shared": in_work_bucket(SHARED_ROWS, list=SHARE_BY),
            "texts": in_work_bucket(TEXTS),
        },
        arguments={
            **ABOUT_DATASET,
            "test-uri": output("test").to_jsonpath(),
            "delivered": "$.delivered",
            "codebook-digest": CODEBOOK_DIGEST,
            "share-by": SHARE_BY,
        },
        key="${WorkKeyArn}",
        result_path="$.prepared",
        max_hours=2,
        quota=AFTER_LABELS,
    )


def featurize(failure: states.State) -> states.State:
    """Features for all trials and the final training, computed once."""
    return processing(
        "Featurize",
        failure,
        inputs={
            "train": output("train"),
            "validation": output("validation"),
            "codebook": Path(CODEBOOK_URI),
            # Never empty either: publishing a codebook puts a note into both.
            "reviewed": in_work_bucket(REVIEWED),
            "shared": in_work_bucket(SHARED, list=SHARE_BY),
        },
        # Beside Prepare's report: for Compare and for people.
        outputs={name: output(name) for name in ("features", "report")},
        arguments={
            "period": "$.period",
            "codebook-digest": CODEBOOK_DIGEST,
            "share-by": SHARE_BY,
            "policy": POLICY,
        },
        key="${WorkKeyArn}",
        result_path="$.featurized",
        max_hours=2,
        quota=AFTER_LABELS,
        package="training",
    )


def _estimator(script: str, role: str, hours: int, **settings: Any) -> Estimator:
    return Estimator(
        image_uri="${ImageUri}",
        role=role,
        instance_count=1,
        # The SDK parses these two; _job replaces them.
        instance_type="ml.m5.xlarge",
        output_path=address("bucket", ""),
        volume_size=30,
        volume_kms_key="${WorkKeyArn}",
        output_kms_key="${WorkKeyArn}",
        max_run=hours * HOUR,
        hyperparameters=_script_mode(script),
        debugger_hook_config=False,
        sagemaker_session=session(),
        **settings,
    )


def _job(output_name: str, **environment: Path) -> dict[str, Any]:
    """What the SDK drops without a word, or cannot say."""
    return {
        "Environment": {**OFFLINE, **START, **environment},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "OutputDataConfig": {"S3OutputPath": output(output_name)},
        "ResourceConfig": {"InstanceType": "${TrainingInstanceType}"},
        # Two more tries, by SageMaker itself, when a job ends on an internal error of the service.
        "RetryStrategy": {"MaximumRetryAttempts": 2},
    }


def _script_mode(script: str) -> dict[str, str]:
    """The image runs a dotted module, found in the channel that brings the code."""
    return {"sagemaker_program": script, "sagemaker_submit_directory": "/opt/ml/input/data/code"}


def _channels(**further: Path) -> dict[str, TrainingInput]:
    uris = {"features": output("features"), **further, "code": "${CodeUri}"}
    return {name: TrainingInput(uri, input_mode="File") for name, uri in uris.items()}


def tune(failure: states.State) -> states.State:
    """A search from the start."""
    return guard_job(_tune("Tune", {}), failure, OF_A_SEARCH)


def tune_warm(cold: states.State, no_quota: states.State, parent: str) -> states.State:
    """A search that continues from the tuning job at the path `parent`, the group's last one.

    Whatever keeps it from doing so, such as a parent that is gone or has other ranges, must not cost the
    group its month: `cold` then searches from the start. Only a quota that stays full would refuse that
    search as well: `no_quota`.
    """
    warm = {
        "WarmStartConfig": {
            # The data is new every month, so this is the one of the two types that AWS allows.
            "WarmStartType": "TransferLearning",
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": Path(parent)}],
        }
    }
    step = _tune("TuneWarm", warm)
    step.add_catch(states.Catch(no_quota, error_equals=[QUOTA_ERROR], result_path="$.failure"))
    guard_job(step, cold, OF_A_SEARCH)
    step.catches[-1].fields["result_path"] = "$.not_warm"
    return step


def _tune(state_id: str, further: dict[str, Any]) -> states.State:
    # A trial that Spot takes away is tried again.
    spot = {"use_spot_instances": True, "max_wait": (TRIAL_RUN_HOURS + TRIAL_WAIT_HOURS) * HOUR}
    tuner = HyperparameterTuner(
        _estimator("training.tune", "${TuneRoleArn}", TRIAL_RUN_HOURS, **spot),
        objective_metric_name=OBJECTIVE,
        objective_type="Maximize",
        metric_definitions=[{"Name": OBJECTIVE, "Regex": f"{OBJECTIVE}=([0-9.]+);"}],
        hyperparameter_ranges={
            # Train tries good settings beside what is found here (training/hyperparameters.py).
            "C": ContinuousParameter(0.06, 2, scaling_type="Logarithmic"),
            "word_weight": ContinuousParameter(0.5, 2, scaling_type="Logarithmic"),
            "first_word_weight": ContinuousParameter(0.1, 1.3, scaling_type="Linear"),
            # Always a range, even of one value: a warm start needs the hyperparameters of its parent.
            "family": CategoricalParameter(["linear"]),
        },
        strategy="Bayesian",
    )
    step = TuningStep(
        state_id,
        tuner=tuner,
        job_name=text(TUNING_JOB_NAME, hex=random_hex(12)),
        data=_channels(),
        tags=tags(),
        parameters={
            "HyperParameterTuningJobConfig": {"RandomSeed": 1},
            "TrainingJobDefinition": _job("tune"),
            **further,
        },
        timeout_seconds=TUNE_HOURS * HOUR + START_UP,
        result_selector={
            "job.$": "$.HyperParameterTuningJobName",
            "objective.$": "$.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value",
            "tuned.$": "$.BestTrainingJob.TunedHyperParameters",
            "fixed": _script_mode("training.train"),
        },
        result_path="$.tuning",
    )
    _settings_of_the_group(step.fields["parameters"]["HyperParameterTuningJobConfig"])
    # $.machines says which of the two types; the SDK parses the type, and takes no path.
    step.fields["parameters"]["TrainingJobDefinition"]["ResourceConfig"]["InstanceType"] = Path(
        "$.machines.trials"
    )
    return step


def _settings_of_the_group(config: dict[str, Any]) -> None:
    """Trees are worth trying where a group has attributes; its policy says how many trials are.

    The SDK takes a path for neither.
    """
    ranges = config["ParameterRanges"]["CategoricalParameterRanges"]
    family = next(item for item in ranges if item["Name"] == "family")
    family["Values"] = Path(f"States.StringToJson({FAMILIES})")
    config["ResourceLimits"] = Path(f"States.StringToJson({SEARCH_LIMITS})")


def train(failure: states.State) -> states.State:
    chosen = "States.JsonMerge($.tuning.fixed, $.tuning.tuned, false)"
    step = TrainingStep(
        "Train",
        estimator=_estimator("training.train", "${TrainRoleArn}", TRAIN_HOURS),
        job_name=text(MODEL_NAME, hex=random_hex(8)),
        data=_channels(codebook=Path(CODEBOOK_URI)),
        hyperparameters=Path(f"States.JsonMerge({chosen}, States.StringToJson({HYPERPARAMETERS}), false)"),
        tags=tags(),
        parameters=_job("model", CODEBOOK_DIGEST=Path(CODEBOOK_DIGEST)),
        timeout_seconds=TRAIN_HOURS * HOUR + START_UP,
        result_selector={"model.$": "$.TrainingJobName"},
        result_path="$.trained",
    )
    return guard_job(step, failure, ITS_OWN)


def create_model(failure: states.State) -> states.State:
    """The artefact brings the code that serves it, so a winner from last year still runs as it did."""
    serving = {
        "SAGEMAKER_PROGRAM": "inference.serve",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        **OFFLINE,
        **PATIENCE,
    }
    model = Model(
        image_uri="${ImageUri}",
        model_data=artefact.kept("$.trained.model"),
        role="${TransformRoleArn}",
        env=serving,
        sagemaker_session=session(),
    )
    step = ModelStep(
        "CreateModel",
        model=model,
        model_name=Path("$.trained.model"),
        tags=tags(),
        parameters={"EnableNetworkIsolation": True},
        timeout_seconds=60,
        result_path=None,
    )
    return guard_job(step, failure, ITS_OWN)
