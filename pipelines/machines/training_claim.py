"""Of several runs that would learn the same at the same time one does: it has claimed the rows in the ledger.

A client that sends its manifest twice has two runs. Both prepare the rows, and so find out that they are the
same. What becomes of the model is in training.py.
"""

from stepfunctions.steps import choice_rule, states

from pipelines import messages
from pipelines.ledger import keys
from pipelines.machines.failure_path import CODEBOOK_VERSION, POLICY, get_item
from pipelines.machines.states import Path, call, notify, retry, text

ROWS_DIGEST = "$.prepared.message.rows_digest"
#: The two names Step Functions has for it: of its own integration, and of the AWS SDK's.
CONDITION_FAILED = ["DynamoDB.ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException"]
#: Of an execution that ended more than 90 days ago (Step Functions Developer Guide, "Service quotas"; its
#: page on SDK integrations has the form of the name).
FORGOTTEN = "Sfn.ExecutionDoesNotExistException"
#: All that a model depends on, except for rows that other groups share.
LEARNED = text("${CodeDigest} ${ImageUri} {} {} {}", ROWS_DIGEST, CODEBOOK_VERSION, POLICY).to_jsonpath()
ENTRY = text(keys.TRAINING, digest=f"States.Hash({LEARNED}, 'SHA-256')")


def claim_rows(failure: states.State, then: states.State) -> states.State:
    """On to `then` with the rows claimed; to the end where an execution that runs has claimed them.

    The claim of an execution that has ended is taken over. `then` looks whether it has made a model: one that
    succeeded has recorded it before it ended.
    """
    get_claim = get_item("GetClaim", ENTRY, "$.claim", failure)
    describe = call(
        "DescribeClaimant",
        "aws-sdk:sfn:describeExecution",
        {"ExecutionArn": Path("$.claim.Item.execution.S")},
        failure,
        retry([FORGOTTEN], 1, 5, 0),
        result_selector={"status.$": "$.Status"},
        result_path="$.claimant",
    )
    take_over = _claim("TakeOver", "$.claim.Item.execution.S", failure, taken=get_claim, then=then)
    describe.catches.insert(0, states.Catch(take_over, error_equals=[FORGOTTEN], result_path="$.claimant"))
    at_work = states.Choice("ClaimantAtWork")
    at_work.add_choice(choice_rule.ChoiceRule.StringEquals("$.claimant.status", "RUNNING"), _notify(failure))
    at_work.default_choice(take_over)
    states.Chain([get_claim, describe, at_work])
    return _claim("ClaimRows", "$$.Execution.Id", failure, taken=get_claim, then=then)


def _claim(
    state_id: str, claimant: str, failure: states.State, taken: states.State, then: states.State
) -> states.State:
    """Claim what is free, or the claimant's.

    Our own as well: a try whose answer was lost has made it.
    """
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": ENTRY},
        "run": {"S": Path("$.run")},
        "execution": {"S": Path("$$.Execution.Id")},
    }
    parameters = {
        "TableName": "${LedgerTable}",
        "Item": item,
        "ConditionExpression": "attribute_not_exists(entry) OR execution IN (:claimant, :execution)",
        "ExpressionAttributeValues": {
            ":claimant": {"S": Path(claimant)},
            ":execution": {"S": Path("$$.Execution.Id")},
        },
    }
    step = call(state_id, "dynamodb:putItem", parameters, failure, retry(CONDITION_FAILED, 1, 5, 0))
    step.catches.insert(0, states.Catch(taken, error_equals=CONDITION_FAILED, result_path="$.taken"))
    step.next(then)
    return step


def _notify(failure: states.State) -> states.State:
    said = {"other": "$.claim.Item.run.S"}
    return notify("NotifyClaimed", "${MlopsTopicArn}", messages.LEARNED_ALREADY, failure, said)
