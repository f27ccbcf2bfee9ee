"""Every alarm fires when what it is for happens, and at nothing else.

What is listed as happening is made to happen on a local stack, but for three things: the clock is put forward
by an hour where a message must have waited for so long, and being throttled and losing events are data alone,
as nothing throttles or loses locally.
"""

import copy
import json
import time
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from infra.local.stack import LocalStack
from infra.samples import generate
from infra.samples.deliver import publish
from tests.infra.alarm_states import datum, of_execution, of_invocation, of_log, of_queue, of_rule, state
from tests.infra.policies import Stack
from tests.infra.templates import MACHINES, resources

#: Function -> an event it cannot take, and one it can.
EVENTS = {
    "StartTraining": ({}, {"Records": []}),
    "StartInference": ({}, {"Records": []}),
    "TestModel": ({"detail": {}}, None),
    "StartComparison": ({"detail": {}}, None),
    "Unload": ({}, {"Records": []}),
    "StatementFailed": ({"detail": {}}, None),
    "StatementFinished": ({"detail": {}}, None),
    "CheckMonth": ({}, {"scheduled_time": "2026-11-10T07:00:00Z", "overdue": True}),
}
ENDS = {
    "FAILED": {"Type": "Fail"},
    "TIMED_OUT": {"Type": "Wait", "Seconds": 60, "End": True},
    "ABORTED": {"Type": "Wait", "Seconds": 60, "End": True},
    "SUCCEEDED": {"Type": "Pass", "End": True},
}
#: What EventBridge counts of an event that reached neither a rule's target nor its dead-letter queue
#: (EventBridge user guide, "EventBridge metrics").
LOST = {
    "an event of {} is refused": "FailedInvocations",
    "an event of {} is not kept": "InvocationsFailedToBeSentToDlq",
}
RULES = tuple(resources("Events::Rule"))
UNKNOWN = {"run": "ZZ-none-training-2026-10-0", "group": "ZZ-none", "period": "2026-10", "dataset": "s3://x/"}
#: What happens -> the alarms that fire.
EXPECTED = {
    "a training message that is none": {"TrainingDeadLetterAlarm"},
    "an inference message that is none": {"InferenceDeadLetterAlarm"},
    "an unload message that is none": {"UnloadDeadLetterAlarm"},
    "an event that lacks its fields": {"EventsDeadLetterAlarm"},
    "a training message an hour later": {"TrainingQueueAgeAlarm"},
    "an inference message an hour later": {"InferenceQueueAgeAlarm"},
    "an unload message an hour later": {"UnloadQueueAgeAlarm"},
    "a statement that fails": {"StatementFailedAlarm", "FailureAlarm"},
    "a run of an unknown group": {"TrainingExecutionsAlarm", "FailureAlarm"},
    "a run whose codebook was overwritten": {"TamperedAlarm", "TrainingExecutionsAlarm", "FailureAlarm"},
    **{
        f"{machine} {end}": {f"{machine}ExecutionsAlarm"} if end != "SUCCEEDED" else set()
        for machine, end in product(MACHINES, ENDS)
    },
    **{f"{function} raises": {f"{function}ErrorsAlarm"} for function in EVENTS},
    **{f"{function} is throttled on and on": {f"{function}ThrottlesAlarm"} for function in EVENTS},
    **{f"{function} is throttled for a moment": set() for function in EVENTS},
    **{what.format(rule): {"EventsLostAlarm"} for what, rule in product(LOST, RULES)},
    "a group that is not labelled before the deadline": set(),
    "a group that is not labelled after the deadline": {"MonthAlarm"},
    "it is labelled a day later": set(),
    "all is well": set(),
}


class Situations:
    """A local stack to which things happen; every method returns the data that the services would emit."""

    def __init__(self, local: LocalStack):
        self.local = local
        self.sqs, self.states = local.client("sqs"), local.client("stepfunctions")

    def visible(self, url: str) -> int:
        name = "ApproximateNumberOfMessages"
        return int(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])

    def queue(self, output: str) -> list:
        url = self.local.names[f"{output}Url"]
        return list(of_queue(url.rpartition("/")[2], self.visible(url), None, time.time()))

    def poisoned(self, purpose: str) -> tuple[list, list]:
        """A message that no function can take: an hour later, and when it has been tried five times."""
        url, dead = (self.local.names[f"{purpose}{kind}Url"] for kind in ("Queue", "DeadLetterQueue"))
        # Nobody waits five times three minutes here. A receive that is under way still hides what it takes.
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
        sent = time.time()
        self.sqs.send_message(QueueUrl=url, MessageBody="no notification")
        while self.visible(url):
            pass
        self.sqs.send_message(QueueUrl=url, MessageBody="no notification")
        self.arrived(dead)
        waiting = list(of_queue(url.rpartition("/")[2], 1, sent, sent + 3700))
        return waiting, self.queue(f"{purpose}DeadLetterQueue")

    def arrived(self, url: str) -> None:
        assert self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, VisibilityTimeout=0)["Messages"]

    def bad_event(self) -> list:
        detail = {"dataset": f"s3://{self.local.names['WorkBucket']}/runs/"}
        entry = {"Source": "labelmill", "DetailType": "Model Trained", "Detail": json.dumps(detail)}
        self.local.client("events").put_events(Entries=[entry])
        self.arrived(self.local.names["EventsDeadLetterQueueUrl"])
        return self.queue("EventsDeadLetterQueue")

    def failed_statement(self, rule: str) -> list:
        """The warehouse refuses a statement and tells of it; the rule's function puts it into the queue."""
        self.local.client("redshift-data").execute_statement(
            WorkgroupName="warehouse",
            Database="dev",
            StatementName="labelmill/training/DE-weee/2026-10/d1",
            Sql="SELECT nothing",
            ClientToken="once",
            WithEvent=True,
        )
        self.arrived(self.local.names["FailureQueueUrl"])
        return list(of_rule(rule, time.time()))

    def run(self, machine: str, name: str, data: dict, stop: bool = False) -> list:
        arn = self.states.start_execution(
            stateMachineArn=self.local.names[f"{machine}MachineArn"], name=name, input=json.dumps(data)
        )["executionArn"]
        if stop:
            self.states.stop_execution(executionArn=arn)
        return list(of_execution(self.local.wait_for_execution(arn), time.time()))

    def tampered(self) -> list:
        """A codebook is overwritten under its version, and the job that reads it says so."""
        publish(self.local, generate.codebook("DE-weee", "1"))
        landed = {"Bucket": self.local.names["LandingBucket"], "Key": "training/DE-weee/2026-10/d1/a.csv"}
        self.local.client("s3").put_object(**landed, Body=b"never read")
        book = {"Bucket": self.local.names["WorkBucket"], "Key": "codebooks/DE-weee/1.json"}
        self.local.client("s3").put_object(**book, Body=b"{}")
        data = {
            "group": "DE-weee",
            "period": "2026-10",
            "purpose": "training",
            "run": "DE-weee-training-2026-10-0f3a9c21d4e5",
            "dataset": "s3://{Bucket}/training/DE-weee/2026-10/d1/".format(**landed),
            "delivered": "2026-11-01T02:00:00.123Z#v1",
        }
        failed = self.run("Training", data["run"], data)
        return failed + self.queue("FailureQueue") + self.counted("Labelmill", "Tampered")

    def counted(self, namespace: str, metric: str) -> list:
        """What was put into CloudWatch of a metric, with whatever dimensions."""
        cloudwatch, found = self.local.client("cloudwatch"), []
        for one in cloudwatch.list_metrics(Namespace=namespace, MetricName=metric)["Metrics"]:
            points = cloudwatch.get_metric_statistics(
                **one,
                StartTime=datetime.now(UTC) - timedelta(hours=1),
                EndTime=datetime.now(UTC) + timedelta(hours=1),
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
            named = {each["Name"]: each["Value"] for each in one["Dimensions"]}
            found += [datum(namespace, metric, time.time(), point["Sum"], **named) for point in points]
        return found

    def ended(self, machine: str, end: str) -> list:
        definition = {"StartAt": "Only", "States": {"Only": ENDS[end]}}
        if end == "TIMED_OUT":
            definition["TimeoutSeconds"] = 1
        self.states.update_state_machine(
            stateMachineArn=self.local.names[f"{machine}MachineArn"], definition=json.dumps(definition)
        )
        return self.run(machine, end, {}, stop=end == "ABORTED")

    def invoked(self, function: str, event: dict) -> list:
        answer = self.local.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        return list(of_invocation(function, answer, time.time()))

    def checked(self, schedule: dict) -> list:
        """The month's check, as its schedule calls it."""
        event = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-10T07:00:00Z")
        log = self.local.folder / "functions/labelmill-check-month.log"
        before = len(log.read_text().splitlines()) if log.exists() else 0
        data = self.invoked("labelmill-check-month", json.loads(event))
        lines = [json.loads(line) for line in log.read_text().splitlines()[before:]]
        return data + [one for line in lines for one in of_log(line)]

    def entry(self, group: str, entry: str) -> None:
        item = {"group": {"S": group}, "entry": {"S": entry}}
        self.local.client("dynamodb").put_item(TableName=self.local.names["LedgerTable"], Item=item)


@pytest.fixture(scope="module")
def happened(tmp_path_factory, stack) -> dict:
    """What happened -> the data of it."""
    data = {}
    names = {name: stack.name(f"{name}Function") for name in EVENTS}
    with LocalStack(tmp_path_factory.mktemp("alarms")) as local:
        it = Situations(local)
        well = [one for logical in stack.of_type("SQS::Queue") for one in it.queue(logical)]
        for purpose, article in (("Training", "a"), ("Inference", "an"), ("Unload", "an")):
            message = f"{article} {purpose.lower()} message"
            data[f"{message} an hour later"], data[f"{message} that is none"] = it.poisoned(purpose)
        data["an event that lacks its fields"] = it.bad_event()
        rule = stack.name("StatementFailedRule")
        data["a statement that fails"] = [*it.failed_statement(rule), *it.queue("FailureQueue")]
        failed = it.run("Training", UNKNOWN["run"], {**UNKNOWN, "purpose": "training"})
        data["a run of an unknown group"] = failed + it.queue("FailureQueue")
        data["a run whose codebook was overwritten"] = it.tampered()
        for machine, end in product(MACHINES, ENDS):
            data[f"{machine} {end}"] = it.ended(machine, end)
            well += data[f"{machine} {end}"] if end == "SUCCEEDED" else []
        for function, (bad, good) in EVENTS.items():
            data[f"{function} raises"] = it.invoked(names[function], bad)
            well += it.invoked(names[function], good) if good else []
        it.entry("DE-weee", "GROUP")
        schedules = stack.of_type("Scheduler::Schedule")
        data["a group that is not labelled before the deadline"] = it.checked(schedules["ProgressSchedule"])
        data["a group that is not labelled after the deadline"] = it.checked(schedules["DeadlineSchedule"])
        it.entry("DE-weee", "MONTH#2026-10")
        data["it is labelled a day later"] = it.checked(schedules["DeadlineSchedule"])
    data["all is well"] = well
    for function, name in names.items():
        moments = [datum("AWS/Lambda", "Throttles", 300 * n, 1, FunctionName=name) for n in range(3)]
        data[f"{function} is throttled on and on"] = moments
        data[f"{function} is throttled for a moment"] = moments[:1]
    for (what, metric), rule in product(LOST.items(), RULES):
        data[what.format(rule)] = [datum("AWS/Events", metric, 0, 1, RuleName=stack.name(rule))]
    return data


def firing(alarms: dict[str, dict], data: list) -> set[str]:
    now = max(one.at for one in data)
    return {logical for logical, alarm in alarms.items() if state(alarm, data, now) == "ALARM"}


def table(alarms: dict[str, dict], happened: dict) -> dict[str, set[str]]:
    return {what: firing(alarms, data) for what, data in happened.items()}


@pytest.fixture(scope="module")
def alarms(stack) -> dict[str, dict]:
    return stack.of_type("CloudWatch::Alarm")


@pytest.mark.parametrize("what", EXPECTED)
def test_the_alarms_that_fire_are_those_meant_for_what_happened(what, happened, alarms):
    assert happened[what], "nothing was emitted"
    assert firing(alarms, happened[what]) == EXPECTED[what]


def test_every_alarm_is_made_to_fire():
    assert set().union(*EXPECTED.values()) == set(resources("CloudWatch::Alarm"))


FAULTS = {
    "another namespace": ("Namespace", lambda was: f"{was}X"),
    "another metric": ("MetricName", lambda was: f"{was}X"),
    "another resource": ("Dimensions", lambda was: [{**one, "Value": f"{one['Value']}x"} for one in was]),
    "another kind of resource": ("Dimensions", lambda was: [{**one, "Name": "X"} for one in was]),
    "compared the other way round": ("ComparisonOperator", lambda was: "LessThanThreshold"),
    "a threshold out of reach": ("Threshold", lambda was: 10**9),
    "silence taken for a fault": ("TreatMissingData", lambda was: "breaching"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("logical", resources("CloudWatch::Alarm"))
def test_a_fault_in_an_alarm_is_found(logical, fault, alarms, happened):
    key, change = FAULTS[fault]
    faulty = copy.deepcopy(alarms[logical])
    parts = [entry["MetricStat"]["Metric"] for entry in faulty.get("Metrics", ()) if "MetricStat" in entry]
    for part in (faulty, *parts):
        if key in part:
            part[key] = change(part[key])
    assert faulty != alarms[logical]
    assert table({logical: faulty}, happened) != {what: {logical} & fired for what, fired in EXPECTED.items()}


@pytest.mark.parametrize(
    ("logical", "part"),
    [
        *product((f"{machine}ExecutionsAlarm" for machine in MACHINES), (1, 2, 3)),
        *product(["EventsLostAlarm"], range(1, 1 + len(LOST) * len(RULES))),
    ],
)
def test_an_alarm_on_several_metrics_that_forgets_one_is_found(logical, part, alarms, happened):
    faulty = copy.deepcopy(alarms[logical])
    del faulty["Metrics"][part]
    assert table({logical: faulty}, happened) != {what: {logical} & fired for what, fired in EXPECTED.items()}


def test_the_alarm_on_the_month_stands_from_one_check_to_the_next(alarms, happened):
    alarm = alarms["MonthAlarm"]
    [later] = {one.at for one in happened["it is labelled a day later"] if one.metric == "GroupsOverdue"}
    assert state(alarm, [], later, before="ALARM") == "ALARM"
    assert state(alarm, happened["it is labelled a day later"], later, before="ALARM") == "OK"


def test_alarms_tell_the_operators_through_an_encrypted_topic(stack, alarms):
    for logical, alarm in alarms.items():
        assert alarm["AlarmActions"] == [stack.arn("OperatorsTopic")], logical
    assert stack.of_type("SNS::Topic")["OperatorsTopic"]["KmsMasterKeyId"] == stack.arn("OperationsKey")


def test_everything_that_can_fail_has_its_alarms(alarms):
    watched = {
        f"{part['MetricName']} {one['Value']}"
        for alarm in alarms.values()
        for part in (
            alarm,
            *(entry.get("MetricStat", {}).get("Metric", {}) for entry in alarm.get("Metrics", ())),
        )
        for one in part.get("Dimensions", ())
    }
    stack = Stack()
    wanted = {
        "StepFunctions::StateMachine": ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"),
        "Lambda::Function": ("Errors", "Throttles"),
        "Events::Rule": tuple(LOST.values()),
    }
    for kind, metrics in wanted.items():
        for logical, metric in product(stack.of_type(kind), metrics):
            assert f"{metric} {stack.ref(logical)}" in watched, logical
    for logical, queue in stack.of_type("SQS::Queue").items():
        metric = (
            "ApproximateAgeOfOldestMessage"
            if "RedrivePolicy" in queue
            else "ApproximateNumberOfMessagesVisible"
        )
        assert f"{metric} {stack.name(logical)}" in watched, logical
