"""What happens when a winner changes while something else is under way."""

import json

import pytest

from pipelines.handlers import start_comparison
from tests.pipelines.machines.definition_examples import (
    ARTEFACT,
    GROUP,
    INPUTS,
    MODEL,
    MODEL_ITEM,
    OLD_MODEL,
    OLD_MODEL_ITEM,
    RUN,
    SUBSTITUTIONS,
    artefact_of,
)

FASTER = f"{GROUP}-2026-10-77777777"
RUN_OF = INPUTS["comparison"]


def item(entry: str, **attributes: str) -> dict:
    texts = {"group": GROUP, "entry": entry, **attributes}
    return {name: {"S": value} for name, value in texts.items()}


def predictions(model: str) -> dict:
    address = f"s3://work-bucket/predictions/{GROUP}/{RUN}/{model}/r/"
    return {"model": model, "predictions": address, "digest": model[-1] * 64}


class Machines:
    """Step Functions, as far as a handler uses it: takes what is to start."""

    class exceptions:
        class ExecutionAlreadyExists(Exception): ...

    def __init__(self):
        self.started = []

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        self.started.append((stateMachineArn, json.loads(input)))


@pytest.fixture
def cloud(cloud):
    """A winner, and two challengers that have been trained at the same time."""
    cloud.put(
        item("WINNER", model=OLD_MODEL, since="2026-09-03T08:00:00.000Z"),
        MODEL_ITEM,
        OLD_MODEL_ITEM,
        MODEL_ITEM | {"entry": {"S": f"MODEL#{FASTER}"}},
        *(item(f"PREDICTIONS#{RUN}#{model}", **predictions(model))
          for model in (MODEL, FASTER)),
    )  # fmt: skip
    cloud.s3.put_object(**artefact_of(FASTER), Body=ARTEFACT, ChecksumAlgorithm="SHA256")
    return cloud


def test_of_two_comparisons_at_once_one_wins_and_the_other_decides_anew_against_its_winner(
    cloud, monkeypatch
):
    other = RUN_OF | {"run": RUN_OF["run"] + "2", "challenger": predictions(FASTER)}
    others = []

    def meanwhile():
        cloud.sagemaker.on_wait = lambda: None
        others.append(cloud.run("comparison", other))

    cloud.sagemaker.on_wait = meanwhile
    run = cloud.run("comparison", RUN_OF | {"challenger": predictions(MODEL)})
    assert others[0].states[-2:] == ["SwitchWinner", "NotifyMlops"]
    assert run.status == "SUCCEEDED" and run.states[-1] == "AnnounceAgain"
    assert cloud.items("WINNER")[0]["model"] == FASTER
    assert [decision["model"] for decision in cloud.items("DECISION#")] == [FASTER]

    # What was announced again is taken by the function that starts comparisons.
    monkeypatch.setenv("LEDGER_TABLE", SUBSTITUTIONS["LedgerTable"])
    for machine in ("inference", "comparison"):
        monkeypatch.setenv(f"{machine.upper()}_MACHINE_ARN", machine)
    [(_, detail)], machines = cloud.events(), Machines()
    start_comparison.handler({"detail": detail}, states=machines, table=cloud.dynamodb)
    [(machine, again)] = machines.started
    assert machine == "comparison"
    assert (again["challenger"], again["winner"]) == (predictions(MODEL), predictions(FASTER))

    cloud.sagemaker.messages["processing.compare"]["verdict"] = "KEEP"
    assert cloud.run(machine, again).status == "SUCCEEDED"
    assert cloud.items("WINNER")[0]["model"] == FASTER
    decided = {
        (decision["model"], decision["replaces"], decision["verdict"])
        for decision in cloud.items("DECISION#")
    }
    assert decided == {(FASTER, OLD_MODEL, "PROMOTE"), (MODEL, FASTER, "KEEP")}


def test_no_decision_is_written_behind_a_later_one_that_made_the_compared_winner_anew(cloud):
    cloud.put(item("WINNER", model=OLD_MODEL, since="2999-01-01T00:00:00.000Z"))
    run = cloud.run("comparison", RUN_OF | {"challenger": predictions(MODEL)})
    assert run.status == "SUCCEEDED" and run.states[-1] == "AnnounceAgain"
    assert cloud.items("WINNER")[0]["model"] == OLD_MODEL and cloud.items("DECISION#") == []


def test_labels_made_during_a_switch_are_all_from_the_new_winner_and_say_so(cloud):
    month = INPUTS["inference"]
    waiting = f"runs/{GROUP}/{month['run']}/manifest/manifest.json"
    labels = f"labels/{GROUP}/{month['period']}/{month['run']}/labels.parquet"
    for key in (waiting, labels):
        cloud.s3.put_object(Bucket="labelled", Key=key, Body=b"{}")
    cloud.sagemaker.on_wait = lambda: cloud.put(item("WINNER", model=FASTER))
    run = cloud.run("inference", month)
    assert run.status == "SUCCEEDED", run.cause
    assert cloud.items("WINNER")[0]["model"] == FASTER  # since before the first job had ended

    transforms = cloud.sagemaker.sent("CreateTransformJob")
    assert [transform["ModelName"] for transform in transforms] == [OLD_MODEL, FASTER]
    publish = cloud.sagemaker.sent("CreateProcessingJob")[-1]["AppSpecification"]["ContainerArguments"]
    assert publish[publish.index("--model") + 1] == FASTER
    assert cloud.events()[-1][1]["model"] == FASTER
    [notice] = cloud.received("Stakeholders")
    assert f"Model: {FASTER}" in notice["Message"]
