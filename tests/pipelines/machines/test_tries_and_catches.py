"""How often each task is tried, and where it leads when it fails: every number, error name and target.

The rules are for all tasks of all machines; what is otherwise stands in the tables, state by state.
"""

import pytest

from tests.definition_checks import targets
from tests.pipelines.machines.definition_examples import MACHINES, definition_of

HOUR, WEEK = 3600, 7 * 24 * 3600
CONDITION_FAILED = ("DynamoDB.ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException")
CANCELLED = "DynamoDb.TransactionCanceledException"
FORGOTTEN = "Sfn.ExecutionDoesNotExistException"


def tries(*errors: str, first: int, longest: int, most: int) -> dict:
    """A retrier: seconds before the first try, at most, and how many; waits double, at random."""
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": first,
        "BackoffRate": 2,
        "MaxDelaySeconds": longest,
        "MaxAttempts": most,
        "JitterStrategy": "FULL",
    }


def of_a_job(first: int, longest: int, most: int) -> list[dict]:
    """A full quota is waited for; what else SageMaker refuses is tried within minutes."""
    return [
        tries("SageMaker.ResourceLimitExceededException", first=first, longest=longest, most=most),
        tries(
            *("SageMaker.AmazonSageMakerException", "SageMaker.SdkClientException"),
            **{"first": 5, "longest": 120, "most": 6},
        ),
    ]


#: Of jobs whose quota labelling and training both want: labels ask thirty times as often.
WAITS = {"inference": (30, 120, 1440), "training": (300, 3600, 50), "comparison": (300, 3600, 50)}
NOT_AGAIN = {"first": 1, "longest": 5, "most": 0}
ANY_ERROR = tries("States.ALL", first=1, longest=20, most=5)
CLAIM = [tries(*CONDITION_FAILED, **NOT_AGAIN), ANY_ERROR]
TRANSACTION = [tries(CANCELLED, first=1, longest=5, most=5), ANY_ERROR]
#: The retriers of tasks that are neither a job like others (WAITS) nor a call like others ([ANY_ERROR]).
RETRIERS = {
    ("training", "Tune"): of_a_job(30, 600, 180),
    ("training", "TuneWarm"): of_a_job(30, 600, 180),
    ("training", "ClaimRows"): CLAIM,
    ("training", "TakeOver"): CLAIM,
    **{("training", state): of_a_job(30, 600, 300) for state in ("Train", "CreateModel")},
    ("training", "DescribeClaimant"): [tries(FORGOTTEN, **NOT_AGAIN), ANY_ERROR],
    ("training", "RecordTrained"): CLAIM,
    ("inference", "RecordLabels"): TRANSACTION,
    ("inference", "RecordAmended"): TRANSACTION,
    ("comparison", "FirstWinner"): TRANSACTION,
    ("comparison", "SwitchWinner"): TRANSACTION,
    ("comparison", "RecordDecision"): TRANSACTION,
    # Not its timeout, which is an answer.
    ("comparison", "AwaitApproval"): [tries("States.TaskFailed", first=1, longest=20, most=5)],
}

#: Where a task's last Catch leads with what went wrong, where it is not Tampered with `$.failure`.
LAST_CATCH = {
    **{
        (machine, job): ("OutOfCapacity", "$.failure")
        for machine, jobs in {
            "training": ("Prepare", "Featurize", "Train"),
            "inference": ("Prepare", "Transform", "Publish", "Amend"),
            "comparison": ("Compare",),
        }.items()
        for job in jobs
    },
    ("training", "Tune"): ("SearchFailed", "$.failure"),
    ("training", "TuneWarm"): ("Tune", "$.not_warm"),
    # On the way to Failed nothing may hide the run's own cause.
    **{(machine, "QueueFailure"): ("NotifyOperators", "$.queue_error") for machine in MACHINES},
    **{(machine, "CountTampered"): ("CauseOfFailure", "$.count_error") for machine in MACHINES},
    **{(machine, "NotifyOperators"): ("Failed", "$.notify_error") for machine in MACHINES},
}
#: What is about something recorded already is kept, and the run goes on (test_kept_notices.py).
KEPT = {
    **{
        (machine, state): (f"{state}Later", "$.failure")
        for machine, states in {
            "training": ("Announce", "AnnounceAgain", "NotifyClaimed", "NotifyMlops", "NotifyUndecided"),
            "inference": (
                *("KeepDecisions", "NotifyMlops", "NotifyStakeholders"),
                *("TellOperators", "TellStakeholders"),
            ),
            "comparison": ("AskMlops", "NotifyMlops"),
        }.items()
        for state in states
    },
    ("inference", "Announce"): ("AnnounceFailed", "$.failure"),
}
#: The copy for Athena is put off whole, whatever of it fails.
SHOWN = {("inference", state): ("PublishTableLater", "$.failure") for state in ("GetNewest", "PublishTable")}
#: The other Catches: errors, where they lead, and with what.
CATCHES = {
    ("training", "TuneWarm"): [
        (("SageMaker.ResourceLimitExceededException",), "SearchFailed", "$.failure"),
    ],
    ("training", "ClaimRows"): [(CONDITION_FAILED, "GetClaim", "$.taken")],
    ("training", "TakeOver"): [(CONDITION_FAILED, "GetClaim", "$.taken")],
    ("training", "DescribeClaimant"): [((FORGOTTEN,), "TakeOver", "$.claimant")],
    ("training", "RecordTrained"): [(CONDITION_FAILED, "Announce", "$.not_the_last")],
    ("inference", "RecordLabels"): [((CANCELLED,), "SomethingChanged", "$.failure")],
    ("inference", "RecordAmended"): [((CANCELLED,), "SomethingChanged", "$.failure")],
    ("comparison", "FirstWinner"): [((CANCELLED,), "Outdated", "$.failure")],
    ("comparison", "SwitchWinner"): [((CANCELLED,), "Outdated", "$.failure")],
    ("comparison", "RecordDecision"): [((CANCELLED,), "Outdated", "$.failure")],
    ("comparison", "AwaitApproval"): [(("States.Timeout",), "Expired", "$.answer")],
}

#: How long a task may take where it is not a call's minute: its job's longest time and half an hour to start.
TIMEOUTS = {
    **{
        key: hours * HOUR + HOUR // 2
        for key, hours in {
            ("training", "Prepare"): 2,
            ("training", "Featurize"): 2,
            ("training", "Tune"): 8,
            ("training", "TuneWarm"): 8,
            ("training", "Train"): 2,
            ("inference", "Prepare"): 2,
            ("inference", "Transform"): 8,
            ("inference", "Publish"): 2,
            ("inference", "Amend"): 2,
            ("comparison", "Compare"): 2,
        }.items()
    },
    ("comparison", "AwaitApproval"): WEEK,
}
MACHINE_TIMEOUTS = {"training": 48 * HOUR, "inference": 48 * HOUR, "comparison": 24 * HOUR + WEEK}
TASKS = {
    (machine, name): state
    for machine in MACHINES
    for name, state in definition_of(machine)["States"].items()
    if state["Type"] == "Task"
}


def is_job(state: dict) -> bool:
    return ":sagemaker:" in state["Resource"]


@pytest.mark.parametrize("key", TASKS, ids="-".join)
def test_a_task_is_tried_as_often_as_it_should_and_for_no_other_error(key):
    usual = of_a_job(*WAITS[key[0]]) if is_job(TASKS[key]) else [ANY_ERROR]
    assert TASKS[key]["Retry"] == RETRIERS.get(key, usual)


@pytest.mark.parametrize("key", TASKS, ids="-".join)
def test_a_task_that_fails_leads_to_the_failure_path_with_what_went_wrong(key):
    *others, last = [
        (tuple(catch["ErrorEquals"]), catch["Next"], catch.get("ResultPath")) for catch in TASKS[key]["Catch"]
    ]
    assert last == (("States.ALL",), *(LAST_CATCH | KEPT | SHOWN).get(key, ("Tampered", "$.failure")))
    assert others == CATCHES.get(key, [])


@pytest.mark.parametrize("key", TASKS, ids="-".join)
def test_a_task_is_given_up_after_its_time(key):
    assert TASKS[key]["TimeoutSeconds"] == TIMEOUTS.get(key, 60)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_run_is_cut_off_after_its_time(machine):
    assert definition_of(machine)["TimeoutSeconds"] == MACHINE_TIMEOUTS[machine]


@pytest.mark.parametrize("table", [RETRIERS, LAST_CATCH, KEPT, SHOWN, CATCHES, TIMEOUTS])
def test_no_table_names_a_task_that_is_not_there(table):
    assert table.keys() <= TASKS.keys()


@pytest.mark.parametrize(
    "key",
    [key for key in LAST_CATCH if LAST_CATCH[key][0] not in ("Failed", "NotifyOperators")],
    ids="-".join,
)
def test_what_stands_between_a_task_and_the_failure_path_leads_there_by_default(key):
    """A choice that knows no better, or a search that is made once more."""
    states, place = definition_of(key[0])["States"], LAST_CATCH[key][0]
    while states[place]["Type"] != "Choice":
        place = LAST_CATCH[key[0], place][0]
    assert states[place]["Default"] in ("Tampered", "CauseOfFailure", "TellCause")


@pytest.mark.parametrize("key", KEPT, ids="-".join)
def test_a_run_goes_on_in_the_same_way_whether_a_message_is_sent_or_kept(key):
    sent, kept = TASKS[key], TASKS[key[0], f"{key[1]}Later"]
    assert [kept.get(where) for where in ("Next", "End")] == [sent.get(where) for where in ("Next", "End")]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_run_that_failed_is_queued_then_told_and_ends_as_failed_with_its_own_sentence(machine):
    states = definition_of(machine)["States"]
    assert states["QueueFailure"]["Next"] == "NotifyOperators"
    assert states["QueueFailure"]["Parameters"]["MessageBody"]["cause.$"] == "$.notice.sentence"
    assert states["Tampered"]["Default"] == states["CountTampered"]["Next"] == "CauseOfFailure"
    assert states["NotifyOperators"]["Next"] == "Failed"
    assert states["Failed"] == {"Type": "Fail", "Error": "RunFailed", "CausePath": "$.notice.sentence"}
    ways = {name for name, state in states.items() if "Tampered" in targets(state)}
    refusals = [states[name] for name in ways if states[name]["Type"] == "Pass"]
    assert refusals and all(state["ResultPath"] == "$.failure" for state in refusals)


@pytest.mark.parametrize("key", TASKS, ids="-".join)
def test_what_is_read_in_the_ledger_is_read_as_it_is_now(key):
    """An emulator always answers so; DynamoDB only when it is asked to."""
    operation = TASKS[key]["Resource"].rpartition("dynamodb:")[2]
    if operation in ("getItem", "query"):
        assert TASKS[key]["Parameters"]["ConsistentRead"] is True
