"""The training workflow: prepare the dataset, search hyperparameters, train on the best, record the model."""

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner
from stepfunctions.steps import sagemaker as jobs
from stepfunctions.steps import states

from pipelines.failure_tail import CODEBOOK_URI, CODEBOOK_VERSION, failure_tail, known_group
from pipelines.states import (
    HOUR,
    START_UP,
    Path,
    Selecting,
    call,
    guard_job,
    output,
    processing,
    random_hex,
    session,
    tags,
    text,
)

TIMEOUT_SECONDS = 48 * HOUR
TRAIN_HOURS = 2
TUNE_HOURS = 8
OBJECTIVE = "macro_f1"
#: Without these the image's `pip install .` of the code would want a package index, and there is no network.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}


class TuningStep(Selecting, jobs.TuningStep): ...


class TrainingStep(Selecting, jobs.TrainingStep): ...


class ModelStep(Selecting, jobs.ModelStep): ...


def build() -> states.Graph:
    failure = failure_tail("training")
    steps = states.Chain(
        [
            _prepare(failure),
            _tune(failure),
            _train(failure),
            _create_model(failure),
            _record(failure),
            _announce(failure),
        ]
    )
    start = known_group(failure, steps)
    return states.Graph(start, comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _prepare(failure):
    return processing(
        "Prepare",
        failure,
        inputs={
            "dataset": Path("$.dataset"),
            "codebook": Path(CODEBOOK_URI),
            # Never empty, which a job's input may not be: publishing a codebook puts a note there.
            "reviewed": text("s3://${WorkBucket}/reviewed/{}/", "$.group"),
        },
        outputs={name: output(name) for name in ("train", "validation", "test", "rejected", "report")},
        arguments={
            "group": "$.group",
            "period": "$.period",
            "purpose": "$.purpose",
            "run": "$.run",
            "dataset-uri": "$.dataset",
            "test-uri": output("test").to_jsonpath(),
        },
        key="${WorkKeyArn}",
        result_path="$.prepared",
        max_hours=2,
    )


def _estimator(script: str, role: str) -> Estimator:
    return Estimator(
        image_uri="${ImageUri}",
        role=role,
        instance_count=1,
        # The SDK wants to parse these two; _job replaces them.
        instance_type="ml.m5.xlarge",
        output_path="s3://bucket",
        volume_size=30,
        volume_kms_key="${WorkKeyArn}",
        output_kms_key="${WorkKeyArn}",
        max_run=TRAIN_HOURS * HOUR,
        hyperparameters=_script_mode(script),
        debugger_hook_config=False,
        sagemaker_session=session(),
    )


def _job(output_name: str) -> dict:
    """What the SDK drops without a word, or cannot say."""
    return {
        "Environment": OFFLINE,
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


def _channels() -> dict[str, TrainingInput]:
    uris = {
        "train": output("train"),
        "validation": output("validation"),
        "codebook": Path(CODEBOOK_URI),
        "code": "${CodeUri}",
    }
    return {name: TrainingInput(uri, input_mode="File") for name, uri in uris.items()}


def _tune(failure):
    tuner = HyperparameterTuner(
        _estimator("training.tune", "${TuneRoleArn}"),
        objective_metric_name=OBJECTIVE,
        objective_type="Maximize",
        metric_definitions=[{"Name": OBJECTIVE, "Regex": f"{OBJECTIVE}=([0-9.]+);"}],
        hyperparameter_ranges={
            "C": ContinuousParameter(0.05, 4, scaling_type="Logarithmic"),
            "word_weight": ContinuousParameter(0.5, 2, scaling_type="Logarithmic"),
            "min_df": CategoricalParameter(["1", "2"]),
        },
        strategy="Bayesian",
        max_jobs=8,
        max_parallel_jobs=2,
    )
    step = TuningStep(
        "Tune",
        tuner=tuner,
        job_name=text("{}-{}", "$.group", random_hex(12)),
        data=_channels(),
        tags=tags(),
        parameters={
            "HyperParameterTuningJobConfig": {"RandomSeed": 1},
            "TrainingJobDefinition": _job("tune"),
        },
        timeout_seconds=TUNE_HOURS * HOUR + START_UP,
        result_selector={
            "objective.$": "$.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value",
            "tuned.$": "$.BestTrainingJob.TunedHyperParameters",
            "fixed": _script_mode("training.train"),
        },
        result_path="$.tuning",
    )
    return guard_job(step, failure)


def _train(failure):
    step = TrainingStep(
        "Train",
        estimator=_estimator("training.train", "${TrainRoleArn}"),
        job_name=text("{}-{}-{}", "$.group", "$.period", random_hex(8)),
        data=_channels(),
        hyperparameters=Path("States.JsonMerge($.tuning.fixed, $.tuning.tuned, false)"),
        tags=tags(),
        parameters=_job("model"),
        timeout_seconds=TRAIN_HOURS * HOUR + START_UP,
        result_selector={"model.$": "$.TrainingJobName", "artefact.$": "$.ModelArtifacts.S3ModelArtifacts"},
        result_path="$.trained",
    )
    return guard_job(step, failure)


def _create_model(failure):
    """The artefact brings the code that serves it, so a winner from last year still runs as it did."""
    serving = {
        "SAGEMAKER_PROGRAM": "inference.serve",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        **OFFLINE,
    }
    model = Model(
        image_uri="${ImageUri}",
        model_data=Path("$.trained.artefact"),
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
    return guard_job(step, failure)


def _record(failure):
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text("MODEL#{}", "$.trained.model")},
        "run": {"S": Path("$.run")},
        "period": {"S": Path("$.period")},
        "artefact": {"S": Path("$.trained.artefact")},
        "objective": {"N": text("{}", "$.tuning.objective")},
        "data_digest": {"S": Path("$.prepared.message.data_digest")},
        "code_digest": {"S": "${CodeDigest}"},
        "codebook_version": {"S": Path(CODEBOOK_VERSION)},
        "test_set": {"S": Path("$.run")},
        "trained_at": {"S": Path("$$.State.EnteredTime")},
    }
    return call("RecordModel", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure)


def _announce(failure):
    detail = {
        "group": Path("$.group"),
        "period": Path("$.period"),
        "run": Path("$.run"),
        "model": Path("$.trained.model"),
        "test_set": Path("$.run"),
        "dataset": output("test"),
    }
    entry = {"Source": "labelmill", "DetailType": "Model Trained", "Detail": detail}
    return call("Announce", "events:putEvents", {"Entries": [entry]}, failure)
