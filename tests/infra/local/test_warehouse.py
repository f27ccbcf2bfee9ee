"""The local warehouse behind the Data API's calls, and schedules: as a client of AWS sees them."""

import hashlib
import json
import threading
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.local.jobs import ServiceError
from infra.local.schedules import NoSuchSchedule, fire
from infra.local.stacks import WAREHOUSE_ARN
from infra.local.warehouse import MOST_ACTIVE, Warehouse
from pipelines.warehouse import unload
from processing.dataset import manifest

BUCKET, GROUP = "warehouse-landing", "DE-weee"
ROWS = [
    {"item_id": "1", "title": 'it\'s; -- "new"', "period": "2026-09", "label": "a"},
    {"item_id": "2", "title": "two", "period": "2026-10", "label": "b"},
    {"item_id": "3", "title": "three", "period": "2026-11", "label": "a"},
]


@pytest.fixture(scope="module")
def key(aws, client):
    """A table of labelled items, a landing bucket, and the key it wants."""
    rows = [{"model_group": GROUP, "brand": None, "product_type": "x", "kg": 1.5, **row} for row in ROWS]
    others = [{**row, "model_group": "FR-packaging", "material": "paper"} for row in rows]
    table = aws.folder / "warehouse" / "labelled_items"
    table.mkdir(parents=True)
    for name, content in {"one": rows, "two": others}.items():
        pq.write_table(pa.Table.from_pylist(content), table / f"{name}.parquet")
    client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def execute(aws, client, key, name):
    """Run one statement to its end; returns its description. Its dataset is delivered as `name`."""
    ends = aws.events()

    def run(attributes=("kg",), period="2026-10", purpose="training", **changes):
        place = unload.Place(BUCKET, key, "arn:aws:iam::123456789012:role/warehouse")
        order = unload.Order(purpose, period, name)
        request = unload.request(order, GROUP, list(attributes), place, name) | changes
        statements = client("redshift-data")
        started = statements.execute_statement(**request, WorkgroupName=WAREHOUSE_ARN, Database="dev")
        for event in ends:
            ended = event["kind"] == "statement" and event["status"] in ("FINISHED", "FAILED")
            if ended and event["name"].startswith(name):
                break
        return statements.describe_statement(Id=started["Id"])

    return run


def objects(client, name, period="2026-10"):
    listed = client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"training/{GROUP}/{period}/{name}/")
    return [entry["Key"] for entry in listed.get("Contents", [])]


def test_a_dataset_lands_as_parquet_with_its_manifest_both_under_the_key_given(client, execute, key, name):
    statement = execute()
    assert (statement["Status"], statement["ResultRows"]) == ("FINISHED", 2)
    prefix = f"training/{GROUP}/2026-10/{name}/"
    assert objects(client, name) == [f"{prefix}0000_part_00.parquet", f"{prefix}manifest"]
    for path in objects(client, name):
        head = client("s3").head_object(Bucket=BUCKET, Key=path)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_prepare_reads_manifest_and_rows_as_they_are_in_the_table(client, execute, name, tmp_path):
    execute()
    for path in objects(client, name):
        client("s3").download_file(BUCKET, path, str(tmp_path / path.rpartition("/")[2]))
    [file] = manifest.read(tmp_path, f"s3://{BUCKET}/training/{GROUP}/2026-10/{name}/")
    assert file.rows == 2
    rows = pq.read_table(file.path).to_pylist()
    assert [row["title"] for row in rows] == [row["title"] for row in ROWS[:2]]
    assert list(rows[0]) == ["item_id", "title", "brand", "product_type", "kg", "label"]
    kinds = {
        one["name"]: one["type"]["base"]
        for one in json.loads((tmp_path / "manifest").read_text())["schema"]["elements"]
    }
    assert (kinds["title"], kinds["kg"]) == ("character varying", "double precision")


def test_a_statement_that_comes_twice_with_its_token_runs_once(execute, client, name):
    first = execute()
    request = {"Sql": first["QueryString"], "ClientToken": token(name), "WorkgroupName": WAREHOUSE_ARN}
    again = client("redshift-data").execute_statement(**request, Database="dev")
    assert again["Id"] == first["Id"]


def token(name):
    return hashlib.sha256(f"{name}/training/{GROUP}/2026-10/{name}".encode()).hexdigest()


def test_nothing_is_written_over(execute, name):
    execute()
    assert "is not empty" in execute(ClientToken="another")["Error"]


def test_no_rows_leave_no_file_and_no_manifest_and_the_statement_ends_well(client, execute, name):
    """As spark-redshift-community/spark-redshift issue 40 says of Redshift; the event alone tells of it."""
    statement = execute(period="2020-01")
    assert (statement["Status"], statement["ResultRows"]) == ("FINISHED", 0)
    assert objects(client, name, "2020-01") == []


def test_a_missing_column_fails_with_its_name_and_writes_nothing(client, execute, name):
    statement = execute(attributes=["volume_l"])
    assert statement["Status"] == "FAILED"
    assert "volume_l" in statement["Error"]
    assert objects(client, name) == []


def test_a_statement_in_another_form_is_refused_in_so_many_words(execute):
    statement = execute(Sql="DROP TABLE labelmill.labelled_items")
    assert (statement["Status"], "UNLOAD" in statement["Error"]) == ("FAILED", True)


def test_the_end_of_a_statement_is_an_event_that_a_rule_can_take(client, execute, make_queue, receive, name):
    url, arn = make_queue()
    pattern = {
        "source": ["aws.redshift-data"],
        "detail": {"state": ["FAILED"], "statementName": [{"prefix": name}]},
    }
    client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    statement = execute(attributes=["volume_l"])
    event = receive(url)
    client("events").remove_targets(Rule=name, Ids=["queue"])
    client("events").delete_rule(Name=name)
    assert event["detail-type"] == "Redshift Data Statement Status Change"
    assert event["detail"]["statementId"] == statement["Id"]
    assert event["detail"]["state"] == "FAILED"
    assert "volume_l" not in json.dumps(event["detail"]), "AWS's event does not say why, either"


def test_a_full_warehouse_takes_no_statement_until_one_has_ended():
    done, ended = threading.Event(), threading.Semaphore(0)

    def announce(statement, with_event):
        if statement["Status"] == "FINISHED":
            ended.release()

    warehouse = Warehouse(lambda sql: done.wait() and 0, announce)

    def start(number):
        request = {"Sql": "x", "ClientToken": str(number), "ClusterIdentifier": "c"}
        return warehouse.answer("ExecuteStatement", request)

    for number in range(MOST_ACTIVE):
        start(number)
    with pytest.raises(ServiceError) as refused:
        start("more")
    assert refused.value.code == "ActiveStatementsExceededException"
    done.set()
    for _ in range(MOST_ACTIVE):
        ended.acquire()


def test_a_schedule_sends_its_target_the_time_it_was_to_fire(client, make_queue, receive, name):
    url, arn = make_queue()
    client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="cron(0 2 1 * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": arn,
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
            "Input": '{"time": "<aws.scheduler.scheduled-time>", "try": <aws.scheduler.attempt-number>}',
        },
    )
    fire(client, name, datetime(2026, 11, 1, 2, tzinfo=UTC))
    assert receive(url) == {"time": "2026-11-01T02:00:00Z", "try": 1}


def test_a_schedule_invokes_a_function_as_an_event(client, make_function, make_queue, receive, name):
    url, _ = make_queue()
    source = "import boto3, json, os\n"
    source += "def handler(event, context):\n"
    source += (
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['URL'], MessageBody=json.dumps(event))\n"
    )
    client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="cron(0 2 1 * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": make_function(source, URL=url),
            "RoleArn": "arn:aws:iam::1:role/scheduler",
            "Input": "[7]",
        },
    )
    fire(client, name, datetime(2026, 11, 1, 2, tzinfo=UTC))
    assert receive(url) == [7]


def test_a_schedule_that_is_not_there_is_told_with_those_that_are(client):
    with pytest.raises(NoSuchSchedule, match=r"no schedule lunch\. Fix: name one of"):
        fire(client, "lunch", datetime.now(UTC))


def test_a_table_that_is_not_there_is_named_with_the_folder_its_files_belong_in(execute):
    failed = execute(purpose="inference")
    assert failed["Status"] == "FAILED"
    assert "new_items does not exist" in failed["Error"] and "Fix: put its Parquet files" in failed["Error"]
    assert "\n" not in failed["Error"]
