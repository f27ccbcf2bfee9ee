"""The table in the template, over the files as they are published: what Athena is told is what is there."""

import duckdb
import pyarrow.parquet as pq
import pytest
from cfnlint.decode import cfn_yaml

import infra
from processing import publish
from processing.labels import label_table
from tests.processing.job_folders import DATASET, GROUP, PERIOD, as_jsonl, items

TEMPLATE = infra.__path__[0] + "/template.yaml"
#: Athena's types and DuckDB's names for what Athena shows.
TYPES = {"string": "VARCHAR", "double": "DOUBLE", "timestamp": "TIMESTAMP"}


@pytest.fixture(scope="module")
def table() -> dict:
    resources = cfn_yaml.load(TEMPLATE)["Resources"]
    return resources["LabelsTable"]["Properties"]["TableInput"]


@pytest.fixture
def current(new_job, tmp_path):
    """The folder that the table is over, with two months of one group."""
    for period in ("2026-09", PERIOD):
        rows = items(5, labelled=False)
        rows[4]["title"] = ""
        before = new_job()
        before.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        before.prepare("inference")
        job = new_job()
        job.trained()
        for name in ("items", "truth"):
            for path in before.output(name).iterdir():
                (job.input(name) / path.name).write_bytes(path.read_bytes())
        answer = {
            "code": "1",
            "confidence": 0.9,
            "second_code": "2",
            "second_confidence": 0.1,
            "review": False,
        }
        answers = [{"item_id": item["item_id"], "SageMakerOutput": answer} for item in before.items()]
        (job.input("predictions") / "items-00000.jsonl.out").write_bytes(as_jsonl(answers))
        arguments = {"group": GROUP, "period": period, "purpose": "inference", "run": f"run-{period}"}
        job.run(
            publish.main,
            **arguments,
            dataset_uri=DATASET,
            model="m",
            earlier_digest=job.labels_digest("earlier"),
            replaced_digest=job.labels_digest("replaced"),
            compared_digest="",
            destination="s3://x/",
            rows="5",
            policy="{}",
        )
        folder = tmp_path / "current" / GROUP / period
        folder.mkdir(parents=True)
        (job.output("files") / "labels.parquet").rename(folder / "labels.parquet")
    return tmp_path / "current"


def test_the_files_have_the_columns_of_the_table_and_their_types(table, current):
    query = f"describe select * from read_parquet('{current}/**/*.parquet', hive_partitioning = false)"
    there = {name: kind for name, kind, *_ in duckdb.sql(query).fetchall()}
    described = {column["Name"]: TYPES[column["Type"]] for column in table["StorageDescriptor"]["Columns"]}
    # Athena has no zone in a timestamp column: it shows UTC.
    assert {name: kind.removesuffix(" WITH TIME ZONE") for name, kind in there.items()} == described


def test_every_column_is_explained_as_the_manifest_explains_it(table):
    described = {column["Name"]: column["Comment"] for column in table["StorageDescriptor"]["Columns"]}
    assert described == {
        name: what for name, what in label_table.COLUMNS.items() if name not in label_table.TEST_ONLY
    }


def test_months_are_told_apart_by_a_column_so_that_no_partition_has_to_be_declared(table, current):
    assert "PartitionKeys" not in table
    query = f"""select model_group, period, status, count(*) from '{current}/**/*.parquet'
                where period = '2026-10' group by all order by status"""
    assert duckdb.sql(query).fetchall() == [
        (GROUP, "2026-10", "rejected", 1),
        (GROUP, "2026-10", "review", 4),
    ]


def test_tools_that_read_partitions_from_paths_meet_no_column_twice(current):
    """An address like run=.../ would: pyarrow then refuses the file that has a column `run` as well."""
    assert pq.read_table(current).num_rows == 10


def test_the_table_is_over_the_newest_labels_and_over_nothing_else(table):
    assert table["StorageDescriptor"]["Location"] == {"Fn::Sub": "s3://${LabelledBucket}/current/"}
    assert table["Parameters"]["classification"] == "parquet"
