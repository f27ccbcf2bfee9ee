"""The training workflow: prepare the dataset, search hyperparameters, train on the best, record the model."""

from stepfunctions.steps import choice_rule, states

from pipelines.ledger import keys
from pipelines.machines import training_jobs
from pipelines.machines.failure_path import (
    CODEBOOK_VERSION,
    POLICY,
    SHARE_BY,
    failure_path,
    get_item,
    known_group,
)
from pipelines.machines.states import HOUR, Path, call, notify, output, text
from processing.policy import NO_LIST

TIMEOUT_SECONDS = 48 * HOUR
#: The group's last finished training: what a new one is compared with before anything is paid for.
LAST = "$.last.Item"
ROWS_DIGEST = "$.prepared.message.rows_digest"


def build() -> states.Graph:
    failure = failure_path("training")
    train = states.Chain(
        [
            training_jobs.train(failure),
            training_jobs.create_model(failure),
            _record_model(failure),
            _announce(failure),
            _record_trained(failure),
        ]
    )
    cold = training_jobs.tune(failure)
    cold.next(train)
    warm = training_jobs.tune_warm(cold, f"{LAST}.tuning_job.S")
    warm.next(train)
    searched = states.Choice("SearchedBefore")
    searched.add_choice(choice_rule.ChoiceRule.IsPresent(f"{LAST}.tuning_job.S", True), warm)
    searched.default_choice(cold)
    learn = states.Chain([training_jobs.featurize(failure), searched])
    steps = states.Chain(
        [
            training_jobs.prepare(failure),
            get_item("GetTrained", keys.TRAINED, "$.last", failure),
            _nothing_new(failure, learn),
        ]
    )
    # Of the three paths that only training needs: all are written together.
    start = known_group(failure, steps, needs=SHARE_BY)
    return states.Graph(start, comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _nothing_new(failure: states.State, learn: states.State) -> states.State:
    """Rows, code, image, codebook and policy of the last time make its model again: no search is paid for.

    A group that shares learns from other groups' rows as well, and those may be new.
    """
    rule = choice_rule.ChoiceRule
    same = states.Choice("NothingNew")
    same.add_choice(
        rule.And(
            [
                # All of them are written together.
                rule.IsPresent(f"{LAST}.image.S", True),
                rule.StringEquals(SHARE_BY, NO_LIST),
                rule.StringEquals(f"{LAST}.code_digest.S", "${CodeDigest}"),
                rule.StringEquals(f"{LAST}.image.S", "${ImageUri}"),
                rule.StringEqualsPath(f"{LAST}.rows_digest.S", ROWS_DIGEST),
                rule.StringEqualsPath(f"{LAST}.codebook_version.S", CODEBOOK_VERSION),
                rule.StringEqualsPath(f"{LAST}.policy.S", POLICY),
            ]
        ),
        _notify_mlops(failure),
    )
    same.default_choice(learn)
    return same


def _notify_mlops(failure: states.State) -> states.State:
    return notify(
        "NotifyMlops",
        "${MlopsTopicArn}",
        text("Nothing new to learn: {} {}", "$.group", "$.period"),
        text(
            "{} {}: nothing new to learn. Rows, code, codebook and policy are those that the model {} was "
            "trained on, so no model was trained. Run: {}",
            "$.group",
            "$.period",
            f"{LAST}.model.S",
            "$.run",
        ),
        failure,
    )


def _record_model(failure: states.State) -> states.State:
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text(keys.MODEL, model="$.trained.model")},
        "run": {"S": Path("$.run")},
        "period": {"S": Path("$.period")},
        "artefact": {"S": Path("$.trained.artefact")},
        "objective": {"N": text("{}", "$.tuning.objective")},
        "tuning_job": {"S": Path("$.tuning.job")},
        "shared_rows": {"N": text("{}", "$.featurized.message.shared")},
        "data_digest": {"S": Path("$.prepared.message.data_digest")},
        "code_digest": {"S": "${CodeDigest}"},
        "codebook_version": {"S": Path(CODEBOOK_VERSION)},
        "test_set": {"S": Path("$.run")},
        "trained_at": {"S": Path("$$.State.EnteredTime")},
    }
    return call("RecordModel", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure)


def _announce(failure: states.State) -> states.State:
    detail = {
        "group": Path("$.group"),
        "period": Path("$.period"),
        "run": Path("$.run"),
        "model": Path("$.trained.model"),
        "test_set": Path("$.run"),
        "dataset": output("test"),
    }
    entry = {"Source": "labelmill", "DetailType": "Model Trained", "Detail": detail}
    return call("Announce", "events:putEvents", {"Entries": [entry]}, failure)


def _record_trained(failure: states.State) -> states.State:
    """Last of all: a run that failed before this is not taken for the reason to skip the next one."""
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": keys.TRAINED},
        "run": {"S": Path("$.run")},
        "model": {"S": Path("$.trained.model")},
        "tuning_job": {"S": Path("$.tuning.job")},
        "rows_digest": {"S": Path(ROWS_DIGEST)},
        "code_digest": {"S": "${CodeDigest}"},
        "image": {"S": "${ImageUri}"},
        "codebook_version": {"S": Path(CODEBOOK_VERSION)},
        "policy": {"S": Path(POLICY)},
    }
    return call("RecordTrained", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure)
