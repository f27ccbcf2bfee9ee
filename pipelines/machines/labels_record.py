"""A month's labels in the ledger: what a run reads of them, and its last write, if that still holds.

MONTH# says which labels are the month's, LABELS# all that ever were published (docs/contracts.md).
"""

from collections.abc import Mapping

from stepfunctions.steps import choice_rule, states

from pipelines import names
from pipelines.ledger import keys
from pipelines.ledger.items import NEW, typed
from pipelines.machines.failure_path import CODEBOOK_VERSION, POLICY, get_item, refuse
from pipelines.machines.inference_jobs import MANIFEST_DIGEST, PUBLISHED
from pipelines.machines.states import CANCELLED, Path, call, later, retry, text

#: The copy that Athena reads: the month's labels of each group and month, and no others.
CURRENT = text(names.CURRENT)
COPY = "aws-sdk:s3:copyObject"
#: A newer delivery is the month. Texts compare as the times in them do: they are as wide (runs.landed).
SUPERSEDED = choice_rule.ChoiceRule.StringGreaterThanPath("$.target.month.delivered.S", "$.made.delivered")


def read_earlier(failure: states.State, then: states.State) -> states.State:
    """The labels of the latest earlier month, at `$.target.earlier`."""
    parameters = {
        "TableName": "${LedgerTable}",
        # BETWEEN would find this month, too. Below it is the group's own item, or one of another kind.
        "KeyConditionExpression": "#group = :group AND entry < :month",
        "ExpressionAttributeNames": {"#group": "group"},
        "ExpressionAttributeValues": {
            ":group": {"S": Path("$.group")},
            ":month": {"S": text(keys.MONTH)},
        },
        "ScanIndexForward": False,
        "Limit": 1,
        "ConsistentRead": True,
    }
    find = call("FindEarlier", "aws-sdk:dynamodb:query", parameters, failure, result_path="$.found")
    use = states.Pass("UseEarlier", input_path="$.found.Items[0]", result_path="$.target.earlier")
    use.next(then)
    known = states.Choice("EarlierKnown")
    known.add_choice(choice_rule.ChoiceRule.StringMatches("$.found.Items[0].entry.S", f"{keys.MONTHS}*"), use)
    known.default_choice(then)
    find.next(known)
    return find


def read_compared(failure: states.State, then: states.State) -> states.State:
    """The evidence of the group's newest comparison, at `$.target.compared`: how right models were lately.

    Decisions by hand may have none: the last ten are looked at.
    """
    parameters = {
        "TableName": "${LedgerTable}",
        "KeyConditionExpression": "#group = :group AND begins_with(entry, :decisions)",
        "FilterExpression": "attribute_exists(evidence_digest)",
        "ProjectionExpression": "evidence, evidence_digest",
        "ExpressionAttributeNames": {"#group": "group"},
        "ExpressionAttributeValues": {":group": {"S": Path("$.group")}, ":decisions": {"S": keys.DECISIONS}},
        "ScanIndexForward": False,
        # It counts what is read, not what the filter leaves.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.FilterExpression.html
        "Limit": 10,
        "ConsistentRead": True,
    }
    find = call("FindCompared", "aws-sdk:dynamodb:query", parameters, failure, result_path="$.found")
    use = states.Pass("UseCompared", input_path="$.found.Items[0]", result_path="$.target.compared")
    use.next(then)
    known = states.Choice("ComparedKnown")
    known.add_choice(choice_rule.ChoiceRule.IsPresent("$.found.Items[0].evidence_digest.S", True), use)
    known.default_choice(then)
    find.next(known)
    return find


def read_month(failure: states.State, then: states.State) -> states.State:
    """The month's labels until now, with what people decided on them, at `$.target.month`."""
    get_month = get_item("GetMonth", text(keys.MONTH), "$.found", failure)
    use = states.Pass("UseMonth", input_path="$.found.Item", result_path="$.target.month")
    use.next(then)
    nothing = "No labels of {} for {} are recorded, so there is nothing to put decisions into."
    rule = choice_rule.ChoiceRule
    known = states.Choice("MonthKnown")
    known.add_choice(rule.IsPresent("$.found.Item", True), use)
    known.add_choice(
        rule.StringEquals("$.purpose", "review"),
        refuse("NothingToAmend", failure, nothing, "$.group", "$.period"),
    )
    known.default_choice(then)
    get_month.next(known)
    return get_month


def record_labels(
    state_id: str,
    failure: states.State,
    lost: states.State,
    *,
    winner: str | None = None,
    found: Mapping[str, Path] | None = None,
) -> states.State:
    """Make the labels the month's and part of its history, or neither; to `lost` where they may not be.

    They may if all that they rest on is as the run has read it: the labels they replace, the group's codebook
    and policy, and `winner` (the path of a model), where one has labelled the items. `found` are attributes
    that both items have besides.
    """
    checks = {keys.GROUP: {"codebook_version": CODEBOOK_VERSION, "policy": POLICY}}
    if winner:
        checks[keys.WINNER] = {"model": winner}
    table = text("{}/{}labels.parquet", "$.target.bucket", "$.target.folder.prefix")
    month = {**_labels(keys.MONTH), "dataset": Path("$.made.dataset"), "table": table, **(found or {})}
    replaced = {
        "ConditionExpression": "attribute_not_exists(entry) OR #run = :replaced",
        "ExpressionAttributeNames": {"#run": "run"},
        "ExpressionAttributeValues": {":replaced": {"S": Path("$.target.month.run.S")}},
    }
    ledger = {"TableName": "${LedgerTable}"}
    parameters = {
        "TransactItems": [
            *(_unchanged(entry, read) for entry, read in checks.items()),
            {"Put": {**ledger, "Item": typed(month), **replaced}},
            {"Put": {**ledger, "Item": typed({**_version(), **(found or {})}), **NEW}},
        ],
        # A retry after a lost answer is the same write; the next look at the month is another.
        "ClientRequestToken": Path(
            "States.Hash(States.Format('{}{}', $$.Execution.Id, $$.State.EnteredTime), 'MD5')"
        ),
    }
    # Two transactions that meet cancel one another; the next try finds out whether something did change.
    step = call(
        state_id, "aws-sdk:dynamodb:transactWriteItems", parameters, failure, retry([CANCELLED], 1, 5, 5)
    )
    step.catches.insert(0, states.Catch(lost, error_equals=[CANCELLED], result_path="$.failure"))
    return step


def record_superseded(failure: states.State) -> states.State:
    """Labels that came too late to be the month's: part of its history all the same.

    The month's delivery only ever becomes newer, so nothing that was read can make this wrong.
    """
    item = {**_version(), "superseded_by": Path("$.target.month.run.S")}
    parameters = {"TableName": "${LedgerTable}", "Item": typed(item)}
    return call("RecordSuperseded", "dynamodb:putItem", parameters, failure)


def _labels(entry: str) -> dict[str, str | Path]:
    """What both items of a run's labels hold."""
    made = {name: Path(f"$.made.{name}") for name in ("model", "delivered")}
    made |= {"labels": PUBLISHED, "digest": Path(MANIFEST_DIGEST)}
    return {"group": Path("$.group"), "entry": text(entry), "run": Path("$.run"), **made}


def _version() -> dict[str, str | Path]:
    return {**_labels(keys.LABELS), "recorded_at": Path("$$.State.EnteredTime")}


def _unchanged(entry: str, read: dict[str, str]) -> dict[str, dict[str, object]]:
    """A condition: the entry's attributes are still those at the paths in `read`."""
    return {
        "ConditionCheck": {
            "TableName": "${LedgerTable}",
            "Key": {"group": {"S": Path("$.group")}, "entry": {"S": entry}},
            "ConditionExpression": " AND ".join(f"{name} = :{name}" for name in read),
            "ExpressionAttributeValues": {f":{name}": {"S": Path(path)} for name, path in read.items()},
        }
    }


def show_month(failure: states.State, then: states.State) -> states.State:
    """Copy the month's labels to where Athena reads, until the ledger still says so after it.

    Two runs of one month may end at the same moment. Whoever copies last looks at the ledger after that, so
    what stays is the month's, whoever made it. The labels are recorded by now: where the copy cannot be made,
    the hourly check makes it, from what is the month's then.
    """
    to = {"Bucket": Path("$.target.bucket"), "Key": CURRENT}
    put_off = later("PublishTable", COPY, to, failure)
    put_off.next(then)
    find = get_item("GetNewest", text(keys.MONTH), "$.found", put_off)
    shown = states.Choice("NewestShown")
    shown.add_choice(choice_rule.ChoiceRule.StringEqualsPath("$.found.Item.run.S", "$.target.shown"), then)
    # The run that recorded labels before `table` was kept has shown them itself.
    shown.add_choice(choice_rule.ChoiceRule.IsPresent("$.found.Item.table.S", False), then)
    publish = call("PublishTable", COPY, {**to, "CopySource": Path("$.found.Item.table.S")}, put_off)
    note = states.Pass("NoteShown", input_path="$.found.Item.run.S", result_path="$.target.shown")
    shown.default_choice(publish)
    publish.next(note)
    note.next(find)
    find.next(shown)
    return find
