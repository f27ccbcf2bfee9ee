"""The control plane against AWS's own description: violations made from it, answers checked by it.

Each request that is taken (control_plane.py) is broken in one place at a time, wherever the model has a rule.
"""

import copy
import re
from datetime import UTC, datetime

import pytest

from infra.local import refusals
from infra.local.aws_models import broken_rules, service_model, wrong_types
from infra.local.jobs import RESOURCES, ServiceError
from tests.infra.local.control_plane import REQUESTS, control_plane, request

MODEL = service_model("sagemaker")
#: "Common Error Types" (SageMaker API reference) and Smithy's protocol tests: not in the model itself.
COMMON = {"ValidationException", "SerializationException"}
KINDS = {"training": "train", "tuning": "tune", "processing": "prepare", "transform": "transform"}
NUMBERS = ("integer", "long", "float", "double")


def places(value, shape, path=()):
    """Every value in a request, outermost first: its path, shape and whether the model requires it."""
    yield path, shape
    if shape.type_name == "structure":
        for name in value:
            yield from places(value[name], shape.members[name], (*path, name))
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from places(item, shape.member, (*path, number))
    elif shape.type_name == "map":
        for name, item in value.items():
            yield from places(item, shape.value, (*path, name))


def at(value, path):
    for part in path:
        value = value[part]
    return value


def changed(value, path, new):
    """A copy of a request with another value at a path; KeyError takes it away."""
    made = copy.deepcopy(value)
    place = at(made, path[:-1])
    if new is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return made


def violations(operation):
    """Name, request and error code of everything the model forbids in the request that is taken."""
    asked = request(operation)
    for path, shape in places(asked, MODEL.operation_model(operation).input_shape):
        name, value = ".".join(map(str, path)), at(asked, path)
        if shape.type_name == "structure":
            for required in set(shape.required_members) & value.keys():
                yield (
                    f"{name} lacks {required}",
                    changed(asked, (*path, required), KeyError),
                    "ValidationException",
                )
            yield f"{name} has another", _with(asked, path, "NoSuchMember"), "ValidationException"
        if not path:
            continue
        for new in wrong(value):
            yield f"{name} is {type(new).__name__}", changed(asked, path, new), "SerializationException"
        for new in outside(value, shape):
            yield f"{name}: {str(new)[:20]}", changed(asked, path, new), "ValidationException"


def _with(asked, path, name):
    made = copy.deepcopy(asked)
    at(made, path)[name] = "x"
    return made


def wrong(value):
    """Values of another JSON type."""
    others = [{"a": "b"}, ["a"], "a", 7, True]
    return [new for new in others if type(new) is not type(value)]


def allows(pattern, text):
    """Whether a pattern allows a text; True for those of Java that Python can't read, which nobody checks."""
    return "\\p" in pattern or re.fullmatch(pattern, text) is not None


def outside(value, shape):
    """Values of the right type that break a limit, a pattern or an enumeration of the shape."""
    limits, kind = shape.metadata, shape.type_name
    if kind in NUMBERS:
        yield from (limits[end] + step for end, step in (("min", -1), ("max", 1)) if end in limits)
    if kind == "string":
        if limits.get("min", 0) > 0:
            yield "a" * (limits["min"] - 1)
        if "max" in limits:
            yield "a" * (limits["max"] + 1)
        if limits.get("enum"):
            yield "NoSuchValue"
        if limits.get("pattern") and not allows(limits["pattern"], "\n \n"):
            yield "\n \n"
    if kind == "list" and value:
        if limits.get("min", 0) > 0:
            yield value[: limits["min"] - 1]
        if "max" in limits:
            yield value[:1] * (limits["max"] + 1)
    if kind == "map" and "max" in limits:
        yield {f"k{number}": "v" for number in range(limits["max"] + 1)}


@pytest.mark.parametrize("operation", REQUESTS)
def test_everything_the_model_forbids_is_refused_with_the_services_error(operation):
    jobs, count = control_plane(), 0
    if operation == "CreateTransformJob":
        jobs.answer("CreateModel", request("CreateModel"))
    for name, asked, code in violations(operation):
        with pytest.raises(ServiceError) as refused:
            jobs.answer(operation, asked)
            pytest.fail(f"{operation} was taken: {name}")
        assert refused.value.code == code, f"{name}: {refused.value}"
        if code == "ValidationException" and "no member" not in str(refused.value):
            assert "validation error" in str(refused.value), name
        count += 1
    jobs.answer(operation, request(operation))
    assert count > 40, f"only {count} violations of {operation}: the generator has stopped working"


NAMED = [
    (f"{verb}{resource[0]}", resource[0])
    for resource in RESOURCES.values()
    for verb in ("Describe", "Stop", "Delete")
    if f"{verb}{resource[0]}" in MODEL.operation_names
]


@pytest.mark.parametrize(("operation", "resource"), NAMED)
def test_what_is_not_there_is_refused_with_an_error_of_the_model(operation, resource):
    with pytest.raises(ServiceError) as refused:
        control_plane().answer(operation, {f"{resource}Name": "nobody"})
    known = {shape.name for shape in MODEL.operation_model(operation).error_shapes}
    assert refused.value.code in known | COMMON


def test_every_error_of_the_table_is_one_its_operations_have():
    for row in refusals.TABLE:
        for operation in row.operations:
            known = {shape.name for shape in MODEL.operation_model(operation).error_shapes}
            assert row.code in known | COMMON, (row.name, operation)


def faults(answer, operation):
    """What of an answer the model does not allow.

    AWS's model says that a training job's description always has ModelArtifacts; before it has ended well
    there are none (as aws/sagemaker-python-sdk has it: `model_data` of an unfinished job is an error).
    """
    shape = MODEL.operation_model(operation).output_shape
    if shape is None:
        return [] if answer == {} else [f"{operation} has no answer"]
    found = [*wrong_types(answer, shape), *broken_rules(answer, shape)]
    ended_well = answer.get("TrainingJobStatus") == "Completed"
    return [fault for fault in found if ended_well or "'modelArtifacts'" not in fault]


@pytest.fixture
def all_kinds():
    """A control plane with one of each, in progress."""
    jobs = control_plane()
    for operation in REQUESTS:
        assert faults(jobs.answer(operation, request(operation)), operation) == []
    return jobs


def ended(kind, status):
    """What the worker reports at a job's end."""
    members = {f"{RESOURCES[kind][0]}Status": status}
    if status == "Failed":
        members["FailureReason"] = "AlgorithmError: x, exit code: 1"
    if kind == "training":
        members["SecondaryStatus"] = status
        if status == "Completed":
            members["ModelArtifacts"] = {"S3ModelArtifacts": "s3://work-bucket/models/train/model.tar.gz"}
        metric = {"MetricName": "macro_f1", "Value": 0.5, "Timestamp": datetime.now(UTC)}
        members |= {"FinalMetricDataList": [metric], "TrainingTimeInSeconds": 3, "BillableTimeInSeconds": 3}
    return members


@pytest.mark.parametrize("status", ["InProgress", "Completed", "Failed", "Stopped"])
def test_every_answer_is_as_the_model_says(all_kinds, status):
    for kind, name in KINDS.items():
        if status != "InProgress":
            all_kinds.on_change(kind, name, ended(kind, status))
    for kind, name in {**KINDS, "model": "model"}.items():
        resource = RESOURCES[kind][0]
        described = all_kinds.answer(f"Describe{resource}", {f"{resource}Name": name})
        assert faults(described, f"Describe{resource}") == []
        listed = all_kinds.answer(f"List{resource}s", {})
        assert faults(listed, f"List{resource}s") == []
        assert any(listed.values())
    trials = {"HyperParameterTuningJobName": "tune"}
    answer = all_kinds.answer("ListTrainingJobsForHyperParameterTuningJob", trials)
    assert faults(answer, "ListTrainingJobsForHyperParameterTuningJob") == []


@pytest.mark.parametrize("kind", KINDS)
def test_stopping_answers_nothing_and_the_job_is_stopping(all_kinds, kind):
    resource = RESOURCES[kind][0]
    asked = {f"{resource}Name": KINDS[kind]}
    assert faults(all_kinds.answer(f"Stop{resource}", asked), f"Stop{resource}") == []
    described = all_kinds.answer(f"Describe{resource}", asked)
    assert described[f"{resource}Status"] == "Stopping"
    assert faults(described, f"Describe{resource}") == []
