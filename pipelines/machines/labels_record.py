"""Which labels of a month are the newest: the last of the ledger's entries LABELS#month#time#run."""

from stepfunctions.steps import choice_rule, states

from pipelines import names
from pipelines.ledger import keys
from pipelines.machines.inference_jobs import PUBLISHED
from pipelines.machines.states import Path, call, text

#: The copy that Athena reads: the newest published labels of each group and month, and no others.
CURRENT = text(names.CURRENT)
OF_MONTH = (text(keys.LABELS_OF_MONTH), text(keys.AFTER_LABELS_OF_MONTH))


def record_labels(failure: states.State) -> states.State:
    """Every version that was ever published, the newest of a month last."""
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text(keys.LABELS, time="$$.State.EnteredTime")},
        "labels": {"S": PUBLISHED},
        "run": {"S": Path("$.run")},
        "model": {"S": Path("$.model")},
    }
    return call("RecordLabels", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure)


def find_newest(state_id: str, failure: states.State, first: str | Path, last: str | Path) -> states.State:
    """The last labels between two keys, to be found at `$.found.Items[0]`."""
    parameters = {
        "TableName": "${LedgerTable}",
        "KeyConditionExpression": "#group = :group AND entry BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#group": "group"},
        "ExpressionAttributeValues": {
            ":group": {"S": Path("$.group")},
            ":first": {"S": first},
            ":last": {"S": last},
        },
        "ScanIndexForward": False,
        "Limit": 1,
        "ConsistentRead": True,
    }
    return call(state_id, "aws-sdk:dynamodb:query", parameters, failure, result_path="$.found")


def show_newest(failure: states.State, then: states.State) -> states.State:
    """Copy what the ledger says is the newest to where Athena reads, until the ledger still says so after it.

    Two runs of one month may end at the same moment. Whoever copies last looks at the ledger after that, so
    what stays is the newest, whoever made it.
    """
    find = find_newest("FindNewest", failure, *OF_MONTH)
    shown = states.Choice("NewestShown")
    shown.add_choice(
        choice_rule.ChoiceRule.StringEqualsPath("$.found.Items[0].run.S", "$.target.shown"), then
    )
    parameters = {
        "Bucket": Path("$.target.bucket"),
        "Key": CURRENT,
        "CopySource": text(
            f"{{}}/{names.LABELS}labels.parquet", "$.target.bucket", run="$.found.Items[0].run.S"
        ),
    }
    publish = call("PublishTable", "aws-sdk:s3:copyObject", parameters, failure)
    note = states.Pass("NoteShown", input_path="$.found.Items[0].run.S", result_path="$.target.shown")
    shown.default_choice(publish)
    publish.next(note)
    note.next(find)
    find.next(shown)
    return find
