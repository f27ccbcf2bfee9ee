"""Runs of one month that meet: the newest delivery is the month, and what one writes no other loses."""

import json
from types import SimpleNamespace

import pytest

from tests.pipelines.machines.definition_examples import (
    CODEBOOK_URI,
    DELIVERED,
    GROUP,
    GROUP_ITEM,
    INPUTS,
    MODEL,
    MONTH_ITEM,
    OLD_MODEL,
    PERIOD,
    WINNER,
)
from tests.pipelines.machines.labelled_months import TABLE, given_to, labels_of, objects, prepare, published


def another(run: dict, digit: str, **changes: str) -> dict:
    """A run like the example, of its own name."""
    name = run["run"][:-12] + digit * 12
    return run | {"run": name} | ({"sheet": name} if "sheet" in run else {}) | changes


FIRST = INPUTS["inference"]
NEWER = another(FIRST, "2", delivered=DELIVERED.replace("02:00:00.123", "02:00:00.124"))
SHEET = INPUTS["review"]
OTHER_SHEET = another(SHEET, "3")


@pytest.fixture
def cloud(cloud):
    """With a winner."""
    prepare(cloud, NEWER, OTHER_SHEET).put(WINNER)
    return cloud


@pytest.fixture
def meanwhile(cloud):
    """Have something happen once, while the job with the given script runs."""

    def during(job: str, happen) -> None:
        def on_wait():
            _, request = cloud.sagemaker.requests[-1]
            if (
                request.get("AppSpecification", {}).get("ContainerEntrypoint", [""])[-1]
                == f"processing.{job}"
            ):
                cloud.sagemaker.on_wait = lambda: None
                happen()

        cloud.sagemaker.on_wait = on_wait

    return during


def succeed(cloud, *runs: dict) -> None:
    for run in runs:
        ended = cloud.run("inference", run)
        assert ended.status == "SUCCEEDED", ended.cause


def month(cloud) -> dict:
    [item] = cloud.items("MONTH#")
    return item


def history(cloud) -> dict[str, str]:
    """Every run that has recorded labels, and the one that had superseded it."""
    return {item["run"]: item.get("superseded_by", "") for item in cloud.items("LABELS#")}


def labels(run: dict) -> str:
    return f"s3://labelled/{labels_of(run)}"


# ---------------------------------------------------------------- deliveries


def test_the_newer_delivery_is_the_month_where_the_older_one_ends_later(cloud, meanwhile):
    meanwhile("publish", lambda: succeed(cloud, NEWER))
    succeed(cloud, FIRST)
    assert (month(cloud)["run"], month(cloud)["delivered"]) == (NEWER["run"], NEWER["delivered"])
    assert published(cloud, "labelled")[TABLE] == NEWER["run"]
    assert history(cloud) == {NEWER["run"]: "", FIRST["run"]: NEWER["run"]}
    assert f"{labels_of(FIRST)}manifest.json" in published(cloud, "labelled")
    assert len(given_to(cloud, "publish")) == 2  # once for each: what is superseded is not made again


def test_the_newer_delivery_is_the_month_where_the_older_one_only_starts_after_it(cloud):
    succeed(cloud, NEWER, FIRST)
    assert month(cloud)["run"] == NEWER["run"]
    assert published(cloud, "labelled")[TABLE] == NEWER["run"]
    assert history(cloud) == {NEWER["run"]: "", FIRST["run"]: NEWER["run"]}


def test_the_newer_delivery_is_the_month_where_it_ends_later_as_well(cloud, meanwhile):
    meanwhile("publish", lambda: succeed(cloud, FIRST))
    succeed(cloud, NEWER)
    assert month(cloud)["run"] == NEWER["run"]
    assert published(cloud, "labelled")[TABLE] == NEWER["run"]
    assert history(cloud) == {NEWER["run"]: "", FIRST["run"]: ""}


def test_people_are_told_once_that_a_delivery_came_too_late_and_not_that_its_labels_are_ready(cloud):
    succeed(cloud, NEWER)
    cloud.received("Stakeholders"), cloud.events()
    succeed(cloud, FIRST)
    for audience in ("Operators", "Stakeholders"):
        [notice] = cloud.received(audience)
        assert notice["Subject"] == f"Superseded: {GROUP} {PERIOD}"
        for named in (FIRST["dataset"], NEWER["run"], labels(FIRST)):
            assert named in notice["Message"]
    assert cloud.events() == [] and cloud.received("Mlops") == []


def test_of_two_versions_that_s3_took_in_one_millisecond_the_same_one_is_always_the_newer(cloud):
    time, _, version = DELIVERED.partition("#")
    same = another(NEWER, "2", delivered=f"{time}#{version[:-1]}~")
    succeed(cloud, same, FIRST)
    assert month(cloud)["run"] == same["run"]


def test_a_delivery_that_is_labelled_again_replaces_its_own_labels(cloud):
    again = another(FIRST, "4")
    prepare(cloud, again)
    succeed(cloud, FIRST, again)
    assert month(cloud)["run"] == again["run"]
    assert given_to(cloud, "publish")[-1]["replaced"] == labels(FIRST)


# ---------------------------------------------------------------- decisions


def test_decisions_imported_while_a_newer_delivery_is_labelled_are_in_its_labels(cloud, meanwhile):
    succeed(cloud, FIRST)
    meanwhile("publish", lambda: succeed(cloud, SHEET))
    run = cloud.run("inference", NEWER)
    assert run.status == "SUCCEEDED", run.cause
    assert month(cloud)["run"] == NEWER["run"]
    assert [given["replaced"] for given in given_to(cloud, "publish")[1:]] == [labels(FIRST), labels(SHEET)]
    # The items were labelled once: only what depends on the month was done again.
    assert [run.states.count(name) for name in ("Prepare", "Transform", "Publish")] == [1, 1, 2]
    assert run.largest < 8 * 1024


def test_decisions_that_a_newer_delivery_overtakes_are_put_into_its_labels(cloud, meanwhile):
    succeed(cloud, FIRST)
    meanwhile("amend", lambda: succeed(cloud, NEWER))
    succeed(cloud, SHEET)
    assert [given["labels"] for given in given_to(cloud, "amend")] == [labels(FIRST), labels(NEWER)]
    assert (month(cloud)["run"], month(cloud)["delivered"]) == (SHEET["run"], NEWER["delivered"])
    assert published(cloud, "labelled")[TABLE] == SHEET["run"]


def test_of_two_sheets_at_once_the_second_amends_what_the_first_has_amended(cloud, meanwhile):
    succeed(cloud, FIRST)
    meanwhile("amend", lambda: succeed(cloud, OTHER_SHEET))
    succeed(cloud, SHEET)
    assert given_to(cloud, "amend")[-1]["labels"] == labels(OTHER_SHEET)
    assert month(cloud)["run"] == SHEET["run"]
    assert set(objects(cloud, "work-bucket", "reviewed/").values()) == {SHEET["sheet"], OTHER_SHEET["sheet"]}


def test_a_sheet_that_is_started_again_keeps_its_decisions_under_one_name(cloud):
    succeed(cloud, FIRST, SHEET)
    again = another(SHEET, "5", sheet=SHEET["sheet"])
    prepare(cloud, again)
    succeed(cloud, again)
    assert list(objects(cloud, "work-bucket", "reviewed/").values()) == [SHEET["sheet"]]


# ---------------------------------------------------------------- winner and codebook


def models(cloud) -> list[str]:
    return [request["ModelName"] for request in cloud.sagemaker.sent("CreateTransformJob")]


def test_a_month_whose_winner_changes_before_it_is_recorded_is_labelled_by_the_new_one(cloud, meanwhile):
    meanwhile("publish", lambda: cloud.put(WINNER | {"model": {"S": MODEL}}))
    succeed(cloud, FIRST)
    assert models(cloud) == [OLD_MODEL, MODEL]
    assert month(cloud)["model"] == MODEL
    assert cloud.events()[-1][1]["model"] == MODEL
    assert f"Model: {MODEL}." in cloud.received("Stakeholders")[0]["Message"]


def test_a_month_whose_codebook_changes_before_it_is_recorded_is_labelled_by_the_new_one(cloud, meanwhile):
    uri = CODEBOOK_URI.replace("2026-10.json", "2.json")
    newer = GROUP_ITEM | {"codebook_version": {"S": "2"}, "codebook_uri": {"S": uri}}
    meanwhile("publish", lambda: cloud.put(newer))
    succeed(cloud, FIRST)
    for job in ("prepare", "publish"):
        assert [given["codebook"] for given in given_to(cloud, job)] == [CODEBOOK_URI, uri]
    assert "Codebook: 2." in cloud.received("Stakeholders")[0]["Message"]


def test_what_was_published_stays_as_its_manifest_says_where_the_run_looks_again(cloud, meanwhile):
    meanwhile("publish", lambda: cloud.put(WINNER | {"model": {"S": MODEL}}))
    succeed(cloud, FIRST)
    places = [
        output["S3Output"]["S3Uri"]
        for request in cloud.sagemaker.sent("CreateProcessingJob")
        for output in request["ProcessingOutputConfig"]["Outputs"]
        if output["OutputName"] == "files"
    ]
    first = f"s3://labelled/{labels_of(FIRST)}"
    assert places == [first, f"{first}again/"]
    [month] = cloud.items("MONTH#")
    assert month["labels"] == places[1]
    assert f"{labels_of(FIRST)}again/manifest.json" in published(cloud, "labelled")


def test_jobs_that_wait_for_machines_after_a_second_look_are_not_taken_for_done(cloud, meanwhile):
    meanwhile("publish", lambda: cloud.put(WINNER | {"model": {"S": MODEL}}))
    no_machine = {"FailureReason": "CapacityError: Unable to provision requested ML compute capacity."}
    cloud.sagemaker.plan("CreateTransformJob", None, no_machine)
    succeed(cloud, FIRST)
    assert models(cloud) == [OLD_MODEL, MODEL, MODEL]


def test_a_policy_that_changes_before_the_labels_are_recorded_is_applied_to_them(cloud, meanwhile):
    policy = '{"precision": 0.5}'
    meanwhile("publish", lambda: cloud.put(GROUP_ITEM | {"policy": {"S": policy}}))
    succeed(cloud, FIRST)
    _, *published = cloud.sagemaker.sent("CreateProcessingJob")
    arguments = [request["AppSpecification"]["ContainerArguments"] for request in published]
    assert [words[words.index("--policy") + 1] for words in arguments] == [GROUP_ITEM["policy"]["S"], policy]
    assert models(cloud) == [OLD_MODEL]


def test_decisions_are_put_into_labels_again_by_a_codebook_that_has_changed(cloud, meanwhile):
    succeed(cloud, FIRST)
    meanwhile("amend", lambda: cloud.put(GROUP_ITEM | {"codebook_version": {"S": "2"}}))
    succeed(cloud, SHEET)
    assert len(given_to(cloud, "amend")) == 2 and month(cloud)["run"] == SHEET["run"]


def test_a_winner_that_changes_is_nothing_to_decisions(cloud, meanwhile):
    succeed(cloud, FIRST)
    meanwhile("amend", lambda: cloud.put(WINNER | {"model": {"S": MODEL}}))
    succeed(cloud, SHEET)
    assert len(given_to(cloud, "amend")) == 1 and month(cloud)["model"] == OLD_MODEL


# ---------------------------------------------------------------- the last write


class Transactions(list):
    """The bodies of what is sent; `answers` are the reasons for which the next ones are cancelled."""

    def __init__(self):
        super().__init__()
        self.answers: list[str] = []


@pytest.fixture
def transactions(cloud):
    """Those of the test, on their way to DynamoDB."""
    seen = Transactions()

    def send(params, **_):
        seen.append(json.loads(params["body"]))
        if not seen.answers:
            return None
        text = "Transaction cancelled, please refer cancellation reasons for specific reasons "
        error = {"Code": "TransactionCanceledException", "Message": text + seen.answers.pop(0)}
        about = {"HTTPStatusCode": 400, "RequestId": "1"}
        return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": about}

    events = cloud.dynamodb.meta.events
    events.register("before-call.dynamodb.TransactWriteItems", send)
    yield seen
    events.unregister("before-call.dynamodb.TransactWriteItems", send)


def test_transactions_that_meet_are_tried_again_and_the_jobs_are_not(cloud, transactions):
    transactions.answers = ["[None, None, TransactionConflict, None]"] * 2
    succeed(cloud, FIRST)
    assert len(transactions) == 3 and len(given_to(cloud, "publish")) == 1
    assert len({transaction["ClientRequestToken"] for transaction in transactions}) == 1


@pytest.mark.parametrize(("given", "job"), [(FIRST, "publish"), (SHEET, "amend")])
def test_a_transaction_that_is_cancelled_for_another_reason_fails_the_run(given, job, cloud, transactions):
    cloud.put(MONTH_ITEM)
    transactions.answers = ["[None, ValidationError, None]"] * 9
    run = cloud.run("inference", given)
    assert run.status == "FAILED" and "ValidationError" in run.cause
    assert len(given_to(cloud, job)) == 1
    assert month(cloud)["run"] == MONTH_ITEM["run"]["S"] and cloud.items("LABELS#") == []
    assert objects(cloud, "work-bucket", "reviewed/") == {}


def test_labels_that_are_recorded_already_are_shown_and_not_made_again(cloud):
    """The answer to the first write was lost, for longer than DynamoDB knows its token."""
    recorded = {"group": {"S": GROUP}, "run": {"S": FIRST["run"]}, "delivered": {"S": DELIVERED}}
    recorded |= {"digest": {"S": "3a" * 32}, "table": {"S": f"labelled/{labels_of(FIRST)}labels.parquet"}}
    recorded |= {"labels": {"S": labels(FIRST)}, "recorded_at": {"S": "2026-11-01T03:00:00.000Z"}}
    entries = (f"MONTH#{PERIOD}", f"LABELS#{PERIOD}#{FIRST['run']}")
    cloud.put(*(recorded | {"entry": {"S": entry}} for entry in entries))
    run = cloud.run("inference", FIRST)
    assert run.status == "SUCCEEDED", run.cause
    at = run.states.index("RecordLabels")
    assert run.states[at + 1 : at + 4] == ["SomethingChanged", "GetRecorded", "Recorded"]
    assert run.states.count("Publish") == 1 and published(cloud, "labelled")[TABLE] == FIRST["run"]
    assert len(cloud.received("Stakeholders")) == 1


def test_decisions_that_are_recorded_already_are_still_kept(cloud):
    succeed(cloud, FIRST)
    entry = {"group": {"S": GROUP}, "entry": {"S": f"LABELS#{PERIOD}#{SHEET['run']}"}}
    recorded_at = "2026-11-01T03:00:00.000Z"
    cloud.put(entry | {"run": {"S": SHEET["run"]}, "recorded_at": {"S": recorded_at}})
    succeed(cloud, SHEET)
    assert recorded_at in [item["recorded_at"] for item in cloud.items("LABELS#")]
    assert list(objects(cloud, "work-bucket", "reviewed/").values()) == [SHEET["sheet"]]


def test_a_second_look_writes_under_another_token(cloud, meanwhile, transactions):
    succeed(cloud, FIRST)
    meanwhile("publish", lambda: succeed(cloud, SHEET))
    succeed(cloud, NEWER)
    tokens = [transaction["ClientRequestToken"] for transaction in transactions]
    assert len(set(tokens)) == 4  # one of each run, and one more of that which looked again
    assert all(len(token) <= 36 for token in tokens)
