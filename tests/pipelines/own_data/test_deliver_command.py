"""`labelmill deliver`: what it sends of a person's file, what it refuses to send, and what it says."""

import io
import json
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import boto3
import openpyxl
import pyarrow.parquet as pq
import pytest

from infra.samples import own_items
from pipelines import cli, runs
from pipelines.codebooks.publish import current_codebook
from pipelines.failures import failure
from processing.dataset import manifest
from tests import stack_with_ledger
from tests.complaints import complaints
from tests.pipelines.failures.fake_states import FakeStates

SAMPLE = str(own_items.FILE)
SPLIT = ("--split-by", "Land", "--group", "Deutschland=DE-weee", "--group", "Österreich=AT-weee")
MACHINES = {
    f"{name.capitalize()}MachineArn": f"arn:aws:states:eu-central-1:123456789012:stateMachine:{name}"
    for name in ("training", "inference", "comparison")
}


@pytest.fixture
def outputs(emulated_aws):
    made = stack_with_ledger.create()
    boto3.client("s3").put_bucket_versioning(
        Bucket=made["LandingBucket"], VersioningConfiguration={"Status": "Enabled"}
    )
    return made


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun")
    assert cli.main(["init", SAMPLE, *SPLIT, "--dir", str(folder)]) == 0
    return folder


@pytest.fixture
def own(begun, outputs, tmp_path, monkeypatch, capsys):
    """A folder with labelmill.toml and codebooks of two groups."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def deliver(own, capsys):
    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["deliver", *words])
        said = capsys.readouterr()
        return code, said.out, complaints(said.err)

    return run


class States(FakeStates):
    """One thing happens at each pause of who follows."""

    def __init__(self):
        super().__init__()
        self.happens, self.slept = [], 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.happens:
            self.happens.pop(0)()


@pytest.fixture
def states(outputs, monkeypatch):
    """The stack's Step Functions, which do what a test says."""
    states = States()
    stack = failure.Stack(
        outputs | MACHINES, lambda service: states if service == "stepfunctions" else boto3.client(service)
    )
    monkeypatch.setattr(failure, "open_stack", lambda name: stack)
    monkeypatch.setattr("time.sleep", states.sleep)
    return states


def run_of(bucket: str, group: str) -> str:
    """The run that the manifest of a group's dataset starts."""
    [key] = [key for key in keys(bucket) if key.endswith("/manifest") and group in key]
    version = boto3.client("s3").head_object(Bucket=bucket, Key=key)["VersionId"]
    return runs.landed("training", bucket, key, version, "")["run"]


def keys(bucket: str) -> list[str]:
    return [each["Key"] for each in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_rows_of_several_groups_become_a_dataset_each_that_its_manifest_describes(deliver, outputs, tmp_path):
    code, out, _ = deliver("training", "all", "2026-10", SAMPLE, "--publish-codebook", "--no-wait")
    assert code == 0
    for group, rows in (("DE-weee", 700), ("AT-weee", 300)):
        folder = tmp_path / group
        folder.mkdir()
        found = [key for key in keys(outputs["LandingBucket"]) if f"/{group}/2026-10/" in key]
        for key in found:
            boto3.client("s3").download_file(
                outputs["LandingBucket"], key, str(folder / key.rpartition("/")[2])
            )
        uri = f"s3://{outputs['LandingBucket']}/{found[0].rpartition('/')[0]}/"
        [file] = manifest.read(folder, uri)
        table = pq.read_table(file.path)
        assert (file.rows, table.num_rows) == (rows, rows)
        assert table.column_names == [
            *("item_id", "title", "brand", "product_type", "gewicht_kg", "label"),
        ]
        assert f"{group}: sent to {uri}" in out


def test_the_codebook_is_published_before_what_needs_it_is_sent(deliver, outputs):
    assert deliver("training", "DE-weee", "2026-10", SAMPLE, "--publish-codebook", "--no-wait")[0] == 0
    item = current_codebook("DE-weee", dynamodb=boto3.client("dynamodb"), table=outputs["LedgerTable"])
    assert json.loads(item["policy"])["precision"] == 0.98
    code, out, _ = deliver("training", "DE-weee", "2026-10", SAMPLE, "--no-wait")
    assert code == 0
    assert "codebook" not in out


def test_the_run_that_is_named_is_the_one_that_the_manifest_starts(deliver, outputs):
    _, out, _ = deliver("training", "DE-weee", "2026-10", SAMPLE, "--publish-codebook", "--no-wait")
    assert f"run {run_of(outputs['LandingBucket'], 'DE-weee')}\n" in out


def test_what_was_sent_is_followed_until_each_group_has_its_verdict_or_has_failed(deliver, states, outputs):
    german, austrian = [], []

    def start():
        for runs_of_group, group in ((german, "DE-weee"), (austrian, "AT-weee")):
            runs_of_group.append(run_of(outputs["LandingBucket"], group))
            states.start_execution(MACHINES["TrainingMachineArn"], runs_of_group[0], "{}")

    def end():
        states.end(austrian[0], "FAILED", cause="row 3: no title", stopDate=datetime.now(UTC))
        states.end(german[0], "SUCCEEDED", stopDate=datetime.now(UTC))

    states.happens += [start, end]
    code, out, _ = deliver("training", "all", "2026-10", SAMPLE, "--publish-codebook")
    assert code == 1, "one has failed"
    assert re.search(rf"\d\d:\d\d {german[0]} 0 of 4 jobs done, expected end: unknown\n", out)
    assert f"{german[0]} SUCCEEDED\n" in out and f"{austrian[0]} FAILED\n" in out
    assert "\n\nDE-weee: No new model: a run before has learned" in out
    assert f"\n\nAT-weee: The run {austrian[0]} has failed. row 3: no\n  title\n  labelmill failures\n" in out


def test_a_run_that_never_starts_is_not_waited_for_without_end(deliver, states, outputs):
    code, out, _ = deliver("training", "DE-weee", "2026-10", SAMPLE, "--publish-codebook")
    run = run_of(outputs["LandingBucket"], "DE-weee")
    assert code == 1 and out.endswith(f"\n{run}: nothing has run for 15 minutes.\n  labelmill failures\n")
    assert 14 * 60 < states.slept < 16 * 60


def test_ctrl_c_ends_the_looking_and_says_that_the_runs_of_groupgo_on(deliver, states, capsys):
    def interrupt():
        raise KeyboardInterrupt

    states.happens.append(interrupt)
    code, _, err = deliver("training", "DE-weee", "2026-10", SAMPLE, "--publish-codebook")
    assert (code, err) == (130, "The runs go on; labelmill runs watch shows them.\n")


def test_items_to_label_are_sent_without_their_codes(deliver, outputs, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(SAMPLE).read_bytes())))
    words = ("inference", "AT-weee", "2026-10", "--from-stdin", "--publish-codebook", "--no-wait")
    assert deliver(*words)[0] == 0
    [key] = [key for key in keys(outputs["LandingBucket"]) if key.endswith(".parquet")]
    body = boto3.client("s3").get_object(Bucket=outputs["LandingBucket"], Key=key)["Body"].read()
    assert "label" not in pq.read_schema(io.BytesIO(body)).names


def test_where_one_group_would_be_refused_nothing_is_sent_or_published(deliver, own, outputs):
    lines = Path(SAMPLE).read_text(encoding="utf-8").splitlines()
    few = [line for line in lines if "Österreich" not in line or "AT-weee-000000" in line]
    (own / "items.csv").write_text("\n".join(few), encoding="utf-8")
    code, out, err = deliver("training", "all", "2026-10", "items.csv", "--publish-codebook")
    assert (code, err) == (1, "\nNothing was sent.\n")
    assert "few-rows: 10 usable rows are too few to split" in " ".join(out.split())
    assert keys(outputs["LandingBucket"]) == keys(outputs["WorkBucket"]) == []


def test_rows_without_a_code_are_left_out_of_a_training_and_counted(deliver, own):
    lines = Path(SAMPLE).read_text(encoding="utf-8").splitlines()
    without = [line[:-1] if 0 < at <= 40 else line for at, line in enumerate(lines)]
    (own / "items.csv").write_text("\n".join(without), encoding="utf-8")
    code, out, _ = deliver("training", "DE-weee", "2026-10", "items.csv", "--publish-codebook", "--no-wait")
    assert code == 0
    assert "DE-weee: 40 rows without a code left out\nDE-weee: 660 rows, usable 660" in out


@pytest.mark.parametrize("name", ["items.csv", "items.xlsx"])
def test_a_row_that_is_set_aside_is_called_by_its_place_in_the_persons_own_file(deliver, own, name):
    rows = [row.split(";") for row in Path(SAMPLE).read_text(encoding="utf-8").splitlines()]
    rows[1][-1] = ""  # the first row has no code
    rows[5][1] = ""  # the fifth no title
    if name == "items.csv":
        (own / name).write_text("\n".join(map(";".join, rows)), encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(own / name)
    words = ("training", "DE-weee", "2026-10", name, "--publish-codebook", "--no-wait")
    code, out, _ = deliver(*words)
    assert code == 0
    assert f"empty-title (row set aside): 1 (first: {name}, row 5)" in out


PUBLISH = "--publish-codebook"


def sample_without(column: str, *, kept: bool) -> str:
    """The sample's text without a column; if `kept`, the column is there and empty."""
    lines = [line.split(";") for line in Path(SAMPLE).read_text(encoding="utf-8").splitlines()]
    at = lines[0].index(column)
    rows = [lines[0]] if kept else []
    rows += [[*row[:at], *([""] if kept else []), *row[at + 1 :]] for row in lines[len(rows) :]]
    return "\n".join(map(";".join, rows)) + "\n"


@pytest.mark.parametrize("kept", [True, False], ids=["empty", "missing"])
@pytest.mark.parametrize(
    ("column", "way"),
    [
        ("Warengruppe", 'without = ["product_type"] under [groups.DE-weee]: a model that has'),
        ("Gewicht (kg)", "take it out of the codebook's attributes"),
    ],
)
def test_items_without_a_column_that_models_learn_from_are_sent_only_if_that_is_said(
    deliver, own, outputs, column, way, kept
):
    (own / "items.csv").write_text(sample_without(column, kept=kept), encoding="utf-8")
    code, out, err = deliver("inference", "DE-weee", "2026-10", "items.csv", PUBLISH)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"items.csv has {'' if kept else 'no column '}{column!r}" in err
    assert way in err
    assert keys(outputs["LandingBucket"]) == []


def test_a_group_that_says_it_has_no_product_types_is_sent_without(deliver, own, outputs):
    (own / "items.csv").write_text(sample_without("Warengruppe", kept=False), encoding="utf-8")
    kept = own / "labelmill.toml"
    text = kept.read_text(encoding="utf-8")
    kept.write_text(
        text.replace("[groups.DE-weee]", '[groups.DE-weee]\nwithout = ["product_type"]'), encoding="utf-8"
    )
    words = ("inference", "DE-weee", "2026-10", "items.csv", PUBLISH, "--no-wait")
    assert deliver(*words)[0] == 0
    [key] = [key for key in keys(outputs["LandingBucket"]) if key.endswith(".parquet")]
    body = boto3.client("s3").get_object(Bucket=outputs["LandingBucket"], Key=key)["Body"].read()
    assert pq.read_table(io.BytesIO(body))["product_type"].null_count == 700


def test_a_few_items_may_have_a_column_empty_by_chance(deliver, own):
    lines = sample_without("Warengruppe", kept=True).splitlines()
    (own / "items.csv").write_text("\n".join(lines[:40]), encoding="utf-8")
    assert deliver("inference", "DE-weee", "2026-10", "items.csv", PUBLISH, "--no-wait")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("training", "IT-weee", "2026-10", SAMPLE),
            "has no group IT-weee. Fix: name one of DE-weee, AT-weee",
        ),
        (
            ("training", "DE-weee", "2026-10", SAMPLE),
            "DE-weee has no codebook in this stack. Fix: add --publi",
        ),
        (("training", "DE-weee", "2026-10", "none.csv", PUBLISH), "none.csv is not there. Fix: name a file"),
        (
            ("training", "DE-weee", "2026-10", "other.csv", PUBLISH),
            "has no column 'Art.-Nr.'. Fix: write in labelmill.toml what it is called now; there are name",
        ),
        (
            ("training", "DE-weee", "2026-10", SAMPLE, "--settings", "none.toml"),
            "There is no none.toml. Fix: make one with labelmill init FILE --group GROUP",
        ),
        (
            ("training", "DE-weee", "2026-10", SAMPLE, "--stack", "nowhere"),
            "there is no stack 'nowhere' in eu-central-1",
        ),
    ],
    ids=["group", "codebook", "file", "column", "settings", "stack"],
)
def test_a_wrong_call_ends_with_one_sentence_and_the_next_step(deliver, own, words, says):
    (own / "other.csv").write_text("name;code\na;1\n")
    code, _, err = deliver(*words)
    assert (code, err.count("\n")) == (1, 1)
    assert says in err


@pytest.mark.parametrize("path", [(), (SAMPLE, "--from-stdin")])
def test_rows_come_from_one_place(deliver, path):
    code, _, err = deliver("training", "DE-weee", "2026-10", *path)
    assert code == 2 and "Fix: name either PATH or --from-stdin" in err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('gewicht_kg = "Gewicht (kg)"', ""), "has the attribute gewicht_kg"),
        (('label = "Code"', ""), "names no column for label. Fix: add it under [columns]"),
        (('rows = "Deutschland"', 'rows = "Germany"'), "none has 'Germany' in 'Land'. Fix: correct rows in"),
        (("codebooks/DE-weee", "codebooks/AT-weee"), "is the codebook of AT-weee, not of DE-weee. Fix: name"),
    ],
    ids=["attribute", "label", "rows", "codebook"],
)
def test_settings_that_do_not_fit_are_refused_with_their_fix(deliver, own, change, says):
    kept = own / "labelmill.toml"
    kept.write_text(kept.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    code, _, err = deliver("training", "DE-weee", "2026-10", SAMPLE, PUBLISH)
    assert (code, err.count("\n")) == (1, 1)
    assert says in err
