"""Publishing: an immutable file in the work bucket, and the ledger's item that names the current one."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.cli import main
from pipelines.codebooks import publish as publishing
from pipelines.codebooks.publish import publish
from pipelines.codebooks.read import CodebookError

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


def test_a_published_codebook_is_a_file_with_a_digest_and_the_groups_item(stack, book):
    done = publish(book, **stack.places, now=NOW)

    [(key, body)] = stack.objects().items()
    assert key == "codebooks/DE-weee/2026-11.json"
    assert json.loads(body) == {name: value for name, value in book.items() if name != "policy"}
    digest = hashlib.sha256(body).hexdigest()
    assert stack.ledger() == [
        {
            "group": "DE-weee",
            "entry": "GROUP",
            "codebook_uri": f"s3://{stack.work_bucket}/{key}",
            "codebook_version": "2026-11",
            "codebook_digest": digest,
            "policy": '{"min_rows": 500}',
            "families": '["linear", "boosted"]',
            "hyperparameters": '{"promise": "automatic", "precision": "0.98", "code_precision": "0.8"}',
            "search_limits": '{"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2}',
            "share_by": "none",
            "published_at": "2026-11-02T08:30:00+00:00",
        }
    ]
    assert (done.uri, done.digest) == (f"s3://{stack.work_bucket}/{key}", digest)
    assert (done.replaces, done.changed) == ("", True)


def test_publishing_the_same_again_changes_nothing(stack, book):
    publish(book, **stack.places, now=NOW)
    before = stack.objects(), stack.ledger()
    shuffled = dict(reversed(book.items()))
    done = publish(shuffled, **stack.places, now=NOW + timedelta(days=1))
    assert (stack.objects(), stack.ledger()) == before
    assert (done.changed, done.published_at) == (False, "2026-11-02T08:30:00+00:00")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({}, {}),
        ({"precision": 0.95}, {"precision": "0.95"}),
        ({"precision": 0}, {}),
        ({"promise": "month", "code_precision": 0.7}, {"promise": "month", "code_precision": "0.7"}),
    ],
)
def test_trainings_are_told_what_the_policy_promises(stack, book, wanted, told):
    publish(book, **stack.places, policy=wanted, now=NOW)
    default = {"promise": "automatic", "precision": "0.98", "code_precision": "0.8"}
    assert json.loads(stack.ledger()[0]["hyperparameters"]) == default | told


@pytest.mark.parametrize(("trials", "at_once"), [(1, 1), (2, 2), (30, 2)])
def test_a_search_makes_the_policys_trials_and_never_more_at_a_time_than_in_all(stack, book, trials, at_once):
    publish(book, **stack.places, policy={"trials": trials}, now=NOW)
    limits = json.loads(stack.ledger()[0]["search_limits"])
    assert limits == {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": at_once}


@pytest.mark.parametrize("trials", [0, 31, 2.5, 8.0])
def test_a_policy_with_other_trials_than_1_to_30_is_refused(stack, book, trials):
    with pytest.raises(CodebookError, match=r"trials is .*, must be a whole number from 1 to 30"):
        publish(book, **stack.places, policy={"trials": trials}, now=NOW)


def test_trees_are_tried_only_where_items_have_attributes(stack, book):
    publish({**book, "attributes": []}, **stack.places, now=NOW)
    assert json.loads(stack.ledger()[0]["families"]) == ["linear"]


def test_a_group_that_stops_sharing_takes_its_rows_back_and_no_other_groups(stack, book):
    book["codes"][0]["references"] = {"unu": ["0108"]}
    publish(book, **stack.places, policy={"share_by": "unu"}, now=NOW)
    for group in ("DE-weee", "AT-weee"):
        stack.s3.put_object(Bucket=stack.work_bucket, Key=f"shared/unu/{group}/rows.parquet", Body=b"rows")
    assert stack.ledger()[0]["share_by"] == "unu"
    publish(book, **stack.places, policy={}, now=NOW)
    assert stack.ledger()[0]["share_by"] == "none"
    assert set(stack.objects("shared/")) == {
        *("shared/unu/about.txt", "shared/unu/AT-weee/rows.parquet", "shared/none/about.txt")
    }


def test_a_codebook_from_before_a_setting_is_published_again_as_it_is_by_what_show_prints(
    stack, book, tmp_path, capsys
):
    """What a training says of such a codebook (OldCodebook)."""
    first = publish(book, **stack.places, now=NOW)
    stack.dynamodb.update_item(
        TableName=stack.table,
        Key={"group": {"S": "DE-weee"}, "entry": {"S": "GROUP"}},
        UpdateExpression="REMOVE search_limits",
    )
    assert main(["codebook", "show", "DE-weee", "--json"]) == 0
    file = tmp_path / "DE-weee.json"
    file.write_text(capsys.readouterr().out)
    assert main(["codebook", "publish", str(file)]) == 0
    [item] = stack.ledger()
    assert item["codebook_digest"] == first.digest and "search_limits" in item
    assert json.loads(item["policy"]) == book["policy"]


def test_of_rows_that_are_no_longer_shared_no_version_stays_and_who_loses_them_is_told(
    stack, book, tmp_path, capsys
):
    stack.s3.put_bucket_versioning(Bucket=stack.work_bucket, VersioningConfiguration={"Status": "Enabled"})
    book["codes"][0]["references"] = {"unu": ["0108"]}
    publish(book, **stack.places, policy={"share_by": "unu"}, now=NOW)
    for group in ("DE-weee", "AT-weee", "DE-weee"):
        stack.s3.put_object(Bucket=stack.work_bucket, Key=f"shared/unu/{group}/rows.parquet", Body=b"rows")
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps(book | {"policy": {}}))
    assert main(["codebook", "publish", str(file)]) == 0
    err = capsys.readouterr().err
    assert "DE-weee has stopped sharing its rows: the next models of AT-weee learn without them" in err
    left = stack.s3.list_object_versions(Bucket=stack.work_bucket, Prefix="shared/unu/")
    assert {version["Key"] for version in left["Versions"]} == {
        *("shared/unu/about.txt", "shared/unu/AT-weee/rows.parquet")
    }
    assert "DeleteMarkers" not in left
    assert main(["codebook", "publish", str(file)]) == 0
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["reviewed/", "texts/"])
def test_the_folders_that_a_training_job_is_given_are_there_from_the_first_codebook_on(stack, book, folder):
    """SageMaker refuses an input without objects."""
    publish(book, **stack.places, now=NOW)
    assert list(stack.objects(folder)) == [f"{folder}DE-weee/about.txt"]


def test_other_content_under_a_published_version_is_refused_and_nothing_changes(stack, book):
    publish(book, **stack.places, now=NOW)
    before = stack.objects(), stack.ledger()
    book["codes"][0]["description"] = "Something else"
    with pytest.raises(CodebookError, match=r"published already, with other content.*Fix: .*new version"):
        publish(book, **stack.places, now=NOW)
    assert (stack.objects(), stack.ledger()) == before


def test_a_new_version_stands_beside_the_old_one_and_becomes_current(stack, book):
    publish(book, **stack.places, now=NOW)
    done = publish({**book, "version": "2026-12"}, **stack.places, now=NOW)
    assert set(stack.objects()) == {"codebooks/DE-weee/2026-11.json", "codebooks/DE-weee/2026-12.json"}
    assert stack.ledger()[0]["codebook_version"] == "2026-12"
    assert (done.replaces, done.changed) == ("2026-11", True)


def test_a_policy_may_change_without_a_new_version(stack, book):
    publish(book, **stack.places, now=NOW)
    done = publish(book, **stack.places, policy={"min_rows": 600}, now=NOW)
    assert done.changed
    assert stack.ledger()[0]["policy"] == '{"min_rows": 600}'
    assert len(stack.objects()) == 1


def test_a_bad_codebook_is_not_published(stack, book):
    book["codes"][0]["valid_to"] = "soon"
    with pytest.raises(CodebookError, match="codebook DE-weee 2026-11: codes, entry 1"):
        publish(book, **stack.places, now=NOW)
    assert not stack.objects() and not stack.ledger()


def test_the_command_finds_bucket_and_table_by_the_stack_and_shows_what_is_published(
    stack, book, tmp_path, capsys
):
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps(book))
    assert main(["codebook", "publish", str(file)]) == 0
    assert "DE-weee 2026-11 is current now (before: none)" in capsys.readouterr().out

    assert main(["codebook", "publish", str(file)]) == 0
    assert "is already current, since" in capsys.readouterr().out

    assert main(["codebook", "show", "DE-weee", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == book

    book["codes"][3]["description"] = "Large equipment"
    file.write_text(json.dumps({**book, "version": "2026-12"}))
    assert main(["codebook", "diff", "DE-weee", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        '~ code "4", description: "Large" -> "Large equipment"',
        '~ version: "2026-11" -> "2026-12"',
    ]


def test_a_stack_that_is_not_there_is_named_with_the_fix(stack, book, tmp_path, capsys):
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps(book))
    assert main(["codebook", "publish", str(file), "--stack", "other"]) == 1
    assert "there is no stack 'other' in eu-central-1" in capsys.readouterr().err


def test_a_group_without_a_codebook_is_named_with_the_fix(stack, capsys):
    assert main(["codebook", "show", "FR-weee"]) == 1
    assert "Model group FR-weee is not known. Fix:" in capsys.readouterr().err


def test_a_published_file_that_was_changed_afterwards_is_not_believed(stack, book, capsys):
    done = publish(book, **stack.places, now=NOW)
    stack.s3.put_object(Bucket=stack.work_bucket, Key=done.uri.split("/", 3)[3], Body=b"{}")
    assert main(["codebook", "show", "DE-weee"]) == 1
    assert "its digest is not the ledger's" in capsys.readouterr().err


def test_of_two_who_publish_at_the_same_moment_the_second_is_refused(stack, book, monkeypatch):
    publish(book, **stack.places, now=NOW)
    read = publishing.current_codebook

    def read_then_be_overtaken(group, **given):
        current = read(group, **given)
        monkeypatch.undo()
        publish({**book, "version": "2026-12.1"}, **stack.places, now=NOW + timedelta(seconds=1))
        return current

    monkeypatch.setattr(publishing, "current_codebook", read_then_be_overtaken)
    with pytest.raises(
        CodebookError, match=r"just published for DE-weee, in place of 2026-11.*Fix: look at it"
    ):
        publish({**book, "version": "2026-12"}, **stack.places, now=NOW + timedelta(seconds=1))
    assert stack.ledger()[0]["codebook_version"] == "2026-12.1"


def test_of_two_first_codebooks_of_a_group_the_second_is_refused(stack, book, monkeypatch):
    publish(book, **stack.places, now=NOW)
    monkeypatch.setattr(publishing, "current_codebook", lambda group, **_: {})
    with pytest.raises(CodebookError, match="somebody else has just published for DE-weee"):
        publish({**book, "version": "2026-12"}, **stack.places, now=NOW)
    assert stack.ledger()[0]["codebook_version"] == "2026-11"


def test_a_retired_group_stays_retired_and_whoever_publishes_is_told(stack, book, tmp_path, capsys):
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps(book))
    assert main(["codebook", "publish", str(file)]) == 0
    assert main(["groups", "retire", "DE-weee", "--reason", "left the country"]) == 0
    retired_at = next(item["retired_at"] for item in stack.ledger() if item["entry"] == "GROUP")
    capsys.readouterr()
    for version in ("2026-11", "2026-12"):
        file.write_text(json.dumps({**book, "version": version}))
        assert main(["codebook", "publish", str(file)]) == 0
        printed = capsys.readouterr()
        assert f"Warning: DE-weee is retired since {retired_at} and stays so" in printed.err
        assert "labelmill groups revive DE-weee" in printed.err
        assert f"DE-weee {version} is" in printed.out
        [item] = [item for item in stack.ledger() if item["entry"] == "GROUP"]
        assert (item["codebook_version"], item["retired_at"]) == (version, retired_at)


def test_a_group_that_is_retired_while_its_codebook_is_published_stays_retired(stack, book, monkeypatch):
    publish(book, **stack.places, now=NOW)
    read = publishing.current_codebook

    def read_then_retire(group, **given):
        current = read(group, **given)
        assert main(["groups", "retire", group, "--reason", "left the country"]) == 0
        return current

    monkeypatch.setattr(publishing, "current_codebook", read_then_retire)
    publish({**book, "version": "2026-12"}, **stack.places, now=NOW)
    [item] = [item for item in stack.ledger() if item["entry"] == "GROUP"]
    assert item["codebook_version"] == "2026-12"
    assert item["retired_reason"] == "left the country"


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [("2026-11", "2026-9", True), ("2026-11.2", "2026-11", True), ("2026-9", "2026-11", False)],
)
def test_going_back_to_an_older_version_is_warned_of(stack, book, tmp_path, capsys, before, after, warned):
    publish({**book, "version": before}, **stack.places, now=NOW)
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps({**book, "version": after}))
    assert main(["codebook", "publish", str(file)]) == 0
    warning = f"Warning: {after} is older than {before}, which it replaces"
    assert (warning in capsys.readouterr().err) == warned
    assert stack.ledger()[0]["codebook_version"] == after


def test_publishing_an_older_version_again_makes_it_current_again(stack, book):
    for version in ("2026-11", "2026-12", "2026-11"):
        done = publish({**book, "version": version}, **stack.places, now=NOW)
    assert (done.replaces, done.changed) == ("2026-12", True)
    assert stack.ledger()[0]["codebook_version"] == "2026-11"
    assert len(stack.objects()) == 2
