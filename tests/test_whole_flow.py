"""The whole flow through the local stack, as a client of AWS sees it: nothing is faked."""

import json
import os
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra import results
from infra.local import reviewer
from infra.local.stack import LocalStack
from infra.samples import generate
from infra.samples.deliver import deliver, publish
from processing.labels.output import STATUSES
from tests import invariants

GOOD, BAD, UNKNOWN = "DE-weee", "IT-weee", "PL-batteries"
ROWS, NEW, DECIDED = 700, 120, 5
EMPTY = "2027-01"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack that has taken a good dataset, a bad one and one of an unknown group, and then new items.

    It takes these once more in the next month, when the codes are others and a reviewer decides; and then a
    month in which nothing was sold.
    """
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        for group in (GOOD, BAD):
            publish(stack, generate.codebook(group, "1"))
        rows = generate.items(GOOD, 0, ROWS, labelled=True)
        rows[3]["title"] = " "
        rows[4]["label"] = "99"
        rows[6]["item_id"] = rows[5]["item_id"]
        put(stack, "training", GOOD, pa.Table.from_pylist(rows))
        put(
            stack,
            "training",
            BAD,
            pa.Table.from_pylist(generate.items(BAD, 0, 300, True)).drop_columns(["brand"]),
        )
        put(stack, "training", UNKNOWN, pa.Table.from_pylist(generate.items(UNKNOWN, 0, 300, True)))
        stack.wait_until_quiet(timeout_seconds=300)
        new = pa.Table.from_pylist(generate.items(GOOD, ROWS, NEW, labelled=False))
        put(stack, "inference", GOOD, new)
        stack.wait_until_quiet(timeout_seconds=300)
        publish(stack, generate.changed_codebook(GOOD, "2", "2026-11-01"))
        put(stack, "inference", GOOD, new, "2026-11")
        stack.wait_until_quiet(timeout_seconds=300)
        sheet = stack.folder / "review.csv"
        reviewer.review(stack, GOOD, "2026-11", sheet, true_codes(), DECIDED)
        stack.wait_until_quiet(timeout_seconds=300)
        put(stack, "inference", GOOD, new.slice(0, 0), EMPTY)
        stack.wait_until_quiet(timeout_seconds=300)
        yield stack


def put(stack, purpose, group, table, month="2026-10"):
    return deliver(stack, f"{purpose}/{group}/{month}/d1/", table, "csv.gz")


def true_codes():
    return {row["item_id"]: row["label"] for row in generate.items(GOOD, ROWS, NEW, True, changed=True)}


def labels_of(stack, manifest):
    path = stack.folder / manifest["address"].replace("s3://", "s3/")
    return {row["item_id"]: row for row in pq.read_table(path.parent / "labels.parquet").to_pylist()}


def mail(stack):
    return [path.read_text(encoding="utf-8") for path in sorted((stack.folder / "mailbox").iterdir())]


def test_the_first_model_of_a_group_becomes_its_winner(stack):
    (decision,) = results.decisions(stack, GOOD)
    assert decision["verdict"] == "FIRST"
    assert results.read_json(stack, decision["evidence"])["challenger"]["model"] == decision["model"]


def test_the_winner_labels_every_new_item_once(stack):
    manifest = results.published(stack, GOOD)[0]
    assert manifest["rows"] == sum(manifest[status] for status in STATUSES) == NEW
    assert manifest["model"] == results.decisions(stack, GOOD)[-1]["model"]
    assert labels_of(stack, manifest).keys() == {
        row["item_id"] for row in generate.items(GOOD, ROWS, NEW, labelled=False)
    }


def test_a_renamed_code_is_mapped_and_a_split_ones_items_go_to_review(stack):
    before, after = (labels_of(stack, manifest) for manifest in results.published(stack, GOOD)[:2])
    renamed = [after[item]["code"] for item, row in before.items() if row["code"] == "4"]
    split = [after[item] for item, row in before.items() if row["code"] == "6"]
    assert renamed and set(renamed) == {"4-N"}
    assert split and {row["status"] for row in split} == {"review"}
    assert {row["reason"] for row in split} == {
        "code 6 was split into 6-1, 6-2 on 2026-11-01: a person must choose"
    }


def test_people_are_told_which_codes_the_winner_cannot_give(stack):
    sentence = "The model cannot predict codes 6-1, 6-2"
    assert [text for text in mail(stack) if sentence in text and "Labels ready" in text]
    assert [text for text in mail(stack) if sentence in text and "Labels need attention" in text]


def test_decisions_amend_the_labels_as_a_new_version_that_says_who_decided(stack):
    _, labelled, amended = results.published(stack, GOOD)[:3]
    assert amended["amends"] == labelled["address"].removesuffix("manifest.json")
    before, after = labels_of(stack, labelled), labels_of(stack, amended)
    decided = {item: row for item, row in after.items() if row["decided_by"]}
    assert len(decided) == DECIDED
    assert all(row["code"] == true_codes()[item] for item, row in decided.items())
    assert all(before[item]["status"] == "review" for item in decided)
    assert {row["decided_by"] for row in decided.values()} == {reviewer.NAME}
    assert all(after[item] == row for item, row in before.items() if item not in decided)


def test_a_month_in_which_nothing_was_sold_is_published_without_a_row_and_told(stack):
    manifest = results.published(stack, GOOD)[3]
    assert (manifest["period"], manifest["rows"]) == (EMPTY, 0)
    current = stack.folder / "s3" / stack.names["LabelledBucket"] / f"current/{GOOD}/{EMPTY}/labels.parquet"
    assert pq.read_table(current).num_rows == 0
    [notice] = [text for text in mail(stack) if f"Labels ready: {GOOD} {EMPTY}" in text]
    assert f"The month is empty; 2026-11 had {NEW} rows." in notice
    jobs = [path.name for path in (stack.folder / "jobs").glob(f"{GOOD}-{EMPTY}-*")]
    assert sorted(name.split("-")[-2] for name in jobs) == ["prepare", "publish"]


def test_bad_rows_are_set_aside_with_their_reasons_and_the_rest_goes_on(stack):
    run = next((stack.folder / "executions").glob(f"*/{GOOD}-training-*.json"))
    (rejected,) = (stack.folder / "s3" / stack.names["WorkBucket"]).glob(
        f"runs/{GOOD}/{run.stem}/rejected/*.jsonl"
    )
    reasons = {
        json.loads(line)["row"]: json.loads(line)["problem"] for line in rejected.read_text().splitlines()
    }
    assert len(reasons) >= 3
    assert reasons.keys() >= {4, 5, 7}


@pytest.mark.parametrize(
    ("group", "sentence"),
    [(BAD, "brand"), (UNKNOWN, f"Model group {UNKNOWN} is not known")],
)
def test_a_bad_dataset_ends_in_the_failure_queue_with_a_notice_that_says_why(stack, group, sentence):
    queued = [json.loads(body) for body in failures(stack)]
    (failure,) = [failure for failure in queued if failure["input"]["group"] == group]
    assert failure["machine"] == "training"
    assert failure["input"]["dataset"].endswith(f"training/{group}/2026-10/d1/")
    (notice,) = [text for text in mail(stack) if "training failed" in text and group in text]
    assert sentence in notice


def failures(stack):
    """Bodies of the failure queue, left in it."""
    sqs, queue, bodies = stack.client("sqs"), stack.names["FailureQueueUrl"], []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += messages
    for message in bodies:
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return [message["Body"] for message in bodies]


def test_people_are_told_and_no_item_is_in_a_message(stack):
    texts = mail(stack)
    assert any(f"FIRST: {GOOD}" in text for text in texts)
    assert any(f"Labels ready: {GOOD}" in text for text in texts)
    titles = [row["title"] for row in generate.items(GOOD, 0, ROWS + NEW, labelled=False)]
    assert not [title for title in titles if any(title in text for text in texts)]


def test_no_item_is_in_a_log_of_a_function_or_a_job(stack):
    logs = [*stack.folder.glob("functions/*.log"), *stack.folder.glob("jobs/*/log.txt")]
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)
    assert text
    titles = {row["title"] for row in generate.items(GOOD, 0, ROWS + NEW, labelled=False)}
    assert not [title for title in titles if len(title) > 12 and title in text]


def test_functions_log_json_that_says_which_run_and_group_it_is_about(stack):
    for path in stack.folder.glob("functions/*.log"):
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            assert {"timestamp", "level", "message", "run", "group"} <= line.keys(), path.name


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed")
def test_the_aws_cli_drives_a_dataset_through(stack, tmp_path):
    source = put(stack, "inference", "XX-none", pa.Table.from_pylist(generate.items(GOOD, 0, 30, False)))
    stack.wait_until_quiet(timeout_seconds=300)
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    delivery = f"s3://{bucket}/inference/{GOOD}/2026-12/cli/"
    environment = os.environ | stack.connection.settings
    for path in sorted(
        (stack.folder / "s3" / bucket / prefix).iterdir(), key=lambda path: path.name == "manifest"
    ):
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes().replace(source.encode(), delivery.encode()))
        command = ["aws", "s3", "cp", str(copy), f"{delivery}{path.name}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    stack.wait_until_quiet(timeout_seconds=300)
    assert results.published(stack, GOOD)[-1]["rows"] == 30


def test_all_invariants_hold_in_the_end(stack):
    assert invariants.broken(invariants.of_stack(stack.client, stack.names)) == []
