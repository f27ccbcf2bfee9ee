"""A winner approved, replaced and rolled back on the local stack: real training, real labels, no fake.

The rows of the same items, labelled by the same model, are the same bytes; only the columns that name the run
and its time differ (docs/ledger.md).
"""

import csv
import io

import pyarrow as pa
import pytest

from infra import results
from infra.local.stack import LocalStack
from infra.samples import generate
from infra.samples.deliver import deliver, publish
from tests.pipelines.ledger.ledger_samples import labelmill

GROUP = "DE-weee"
OF_THE_RUN = ("run", "labelled_at")


@pytest.fixture
def stack(tmp_path, monkeypatch):
    """A stack whose one group wants a person to approve its winners; the command line leads to it."""
    with LocalStack(tmp_path) as stack:
        publish(stack, generate.codebook(GROUP, "1") | {"policy": {"approval": True}})
        for name, value in stack.connection.settings.items():
            monkeypatch.setenv(name, value)
        yield stack


def put(stack, purpose: str, period: str, start: int, count: int) -> None:
    """Deliver items; the same ones again are a new version of the manifest, and so a new run."""
    rows = pa.Table.from_pylist(generate.items(GROUP, start, count, labelled=purpose == "training"))
    deliver(stack, f"{purpose}/{GROUP}/{period}/d1/", rows, "csv.gz")


def comparison_that_asks(stack) -> str:
    """Wait until a comparison waits for approval, and return its run."""
    stack.wait_until_quiet(timeout_seconds=300)
    [run] = entries(stack, "APPROVAL#")
    return run


def entries(stack, kind: str) -> list[str]:
    """What the ledger's entries of a kind are about."""
    items = stack.client("dynamodb").scan(TableName=stack.names["LedgerTable"])["Items"]
    named = (item["entry"]["S"] for item in items)
    return sorted(name.removeprefix(kind) for name in named if name.startswith(kind))


def labelled(stack) -> tuple[str, bytes]:
    """Label the month; the model that did, and the label file without the columns of the run."""
    before = len(results.published(stack, GROUP))
    put(stack, "inference", "2026-10", 5000, 150)
    stack.wait_until_quiet(timeout_seconds=300)
    published = results.published(stack, GROUP)
    assert len(published) == before + 1, (stack.folder / "server.log").read_text(encoding="utf-8")[-2000:]
    manifest = published[-1]
    path = stack.folder / manifest["address"].replace("s3://", "s3/")
    text = (path.parent / "labels.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["model"] for row in rows} == {manifest["model"]} and len(rows) == 150
    kept = [column for column in rows[0] if column not in OF_THE_RUN]
    return manifest["model"], "\n".join(",".join(row[column] for column in kept) for row in rows).encode()


def test_a_rollback_and_a_new_run_of_the_month_give_the_old_labels_back(stack, capsys):
    put(stack, "training", "2026-09", 0, 600)
    run = comparison_that_asks(stack)
    assert labelmill("approve", run, "--by", "Anna") == 0
    stack.wait_until_quiet(timeout_seconds=300)
    [decision] = results.decisions(stack, GROUP)
    assert decision["verdict"] == "FIRST" and decision["decided_by"].startswith("Anna (arn:aws:")
    first, before = labelled(stack)

    publish(stack, generate.codebook(GROUP, "1"))  # from now on nobody need approve
    put(stack, "training", "2026-10", 0, 900)
    stack.wait_until_quiet(timeout_seconds=300)
    [second] = set(entries(stack, "MODEL#")) - {first}
    if results.decisions(stack, GROUP)[-1]["verdict"] != "PROMOTE":
        assert labelmill("models", "promote", GROUP, "--model", second, "--reason", "for this test") == 0
    model, between = labelled(stack)
    assert model == second and between != before

    assert labelmill("models", "rollback", GROUP, "--to", first, "--reason", "the old labels") == 0
    assert labelled(stack) == (first, before)
