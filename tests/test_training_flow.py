"""Three trainings through the local stack: alone, skipped as nothing is new, and with a neighbour's rows."""

import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.local.stack import LocalStack
from infra.samples import generate
from infra.samples.deliver import deliver, publish
from tests import invariants

GROUP, NEIGHBOUR, ROWS = "DE-weee", "AT-weee", 200


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack in which the neighbour shared from the beginning, and the group from its third delivery on."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        rows = {
            group: pa.Table.from_pylist(generate.items(group, 0, ROWS, labelled=True))
            for group in (GROUP, NEIGHBOUR)
        }
        publish(stack, codebook(NEIGHBOUR, share_by="unu"))
        publish(stack, codebook(GROUP))
        for group in (GROUP, NEIGHBOUR):
            deliver(stack, f"training/{group}/2026-09/d1/", rows[group])
        stack.wait_until_quiet(timeout_seconds=300)
        stack.shared_at_first = shared(stack)
        deliver(stack, f"training/{GROUP}/2026-10/d1/", rows[GROUP].take(list(range(ROWS))[::-1]), "csv.gz")
        stack.wait_until_quiet(timeout_seconds=300)
        publish(stack, codebook(GROUP, share_by="unu"))
        deliver(stack, f"training/{GROUP}/2026-11/d1/", rows[GROUP])
        stack.wait_until_quiet(timeout_seconds=300)
        yield stack


def codebook(group: str, **policy: str) -> dict:
    book = generate.codebook(group, "1")
    codes = [entry | {"references": {"unu": [f"key of {entry['code']}"]}} for entry in book["codes"]]
    return book | {"codes": codes, "policy": policy}


def shared(stack) -> set[str]:
    listed = stack.client("s3").list_objects_v2(Bucket=stack.names["WorkBucket"], Prefix="shared/")
    return {entry["Key"] for entry in listed["Contents"]}


def models(stack) -> list[dict]:
    """What the ledger has of the group's models, oldest first."""
    items = stack.client("dynamodb").scan(TableName=stack.names["LedgerTable"])["Items"]
    plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
    made = [item for item in plain if item["group"] == GROUP and item["entry"].startswith("MODEL#")]
    return sorted(made, key=lambda item: item["trained_at"])


def weights(stack, model: dict) -> bytes:
    with tarfile.open(stack.folder / model["artefact"].replace("s3://", "s3/")) as archive:
        return archive.extractfile("arrays.npz").read()


def test_a_group_learns_from_another_only_once_its_policy_says_so(stack):
    alone, together = models(stack)
    assert int(alone["shared_rows"]) == 0 < int(together["shared_rows"]) < ROWS
    assert weights(stack, alone) != weights(stack, together)


def test_only_groups_that_share_have_rows_where_others_read(stack):
    notes = {"shared/none/about.txt", "shared/unu/about.txt"}
    assert stack.shared_at_first == {*notes, f"shared/unu/{NEIGHBOUR}/rows.parquet"}
    assert shared(stack) == {*stack.shared_at_first, f"shared/unu/{GROUP}/rows.parquet"}


def test_what_a_group_shares_are_its_train_rows_without_their_ids(stack):
    work = stack.folder / "s3" / stack.names["WorkBucket"]
    rows = pq.read_table(work / f"shared/unu/{NEIGHBOUR}/rows.parquet")
    (train,) = work.glob(f"runs/{NEIGHBOUR}/*/train/train.parquet")
    assert rows["title"].equals(pq.read_table(train)["title"])
    assert not {"item_id", "label", "text_key"} & set(rows.column_names)


def test_the_same_rows_in_another_order_and_format_are_not_learned_twice(stack):
    assert [model["period"] for model in models(stack)] == ["2026-09", "2026-11"]
    mail = [path.read_text(encoding="utf-8") for path in (stack.folder / "mailbox").iterdir()]
    (notice,) = [text for text in mail if "Nothing new to learn" in text]
    assert models(stack)[0]["entry"].removeprefix("MODEL#") in notice


def test_the_next_search_goes_on_from_the_last_one(stack):
    first, second = (model["tuning_job"] for model in models(stack))
    log = (stack.folder / "jobs" / second / "log.txt").read_text()
    assert f"trials of {first}" in log.splitlines()[0]


def test_all_invariants_hold_in_the_end(stack):
    assert invariants.broken(invariants.of_stack(stack.client, stack.names)) == []
