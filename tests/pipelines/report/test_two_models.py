"""`labelmill compare`: any two models of a group, against a stack in this process that has tested models."""

import hashlib
import json
import re

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipelines import cli, names
from pipelines.ledger import keys
from pipelines.report import models_page_name
from processing import compare as compare_jobs
from tests import stack_with_ledger
from tests.complaints import complaints
from tests.pipelines.report import evidences

A, B = (model.format(group="DE-weee") for model in (evidences.WINNER, evidences.CHALLENGER))
SEPTEMBER, OCTOBER = (
    names.run_name("DE-weee", "training", period, "digest") for period in ("2026-09", "2026-10")
)


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """A comparison's evidence, and the labels of both models that it stands on, by model."""
    folder = tmp_path_factory.mktemp("tested")
    evidence = evidences.evidence(folder, rows=600, wrong=(0.03, 0.12))
    roles = {"winner": A, "challenger": B}
    labels = {
        model: pq.read_table(folder / "processing/input" / role / "labels.parquet")
        for role, model in roles.items()
    }
    return evidence, labels


class Stack:
    """A stack in which A and B were trained; what they have labelled is for a test to say."""

    def __init__(self, policy: str = "{}"):
        outputs = stack_with_ledger.create()
        self.work, self._table = outputs["WorkBucket"], outputs["LedgerTable"]
        self._s3, self._dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        self.record(keys.GROUP, codebook_version="2026-10", policy=policy)
        self.codebook(evidences.CODEBOOK)
        for model, run in ((A, SEPTEMBER), (B, OCTOBER)):
            item = {"period": names.parse_run(run).period, "trained_at": "2026-10-02T03:04:05.678Z"}
            item |= dict.fromkeys(("artefact", "data_digest", "code_digest", "codebook_version"), "any")
            self.record(keys.MODEL.format(model=model), run=run, test_set=run, objective="0.9", **item)
            counts = dict.fromkeys(("rows", "train", "validation", "test", "rejected"), 10)
            splits = {part: {"codes": dict.fromkeys(evidences.CODES, 10)} for part in ("train", "validation")}
            report = counts | {"dataset": "s3://landing/any/", "splits": splits}
            self.write(names.REPORT.format(group="DE-weee", run=run) + "report.json", report)

    def record(self, entry: str, **attributes: str) -> None:
        item = {"group": "DE-weee", "entry": entry, **attributes}
        self._dynamodb.put_item(
            TableName=self._table, Item={name: {"S": value} for name, value in item.items()}
        )

    def write(self, key: str, content: dict | bytes) -> str:
        """Write an object and return its SHA-256."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self._s3.put_object(Bucket=self.work, Key=key, Body=body)
        return hashlib.sha256(body).hexdigest()

    def codebook(self, book: dict) -> None:
        self.write(names.CODEBOOK.format(group="DE-weee", version="2026-10"), book)

    def labelled(self, model: str, test_set: str, table: pa.Table) -> str:
        """`model` has labelled a test set: the manifest's key."""
        file = pa.BufferOutputStream()
        pq.write_table(table, file)
        place = names.PREDICTIONS.format(group="DE-weee", test_set=test_set, model=model, run="r1")
        listed = {
            "name": "labels.parquet",
            "sha256": self.write(f"{place}labels.parquet", file.getvalue().to_pybytes()),
        }
        digest = self.write(f"{place}manifest.json", {"run": "r1", "files": [listed]})
        self.record(
            keys.PREDICTIONS.format(test_set=test_set, model=model),
            predictions=names.address(self.work, place),
            digest=digest,
            made_at=f"{names.parse_run(test_set).period}-02T05:00:00.000Z",
        )
        return f"{place}manifest.json"


@pytest.fixture
def stack(emulated_aws):
    return Stack()


@pytest.fixture
def compare(capsys, monkeypatch, tmp_path):
    """Run `labelmill compare ...` in an empty folder; gives the exit code, the result and the error."""
    monkeypatch.chdir(tmp_path)

    def run(*words) -> tuple[int, str, str]:
        code = cli.main(["compare", *map(str, words)])
        printed = capsys.readouterr()
        return code, printed.out.strip(), complaints(printed.err).strip()

    return run


def figures(compare) -> dict:
    code, printed, error = compare(A, B, "--json")
    assert (code, error) == (0, "")
    return json.loads(printed)


def test_two_models_of_one_test_set_have_the_figures_of_a_comparison_and_no_verdict(stack, compare, tested):
    evidence, labels = tested
    for model in (A, B):
        stack.labelled(model, OCTOBER, labels[model])
    found = figures(compare)
    assert not {"verdict", "reason", "questions", "run"} & found.keys()
    assert found["test_sets"] == {A: OCTOBER, B: OCTOBER} and found["left_out"] == {A: 0, B: 0}
    for role in ("winner", "challenger"):
        evidence[role].pop("tested", None)
    same = found.keys() - {"test_sets", "left_out"}
    assert {name: found[name] for name in same} == {name: evidence[name] for name in same}
    assert len(same) > 30


def test_the_page_says_what_differs_and_nothing_of_winner_challenger_or_promotion(
    stack, compare, tested, tmp_path
):
    for model, table in tested[1].items():
        stack.labelled(model, OCTOBER, table)
    code, printed, error = compare(A, B, "--out", tmp_path)
    path = tmp_path / models_page_name(A, B)
    assert (code, error, printed.splitlines()[-1]) == (0, "", str(path))
    page = path.read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL))
    said = f"A is {A}, B is {B}, both on the 600 test rows of {OCTOBER}."
    assert printed.startswith(said) and said in text
    assert "Only B is right on " in printed and "Only B right" in text
    for word in ("promot", "winner", "challenger", "verdict"):
        assert word not in text.lower() and word not in printed.lower()
    assert 'aria-label="Differences, B minus A:' in page


def test_of_two_test_sets_the_rows_that_both_share_are_compared_and_the_others_counted(
    stack, compare, tested
):
    labels = tested[1]
    stack.labelled(A, SEPTEMBER, labels[A].slice(0, 500))
    stack.labelled(B, OCTOBER, labels[B].slice(100))
    found = figures(compare)
    assert (found["rows"], found["left_out"]) == (400, {A: 100, B: 100})
    right = pc.equal(labels[A]["code"], labels[A]["truth"]).slice(100, 400)
    assert found["winner"]["accuracy"] == pytest.approx(pc.mean(right).as_py())
    assert f"the 400 test rows that {SEPTEMBER} and {OCTOBER} share" in compare(A, B)[1]


def test_the_newest_test_set_that_both_have_labelled_comes_before_newer_ones_of_one_alone(
    stack, compare, tested
):
    labels = tested[1]
    for model in (A, B):
        stack.labelled(model, SEPTEMBER, labels[model])
    stack.labelled(B, OCTOBER, labels[B].slice(0, 50))
    assert figures(compare)["test_sets"] == {A: SEPTEMBER, B: SEPTEMBER}


def test_a_code_that_was_renamed_between_two_test_sets_is_one_code(stack, compare, tested):
    old, new = evidences.CODEBOOK["codes"][0], "1-new"
    renamed = {"kind": "renamed", "from": [old["code"]], "to": [new], "date": "2026-10-01"}
    codes = [
        old | {"valid_to": "2026-09-30"},
        old | {"code": new, "valid_from": "2026-10-01"},
        *evidences.CODEBOOK["codes"][1:],
    ]
    stack.codebook(evidences.CODEBOOK | {"codes": codes, "successions": [renamed]})
    labels = tested[1]
    stack.labelled(A, SEPTEMBER, labels[A])
    for name in ("truth", "code"):
        column = pc.if_else(pc.equal(labels[B][name], old["code"]), new, labels[B][name])
        labels = labels | {B: labels[B].set_column(labels[B].column_names.index(name), name, column)}
    stack.labelled(B, OCTOBER, labels[B])
    found = figures(compare)
    assert found["rows"] == 600
    assert (found["score"], found["winner_score"]) == (tested[0]["score"], tested[0]["winner_score"])


def test_rows_whose_true_code_is_uncertain_since_a_split_are_left_out(stack, compare, tested):
    """Between two test sets a code was split: nobody knows which part the rows of September have."""
    _, labels = tested
    code = "1"
    parts = [
        {
            "code": f"{code}{part}",
            "description": part,
            "valid_from": "2026-10-01",
            "valid_to": None,
            "critical": False,
        }
        for part in "xy"
    ]
    codes = [
        entry | ({"valid_to": "2026-09-30"} if entry["code"] == code else {})
        for entry in evidences.CODEBOOK["codes"]
    ]
    split = {"kind": "split", "from": [code], "to": [part["code"] for part in parts], "date": "2026-10-01"}
    stack.codebook(evidences.CODEBOOK | {"codes": codes + parts, "successions": [split]})
    stack.labelled(A, SEPTEMBER, labels[A])
    stack.labelled(B, OCTOBER, labels[B])

    found = figures(compare)

    rows = compare_jobs.test_rows(labels[A])
    uncertain = pc.sum(pc.equal(rows["truth"], code)).as_py()
    assert uncertain
    assert found["left_out"] == dict.fromkeys((A, B), uncertain)


def test_models_whose_test_rows_never_meet_are_refused_in_a_sentence(stack, compare, tested, tmp_path):
    labels = tested[1]
    stack.labelled(A, SEPTEMBER, labels[A].slice(0, 300))
    stack.labelled(B, OCTOBER, labels[B].slice(300))
    code, printed, error = compare(A, B, "--out", tmp_path)
    assert (code, printed, [*tmp_path.iterdir()]) == (1, "", [])
    assert error == (
        f"The models have no test row in common: {A} has labelled 300 test rows of {SEPTEMBER} and {B} has "
        f"labelled 300 test rows of {OCTOBER}. Fix: name two models whose test sets share items."
    )


def test_labels_that_were_changed_afterwards_are_not_compared(stack, compare, tested):
    labels = tested[1]
    stack.labelled(A, OCTOBER, labels[A])
    manifest = stack.labelled(B, OCTOBER, labels[B])
    stack.write(manifest.replace("manifest.json", "labels.parquet"), b"other labels")
    code, _, error = compare(A, B)
    assert code == 1 and "labels.parquet of run r1 is not what was recorded" in error


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((A, A), f"{A} is compared with itself. Fix: name two models"),
        (("winner", B), "'winner' is not a model. Fix: name one like DE-weee-2026-10-1a2b3c4d"),
        ((A, "DE-weee-2026-10-00000000"), "DE-weee has no model DE-weee-2026-10-00000000. Fix:"),
        ((A, "FR-weee-2026-10-00000000"), "is a model of FR-weee, not of DE-weee. Fix:"),
        ((A, B), f"{A} has labelled no test set yet. Fix: wait until its test has ended"),
    ],
)
def test_what_cannot_be_compared_is_said_with_the_fix(stack, compare, words, sentence):
    code, printed, error = compare(*words)
    assert (code, printed) == (1, "") and sentence in error
