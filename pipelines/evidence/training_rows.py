"""The rows that a model was trained on, as Prepare left them, and whether they still are.

No digest of these files is in the ledger, but one of the rows is: a training claims its rows there by their
digest, before it learns from them (pipelines/machines/training_claim.py). Clients are boto3's.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import names
from pipelines.errors import Refused
from pipelines.ledger.reading import GroupLedger, check_model
from processing.dataset import data_files, hard_texts, split
from processing.dataset.text import text_keys
from processing.errors import NOT_AS_RECORDED

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

TRAIN, VALIDATION, TEST = "train/train.parquet", "validation/validation.parquet", "test/part-00000.parquet"


class RowsMissing(Refused):
    """A model's training rows are not kept any more, or not those it learned; the message says which file."""


@dataclass(frozen=True)
class TrainingRows:
    """What a model learned from, without what other groups lent it.

    Attributes:
        table: canonical rows (docs/contracts.md), labels among them.
        files: SHA-256 (hex) of the files that were read, by address.
        digest: of the rows of the whole training, those of the test set among them.
        claimed: whether the ledger has the claim of the model's run on just these rows. It lacks it where no
            decision records the policy that the run had.
    """

    table: pa.Table
    files: dict[str, str]
    digest: str
    claimed: bool


def read(s3: S3Client, work_bucket: str, ledger: GroupLedger, model: str) -> TrainingRows:
    """The rows of train and validation that `model` was trained on.

    Raises:
        RowsMissing: a file is not there any more, or the rows are not those that Prepare reported.
        LedgerError: the group has no such model.
    """
    check_model(ledger, model)
    item = ledger.models[model]
    folder = names.address(work_bucket, names.RUN_FOLDER.format(group=ledger.group, run=item["run"]))
    content = {
        name: _get(s3, folder + name, model) for name in (TRAIN, VALIDATION, TEST, "report/report.json")
    }
    report = json.loads(content.pop("report/report.json"))
    train, validation, test = (pq.read_table(io.BytesIO(content[name])) for name in (TRAIN, VALIDATION, TEST))
    digest = data_files.rows_digest(_all_rows(ledger.group, train, validation, test))
    # Reports from before rows had digests say none: nothing to compare with.
    if report.get("rows_digest", digest) != digest or report["data_digest"] != item["data_digest"]:
        raise RowsMissing(
            f"{folder} {NOT_AS_RECORDED}: the digest of its rows is {digest}, that of the run's report is "
            f"{report.get('rows_digest')}. Fix: restore the versions of its files that {model} was trained on"
        )
    return TrainingRows(
        table=pa.concat_tables([train, validation]),
        files={folder + name: hashlib.sha256(content[name]).hexdigest() for name in (TRAIN, VALIDATION)},
        digest=digest,
        claimed=_is_claimed(ledger, item, digest),
    )


def _all_rows(group: str, train: pa.Table, validation: pa.Table, test: pa.Table) -> pa.Table:
    """The canonical rows that Prepare split; the test set's file has the newest once more, and hard texts."""
    test = test.filter(pa.array(~hard_texts.are_listed(test)))
    test = test.append_column("text_key", text_keys(group, test))
    test = test.filter(pa.array(split.is_test(test["text_key"])))
    return pa.concat_tables([train, validation, test.select(train.column_names)])


def _is_claimed(ledger: GroupLedger, item: dict[str, Any], digest: str) -> bool:
    policies = {each["policy"] for each in ledger.decisions if "policy" in each}
    learned = (
        f"{item['code_digest']} {item['image']} {digest} {item['codebook_version']} {policy}"
        for policy in policies
    )
    claims = (ledger.claims.get(hashlib.sha256(text.encode()).hexdigest(), {}) for text in learned)
    return any(claim.get("run") == item["run"] for claim in claims)


def _get(s3: S3Client, address: str, model: str) -> bytes:
    bucket, key = names.split_address(address)
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        raise RowsMissing(
            f"{address} does not exist: the rows that {model} was trained on are not kept any more. "
            "Fix: restore the object's last version, or do without"
        ) from None
