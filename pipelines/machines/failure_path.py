"""The states every failure ends in, and the look-up of the model group every machine begins with."""

from stepfunctions.steps import choice_rule, states

from pipelines import messages
from pipelines.ledger import keys
from pipelines.machines.states import Fail, Path, call, text
from processing.errors import NOT_AS_RECORDED

CODEBOOK_URI = "$.registered.Item.codebook_uri.S"
#: Given to every job that reads the codebook: it believes no other file.
CODEBOOK_DIGEST = "$.registered.Item.codebook_digest.S"
CODEBOOK_VERSION = "$.registered.Item.codebook_version.S"
POLICY = "$.registered.Item.policy.S"
#: What only training asks; a codebook published before these were written is an OldCodebook.
FAMILIES = "$.registered.Item.families.S"
HYPERPARAMETERS = "$.registered.Item.hyperparameters.S"
SEARCH_LIMITS = "$.registered.Item.search_limits.S"
SHARE_BY = "$.registered.Item.share_by.S"
#: Training again would make another model, or none where nothing is new to learn.
NO_RECORD = (
    "The ledger has no record of the model {}: restore its item from a backup of the table. If it is the "
    "winner, make another model the winner meanwhile (labelmill models promote)."
)
#: Said of a job that ended without a reason; the field is its status.
NO_REASON = (
    "The job is {} and gives no reason. If it is Stopped, somebody stopped it, or it ran longer than it may."
)

#: Nouns of the jobs, with the log group that each kind writes to and the template's parameter that says on
#: what machines it runs; a tuning job's trials are training jobs.
JOBS = {
    "ProcessingJob": ("ProcessingJobs", "ProcessingInstanceType"),
    "TrainingJob": ("TrainingJobs", "TrainingInstanceType"),
    "TransformJob": ("TransformJobs", "TransformInstanceType"),
    "HyperParameterTuningJob": ("TrainingJobs", "TrainingInstanceType and SecondTrainingInstanceType"),
}
#: A job's description, which is JSON. What else is in braces may be anything, and reading it as JSON could
#: fail the run before it is queued: a Pass state catches no error (Developer Guide, "Handling errors").
OF_JOB = '{*JobArn"*}'
#: How SageMaker says that a job was killed, in a number or in words; their sources: docs/state-machines.md.
KILLED = ("*xit *ode: 137*", "*instance type with more memory*")
#: The console's page of a log group, its streams filtered; `$252F`, `$3F`, `$3D` are `/`, `?`, `=` there.
LOG_PAGE = (
    "https://{}.console.aws.amazon.com/cloudwatch/home?region={}#logsV2:log-groups/log-group/"
    "$252Faws$252Fsagemaker$252F{}$3FlogStreamNameFilter$3D{}"
)


def failure_path(machine: str) -> states.State:
    """Find the one sentence that says why, queue all that is needed to start again, tell operators, fail.

    The sentence is the job's own. Step Functions gives the description of a failed job as the cause, and
    the sentence is in it as `ExitMessage` (processing) or `FailureReason` (training, tuning, transform). A
    job that was stopped has neither.
    AWS says of a tuning or transform job little more than that it failed, so the message also has the
    job's name and the address of its log.

    A run that fails on this way itself is not lost: `labelmill failures` reads the executions, too.
    """
    # A Fail state may not repeat an error of Step Functions itself (States.*), so every run fails with this.
    failed = Fail("Failed", error="RunFailed", cause_path="$.notice.sentence")
    told = messages.RUN_FAILED
    subject, message = (part.replace("{machine}", machine) for part in (told.subject, told.text))
    notify = call(
        "NotifyOperators",
        "sns:publish",
        {
            "TopicArn": "${OperatorsTopicArn}",
            "Subject": text(subject, run="$$.Execution.Name"),
            "Message": text(
                message,
                run="$$.Execution.Name",
                sentence="$.notice.sentence",
                error="$.failure.Error",
                log="$.notice.log",
            ),
            "MessageAttributes": messages.attributes(kind=told.kind, run=Path("$$.Execution.Name")),
        },
        failed,
    )
    # If this message cannot be sent, the run must still fail with its own cause.
    notify.catches[0].fields["result_path"] = "$.notify_error"
    notify.next(failed)
    queue = call(
        "QueueFailure",
        "sqs:sendMessage",
        {
            "QueueUrl": "${FailureQueueUrl}",
            "MessageBody": {
                "machine": machine,
                "run": Path("$$.Execution.Name"),
                "input": Path("$$.Execution.Input"),
                "error": Path("$.failure.Error"),
                "cause": Path("$.notice.sentence"),
            },
        },
        notify,
    )
    queue.catches[0].fields["result_path"] = "$.queue_error"
    queue.next(notify)

    def notice_of(state_id: str, sentence: Path, log: Path | str = "") -> states.State:
        notice = {"sentence": sentence, "log": log}
        step = states.Pass(state_id, parameters=notice, result_path="$.notice")
        step.next(queue)
        return step

    from_cause = notice_of("TellCause", Path("$.failure.Cause"))
    page = text(
        f" Job {{}}, log: {LOG_PAGE}",
        "$.job.name",
        "$.job.region",
        "$.job.region",
        "$.job.logs",
        "$.job.name",
    )
    rule = choice_rule.ChoiceRule
    reason = states.Choice("ReasonOfJob")
    given = "$.report.job.FailureReason"
    killed = rule.Or([rule.StringMatches(given, words) for words in KILLED])
    reason.add_choice(rule.And([rule.IsPresent(given, True), killed]), _out_of_memory(page, queue))
    for field in ("ExitMessage", "FailureReason"):
        path = f"$.report.job.{field}"
        told = notice_of(f"Tell{field}", Path(path), page)
        reason.add_choice(rule.IsPresent(path, True), told)
    reason.default_choice(notice_of("TellStatus", text(NO_REASON, "$.job.status"), page))
    kind = states.Choice("KindOfJob")
    for noun, (logs, machines) in JOBS.items():
        arn = f"$.report.job.{noun}Arn"
        job = {
            "name": Path(f"$.report.job.{noun}Name"),
            "status": Path(f"$.report.job.{noun}Status"),
            "logs": logs,
            "machines": machines,
            "region": Path(f"States.ArrayGetItem(States.StringSplit({arn}, ':'), 3)"),
        }
        known = states.Pass(f"LogOf{noun}", parameters=job, result_path="$.job")
        known.next(reason)
        kind.add_choice(rule.IsPresent(arn, True), known)
    kind.default_choice(from_cause)
    read = states.Pass(
        "ReadReport", parameters={"job": Path("States.StringToJson($.failure.Cause)")}, result_path="$.report"
    )
    read.next(kind)

    cause = states.Choice("CauseOfFailure")
    no_cause = notice_of("TellError", Path("$.failure.Error"))
    cause.add_choice(rule.StringEquals("$.failure.Cause", ""), no_cause)
    cause.add_choice(rule.StringMatches("$.failure.Cause", OF_JOB), read)
    cause.default_choice(from_cause)
    return _count_tampered(then=cause)


def _out_of_memory(log: Path, then: states.State) -> states.State:
    sentence = text(
        "Job {} was killed, most likely because its machine has too little memory. "
        "Fix: deploy with a larger {}, then start the run again. SageMaker said: {}",
        "$.job.name",
        "$.job.machines",
        "$.report.job.FailureReason",
    )
    step = states.Pass("TellKilled", parameters={"sentence": sentence, "log": log}, result_path="$.notice")
    step.next(then)
    return step


def _count_tampered(then: states.State) -> states.State:
    """Count a file that is not what was recorded, for an alarm of its own; then on, as with any failure."""
    data = {"MetricName": "Tampered", "Dimensions": [{"Name": "Stack", "Value": "${Name}"}], "Value": 1}
    count = call(
        "CountTampered",
        "aws-sdk:cloudwatch:putMetricData",
        {"Namespace": "Labelmill", "MetricData": [data]},
        then,
    )
    count.catches[0].fields["result_path"] = "$.count_error"
    count.next(then)
    tampered = states.Choice("Tampered")
    said = choice_rule.ChoiceRule.StringMatches("$.failure.Cause", f"*{NOT_AS_RECORDED}*")
    tampered.add_choice(said, count)
    tampered.default_choice(then)
    return tampered


def refuse(state_id: str, failure: states.State, template: str, *paths: str) -> states.State:
    """A failure that the machine itself finds, shaped as a Catch would; the error is the state's name."""
    step = states.Pass(
        state_id, parameters={"Error": state_id, "Cause": text(template, *paths)}, result_path="$.failure"
    )
    step.next(failure)
    return step


def get_item(state_id: str, entry: str | Path, result_path: str, failure: states.State) -> states.Task:
    """One item of the ledger for the run's model group."""
    parameters = {
        "TableName": "${LedgerTable}",
        "Key": {"group": {"S": Path("$.group")}, "entry": {"S": entry}},
        "ConsistentRead": True,
    }
    return call(state_id, "dynamodb:getItem", parameters, failure, result_path=result_path)


def known_group(failure: states.State, then: states.State, needs: str = CODEBOOK_URI) -> states.State:
    """GetGroup, and on to `then` if the group's item has the path `needs`; the paths are those above.

    A group whose item lacks it is known all the same, where it has a codebook: that is older than `needs`.
    """
    get_group = get_item("GetGroup", keys.GROUP, "$.registered", failure)
    known = states.Choice("GroupKnown")
    known.add_choice(choice_rule.ChoiceRule.IsPresent(needs, True), then)
    if needs != CODEBOOK_URI:
        told = (
            "The codebook of {} was published by an older version, without all that a training asks for now: "
            "publish it once more as it is (labelmill codebook show {} --json > {}.json; "
            "labelmill codebook publish {}.json), then start again."
        )
        old = refuse("OldCodebook", failure, told, *["$.group"] * 4)
        known.add_choice(choice_rule.ChoiceRule.IsPresent(CODEBOOK_URI, True), old)
    unknown = refuse(
        "UnknownGroup",
        failure,
        "Model group {} is not known: publish its codebook (labelmill codebook publish), then start again.",
        "$.group",
    )
    known.default_choice(unknown)
    get_group.next(known)
    return get_group


def not_retired(failure: states.State, then: states.State) -> states.State:
    """On to `then`, but not with a new dataset of a retired group."""
    told = (
        "Model group {} is retired since {}: {}. "
        "Revive it (labelmill groups revive {} --reason TEXT), then start again."
    )
    since, reason = "$.registered.Item.retired_at.S", "$.registered.Item.retired_reason.S"
    active = states.Choice("GroupActive")
    refused = refuse("RetiredGroup", failure, told, "$.group", since, reason, "$.group")
    active.add_choice(choice_rule.ChoiceRule.IsPresent(since, True), refused)
    active.default_choice(then)
    return active
