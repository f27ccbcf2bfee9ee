"""Statements made of orders: what they ask for, and that nothing in a name gets out of its quotes."""

import re
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.aws_models import check, service_model
from pipelines import runs
from pipelines.warehouse import unload

PLACE = unload.Place(
    "landing", "arn:aws:kms:eu-central-1:123456789012:key/k", "arn:aws:iam::123456789012:role/w"
)
ORDER = unload.Order("training", "2026-10", "d1")
ATTRIBUTES = ["weight_kg", "material"]
TEXTS = st.text().filter(lambda text: "\\" not in text and "\0" not in text)


def query_in(sql: str) -> str:
    return re.search(r"UNLOAD \('((?:[^']|'')*)'\)", sql)[1].replace("''", "'")


def test_a_training_dataset_has_the_contracts_columns_of_its_group_up_to_its_period():
    request = unload.request(ORDER, "DE-weee", ATTRIBUTES, PLACE, "labelmill")
    assert query_in(request["Sql"]) == (
        'SELECT "item_id", "title", "brand", "product_type", "weight_kg", "material", "label"\n'
        "FROM labelmill.labelled_items\nWHERE model_group = 'DE-weee' AND period <= '2026-10'"
    )


def test_items_to_be_labelled_are_those_of_one_period_and_have_no_label():
    order = unload.Order("inference", "2026-10", "d1")
    query = query_in(unload.request(order, "DE-weee", [], PLACE, "labelmill")["Sql"])
    assert query.startswith('SELECT "item_id", "title", "brand", "product_type"\nFROM labelmill.new_items')
    assert query.endswith("period = '2026-10'")


def test_a_statement_writes_parquet_and_a_verbose_manifest_under_the_landing_key():
    request = unload.request(ORDER, "DE-weee", ATTRIBUTES, PLACE, "labelmill")
    assert request["Sql"].split("')\n", 1)[1].splitlines() == [
        "TO 's3://landing/training/DE-weee/2026-10/d1/'",
        f"IAM_ROLE '{PLACE.role_arn}'",
        "FORMAT AS PARQUET",
        "MANIFEST VERBOSE",
        f"KMS_KEY_ID '{PLACE.key_arn}'",
        "ENCRYPTED",
    ]
    assert request["StatementName"] == "labelmill/training/DE-weee/2026-10/d1"
    assert request["WithEvent"] is True


@pytest.mark.parametrize(
    "warehouse",
    [
        {"WorkgroupName": "arn:aws:redshift-serverless:eu-central-1:123456789012:workgroup/" + "0" * 8
         + "-0000-0000-0000-" + "0" * 12},
        {"ClusterIdentifier": "sales", "SecretArn": "arn:aws:secretsmanager:eu-central-1:1:secret:w"},
    ],
)  # fmt: skip
def test_aws_own_model_accepts_the_request(warehouse):
    request = unload.request(ORDER, "DE-weee", ATTRIBUTES, PLACE, "labelmill")
    model = service_model("redshift-data").operation_model("ExecuteStatement")
    check({**request, **warehouse, "Database": "dev"}, model)


def test_the_same_order_has_the_same_client_token_and_any_other_order_another():
    def token(group="DE-weee", **other):
        order = unload.Order(**{"purpose": "training", "period": "2026-10", "delivery": "d1", **other})
        return unload.request(order, group, ATTRIBUTES, PLACE, "labelmill")["ClientToken"]

    assert token() == token()
    others = {
        token("IT-weee"),
        token(purpose="inference"),
        token(period="2026-11"),
        token(delivery="d2"),
    }
    assert len({token(), *others}) == 5


@pytest.mark.parametrize(
    "group",
    ["DE-weee' OR '1'='1", "DE-weee'; DROP TABLE items; --", "../DE-weee", "de-weee", "DE-weee\n", ""],
)
def test_a_group_that_is_named_otherwise_than_groups_are_gets_no_statement(group):
    with pytest.raises(runs.BadKey, match="Fix:"):
        unload.request(ORDER, group, [], PLACE, "labelmill")


@pytest.mark.parametrize("attribute", ['weight" FROM secrets --', "Weight", "", "a b", "x" * 41])
def test_an_attribute_that_is_no_plain_name_gets_no_statement(attribute):
    with pytest.raises(unload.CannotUnload, match=r"is not a column name\. Fix:"):
        unload.request(ORDER, "DE-weee", [attribute], PLACE, "labelmill")


@given(TEXTS)
def test_no_value_escapes_its_literal(text):
    assert duckdb.sql(f"SELECT {unload.literal(text)}").fetchall() == [(text,)]


@given(TEXTS, TEXTS)
def test_no_value_escapes_a_query_inside_the_statements_own_quotes(one, two):
    query = unload.fill_in("SELECT :one AS {columns}, :two", ["a"], {"one": one, "two": two})
    [(inner,)] = duckdb.sql(f"SELECT {unload.literal(query)}").fetchall()
    [statement] = duckdb.extract_statements(inner)
    assert duckdb.sql(statement.query).fetchall() == [(one, two)]


@pytest.mark.parametrize("text", ["a\\", "\\' OR 1=1 --", "a\0"])
def test_what_redshift_would_read_as_an_escape_is_refused(text):
    with pytest.raises(unload.CannotUnload, match="Fix:"):
        unload.literal(text)


@pytest.mark.parametrize("query", ["SELECT {columns} WHERE x = :peroid", "SELECT {columns}"])
def test_a_parameter_without_a_value_and_a_value_without_a_parameter_are_refused(query):
    with pytest.raises(unload.CannotUnload, match="Fix:"):
        unload.fill_in(query, ["a"], {"period": "2026-10"})


def test_a_cast_is_no_parameter_and_comments_are_left_out():
    query = "-- it's :about this\nSELECT {columns}::text\n  -- more\nWHERE p = :period"
    assert unload.fill_in(query, ["a"], {"period": "x"}) == "SELECT \"a\"::text\nWHERE p = 'x'"


@pytest.mark.parametrize(
    ("scheduled", "time_zone", "period"),
    [
        ("2026-11-01T02:00:00Z", "UTC", "2026-10"),
        ("2026-10-31T23:30:00Z", "Europe/Berlin", "2026-10"),  # 1 November, half past midnight
        ("2026-11-01T00:30:00Z", "America/New_York", "2026-09"),  # still October there
        ("2027-01-01T02:00:00Z", "UTC", "2026-12"),
        ("2026-10-31T23:30:00Z", "UTC", "2026-09"),
    ],
)
def test_a_schedules_period_is_the_month_that_has_ended_on_its_clocks(scheduled, time_zone, period):
    body = f'{{"purpose": "training", "scheduled_time": "{scheduled}"}}'
    order = unload.read_order(body, time_zone)
    assert (order.period, order.groups) == (period, ())
    assert order.delivery == re.sub("[-:]", "", scheduled)
    assert unload.month_before(datetime.fromisoformat(scheduled).astimezone(UTC), time_zone) == period


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        '{"purpose": "test", "period": "2026-10", "delivery": "d1", "groups": []}',
        '{"purpose": "training", "period": "2026-10", "delivery": "d1", "groups": "DE-weee"}',
        '{"purpose": "training"}',
        '{"purpose": "training", "scheduled_time": "<aws.scheduler.scheduled-time>"}',
    ],
)
def test_what_is_no_order_is_refused_with_an_example(body):
    with pytest.raises(unload.CannotUnload, match="Fix: send"):
        unload.read_order(body, "UTC")


def test_a_failed_statement_is_asked_for_again_under_the_next_delivery():
    failure = unload.failure("labelmill/training/DE-weee/2026-10/20261101T020000Z", "FAILED", "ERROR: x")
    assert failure == {
        "machine": "unload",
        "run": "labelmill/training/DE-weee/2026-10/20261101T020000Z",
        "input": {
            "purpose": "training",
            "period": "2026-10",
            "delivery": "20261101T020000Z-2",
            "groups": ["DE-weee"],
        },
        "error": "FAILED",
        "cause": "ERROR: x",
    }
    assert unload.next_delivery("20261101T020000Z-2") == "20261101T020000Z-3"
    assert unload.next_delivery("d-x") == "d-x-2"


@pytest.mark.parametrize("name", ["labelmill/again", "labelmill/training/DE-weee/2026-10", "labelmill"])
def test_a_statement_of_another_kind_is_refused_with_the_fix(name):
    with pytest.raises(ValueError, match=r"is not the name of an UNLOAD of this stack\. Fix: give"):
        unload.read_name(name)
