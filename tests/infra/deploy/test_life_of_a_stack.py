"""Every way a stack can fail, and that what `deploy` and `destroy` say then really leads on.

On an account and a CloudFormation that live as AWS documents it (fake_account.py, fake_cloudformation.py),
with the real templates. In all of it no data is lost but by `--delete-data`.
"""

import json

import boto3
import pytest

from infra.deploy import kept_data, taking_over
from infra.deploy.cfn_yaml import load
from tests.infra.deploy.fake_account import FakeAccount
from tests.infra.policies import Stack
from tests.infra.templates import ROOT, template

NAME = "shop"
KEPT_KINDS = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::ECR::Repository", "AWS::KMS::Key")


@pytest.fixture
def account(monkeypatch) -> FakeAccount:
    made = FakeAccount()
    monkeypatch.setattr(boto3, "Session", made.Session)
    return made


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "shop.json"

    def write(**parameters: str) -> str:
        parameters = {"Name": NAME, **parameters}
        given = {"region": "eu-central-1", "account": "", "stack": NAME, "parameters": parameters}
        path.write_text(json.dumps(given))
        return str(path)

    write()
    return write


@pytest.fixture
def run(account, commands, settings, tmp_path):
    """`run("deploy")` answers with the exit code; unless told otherwise the person agrees to everything."""

    def command(name: str, *options: str, answers: tuple[str, ...] = ("yes",) * 4) -> int:
        return commands(name, "--parameters", str(tmp_path / "shop.json"), *options, answers=answers)

    return command


def kept(account: FakeAccount) -> dict[tuple[str, str], str | None]:
    """Data and keys that exist, each with the key it is under."""
    return {thing: about["key"] for thing, about in account.things.items() if thing[0] in KEPT_KINDS}


def status(account: FakeAccount, stack: str = NAME) -> str:
    return account.cloudformation.stacks[stack].status


def test_the_first_deployment_copies_the_image_and_the_next_has_nothing_to_do(account, run, capsys):
    assert run("deploy") == 0
    out = capsys.readouterr().out
    assert "AWS's image 3.2-0 is copied" in out
    assert account.images == ["3.2-0-1a1a1a1a1a1a"]
    address = account.cloudformation.stacks[NAME].parameters["ImageUri"]
    assert address.endswith("@sha256:" + "1a" * 32)
    assert run("deploy", answers=()) == 0
    assert capsys.readouterr().out.count("nothing to change") == 2
    assert len(account.images) == 1


def test_an_image_that_aws_has_patched_is_copied_on_demand_and_one_that_is_given_never(
    account, run, settings
):
    assert run("deploy", "--new-image") == 0
    assert run("deploy", "--new-image") == 0
    assert len(account.images) == 2
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/ours@sha256:{'2b' * 32}"
    settings(ImageUri=image)
    assert run("deploy") == 0
    assert len(account.images) == 2
    assert account.cloudformation.stacks[NAME].parameters["ImageUri"] == image


def image_of(account: FakeAccount) -> str:
    return account.cloudformation.stacks[NAME].parameters["ImageUri"]


def test_jobs_keep_their_image_until_somebody_has_agreed_to_another(account, run):
    assert run("deploy") == 0
    before = image_of(account)
    account.image_at_aws = "2b"
    assert run("deploy", "--new-image", answers=("no",)) == 1
    assert len(account.images) == 2
    assert run("deploy", answers=()) == 0
    assert image_of(account) == before
    assert run("deploy", "--new-image") == 0
    assert image_of(account) == before.replace("1a", "2b")


def test_an_image_of_another_repository_is_left_for_the_newest_copy_when_it_is_no_longer_given(
    account, run, settings
):
    settings(ImageUri=f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/jobs@sha256:{'2b' * 32}")
    assert run("deploy") == 0
    settings()
    assert run("deploy") == 0
    assert image_of(account).endswith("@sha256:" + "1a" * 32)


def test_a_copy_that_failed_is_told_with_its_log_and_deploying_again_leads_on(account, run, capsys):
    account.refused["StartBuild"] = "FAILED"
    assert run("deploy") == 1
    assert "then deploy again: https://logs/1" in capsys.readouterr().err
    account.refused.clear()
    assert run("deploy") == 0


@pytest.mark.parametrize(("stack", "resource"), [("shop-code", "CodeKeyAlias"), (NAME, "LedgerTable")])
def test_a_creation_that_failed_is_told_and_deploying_again_leads_on(stack, resource, account, run, capsys):
    account.faults["create", resource] = "no such luck."
    assert run("deploy") == 1
    err = capsys.readouterr().err
    assert f"{stack} is ROLLBACK_COMPLETE, as {resource} failed: no such luck. Fix: resolve that, then" in err
    assert status(account, stack) == "ROLLBACK_COMPLETE"
    account.faults.clear()
    assert run("deploy") == 0
    assert f"stack {stack} is ROLLBACK_COMPLETE: what is left of it is deleted" in capsys.readouterr().out
    assert status(account) == "CREATE_COMPLETE"


def test_what_a_failed_creation_could_not_take_back_is_data_of_the_next_stack(account, run):
    """Access logs come into their bucket at once, and a bucket that is not empty is not deleted."""
    account.faults = {
        ("create", "TrainingMachine"): "no such luck",
        ("rollback", "AccessLogBucket"): "The bucket you tried to delete is not empty",
    }
    assert run("deploy") == 1
    assert status(account) == "ROLLBACK_FAILED"
    account.faults.clear()
    assert run("deploy") == 0
    assert status(account) == "UPDATE_COMPLETE"


@pytest.mark.parametrize("way", ["cancel", "destroy"])
def test_a_table_that_a_failed_creation_left_without_its_key_leads_on_both_ways(way, account, run, capsys):
    account.faults = {("create", "Catalog"): "no such luck", ("rollback", "LedgerTable"): "it is protected"}
    assert run("deploy") == 1
    account.faults.clear()
    assert run("deploy") == 1
    err = capsys.readouterr().err
    assert "OperationsKey" in err and "that is PendingDeletion. Fix:" in err
    if way == "cancel":
        account.key_states.clear()  # what `aws kms cancel-key-deletion` and `enable-key` do
    else:
        assert run("destroy", "--delete-data", answers=(NAME,)) == 0
    assert run("deploy") == 0


def test_a_change_that_failed_is_rolled_back_and_deploying_again_leads_on(account, run, settings, capsys):
    assert run("deploy") == 0
    before = kept(account)
    account.cloudformation.stacks[NAME].template["Resources"].pop("Catalog")  # as if it were new
    account.faults["create", "Catalog"] = "no such luck"
    account.cloudformation.stacks[NAME].made.pop("Catalog")
    account.things = {thing: about for thing, about in account.things.items() if "Catalog" not in thing[1]}
    assert run("deploy") == 1
    assert "is UPDATE_ROLLBACK_COMPLETE, as Catalog failed" in capsys.readouterr().err
    account.faults.clear()
    assert run("deploy") == 0
    assert kept(account) == before


@pytest.fixture
def stuck(account, run, capsys):
    """A stack whose rollback stuck on its queue."""
    assert run("deploy") == 0
    stack = account.cloudformation.stacks[NAME]
    stack.template["Resources"]["Catalog"]["Properties"] = {}  # as if it were changed
    account.faults = {
        ("update", "Catalog"): "no such luck",
        ("rollback", "TrainingQueue"): "the queue does not exist",
    }
    assert run("deploy") == 1
    assert (
        "is UPDATE_ROLLBACK_FAILED, as Catalog failed: no such luck. Fix: resolve that"
        in capsys.readouterr().err
    )
    del account.faults["update", "Catalog"]
    return account


def test_a_rollback_that_stuck_goes_on_when_deploying_again(stuck, run):
    stuck.faults.clear()
    assert run("deploy") == 0
    assert status(stuck) == "UPDATE_COMPLETE"


def test_a_rollback_that_stuck_for_good_goes_on_without_what_is_gone(stuck, run, capsys):
    capsys.readouterr()
    assert run("deploy") == 1
    err = capsys.readouterr().err
    command = (
        "aws cloudformation continue-update-rollback --stack-name shop --resources-to-skip TrainingQueue"
    )
    assert f"`{command}`" in err
    # What that command does:
    stuck.cloudformation.continue_update_rollback(StackName="shop", ResourcesToSkip=["TrainingQueue"])
    assert run("deploy") == 0
    assert status(stuck) == "UPDATE_COMPLETE"


def test_a_return_takes_over_all_that_was_kept_under_the_keys_it_was_under(account, run, capsys):
    assert run("deploy") == 0
    before = kept(account)
    assert run("destroy") == 0
    assert kept(account) == before
    capsys.readouterr()
    assert run("deploy") == 0
    assert "stack shop would take over what an earlier one has kept:" in capsys.readouterr().out
    assert kept(account) == before
    assert all(about["stack"] for about in account.things.values())
    assert run("deploy", answers=()) == 0


def test_the_code_stack_returns_as_well(account, run):
    assert run("deploy") == 0
    before = kept(account)
    account.cloudformation.delete_stack(StackName="shop-code")
    assert run("deploy") == 0
    assert kept(account) == before
    assert account.images == ["3.2-0-1a1a1a1a1a1a"]


def test_what_somebody_deleted_meanwhile_is_made_anew_and_the_rest_taken_over(account, run):
    assert run("deploy") == 0
    before = kept(account)
    assert run("destroy") == 0
    lost = ("AWS::S3::Bucket", f"{NAME}-labelled-123456789012-eu-central-1")
    del account.things[lost]
    assert run("deploy") == 0
    now = kept(account)
    assert now[lost] != before[lost]
    assert now.items() >= {thing: key for thing, key in before.items() if thing != lost}.items()


def test_what_somebody_changed_meanwhile_is_told_with_what_it_was(account, run, capsys):
    assert run("deploy") == 0
    assert run("destroy") == 0
    difference = {
        "PropertyPath": "/VersioningConfiguration/Status",
        "ActualValue": "Suspended",
        "ExpectedValue": "Enabled",
    }
    account.drifts = [
        {
            "ResourceType": kind,
            "PhysicalResourceId": name,
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [difference],
        }
        for kind, name in (("AWS::S3::Bucket", "shop-work"), ("AWS::KMS::Key", "WorkKey-1"))
    ]
    capsys.readouterr()
    assert run("deploy") == 0
    out = capsys.readouterr().out
    assert (
        "shop-work was changed meanwhile: /VersioningConfiguration/Status is Suspended. Fix: set it to" in out
    )
    assert "WorkKey-1 was changed" not in out


def test_what_somebody_deleted_while_it_was_taken_over_is_told(account, run, capsys):
    assert run("deploy") == 0
    assert run("destroy") == 0
    account.drifts = [
        {
            "ResourceType": "AWS::S3::Bucket",
            "PhysicalResourceId": "shop-work",
            "StackResourceDriftStatus": "DELETED",
        }
    ]
    assert run("deploy") == 0
    assert "shop-work was deleted meanwhile. Fix: `labelmill destroy`" in capsys.readouterr().out


def test_a_comparison_with_what_was_kept_that_failed_is_told_with_its_reason(account, run, capsys):
    assert run("deploy") == 0
    assert run("destroy") == 0
    account.faults["detect", "drift"] = "not authorized to perform: s3:GetBucketTagging"
    assert run("deploy") == 0
    out = capsys.readouterr().out
    assert "could be compared with the template: not authorized to perform: s3:GetBucketTagging. Fix:" in out


def test_a_taking_over_that_failed_changes_nothing_and_deploying_again_leads_on(account, run, capsys):
    assert run("deploy") == 0
    before = kept(account)
    assert run("destroy") == 0
    account.faults["import", "WorkBucket"] = "no such luck"
    assert run("deploy") == 1
    assert (
        "IMPORT_ROLLBACK_COMPLETE, as WorkBucket failed: no such luck. Fix: resolve that, then deploy again"
        in capsys.readouterr().err
    )
    assert kept(account) == before
    account.faults.clear()
    assert run("deploy") == 0
    assert kept(account) == before


def test_a_taking_over_whose_clean_up_did_not_happen_leads_on_as_well(account, run, capsys):
    assert run("deploy") == 0
    before = kept(account)
    assert run("destroy") == 0
    account.faults["import", "WorkBucket"] = "no such luck"
    account.refused["DeleteStack"] = "AccessDenied"
    assert run("deploy") == 1
    assert status(account) == "IMPORT_ROLLBACK_COMPLETE"
    account.faults.clear()
    account.refused.clear()
    assert run("deploy") == 0
    assert "stack shop is IMPORT_ROLLBACK_COMPLETE: what is left of it is deleted" in capsys.readouterr().out
    assert kept(account) == before


def test_an_import_by_hand_that_was_rolled_back_leaves_what_was_in_the_stack(account, run):
    assert run("deploy") == 0
    stack = account.cloudformation.stacks[NAME]
    stack.status = "IMPORT_ROLLBACK_COMPLETE"
    assert run("deploy") == 0
    assert account.cloudformation.stacks[NAME] is stack


def test_a_change_after_taking_over_that_failed_leaves_the_data_in_the_stack(account, run):
    assert run("deploy") == 0
    before = kept(account)
    assert run("destroy") == 0
    account.faults["create", "TrainingMachine"] = "no such luck"
    assert run("deploy") == 1
    assert status(account) == "UPDATE_ROLLBACK_COMPLETE"
    assert kept(account) == before
    account.faults.clear()
    assert run("deploy") == 0
    assert kept(account) == before


def test_saying_no_between_the_two_steps_loses_nothing(account, run):
    assert run("deploy") == 0
    before = kept(account)
    assert run("destroy") == 0
    assert run("deploy", answers=("no",)) == 1
    assert NAME not in account.cloudformation.stacks
    assert run("deploy", answers=("yes", "no")) == 1
    assert status(account) == "IMPORT_COMPLETE"
    assert run("destroy") == 0
    assert kept(account) == before
    assert run("deploy") == 0
    assert kept(account) == before


@pytest.mark.parametrize("state", ["PendingDeletion", "Disabled"])
def test_data_under_a_key_that_is_not_enabled_is_not_taken_over(state, account, run, capsys):
    assert run("deploy") == 0
    assert run("destroy") == 0
    [key] = [name for kind, name in account.things if kind == "AWS::KMS::Key" and name.startswith("WorkKey")]
    account.key_states[key] = state
    assert run("deploy") == 1
    assert (
        f"WorkKey of the data that is kept is {key}, a key of CUSTOMER that is {state}. Fix:"
        in capsys.readouterr().err
    )
    account.key_states.clear()
    assert run("deploy") == 0


#: Actions that are not named as the call is (IAM's action tables).
ACTIONS = {"s3:GetBucketEncryption": "s3:GetEncryptionConfiguration", "s3:ListObjectsV2": "s3:ListBucket"}


def test_the_deliverys_role_may_make_every_call_of_deploy_but_delete_a_stack(account, run, monkeypatch):
    monkeypatch.setitem(account.refused, "StartBuild", "FAILED")
    assert run("deploy") == 1
    account.refused.clear()
    account.faults["create", "Catalog"] = "no such luck"
    assert run("deploy") == 1
    account.faults.clear()
    assert run("deploy") == 0
    assert run("destroy") == 0
    assert run("deploy") == 0
    for rolled_back in ("UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_COMPLETE"):
        account.cloudformation.stacks[NAME].status = rolled_back
        assert run("deploy") == 0
    called = {f"{service}:{''.join(map(str.capitalize, name.split('_')))}" for service, name in account.calls}
    wanted = {ACTIONS.get(action, action) for action in called} | {"codebuild:BatchGetBuilds"}
    delivery = Stack(template("delivery"), ConnectionArn="arn", Repository="a/b", Name="labelmill-delivery")
    for role in ("DeployTestRole", "DeployProductionRole"):
        assert wanted - delivery.granted(role) == {"cloudformation:DeleteStack", "sts:GetCallerIdentity"}


def everything_but_keys(account: FakeAccount) -> set:
    return {thing for thing in account.things if thing[0] != "AWS::KMS::Key"}


def all_keys_are_to_go(account: FakeAccount) -> bool:
    keys = {name for kind, name in account.things if kind == "AWS::KMS::Key"}
    return keys == {key for key, state in account.key_states.items() if state == "PendingDeletion"} != set()


def test_deleting_data_leaves_nothing_but_keys_that_are_to_be_deleted(account, run):
    assert run("deploy") == 0
    assert run("destroy", "--delete-data", answers=(NAME,)) == 0
    assert everything_but_keys(account) == set()
    assert all_keys_are_to_go(account)


def test_deleting_data_finds_what_an_earlier_destroy_has_left(account, run):
    assert run("deploy") == 0
    assert run("destroy") == 0
    assert run("destroy", "--delete-data", answers=(NAME,)) == 0
    assert everything_but_keys(account) == set()
    assert all_keys_are_to_go(account)
    assert run("destroy", "--delete-data", answers=()) == 0


def test_deleting_data_after_a_failed_creation_takes_for_data_what_is_there(account, run, capsys):
    account.faults["create", "TrainingMachine"] = "no such luck"
    assert run("deploy") == 1
    account.faults.clear()
    capsys.readouterr()
    assert run("destroy", "--delete-data", answers=(NAME,)) == 0
    assert "shop-landing" not in capsys.readouterr().out
    assert everything_but_keys(account) == set()


def test_deleting_data_that_was_cut_short_goes_on(account, run, monkeypatch):
    """Also where the first try had come as far as the keys of the code, and a person lost patience."""
    assert run("deploy") == 0
    [key] = [name for kind, name in account.things if kind == "AWS::KMS::Key" and name.startswith("Code")]
    account.key_states[key] = "PendingDeletion"
    erase = kept_data.ERASE["AWS::DynamoDB::Table"]

    def fail(session, name):
        raise OSError("the network is gone")

    monkeypatch.setitem(kept_data.ERASE, "AWS::DynamoDB::Table", fail)
    assert run("destroy", "--delete-data", answers=(NAME,)) == 1
    monkeypatch.setitem(kept_data.ERASE, "AWS::DynamoDB::Table", erase)
    assert run("destroy", "--delete-data", answers=(NAME,)) == 0
    assert everything_but_keys(account) == set()


def test_access_logs_that_arrive_while_their_bucket_is_emptied_are_deleted_too(
    account, run, monkeypatch, capsys
):
    paused = []
    monkeypatch.setattr(kept_data.time, "sleep", paused.append)
    assert run("deploy") == 0
    [logs] = [name for kind, name in account.things if kind == "AWS::S3::Bucket" and "-access-logs-" in name]
    account.late_logs[logs] = 2
    assert run("destroy", "--delete-data", answers=(NAME,)) == 0
    assert paused == [kept_data.ERASE_PAUSE_SECONDS] * 2
    assert f"{logs}: something has arrived meanwhile" in capsys.readouterr().out
    assert everything_but_keys(account) == set()


def test_a_bucket_that_does_not_stay_empty_is_left_after_some_minutes_and_a_later_run_goes_on(
    account, run, monkeypatch, capsys
):
    monkeypatch.setattr(kept_data.time, "sleep", lambda seconds: None)
    assert run("deploy") == 0
    [logs] = [name for kind, name in account.things if kind == "AWS::S3::Bucket" and "-access-logs-" in name]
    account.late_logs[logs] = kept_data.ERASE_TRIES
    assert run("destroy", "--delete-data", answers=(NAME,)) == 1
    assert f"{logs} gets new objects while it is emptied" in capsys.readouterr().err
    # No later run finds a key whose data is gone.
    keys = {name for kind, name in account.things if kind == "AWS::KMS::Key"}
    assert {name for name in keys if account.key_states.get(name) == "PendingDeletion"} == keys
    assert run("destroy", "--delete-data", answers=(NAME,)) == 0
    assert everything_but_keys(account) == set()


@pytest.mark.parametrize("then", ["deploy", "destroy"])
def test_a_deletion_that_stuck_is_told_and_either_command_leads_on(then, account, run, capsys):
    assert run("deploy") == 0
    before = kept(account)
    account.faults["delete", "TrainRole"] = "it has a policy of somebody else"
    assert run("destroy") == 1
    assert (
        "is DELETE_FAILED, as TrainRole failed: it has a policy of somebody else. Fix: resolve that"
        in capsys.readouterr().err
    )
    account.faults.clear()
    assert run(then) == 0
    assert kept(account) == before
    assert (NAME in account.cloudformation.stacks) == (then == "deploy")


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_a_stack_that_is_busy_is_left_alone_until_it_rests(command, account, run, capsys):
    assert run("deploy") == 0
    account.cloudformation.stacks[NAME].status = "UPDATE_IN_PROGRESS"
    assert run(command) == 1
    assert "is UPDATE_IN_PROGRESS. Fix: wait until that has ended" in capsys.readouterr().err
    account.cloudformation.stacks[NAME].status = "UPDATE_COMPLETE"
    assert run(command) == 0


def test_an_import_by_hand_that_stuck_leads_over_destroy(account, run, capsys):
    assert run("deploy") == 0
    before = kept(account)
    account.cloudformation.stacks[NAME].status = "IMPORT_ROLLBACK_FAILED"
    assert run("deploy") == 1
    assert "Fix: `labelmill destroy` it (data stays), then deploy again" in capsys.readouterr().err
    assert run("destroy") == 0
    assert run("deploy") == 0
    assert kept(account) == before


@pytest.mark.parametrize(
    ("operation", "code", "step"),
    [
        ("GetCallerIdentity", "ExpiredToken", "Fix: sign in again"),
        ("CreateChangeSet", "ExpiredTokenException", "Fix: sign in again"),
        (
            "GetCallerIdentity",
            "InvalidClientTokenId",
            "Fix: these credentials do not belong to an account, or no longer do",
        ),
        ("CreateChangeSet", "AccessDenied", "Fix: let somebody with that right do it"),
        ("GetBucketEncryption", "AccessDenied", "Fix: let somebody with that right do it"),
        ("ExecuteChangeSet", "Throttling", "Fix: run the same command again in a minute"),
        ("CreateChangeSet", "LimitExceededException", "Fix: resolve that, then run the same command again"),
    ],
)
def test_what_aws_refuses_is_told_with_the_next_step(operation, code, step, account, run, capsys):
    account.refused[operation] = code
    assert run("deploy") == 1
    assert step in capsys.readouterr().err
    account.refused.clear()
    assert run("deploy") == 0


@pytest.mark.parametrize("name", ["template", "bootstrap"])
def test_what_a_stack_begins_with_has_everything_that_cannot_be_changed_later(name):
    """createOnlyProperties of the types' schemas: a difference in these makes the resource anew."""
    create_only = {"RepositoryName", "EncryptionConfiguration", "BucketName", "TableName", "KeySchema"}
    text = (ROOT / f"infra/{name}.yaml").read_text(encoding="utf-8")
    whole = load(text)["Resources"]
    found = [
        kept_data.Kept(logical, resource["Type"], "an-id")
        for logical, resource in whole.items()
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate"
    ]
    begin = taking_over.import_template(text, found)["Resources"]
    for logical, resource in begin.items():
        wanted = whole[logical]["Properties"].keys() & create_only
        assert wanted <= resource["Properties"].keys(), logical
    assert {resource["Type"] for resource in begin.values()} <= set(KEPT_KINDS)


def test_a_rollback_to_what_a_stack_began_with_leaves_no_bucket_open_and_no_key_to_everybody():
    text = (ROOT / "infra/template.yaml").read_text(encoding="utf-8")
    found = [
        kept_data.Kept(logical, resource["Type"], "an-id")
        for logical, resource in load(text)["Resources"].items()
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate"
    ]
    begin = taking_over.import_template(text, found)["Resources"]
    for logical, resource in begin.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::S3::Bucket":
            assert {
                "PublicAccessBlockConfiguration",
                "BucketEncryption",
                "VersioningConfiguration",
            } <= properties.keys()
        if resource["Type"] == "AWS::KMS::Key":
            statements = {statement["Sid"] for statement in properties["KeyPolicy"]["Statement"]}
            assert "Administration" in statements, logical
