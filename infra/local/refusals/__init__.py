"""What SageMaker refuses beyond what its interface description says: one table, each row with its source.

The records (../jobs.py) apply it, and the table of docs/local.md is written from it. A row is a function; its
message says what AWS's says, in our own words. What a request must be by AWS's own description is
../aws_models.py's. Read row.py, then one kind of row.

    row.py       what a row is, and what it may ask
    requests.py  rows on the request alone
    access.py    rows on roles, images and inputs
    role.py      what a role may do, as far as it is checked
    records.py   rows on the jobs and models there are
"""

from infra.local.refusals import access, records, requests
from infra.local.refusals.role import Role
from infra.local.refusals.row import Account, Refusal, Request

__all__ = ["BEFORE", "TABLE", "WITH_RECORDS", "Account", "Refusal", "Role", "first"]

#: Looked at before the records are locked.
BEFORE: tuple[Refusal, ...] = (
    requests.two_that_exclude_each_other,
    requests.instances_not_given,
    requests.no_image_of_a_registry,
    requests.own_metrics_on_aws_image,
    requests.own_tunables_on_aws_image,
    requests.wait_without_spot,
    requests.wait_shorter_than_run,
    requests.long_wait_on_aws_image,
    requests.too_few_combinations,
    requests.grid_over_numbers,
    requests.too_many_tunables,
    requests.too_much_at_once,
    requests.too_many_transform_instances,
    requests.batches_without_split,
    access.role_that_can_not_be_assumed,
    access.image_that_can_not_be_pulled,
    access.no_input,
    access.no_model_data,
)
#: Checked under the lock, while the records do not change.
WITH_RECORDS: tuple[Refusal, ...] = (
    records.name_taken,
    records.tuning_name_taken,
    records.model_name_taken,
    records.unknown_model,
    records.parent_gone,
    records.parent_unfinished,
    records.parent_with_other_hyperparameters,
    records.parent_with_other_objective,
    records.parent_with_another_definition,
    records.quota_full,
    records.delete_while_running,
    records.stop_after_the_end,
)
TABLE = BEFORE + WITH_RECORDS


def first(
    rows: tuple[Refusal, ...], operation: str, request: Request, account: Account
) -> tuple[Refusal, str] | None:
    """The first of `rows` that refuses the request, with its message; None if none does."""
    for row in rows:
        if operation in row.operations and (message := row.says(request, account)):
            return row, message
    return None
