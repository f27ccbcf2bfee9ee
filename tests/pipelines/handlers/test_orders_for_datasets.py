"""From an order to statements, and from their end to people: unload, statement_failed, statement_finished."""

import hashlib
import json
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

from pipelines.handlers import statement_failed, statement_finished, unload
from pipelines.handlers.ledger import Ledger
from tests import sent
from tests.pipelines.handlers.event_samples import sample

SCHEDULED = {"purpose": "training", "scheduled_time": "2026-11-01T02:00:00Z"}


class Statements:
    """The Redshift Data API: keeps what was started, once for each token; refuses what `full` names."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self):
        self.started: dict[str, dict] = {}
        self.full: set[str] = set()
        self.hidden = False
        self.error: str | None = 'ERROR: permission denied for relation "labelled_items"'

    def execute_statement(self, **request):
        if any(group in request["StatementName"] for group in self.full):
            error = {"Code": "ActiveStatementsExceededException", "Message": "too many"}
            raise ClientError({"Error": error}, "ExecuteStatement")
        self.started.setdefault(request["ClientToken"], request)

    def describe_statement(self, Id):
        if self.hidden:
            denied = {"Code": "AccessDeniedException", "Message": "not yours"}
            raise ClientError({"Error": denied}, "DescribeStatement")
        return {"Id": Id, **({"Error": self.error} if self.error else {})}

    def names(self):
        return [request["StatementName"] for request in self.started.values()]


@pytest.fixture
def statements():
    return Statements()


@pytest.fixture
def warehouse(ledger, monkeypatch):
    """Two known groups, their codebooks, and the function's settings."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="work-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for group, attributes in {"DE-weee": ["weight_kg"], "FR-packaging": []}.items():
        book = {"attributes": [{"name": name, "type": "number"} for name in attributes]}
        body = json.dumps(book).encode()
        s3.put_object(Bucket="work-bucket", Key=f"codebooks/{group}/1.json", Body=body)
        ledger.put(
            group,
            "GROUP",
            codebook_uri=f"s3://work-bucket/codebooks/{group}/1.json",
            codebook_digest=hashlib.sha256(body).hexdigest(),
        )
        ledger.put(group, "WINNER", model="m")
    settings = {
        "LANDING_BUCKET": "landing",
        "LANDING_KEY_ARN": "arn:aws:kms:eu-central-1:123456789012:key/k",
        "STACK_NAME": "labelmill",
        "TIME_ZONE": "Europe/Berlin",
        "WAREHOUSE_ARN": "arn:aws:redshift-serverless:eu-central-1:123456789012:workgroup/w",
        "WAREHOUSE_DATABASE": "dev",
        "WAREHOUSE_ROLE_ARN": "arn:aws:iam::123456789012:role/warehouse",
        "WAREHOUSE_SECRET_ARN": "",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def take(order: dict, statements) -> list[str]:
    """Hand an order to the function; return the messages that failed."""
    event = {"Records": [{"messageId": "m1", "body": json.dumps(order)}]}
    answer = unload.handler(
        event, statements=statements, s3=boto3.client("s3"), table=boto3.client("dynamodb")
    )
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


@pytest.mark.usefixtures("warehouse")
class TestOrders:
    def test_a_codebook_that_was_overwritten_names_no_columns(self, statements, caplog):
        book = json.dumps({"attributes": [{"name": "weight_lb", "type": "number"}]})
        boto3.client("s3").put_object(Bucket="work-bucket", Key="codebooks/DE-weee/1.json", Body=book)
        assert take(SCHEDULED, statements) == ["m1"]
        assert statements.names() == ["labelmill/training/FR-packaging/2026-10/20261101T020000Z"]
        assert "s3://work-bucket/codebooks/DE-weee/1.json is not what was recorded" in caplog.text

    def test_a_schedule_asks_for_a_dataset_of_every_known_group(self, statements):
        assert take(SCHEDULED, statements) == []
        assert statements.names() == [
            "labelmill/training/DE-weee/2026-10/20261101T020000Z",
            "labelmill/training/FR-packaging/2026-10/20261101T020000Z",
        ]
        first, second = (request["Sql"] for request in statements.started.values())
        assert '"weight_kg", "label"' in first
        assert '"product_type", "label"' in second

    def test_an_order_that_comes_twice_starts_nothing_more(self, statements):
        for _ in range(2):
            assert take(SCHEDULED, statements) == []
        assert len(statements.started) == 2

    def test_an_order_by_hand_is_for_its_groups_alone(self, statements):
        order = {"purpose": "inference", "period": "2026-09", "delivery": "again", "groups": ["DE-weee"]}
        assert take(order, statements) == []
        assert statements.names() == ["labelmill/inference/DE-weee/2026-09/again"]

    def test_too_many_statements_hold_no_other_group_back_and_the_order_comes_again(self, statements):
        statements.full = {"DE-weee"}
        assert take(SCHEDULED, statements) == ["m1"]
        assert statements.names() == ["labelmill/training/FR-packaging/2026-10/20261101T020000Z"]
        statements.full = set()
        assert take(SCHEDULED, statements) == []
        assert len(statements.started) == 2

    def test_an_unknown_group_and_a_message_that_is_no_order_fail(self, statements):
        order = {"purpose": "training", "period": "2026-10", "delivery": "d1", "groups": ["PL-batteries"]}
        assert take(order, statements) == ["m1"]
        assert take({"purpose": "lunch"}, statements) == ["m1"]
        assert statements.started == {}

    def test_a_retired_group_is_not_ordered_and_by_hand_told_how_to_revive(self, statements, ledger, caplog):
        uri = "s3://work-bucket/codebooks/DE-weee/1.json"
        ledger.put("DE-weee", "GROUP", codebook_uri=uri, retired_at="2026-10-20T08:00:00.000Z")
        assert take(SCHEDULED, statements) == []
        assert statements.names() == ["labelmill/training/FR-packaging/2026-10/20261101T020000Z"]
        order = {"purpose": "training", "period": "2026-10", "delivery": "d1", "groups": ["DE-weee"]}
        assert take(order, statements) == ["m1"]
        assert len(statements.started) == 1
        assert "labelmill groups revive DE-weee" in caplog.text

    def test_a_workgroup_is_signed_in_to_as_the_role_and_a_cluster_by_its_secret(
        self, statements, monkeypatch
    ):
        take({**SCHEDULED, "scheduled_time": "2026-11-01T02:00:00Z"}, statements)
        request = next(iter(statements.started.values()))
        assert request["WorkgroupName"].endswith(":workgroup/w")
        assert "SecretArn" not in request
        monkeypatch.setenv("WAREHOUSE_ARN", "arn:aws:redshift:eu-central-1:123456789012:cluster:sales")
        monkeypatch.setenv("WAREHOUSE_SECRET_ARN", "arn:secret")
        statements.started.clear()
        take(SCHEDULED, statements)
        request = next(iter(statements.started.values()))
        assert (request["ClusterIdentifier"], request["SecretArn"]) == ("sales", "arn:secret")
        assert "WorkgroupName" not in request


@pytest.fixture
def reported(aws, monkeypatch):
    """Where failures go: `reported()` is what is in the queue and what was published."""
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queue, notices = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("failures", "notices"))
    topic = sns.create_topic(Name="operators")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=notices, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("FAILURE_QUEUE_URL", queue)
    monkeypatch.setenv("OPERATORS_TOPIC_ARN", topic)

    def read():
        failure = json.loads(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
        [notice] = sent.received(sqs, notices)
        return failure, notice

    return read


def test_a_failed_statement_is_kept_to_be_run_again_and_people_hear_why(reported, statements):
    statement_failed.handler(
        sample("statement_failed"), statements=statements, sqs=boto3.client("sqs"), sns=boto3.client("sns")
    )
    failure, notice = reported()
    assert failure["run"] == "labelmill/training/DE-weee/2026-10/20261101T020000Z"
    assert (failure["machine"], failure["error"], failure["cause"]) == ("unload", "FAILED", statements.error)
    assert failure["input"]["groups"] == ["DE-weee"]
    assert notice["Subject"] == "unload failed: DE-weee training 2026-10"
    for word in ("DE-weee", "2026-10", statements.error, failure["run"]):
        assert word in notice["Message"]


def test_a_statement_that_somebody_stopped_has_no_error_and_is_told_of_all_the_same(reported, statements):
    event = sample("statement_failed")
    event["detail"]["state"] = "ABORTED"
    statements.error = None
    statement_failed.handler(event, statements=statements, sqs=boto3.client("sqs"), sns=boto3.client("sns"))
    failure, notice = reported()
    assert (failure["error"], failure["cause"]) == ("ABORTED", "it was stopped")
    assert "it was stopped" in notice["Message"]


def test_a_failure_whose_error_cannot_be_read_is_kept_and_told_of_all_the_same(reported, statements):
    statements.hidden = True
    statement_failed.handler(
        sample("statement_failed"), statements=statements, sqs=boto3.client("sqs"), sns=boto3.client("sns")
    )
    failure, notice = reported()
    assert failure["input"]["groups"] == ["DE-weee"]
    assert "could not be read" in failure["cause"]
    assert "not yours" in notice["Message"]


@pytest.fixture
def finished(aws, reported, ledger, monkeypatch):
    """Tell the function of a statement that has finished, with these keys in the landing bucket."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    monkeypatch.setenv("LANDING_BUCKET", "landing")

    def tell(*keys: str, delivery: str = "d1") -> None:
        for key in keys:
            s3.put_object(Bucket="landing", Key=key, Body=b"{}")
        event = sample("statement_failed")
        event["detail"] |= {
            "state": "FINISHED",
            "statementName": f"labelmill/inference/DE-weee/2026-10/{delivery}",
        }
        statement_finished.handler(event, s3=s3, table=boto3.client("dynamodb"), sns=boto3.client("sns"))

    return tell


def test_an_order_that_found_no_rows_ends_as_without_items_and_people_hear_of_it(finished, ledger):
    finished("inference/DE-weee/2026-10/d0/manifest", "inference/DE-weee/2026-10/d1-2/manifest")
    assert Ledger(boto3.client("dynamodb"), "ledger").month("2026-10").without_items == {"DE-weee"}
    [notice] = notices()
    assert notice["Subject"] == "no items: DE-weee inference 2026-10"
    assert "order the dataset again under another delivery" in notice["Message"]


def test_an_event_that_comes_twice_gives_one_notice(finished):
    finished()
    finished()
    assert len(notices()) == 1


def test_an_event_whose_notice_failed_gives_one_when_it_is_tried_again(finished, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("OPERATORS_TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:gone")
        with pytest.raises(ClientError):
            finished()
    finished()
    assert len(notices()) == 1


def test_another_order_of_the_same_month_gives_a_notice_of_its_own(finished):
    finished(delivery="d1")
    finished(delivery="d2")
    assert len(notices()) == 2


def test_an_order_that_found_rows_needs_no_word_as_its_manifest_starts_the_run(finished, ledger):
    finished("inference/DE-weee/2026-10/d1/manifest")
    assert not Ledger(boto3.client("dynamodb"), "ledger").month("2026-10").without_items
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=queue_url("notices"))


def notices() -> list[dict]:
    return sent.received(boto3.client("sqs"), queue_url("notices"))


def queue_url(name: str) -> str:
    return boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
