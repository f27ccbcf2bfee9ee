"""The training workflow: prepare the dataset, search hyperparameters, train on the best, record the model.

Whether there is anything to learn is decided in training_claim.py and here, before a search is paid for.
"""

from stepfunctions.steps import choice_rule, states

from pipelines import messages
from pipelines.ledger import keys
from pipelines.machines import artefact, training_jobs
from pipelines.machines.capacity import first_without_result, out_of_capacity
from pipelines.machines.failure_path import (
    CODEBOOK_VERSION,
    POLICY,
    SEARCH_LIMITS,
    SHARE_BY,
    failure_path,
    get_item,
    known_group,
    not_retired,
)
from pipelines.machines.states import (
    HOUR,
    Path,
    call,
    event,
    in_work_bucket,
    notify,
    now_or_later,
    retry,
    text,
)
from pipelines.machines.training_claim import CONDITION_FAILED, ROWS_DIGEST, claim_rows
from pipelines.names import RUN_FOLDER
from pipelines.runs import EVENT_VERSION
from processing.policy import NO_LIST

TIMEOUT_SECONDS = 48 * HOUR
#: The group's last finished training: what a new one is compared with before anything is paid for.
LAST = "$.last.Item"
MODEL = "$.trained.model"


def build() -> states.Graph:
    failure = failure_path("training")
    no_machine, waited = out_of_capacity(failure)
    prepare, featurize, train = (
        job(no_machine) for job in (training_jobs.prepare, training_jobs.featurize, training_jobs.train)
    )
    states.Chain(
        [
            train,
            artefact.keep(failure, MODEL),
            training_jobs.create_model(failure),
            _record_model(failure),
            _record_trained(failure, then=_announce(failure)),
        ]
    )
    search = _search(failure, train)
    featurize.next(search)
    waited.next(first_without_result({"$.prepared": prepare, "$.featurized": featurize}, last=train))
    get_trained = get_item("GetTrained", keys.TRAINED, "$.last", failure)
    get_trained.next(_nothing_new(failure, featurize))
    steps = states.Chain([prepare, claim_rows(failure, then=get_trained)])
    # The youngest of the paths that only training needs: all are written together.
    start = known_group(failure, not_retired(failure, steps), needs=SEARCH_LIMITS)
    return states.Graph(start, comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _search(failure: states.State, then: states.State) -> states.State:
    """A search that fails is made once more on other machines, from the start, and whatever the reason.

    SageMaker says of a search only that no trial succeeded, not that there was no machine for them. So none
    waits for machines as other jobs do: bad data would be searched again all day.
    """

    def machines(state_id: str, trials: str, first: bool) -> states.Pass:
        return states.Pass(state_id, result={"trials": trials, "first": first}, result_path="$.machines")

    failed = states.Choice("SearchFailed")
    cold = training_jobs.tune(failed)
    cold.next(then)
    second = machines("SecondMachines", "${SecondTrainingInstanceType}", False)
    second.next(cold)
    failed.add_choice(choice_rule.ChoiceRule.BooleanEquals("$.machines.first", True), second)
    failed.default_choice(failure)
    warm = training_jobs.tune_warm(cold, failed, f"{LAST}.tuning_job.S")
    warm.next(then)
    searched = states.Choice("SearchedBefore")
    searched.add_choice(choice_rule.ChoiceRule.IsPresent(f"{LAST}.tuning_job.S", True), warm)
    searched.default_choice(cold)
    first = machines("FirstMachines", "${TrainingInstanceType}", True)
    first.next(searched)
    return first


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
        _decided(failure),
    )
    same.default_choice(learn)
    return same


def _decided(failure: states.State) -> states.State:
    """The model is there, but perhaps its test or its comparison failed: then it is announced again.

    Who hears of it looks what is missing and starts that (pipelines/handlers/test_model.py).
    """
    parameters = {
        "TableName": "${LedgerTable}",
        "KeyConditionExpression": "#group = :group AND begins_with(entry, :decision)",
        "FilterExpression": "model = :model",
        "ExpressionAttributeNames": {"#group": "group"},
        "ExpressionAttributeValues": {
            ":group": {"S": Path("$.group")},
            ":decision": {"S": keys.DECISIONS},
            ":model": {"S": Path(f"{LAST}.model.S")},
        },
        # A query reads 1 MB at most: the newest decisions, several hundred of them.
        "ScanIndexForward": False,
        "ConsistentRead": True,
    }
    find = call(
        "FindDecision",
        "aws-sdk:dynamodb:query",
        parameters,
        failure,
        result_selector={"count.$": "$.Count"},
        result_path="$.decisions",
    )
    announce = _announce_again(failure)
    announce.next(_notify_mlops("NotifyUndecided", messages.NOTHING_NEW_BUT_UNDECIDED, failure))
    decided = states.Choice("Decided")
    decided.add_choice(choice_rule.ChoiceRule.NumericEquals("$.decisions.count", 0), announce)
    decided.default_choice(_notify_mlops("NotifyMlops", messages.NOTHING_NEW, failure))
    find.next(decided)
    return find


def _notify_mlops(state_id: str, message: messages.Message, failure: states.State) -> states.State:
    return notify(state_id, "${MlopsTopicArn}", message, failure, {"model": f"{LAST}.model.S"})


def _record_model(failure: states.State) -> states.State:
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text(keys.MODEL, model=MODEL)},
        "run": {"S": Path("$.run")},
        "period": {"S": Path("$.period")},
        "artefact": {"S": artefact.kept(MODEL)},
        "artefact_digest": {"S": Path(artefact.DIGEST)},
        "objective": {"N": text("{}", "$.tuning.objective")},
        "tuning_job": {"S": Path("$.tuning.job")},
        "shared_rows": {"N": text("{}", "$.featurized.message.shared")},
        "data_digest": {"S": Path("$.prepared.message.data_digest")},
        "code_digest": {"S": "${CodeDigest}"},
        "image": {"S": "${ImageUri}"},
        "codebook_version": {"S": Path(CODEBOOK_VERSION)},
        "test_set": {"S": Path("$.run")},
        "trained_at": {"S": Path("$$.State.EnteredTime")},
    }
    return call("RecordModel", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure)


def _announce(failure: states.State) -> states.State:
    return _announcement("Announce", failure, "$.run", "$.period", "$.trained.model")


def _announce_again(failure: states.State) -> states.State:
    """As its own run did, so that what follows has the names it had then."""
    trained = (f"{LAST}.{name}.S" for name in ("run", "period", "model"))
    return _announcement("AnnounceAgain", failure, *trained, again=Path("$.run"))


def _announcement(
    state_id: str, failure: states.State, run: str, period: str, model: str, **further: Path
) -> states.State:
    detail = {
        "version": EVENT_VERSION,
        "group": Path("$.group"),
        "period": Path(period),
        "run": Path(run),
        "model": Path(model),
        "test_set": Path(run),
        "dataset": in_work_bucket(f"{RUN_FOLDER}test/", run=run),
        **further,
    }
    return now_or_later(state_id, "events:putEvents", event("Model Trained", detail), failure)


def _record_trained(failure: states.State, then: states.State) -> states.State:
    """What the next training is compared with and goes on from: the last delivery's, whichever ends last.

    A run that failed before this is not taken for the reason to skip the next one.
    """
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": keys.TRAINED},
        "run": {"S": Path("$.run")},
        "period": {"S": Path("$.period")},
        "delivered": {"S": Path("$.delivered")},
        "model": {"S": Path(MODEL)},
        "tuning_job": {"S": Path("$.tuning.job")},
        "rows_digest": {"S": Path(ROWS_DIGEST)},
        "code_digest": {"S": "${CodeDigest}"},
        "image": {"S": "${ImageUri}"},
        "codebook_version": {"S": Path(CODEBOOK_VERSION)},
        "policy": {"S": Path(POLICY)},
    }
    parameters = {
        "TableName": "${LedgerTable}",
        "Item": item,
        "ConditionExpression": "attribute_not_exists(entry) OR #period < :period "
        "OR (#period = :period AND delivered <= :delivered)",
        "ExpressionAttributeNames": {"#period": "period"},
        "ExpressionAttributeValues": {f":{name}": item[name] for name in ("period", "delivered")},
    }
    step = call("RecordTrained", "dynamodb:putItem", parameters, failure, retry(CONDITION_FAILED, 1, 5, 0))
    step.catches.insert(0, states.Catch(then, error_equals=CONDITION_FAILED, result_path="$.not_the_last"))
    step.next(then)
    return step
