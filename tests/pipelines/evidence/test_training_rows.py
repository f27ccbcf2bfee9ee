"""The rows that a model was trained on: found, read, and no others."""

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from pipelines.evidence.training_rows import RowsMissing, read
from pipelines.ledger.reading import GroupLedger, LedgerError
from tests.pipelines.evidence.kept_rows import FOLDER, MODEL, keep
from tests.pipelines.review.published_month import client
from tests.training.synthetic_group import items

BUCKET = "work-bucket"


@pytest.fixture
def s3():
    with mock_aws():
        client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield client("s3")


def test_the_rows_are_those_of_train_and_validation_each_file_with_its_digest(s3):
    kept = keep(s3, BUCKET)
    found = read(s3, BUCKET, kept.ledger, MODEL)
    assert found.table.equals(kept.learned)
    assert (found.digest, found.claimed) == (kept.digest, True)
    for address, digest in found.files.items():
        body = s3.get_object(Bucket=BUCKET, Key=address.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
        assert hashlib.sha256(body).hexdigest() == digest
    assert [address.rpartition("/")[2] for address in found.files] == ["train.parquet", "validation.parquet"]


def test_without_the_claim_of_just_these_rows_it_is_said_that_they_are_not_claimed(s3):
    kept = keep(s3, BUCKET)
    kept.ledger.registered["policy"] = "{}"
    assert not read(s3, BUCKET, kept.ledger, MODEL).claimed
    of_another = {digest: {"run": "another"} for digest in kept.ledger.claims}
    kept.ledger.registered["policy"] = '{"precision": 0.98}'
    kept.ledger.claims.update(of_another)
    assert not read(s3, BUCKET, kept.ledger, MODEL).claimed


@pytest.mark.parametrize("file", ["train/train.parquet", "report/report.json"])
def test_rows_that_are_no_longer_kept_are_named(s3, file):
    kept = keep(s3, BUCKET)
    s3.delete_object(Bucket=BUCKET, Key=FOLDER + file)
    with pytest.raises(RowsMissing, match=rf"{file} does not exist: .*{MODEL} .*Fix: restore"):
        read(s3, BUCKET, kept.ledger, MODEL)


def test_rows_that_were_replaced_are_refused(s3):
    kept = keep(s3, BUCKET)
    sink = pa.BufferOutputStream()
    pq.write_table(items(50, seed=4), sink)
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}train/train.parquet", Body=sink.getvalue().to_pybytes())
    with pytest.raises(RowsMissing, match=r"is not what was recorded: the digest of its rows is"):
        read(s3, BUCKET, kept.ledger, MODEL)


def test_a_report_of_other_data_than_the_models_is_refused(s3):
    kept = keep(s3, BUCKET)
    other = {MODEL: kept.ledger.models[MODEL] | {"data_digest": "0" * 64}}
    with pytest.raises(RowsMissing, match="is not what was recorded"):
        read(s3, BUCKET, GroupLedger(kept.ledger.group, models=other), MODEL)


def test_a_model_that_the_group_does_not_have_is_said_to_be_none_of_its(s3):
    with pytest.raises(LedgerError, match="DE-weee has no model other"):
        read(s3, BUCKET, GroupLedger("DE-weee"), "other")
