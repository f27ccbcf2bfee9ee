"""`labelmill explain`: the winner's artefact through the ledger, and what is told of one item."""

import base64
import hashlib
import io
import json
import tarfile

import boto3
import pytest
from moto import mock_aws

from pipelines.cli import main
from tests.complaints import complaints
from tests.pipelines.ledger.ledger_samples import FIRST, FOREIGN, GROUP, SECOND, THIRD, Ledger

WHERE = {"Bucket": "work-bucket", "Key": "models/model.tar.gz"}
ARTEFACT = "s3://work-bucket/models/model.tar.gz"


def digest_of(content: bytes) -> str:
    """As S3 writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@pytest.fixture
def stack(monkeypatch, trained):
    """SECOND is the winner of DE-weee, its artefact packed as SageMaker may pack it; FIRST's is gone."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("ACCESS_KEY_ID", "test"),
        ("SECRET_ACCESS_KEY", "test"),
        ("DEFAULT_REGION", "eu-west-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(trained / "model", arcname=".")
    with mock_aws():
        s3, ledger = boto3.client("s3"), Ledger()
        s3.create_bucket(Bucket="work-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="work-bucket", Key="models/model.tar.gz", Body=packed.getvalue())
        ledger.put("GROUP", codebook_version="2026-10")
        ledger.put(f"MODEL#{FIRST}", artefact="s3://work-bucket/models/gone.tar.gz", artefact_digest="")
        ledger.put(f"MODEL#{SECOND}", artefact=ARTEFACT, artefact_digest=digest_of(packed.getvalue()))
        yield ledger


@pytest.fixture
def run(stack, capsys):
    """`labelmill explain` with these words: exit code, output and errors."""

    def run(*words: str):
        code = main(["explain", *words])
        out, err = capsys.readouterr()
        return code, out, complaints(err)

    return run


def make_winner(ledger):
    ledger.put_decision("2025-09-03T08:00:00.000Z", "FIRST", SECOND, "")


def test_the_winner_says_which_words_and_attributes_spoke_for_its_code(stack, run):
    make_winner(stack)
    code, out, err = run(GROUP, "Bohrmaschine Toastr", "--brand", "Nordwind", "--attribute", "weight_kg=6.1")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"{SECOND}, codebook 2026-10"
    assert lines[1].split()[0] == "3"
    assert lines[4].split()[1:] == ["word", "bohrmaschine"]
    assert any(line.endswith("toastr  (not in the training rows)") for line in lines)
    assert any("attribute  weight_kg=6.1" in line for line in lines)


def test_as_json_all_reasons_add_up_to_one_answer(stack, run):
    make_winner(stack)
    code, out, _ = run(GROUP, "Laptop blau", "--product-type", "Notebook", "--json")
    answer = json.loads(out)
    assert (code, answer["model"], answer["code"]) == (0, SECOND, "2")
    assert {reason["text"] for reason in answer["reasons"]} >= {"laptop", "notebook", "weight_kg=missing"}
    assert answer["review"] is (answer["confidence"] < answer["threshold"])


def test_another_model_than_the_winner_can_be_asked(run):
    assert run(GROUP, "Toaster", "--model", SECOND)[1].startswith(SECOND)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((GROUP, "Toaster"), "DE-weee has no winner yet. Fix: name one of its models with --model."),
        (("FR-weee", "Toaster"), "Model group FR-weee is not known."),
        ((GROUP, "Toaster", "--model", THIRD), f"DE-weee has no model {THIRD}."),
        ((GROUP, "Toaster", "--model", FOREIGN), f"{FOREIGN} is a model of IT-weee, not of DE-weee."),
        ((GROUP, "Toaster", "--model", SECOND, "--attribute", "colour=red"), "colour is not a field"),
        ((GROUP, "Toaster", "--model", SECOND, "--attribute", "weight_kg=a lot"), "must be a number"),
        ((GROUP, "Toaster", "--model", FIRST), "s3://work-bucket/models/gone.tar.gz does not exist"),
    ],
)
def test_what_cannot_be_explained_is_told_in_a_sentence(run, words, message):
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert message in err


def test_an_artefact_that_was_swapped_explains_nothing(stack, run):
    put = boto3.client("s3").put_object
    put(**WHERE, Body=b"another", ChecksumAlgorithm="SHA256")
    code, out, err = run(GROUP, "Toaster", "--model", SECOND)
    assert (code, out) == (1, "")
    assert f"{ARTEFACT} is not what was recorded: its SHA-256 (Base64) is {digest_of(b'another')}" in err


def test_an_attribute_without_a_value_is_a_usage_error(run, capsys):
    with pytest.raises(SystemExit):
        run(GROUP, "Toaster", "--attribute", "weight_kg")
    assert "weight_kg says no value. Fix: write it like" in capsys.readouterr().err


def test_the_code_in_an_artefact_is_never_unpacked(stack, tmp_path):
    from pipelines.ledger import artefact
    from training.model import FILES

    digest = digest_of(boto3.client("s3").get_object(**WHERE)["Body"].read())
    artefact.fetch(boto3.client("s3"), ARTEFACT, digest, FILES, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", "arrays.npz", "confidence.ubj"}
