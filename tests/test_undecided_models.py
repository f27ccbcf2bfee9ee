"""A model whose test and whose comparison fail, on the local stack: its rows, delivered again, end that.

The client of the first delivery sends its manifest twice, as one that has not got an answer does.
"""

import json

import pyarrow as pa
import pytest

from infra import results
from infra.local.stack import LocalStack
from infra.samples import generate
from infra.samples.deliver import deliver, publish
from pipelines import names, runs
from tests.pipelines.ledger.ledger_samples import labelmill

GROUP = "DE-weee"


class Client:
    """Delivers the same rows again and again, and looks what became of them."""

    def __init__(self, stack: LocalStack):
        self.stack = stack
        self.rows = pa.Table.from_pylist(generate.items(GROUP, 0, 200, labelled=True))
        self.states, self.events = stack.client("stepfunctions"), stack.client("events")

    def deliver(self, delivery: str, times: int = 1) -> None:
        """Put the rows, and their manifest so many times; wait until all that follows has ended."""
        folder = f"training/{GROUP}/2026-09/{delivery}/"
        deliver(self.stack, folder, self.rows)
        bucket, manifest = self.stack.names["LandingBucket"], f"{folder}manifest"
        for _ in range(times - 1):
            source = {"Bucket": bucket, "Key": manifest}
            self.stack.client("s3").copy_object(
                Bucket=bucket, Key=manifest, CopySource=source, MetadataDirective="REPLACE"
            )
        self.stack.wait_until_quiet(timeout_seconds=300)

    def executions(self, machine: str, purpose: str) -> dict[str, str]:
        """Status of the executions of a purpose, by name."""
        listed = self.states.list_executions(stateMachineArn=self.stack.names[f"{machine}MachineArn"])
        named = {each["name"]: each["status"] for each in listed["executions"]}
        return {name: status for name, status in named.items() if names.parse_run(name).purpose == purpose}

    def items(self, start: str) -> list[dict[str, str]]:
        found = self.stack.client("dynamodb").scan(TableName=self.stack.names["LedgerTable"])["Items"]
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in found]
        return [item for item in plain if item["entry"].startswith(start)]

    def mail(self, subject: str) -> list[str]:
        texts = [path.read_text(encoding="utf-8") for path in (self.stack.folder / "mailbox").iterdir()]
        return [text for text in texts if subject in text]


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Winners of the group want a person's approval, so that a comparison can be met while it runs."""
    with LocalStack(tmp_path) as stack:
        publish(stack, generate.codebook(GROUP, "1") | {"policy": {"approval": True}})
        for name, value in stack.connection.settings.items():
            monkeypatch.setenv(name, value)
        yield Client(stack)


def test_a_first_model_becomes_the_winner_after_its_test_and_its_comparison_have_failed(client):
    client.events.disable_rule(Name="labelmill-model-trained")
    client.deliver("d1", times=2)
    [model], trainings = client.items("MODEL#"), client.executions("Training", "training")
    assert list(trainings.values()) == ["SUCCEEDED"] * 2
    assert len(client.mail("Being learned already")) + len(client.mail("Nothing new to learn")) == 1
    client.events.enable_rule(Name="labelmill-model-trained")

    name = model["entry"].removeprefix("MODEL#")
    test_set = names.RUN_FOLDER.format(group=GROUP, run=model["run"]) + "test/"
    dataset = names.address(client.stack.names["WorkBucket"], test_set)
    detail = {"group": GROUP, "period": model["period"], "dataset": dataset}
    test = runs.test(detail, model=name, challenger=name, test_set=model["run"])
    client.states.start_execution(
        stateMachineArn=client.stack.names["InferenceMachineArn"],
        name=test["run"],
        input=json.dumps({**test, "dataset": dataset.replace("/test/", "/nowhere/")}),
    )
    client.stack.wait_until_quiet(timeout_seconds=300)
    assert client.executions("Inference", "test") == {test["run"]: "FAILED"}

    client.deliver("d2")
    again = runs.again(test)["run"]
    assert client.executions("Inference", "test") == {test["run"]: "FAILED", again: "SUCCEEDED"}
    [(comparison, status)] = client.executions("Comparison", "comparison").items()
    assert status == "RUNNING"  # it waits for a person

    machine = client.stack.names["ComparisonMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{comparison}"
    client.states.stop_execution(executionArn=execution)
    client.deliver("d3")
    client.deliver("d4")  # while the new one waits for a person, nothing more is started
    second = runs.again({"run": comparison})["run"]
    assert client.executions("Comparison", "comparison") == {comparison: "ABORTED", second: "RUNNING"}
    assert labelmill("approve", second, "--by", "Anna", "--reason", "fine") == 0
    client.stack.wait_until_quiet(timeout_seconds=300)

    [decision] = results.decisions(client.stack, GROUP)
    assert (decision["verdict"], decision["model"]) == ("FIRST", name)
    assert [winner["model"] for winner in client.items("WINNER")] == [name]
    assert len(client.items("MODEL#")) == 1
    client.deliver("d5")
    assert len(client.mail(f"Nothing new to learn: {GROUP}")) == 1
